//! Why a registry gave nothing, in the words the original's users know up to the cause.

use download::DownloadError;

/// A failed question to a registry. No message holds a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OciError {
    /// The text names no repository of a registry.
    #[error("failed to initialize repository: invalid reference: {reason} {text:?}")]
    InvalidReference {
        /// As given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The registry, or its token service, did not answer as hoped.
    #[error(transparent)]
    Download(#[from] DownloadError),
    /// It wants to be asked in a way this program does not know, or that is not safe.
    #[error("authentication at {registry}: {reason}")]
    Authentication {
        /// The registry.
        registry: String,
        /// What it wanted.
        reason: String,
    },
    /// No such tag or digest.
    #[error("{0}: not found")]
    NotFound(String),
    /// What came is not what was asked for.
    #[error("{what} of {repository} has the digest {found}")]
    Digest {
        /// What was asked for.
        what: String,
        /// Where.
        repository: String,
        /// What came.
        found: String,
    },
    /// A manifest or a list of tags cannot be read.
    #[error("error decoding {what} of {repository}: {reason}")]
    Invalid {
        /// What.
        what: String,
        /// Where.
        repository: String,
        /// What is wrong.
        reason: String,
    },
    /// The digest could not be learnt.
    #[error("cannot get digest for revision {revision}: {cause}")]
    Resolve {
        /// As asked for.
        revision: String,
        /// Why.
        cause: Box<OciError>,
    },
    /// The tags were not given.
    #[error("failed to get tags: {0}")]
    Tags(Box<OciError>),
    /// No tag satisfies the constraint.
    #[error("no version for constraints: {0}")]
    NoVersion(String),
    /// The manifest is not of one content layer that may be used.
    #[error("{0}")]
    Layers(String),
}

impl OciError {
    /// Whether asking again, with nothing changed, may help.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Download(error) => error.retryable(),
            Self::Resolve { cause, .. } | Self::Tags(cause) => cause.retryable(),
            _ => false,
        }
    }

    /// Whether the registry refused these credentials.
    pub(crate) fn refuses_access(&self) -> bool {
        match self {
            Self::Download(error) => error.refuses_access(),
            Self::Authentication { .. } => true,
            Self::Resolve { cause, .. } | Self::Tags(cause) => cause.refuses_access(),
            _ => false,
        }
    }
}
