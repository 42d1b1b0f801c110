//! Logging in at a real Dex: behind the server's own address and directly, in a browser and by the command line.

use crate::bench::{Bench, LONG};
use crate::browser::{Browser, Page};
use api_server::{DexOptions, Options};
use axum::body::Body;
use boot::stop::Stop;
use http::Request;
use object::Secret;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use testkit::dex::{Dex, PASSWORD, person};
use transport::Listener;

pub const JANE: &str = "jane@example.org";
/// Whom Dex's pretended connector lets in, and their group.
pub const KILGORE: &str = "kilgore@kilgore.trout";
pub const MOCK: &str = "/auth/mock";
pub const LOCAL: &str = "/auth/local";

/// A server on a port, and Dex.
pub struct Scene {
    pub bench: Bench,
    pub base: String,
    pub cli_port: u16,
    dex: Dex,
    stop: Stop,
}

impl Drop for Scene {
    #[expect(clippy::print_stderr, reason = "a test that failed says what Dex said")]
    fn drop(&mut self) {
        self.stop.ask();
        if std::thread::panicking() {
            eprintln!("{}", self.dex.log());
        }
    }
}

fn policy() -> Value {
    let lines = "g, authors, role:admin\np, jane-id, applications, get, */*, allow\n";
    json!({"policy.csv": lines, "scopes": "[groups]"})
}

/// Dex's own people and its pretended connector.
fn people() -> Value {
    json!({
        "connectors": [{"type": "mockCallback", "id": "mock", "name": "Mock"}],
        "enablePasswordDB": true,
        "staticPasswords": [person(JANE, "jane", "jane-id")],
    })
}

/// The bundled Dex, configured as `argocd-dex gendexcfg` does.
pub async fn bundled(namespace: &str) -> Scene {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
    let base = format!("http://localhost:{}", listener.address().port());
    let port = testkit::free_port().expect("a port");
    let cli_port = testkit::free_port().expect("a port");
    let settings = json!({"url": base, "dex.config": people().to_string()});
    let options = Options {
        insecure: true,
        dex: DexOptions { address: format!("http://127.0.0.1:{port}"), ..DexOptions::default() },
        ..Options::default()
    };
    let bench = Bench::with(namespace, settings, policy(), &[], options).await;
    let facts = settings::DexFacts {
        url: base.clone(),
        additional_urls: Vec::new(),
        client_secret: Secret::new(auth::oidc::dex_client_secret(&server_key(&bench))),
        disable_tls: true,
        log_level: "DEBUG".into(),
        log_format: String::new(),
    };
    let (found, _) = settings::SingleSignOn::parse(&bench.store.config_map("argocd-cm"), &|_| None);
    let Some(settings::SingleSignOn::Dex(found)) = found else { panic!("{found:?}") };
    let mut config = settings::dex_configuration(&found, &facts).expect("a configuration");
    config["web"] = json!({"http": format!("127.0.0.1:{port}")});
    for other in ["grpc", "telemetry"] {
        config.as_object_mut().expect("a map").remove(other);
    }
    // Another port than the usual one, so that tests can run beside each other.
    config["staticClients"][1]["redirectURIs"] =
        json!([format!("http://localhost:{cli_port}/auth/callback")]);
    serve(bench, listener, base, cli_port, &config, port)
}

fn server_key(bench: &Bench) -> Vec<u8> {
    let secret = bench.store.secret("argocd-secret").expect("the secret");
    secret.data["server.secretkey"].reveal().clone()
}

fn serve(bench: Bench, listener: Listener, base: String, cli_port: u16, config: &Value, port: u16) -> Scene {
    let dex = Dex::start(config, port).expect("Dex");
    let stop = Stop::new();
    tokio::spawn(transport::serve(listener, bench.router.clone(), stop.asked()));
    Scene { bench, base, cli_port, dex, stop }
}

/// A provider of one's own: Dex at its own address, with tokens that soon run out.
async fn direct(namespace: &str, more: &str) -> Scene {
    direct_for(namespace, more, "20m").await
}

