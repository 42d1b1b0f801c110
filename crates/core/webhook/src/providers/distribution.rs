//! Registries with the notifications of CNCF distribution (`application/vnd.docker.distribution.events.v1+json`): a list of
//! events, proven by the `Authorization` header that the registry's endpoint is configured to send.

use object::Secret;
use serde::Deserialize;

use super::{CHANGES, body, decode, ignored, lenient, require_post};
use crate::event::{Event, Provider, RegistryPush};
use crate::request::{Refusal, Request};
use crate::secrets::is_secret;
use crate::web_url::WebUrl;

const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.docker.distribution.events.v1+json",
    "application/vnd.docker.distribution.events.v2+json",
];

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    events: Vec<Notification>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Notification {
    #[serde(deserialize_with = "lenient")]
    action: String,
    #[serde(deserialize_with = "lenient")]
    target: Target,
    #[serde(deserialize_with = "lenient")]
    request: Sender,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Target {
    #[serde(deserialize_with = "lenient")]
    repository: String,
    #[serde(deserialize_with = "lenient")]
    tag: String,
    #[serde(deserialize_with = "lenient")]
    url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sender {
    #[serde(deserialize_with = "lenient")]
    host: String,
}

/// Whether the body says of itself that it is such a list.
pub(crate) fn recognises(request: &Request<'_>) -> bool {
    let media_type = request.header("Content-Type").split(';').next().unwrap_or_default().trim();
    MEDIA_TYPES.iter().any(|known| known.eq_ignore_ascii_case(media_type))
}

pub(crate) fn read(request: &Request<'_>, secret: &Secret<String>) -> Result<Event, Refusal> {
    require_post(request)?;
    if !is_secret(request.header("Authorization"), secret) {
        return Err(Refusal::UnprovenRegistry("secret verification failed: Authorization header mismatch"));
    }
    let payload: Payload = decode(body(request)?)?;
    let pushes: Vec<_> = payload.events.into_iter().filter_map(registry_push).take(CHANGES).collect();
    if pushes.is_empty() { Ok(ignored("no artifact with a tag")) } else { Ok(Event::Registry(pushes)) }
}

fn registry_push(notification: Notification) -> Option<RegistryPush> {
    let target = notification.target;
    if notification.action != "push" || target.repository.is_empty() || target.tag.is_empty() {
        return None;
    }
    let address = WebUrl::parse(&target.url).map(|url| url.host).unwrap_or_default();
    let registry = if notification.request.host.is_empty() { address } else { notification.request.host };
    let provider = Provider::Distribution;
    (!registry.is_empty()).then_some(RegistryPush {
        provider,
        registry,
        repository: target.repository,
        tag: target.tag,
    })
}
