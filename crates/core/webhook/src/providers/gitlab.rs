//! GitLab: hooks of projects and groups, and the system hooks of an instance.

use object::Secret;
use serde::Deserialize;

use super::{Commit, body, decode, files, ignored, is_fork, is_no_commit, lenient, push, require_post};
use crate::event::{Event, Provider, PullRequest, RefChange};
use crate::request::{Audience, Refusal, Request};
use crate::revision::short_name;
use crate::secrets::is_secret;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(deserialize_with = "lenient")]
    object_kind: String,
    #[serde(deserialize_with = "lenient")]
    event_name: String,
    #[serde(deserialize_with = "lenient")]
    r#ref: String,
    #[serde(deserialize_with = "lenient")]
    before: String,
    #[serde(deserialize_with = "lenient")]
    after: String,
    #[serde(deserialize_with = "lenient")]
    project: Project,
    #[serde(deserialize_with = "lenient")]
    commits: Vec<Commit>,
    total_commits_count: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Project {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    web_url: String,
    #[serde(deserialize_with = "lenient")]
    default_branch: String,
    #[serde(deserialize_with = "lenient")]
    path_with_namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MergeRequestPayload {
    #[serde(deserialize_with = "lenient")]
    project: Project,
    #[serde(deserialize_with = "lenient")]
    object_attributes: MergeRequest,
    #[serde(deserialize_with = "lenient")]
    changes: Changes,
}

/// Of an update: whether the branch it is meant for is another.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Changes {
    target_branch: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct MergeRequest {
    #[serde(deserialize_with = "lenient")]
    iid: u64,
    #[serde(deserialize_with = "lenient")]
    action: String,
    #[serde(deserialize_with = "lenient")]
    source_branch: String,
    #[serde(deserialize_with = "lenient")]
    target_branch: String,
    target_project_id: Option<u64>,
    source_project_id: Option<u64>,
    /// The head before an update that moved it.
    #[serde(deserialize_with = "lenient")]
    oldrev: String,
    #[serde(deserialize_with = "lenient")]
    last_commit: LastCommit,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct LastCommit {
    #[serde(deserialize_with = "lenient")]
    id: String,
}

pub(crate) fn read(
    request: &Request<'_>,
    secret: &Secret<String>,
    audience: Audience,
) -> Result<Event, Refusal> {
    require_post(request)?;
    // Also without a secret: then a token is one too many.
    if !is_secret(request.header("X-Gitlab-Token"), secret) {
        return Err(Refusal::Unproven("X-Gitlab-Token validation failed"));
    }
    let body = body(request)?;
    let merge_requests = audience.takes_pull_requests();
    match request.header("X-Gitlab-Event") {
        "Push Hook" | "Tag Push Hook" => decode(body).map(push_event),
        "Merge Request Hook" if merge_requests => decode(body).map(merge_request_event),
        "System Hook" => {
            let payload: Payload = decode(body)?;
            match (payload.object_kind.as_str(), payload.event_name.as_str()) {
                ("push" | "tag_push", _) => Ok(push_event(payload)),
                ("merge_request", _) if merge_requests => decode(body).map(merge_request_event),
                ("merge_request", _) => Err(Refusal::Event),
                (_, "push" | "tag_push") => Ok(push_event(payload)),
                (_, "merge_request") if merge_requests => decode(body).map(merge_request_event),
                (_, "merge_request") => Err(Refusal::Event),
                (_, other) => Ok(ignored(&format!("a system hook of another kind: {other:?}"))),
            }
        }
        _ => Err(Refusal::Event),
    }
}

fn push_event(payload: Payload) -> Event {
    let revision = short_name(&payload.r#ref).to_owned();
    // GitLab lists the last twenty commits and counts them all; a new branch lists what other branches have not.
    let listed = u64::try_from(payload.commits.len()).unwrap_or(u64::MAX);
    let complete =
        payload.total_commits_count.is_none_or(|total| total <= listed) && !is_no_commit(&payload.before);
    let change = RefChange {
        touched_head: payload.project.default_branch == revision,
        before: payload.before,
        after: payload.after,
        files: files(payload.commits, complete),
        revision,
    };
    push(Provider::GitLab, vec![payload.project.web_url], vec![change])
}

fn merge_request_event(payload: MergeRequestPayload) -> Event {
    let attributes = payload.object_attributes;
    Event::PullRequest(PullRequest {
        provider: Provider::GitLab,
        moved: match attributes.action.as_str() {
            "open" | "reopen" => true,
            "update" => !attributes.oldrev.is_empty() || payload.changes.target_branch.is_some(),
            _ => false,
        },
        action: attributes.action,
        number: attributes.iid,
        fork: is_fork(&attributes.source_project_id, &attributes.target_project_id),
        for_head: attributes.target_branch == payload.project.default_branch,
        web_urls: vec![payload.project.web_url.clone()],
        address: payload.project.web_url,
        owner: payload.project.path_with_namespace,
        repository: payload.project.name,
        project_id: attributes.target_project_id,
        source_branch: attributes.source_branch,
        target_branch: attributes.target_branch,
        head: attributes.last_commit.id,
    })
}