/// The same with tokens that last so long.
async fn direct_for(namespace: &str, more: &str, lifetime: &str) -> Scene {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
    let base = format!("http://localhost:{}", listener.address().port());
    let port = testkit::free_port().expect("a port");
    let issuer = format!("http://127.0.0.1:{port}/dex");
    let oidc = format!(
        "name: Dex\nissuer: {issuer}\nclientID: web\nclientSecret: $oidc.clientSecret\ncliClientID: cli\n\
         requestedScopes: [openid, profile, email, groups, offline_access]\n{more}"
    );
    let settings = json!({"url": base, "oidc.config": oidc});
    let options = Options { insecure: true, ..Options::default() };
    let bench = Bench::with(namespace, settings, policy(), &[], options).await;
    let secret = [("oidc.clientSecret".to_owned(), Some(Secret::new(b"web secret: 1".to_vec())))];
    bench.store.set_argocd_secret(&secret).await.expect("the secret");
    crate::bench::eventually("the secret is known", || {
        bench.store.secret("argocd-secret").is_some_and(|entry| entry.data.contains_key("oidc.clientSecret"))
    })
    .await;
    let mut config = people();
    config["issuer"] = issuer.into();
    config["storage"] = json!({"type": "memory"});
    config["web"] = json!({"http": format!("127.0.0.1:{port}")});
    config["oauth2"] = json!({"skipApprovalScreen": true});
    config["expiry"] = json!({"idTokens": lifetime});
    let client = |id: &str| {
        json!({
            "id": id, "name": id, "secret": "web secret: 1",
            "redirectURIs": [format!("{base}/auth/callback"), "http://localhost:1/other"],
        })
    };
    config["staticClients"] = json!([client("web"), client("other")]);
    serve(bench, listener, base, 0, &config, port)
}

impl Scene {
    /// Logs in through a connector; where the browser ends up.
    async fn browse(&self, browser: &mut Browser, connector: &str) -> Page {
        let start = format!("{0}/auth/login?return_url={0}/applications", self.base);
        let page = browser.get(&start).await;
        assert_eq!(page.status, 303, "{page:?}");
        let choice = browser.follow(page, "").await;
        let page = browser.get(choice.link("href", connector).as_str()).await;
        let page = browser.follow(page, &format!("{}/applications", self.base)).await;
        if connector == MOCK {
            return page;
        }
        let again = browser.log_in(&page, JANE, "wrong").await;
        assert!(again.text.contains("Invalid"), "{again:?}");
        let page = browser.log_in(&again, JANE, PASSWORD).await;
        browser.follow(page, &format!("{}/applications", self.base)).await
    }

    /// Asks the server over REST with a browser's cookies.
    async fn ask(&self, browser: &Browser, path: &str) -> crate::bench::Answer {
        let cookies: Vec<String> =
            browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get(path).header("cookie", cookies.join("; "));
        self.bench.send(request.body(Body::empty()).expect("a request")).await
    }

    async fn may(&self, token: &str, what: &str) -> Value {
        self.bench.get(&format!("/api/v1/account/can-i/{what}"), token).await.good().json()["value"].clone()
    }
}

#[tokio::test]
async fn a_browser_logs_in_at_the_bundled_dex_and_out_again() {
    let scene = bundled("sso-dex").await;
    let mut browser = Browser::new();
    let page = scene.browse(&mut browser, LOCAL).await;
    assert_eq!(
        page.location.as_ref().map(url::Url::as_str),
        Some(format!("{}/applications", scene.base).as_str())
    );
    assert!(!browser.cookies.contains_key("argocd.oauthstate"), "{page:?}");
    let session = page.cookies.iter().find(|cookie| cookie.starts_with("argocd.token=")).expect("a session");
    assert!(session.contains("httpOnly") && session.contains("SameSite=lax"), "{session}");
    let told = scene.ask(&browser, "/api/v1/session/userinfo").await.good().json();
    let issuer = format!("{}/api/dex", scene.base);
    assert_eq!(told, json!({"loggedIn": true, "username": JANE, "iss": issuer}));
    // Policies speak of the id that the connector knows.
    let token = browser.cookies["argocd.token"].clone();
    assert_eq!(scene.may(&token, "applications/get/default/x").await, "yes");
    assert_eq!(scene.may(&token, "applications/delete/default/x").await, "no");
    let denied = scene.bench.get("/api/v1/account/admin", &token).await;
    assert!(denied.message().contains("accounts, get, admin, sub: jane-id, iat: "), "{denied:?}");
    // What has come back once is over.
    let replayed = browser.get(page.url.as_str()).await;
    assert_eq!(replayed.status, 400, "{replayed:?}");
    // TOB-ARGO-033: logging out takes the token back.
    let page = browser.get(&format!("{}/auth/logout", scene.base)).await;
    assert_eq!((page.status, page.location.map(String::from)), (303, Some(format!("{}/", scene.base))));
    assert!(browser.cookies.is_empty(), "{:?}", browser.cookies);
    let refused = scene.bench.get("/api/v1/account", &token).await;
    refused.is(401, "invalid session: token is revoked, please re-login");
}

