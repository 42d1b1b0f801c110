//! Azure DevOps. It names no files; the event stands in the payload, not in a header.

use serde::Deserialize;

use super::{body, decode, ignored, lenient, malformed, push, require_post};
use crate::event::{Event, Provider, PullRequest, RefChange};
use crate::request::{Refusal, Request};
use crate::revision::short_name;
use crate::secrets::{Secrets, basic_auth, is_secret, is_set};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Payload {
    #[serde(rename = "eventType", deserialize_with = "lenient")]
    event_type: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EventPayload {
    #[serde(deserialize_with = "lenient")]
    resource: Resource,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    #[serde(deserialize_with = "lenient")]
    repository: Repository,
    #[serde(deserialize_with = "lenient")]
    ref_updates: Vec<RefUpdate>,
    #[serde(deserialize_with = "lenient")]
    pull_request_id: u64,
    #[serde(deserialize_with = "lenient")]
    source_ref_name: String,
    #[serde(deserialize_with = "lenient")]
    target_ref_name: String,
    #[serde(deserialize_with = "lenient")]
    last_merge_source_commit: Commit,
    /// Where the changes come from, when that is another repository.
    fork_source: Option<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Repository {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    remote_url: String,
    #[serde(deserialize_with = "lenient")]
    default_branch: String,
    #[serde(deserialize_with = "lenient")]
    project: Project,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Project {
    #[serde(deserialize_with = "lenient")]
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RefUpdate {
    #[serde(deserialize_with = "lenient")]
    name: String,
    #[serde(deserialize_with = "lenient")]
    old_object_id: String,
    #[serde(deserialize_with = "lenient")]
    new_object_id: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Commit {
    #[serde(deserialize_with = "lenient")]
    commit_id: String,
}

pub(crate) fn read(request: &Request<'_>, secrets: &Secrets) -> Result<Event, Refusal> {
    if !is_authentic(request, secrets) {
        return Err(Refusal::Unproven("basic auth verification failed"));
    }
    require_post(request)?;
    let body = body(request)?;
    let payload: Payload = decode(body).map_err(|_| Refusal::Body)?;
    match payload.event_type.as_str() {
        "git.push" => decode(body).map(push_event),
        "git.pullrequest.created" | "git.pullrequest.merged" | "git.pullrequest.updated" => {
            decode(body).map(|event| pull_request_event(event, payload.event_type))
        }
        // The recorded answer for what the library knows and nobody asked for; the original refuses the others.
        "build.complete" => Ok(ignored("a build")),
        other => Err(malformed(&format!("unknown event {other}"))),
    }
}

fn is_authentic(request: &Request<'_>, secrets: &Secrets) -> bool {
    if !is_set(&secrets.azure_username) && !is_set(&secrets.azure_password) {
        return true;
    }
    let sent = basic_auth(request);
    let (user, password) = sent.as_ref().map_or(("", ""), |(user, password)| (user, password));
    // Both are always compared: which one was wrong must not show.
    let user_is_right = is_secret(user, &secrets.azure_username);
    let password_is_right = is_secret(password, &secrets.azure_password);
    sent.is_some() & user_is_right & password_is_right
}

fn push_event(payload: EventPayload) -> Event {
    let repository = payload.resource.repository;
    let change = |update: RefUpdate| RefChange {
        touched_head: update.name == repository.default_branch,
        revision: short_name(&update.name).to_owned(),
        before: update.old_object_id,
        after: update.new_object_id,
        files: None,
    };
    let changes = payload.resource.ref_updates.into_iter().map(change).collect();
    let mut web_urls = vec![repository.remote_url];
    web_urls.extend(ssh_path(&web_urls[0]));
    push(Provider::AzureDevOps, web_urls, changes)
}

/// Over SSH a repository has another path: `v3/organisation/project/repository` for `organisation/project/_git/repository`.
fn ssh_path(remote_url: &str) -> Option<String> {
    let (_, path) = remote_url.split_once("dev.azure.com/")?;
    let (project, repository) = path.split_once("/_git/")?;
    Some(format!("https://dev.azure.com/v3/{project}/{repository}"))
}

fn pull_request_event(payload: EventPayload, action: String) -> Event {
    let resource = payload.resource;
    let mut web_urls = vec![resource.repository.remote_url.clone()];
    web_urls.extend(ssh_path(&web_urls[0]));
    Event::PullRequest(PullRequest {
        provider: Provider::AzureDevOps,
        moved: action != "git.pullrequest.merged",
        action,
        fork: resource.fork_source.is_some(),
        for_head: resource.target_ref_name == resource.repository.default_branch,
        web_urls,
        number: resource.pull_request_id,
        address: resource.repository.remote_url,
        owner: resource.repository.project.name,
        repository: resource.repository.name,
        project_id: None,
        source_branch: short_name(&resource.source_ref_name).to_owned(),
        target_branch: short_name(&resource.target_ref_name).to_owned(),
        head: resource.last_merge_source_commit.commit_id,
    })
}
