//! Bitbucket Cloud. Its payload names no files and no default branch, so every push may be one of everything.

use object::Secret;
use serde::Deserialize;

use super::{body, decode, is_fork, lenient, push, require_post};
use crate::event::{Event, Provider, PullRequest, RefChange};
use crate::request::{Audience, Refusal, Request};
use crate::secrets::{is_secret, is_set};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    push: Changes,
    #[serde(deserialize_with = "lenient")]
    pullrequest: Pull,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pull {
    #[serde(deserialize_with = "lenient")]
    id: u64,
    #[serde(deserialize_with = "lenient")]
    source: Side,
    #[serde(deserialize_with = "lenient")]
    destination: Side,
}

/// Of the branch and the commit a name and an abbreviated id are told.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Side {
    #[serde(deserialize_with = "lenient")]
    branch: Reference,
    #[serde(deserialize_with = "lenient")]
    commit: Target,
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    full_name: String,
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

pub(crate) fn read(
    request: &Request<'_>,
    uuid: &Secret<String>,
    audience: Audience,
) -> Result<Event, Refusal> {
    require_post(request)?;
    let event = request.header("X-Event-Key");
    if event.is_empty() {
        return Err(Refusal::MissingHeader("X-Event-Key"));
    }
    if is_set(uuid) && !is_secret(request.header("X-Hook-UUID"), uuid) {
        return Err(Refusal::Unproven("UUID verification failed"));
    }
    let pull =
        matches!(event, "pullrequest:created" | "pullrequest:updated") && audience.takes_pull_requests();
    if event != "repo:push" && !pull {
        return Err(Refusal::Event);
    }
    let payload: Payload = decode(body(request)?)?;
    if pull {
        return Ok(pull_request_event(payload, event));
    }
    let changes = payload.push.changes.into_iter().map(ref_change).collect();
    Ok(push(Provider::Bitbucket, vec![payload.repository.links.html.href], changes))
}

fn pull_request_event(payload: Payload, event: &str) -> Event {
    let (repository, pull) = (payload.repository, payload.pullrequest);
    let (owner, name) = repository.full_name.split_once('/').unwrap_or_default();
    Event::PullRequest(PullRequest {
        provider: Provider::Bitbucket,
        action: event.to_owned(),
        number: pull.id,
        owner: owner.to_owned(),
        repository: name.to_owned(),
        project_id: None,
        fork: is_fork(&pull.source.repository.full_name, &pull.destination.repository.full_name),
        // The default branch is not told.
        for_head: true,
        // Nor what of a request was updated.
        moved: true,
        source_branch: pull.source.branch.name,
        target_branch: pull.destination.branch.name,
        head: pull.source.commit.hash,
        web_urls: vec![repository.links.html.href.clone()],
        address: repository.links.html.href,
    })
}

fn ref_change(change: Change) -> RefChange {
    let (new, old) = (change.new, change.old);
    // A deleted branch has no new side.
    let revision = if new.name.is_empty() { old.name } else { new.name };
    RefChange { revision, before: old.target.hash, after: new.target.hash, touched_head: true, files: None }
}
