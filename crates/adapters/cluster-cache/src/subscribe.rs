//! Telling others what changed.

use crate::index::Change;
use std::sync::Arc;
use tokio::sync::broadcast;

/// How many changes a subscriber may fall behind before it is told to look at everything.
pub(crate) const BACKLOG: usize = 8192;

/// What a subscriber is told.
#[derive(Clone, Debug)]
pub enum Notice {
    /// One object changed.
    Changed(Arc<Change>),
    /// Too much changed to name: the cache was filled, or the subscriber fell behind.
    Everything,
    /// Kinds became tainted, or recovered; see [`crate::ClusterCache::tainted`].
    Kinds,
}

/// A stream of notices. It begins with what happens after it was made.
#[derive(Debug)]
pub struct Subscription(pub(crate) broadcast::Receiver<Notice>);

impl Subscription {
    /// The next notice; `None` when the cache has stopped.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.0.recv().await {
            Ok(notice) => Some(notice),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Notice::Everything),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}
