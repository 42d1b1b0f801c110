//! Whether a provider's token is believed: signature, issuer, audience, times.

use super::claims::FederatedClaims;
use super::keys::KeySet;
use jiff::Timestamp;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashSet};

/// A longer token is not looked at.
const LONGEST: usize = 96 * 1024;
/// How far the provider's clock may be ahead.
const AHEAD_SECONDS: i64 = 300;
/// What may sign a token. No secret that both sides share is among them, and never "none".
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::EdDSA,
];
/// Subjects that mean something else in policies: nobody may come with one from outside.
const RESERVED: [&str; 2] = ["proj:", "role:"];

/// Why a token is not believed. No text repeats the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdTokenError {
    /// Not a token.
    #[error("token is malformed")]
    Malformed,
    /// Signed with something that is not allowed, or that the provider does not use.
    #[error("token is signed with an algorithm that is not accepted")]
    Algorithm,
    /// No key that is known has signed it. The provider may have new ones.
    #[error("failed to verify signature: no known key of the provider has signed the token")]
    Signature,
    /// Issued by somebody else.
    #[error("token is issued by another issuer")]
    Issuer,
    /// For somebody else.
    #[error("token is for another audience")]
    Audience,
    /// For nobody in particular.
    #[error("token has no audience")]
    NoAudience,
    /// Its time is over.
    #[error("token is expired")]
    Expired,
    /// Its time has not come.
    #[error("token is not valid yet")]
    NotYet,
    /// It answers another login.
    #[error("token does not belong to this login (nonce)")]
    Nonce,
    /// A claim is missing or is not what it should be.
    #[error("token has invalid claims: {0}")]
    Claims(String),
}

/// For whom tokens may be.
#[derive(Clone, Copy, Debug)]
pub struct Audiences<'a> {
    /// One of these must be named.
    pub allowed: &'a [String],
    /// Unless the token names nobody, and that is enough.
    pub may_be_missing: bool,
}

/// What a claim that was asked for must be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestedValue {
    /// One of these; none for anything.
    pub values: Vec<String>,
}

/// What a token must be like.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer.
    pub issuer: &'a str,
    /// Algorithms the provider says it uses; none when it does not say.
    pub algorithms: &'a [String],
    /// For whom it may be.
    pub audiences: Audiences<'a>,
    /// The nonce of the login it answers, where it answers one.
    pub nonce: Option<&'a str>,
    /// Claims without which the login it answers makes no sense, and their values.
    pub essential: Option<&'a BTreeMap<String, RequestedValue>>,
}

/// What a token says, when it is believed.
pub fn verify_id_token(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<FederatedClaims, IdTokenError> {
    if token.len() > LONGEST || token.split('.').count() != 3 {
        return Err(IdTokenError::Malformed);
    }
    let header = decode_header(token).map_err(|error| match error.kind() {
        ErrorKind::Json(_) => IdTokenError::Algorithm,
        _ => IdTokenError::Malformed,
    })?;
    if !is_accepted(header.alg, expected.algorithms) {
        return Err(IdTokenError::Algorithm);
    }
    let claims = signed_claims(token, keys, header.kid.as_deref(), header.alg)?;
    let claims = FederatedClaims(claims);
    check_issuer(&claims, expected.issuer)?;
    check_audience(&claims, expected.audiences)?;
    check_times(&claims, now)?;
    check_subject(&claims)?;
    if expected.nonce.is_some_and(|nonce| nonce.is_empty() || claims.text("nonce") != nonce) {
        return Err(IdTokenError::Nonce);
    }
    if let Some(essential) = expected.essential {
        check_essential(&claims, essential)?;
    }
    Ok(claims)
}

/// Without a list of the provider's own, `RS256` is what every provider must have.
fn is_accepted(algorithm: Algorithm, named: &[String]) -> bool {
    if !ALGORITHMS.contains(&algorithm) {
        return false;
    }
    let named: Vec<Algorithm> = named.iter().filter_map(|name| name.parse().ok()).collect();
    if named.iter().any(|known| ALGORITHMS.contains(known)) {
        named.contains(&algorithm)
    } else {
        algorithm == Algorithm::RS256
    }
}

fn signed_claims(
    token: &str,
    keys: &KeySet,
    id: Option<&str>,
    algorithm: Algorithm,
) -> Result<Map<String, Value>, IdTokenError> {
    // Times, issuer and audience are checked here, against the caller's clock.
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    for key in keys.candidates(id, algorithm) {
        match decode::<Map<String, Value>>(token, key, &validation) {
            Ok(data) => return Ok(data.claims),
            Err(error) if matches!(error.kind(), ErrorKind::Json(_)) => {
                return Err(IdTokenError::Claims("they are not a JSON object".into()));
            }
            Err(_) => {}
        }
    }
    Err(IdTokenError::Signature)
}

fn check_issuer(claims: &FederatedClaims, issuer: &str) -> Result<(), IdTokenError> {
    let found = claims.text("iss");
    // Google's tokens leave the scheme out.
    let google = issuer == "https://accounts.google.com" && found == "accounts.google.com";
    if !found.is_empty() && (found == issuer || google) { Ok(()) } else { Err(IdTokenError::Issuer) }
}

fn check_audience(claims: &FederatedClaims, audiences: Audiences<'_>) -> Result<(), IdTokenError> {
    let named: Vec<&str> = match claims.get("aud") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        Some(_) => return Err(IdTokenError::Claims("aud is neither text nor a list".into())),
    };
    if named.is_empty() {
        return if audiences.may_be_missing { Ok(()) } else { Err(IdTokenError::NoAudience) };
    }
    let ours =
        audiences.allowed.iter().any(|allowed| !allowed.is_empty() && named.contains(&allowed.as_str()));
    if ours { Ok(()) } else { Err(IdTokenError::Audience) }
}

fn check_times(claims: &FederatedClaims, now: Timestamp) -> Result<(), IdTokenError> {
    let now = now.as_second();
    let expires = claims.seconds("exp").ok_or_else(|| IdTokenError::Claims("exp is missing".into()))?;
    if now >= expires {
        return Err(IdTokenError::Expired);
    }
    if claims.seconds("nbf").is_some_and(|start| now.saturating_add(AHEAD_SECONDS) < start) {
        return Err(IdTokenError::NotYet);
    }
    Ok(())
}

/// Somebody must be meant: a token that names nobody must never pass for the server itself or for a role.
fn check_subject(claims: &FederatedClaims) -> Result<(), IdTokenError> {
    if claims.text("sub").is_empty() {
        return Err(IdTokenError::Claims("the subject is empty".into()));
    }
    let reserved = |text: &str| RESERVED.iter().any(|prefix| text.starts_with(prefix));
    if reserved(claims.identifier()) {
        return Err(IdTokenError::Claims("the subject reads as a role".into()));
    }
    Ok(())
}

fn check_essential(
    claims: &FederatedClaims,
    essential: &BTreeMap<String, RequestedValue>,
) -> Result<(), IdTokenError> {
    for (name, wanted) in essential.iter().filter(|(_, wanted)| !wanted.values.is_empty()) {
        let has =
            |value: &Value| value.as_str().is_some_and(|text| wanted.values.iter().any(|one| one == text));
        let fits = match claims.get(name) {
            Some(Value::Array(many)) => many.iter().any(has),
            Some(value) => has(value),
            None => false,
        };
        if !fits {
            return Err(IdTokenError::Claims(format!("the essential claim {name} has no requested value")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