#[tokio::test]
async fn groups_of_the_provider_give_rights() {
    let scene = bundled("sso-groups").await;
    let mut browser = Browser::new();
    scene.browse(&mut browser, MOCK).await;
    let token = browser.cookies["argocd.token"].clone();
    let told = scene.bench.get("/api/v1/session/userinfo", &token).await.good().json();
    assert_eq!((&told["username"], &told["groups"]), (&json!(KILGORE), &json!(["authors"])));
    assert_eq!(scene.may(&token, "applications/delete/default/x").await, "yes");
    let settings = scene.bench.get("/api/v1/settings", "").await.good();
    let connectors = json!([{"name": "Mock", "type": "mockCallback", "id": "mock"}]);
    assert_eq!(settings.json()["dexConfig"], json!({"connectors": connectors}));
    assert!(!settings.text.contains("$2a$"), "{settings:?}");
    // Who has just logged in changes a local password without one.
    let body = json!({"name": "admin", "newPassword": "given-by-sso"});
    scene.bench.rest("PUT", "/api/v1/account/password", &token, Some(body)).await.good();
    let admin = scene.bench.login("admin", "given-by-sso").await;
    // A member of a role's group issues its tokens, and can do nothing else.
    let role = json!({"name": "ci", "groups": ["authors"]});
    let project =
        json!({"project": {"metadata": {"name": "red"}, "spec": {"roles": [role, {"name": "other"}]}}});
    scene.bench.post("/api/v1/projects", &admin, project).await.good();
    let policy = json!({"policy.csv": "", "scopes": "[groups]"});
    crate::bench::configure(&scene.bench.store, "argocd-rbac-cm", policy).await;
    let tokens = |role: &str| format!("/api/v1/projects/red/roles/{role}/token");
    scene.bench.post(&tokens("ci"), &token, json!({"id": "t"})).await.good();
    let deleted = scene.bench.rest("DELETE", &format!("{}/0?id=t", tokens("ci")), &token, None).await;
    deleted.good();
    assert_eq!(scene.bench.post(&tokens("other"), &token, json!({})).await.status, 403);
    let body = json!({"name": "admin", "newPassword": "given-again"});
    let denied = scene.bench.rest("PUT", "/api/v1/account/password", &token, Some(body)).await;
    assert_eq!(denied.status, 403, "{denied:?}");
}

#[tokio::test]
async fn cve_2022_31102_attackers_get_neither_redirects_nor_their_words_back() {
    let scene = bundled("sso-attacks").await;
    let mut browser = Browser::new();
    for target in ["https://evil.example", "//evil.example", "javascript:alert(1)", "http://localhost:1/"] {
        let page = browser.get(&format!("{}/auth/login?return_url={target}", scene.base)).await;
        assert_eq!((page.status, page.location), (400, None), "{target}");
    }
    let callback = format!("{}/auth/callback", scene.base);
    let attack = "<script>alert(1)</script>";
    for query in [
        format!("?error={attack}&error_description={attack}"),
        format!("?code={attack}&state={attack}"),
        format!("?state={attack}"),
        String::new(),
    ] {
        let page = browser.get(&format!("{callback}{query}")).await;
        assert_eq!(page.status, 400, "{page:?}");
        assert!(!page.text.contains("script"), "{page:?}");
    }
    // CVE-2022-31034: states, nonces and challenges are new each time.
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..2 {
        let page = browser.get(&format!("{}/auth/login", scene.base)).await;
        let target = page.location.expect("a redirect");
        for name in ["state", "nonce", "code_challenge"] {
            let value = target.query_pairs().find(|(key, _)| key == name).expect(name).1.into_owned();
            assert!(value.len() >= 43 && seen.insert(value), "{target}");
        }
        let cookie =
            page.cookies.iter().find(|cookie| cookie.starts_with("argocd.oauthstate=")).expect("a cookie");
        assert!(cookie.contains("HttpOnly; SameSite=Lax") && cookie.contains("Max-Age=300"), "{cookie}");
    }
    // An answer for one browser is nothing to another one.
    let mut victim = Browser::new();
    let page = browser.get(&format!("{}/auth/login", scene.base)).await;
    let choice = browser.follow(page, "").await;
    let page = browser.get(choice.link("href", MOCK).as_str()).await;
    let page = browser.follow(page, &callback).await;
    let page = victim.get(page.location.expect("the callback").as_str()).await;
    assert_eq!(page.status, 400, "{page:?}");
    assert!(victim.cookies.is_empty(), "{page:?}");
}

