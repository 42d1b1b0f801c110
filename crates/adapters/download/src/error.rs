//! Why nothing was downloaded, in words that are safe to show.

/// A failed download. Addresses in it hold no credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DownloadError {
    /// The address cannot be one.
    #[error("address {address:?} is invalid: {reason}")]
    InvalidAddress {
        /// Without credentials.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// Certificates, keys or the proxy cannot be read.
    #[error("{what} cannot be used: {reason}")]
    InvalidAccess {
        /// Which.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Nothing answered, or something that is not trusted, or the answer broke off.
    #[error("get {address}: {reason}")]
    Unreachable {
        /// Without credentials.
        address: String,
        /// What the transport said.
        reason: String,
    },
    /// What answered does not speak TLS.
    #[error("get {address}: {reason}")]
    NotTls {
        /// Without credentials.
        address: String,
        /// What the transport said.
        reason: String,
    },
    /// The server said no.
    #[error("get {address}: {status}")]
    Status {
        /// Without credentials.
        address: String,
        /// The code.
        code: u16,
        /// The code with its name, as `404 Not Found`.
        status: String,
    },
    /// The answer is larger than it may be.
    #[error("get {address}: larger than the limit of {limit} bytes")]
    TooLarge {
        /// Without credentials.
        address: String,
        /// The limit.
        limit: u64,
    },
}

impl DownloadError {
    /// Whether asking again, with nothing changed, may help.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::NotTls { .. } => true,
            Self::Status { code, .. } => *code >= 500 || *code == 429,
            Self::InvalidAddress { .. } | Self::InvalidAccess { .. } | Self::TooLarge { .. } => false,
        }
    }

    /// The server's code, when it answered.
    pub fn code(&self) -> Option<u16> {
        match self {
            Self::Status { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the server refused these credentials.
    pub fn refuses_access(&self) -> bool {
        matches!(self.code(), Some(401 | 403))
    }
}
