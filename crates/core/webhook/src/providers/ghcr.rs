//! GitHub's container registry: package events, signed as GitHub's other events are.

use object::Secret;
use serde::Deserialize;

use super::{decode, ignored, lenient, malformed};
use crate::event::{Event, Provider, RegistryPush};
use crate::request::{Refusal, Request};
use crate::secrets::{is_set, is_signed};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    action: String,
    #[serde(deserialize_with = "lenient")]
    package: Package,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Package {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    package_type: String,
    #[serde(deserialize_with = "lenient")]
    owner: Owner,
    #[serde(deserialize_with = "lenient")]
    package_version: Version,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    #[serde(deserialize_with = "lenient")]
    login: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Version {
    #[serde(deserialize_with = "lenient")]
    container_metadata: Container,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Container {
    #[serde(deserialize_with = "lenient")]
    tag: Tag,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tag {
    #[serde(deserialize_with = "lenient")]
    name: String,
}

pub(crate) fn read(request: &Request<'_>, secret: &Secret<String>) -> Result<Event, Refusal> {
    // The original answers its own way here: a body that is too large is one that cannot be read.
    let too_large = || malformed("the payload is too large");
    let body = request.body.ok_or_else(too_large)?;
    if is_set(secret) {
        let signature = request.header("X-Hub-Signature-256");
        if signature.is_empty() {
            return Err(Refusal::UnprovenRegistry(
                "HMAC verification failed: missing X-Hub-Signature-256 header",
            ));
        }
        if !signature.strip_prefix("sha256=").is_some_and(|it| is_signed(it, body, secret)) {
            return Err(Refusal::UnprovenRegistry("HMAC verification failed: signature mismatch"));
        }
    }
    let payload: Payload = decode(body)?;
    if payload.action != "published" {
        return Ok(ignored(&format!("a package event of another kind: {:?}", payload.action)));
    }
    let package = payload.package;
    if !package.package_type.eq_ignore_ascii_case("container") {
        return Ok(ignored(&format!("a package of another kind: {:?}", package.package_type)));
    }
    let tag = package.package_version.container_metadata.tag.name;
    if tag.is_empty() {
        return Ok(ignored("an artifact without a tag"));
    }
    let repository = format!("{}/{}", package.owner.login, package.name);
    let registry = "ghcr.io".to_owned();
    Ok(Event::Registry(vec![RegistryPush { provider: Provider::Ghcr, registry, repository, tag }]))
}