#[tokio::test]
async fn a_provider_of_ones_own_renews_sessions_and_ends_them() {
    let more = "refreshTokenThreshold: 1h\nlogoutURL: https://idp.example/out?hint={{token}}&to={{logoutRedirectURL}}\n\
                enableUserInfoGroups: true\nuserInfoPath: /userinfo\n";
    let scene = direct("sso-direct", more).await;
    let settings = scene.bench.get("/api/v1/settings", "").await.good();
    let oidc = &settings.json()["oidcConfig"];
    assert_eq!((&oidc["name"], &oidc["cliClientID"]), (&json!("Dex"), &json!("cli")));
    assert!(!settings.text.contains("secret: 1"), "{settings:?}");
    let mut browser = Browser::new();
    scene.browse(&mut browser, MOCK).await;
    let first = browser.cookies["argocd.token"].clone();
    let told = scene.ask(&browser, "/api/v1/session/userinfo").await.good();
    assert_eq!(told.json()["groups"], json!(["authors"]));
    let renewed = told.headers["set-cookie"].to_str().expect("a cookie");
    let renewed = renewed.trim_start_matches("argocd.token=").split(';').next().expect("a token").to_owned();
    assert!(renewed.split('.').count() == 3 && first.split('.').count() == 3, "{told:?}");
    assert_eq!(scene.may(&renewed, "applications/delete/default/x").await, "yes");
    browser.cookies.insert("argocd.token".into(), renewed.clone());
    let page = browser.get(&format!("{}/auth/logout", scene.base)).await;
    let target = page.location.expect("a redirect").to_string();
    assert_eq!(target, format!("https://idp.example/out?hint={renewed}&to={}", scene.base));
    assert_eq!(scene.bench.get("/api/v1/account", &renewed).await.status, 401);
}

#[tokio::test]
async fn a_session_outlasts_its_tokens_until_it_is_over_itself() {
    let scene = direct_for("sso-outlasts", "", "2s").await;
    let mut browser = Browser::new();
    scene.browse(&mut browser, MOCK).await;
    let first = browser.cookies["argocd.token"].clone();
    let is_over = |token: &str| {
        let expires = auth::oidc::unverified_expiry(token).expect("an end");
        jiff::Timestamp::now().as_second() >= expires
    };
    let over = async |token: &str| crate::bench::eventually("the token's end", || is_over(token)).await;
    over(&first).await;
    // Without refreshTokenThreshold, too: a token that has run out is renewed.
    let told = scene.ask(&browser, "/api/v1/session/userinfo").await.good();
    assert_eq!(told.json()["username"], KILGORE, "{told:?}");
    let renewed = told.headers["set-cookie"].to_str().expect("a cookie");
    let renewed = renewed.trim_start_matches("argocd.token=").split(';').next().expect("a token").to_owned();
    assert_ne!(renewed, first);
    // One that was tampered with is not, whenever it ended.
    over(&renewed).await;
    let forged = format!("{}AAAA", &renewed[..renewed.len() - 4]);
    scene.bench.get("/api/v1/account", &forged).await.is(401, "invalid session: failed to verify the token");
    // Logging out ends it all, also with a token that has run out.
    browser.cookies.insert("argocd.token".into(), renewed.clone());
    browser.get(&format!("{}/auth/logout", scene.base)).await;
    for token in [&first, &renewed] {
        assert_eq!(scene.bench.get("/api/v1/account", token).await.status, 401);
    }
}

#[tokio::test]
async fn a_session_that_is_as_old_as_it_may_be_is_not_renewed() {
    let scene = direct_for("sso-old", "", "2s").await;
    let mut settings = serde_json::to_value(scene.bench.store.config_map("argocd-cm")).expect("settings");
    settings["users.session.duration"] = "1s".into();
    crate::bench::configure(&scene.bench.store, "argocd-cm", settings).await;
    let mut browser = Browser::new();
    scene.browse(&mut browser, MOCK).await;
    let token = browser.cookies["argocd.token"].clone();
    let expires = auth::oidc::unverified_expiry(&token).expect("an end");
    crate::bench::eventually("its end", || jiff::Timestamp::now().as_second() >= expires).await;
    scene.bench.get("/api/v1/account", &token).await.is(401, "invalid session: failed to verify the token");
}

