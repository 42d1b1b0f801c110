//! Groups that are too many for a token, and tokens that are too long for a cookie.

use crate::bench::{Answer, Bench};
use crate::browser::Browser;
use api_server::Options;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boot::stop::Stop;
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;
use object::Secret;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use transport::Listener;

const SCOPED: &str = "User.Read openid";

/// What the pretended provider says of whoever logs in.
struct Says {
    /// Groups in the token; none where they are elsewhere.
    groups: Option<Vec<String>>,
    /// What its access tokens are for.
    scope: &'static str,
    /// Groups that its directory tells; none where it is broken.
    directory: Option<Vec<String>>,
    nonce: String,
    /// How often its directory was asked.
    asked: usize,
}

#[derive(Clone)]
struct Provider {
    issuer: String,
    says: Arc<Mutex<Says>>,
}

fn keys() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key")
}

fn signed(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&json!({"alg": "EdDSA", "kid": "a", "typ": "JWT"})), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(keys().sign(text.as_bytes()));
    format!("{text}.{signature}")
}

impl Provider {
    /// Its address, on loopback, and what ends it.
    async fn start() -> (Self, Stop) {
        let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
        let issuer = format!("http://{}", listener.address());
        let says = Says { groups: None, scope: SCOPED, directory: None, nonce: String::new(), asked: 0 };
        let provider = Self { issuer, says: Arc::new(Mutex::new(says)) };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(published))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/graph/me/getMemberGroups", post(member_groups))
            .with_state(provider.clone());
        let stop = Stop::new();
        tokio::spawn(transport::serve(listener, router, stop.asked()));
        (provider, stop)
    }

    fn says(&self, change: impl FnOnce(&mut Says)) {
        change(&mut self.says.lock().expect("nobody panicked"));
    }
}

async fn configuration(State(provider): State<Provider>) -> Json<Value> {
    let at = |path: &str| format!("{}/{path}", provider.issuer);
    Json(json!({
        "issuer": provider.issuer, "authorization_endpoint": at("authorize"), "token_endpoint": at("token"),
        "jwks_uri": at("keys"), "id_token_signing_alg_values_supported": ["EdDSA"],
        "response_types_supported": ["code"],
    }))
}

async fn published() -> Json<Value> {
    let x = URL_SAFE_NO_PAD.encode(keys().public_key());
    Json(
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "use": "sig", "alg": "EdDSA", "x": x}]}),
    )
}

async fn authorize(
    State(provider): State<Provider>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Redirect {
    provider.says(|says| says.nonce = asked.get("nonce").cloned().unwrap_or_default());
    let mut back: url::Url = asked["redirect_uri"].parse().expect("an address");
    back.query_pairs_mut().append_pair("code", "c").append_pair("state", &asked["state"]);
    Redirect::to(back.as_str())
}

async fn token(State(provider): State<Provider>) -> Json<Value> {
    let says = provider.says.lock().expect("nobody panicked");
    let now = Timestamp::now().as_second();
    let mut claims = json!({
        "iss": provider.issuer, "aud": "web", "sub": "jane", "iat": now, "exp": now + 3600, "nonce": says.nonce,
        "email": "jane@example.com",
    });
    match &says.groups {
        Some(groups) => claims["groups"] = json!(groups),
        None => {
            claims["_claim_names"] = json!({"groups": "src1"});
            claims["_claim_sources"] = json!({"src1": {"endpoint": "https://graph.example/users/jane"}});
        }
    }
    let access = signed(&json!({"sub": "jane", "scp": says.scope, "exp": now + 3600}));
    Json(
        json!({"id_token": signed(&claims), "access_token": access, "token_type": "Bearer", "expires_in": 3600}),
    )
}

async fn member_groups(
    State(provider): State<Provider>,
    headers: HeaderMap,
    Json(asked): Json<Value>,
) -> Response {
    let mut says = provider.says.lock().expect("nobody panicked");
    says.asked += 1;
    let authorized =
        headers.get("authorization").is_some_and(|value| value.as_bytes().starts_with(b"Bearer "));
    match &says.directory {
        Some(groups) if authorized && asked == json!({"securityEnabledOnly": true}) => {
            Json(json!({"value": groups})).into_response()
        }
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "canary-of-the-directory").into_response(),
    }
}

struct Scene {
    bench: Bench,
    base: String,
    provider: Provider,
    _stops: [Stop; 2],
}

async fn scene(namespace: &str, azure: &str) -> Scene {
    let (provider, ends) = Provider::start().await;
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
    let base = format!("http://localhost:{}", listener.address().port());
    let oidc = format!(
        "name: Azure\nissuer: {0}\nclientID: web\nclientSecret: $oidc.clientSecret\n\
         requestedScopes: [openid, profile, email]\n{azure}",
        provider.issuer
    )
    .replace("$GRAPH", &format!("{}/graph", provider.issuer));
    let settings = json!({"url": base, "oidc.config": oidc});
    let policy = json!({"policy.csv": "g, group-299, role:admin\n", "scopes": "[groups]"});
    let options = Options { insecure: true, ..Options::default() };
    let bench = Bench::with(namespace, settings, policy, &[], options).await;
    let secret = [("oidc.clientSecret".to_owned(), Some(Secret::new(b"s".to_vec())))];
    bench.store.set_argocd_secret(&secret).await.expect("the secret");
    let known = || {
        bench.store.secret("argocd-secret").is_some_and(|entry| entry.data.contains_key("oidc.clientSecret"))
    };
    crate::bench::eventually("the secret is known", known).await;
    let stop = Stop::new();
    tokio::spawn(transport::serve(listener, bench.router.clone(), stop.asked()));
    Scene { bench, base, provider, _stops: [ends, stop] }
}

