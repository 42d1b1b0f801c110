//! Bitbucket Server and Data Center. Its payload names no files and no default branch either.

use object::Secret;
use serde::Deserialize;
use serde_json::Value;

use super::{body, decode, ignored, is_fork, lenient, push, require_post};
use crate::event::{Event, Provider, PullRequest, RefChange};
use crate::request::{Audience, Refusal, Request};
use crate::revision::short_name;
use crate::secrets::check_signature;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    changes: Vec<Change>,
    #[serde(rename = "pullRequest", deserialize_with = "lenient")]
    pull_request: Pull,
    /// Of a modified request: the branch it was meant for.
    #[serde(rename = "previousTarget", deserialize_with = "lenient")]
    previous_target: Side,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Pull {
    #[serde(deserialize_with = "lenient")]
    id: u64,
    #[serde(deserialize_with = "lenient")]
    from_ref: Side,
    #[serde(deserialize_with = "lenient")]
    to_ref: Side,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Side {
    #[serde(deserialize_with = "lenient")]
    id: String,
    #[serde(deserialize_with = "lenient")]
    latest_commit: String,
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Project {
    #[serde(deserialize_with = "lenient")]
    key: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    id: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    slug: String,
    #[serde(deserialize_with = "lenient")]
    project: Project,
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

pub(crate) fn read(
    request: &Request<'_>,
    secret: &Secret<String>,
    audience: Audience,
) -> Result<Event, Refusal> {
    require_post(request)?;
    let event = request.header("X-Event-Key");
    match event {
        "diagnostics:ping" => return Ok(ignored("a ping")),
        "repo:refs_changed" => {}
        "pr:opened" | "pr:from_ref_updated" | "pr:modified" if audience.takes_pull_requests() => {}
        _ => return Err(Refusal::Event),
    }
    let body = body(request)?;
    check_signature(request, "X-Hub-Signature", "sha256=", body, secret)?;
    let payload: Payload = decode(body)?;
    if event != "repo:refs_changed" {
        return Ok(pull_request_event(payload, event));
    }
    let changes = payload.changes.into_iter().map(ref_change).collect();
    Ok(push(Provider::BitbucketServer, clone_urls(&payload.repository.links.clone), changes))
}

fn pull_request_event(payload: Payload, event: &str) -> Event {
    let Pull { id, from_ref, to_ref } = payload.pull_request;
    let repository = to_ref.repository;
    let web_urls = clone_urls(&repository.links.clone);
    Event::PullRequest(PullRequest {
        provider: Provider::BitbucketServer,
        action: event.to_owned(),
        number: id,
        address: web_urls.first().cloned().unwrap_or_default(),
        owner: repository.project.key,
        repository: repository.slug,
        project_id: None,
        source_branch: short_name(&from_ref.id).to_owned(),
        target_branch: short_name(&to_ref.id).to_owned(),
        head: from_ref.latest_commit,
        web_urls,
        fork: is_fork(&from_ref.repository.id, &repository.id),
        // The default branch is not told.
        for_head: true,
        moved: event != "pr:modified" || payload.previous_target.id != to_ref.id,
    })
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
