//! What this process knows of an application beside what is stored: gone with the process, and made again.

use crate::predicting::Predictions;
use crate::queue::Key;
use crate::unchanged::Remembered;
use api::codes::RefreshType;
use api::v1alpha1::{ApplicationSpec, ResourceRef};
use jiff::Timestamp;
use object::ResourceKey;
use reconcile::{CompareWith, RefreshCause, RefreshRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::{Notify, mpsc};
use tokio::task::AbortHandle;

/// The operation this process works on.
#[derive(Clone, Debug)]
pub(crate) struct OperationHandle {
    pub(crate) events: mpsc::UnboundedSender<sync::Event>,
    pub(crate) waits_only_for_health: Arc<AtomicBool>,
    pub(crate) stopping: Arc<AtomicBool>,
    /// A user's confirmation was told to it.
    pub(crate) confirmed: Arc<AtomicBool>,
    /// Told when the application is looked at: whether a window holds it may be another matter now.
    pub(crate) looked: Arc<Notify>,
    /// Its end is being written: what is stored and what is remembered may not fit together.
    pub(crate) ending: Arc<AtomicBool>,
    /// Objects it is to be told of.
    pub(crate) telling: Arc<Telling>,
}

/// Changed objects that an operation is to be told of, each once, with the uid of what changed last.
#[derive(Debug, Default)]
pub(crate) struct Telling {
    waiting: Mutex<BTreeMap<ResourceKey, String>>,
    turn: tokio::sync::Mutex<()>,
}

impl Telling {
    /// Notes an object; says whether it did not wait yet.
    pub(crate) fn note(&self, key: &ResourceKey, uid: String) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(key.clone(), uid).is_none()
    }

    /// The turn of one object; they are told one after the other.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// What was noted of an object. What changes from now on is another change.
    pub(crate) fn take(&self, key: &ResourceKey) -> String {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.remove(key).unwrap_or_default()
    }
}

impl OperationHandle {
    pub(crate) fn running(&self) -> reconcile::RunningOperation {
        reconcile::RunningOperation {
            waits_only_for_health: self.waits_only_for_health.load(Ordering::SeqCst),
            stopping: self.stopping.load(Ordering::SeqCst),
            confirmed: self.confirmed.load(Ordering::SeqCst),
        }
    }
}

/// What the tree of an application is made of beside the live state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roots {
    pub(crate) live: Vec<ResourceKey>,
    pub(crate) missing: Vec<ResourceRef>,
}

/// What was put into the cache: its hash, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) hash: u64,
    pub(crate) at: Instant,
}

/// Whether the sources have hooks that run with a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeleteHooks {
    /// `PreDelete`.
    pub(crate) before: bool,
    /// `PostDelete`.
    pub(crate) after: bool,
}

/// One application's memory.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub(crate) requested: Option<RefreshRequest>,
    pub(crate) refreshed_at: Option<Timestamp>,
    pub(crate) refreshed_spec: Option<ApplicationSpec>,
    pub(crate) operation: Option<OperationHandle>,
    pub(crate) roots: Option<Roots>,
    /// What it was last compared with.
    pub(crate) remembered: Option<Box<Remembered>>,
    /// The manifests that were synced last, or tried to be: one number for them.
    pub(crate) attempted: Option<u64>,
    /// Since when its sources cannot be rendered, while that is not told.
    pub(crate) failing_since: Option<Timestamp>,
    /// Answers to dry runs, by what they were about.
    pub(crate) predictions: Arc<tokio::sync::Mutex<Predictions>>,
    /// What runs with its deletion, as far as that is known.
    pub(crate) delete_hooks: Option<DeleteHooks>,
    /// Objects of its namespace that nobody manages.
    pub(crate) orphans: Option<usize>,
    /// The tree that is in the cache.
    pub(crate) tree: Option<Told>,
    /// The differences that are in the cache.
    pub(crate) differences: Option<Told>,
    /// When it was, or will be, looked at because its objects changed.
    pub(crate) changed_at: Option<Instant>,
    /// Wakes the application up at a time.
    pub(crate) timer: Option<(Timestamp, AbortHandle)>,
    /// A refresh that is to be asked for at a time.
    pub(crate) later: Option<AbortHandle>,
}

/// Places that are noted, at most: what is not noted is seen with the next look.
const MOST_PLACES: usize = 10_000;

/// All applications' memories.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    known: Mutex<BTreeMap<Key, Memory>>,
    /// Servers and namespaces where something came or went that nobody manages.
    places: Mutex<BTreeSet<(String, String)>>,
}

impl Memories {
    /// Works on one application's memory, which is made if need be.
    pub(crate) fn with<T>(&self, key: &Key, work: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memories = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        work(memories.entry(key.clone()).or_default())
    }

    /// How many objects of their namespaces nobody manages, by application.
    pub(crate) fn orphans(&self) -> BTreeMap<Key, usize> {
        let memories = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        memories.iter().filter_map(|(key, memory)| Some((key.clone(), memory.orphans?))).collect()
    }

    /// Notes that something came or went in a namespace of a cluster that nobody manages.
    pub(crate) fn note_place(&self, server: &str, namespace: &str) {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if places.len() < MOST_PLACES {
            places.insert((server.to_owned(), namespace.to_owned()));
        }
    }

    /// What was noted of that since the last time.
    pub(crate) fn take_places(&self) -> BTreeSet<(String, String)> {
        std::mem::take(&mut *self.places.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Forgets an application that is gone.
    pub(crate) fn forget(&self, key: &Key) {
        let gone = self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        if let Some(memory) = gone {
            for timer in memory.timer.map(|(_, timer)| timer).into_iter().chain(memory.later) {
                timer.abort();
            }
        }
    }

    /// Asks for the refresh that follows an operation: automated sync speaks after a comparison only.
    pub(crate) fn request_after_operation(&self, key: &Key) {
        let (level, compare_with) = (RefreshType::Normal, CompareWith::Latest);
        self.request(key, RefreshRequest { level, compare_with, cause: RefreshCause::OperationEnded });
    }

    /// Notes that a refresh is asked for; the more thorough one stays.
    pub(crate) fn request(&self, key: &Key, request: RefreshRequest) {
        self.with(key, |memory| RefreshRequest::note(&mut memory.requested, request));
    }
}

/// Whether a refresh looks only at the tree.
pub(crate) fn is_tree_only(compare_with: CompareWith) -> bool {
    compare_with == CompareWith::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_more_than_what_begins_stays() {
        let (memories, key) = (Memories::default(), Key::new("argocd", "a"));
        let request = |level| RefreshRequest {
            level,
            compare_with: CompareWith::Latest,
            cause: RefreshCause::Requested("for the test".into()),
        };
        let left = |level| {
            memories.with(&key, |memory| {
                RefreshRequest::answer(&mut memory.requested, level, CompareWith::Latest);
                memory.requested.is_some()
            })
        };
        memories.request(&key, request(RefreshType::Hard));
        memories.request(&key, request(RefreshType::Normal));
        assert!(left(RefreshType::Normal), "a hard one was asked for");
        assert!(!left(RefreshType::Hard));
    }
}
