//! One repository, many addresses: `https`, `ssh` and `git@host:path`, with a user, a port, a `.git` or without, in any
//! case. The original builds an expression from the address in a payload and tries it on every application:
//!
//! `(?i)^((https?|ssh)://)?(USER@)?((alt)?ssh\.)?HOST(:\d+)?[:/]PATH(\.git)?$`
//!
//! Here it is turned round: every address is taken apart into all hosts and paths with which the expression would
//! have matched it, so that a look-up is one step. A property test holds the two together.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::web_url::WebUrl;

/// Host and path of a repository, in one case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RepositoryKey {
    host: String,
    path: String,
}

/// An address in a payload that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to parse URL '{0}'")]
pub struct InvalidWebUrl(
    /// The text that was sent.
    pub String,
);

/// Most colons of a host that are looked at: IPv6 has seven and a port.
const COLONS: usize = 9;
/// Longest user name.
const USER: usize = 32;

impl RepositoryKey {
    /// The key of a repository as its own page calls it.
    pub fn from_web_url(web_url: &str) -> Result<Self, InvalidWebUrl> {
        let url = WebUrl::parse(web_url).map_err(|_| InvalidWebUrl(web_url.to_owned()))?;
        let path = url.path.strip_prefix('/').unwrap_or(&url.path);
        Ok(Self { host: folded(&url.hostname), path: folded(path) })
    }

    /// The keys under which an application with this `repoURL` is found. Most have two: with `.git` and without.
    pub fn of_repo_url(repo_url: &str) -> BTreeSet<Self> {
        let text = folded(repo_url);
        let mut keys = BTreeSet::new();
        for rest in with_and_without(&text, &["http://", "https://", "ssh://"]) {
            for rest in with_and_without_user(rest) {
                for rest in with_and_without(rest, &["ssh.", "altssh."]) {
                    hosts_and_paths(rest, &mut keys);
                }
            }
        }
        keys
    }
}

impl std::fmt::Display for RepositoryKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.host, self.path)
    }
}

fn with_and_without<'a>(text: &'a str, prefixes: &[&str]) -> Vec<&'a str> {
    let stripped = prefixes.iter().filter_map(|prefix| text.strip_prefix(prefix));
    std::iter::once(text).chain(stripped).collect()
}

fn with_and_without_user(text: &str) -> Vec<&str> {
    let stripped = text.split_once('@').filter(|(user, _)| is_user(user)).map(|(_, rest)| rest);
    std::iter::once(text).chain(stripped).collect()
}

/// `[\w.][\w.-]{0,30}[\w.$-]?`, after folding.
fn is_user(text: &str) -> bool {
    let bytes = text.as_bytes();
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
    let Some((last, before)) = bytes.split_last() else { return false };
    let Some((first, middle)) = before.split_first() else { return word(*last) };
    let inner = |byte: u8| word(byte) || byte == b'-';
    bytes.len() <= USER
        && word(*first)
        && middle.iter().all(|byte| inner(*byte))
        && (inner(*last) || *last == b'$')
}

fn hosts_and_paths(text: &str, keys: &mut BTreeSet<RepositoryKey>) {
    let separators = text.char_indices().filter(|(_, character)| matches!(character, ':' | '/')).take(COLONS);
    for (position, separator) in separators {
        let (host, path) = (&text[..position], &text[position + 1..]);
        let without_port = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map(|(host, _)| host);
        for host in std::iter::once(host).chain(without_port) {
            for path in std::iter::once(path).chain(path.strip_suffix(".git")) {
                keys.insert(RepositoryKey { host: host.to_owned(), path: path.to_owned() });
            }
        }
        if separator == '/' {
            break;
        }
    }
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Upper and lower case are one, as `(?i)` has it: the long s and the signs for Kelvin and Ångström included.
fn folded(text: &str) -> String {
    let fold = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        '\u{212b}' => 'å',
        other => {
            let mut lower = other.to_lowercase();
            lower.next().filter(|_| lower.next().is_none()).unwrap_or(other)
        }
    };
    text.chars().map(fold).collect()
}

/// An OCI address for comparing: without `oci://`, without a slash at the end, in lower case.
pub fn normalized_oci(url: &str) -> String {
    let url = url.strip_prefix("oci://").unwrap_or(url);
    url.strip_suffix('/').unwrap_or(url).to_lowercase()
}
