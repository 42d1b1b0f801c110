//! Tokens of all kinds, before a provider that signs with one key.

use super::{Audiences, Expected, IdTokenError, RequestedValue, verify_id_token};
use crate::oidc::KeySet;
use jiff::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const ISSUER: &str = "https://idp.example";

/// A key pair from a seed, as PKCS #8.
fn signer(algorithm: Algorithm, seed: u8) -> EncodingKey {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    };
    let with_seed = |prefix: &str| [hex(prefix), vec![seed; 32]].concat();
    match algorithm {
        Algorithm::EdDSA => EncodingKey::from_ed_der(&with_seed("302e020100300506032b657004220420")),
        _ => EncodingKey::from_ec_der(&with_seed(
            "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420",
        )),
    }
}

fn keys(entries: &[(&str, Algorithm, u8)]) -> KeySet {
    let keys: Vec<Value> = entries
        .iter()
        .map(|(id, algorithm, seed)| {
            let mut key = Jwk::from_encoding_key(&signer(*algorithm, *seed), *algorithm).unwrap();
            key.common.key_id = Some((*id).to_owned());
            serde_json::to_value(key).unwrap()
        })
        .chain([json!({"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}), json!({"kty": "new"}), json!(1)])
        .collect();
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

fn token(algorithm: Algorithm, seed: u8, id: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(algorithm) };
    encode(&header, claims, &signer(algorithm, seed)).unwrap()
}

fn claims(changes: &Value) -> Value {
    let mut claims = json!({"iss": ISSUER, "sub": "jane", "aud": "web", "exp": 2000, "iat": 1000});
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn expected<'a>(algorithms: &'a [String], allowed: &'a [String]) -> Expected<'a> {
    let audiences = Audiences { allowed, may_be_missing: false };
    Expected { issuer: ISSUER, algorithms, audiences, nonce: None, essential: None }
}

fn verified(changes: &Value, adjust: impl FnOnce(&mut Expected<'_>)) -> Result<String, IdTokenError> {
    let (algorithms, allowed) = (["ES256".to_owned()], ["web".to_owned(), "cli".to_owned()]);
    let mut expected = expected(&algorithms, &allowed);
    adjust(&mut expected);
    let token = token(Algorithm::ES256, 7, Some("a"), &claims(changes));
    let keys = keys(&[("a", Algorithm::ES256, 7)]);
    let now = Timestamp::from_second(1500).unwrap();
    verify_id_token(&token, &keys, &expected, now).map(|claims| claims.identifier().to_owned())
}

fn same(changes: &Value) -> Result<String, IdTokenError> {
    verified(changes, |_| {})
}

#[test]
fn the_right_key_signs_and_no_other() {
    let (algorithms, allowed) = (["ES256".to_owned(), "EdDSA".to_owned()], ["web".to_owned()]);
    let expected = expected(&algorithms, &allowed);
    let keys = keys(&[("a", Algorithm::ES256, 7), ("b", Algorithm::EdDSA, 8)]);
    let now = Timestamp::from_second(1500).unwrap();
    let verify = |algorithm, seed, id: Option<&str>| {
        verify_id_token(&token(algorithm, seed, id, &claims(&json!({}))), &keys, &expected, now).map(|_| ())
    };
    assert_eq!(verify(Algorithm::ES256, 7, Some("a")), Ok(()));
    assert_eq!(verify(Algorithm::EdDSA, 8, Some("b")), Ok(()));
    assert_eq!(verify(Algorithm::ES256, 7, None), Ok(()));
    for (algorithm, seed, id) in [
        (Algorithm::ES256, 9, Some("a")),
        (Algorithm::ES256, 7, Some("b")),
        (Algorithm::ES256, 7, Some("new")),
        (Algorithm::EdDSA, 8, Some("a")),
        (Algorithm::EdDSA, 9, None),
    ] {
        assert_eq!(verify(algorithm, seed, id), Err(IdTokenError::Signature), "{id:?}");
    }
}

#[test]
fn cve_2022_29165_tokens_nobody_signed_and_shared_secrets_are_refused() {
    let (algorithms, allowed) = (["ES256", "HS256", "none"].map(str::to_owned), ["web".to_owned()]);
    let expected = expected(&algorithms, &allowed);
    let keys = keys(&[("a", Algorithm::ES256, 7)]);
    assert_eq!(keys.len(), 1, "only public keys are taken");
    let now = Timestamp::from_second(1500).unwrap();
    let refused = |token: &str| verify_id_token(token, &keys, &expected, now).unwrap_err();
    let good = token(Algorithm::ES256, 7, Some("a"), &claims(&json!({})));
    let parts: Vec<&str> = good.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    assert_eq!(refused(&format!("{none}.{}.", parts[1])), IdTokenError::Algorithm);
    // Signed with what everybody can read: the public key's bytes, or a shared key of the set.
    for secret in [&b"secret"[..], parts[0].as_bytes()] {
        let header = Header { kid: Some("shared".into()), ..Header::new(Algorithm::HS256) };
        let forged = encode(&header, &claims(&json!({})), &EncodingKey::from_secret(secret)).unwrap();
        assert_eq!(refused(&forged), IdTokenError::Algorithm);
    }
    let other = token(Algorithm::ES256, 7, Some("a"), &claims(&json!({"sub": "admin"})));
    let swapped = format!("{}.{}.{}", parts[0], other.split('.').nth(1).unwrap(), parts[2]);
    assert_eq!(refused(&swapped), IdTokenError::Signature);
    let not_named = Expected { algorithms: &["RS256".to_owned()], ..expected };
    assert_eq!(verify_id_token(&good, &keys, &not_named, now), Err(IdTokenError::Algorithm));
    for text in ["", "a", "a.b.c", "..", "é.é.é", &format!("{good}.x"), &"a".repeat(200_000)] {
        assert!(verify_id_token(text, &keys, &expected, now).is_err());
    }
}

#[test]
fn cve_2023_22482_a_token_for_another_audience_is_refused() {
    assert_eq!(same(&json!({})).as_deref(), Ok("jane"));
    assert_eq!(same(&json!({"aud": ["x", "cli"]})).as_deref(), Ok("jane"));
    for aud in [json!("other"), json!(["x", "y"]), json!(["webx"])] {
        assert_eq!(same(&json!({"aud": aud})), Err(IdTokenError::Audience));
    }
    for aud in [json!(null), json!([])] {
        assert_eq!(same(&json!({"aud": aud})), Err(IdTokenError::NoAudience));
        let tolerant = verified(&json!({"aud": aud}), |expected| expected.audiences.may_be_missing = true);
        assert_eq!(tolerant.as_deref(), Ok("jane"));
    }
    // The exception is for tokens without audience, not for another one.
    let tolerant = verified(&json!({"aud": "other"}), |expected| expected.audiences.may_be_missing = true);
    assert_eq!(tolerant, Err(IdTokenError::Audience));
    assert_eq!(
        verified(&json!({"aud": ""}), |expected| expected.audiences.allowed = &[]),
        Err(IdTokenError::Audience)
    );
    assert!(matches!(same(&json!({"aud": 1})), Err(IdTokenError::Claims(_))));
}

#[test]
fn issuer_and_times_are_checked() {
    for issuer in [json!("https://evil.example"), json!("https://idp.example/"), json!(""), json!(null)] {
        assert_eq!(same(&json!({"iss": issuer})), Err(IdTokenError::Issuer));
    }
    let google = |issuer: &str| {
        verified(&json!({"iss": issuer}), |expected| expected.issuer = "https://accounts.google.com")
    };
    assert!(google("accounts.google.com").is_ok() && google("accounts.google.evil").is_err());
    assert_eq!(same(&json!({"exp": 1500})), Err(IdTokenError::Expired));
    assert_eq!(same(&json!({"exp": 1501})).as_deref(), Ok("jane"));
    assert!(matches!(same(&json!({"exp": null})), Err(IdTokenError::Claims(_))));
    assert_eq!(same(&json!({"nbf": 1800})).as_deref(), Ok("jane"));
    assert_eq!(same(&json!({"nbf": 1801})), Err(IdTokenError::NotYet));
}

#[test]
fn cve_2026_23990_a_token_that_names_nobody_is_nobody() {
    for sub in [json!(""), json!(null), json!(5), json!(["admin"])] {
        assert!(matches!(same(&json!({"sub": sub})), Err(IdTokenError::Claims(_))));
    }
    for sub in ["proj:default:ci", "role:admin"] {
        assert!(matches!(same(&json!({"sub": sub})), Err(IdTokenError::Claims(_))), "{sub}");
        let federated = json!({"federated_claims": {"user_id": sub}});
        assert!(matches!(same(&federated), Err(IdTokenError::Claims(_))), "{sub}");
    }
}

#[test]
fn a_login_gets_its_own_token_with_the_values_it_asked_for() {
    let nonce =
        |wanted: &'static str, claims: Value| verified(&claims, |expected| expected.nonce = Some(wanted));
    assert!(nonce("n", json!({"nonce": "n"})).is_ok());
    assert_eq!(nonce("n", json!({"nonce": "m"})), Err(IdTokenError::Nonce));
    assert_eq!(nonce("n", json!({})), Err(IdTokenError::Nonce));
    assert_eq!(nonce("", json!({"nonce": ""})), Err(IdTokenError::Nonce));
    static ESSENTIAL: LazyLock<BTreeMap<String, RequestedValue>> = LazyLock::new(|| {
        let acr = RequestedValue { values: vec!["mfa".into(), "key".into()] };
        [("acr".to_owned(), acr), ("groups".to_owned(), RequestedValue::default())].into()
    });
    let asked = |claims: Value| verified(&claims, |expected| expected.essential = Some(&ESSENTIAL));
    assert!(asked(json!({"acr": "mfa"})).is_ok() && asked(json!({"acr": ["x", "key"]})).is_ok());
    assert!(matches!(asked(json!({"acr": "password"})), Err(IdTokenError::Claims(_))));
    assert!(matches!(asked(json!({})), Err(IdTokenError::Claims(_))));
}

proptest::proptest! {
    #[test]
    fn no_text_is_a_token_and_none_panics(text in "\\PC{0,80}|[a-zA-Z0-9_-]{0,60}\\.[a-zA-Z0-9_-]{0,60}\\.[a-zA-Z0-9_-]{0,60}") {
        let (algorithms, allowed) = (["ES256".to_owned()], ["web".to_owned()]);
        let now = Timestamp::from_second(1500).unwrap();
        let outcome = verify_id_token(&text, &KeySet::default(), &expected(&algorithms, &allowed), now);
        proptest::prop_assert!(outcome.is_err());
        crate::oidc::unverified_issuer(&text);
    }
}
