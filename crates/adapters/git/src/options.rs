//! Limits and times, what is reported of requests, and how new an answer must be.

use std::{sync::Arc, time::Duration};

use crate::AzureWorkload;

/// Limits and times. The defaults are the original's where it has one.
#[derive(Clone)]
pub struct Options {
    /// How long listed refs answer [`Freshness::Cached`].
    pub refs_ttl: Duration,
    /// Longest listing of refs, and longest silence of an HTTP server meanwhile (`ARGOCD_GIT_REQUEST_TIMEOUT`).
    pub request_timeout: Duration,
    /// Longest fetch (`ARGOCD_EXEC_TIMEOUT`).
    pub fetch_timeout: Duration,
    /// Attempts to list refs when the remote is unreachable (`ARGOCD_GIT_ATTEMPTS_COUNT`).
    pub attempts: u32,
    /// Wait before the second attempt (`ARGOCD_GIT_RETRY_DURATION`).
    pub retry_delay: Duration,
    /// Growth of that wait (`ARGOCD_GIT_RETRY_FACTOR`).
    pub retry_factor: u32,
    /// Longest wait (`ARGOCD_GIT_RETRY_MAX_DURATION`).
    pub retry_limit: Duration,
    /// Listings under way at once (`ARGOCD_GIT_LS_REMOTE_PARALLELISM_LIMIT`, where zero means no limit).
    pub parallel_listings: usize,
    /// Fetches under way at once.
    pub parallel_fetches: usize,
    /// Largest file that can be read.
    pub most_file_bytes: u64,
    /// Told of every request to a remote.
    pub observer: Option<Observer>,
    /// Gives the certificates trusted for an address that a repository leads to: a submodule on another host, content
    /// of Git LFS elsewhere. Empty text for the system's.
    pub authorities: Option<Authorities>,
    /// The identity of this process on Azure, for repositories that are opened with it.
    pub azure_workload: Option<AzureWorkload>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            refs_ttl: Duration::from_secs(180),
            request_timeout: Duration::from_secs(15),
            fetch_timeout: Duration::from_secs(90),
            attempts: 1,
            retry_delay: Duration::from_millis(250),
            retry_factor: 2,
            retry_limit: Duration::from_secs(5),
            parallel_listings: 64,
            parallel_fetches: 16,
            most_file_bytes: 64 * 1024 * 1024,
            observer: None,
            authorities: None,
            azure_workload: None,
        }
    }
}

/// Receives a report of every request to a remote.
pub type Observer = Arc<dyn Fn(&RequestReport) + Send + Sync>;

/// Gives the trusted certificates for an address, PEM.
pub type Authorities = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// One finished request to a remote, for metrics.
#[derive(Clone, Debug)]
pub struct RequestReport {
    /// The URL without credentials.
    pub repository: String,
    /// What was asked.
    pub kind: RequestKind,
    /// How long it took.
    pub duration: Duration,
    /// Whether it failed.
    pub failed: bool,
}

/// The sorts of request to a remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// Refs were listed.
    LsRemote,
    /// Objects were fetched.
    Fetch,
}

impl RequestKind {
    /// The word for it in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LsRemote => "ls-remote",
            Self::Fetch => "fetch",
        }
    }
}

/// How new an answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// At most [`Options::refs_ttl`] old, and not older than the last [`Repositories::invalidate`].
    Cached,
    /// The remote is asked after this question was.
    Now,
}

/// What a fetch did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchOutcome {
    /// The commit was here; the remote was not asked.
    Present,
    /// The remote was asked and gave it.
    Fetched,
}
