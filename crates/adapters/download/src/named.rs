//! What a source names by an address: values files, and resources of kustomizations.

use crate::{Access, Ask, Client, DownloadError, shown};
use base64::Engine as _;
use std::time::Duration;
use url::Url;

const TIMEOUT: Duration = Duration::from_secs(60);
const LARGEST: u64 = 10 << 20;

/// The content of the file at an address. A user in the address is the source's own, for its host alone.
pub async fn named(address: &str, access: Access) -> Result<Vec<u8>, DownloadError> {
    let url = Url::parse(address).map_err(|error| DownloadError::InvalidAddress {
        // What is no address may still hold a password.
        address: address.rsplit('@').next().unwrap_or_default().to_owned(),
        reason: error.to_string(),
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        let reason = format!("nothing is fetched by {}", url.scheme());
        return Err(DownloadError::InvalidAddress { address: shown(&url), reason });
    }
    let client = Client::new(access, TIMEOUT)?;
    let authorization = (!url.username().is_empty()).then(|| basic(&url).into());
    client.get(Ask { authorization, ..Ask::new(&url) }, LARGEST).await.map(Vec::from)
}

/// The user and password an address holds, as a header.
fn basic(url: &Url) -> String {
    let decoded = |part: &str| {
        let pair = format!("x={}", part.replace('+', "%2B"));
        let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
        pairs.next().map_or_else(String::new, |(_, value)| value.into_owned())
    };
    let pair = format!("{}:{}", decoded(url.username()), decoded(url.password().unwrap_or_default()));
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
}
