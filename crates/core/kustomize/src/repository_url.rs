//! Whether an entry of `resources` names a repository, and which folder of it.

use crate::seams::RemoteBase;

/// A repository and a folder in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RepositoryUrl {
    pub(crate) raw: String,
    pub(crate) base: RemoteBase,
    pub(crate) folder: String,
}

/// Reads a URL as the original does; nothing when it names no repository.
pub(crate) fn parse(raw: &str) -> Option<RepositoryUrl> {
    if raw.starts_with('/') {
        return None;
    }
    let (address, query) = raw.split_once('?').unwrap_or((raw, ""));
    let (reference, submodules) = parse_query(query);
    let (host, path) = split_host(address)?;
    let (repository, folder) = split_folder(&path, host.starts_with("file://"))?;
    if repository.is_empty() || leaves(folder) {
        return None;
    }
    Some(RepositoryUrl {
        raw: raw.to_owned(),
        folder: folder.strip_prefix('/').unwrap_or(folder).to_owned(),
        base: RemoteBase { repository: format!("{host}{repository}"), reference, submodules },
    })
}

fn parse_query(query: &str) -> (Option<String>, bool) {
    let value = |name: &str| {
        let found = query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
        found.map(|(_, value)| percent_decoded(value)).filter(|value| !value.is_empty())
    };
    let submodules = value("submodules")
        .is_none_or(|text| !matches!(text.as_str(), "0" | "f" | "F" | "false" | "FALSE" | "False"));
    (value("ref").or_else(|| value("version")), submodules)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (first, hex.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            (byte, _) => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn strip_prefix_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Scheme, user and host with the separator after it, and the path.
fn split_host(address: &str) -> Option<(String, String)> {
    let address = strip_prefix_any_case(address, "git::").unwrap_or(address);
    let found = ["ssh://", "https://", "http://", "file://"]
        .into_iter()
        .find_map(|scheme| strip_prefix_any_case(address, scheme).map(|rest| (scheme, rest)));
    let (scheme, rest) = found.unwrap_or(("", address));
    let (user, rest) = split_user(rest);
    let lower = rest.to_ascii_lowercase();
    let github = lower.starts_with("github.com/") || lower.starts_with("github.com:");
    let scp = scheme.is_empty() && (!user.is_empty() || github);
    if scheme.is_empty() && !scp {
        return None;
    }
    if scheme == "file://" {
        return Some((scheme.to_owned(), format!("{user}{rest}")));
    }
    let slash = rest.find('/');
    let separator = match (slash, rest.find(':')) {
        (None, Some(colon)) if scp => Some(colon),
        (Some(slash), Some(colon)) if scp && colon > 0 && colon < slash => Some(colon),
        _ => slash,
    };
    let (host, path) = separator.map_or((rest, ""), |at| rest.split_at(at + 1));
    if github {
        let ssh = scheme == "ssh://" || !user.is_empty();
        let head = if ssh { format!("{user}github.com:") } else { "https://github.com/".to_owned() };
        return Some((head, path.to_owned()));
    }
    (!host.is_empty()).then(|| (format!("{scheme}{user}{host}"), path.to_owned()))
}

fn split_user(text: &str) -> (&str, &str) {
    let Some(at) = text.find('@') else { return ("", text) };
    let user = &text[..at];
    let fits = user.starts_with(|first: char| first.is_ascii_alphabetic())
        && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if fits { text.split_at(at + 1) } else { ("", text) }
}

/// The repository's path and the folder in it.
fn split_folder(path: &str, whole: bool) -> Option<(&str, &str)> {
    if let Some(at) = path.find("_git/") {
        let end = path[at + 5..].find('/').map_or(path.len(), |end| at + 5 + end);
        return Some((&path[..end], path[end..].strip_prefix('/').unwrap_or("")));
    }
    if let Some(at) = path.find("//") {
        return Some((&path[..at], &path[at + 2..]));
    }
    if let Some(at) = path.find(".git") {
        return Some(path.split_at(at + 4));
    }
    if whole {
        return Some((path, ""));
    }
    let second = path.find('/')?;
    let end = path[second + 1..].find('/').map_or(path.len(), |end| second + 1 + end);
    Some((&path[..end], path[end..].strip_prefix('/').unwrap_or("")))
}

/// Whether a folder lies outside its repository.
fn leaves(folder: &str) -> bool {
    let mut depth = 0_i32;
    for part in folder.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}
