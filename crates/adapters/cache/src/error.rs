//! What can go wrong with a cache. None of it may stop the work.

use std::time::Duration;

/// Why the cache did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// The options cannot be used.
    #[error("redis options: {0}")]
    Options(String),
    /// Redis cannot be reached or refused the command.
    #[error("redis {command}: {reason}")]
    Redis {
        /// The command.
        command: &'static str,
        /// What the client said.
        reason: String,
    },
    /// Redis did not answer in time.
    #[error("redis {command}: no answer within {limit:?}")]
    Timeout {
        /// The command.
        command: &'static str,
        /// The time it had.
        limit: Duration,
    },
    /// A stored value is not what was written.
    #[error("cache entry {key}: {reason}")]
    Corrupt {
        /// The key.
        key: String,
        /// What is wrong.
        reason: &'static str,
    },
}
