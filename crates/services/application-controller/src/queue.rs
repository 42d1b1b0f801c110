//! Which applications are to be looked at: each at most once at a time, however often it is asked for.

use crate::metrics::{Metrics, QueueName};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

/// An application: namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// What somebody waits for goes before what is merely due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Urgency {
    /// A user, a push, a change of the cluster.
    Asked,
    /// Time has passed.
    Periodic,
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Notify,
    metrics: Metrics,
}

#[derive(Debug, Default)]
struct State {
    sequence: u64,
    /// Waiting, in order.
    order: BTreeSet<(Urgency, u64, Key)>,
    waiting: BTreeMap<Key, (Urgency, u64, Instant)>,
    /// Being looked at since then; those asked for again meanwhile have an urgency.
    running: BTreeMap<Key, (Option<Urgency>, Instant)>,
}

impl State {
    fn add(&mut self, key: Key, urgency: Urgency) {
        let mut since = Instant::now();
        if let Some((known, sequence, waits_since)) = self.waiting.get(&key).copied() {
            if known <= urgency {
                return;
            }
            since = waits_since;
            self.order.remove(&(known, sequence, key.clone()));
        }
        self.sequence += 1;
        self.waiting.insert(key.clone(), (urgency, self.sequence, since));
        self.order.insert((urgency, self.sequence, key));
    }
}

impl Queue {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), metrics }
    }

    /// Asks for an application to be looked at.
    pub(crate) fn add(&self, key: Key, urgency: Urgency) {
        {
            let mut state = self.lock();
            if let Some((again, _)) = state.running.get_mut(&key) {
                *again = Some(again.map_or(urgency, |before| before.min(urgency)));
                return;
            }
            state.add(key, urgency);
            self.metrics.queued(QueueName::Reconciliation, state.waiting.len());
        }
        self.changed.notify_one();
    }

    /// The next application; it is nobody else's until [`Queue::done`].
    pub(crate) async fn next(&self) -> Key {
        loop {
            let changed = self.changed.notified();
            if let Some(key) = self.take() {
                return key;
            }
            changed.await;
        }
    }

    fn take(&self) -> Option<Key> {
        let mut state = self.lock();
        let (_, _, key) = state.order.pop_first()?;
        let now = Instant::now();
        let since = state.waiting.remove(&key).map_or(now, |(_, _, since)| since);
        state.running.insert(key.clone(), (None, now));
        self.metrics.taken(QueueName::Reconciliation, now - since, state.waiting.len());
        if !state.order.is_empty() {
            self.changed.notify_one();
        }
        Some(key)
    }

    /// Says that an application was looked at.
    pub(crate) fn done(&self, key: &Key) {
        let again = {
            let mut state = self.lock();
            let ended = state.running.remove(key);
            let again = ended.and_then(|(again, _)| again);
            if let Some((_, since)) = ended {
                self.metrics.worked(QueueName::Reconciliation, since.elapsed(), again.is_some());
            }
            if let Some(urgency) = again {
                state.add(key.clone(), urgency);
            }
            again
        };
        if again.is_some() {
            self.changed.notify_one();
        }
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Key, Metrics, Queue, Urgency};

    #[tokio::test]
    async fn an_application_is_looked_at_by_one_at_a_time_and_again_when_asked_meanwhile() {
        let queue = Queue::new(Metrics::new(&boot::metrics::registry()));
        let (a, b) = (Key::new("argocd", "a"), Key::new("argocd", "b"));
        queue.add(a.clone(), Urgency::Periodic);
        queue.add(b.clone(), Urgency::Periodic);
        queue.add(b.clone(), Urgency::Asked);
        assert_eq!(queue.next().await, b);
        queue.add(b.clone(), Urgency::Asked);
        assert_eq!(queue.next().await, a);
        assert_eq!(queue.len(), 0);
        queue.done(&b);
        assert_eq!(queue.next().await, b);
        queue.done(&b);
        queue.done(&a);
        assert_eq!(queue.len(), 0);
    }
}
