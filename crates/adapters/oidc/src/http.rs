//! One request and its answer, with limits.

use crate::error::OidcError;
use crate::provider::{Certificates, ProviderOptions};
use reqwest::{Client, RequestBuilder, Response};
use serde::Deserialize;
use std::time::Duration;
use url::Url;

/// The longest answer.
const LARGEST: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(15);
const CONNECT: Duration = Duration::from_secs(10);

/// A client that follows nobody elsewhere.
pub(crate) fn client(options: &ProviderOptions) -> Result<Client, OidcError> {
    // Installing twice is no failure: whoever was first chose the same provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let settings = |error: reqwest::Error| OidcError::Settings(error.without_url().to_string());
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("argocd-server/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .timeout(TIMEOUT);
    let builder = match &options.certificates {
        Certificates::OfTheSystem => builder,
        Certificates::SignedBy(pem) => {
            let authorities = reqwest::Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| OidcError::Settings(format!("rootCA: {error}")))?;
            if authorities.is_empty() {
                return Err(OidcError::Settings("rootCA: there is no certificate in the text".into()));
            }
            builder.tls_certs_only(authorities)
        }
        Certificates::NotVerified => builder.tls_danger_accept_invalid_certs(true),
    };
    builder.build().map_err(settings)
}

/// Addresses as they may be told: queries carry codes and tokens.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}{}", url.scheme(), url.host_str().unwrap_or_default(), url.path())
}

/// An answer that was good: its media type and bytes.
pub(crate) async fn answer(
    what: &'static str,
    url: &Url,
    request: RequestBuilder,
) -> Result<(String, Vec<u8>), OidcError> {
    let unreachable = |error: reqwest::Error| OidcError::Unreachable {
        what,
        address: shown(url),
        reason: explain(&error.without_url()),
    };
    let mut response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    let kind = media_type(&response);
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if bytes.len() + chunk.len() > LARGEST {
            let reason = format!("the answer is larger than {LARGEST} bytes");
            return Err(OidcError::Malformed { what, address: shown(url), reason });
        }
        bytes.extend_from_slice(&chunk);
    }
    if status.is_success() {
        return Ok((kind, bytes));
    }
    Err(OidcError::Refused { what, address: shown(url), status: status.as_u16(), code: code(&bytes) })
}

fn media_type(response: &Response) -> String {
    let kind = response.headers().get(reqwest::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The cause at the end of the chain is the one that helps.
fn explain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(default)]
    error: String,
}

/// The provider's code, when it looks like one.
fn code(bytes: &[u8]) -> String {
    let refusal = serde_json::from_slice::<Refusal>(bytes).ok();
    let is_code = |text: &String| {
        text.len() <= 64 && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
    };
    refusal.map(|refusal| refusal.error).filter(is_code).unwrap_or_default()
}