#[tokio::test]
async fn cve_2023_22482_tokens_of_another_client_are_refused() {
    let scene = direct("sso-audience", "").await;
    let issuer = scene.bench.get("/api/v1/settings", "").await.good().json()["oidcConfig"]["issuer"].clone();
    let issuer = issuer.as_str().expect("an issuer").to_owned();
    let mut tokens = Vec::new();
    for id in ["web", "other"] {
        let mut browser = Browser::new();
        let ask = format!(
            "{issuer}/auth?client_id={id}&redirect_uri=http://localhost:1/other&response_type=code&scope=openid+email&state=s"
        );
        let page = browser.get(&ask).await;
        let choice = browser.follow(page, "").await;
        let page = browser.get(choice.link("href", MOCK).as_str()).await;
        let page = browser.follow(page, "http://localhost:1/").await;
        let back = page.location.expect("the end");
        let code = back.query_pairs().find(|(name, _)| name == "code").expect("a code").1.into_owned();
        let provider = oidc::Provider::new(oidc::ProviderOptions {
            issuer: issuer.clone(),
            via: None,
            certificates: oidc::Certificates::OfTheSystem,
            keep: LONG,
        });
        let client = oidc::Client {
            id: id.to_owned(),
            secret: Secret::new("web secret: 1".into()),
            assertion: Secret::default(),
        };
        let provider = provider.expect("a provider");
        let exchanged = provider.exchange(&client, &code, "http://localhost:1/other", "");
        tokens.push(exchanged.await.expect("tokens").id_token.reveal().clone());
    }
    scene.bench.get("/api/v1/account", &tokens[0]).await.good();
    scene
        .bench
        .get("/api/v1/account", &tokens[1])
        .await
        .is(401, "invalid session: failed to verify the token");
    let cut = &tokens[0][..tokens[0].len() - 4];
    scene.bench.get("/api/v1/account", cut).await.is(401, "invalid session: failed to verify the token");
}

/// What a login sends to the provider, by name.
async fn asked(scene: &Scene) -> BTreeMap<String, String> {
    let page = Browser::new().get(&format!("{}/auth/login", scene.base)).await;
    let target = page.location.expect("a redirect");
    target.query_pairs().into_owned().collect()
}

#[tokio::test]
async fn a_login_asks_the_provider_for_what_settings_say() {
    let more = "domainHint: ' example.org '\n\
                requestedIDTokenClaims: {groups: {essential: true}, acr: {value: 'urn:a', values: ['urn:b', 'urn:c']}}\n";
    let scene = direct("sso-asked", more).await;
    let told = asked(&scene).await;
    assert_eq!((told["client_id"].as_str(), told["response_type"].as_str()), ("web", "code"));
    assert_eq!(told["redirect_uri"], format!("{}/auth/callback", scene.base));
    assert_eq!(told["scope"], "openid profile email groups offline_access");
    assert_eq!(told["domain_hint"], "example.org");
    let claims: Value = serde_json::from_str(&told["claims"]).expect("JSON");
    let acr = json!({"value": "urn:a", "values": ["urn:b", "urn:c"]});
    assert_eq!(claims, json!({"id_token": {"groups": {"essential": true}, "acr": acr}}));
    // Without them, the usual scopes and nothing else; a connector is Dex's affair.
    let mut settings = serde_json::to_value(scene.bench.store.config_map("argocd-cm")).expect("settings");
    let written = settings["oidc.config"].as_str().expect("a text").to_owned();
    let more = ["requestedScopes", "domainHint", "requestedIDTokenClaims"];
    let plain = written.lines().filter(|line| !more.iter().any(|name| line.starts_with(name)));
    settings["oidc.config"] = plain.collect::<Vec<_>>().join("\n").into();
    settings["dex.auth.connectorId"] = "mock".into();
    crate::bench::configure(&scene.bench.store, "argocd-cm", settings).await;
    let told = asked(&scene).await;
    assert_eq!(told["scope"], "openid profile email groups");
    for name in ["domain_hint", "claims", "connector_id"] {
        assert!(!told.contains_key(name), "{told:?}");
    }
}

