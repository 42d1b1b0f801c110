//! What can go wrong, said in terms of the file and the field.

use source_tree::TreeError;
use std::fmt::Display;

/// Why a kustomization has no manifests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A kustomization, a resource or a patch is wrong, or they do not fit together.
    #[error("{message}")]
    Invalid {
        /// What was tried on what.
        message: String,
    },
    /// The original can do it, this crate or its caller cannot.
    #[error("{message}")]
    Unsupported {
        /// What was tried on what.
        message: String,
    },
    /// A limit of [`crate::Limits`] was reached.
    #[error("{message}")]
    Limit {
        /// What was tried on what, and the limit.
        message: String,
    },
    /// The source, a remote base or a chart could not be read now.
    #[error("{message}")]
    Unreadable {
        /// What was tried on what.
        message: String,
    },
}

impl Error {
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into() }
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::Unsupported { message: message.into() }
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::Limit { message: message.into() }
    }

    /// The same with what was being done in front.
    pub(crate) fn within(mut self, doing: impl Display) -> Self {
        let message = self.message_mut();
        *message = format!("{doing}: {message}");
        self
    }

    /// Whether the same build may succeed later without any change.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Invalid { message }
            | Self::Unsupported { message }
            | Self::Limit { message }
            | Self::Unreadable { message } => message,
        }
    }

    fn message_mut(&mut self) -> &mut String {
        match self {
            Self::Invalid { message }
            | Self::Unsupported { message }
            | Self::Limit { message }
            | Self::Unreadable { message } => message,
        }
    }

    /// Whether trying something else instead would hide the cause: only wrong input may be tried as something else.
    pub(crate) fn is_final(&self) -> bool {
        !matches!(self, Self::Invalid { .. })
    }
}

impl From<TreeError> for Error {
    fn from(error: TreeError) -> Self {
        let message = error.to_string();
        match error {
            TreeError::Unreadable { .. } => Self::Unreadable { message },
            TreeError::TooLarge { .. } => Self::Limit { message },
            TreeError::Unsupported { .. } => Self::Unsupported { message },
            _ => Self::Invalid { message },
        }
    }
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Puts what was being done in front of an error.
pub(crate) trait Within<T> {
    fn within(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Within<T> for Result<T> {
    fn within(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.within(doing()))
    }
}
