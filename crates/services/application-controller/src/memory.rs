//! What this process knows of an application beside what is stored: gone with the process, and made again.

use crate::queue::Key;
use api::v1alpha1::{ApplicationSpec, ResourceRef};
use jiff::Timestamp;
use object::ResourceKey;
use reconcile::{CompareWith, RefreshRequest};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// The operation this process works on.
#[derive(Clone, Debug)]
pub(crate) struct OperationHandle {
    pub(crate) events: mpsc::UnboundedSender<sync::Event>,
    pub(crate) waits_only_for_health: Arc<AtomicBool>,
    pub(crate) stopping: Arc<AtomicBool>,
    /// Its end is being written: what is stored and what is remembered may not fit together.
    pub(crate) ending: Arc<AtomicBool>,
}

impl OperationHandle {
    pub(crate) fn running(&self) -> reconcile::RunningOperation {
        reconcile::RunningOperation {
            waits_only_for_health: self.waits_only_for_health.load(Ordering::SeqCst),
            stopping: self.stopping.load(Ordering::SeqCst),
        }
    }
}

/// What the tree of an application is made of beside the live state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    pub(crate) live: Vec<ResourceKey>,
    pub(crate) missing: Vec<ResourceRef>,
}

/// One application's memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) requested: Option<RefreshRequest>,
    pub(crate) refreshed_at: Option<Timestamp>,
    pub(crate) refreshed_spec: Option<ApplicationSpec>,
    pub(crate) operation: Option<OperationHandle>,
    pub(crate) roots: Option<Roots>,
    /// Hash of the tree that is in the cache.
    pub(crate) tree: Option<u64>,
    /// Hash of the differences that are in the cache.
    pub(crate) differences: Option<u64>,
    /// Wakes the application up at a time.
    pub(crate) timer: Option<(Timestamp, AbortHandle)>,
    /// A refresh that is to be asked for at a time.
    pub(crate) later: Option<AbortHandle>,
}

/// All applications' memories.
#[derive(Debug, Default)]
pub(crate) struct Memories(Mutex<BTreeMap<Key, Memory>>);

impl Memories {
    /// Works on one application's memory, which is made if need be.
    pub(crate) fn with<T>(&self, key: &Key, work: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memories = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(memories.entry(key.clone()).or_default())
    }

    /// Forgets an application that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        let gone = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        if let Some(memory) = gone {
            for timer in memory.timer.map(|(_, timer)| timer).into_iter().chain(memory.later) {
                timer.abort();
            }
        }
    }

    /// Notes that a refresh is asked for; the more thorough one stays.
    pub(crate) fn request(&self, key: &Key, request: RefreshRequest) {
        self.with(key, |memory| {
            let rank = |request: &RefreshRequest| {
                (request.level == api::codes::RefreshType::Hard, request.compare_with)
            };
            match &memory.requested {
                Some(known) if rank(known) >= rank(&request) => {}
                _ => memory.requested = Some(request),
            }
        });
    }
}

/// Whether a refresh looks only at the tree.
pub(crate) fn is_tree_only(compare_with: CompareWith) -> bool {
    compare_with == CompareWith::Nothing
}
