//! A provider on loopback that does what it should not.

use crate::{Certificates, Client, OidcError, Provider, ProviderOptions, UserInfoAnswer, Wanted};
use auth::oidc::Audiences;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use object::Secret;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use transport::{Identity, Listener};

const CANARY: &str = "canary-of-the-test";

/// What the pretended provider does now, and what it was asked.
#[derive(Default)]
struct Play {
    seed: u8,
    broken: &'static str,
    asked: Vec<String>,
}

struct Pretended {
    issuer: String,
    play: Arc<Mutex<Play>>,
}

fn signer(seed: u8) -> EncodingKey {
    let mut der = vec![0x30, 0x2e, 0x02, 0x01, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    der.extend([seed; 32]);
    EncodingKey::from_ed_der(&der)
}

impl Pretended {
    async fn start(identity: Option<Identity>) -> Self {
        boot::crypto();
        let scheme = if identity.is_some() { "https" } else { "http" };
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, identity).await.unwrap();
        let issuer = format!("{scheme}://localhost:{}", listener.address().port());
        let play = Arc::new(Mutex::new(Play { seed: 1, ..Play::default() }));
        let (own, shared) = (issuer.clone(), play.clone());
        let router = Router::new().fallback(move |request: Request| {
            let (issuer, play) = (own.clone(), shared.clone());
            async move {
                let (parts, body) = request.into_parts();
                let body = axum::body::to_bytes(body, 1 << 16).await.unwrap();
                let sent = parts.headers.get("authorization").map(|value| value.to_str().unwrap());
                let line = format!(
                    "{} {} {}",
                    parts.uri.path(),
                    sent.unwrap_or_default(),
                    String::from_utf8_lossy(&body)
                );
                let mut play = play.lock().unwrap();
                play.asked.push(line);
                answer(&play, &issuer, parts.uri.path())
            }
        });
        tokio::spawn(transport::serve(listener, router, std::future::pending()));
        Self { issuer, play }
    }

    fn provider(&self, certificates: Certificates) -> Provider {
        let options = ProviderOptions {
            issuer: self.issuer.clone(),
            via: None,
            certificates,
            keep: Duration::from_secs(60),
        };
        Provider::new(options).unwrap()
    }

    fn token(&self, seed: u8, subject: &str) -> String {
        let header = Header { kid: Some(seed.to_string()), ..Header::new(Algorithm::EdDSA) };
        let claims = json!({"iss": self.issuer, "sub": subject, "aud": "web", "exp": 4_000_000_000_i64});
        encode(&header, &claims, &signer(seed)).unwrap()
    }

    fn asked(&self, path: &str) -> usize {
        self.play.lock().unwrap().asked.iter().filter(|line| line.starts_with(path)).count()
    }
}

fn json_answer(value: &Value) -> Response {
    ([("content-type", "application/json")], value.to_string()).into_response()
}

fn answer(play: &Play, issuer: &str, path: &str) -> Response {
    match (path, play.broken) {
        (_, "redirect") => Redirect::temporary("http://127.0.0.1:1/elsewhere").into_response(),
        (_, "huge") => "x".repeat(2 << 20).into_response(),
        (_, "away") => (http::StatusCode::BAD_GATEWAY, CANARY).into_response(),
        ("/.well-known/openid-configuration", _) => json_answer(&json!({
            "issuer": issuer, "authorization_endpoint": format!("{issuer}/auth"),
            "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
            "response_types_supported": ["code"], "id_token_signing_alg_values_supported": ["EdDSA"],
        })),
        ("/keys", _) => {
            let mut key = Jwk::from_encoding_key(&signer(play.seed), Algorithm::EdDSA).unwrap();
            key.common.key_id = Some(play.seed.to_string());
            json_answer(&json!({"keys": [key]}))
        }
        ("/token", "no") => {
            let refusal = json!({"error": "invalid_grant", "error_description": CANARY});
            (http::StatusCode::BAD_REQUEST, refusal.to_string()).into_response()
        }
        ("/token", _) => json_answer(&json!({"id_token": "i", "access_token": "a", "refresh_token": null})),
        ("/me/getMemberGroups", "no") => json_answer(&json!({"error": CANARY})),
        ("/me/getMemberGroups", _) => json_answer(&json!({"value": ["g1", "g2", 3]})),
        ("/me", _) => json_answer(&json!({"sub": "jane", "groups": ["a"]})),
        _ => http::StatusCode::NOT_FOUND.into_response(),
    }
}

fn wanted(allowed: &[String]) -> Wanted<'_> {
    Wanted { audiences: Audiences { allowed, may_be_missing: false }, nonce: None, essential: None }
}

fn client() -> Client {
    Client { id: "w b".into(), secret: Secret::new("s:1".into()), assertion: Secret::default() }
}

#[tokio::test]
async fn keys_are_fetched_once_and_forged_tokens_are_no_requests() {
    let pretended = Pretended::start(None).await;
    let provider = pretended.provider(Certificates::OfTheSystem);
    let allowed = ["web".to_owned()];
    let verify = async |seed| {
        provider.verify(&pretended.token(seed, "jane"), &wanted(&allowed), Timestamp::now()).await
    };
    for _ in 0..3 {
        assert_eq!(verify(1).await.unwrap().identifier(), "jane");
        assert!(matches!(verify(2).await, Err(OidcError::Token(_))));
    }
    assert_eq!((pretended.asked("/keys"), pretended.asked("/.well-known")), (1, 1));
}

