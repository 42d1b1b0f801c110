//! Gogs, and with it Gitea and Forgejo, which send its headers and its payload beside their own.

use object::Secret;
use serde::Deserialize;

use super::{Commit, body, decode, files, is_no_commit, lenient, push, require_post};
use crate::event::{Event, Provider, RefChange};
use crate::request::{Refusal, Request};
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
struct Repository {
    #[serde(deserialize_with = "lenient")]
    html_url: String,
    #[serde(deserialize_with = "lenient")]
    default_branch: String,
}

pub(crate) fn read(
    request: &Request<'_>,
    secret: &Secret<String>,
    provider: Provider,
) -> Result<Event, Refusal> {
    require_post(request)?;
    if request.header("X-Gogs-Event") != "push" {
        return Err(Refusal::Event);
    }
    let body = body(request)?;
    check_signature(request, "X-Gogs-Signature", "", body, secret)?;
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
