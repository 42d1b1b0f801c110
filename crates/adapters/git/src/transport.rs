//! One conversation with a remote, whichever way it is reached, and what its failure means.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gix::{
    protocol::transport::client::blocking_io::Transport,
    remote::{Connection, Direction, fetch::Tags},
};
use url::Url;

use crate::{
    Authorities, AzureWorkload, Cause, http, interrupt::Interrupt, location::Route, process,
    repository::Access, tokens,
};

/// What every conversation needs to know.
#[derive(Clone)]
pub(crate) struct Settings {
    /// Longest silence of an HTTP server.
    pub(crate) request_timeout: Duration,
    /// Where private keys lie while `ssh` runs.
    pub(crate) key_folder: PathBuf,
    /// No repository may be read out of here: it holds everybody's.
    pub(crate) cache_folder: PathBuf,
    /// Tokens of GitHub Apps and clouds that are good for a while.
    pub(crate) tokens: Arc<tokens::Tokens>,
    /// Certificates trusted for addresses that no repository was configured for.
    pub(crate) authorities: Option<Authorities>,
    /// The identity of this process on Azure.
    pub(crate) azure_workload: Option<AzureWorkload>,
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Settings")
            .field("request_timeout", &self.request_timeout)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// The certificates trusted for an address; empty for the system's.
    pub(crate) fn authorities(&self, url: &str) -> String {
        self.authorities.as_ref().map_or_else(String::new, |authorities| authorities(url))
    }
}

pub(crate) type Remote<'a> = Connection<'a, 'a, 'a, Box<dyn Transport + Send>>;

/// Connects to the repository of `access`, asking for `refspecs`, and lets `talk` speak.
pub(crate) fn converse<R>(
    repo: &gix::Repository,
    access: &Access,
    refspecs: &[String],
    settings: &Settings,
    interrupt: &Interrupt,
    talk: impl FnOnce(Remote<'_>) -> gix::Result<R>,
) -> Result<R, Cause> {
    let result = match &access.location.route {
        Route::Http(url) => over_http(repo, access, url, refspecs, settings, talk),
        Route::Ssh { user, host, port, path } => {
            let address = (user.as_str(), host.as_str(), *port, path.as_str());
            let timeout = settings.request_timeout;
            let (program, stream) =
                process::ssh(&access.repository, address, &settings.key_folder, timeout, interrupt)?;
            over_program(repo, access, program, stream, refspecs, talk)
        }
        Route::Local(path) => {
            let path = readable_folder(path, &settings.cache_folder)?;
            let (program, stream) = process::local(&path, interrupt)?;
            over_program(repo, access, program, stream, refspecs, talk)
        }
    };
    result.map_err(|cause| if interrupt.is_over() { over(interrupt) } else { cause })
}

/// Why an interrupted conversation ended.
pub(crate) fn over(interrupt: &Interrupt) -> Cause {
    if std::time::Instant::now() >= interrupt.deadline {
        Cause::DeadlineExceeded(interrupt.limit)
    } else {
        Cause::Cancelled
    }
}

fn remote<'a>(repo: &'a gix::Repository, url: &str, refspecs: &[String]) -> gix::Result<gix::Remote<'a>> {
    repo.remote_at_without_url_rewrite(url)?
        .with_fetch_tags(Tags::None)
        .with_refspecs(refspecs.iter().map(String::as_str), Direction::Fetch)
}