#[tokio::test]
async fn the_connector_that_settings_choose_is_the_one_if_dex_has_it() {
    let scene = bundled("sso-connector").await;
    let choose = async |id: &str| {
        let mut settings = serde_json::to_value(scene.bench.store.config_map("argocd-cm")).expect("settings");
        settings["dex.auth.connectorId"] = id.into();
        crate::bench::configure(&scene.bench.store, "argocd-cm", settings).await;
        let told = scene.bench.get("/api/v1/settings", "").await.good().json();
        let shown = told["dexConfig"].get("dexAuthConnectorID").cloned();
        (asked(&scene).await.remove("connector_id"), shown)
    };
    assert_eq!(choose("mock").await, (Some("mock".to_owned()), Some(json!("mock"))));
    // Nobody is asked which one, then.
    let mut browser = Browser::new();
    let page = browser.get(&format!("{0}/auth/login?return_url={0}/applications", scene.base)).await;
    browser.follow(page, &format!("{}/applications", scene.base)).await;
    let told = scene.ask(&browser, "/api/v1/session/userinfo").await.good().json();
    assert_eq!(told["username"], KILGORE, "{told}");
    assert_eq!(choose("nope").await, (None, None));
}

/// What the command line says, while it says it.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<u8>>>);

impl Said {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no writer panics")).into_owned()
    }

    /// The address that a login wants opened.
    pub async fn address(&self, running: &std::thread::JoinHandle<i32>) -> String {
        crate::bench::eventually("the address to open", || {
            self.text().contains("copy-and-paste") || running.is_finished()
        })
        .await;
        let text = self.text();
        let url = text.split("preferred browser: ").nth(1).unwrap_or_else(|| panic!("{text}"));
        url.trim().to_owned()
    }
}

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no writer panics").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs the command line beside the test.
pub fn argocd(words: &[&str], home: &std::path::Path, said: &Said) -> std::thread::JoinHandle<i32> {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let (said, home) = (said.clone(), home.display().to_string());
    std::thread::spawn(move || {
        let mut environment = cli::Environment {
            variables: [("ARGOCD_CONFIG_DIR".to_owned(), home)].into(),
            input: Box::new(std::io::empty()),
            output: Box::new(said.clone()),
            errors: Box::new(said),
            interactive: false,
        };
        cli::run(&words, &mut environment)
    })
}

pub async fn ended(thread: std::thread::JoinHandle<i32>) -> i32 {
    tokio::task::spawn_blocking(move || thread.join().expect("no panic")).await.expect("it ends")
}

#[tokio::test]
async fn the_command_line_logs_in_and_goes_on_when_its_token_has_run_out() {
    let scene = bundled("sso-cli").await;
    let home = tempfile::tempdir().expect("a folder");
    let server = scene.base.trim_start_matches("http://").to_owned();
    let (port, said) = (scene.cli_port.to_string(), Said::default());
    let words = ["login", &server, "--plaintext", "--sso", "--sso-launch-browser=false", "--sso-port", &port];
    let running = argocd(&words, home.path(), &said);
    let url = said.address(&running).await;
    let mut browser = Browser::new();
    let page = browser.get(&url).await;
    let choice = browser.follow(page, "").await;
    let page = browser.get(choice.link("href", MOCK).as_str()).await;
    let page = browser.follow(page, "").await;
    assert!(page.text.contains("Authentication successful"), "{page:?}");
    assert_eq!(ended(running).await, 0, "{}", said.text());
    let text = said.text();
    assert!(text.contains("Performing authorization_code flow login: "), "{text}");
    let end = format!(
        "Authentication successful\n'{KILGORE}' logged in successfully\nContext '{server}' updated\n"
    );
    assert!(text.ends_with(&end), "{text}");

    let file = home.path().join("config");
    let config = std::fs::read_to_string(&file).expect("the configuration");
    let of = |name: &str| {
        let line = config.lines().find(|line| line.trim().trim_start_matches("- ").starts_with(name));
        line.unwrap_or_else(|| panic!("{name} in {config}")).split(": ").nth(1).expect("a value").to_owned()
    };
    let (token, refresh) = (of("auth-token"), of("refresh-token"));
    assert!(!refresh.is_empty());
    // {"exp":1}: its time is long over, whoever signed it.
    std::fs::write(&file, config.replace(&token, "e30.eyJleHAiOjF9.x")).expect("written");
    let said = Said::default();
    let code = ended(argocd(&["account", "get-user-info"], home.path(), &said)).await;
    assert_eq!(code, 0, "{}", said.text());
    assert!(said.text().contains(&format!("Logged In: true\nUsername: {KILGORE}")), "{}", said.text());
    let after = std::fs::read_to_string(&file).expect("the configuration");
    assert!(!after.contains("e30.eyJleHAiOjF9.x") && !after.contains(&refresh), "a token is used once");
}