#[tokio::test]
async fn new_keys_are_found_by_a_provider_that_was_asked_long_ago() {
    let pretended = Pretended::start(None).await;
    let options = ProviderOptions {
        keep: Duration::ZERO,
        ..pretended.provider(Certificates::OfTheSystem).options().clone()
    };
    let provider = Provider::new(options).unwrap();
    let allowed = ["web".to_owned()];
    let verify = async |seed| {
        provider.verify(&pretended.token(seed, "jane"), &wanted(&allowed), Timestamp::now()).await
    };
    verify(1).await.unwrap();
    pretended.play.lock().unwrap().seed = 2;
    verify(2).await.unwrap();
    // While the provider is away, what is known stands.
    pretended.play.lock().unwrap().broken = "away";
    verify(2).await.unwrap();
    // So it does for one that takes its place, and for no other.
    let next = Provider::new(provider.options().clone()).unwrap();
    next.know_from(&provider);
    let token = pretended.token(2, "jane");
    next.verify(&token, &wanted(&allowed), Timestamp::now()).await.unwrap();
    let others = ProviderOptions { certificates: Certificates::NotVerified, ..provider.options().clone() };
    let other = Provider::new(others).unwrap();
    other.know_from(&provider);
    other.verify(&token, &wanted(&allowed), Timestamp::now()).await.unwrap_err();
}

#[tokio::test]
async fn a_provider_that_leads_elsewhere_or_says_too_much_is_refused_without_repeating_it() {
    for (broken, words) in [("redirect", "answered 307"), ("huge", "larger than"), ("away", "answered 502")] {
        let pretended = Pretended::start(None).await;
        pretended.play.lock().unwrap().broken = broken;
        let provider = pretended.provider(Certificates::OfTheSystem);
        let error = provider.discovery().await.unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains(CANARY), "{error}");
        // The failure is remembered for a moment.
        provider.discovery().await.unwrap_err();
        assert_eq!(pretended.asked("/.well-known"), 1);
    }
}

#[tokio::test]
async fn cve_2022_31105_the_providers_certificate_is_verified() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let identity = Identity::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let pretended = Pretended::start(Some(identity)).await;
    let discovery = async |certificates| pretended.provider(certificates).discovery().await;
    assert!(matches!(discovery(Certificates::OfTheSystem).await, Err(OidcError::Unreachable { .. })));
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.pem();
    assert!(matches!(discovery(Certificates::SignedBy(other)).await, Err(OidcError::Unreachable { .. })));
    discovery(Certificates::SignedBy(certificate)).await.unwrap();
    discovery(Certificates::NotVerified).await.unwrap();
    let nothing = ProviderOptions {
        issuer: pretended.issuer.clone(),
        via: None,
        certificates: Certificates::SignedBy("nothing".into()),
        keep: Duration::ZERO,
    };
    assert!(matches!(Provider::new(nothing), Err(OidcError::Settings(_))));
}

#[tokio::test]
async fn groups_that_do_not_fit_into_a_token_are_the_graphs_security_groups() {
    let pretended = Pretended::start(None).await;
    let provider = pretended.provider(Certificates::OfTheSystem);
    let graph = format!("{}/", pretended.issuer);
    assert_eq!(provider.graph_groups(&graph, "a").await.unwrap(), ["g1", "g2"]);
    let asked = pretended.play.lock().unwrap().asked.clone();
    assert_eq!(asked, [r#"/me/getMemberGroups Bearer a {"securityEnabledOnly":true}"#]);
    pretended.play.lock().unwrap().broken = "no";
    let text = provider.graph_groups(&graph, "a").await.unwrap_err().to_string();
    assert!(text.ends_with("the answer has no list of groups") && !text.contains(CANARY), "{text}");
}

#[tokio::test]
async fn codes_become_tokens_and_refusals_tell_the_code_only() {
    let pretended = Pretended::start(None).await;
    let provider = pretended.provider(Certificates::OfTheSystem);
    let tokens = provider.exchange(&client(), "c&d", "http://here/", "v").await.unwrap();
    assert_eq!(tokens.id_token.reveal(), "i");
    assert_eq!(tokens.refresh_token.reveal(), "");
    let tokens = provider.refresh(&client(), "r").await.unwrap();
    assert_eq!(tokens.refresh_token.reveal(), "r");
    let public = Client { secret: Secret::default(), ..client() };
    provider.exchange(&public, "c", "http://here/", "").await.unwrap();
    let asked: Vec<String> = pretended
        .play
        .lock()
        .unwrap()
        .asked
        .iter()
        .filter(|line| line.starts_with("/token"))
        .cloned()
        .collect();
    assert_eq!(
        asked,
        [
            "/token Basic dytiOnMlM0Ex grant_type=authorization_code&code=c%26d&redirect_uri=http%3A%2F%2Fhere%2F&code_verifier=v",
            "/token Basic dytiOnMlM0Ex grant_type=refresh_token&refresh_token=r",
            "/token  grant_type=authorization_code&code=c&redirect_uri=http%3A%2F%2Fhere%2F&client_id=w+b",
        ]
    );
    let claims = provider.user_info(&format!("{}/me", pretended.issuer), "a").await.unwrap();
    assert!(matches!(claims, UserInfoAnswer::Claims(claims) if claims["groups"] == json!(["a"])));
    pretended.play.lock().unwrap().broken = "no";
    let error = provider.exchange(&client(), "c", "http://here/", "").await.unwrap_err();
    assert!(error.is_refusal());
    let text = error.to_string();
    assert!(text.contains("400 (invalid_grant)") && !text.contains(CANARY), "{text}");
}
