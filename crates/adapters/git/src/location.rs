//! Where a repository lies, read from its URL. User names and passwords leave the URL here and never come back.

use std::path::PathBuf;

use url::Url;

use crate::GitError;
use object::Secret;

/// A parsed repository URL.
#[derive(Clone, Debug)]
pub(crate) struct Location {
    /// The URL in the form used in messages and to name the mirror: no credentials, scheme and host in lower case.
    pub(crate) shown: String,
    /// How to get there.
    pub(crate) route: Route,
    /// Credentials that were part of the URL (http only).
    pub(crate) user: Option<(String, Secret<String>)>,
}

/// How to reach a repository.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// Smart HTTP, plain or TLS.
    Http(Url),
    /// The `ssh` program.
    Ssh { user: String, host: String, port: Option<u16>, path: String },
    /// A folder of this machine.
    Local(PathBuf),
}

impl Location {
    pub(crate) fn parse(text: &str) -> Result<Self, GitError> {
        let text = text.trim();
        let invalid = |reason| GitError::InvalidUrl { url: without_user(text), reason };
        if text.is_empty() {
            return Err(invalid("it is empty"));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid("it holds a control character"));
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") => Self::http(text).ok_or_else(|| invalid("it cannot be parsed")),
            Some("ssh") => Self::ssh(text).ok_or_else(|| invalid("it cannot be parsed")),
            Some("file") => {
                let path = Url::parse(text).ok().and_then(|url| url.to_file_path().ok());
                path.map(Self::local).ok_or_else(|| invalid("it names no folder of this machine"))
            }
            Some(_) => Err(invalid("its scheme is none of http, https, ssh and file")),
            None => Self::scp(text).map_or_else(|| Ok(Self::local(PathBuf::from(text))), Ok),
        }
    }

    fn http(text: &str) -> Option<Self> {
        let mut url = Url::parse(text).ok()?;
        let decoded = |part: &str| percent_decoded(part);
        let user = (!url.username().is_empty() || url.password().is_some())
            .then(|| (decoded(url.username()), Secret::from(decoded(url.password().unwrap_or_default()))));
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Some(Self { shown: url.as_str().trim_end_matches('/').to_owned(), route: Route::Http(url), user })
    }

    fn ssh(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let path = percent_decoded(url.path());
        // `ssh://host/~user/x` and `ssh://host/x`: only the former is relative to a home folder.
        let path = path.strip_prefix("/~").map_or(path.clone(), |home| format!("~{home}"));
        Self::ssh_parts(percent_decoded(url.username()), url.host_str()?, url.port(), path)
    }

    /// `user@host:path`, as Git writes it.
    fn scp(text: &str) -> Option<Self> {
        let (address, path) = text.split_once(':')?;
        let (user, host) = address.split_once('@')?;
        if address.contains('/') || path.is_empty() {
            return None;
        }
        Self::ssh_parts(user.to_owned(), host, None, path.to_owned())
    }

    fn ssh_parts(user: String, host: &str, port: Option<u16>, path: String) -> Option<Self> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        // What starts with a dash would be an option to ssh.
        if host.is_empty()
            || host.starts_with('-')
            || user.starts_with('-')
            || path.trim_matches('/').is_empty()
        {
            return None;
        }
        let at = if user.is_empty() { String::new() } else { format!("{user}@") };
        let port_part = port.map_or_else(String::new, |port| format!(":{port}"));
        let slash = if path.starts_with('/') { "" } else { "/" };
        let shown = format!("ssh://{at}{host}{port_part}{slash}{path}");
        Some(Self { shown, route: Route::Ssh { user, host, port, path }, user: None })
    }

    fn local(path: PathBuf) -> Self {
        Self { shown: format!("file://{}", path.display()), route: Route::Local(path), user: None }
    }
}

pub(crate) fn percent_decoded(text: &str) -> String {
    let pair = format!("x={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pair.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

/// The text with whatever stands before an `@` in its authority taken out.
fn without_user(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}{tail}")
}
