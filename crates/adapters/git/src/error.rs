//! What can go wrong, by phase, in words that are safe to show: no message holds a credential.

use std::time::Duration;

/// A failed question to a repository. The texts up to the cause are those the original's users know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    /// The URL cannot be one of a repository.
    #[error("repository url {url:?} is invalid: {reason}")]
    InvalidUrl {
        /// The URL without credentials.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The remote did not tell its branches and tags.
    #[error("failed to list refs: {cause}")]
    ListRefs {
        /// The URL without credentials.
        repository: String,
        /// Why.
        cause: Cause,
    },
    /// No branch, tag or commit is called that.
    #[error("unable to resolve '{revision}' to a commit SHA: revision not found")]
    UnknownRevision {
        /// As it was asked for.
        revision: String,
    },
    /// Several commits start with these digits.
    #[error("unable to resolve '{revision}' to a commit SHA: {matches} commits start with it")]
    AmbiguousRevision {
        /// As it was asked for.
        revision: String,
        /// How many.
        matches: usize,
    },
    /// The remote did not give the objects.
    #[error("fetch {repository}@{wanted}: {cause}")]
    Fetch {
        /// The URL without credentials.
        repository: String,
        /// The commit or ref.
        wanted: String,
        /// Why.
        cause: Cause,
    },
    /// An object in the mirror cannot be read.
    #[error("read {repository}@{commit}: {cause}")]
    Read {
        /// The URL without credentials.
        repository: String,
        /// The commit.
        commit: String,
        /// What the object database said.
        cause: String,
    },
    /// The cache folder failed.
    #[error("mirror of {repository}: {cause}")]
    Mirror {
        /// The URL without credentials.
        repository: String,
        /// What the file system said.
        cause: String,
    },
}

/// Why a remote did not answer as hoped.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// It wants credentials, or other ones.
    #[error("authentication required: {0}")]
    AuthenticationRequired(String),
    /// The credentials are known and not enough.
    #[error("authorization failed: {0}")]
    AuthorizationFailed(String),
    /// There is no such repository, or it is hidden from these credentials.
    #[error("repository not found: {0}")]
    RepositoryNotFound(String),
    /// The server's certificate or host key is not trusted.
    #[error("{0}")]
    Untrusted(String),
    /// Nothing answered, or the server failed on its side.
    #[error("{0}")]
    Unreachable(String),
    /// It took too long.
    #[error("timeout after {}s", .0.as_secs_f64())]
    DeadlineExceeded(Duration),
    /// Nobody waits for the answer any more.
    #[error("cancelled")]
    Cancelled,
    /// A program this transport needs is not installed.
    #[error("the program {0:?} is not installed")]
    MissingProgram(&'static str),
    /// The remote has no such object, or keeps it to itself.
    #[error("the remote does not have it")]
    NotThere,
    /// Anything else, in the words of the transport.
    #[error("{0}")]
    Other(String),
}

impl Cause {
    /// Whether asking again, with nothing changed, may help.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::DeadlineExceeded(_) | Self::Cancelled)
    }

    /// Whether the remote refused these credentials.
    pub fn refuses_access(&self) -> bool {
        matches!(
            self,
            Self::AuthenticationRequired(_) | Self::AuthorizationFailed(_) | Self::RepositoryNotFound(_)
        )
    }
}

impl GitError {
    /// Whether asking again, with nothing changed, may help.
    pub fn retryable(&self) -> bool {
        match self {
            Self::ListRefs { cause, .. } | Self::Fetch { cause, .. } => cause.retryable(),
            Self::Read { .. } | Self::Mirror { .. } => true,
            Self::InvalidUrl { .. } | Self::UnknownRevision { .. } | Self::AmbiguousRevision { .. } => false,
        }
    }

    /// Why the remote did not answer, when a remote was asked.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::ListRefs { cause, .. } | Self::Fetch { cause, .. } => Some(cause),
            _ => None,
        }
    }
}