impl Scene {
    /// Logs in; the browser with its cookies.
    async fn logged_in(&self) -> Browser {
        let mut browser = Browser::new();
        let start = format!("{0}/auth/login?return_url={0}/applications", self.base);
        let page = browser.get(&start).await;
        let page = browser.follow(page, &format!("{}/applications", self.base)).await;
        assert_eq!(page.status, 303, "{page:?}");
        browser
    }

    async fn ask(&self, browser: &Browser, path: &str) -> Answer {
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(path).header("cookie", cookies.join("; "));
        self.bench.send(request.body(axum::body::Body::empty()).expect("a request")).await
    }
}

fn many() -> Vec<String> {
    (0..300).map(|number| format!("group-{number}")).collect()
}

const AZURE: &str = "azure: {enableUserGroupOverageClaim: true, graphApiEndpoint: $GRAPH}\n";

#[tokio::test]
async fn groups_that_did_not_fit_into_the_token_are_asked_for_once() {
    let scene = scene("overage", AZURE).await;
    scene.provider.says(|says| says.directory = Some(many()));
    let browser = scene.logged_in().await;
    for _ in 0..3 {
        let told = scene.ask(&browser, "/api/v1/session/userinfo").await.good().json();
        assert_eq!(told["groups"], json!(many()));
        let may = scene.ask(&browser, "/api/v1/account/can-i/clusters/create/*").await.good().json();
        assert_eq!(may["value"], "yes");
    }
    scene.provider.says(|says| assert_eq!(says.asked, 1));
}

#[tokio::test]
async fn nobody_gets_in_without_groups_that_could_not_be_had() {
    let scene = scene("overage-broken", AZURE).await;
    let browser = scene.logged_in().await;
    let refused = async || {
        let answer = scene.ask(&browser, "/api/v1/account").await;
        answer.is(401, "invalid session: error fetching groups from Azure overage claim");
    };
    refused().await;
    // What failed is not remembered.
    scene.provider.says(|says| says.directory = Some(many()));
    scene.ask(&browser, "/api/v1/account").await.good();
    // A token that does not open the directory is not sent there.
    let scene = self::scene("overage-scope", AZURE).await;
    scene.provider.says(|says| (says.scope, says.directory) = ("openid", Some(many())));
    let browser = scene.logged_in().await;
    let answer = scene.ask(&browser, "/api/v1/account").await;
    answer.is(401, "invalid session: error fetching groups from Azure overage claim");
    scene.provider.says(|says| assert_eq!(says.asked, 0));
}

#[tokio::test]
async fn without_being_told_to_nobody_asks_the_directory() {
    let scene = scene("overage-off", "").await;
    scene.provider.says(|says| says.directory = Some(many()));
    let browser = scene.logged_in().await;
    let told = scene.ask(&browser, "/api/v1/session/userinfo").await.good().json();
    assert_eq!((&told["loggedIn"], told.get("groups")), (&json!(true), None));
    let may = scene.ask(&browser, "/api/v1/account/can-i/clusters/create/*").await.good().json();
    assert_eq!(may["value"], "no");
    scene.provider.says(|says| assert_eq!(says.asked, 0));
}

#[tokio::test]
async fn a_token_with_many_groups_is_several_cookies() {
    let scene = scene("many-groups", "").await;
    let groups: Vec<String> =
        (0..300).map(|number| format!("{}group-{number}", "x".repeat(36 - number % 7))).collect();
    let groups = [groups, vec!["group-299".to_owned()]].concat();
    scene.provider.says(|says| says.groups = Some(groups.clone()));
    let mut browser = scene.logged_in().await;
    let parts = browser.cookies.keys().filter(|name| name.starts_with("argocd.token")).count();
    assert!(parts > 2, "{parts}");
    let longest = browser.cookies.iter().map(|(name, value)| name.len() + value.len()).max();
    assert!(longest.is_some_and(|longest| longest < 4093), "{longest:?}");
    let told = scene.ask(&browser, "/api/v1/session/userinfo").await.good().json();
    assert_eq!(told["groups"], json!(groups));
    let may = scene.ask(&browser, "/api/v1/account/can-i/clusters/create/*").await.good().json();
    assert_eq!(may["value"], "yes");
    // Without one of its parts it is none.
    let last = browser.cookies.keys().rfind(|name| name.starts_with("argocd.token-")).cloned();
    browser.cookies.remove(&last.expect("a part"));
    assert_eq!(scene.ask(&browser, "/api/v1/account").await.status, 401);
}
