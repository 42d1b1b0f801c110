//! JSON Web Tokens as Argo CD signs them: HS256 with `server.secretkey`, issuer `argocd`.

use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// Issuer of every token that is ours.
pub const ISSUER: &str = "argocd";

/// What a longer token than this says is not looked at.
const LONGEST: usize = 64 * 1024;
/// How far clocks may differ.
const LEEWAY_SECONDS: i64 = 60;

/// What a token says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// Who issued it: [`ISSUER`].
    pub iss: String,
    /// Whom it speaks for: see [`Subject`].
    pub sub: String,
    /// Expires, in Unix seconds; never when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// Not valid before, in Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nbf: Option<i64>,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// The token's own id.
    pub jti: String,
    /// Groups, in tokens that carry them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// Whom a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A local account that logged in: `<name>:login`.
    Login(String),
    /// An API key of a local account: `<name>:apiKey`, and in old tokens the bare name.
    ApiKey(String),
    /// A role of a project: `proj:<project>:<role>`.
    Project {
        /// The project.
        project: String,
        /// The role.
        role: String,
    },
    /// Somebody an identity provider knows.
    Federated {
        /// Whom policies call them.
        id: String,
        /// Whom people call them.
        shown: String,
    },
}

impl Subject {
    /// Reads the `sub` claim.
    pub fn parse(sub: &str) -> Self {
        if let Some((project, role)) = sub.strip_prefix("proj:").and_then(|rest| rest.split_once(':')) {
            return Self::Project { project: project.to_owned(), role: role.to_owned() };
        }
        match sub.rsplit_once(':') {
            Some((name, "login")) => Self::Login(name.to_owned()),
            Some((name, "apiKey")) => Self::ApiKey(name.to_owned()),
            _ => Self::ApiKey(sub.to_owned()),
        }
    }

    /// The name that policies speak of.
    pub fn name(&self) -> String {
        match self {
            Self::Login(name) | Self::ApiKey(name) => name.clone(),
            Self::Project { project, role } => format!("proj:{project}:{role}"),
            Self::Federated { id, .. } => id.clone(),
        }
    }

    /// The name that people are shown.
    pub fn display_name(&self) -> String {
        match self {
            Self::Federated { shown, .. } => shown.clone(),
            _ => self.name(),
        }
    }
}

/// The `sub` claim.
impl std::fmt::Display for Subject {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Login(name) => write!(formatter, "{name}:login"),
            Self::ApiKey(name) => write!(formatter, "{name}:apiKey"),
            Self::Project { project, role } => write!(formatter, "proj:{project}:{role}"),
            Self::Federated { id, .. } => formatter.write_str(id),
        }
    }
}

/// Why a token is not accepted. The texts are for logs and for `invalid session: …`; none repeats the token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not three parts of base64, or a header that is no JSON.
    #[error("token is malformed: token contains an invalid number of segments")]
    Malformed,
    /// Signed by another key, by another algorithm, or by none.
    #[error("token signature is invalid: signature is invalid")]
    Signature,
    /// Signed in a way that is not HS256.
    #[error("token signature is invalid: unexpected signing method")]
    Algorithm,
    /// Issued by somebody else.
    #[error("token is issued by another issuer")]
    Issuer,
    /// Its time is over.
    #[error("token has invalid claims: token is expired")]
    Expired,
    /// Its time has not come.
    #[error("token has invalid claims: token is not valid yet")]
    NotYet,
    /// The claims are not what they should be.
    #[error("token has invalid claims: {0}")]
    Claims(String),
}

/// The key that signs tokens.
#[derive(Clone)]
pub struct TokenKey {
    sign: EncodingKey,
    verify: DecodingKey,
}

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("TokenKey")
    }
}

impl TokenKey {
    /// From `server.secretkey`.
    pub fn new(secret: &[u8]) -> Self {
        Self { sign: EncodingKey::from_secret(secret), verify: DecodingKey::from_secret(secret) }
    }

    /// A token for a subject. Without a lifetime it does not expire.
    pub fn issue(
        &self,
        subject: &Subject,
        id: &str,
        now: Timestamp,
        lifetime_seconds: Option<i64>,
    ) -> (String, Claims) {
        let issued = now.as_second();
        let claims = Claims {
            iss: ISSUER.into(),
            sub: subject.to_string(),
            exp: lifetime_seconds.filter(|seconds| *seconds > 0).map(|seconds| issued + seconds),
            nbf: Some(issued),
            iat: issued,
            jti: id.into(),
            groups: Vec::new(),
        };
        match encode(&Header::new(Algorithm::HS256), &claims, &self.sign) {
            Ok(token) => (token, claims),
            Err(_) => unreachable!("HS256 signs any claims that are JSON"),
        }
    }

