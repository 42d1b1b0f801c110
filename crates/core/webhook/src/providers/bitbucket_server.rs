//! Bitbucket Server and Data Center. Its payload names no files and no default branch either.

use object::Secret;
use serde::Deserialize;
use serde_json::Value;

use super::{body, decode, ignored, lenient, push, require_post};
use crate::event::{Event, Provider, RefChange};
use crate::request::{Refusal, Request};
use crate::revision::short_name;
use crate::secrets::check_signature;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    changes: Vec<Change>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    links: Links,
}

/// Links of other kinds are not always lists, and not looked at.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Links {
    clone: Value,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Change {
    #[serde(deserialize_with = "lenient")]
    r#ref: Reference,
    #[serde(rename = "fromHash", deserialize_with = "lenient")]
    from_hash: String,
    #[serde(rename = "toHash", deserialize_with = "lenient")]
    to_hash: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Reference {
    #[serde(deserialize_with = "lenient")]
    id: String,
}

pub(crate) fn read(request: &Request<'_>, secret: &Secret<String>) -> Result<Event, Refusal> {
    require_post(request)?;
    match request.header("X-Event-Key") {
        "diagnostics:ping" => return Ok(ignored("a ping")),
        "repo:refs_changed" => {}
        _ => return Err(Refusal::Event),
    }
    let body = body(request)?;
    check_signature(request, "X-Hub-Signature", "sha256=", body, secret)?;
    let payload: Payload = decode(body)?;
    let changes = payload.changes.into_iter().map(ref_change).collect();
    Ok(push(Provider::BitbucketServer, clone_urls(&payload.repository.links.clone), changes))
}

fn clone_urls(links: &Value) -> Vec<String> {
    let links = links.as_array().map_or(&[][..], Vec::as_slice);
    links
        .iter()
        .filter(|link| matches!(link["name"].as_str(), Some("http" | "ssh")))
        .filter_map(|link| link["href"].as_str().map(str::to_owned))
        .collect()
}

fn ref_change(change: Change) -> RefChange {
    let revision = short_name(&change.r#ref.id).to_owned();
    RefChange { revision, before: change.from_hash, after: change.to_hash, touched_head: true, files: None }
}
