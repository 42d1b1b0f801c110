//! One module per provider: its proof and its payload. Only what is used is read; the rest of a payload may be anything.

pub(crate) mod azure_devops;
pub(crate) mod bitbucket;
pub(crate) mod bitbucket_server;
pub(crate) mod code_commit;
pub(crate) mod distribution;
pub(crate) mod docker_hub;
pub(crate) mod ghcr;
pub(crate) mod github;
pub(crate) mod gitlab;
pub(crate) mod gogs;
pub(crate) mod harbor;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::event::{Event, Provider, Push, RefChange};
use crate::request::{Refusal, Request};

/// Most files of one push that are looked at one by one; with more, every file may differ.
const FILES: usize = 10_000;
/// Most refs of one push, or artifacts of one notification.
const CHANGES: usize = 1_000;

/// The body, which must be there.
fn body<'a>(request: &Request<'a>) -> Result<&'a [u8], Refusal> {
    request.body.filter(|body| !body.is_empty()).ok_or(Refusal::Body)
}

fn require_post(request: &Request<'_>) -> Result<(), Refusal> {
    if request.method == "POST" { Ok(()) } else { Err(Refusal::Method) }
}

/// Reads a JSON object. What a derived reader would take from an array is not what a provider means by one.
fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let decoded = serde_json::from_slice(body).map_err(|error| malformed(&error.to_string()))?;
    match first {
        Some(b'{') => Ok(decoded),
        _ => Err(malformed("the payload is not an object")),
    }
}

/// What is wrong with a payload, at a length fit for a log: the text may repeat what was sent.
fn malformed(text: &str) -> Refusal {
    Refusal::Malformed(brief(text))
}

fn ignored(text: &str) -> Event {
    Event::Ignored(brief(text))
}

fn brief(text: &str) -> String {
    const LENGTH: usize = 200;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `null` stands for the empty value, as Go reads it.
fn lenient<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Default + Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// One commit of a push.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Commit {
    #[serde(deserialize_with = "lenient")]
    added: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    modified: Vec<String>,
    #[serde(deserialize_with = "lenient")]
    removed: Vec<String>,
}

/// The files of the commits, each once, when `complete` says that these are all commits.
fn files(commits: Vec<Commit>, complete: bool) -> Option<Vec<String>> {
    if !complete {
        return None;
    }
    let each =
        commits.into_iter().flat_map(|commit| [commit.added, commit.modified, commit.removed]).flatten();
    let mut files = std::collections::BTreeSet::new();
    for file in each {
        files.insert(file);
        if files.len() > FILES {
            return None;
        }
    }
    if files.is_empty() { None } else { Some(files.into_iter().collect()) }
}

/// Whether changes come from another repository than they are meant for; where one of the two is not told, they may.
fn is_fork<T: Default + PartialEq>(from: &T, to: &T) -> bool {
    *from == T::default() || from != to
}

/// Whether a commit id says that there is no commit.
fn is_no_commit(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

/// A push; nothing to act on when no address or no ref was told.
fn push(provider: Provider, web_urls: Vec<String>, mut changes: Vec<RefChange>) -> Event {
    let web_urls: Vec<String> = web_urls.into_iter().filter(|url| !url.is_empty()).collect();
    if web_urls.is_empty() {
        return ignored("the payload names no repository");
    }
    if changes.is_empty() {
        return ignored("the payload names no ref");
    }
    changes.truncate(CHANGES);
    Event::Push(Push { provider, web_urls, changes })
}
