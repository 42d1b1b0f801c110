//! How well the cache knows the cluster.

use jiff::Timestamp;

/// How well one kind is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KindState {
    /// The first list has not ended yet.
    Warming,
    /// What is known is current.
    Synced,
    /// What is known may be old, or nothing is known: applications that use the kind must not be judged by it.
    Tainted {
        /// Why, in the server's words.
        reason: String,
    },
}

/// Figures about a cluster's cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Objects known.
    pub resources: usize,
    /// Objects some application manages.
    pub managed: usize,
    /// Kinds watched.
    pub apis: usize,
    /// Kinds watched whose first list has not ended.
    pub warming: usize,
    /// Kinds that are tainted.
    pub tainted: usize,
    /// When everything had been listed for the first time since the start or the last invalidation.
    pub last_sync: Option<Timestamp>,
    /// Why the cluster cannot be talked to at all, if so.
    pub connection_error: Option<String>,
}
