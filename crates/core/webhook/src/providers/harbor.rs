//! Harbor. The `Authorization` header that recognised it is its proof.

use serde::Deserialize;

use super::{CHANGES, decode, ignored, lenient, malformed};
use crate::event::{Event, Provider, RegistryPush};
use crate::request::{Refusal, Request};
use crate::web_url::WebUrl;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(rename = "type", deserialize_with = "lenient")]
    kind: String,
    #[serde(deserialize_with = "lenient")]
    event_data: Data,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Data {
    #[serde(deserialize_with = "lenient")]
    resources: Vec<Resource>,
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Resource {
    #[serde(deserialize_with = "lenient")]
    tag: String,
    #[serde(deserialize_with = "lenient")]
    resource_url: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    namespace: String,
    #[serde(deserialize_with = "lenient")]
    repo_full_name: String,
}

pub(crate) fn read(request: &Request<'_>) -> Result<Event, Refusal> {
    let body = request.body.ok_or_else(|| malformed("the payload is too large"))?;
    let payload: Payload = decode(body)?;
    if payload.kind != "PUSH_ARTIFACT" {
        return Ok(ignored(&format!("an event of another kind: {:?}", payload.kind)));
    }
    let mut pushes = Vec::new();
    for resource in payload.event_data.resources.into_iter().take(CHANGES) {
        let Some(registry) = registry(&resource) else { continue };
        let repository = payload
            .event_data
            .repository
            .path()
            .ok_or_else(|| malformed("harbor webhook: repository name cannot be determined"))?;
        pushes.push(RegistryPush { provider: Provider::Harbor, registry, repository, tag: resource.tag });
    }
    if pushes.is_empty() { Ok(ignored("no artifact with a tag")) } else { Ok(Event::Registry(pushes)) }
}

/// The host of an artifact that has a tag and an address.
fn registry(resource: &Resource) -> Option<String> {
    if resource.tag.is_empty() || resource.resource_url.is_empty() {
        return None;
    }
    let address = &resource.resource_url;
    let address = if address.contains("://") { address.clone() } else { format!("oci://{address}") };
    let url = WebUrl::parse(&address).ok()?;
    (!url.host.is_empty() && !matches!(url.path.as_str(), "" | "/")).then_some(url.host)
}

impl Repository {
    fn path(&self) -> Option<String> {
        match (self.repo_full_name.as_str(), self.namespace.as_str(), self.name.as_str()) {
            ("", "", _) | ("", _, "") => None,
            ("", namespace, name) => Some(format!("{namespace}/{name}")),
            (full, _, _) => Some(full.to_owned()),
        }
    }
}
