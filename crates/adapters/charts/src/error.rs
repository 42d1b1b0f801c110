//! Why there is no chart, in the words the original's users know up to the cause.

use download::DownloadError;

/// A failed question to a chart repository. No message holds a credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// The repository's address cannot be one.
    #[error("chart repository url {url:?} is invalid: {reason}")]
    InvalidUrl {
        /// Without credentials.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection cannot be set up.
    #[error(transparent)]
    Access(DownloadError),
    /// The index was not given.
    #[error("error loading repo index: {}", index_cause(.0))]
    Index(DownloadError),
    /// The index cannot be read.
    #[error("error decoding index: {0}")]
    InvalidIndex(String),
    /// No chart of that name is listed.
    #[error("chart '{0}' not found in index")]
    UnknownChart(String),
    /// The constraint cannot be read, or no version satisfies it.
    #[error("invalid revision: {0}")]
    NoVersion(String),
    /// The version is not listed.
    #[error("chart {chart:?} version {version:?} not found in {repository} repository")]
    UnknownVersion {
        /// The chart's name.
        chart: String,
        /// As it was asked for.
        version: String,
        /// The repository's address without credentials.
        repository: String,
    },
    /// The listed address cannot be one.
    #[error("chart {chart:?} version {version:?} lies at {address:?}: {reason}")]
    InvalidPlace {
        /// The chart's name.
        chart: String,
        /// Its version.
        version: String,
        /// As listed, without credentials.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The chart itself was not given.
    #[error("failed to fetch chart: {0}")]
    Fetch(DownloadError),
}

/// What the server said of the index; the original says no address there.
fn index_cause(error: &DownloadError) -> String {
    match error {
        DownloadError::Status { status, .. } => format!("failed to get index: {status}"),
        other => format!("error making HTTP request: {other}"),
    }
}

impl ChartError {
    /// Whether asking again, with nothing changed, may help.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Index(error) | Self::Fetch(error) => error.retryable(),
            _ => false,
        }
    }
}
