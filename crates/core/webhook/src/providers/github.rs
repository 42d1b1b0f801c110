//! GitHub and GitHub Enterprise.

use object::Secret;
use serde::Deserialize;

use super::{Commit, body, decode, files, ignored, is_fork, is_no_commit, lenient, push, require_post};
use crate::event::{Event, Provider, PullRequest, RefChange};
use crate::request::{Audience, Refusal, Request};
use crate::revision::short_name;
use crate::secrets::check_signature;

/// GitHub lists at most this many commits of a push.
const COMMITS: usize = 2048;

#[derive(Default, Deserialize)]
#[serde(default)]
struct PushPayload {
    #[serde(deserialize_with = "lenient")]
    r#ref: String,
    #[serde(deserialize_with = "lenient")]
    before: String,
    #[serde(deserialize_with = "lenient")]
    after: String,
    #[serde(deserialize_with = "lenient")]
    forced: bool,
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    commits: Vec<Commit>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    full_name: String,
    #[serde(deserialize_with = "lenient")]
    html_url: String,
    #[serde(deserialize_with = "lenient")]
    url: String,
    #[serde(deserialize_with = "lenient")]
    default_branch: String,
    #[serde(deserialize_with = "lenient")]
    owner: Owner,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Owner {
    #[serde(deserialize_with = "lenient")]
    login: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PullRequestPayload {
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

/// Of an edit: whether the branch it is meant for is another.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Changes {
    base: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Pull {
    #[serde(deserialize_with = "lenient")]
    head: Branch,
    #[serde(deserialize_with = "lenient")]
    base: Branch,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Branch {
    #[serde(deserialize_with = "lenient")]
    r#ref: String,
    #[serde(deserialize_with = "lenient")]
    sha: String,
    /// Nothing when the fork is gone.
    #[serde(deserialize_with = "lenient")]
    repo: Repository,
}

/// Any object: a ping says nothing more.
#[derive(Deserialize)]
struct Ping {}

pub(crate) fn read(
    request: &Request<'_>,
    secret: &Secret<String>,
    audience: Audience,
) -> Result<Event, Refusal> {
    require_post(request)?;
    let event = request.header("X-GitHub-Event");
    let known = match event {
        "push" | "ping" => true,
        "pull_request" => audience.takes_pull_requests(),
        _ => false,
    };
    if !known {
        return Err(Refusal::Event);
    }
    let body = body(request)?;
    check_signature(request, "X-Hub-Signature-256", "sha256=", body, secret)?;
    match event {
        "push" => decode(body).map(push_event),
        "pull_request" => decode(body).map(pull_request_event),
        _ => decode::<Ping>(body).map(|_| ignored("a ping")),
    }
}

fn push_event(payload: PushPayload) -> Event {
    let revision = short_name(&payload.r#ref).to_owned();
    // A forced push or a new branch lists the commits that were added, not what the branch lost or had before.
    let complete = !payload.forced && !is_no_commit(&payload.before) && payload.commits.len() < COMMITS;
    let change = RefChange {
        touched_head: payload.repository.default_branch == revision,
        before: payload.before,
        after: payload.after,
        files: files(payload.commits, complete),
        revision,
    };
    push(Provider::GitHub, vec![payload.repository.html_url], vec![change])
}

fn pull_request_event(payload: PullRequestPayload) -> Event {
    let PullRequestPayload { action, number, pull_request, repository, changes } = payload;
    let (head, base) = (pull_request.head, pull_request.base);
    Event::PullRequest(PullRequest {
        provider: Provider::GitHub,
        moved: match action.as_str() {
            "opened" | "reopened" | "synchronize" => true,
            "edited" => changes.base.is_some(),
            _ => false,
        },
        action,
        number,
        fork: is_fork(&head.repo.full_name, &repository.full_name),
        for_head: base.r#ref == repository.default_branch,
        address: repository.url,
        owner: repository.owner.login,
        repository: repository.name,
        project_id: None,
        source_branch: head.r#ref,
        target_branch: base.r#ref,
        head: head.sha,
        web_urls: vec![repository.html_url],
    })
}
