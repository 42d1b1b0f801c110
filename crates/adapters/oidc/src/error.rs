//! Why a provider could not be asked, or said no.

use auth::oidc::{DiscoveryError, IdTokenError};

/// What went wrong, with what was tried and where. No text holds a token, a secret or what the provider wrote.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The settings cannot be used.
    #[error("oidc.config: {0}")]
    Settings(String),
    /// No answer.
    #[error("{what} {address}: {reason}")]
    Unreachable {
        /// What was asked for.
        what: &'static str,
        /// Where, without query.
        address: String,
        /// What happened.
        reason: String,
    },
    /// An answer that says no.
    #[error("{what} {address}: the provider answered {status}{}", code_of(.code))]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// Where, without query.
        address: String,
        /// HTTP status.
        status: u16,
        /// The provider's own code; empty without.
        code: String,
    },
    /// An answer that makes no sense.
    #[error("{what} {address}: {reason}")]
    Malformed {
        /// What was asked for.
        what: &'static str,
        /// Where, without query.
        address: String,
        /// What is wrong.
        reason: String,
    },
    /// The provider's configuration is not believed.
    #[error(transparent)]
    Discovery(#[from] DiscoveryError),
    /// A token is not believed.
    #[error(transparent)]
    Token(#[from] IdTokenError),
}

fn code_of(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!(" ({code})") }
}

impl OidcError {
    /// Whether the provider refused who asked: asking again changes nothing.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused { status: 400..=403, .. })
    }
}
