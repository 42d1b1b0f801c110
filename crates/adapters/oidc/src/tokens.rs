//! Codes and refresh tokens become tokens.

use crate::error::OidcError;
use crate::http;
use crate::provider::Provider;
use auth::oidc::Discovery;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object::Secret;
use serde::{Deserialize, Serialize};
use url::form_urlencoded::Serializer;

/// Who we are to the provider.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client's id.
    pub id: String,
    /// Its secret; empty for a public client.
    pub secret: Secret<String>,
    /// A signed statement that stands for the secret; empty without.
    pub assertion: Secret<String>,
}

/// What a provider gives.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Tokens {
    /// Says who somebody is; empty when the provider gave none.
    #[serde(default, with = "plain")]
    pub id_token: Secret<String>,
    /// Opens the provider's other doors.
    #[serde(default, with = "plain")]
    pub access_token: Secret<String>,
    /// Brings new tokens; empty when there is none.
    #[serde(default, with = "plain")]
    pub refresh_token: Secret<String>,
}

/// A secret on its way to or from a provider, or sealed into the cache.
mod plain {
    use object::Secret;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(secret: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
        Ok(Secret::new(Option::<String>::deserialize(from)?.unwrap_or_default()))
    }
}

impl Provider {
    /// Tokens for a code that came back from a login.
    pub async fn exchange(
        &self,
        client: &Client,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Tokens, OidcError> {
        let mut form =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        if !verifier.is_empty() {
            form.push(("code_verifier", verifier));
        }
        self.ask_for_tokens("exchange the code at", client, &form).await
    }

    /// Tokens for a refresh token. What does not come back anew stays as it is.
    pub async fn refresh(&self, client: &Client, refresh_token: &str) -> Result<Tokens, OidcError> {
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
        let mut tokens = self.ask_for_tokens("refresh the token at", client, &form).await?;
        if tokens.refresh_token.reveal().is_empty() {
            tokens.refresh_token = Secret::new(refresh_token.to_owned());
        }
        Ok(tokens)
    }

    async fn ask_for_tokens(
        &self,
        what: &'static str,
        client: &Client,
        form: &[(&str, &str)],
    ) -> Result<Tokens, OidcError> {
        let discovery = self.discovery().await?;
        let endpoint = self.reached(&discovery.token_endpoint);
        let header = header(client, &discovery);
        let body = body(form, client, header.is_some());
        let request = self.client.post(endpoint.clone()).header("accept", "application/json");
        let mut request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let (_, bytes) = http::answer(what, &endpoint, request).await?;
        serde_json::from_slice(&bytes).map_err(|_| OidcError::Malformed {
            what,
            address: http::shown(&endpoint),
            reason: "the answer is not the expected JSON".into(),
        })
    }
}

/// The form; who we are is in it unless a header says so.
fn body(form: &[(&str, &str)], client: &Client, in_header: bool) -> String {
    let mut body = Serializer::new(String::new());
    body.extend_pairs(form);
    if !in_header {
        body.append_pair("client_id", &client.id);
        if !client.assertion.reveal().is_empty() {
            let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            body.append_pair("client_assertion_type", kind);
            body.append_pair("client_assertion", client.assertion.reveal());
        } else if !client.secret.reveal().is_empty() {
            body.append_pair("client_secret", client.secret.reveal());
        }
    }
    body.finish()
}

/// The secret as a header, which is where providers want it unless they say otherwise.
fn header(client: &Client, discovery: &Discovery) -> Option<String> {
    let secret = client.secret.reveal();
    if secret.is_empty() || !client.assertion.reveal().is_empty() || discovery.secret_in_body {
        return None;
    }
    let escaped = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", escaped(&client.id), escaped(secret));
    Some(format!("Basic {}", STANDARD.encode(pair)))
}
