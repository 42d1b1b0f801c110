//! Docker Hub. Its webhooks cannot sign: the address they are sent to ends in `?type=dockerhub&secret=…`.

use object::Secret;
use serde::Deserialize;

use super::{decode, ignored, lenient, malformed};
use crate::event::{Event, Provider, RegistryPush};
use crate::request::{Refusal, Request};
use crate::secrets::is_secret;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    push_data: PushData,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    namespace: String,
    #[serde(deserialize_with = "lenient")]
    repo_name: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PushData {
    #[serde(deserialize_with = "lenient")]
    tag: String,
}

pub(crate) fn read(request: &Request<'_>, secret: &Secret<String>) -> Result<Event, Refusal> {
    super::require_post(request)?;
    let header = request.header("Authorization");
    let sent = if header.is_empty() { request.parameter("secret") } else { header.to_owned() };
    if !is_secret(&sent, secret) {
        return Err(Refusal::UnprovenRegistry(
            "secret verification failed: invalid DockerHub webhook secret",
        ));
    }
    let body = request.body.ok_or_else(|| malformed("the payload is too large"))?;
    let payload: Payload = decode(body)?;
    let tag = payload.push_data.tag;
    let Some(repository) = payload.repository.path().filter(|_| !tag.is_empty()) else {
        return Ok(ignored("no repository or no tag"));
    };
    let registry = "docker.io".to_owned();
    Ok(Event::Registry(vec![RegistryPush { provider: Provider::DockerHub, registry, repository, tag }]))
}

impl Repository {
    /// Official images come without a namespace and live under `library`.
    fn path(self) -> Option<String> {
        let path = match (self.repo_name, self.namespace, self.name) {
            (full, _, _) if !full.is_empty() => full,
            (_, _, name) if name.is_empty() => return None,
            (_, namespace, name) if namespace.is_empty() => name,
            (_, namespace, name) => format!("{namespace}/{name}"),
        };
        Some(if path.contains('/') { path } else { format!("library/{path}") })
    }
}
