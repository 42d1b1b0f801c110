//! Gogs, and with it Gitea and Forgejo, which send its headers and its payload beside their own.

use object::Secret;
use serde::Deserialize;

use super::{Commit, body, decode, files, is_fork, is_no_commit, lenient, push, require_post};
use crate::event::{Event, Provider, PullRequest, RefChange};
use crate::request::{Audience, Refusal, Request};
use crate::revision::short_name;
use crate::secrets::check_signature;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    r#ref: String,
    #[serde(deserialize_with = "lenient")]
    before: String,
    #[serde(deserialize_with = "lenient")]
    after: String,
    #[serde(deserialize_with = "lenient")]
    commits: Vec<Commit>,
    total_commits: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PullPayload {
    #[serde(deserialize_with = "lenient")]
    action: String,
    #[serde(deserialize_with = "lenient")]
    number: u64,
    #[serde(deserialize_with = "lenient")]
    pull_request: Pull,
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    changes: Changes,
}

/// Gogs tells branches and repositories by themselves, and no commit; Gitea and Forgejo tell sides.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Pull {
    #[serde(deserialize_with = "lenient")]
    head: Side,
    #[serde(deserialize_with = "lenient")]
    base: Side,
    #[serde(deserialize_with = "lenient")]
    head_branch: String,
    #[serde(deserialize_with = "lenient")]
    base_branch: String,
    #[serde(deserialize_with = "lenient")]
    head_repo: Repository,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Side {
    #[serde(deserialize_with = "lenient")]
    r#ref: String,
    #[serde(deserialize_with = "lenient")]
    sha: String,
    #[serde(deserialize_with = "lenient")]
    repo: Repository,
}

/// Of an edit: whether the branch it is meant for is another.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Changes {
    r#ref: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    #[serde(deserialize_with = "lenient")]
    login: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    full_name: String,
    #[serde(deserialize_with = "lenient")]
    owner: Owner,
    #[serde(deserialize_with = "lenient")]
    html_url: String,
    #[serde(deserialize_with = "lenient")]
    default_branch: String,
}

pub(crate) fn read(
    request: &Request<'_>,
    secret: &Secret<String>,
    provider: Provider,
    audience: Audience,
) -> Result<Event, Refusal> {
    require_post(request)?;
    let event = request.header("X-Gogs-Event");
    let pull = event == "pull_request" && audience.takes_pull_requests();
    if event != "push" && !pull {
        return Err(Refusal::Event);
    }
    let body = body(request)?;
    check_signature(request, "X-Gogs-Signature", "", body, secret)?;
    if pull {
        return decode(body).map(|payload| pull_request_event(payload, provider));
    }
    let payload: Payload = decode(body)?;
    let revision = short_name(&payload.r#ref).to_owned();
    // Gitea lists a handful of commits and counts them all.
    let listed = u64::try_from(payload.commits.len()).unwrap_or(u64::MAX);
    let complete =
        payload.total_commits.is_none_or(|total| total <= listed) && !is_no_commit(&payload.before);
    let change = RefChange {
        touched_head: payload.repository.default_branch == revision,
        before: payload.before,
        after: payload.after,
        files: files(payload.commits, complete),
        revision,
    };
    Ok(push(provider, vec![payload.repository.html_url], vec![change]))
}

fn pull_request_event(payload: PullPayload, provider: Provider) -> Event {
    let PullPayload { action, number, pull_request, repository, changes } = payload;
    let Pull { head, base, head_branch, base_branch, head_repo } = pull_request;
    let told = |one: String, other: String| if one.is_empty() { other } else { one };
    let target_branch = told(base.r#ref, base_branch);
    Event::PullRequest(PullRequest {
        provider,
        moved: match action.as_str() {
            "opened" | "reopened" | "synchronized" => true,
            "edited" => changes.r#ref.is_some(),
            _ => false,
        },
        action,
        number,
        fork: is_fork(&told(head.repo.full_name, head_repo.full_name), &repository.full_name),
        for_head: target_branch == repository.default_branch,
        owner: repository.owner.login,
        repository: repository.name,
        project_id: None,
        source_branch: told(head.r#ref, head_branch),
        target_branch,
        head: head.sha,
        web_urls: vec![repository.html_url.clone()],
        address: repository.html_url,
    })
}
