//! What a provider says of itself at `/.well-known/openid-configuration`.

use serde::Deserialize;
use url::Url;

/// Why a document is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    /// Not the expected JSON.
    #[error("the provider's configuration is not the expected JSON: {0}")]
    Malformed(String),
    /// It is of somebody else.
    #[error(
        "the provider calls itself {found:?}, and oidc.config calls it {expected:?}: both must be spelt alike"
    )]
    Issuer {
        /// What the document says.
        found: String,
        /// What the settings say.
        expected: String,
    },
    /// An endpoint cannot be used.
    #[error("the provider's {name} {address:?}: {reason}")]
    Endpoint {
        /// Its name in the document.
        name: &'static str,
        /// Where it is said to be.
        address: String,
        /// What is wrong with that.
        reason: &'static str,
    },
    /// It does not offer the one flow that is supported.
    #[error("the provider does not offer the authorization code flow (response type \"code\")")]
    NoCodeFlow,
}

/// A provider's configuration, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The issuer in its tokens.
    pub issuer: String,
    /// Where a browser logs in.
    pub authorization_endpoint: Url,
    /// Where codes become tokens.
    pub token_endpoint: Url,
    /// Where its keys are.
    pub jwks_uri: Url,
    /// Algorithms it signs tokens with.
    pub algorithms: Vec<String>,
    /// Whether it binds codes to who asked for them.
    pub pkce: bool,
    /// Whether the client's secret goes into the request's body.
    pub secret_in_body: bool,
    /// The scopes it knows; none when it does not say.
    pub scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    response_types_supported: Vec<String>,
    #[serde(default)]
    id_token_signing_alg_values_supported: Vec<String>,
    #[serde(default)]
    code_challenge_methods_supported: Vec<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Vec<String>,
    #[serde(default)]
    scopes_supported: Vec<String>,
}

impl Discovery {
    /// Where the document of an issuer is.
    pub fn address(issuer: &str) -> String {
        format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'))
    }

    /// Reads the document of an issuer. Endpoints may be without TLS only where the issuer is.
    pub fn parse(document: &[u8], issuer: &str) -> Result<Self, DiscoveryError> {
        let document: Document =
            serde_json::from_slice(document).map_err(|error| DiscoveryError::Malformed(error.to_string()))?;
        if document.issuer != issuer {
            return Err(DiscoveryError::Issuer { found: document.issuer, expected: issuer.to_owned() });
        }
        let plain = issuer.starts_with("http://");
        let types = &document.response_types_supported;
        if !types.is_empty() && !types.iter().any(|kind| kind == "code") {
            return Err(DiscoveryError::NoCodeFlow);
        }
        let methods = &document.token_endpoint_auth_methods_supported;
        let knows = |method: &str| methods.iter().any(|known| known == method);
        Ok(Self {
            authorization_endpoint: endpoint(
                "authorization_endpoint",
                document.authorization_endpoint,
                plain,
            )?,
            token_endpoint: endpoint("token_endpoint", document.token_endpoint, plain)?,
            jwks_uri: endpoint("jwks_uri", document.jwks_uri, plain)?,
            issuer: document.issuer,
            algorithms: document.id_token_signing_alg_values_supported,
            pkce: document.code_challenge_methods_supported.iter().any(|method| method == "S256"),
            secret_in_body: !knows("client_secret_basic") && knows("client_secret_post"),
            scopes: document.scopes_supported,
        })
    }
}

fn endpoint(name: &'static str, address: String, plain: bool) -> Result<Url, DiscoveryError> {
    let refused = |address: String, reason| Err(DiscoveryError::Endpoint { name, address, reason });
    match Url::parse(&address) {
        Ok(url) if url.scheme() == "https" || (plain && url.scheme() == "http") => Ok(url),
        Ok(url) if url.scheme() == "http" => refused(address, "is not encrypted, and the issuer is"),
        _ => refused(address, "is not an http or https address"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Discovery, DiscoveryError};
    use serde_json::{Value, json};

    fn document(changes: &Value) -> Vec<u8> {
        let mut document = json!({
            "issuer": "https://idp.example", "authorization_endpoint": "https://idp.example/auth",
            "token_endpoint": "https://idp.example/token", "jwks_uri": "https://keys.example/keys",
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256", "plain"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        document.to_string().into_bytes()
    }

    #[test]
    fn a_provider_is_believed_about_itself_only() {
        let read = |changes: Value| Discovery::parse(&document(&changes), "https://idp.example");
        let found = read(json!({})).unwrap();
        assert!(found.pkce && found.secret_in_body);
        assert!(matches!(
            read(json!({"issuer": "https://idp.example/"})),
            Err(DiscoveryError::Issuer { .. })
        ));
        assert_eq!(read(json!({"response_types_supported": ["id_token"]})), Err(DiscoveryError::NoCodeFlow));
        for (name, address) in [
            ("token_endpoint", "http://idp.example/token"),
            ("jwks_uri", "file:///etc/passwd"),
            ("authorization_endpoint", "javascript:alert(1)"),
        ] {
            assert!(matches!(read(json!({name: address})), Err(DiscoveryError::Endpoint { .. })), "{name}");
        }
        assert!(matches!(Discovery::parse(b"<html>", "x"), Err(DiscoveryError::Malformed(_))));
        let plain = json!({"issuer": "http://idp", "token_endpoint": "http://idp/token"});
        assert!(Discovery::parse(&document(&plain), "http://idp").is_ok());
    }
}