    /// What a token says, if it is ours and its time is now.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Claims, TokenError> {
        if token.len() > LONGEST || token.split('.').count() != 3 {
            return Err(TokenError::Malformed);
        }
        // The header is only looked at to tell the two errors apart: HS256 is what is verified with.
        let header = decode_header(token).map_err(|error| explain_header(&error))?;
        if header.alg != Algorithm::HS256 {
            return Err(TokenError::Algorithm);
        }
        let claims =
            decode::<Claims>(token, &self.verify, &validation()).map_err(|error| explain(&error))?.claims;
        if claims.iss != ISSUER {
            return Err(TokenError::Issuer);
        }
        let seconds = now.as_second();
        if claims.exp.is_some_and(|expires| seconds >= expires) {
            return Err(TokenError::Expired);
        }
        if claims.nbf.is_some_and(|start| seconds.saturating_add(LEEWAY_SECONDS) < start) {
            return Err(TokenError::NotYet);
        }
        if claims.sub.is_empty() {
            // An empty subject must never read as "nobody in particular".
            return Err(TokenError::Claims("the subject is empty".into()));
        }
        Ok(claims)
    }
}

/// Only the signature: times are checked against the caller's clock.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims = HashSet::new();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

/// A header that is JSON and no header names an algorithm that nobody knows, such as `none`.
fn explain_header(error: &jsonwebtoken::errors::Error) -> TokenError {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::Json(error) if error.is_data() => TokenError::Algorithm,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => TokenError::Algorithm,
        _ => TokenError::Malformed,
    }
}

fn explain(error: &jsonwebtoken::errors::Error) -> TokenError {
    use jsonwebtoken::errors::ErrorKind;
    match error.kind() {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName => TokenError::Algorithm,
        ErrorKind::Json(_) => TokenError::Claims("they are not the expected JSON".into()),
        _ => TokenError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::{Claims, Subject, TokenError, TokenKey};
    use jiff::Timestamp;
    use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_token_says_what_was_signed_while_it_lasts() {
        let key = TokenKey::new(b"secret");
        let subject = Subject::Login("admin".into());
        let (token, claims) = key.issue(&subject, "id", at(1000), Some(60));
        assert_eq!(claims.sub, "admin:login");
        assert_eq!(key.verify(&token, at(1059)), Ok(claims));
        assert_eq!(key.verify(&token, at(1060)), Err(TokenError::Expired));
        assert_eq!(key.verify(&token, at(900)), Err(TokenError::NotYet));
        assert_eq!(TokenKey::new(b"other").verify(&token, at(1001)), Err(TokenError::Signature));
    }

    #[test]
    fn forged_tokens_are_refused() {
        let key = TokenKey::new(b"secret");
        let (token, _) = key.issue(&Subject::Login("bob".into()), "id", at(1000), None);
        let parts: Vec<&str> = token.split('.').collect();
        // CVE-2022-29165: a token nobody signed.
        let unsigned =
            "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJhcmdvY2QiLCJzdWIiOiJhZG1pbiIsImlhdCI6MX0.";
        assert_eq!(key.verify(unsigned, at(1000)), Err(TokenError::Algorithm));
        let (admin, _) = TokenKey::new(b"guess").issue(&Subject::Login("admin".into()), "id", at(1000), None);
        let swapped = format!("{}.{}.{}", parts[0], admin.split('.').nth(1).unwrap(), parts[2]);
        assert_eq!(key.verify(&swapped, at(1000)), Err(TokenError::Signature));
        let other =
            encode(&Header::new(Algorithm::HS512), &Claims::default(), &EncodingKey::from_secret(b"secret"));
        assert_eq!(key.verify(&other.unwrap(), at(1000)), Err(TokenError::Algorithm));
        for text in ["", "a", "a.b", "a.b.c", "..", "a.b.c.d", "é.é.é"] {
            assert_eq!(key.verify(text, at(1000)), Err(TokenError::Malformed), "{text}");
        }
        let nobody = Claims { iss: "argocd".into(), ..Claims::default() };
        let token =
            encode(&Header::new(Algorithm::HS256), &nobody, &EncodingKey::from_secret(b"secret")).unwrap();
        assert!(matches!(key.verify(&token, at(1)), Err(TokenError::Claims(_))));
        let foreign = Claims { iss: "https://idp".into(), sub: "admin".into(), ..Claims::default() };
        let token =
            encode(&Header::new(Algorithm::HS256), &foreign, &EncodingKey::from_secret(b"secret")).unwrap();
        assert_eq!(key.verify(&token, at(1)), Err(TokenError::Issuer));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_a_token_and_none_panics(text in "\\PC{0,80}|[a-zA-Z0-9_-]{0,40}\\.[a-zA-Z0-9_-]{0,40}\\.[a-zA-Z0-9_-]{0,40}") {
            proptest::prop_assert!(TokenKey::new(b"secret").verify(&text, at(1)).is_err());
        }
    }

    #[test]
    fn subjects_read_as_they_are_written() {
        for text in ["admin:login", "alice:apiKey", "proj:team-a:ci"] {
            assert_eq!(Subject::parse(text).to_string(), text);
        }
        assert_eq!(Subject::parse("admin"), Subject::ApiKey("admin".into()));
        assert_eq!(Subject::parse("proj:team-a:ci").name(), "proj:team-a:ci");
    }
}
