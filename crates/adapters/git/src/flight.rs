//! Many who ask the same at the same time share one answer.

use std::{
    collections::HashMap,
    future::Future,
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared},
};

/// Work in progress by key. Who asks while work for the key is under way gets its result; when all who wait are
/// gone, the work is dropped.
pub(crate) struct Flights<K, T> {
    under_way: Mutex<HashMap<K, Flight<T>>>,
}

struct Flight<T> {
    started: Arc<AtomicBool>,
    work: WeakShared<BoxFuture<'static, T>>,
}

/// Told by the work when it begins to look at the world: from then on its answer may be older than a question.
#[derive(Clone, Default)]
pub(crate) struct Start(Arc<AtomicBool>);

impl Start {
    pub(crate) fn mark(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl<K, T> Default for Flights<K, T> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

impl<K: Eq + Hash, T: Clone + Send + Sync + 'static> Flights<K, T> {
    /// Joins the work for `key` or starts it. With `unstarted`, work that has begun is not joined: its answer may be
    /// older than this question.
    pub(crate) fn join<F>(
        &self,
        key: K,
        unstarted: bool,
        work: impl FnOnce(Start) -> F,
    ) -> Shared<BoxFuture<'static, T>>
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, flight| flight.work.upgrade().is_some_and(|work| work.peek().is_none()));
        if let Some(flight) = under_way.get(&key)
            && !(unstarted && flight.started.load(Ordering::SeqCst))
            && let Some(work) = flight.work.upgrade()
        {
            return work;
        }
        let start = Start::default();
        let work = work(start.clone()).boxed().shared();
        if let Some(weak) = work.downgrade() {
            under_way.insert(key, Flight { started: start.0, work: weak });
        }
        work
    }
}