fn over_http<R>(
    repo: &gix::Repository,
    access: &Access,
    url: &Url,
    refspecs: &[String],
    settings: &Settings,
    talk: impl FnOnce(Remote<'_>) -> gix::Result<R>,
) -> Result<R, Cause> {
    let asked = Arc::new(AtomicBool::new(false));
    let repository = tokens::with_token(&access.repository, settings)?;
    let attempt = || {
        let remote = remote(repo, url.as_str(), refspecs)?;
        let options = http::options(&repository, url, settings.request_timeout);
        let connection = remote
            .connect(Direction::Fetch)?
            .with_transport_options(Box::new(options))
            .with_credentials(http::credentials(&repository, url, asked.clone()));
        talk(connection)
    };
    attempt().map_err(|error| {
        let cause = http_cause(&error, access, url, asked.load(Ordering::SeqCst));
        if cause.refuses_access() {
            // The App may have lost what its token was good for.
            settings.tokens.forget(&access.repository);
        }
        cause
    })
}

fn over_program<R>(
    repo: &gix::Repository,
    access: &Access,
    program: process::Program,
    stream: process::Stream,
    refspecs: &[String],
    talk: impl FnOnce(Remote<'_>) -> gix::Result<R>,
) -> Result<R, Cause> {
    let attempt = || {
        let remote = remote(repo, access.shown(), refspecs)?;
        let transport: Box<dyn Transport + Send> = Box::new(stream);
        talk(remote.to_connection_with_transport(transport).with_credentials(|_| Ok(None)))
    };
    let result = attempt();
    result.map_err(|error| {
        let complaints = program.complaints();
        program_cause(&error, access, &complaints)
    })
}

/// The folder, if there is one and it is none of our mirrors.
fn readable_folder(path: &Path, cache_folder: &Path) -> Result<PathBuf, Cause> {
    let not_found = || Cause::RepositoryNotFound(path.display().to_string());
    if !path.is_absolute() {
        return Err(not_found());
    }
    let real = path.canonicalize().map_err(|_| not_found())?;
    let cache = cache_folder.canonicalize().unwrap_or_else(|_| cache_folder.to_owned());
    if real.starts_with(&cache) || !real.is_dir() { Err(not_found()) } else { Ok(real) }
}

/// The texts of an error from the outside in, each once.
fn texts(error: &gix::Error) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for error in error.iter_errors() {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

fn http_cause(error: &gix::Error, access: &Access, url: &Url, asked: bool) -> Cause {
    let texts = texts(error);
    let all = texts.join(": ");
    let request = format!("Get \"{url}/info/refs?service=git-upload-pack\"");
    let status = all
        .split_once("Received HTTP status ")
        .and_then(|(_, rest)| rest.get(..3))
        .and_then(|digits| digits.parse::<u16>().ok());
    match status {
        Some(401) => return Cause::AuthenticationRequired(url.to_string()),
        Some(403) => return Cause::AuthorizationFailed(url.to_string()),
        Some(404 | 410) => return Cause::RepositoryNotFound(url.to_string()),
        Some(status) if status >= 500 => return Cause::Unreachable(format!("{request}: status {status}")),
        Some(status) => return Cause::Other(format!("{request}: status {status}")),
        None => {}
    }
    if error.is_unauthenticated() || (asked && error.is_permission_denied()) {
        return Cause::AuthenticationRequired(url.to_string());
    }
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or_default();
    if let Some((_, reason)) = all.split_once("invalid peer certificate: ") {
        let reason = reason.split(": ").next().unwrap_or(reason);
        let reason = match reason {
            // An authority of the same name with another key has signed it no more than one of another name.
            "UnknownIssuer" | "BadSignature" => "x509: certificate signed by unknown authority",
            reason => reason,
        };
        return Cause::Untrusted(format!("{request}: tls: failed to verify certificate: {reason}"));
    }
    if all.contains("Connection refused") {
        return Cause::Unreachable(format!("{request}: dial tcp {host}:{port}: connect: connection refused"));
    }
    if all.contains("failed to lookup address") || all.contains("dns error") {
        return Cause::Unreachable(format!("{request}: dial tcp: lookup {host}: no such host"));
    }
    if is_not_there(&all) {
        return Cause::NotThere;
    }
    let last = texts.last().map_or(all.as_str(), String::as_str);
    let detail = access.scrub(&format!("{request}: {last}"));
    if error.is_retryable() || all.contains("timed out") || all.contains("error sending request") {
        Cause::Unreachable(detail)
    } else {
        Cause::Other(detail)
    }
}

fn program_cause(error: &gix::Error, access: &Access, complaints: &str) -> Cause {
    let all = texts(error).join(": ");
    if is_not_there(&all) || is_not_there(complaints) {
        return Cause::NotThere;
    }
    let last = complaints.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or(&all);
    let has = |part: &str| complaints.contains(part) || all.contains(part);
    let detail = |prefix: &str| access.scrub(&format!("{prefix}{last}"));
    if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        return Cause::Untrusted("ssh: handshake failed: knownhosts: key mismatch".to_owned());
    }
    if has("Host key verification failed") {
        return Cause::Untrusted("ssh: handshake failed: knownhosts: key is unknown".to_owned());
    }
    if has("Permission denied") {
        return Cause::AuthenticationRequired(detail("ssh: unable to authenticate: "));
    }
    if has("does not appear to be a git repository") || has("Repository not found") || has("not found.") {
        return Cause::RepositoryNotFound(access.shown().to_owned());
    }
    if has("Connection refused")
        || has("Could not resolve hostname")
        || has("timed out")
        || has("Connection closed")
    {
        return Cause::Unreachable(detail("ssh: "));
    }
    Cause::Other(detail(""))
}

/// How servers say that an object is not theirs to give.
fn is_not_there(text: &str) -> bool {
    [
        "not our ref",
        "unadvertised object",
        "no such remote ref",
        "did not match any",
        "Could not find remote ref",
    ]
    .iter()
    .any(|part| text.contains(part))
}
