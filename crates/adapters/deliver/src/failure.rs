//! Why a notification was not delivered.

use std::time::Duration;

/// Why, whether trying again can help, and when the service wants to be asked again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// For people; without secrets.
    pub message: String,
    /// Whether it may work later.
    pub retry: bool,
    /// How long the service asked to be left alone.
    pub after: Option<Duration>,
}

impl Failure {
    /// Trying again would end the same way.
    pub fn lasting(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry: false, after: None }
    }

    /// It may work later.
    pub fn passing(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry: true, after: None }
    }
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::lasting(message)
    }
}
