//! Bitbucket Cloud. Its payload names no files and no default branch, so every push may be one of everything.

use object::Secret;
use serde::Deserialize;

use super::{body, decode, lenient, push, require_post};
use crate::event::{Event, Provider, RefChange};
use crate::request::{Refusal, Request};
use crate::secrets::{is_secret, is_set};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    push: Changes,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    links: Links,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Links {
    #[serde(deserialize_with = "lenient")]
    html: Link,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Link {
    #[serde(deserialize_with = "lenient")]
    href: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Changes {
    #[serde(deserialize_with = "lenient")]
    changes: Vec<Change>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Change {
    #[serde(deserialize_with = "lenient")]
    new: Reference,
    #[serde(deserialize_with = "lenient")]
    old: Reference,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    target: Target,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Target {
    #[serde(deserialize_with = "lenient")]
    hash: String,
}

pub(crate) fn read(request: &Request<'_>, uuid: &Secret<String>) -> Result<Event, Refusal> {
    require_post(request)?;
    let event = request.header("X-Event-Key");
    if event.is_empty() {
        return Err(Refusal::MissingHeader("X-Event-Key"));
    }
    if is_set(uuid) && !is_secret(request.header("X-Hook-UUID"), uuid) {
        return Err(Refusal::Unproven("UUID verification failed"));
    }
    if event != "repo:push" {
        return Err(Refusal::Event);
    }
    let payload: Payload = decode(body(request)?)?;
    let changes = payload.push.changes.into_iter().map(ref_change).collect();
    Ok(push(Provider::Bitbucket, vec![payload.repository.links.html.href], changes))
}

fn ref_change(change: Change) -> RefChange {
    let (new, old) = (change.new, change.old);
    // A deleted branch has no new side.
    let revision = if new.name.is_empty() { old.name } else { new.name };
    RefChange { revision, before: old.target.hash, after: new.target.hash, touched_head: true, files: None }
}
