//! A kind of the hub in memory, kept current by a watch, with a log of what changed.

use crate::error::StoreError;
use futures::StreamExt;
use kubernetes::{ApiResource, Cluster, Error, ListOptions, Listed, WatchEvent, WatchOptions};
use object::Object;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How many changes are remembered for watchers that come back.
const LOG: usize = 2048;
/// Objects per answer of a list: small enough that an answer is no burden.
const PAGE: u32 = 100;
/// How many changes a follower may fall behind.
const BACKLOG: usize = 2048;
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const LONGEST_BACKOFF: Duration = Duration::from_secs(20);

/// An object read as its type, or why that failed.
#[derive(Clone, Debug)]
pub enum Content<T> {
    /// It reads.
    Valid(Arc<T>),
    /// It does not: the object as it is, and which member is wrong.
    Invalid {
        /// The object.
        object: Arc<Object>,
        /// What is wrong with it.
        reason: String,
    },
}

/// One object in memory.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// Namespace.
    pub namespace: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Uid.
    pub uid: Arc<str>,
    /// Resource version.
    pub resource_version: Arc<str>,
    /// What it says.
    pub content: Content<T>,
}

impl<T> Stored<T> {
    /// The value, if the object reads.
    pub fn value(&self) -> Option<&Arc<T>> {
        match &self.content {
            Content::Valid(value) => Some(value),
            Content::Invalid { .. } => None,
        }
    }

    /// The value, or the error that tells which object is invalid and why.
    pub fn valid(&self, kind: &str) -> Result<Arc<T>, StoreError> {
        match &self.content {
            Content::Valid(value) => Ok(value.clone()),
            Content::Invalid { reason, .. } => Err(StoreError::Invalid {
                kind: kind.into(),
                namespace: self.namespace.to_string(),
                name: self.name.to_string(),
                reason: reason.clone(),
            }),
        }
    }
}

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// It is new.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change.
#[derive(Clone, Debug)]
pub struct StoredEvent<T> {
    /// What happened.
    pub kind: EventKind,
    /// The object after the change; before it, for deletions.
    pub item: Arc<Stored<T>>,
    /// The object before the change, if it was there.
    pub before: Option<Arc<Stored<T>>>,
    /// Resource version of the change.
    pub resource_version: Arc<str>,
}

/// Which objects of a kind the server is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selectors {
    /// Label selector; empty for all.
    pub labels: String,
    /// Field selector; empty for all.
    pub fields: String,
}

/// What is watched, and how it is read.
pub(crate) struct Source<T> {
    pub(crate) cluster: Cluster,
    pub(crate) resource: ApiResource,
    /// Empty for all namespaces.
    pub(crate) namespace: String,
    /// What the server is asked for; empty for all.
    pub(crate) selectors: Selectors,
    /// Objects it refuses are as if they were not there.
    pub(crate) keep: Box<dyn Fn(&Object) -> bool + Send + Sync>,
    pub(crate) decode: fn(&Object) -> Result<T, String>,
}

/// Who says that an object is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The list or the watch, in the order of what happened.
    ByWatch,
    /// The answer to a write, at any time.
    ByWrite,
}

/// Namespace and name.
type Name = (Arc<str>, Arc<str>);

struct State<T> {
    items: BTreeMap<Name, Arc<Stored<T>>>,
    log: VecDeque<Arc<StoredEvent<T>>>,
    /// Changes at or before this version are no longer in the log.
    forgotten: u64,
    version: String,
    /// Changes so far.
    generation: u64,
    /// How many changes are remembered.
    history: usize,
    /// How far the list and the deletions of the watch reach: what is of this version or before and not in
    /// `items` is gone.
    gone_until: String,
}

struct Shared<T> {
    source: Source<T>,
    state: RwLock<State<T>>,
    events: broadcast::Sender<Arc<StoredEvent<T>>>,
    ready: watch::Sender<Result<bool, String>>,
    cancel: CancellationToken,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

/// A kind of the hub in memory. Cheap to clone; clones share everything.
pub struct Watched<T>(Arc<Shared<T>>);

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Send + Sync + 'static> Watched<T> {
    pub(crate) fn start(source: Source<T>) -> Self {
        let shared = Arc::new(Shared {
            source,
            state: RwLock::new(State::new()),
            events: broadcast::channel(BACKLOG).0,
            ready: watch::channel(Ok(false)).0,
            cancel: CancellationToken::new(),
            task: std::sync::Mutex::new(None),
        });
        let task = tokio::spawn(run(shared.clone()));
        *shared.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Self(shared)
    }

    /// Waits for the first list; an error as soon as it failed once. It goes on trying all the same.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let mut ready = self.0.ready.subscribe();
        let state = ready.wait_for(|state| !matches!(state, Ok(false))).await;
        match state.as_deref() {
            Ok(Err(reason)) => Err(StoreError::Cluster(Error::Transport {
                action: format!("list {}", self.0.source.resource.gvk()),
                reason: reason.clone(),
            })),
            Ok(Ok(_)) | Err(_) => Ok(()),
        }
    }

    /// Stops watching.
    pub async fn stop(&self) {
        self.0.cancel.cancel();
        let task = self.0.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // A panic was reported where it happened.
            let _ = task.await;
        }
    }

    /// One object.
    pub fn get(&self, namespace: &str, name: &str) -> Option<Arc<Stored<T>>> {
        self.0.read(|state| state.items.get(&(namespace.into(), name.into())).cloned())
    }

    /// All objects, by namespace and name.
    pub fn list(&self) -> Vec<Arc<Stored<T>>> {
        self.0.read(|state| state.items.values().cloned().collect())
    }

    /// All objects that read.
    pub fn values(&self) -> Vec<Arc<T>> {
        self.0.read(|state| state.items.values().filter_map(|item| item.value().cloned()).collect())
    }

    /// All objects and the resource version they are of: where a watch goes on.
    pub fn snapshot(&self) -> (Vec<Arc<Stored<T>>>, String) {
        self.0.read(|state| (state.items.values().cloned().collect(), state.version.clone()))
    }

    /// How many changes there were: what was made of the objects is right for as long as it stays.
    pub fn generation(&self) -> u64 {
        self.0.read(|state| state.generation)
    }

    /// Remembers no changes for watchers that come back: where nobody watches, they are memory for nothing.
    pub fn forget_changes(&self) {
        self.0.write(|state| {
            state.history = 0;
            while let Some(oldest) = state.log.pop_front() {
                state.forgotten = state.forgotten.max(oldest.resource_version.parse().unwrap_or(u64::MAX));
            }
        });
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.0.read(|state| state.items.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Hears of changes from now on.
    pub fn follow(&self) -> Follower<T> {
        Follower { missed: VecDeque::new(), live: self.0.events.subscribe() }
    }

    /// Hears of every change after a resource version; an error when that is no longer remembered.
    pub fn follow_since(&self, version: &str) -> Result<Follower<T>, StoreError> {
        let since: u64 = version.parse().map_err(|_| StoreError::Expired)?;
        self.0.read(|state| {
            if since < state.forgotten {
                return Err(StoreError::Expired);
            }
            // Subscribing under the lock: no change falls between the log and the stream.
            let live = self.0.events.subscribe();
            let missed = state
                .log
                .iter()
                .filter(|event| event.resource_version.parse::<u64>().is_ok_and(|version| version > since))
                .cloned()
                .collect();
            Ok(Follower { missed, live })
        })
    }

    /// Takes in what a write gave back, so that the writer's next read sees it.
    /// Gives it as it is kept now, or back where it is not one to keep.
    pub(crate) fn observe(&self, object: Object) -> Result<Arc<Stored<T>>, Object> {
        self.0.apply(object, Told::ByWrite)
    }

    /// Takes out what was deleted just now, so that whoever deleted it no longer sees it.
    pub(crate) fn forget(&self, namespace: &str, name: &str, uid: &str) {
        self.0.write(|state| self.0.send(state.forget(namespace, name, uid)));
    }

    pub(crate) fn resource(&self) -> &ApiResource {
        &self.0.source.resource
    }
}

/// A stream of changes.
#[derive(Debug)]
pub struct Follower<T> {
    missed: VecDeque<Arc<StoredEvent<T>>>,
    live: broadcast::Receiver<Arc<StoredEvent<T>>>,
}

impl<T> Follower<T> {
    /// The next change. `Err` when the follower fell behind and must list anew; `None` when nothing comes any more.
    pub async fn next(&mut self) -> Option<Result<Arc<StoredEvent<T>>, StoreError>> {
        if let Some(event) = self.missed.pop_front() {
            return Some(Ok(event));
        }
        match self.live.recv().await {
            Ok(event) => Some(Ok(event)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Err(StoreError::Expired)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl<T> State<T> {
    fn new() -> Self {
        Self {
            items: BTreeMap::new(),
            log: VecDeque::new(),
            forgotten: 0,
            version: String::new(),
            generation: 0,
            history: LOG,
            gone_until: String::new(),
        }
    }

    fn apply(&mut self, item: Arc<Stored<T>>, told: Told) -> Option<Arc<StoredEvent<T>>> {
        let key = (item.namespace.clone(), item.name.clone());
        let version = item.resource_version.clone();
        let before = self.items.get(&key).cloned();
        // Someone may have taken in a newer one while this was decoded.
        if before.as_ref().is_some_and(|known| !is_after(&version, &known.resource_version)) {
            return None;
        }
        // The answer to a write may come after the news that its object is gone; nothing would ever take the
        // object out again.
        if told == Told::ByWrite && before.is_none() && !is_after(&version, &self.gone_until) {
            return None;
        }
        self.items.insert(key, item.clone());
        let kind = match &before {
            Some(before) if before.uid == item.uid => EventKind::Modified,
            _ => EventKind::Added,
        };
        Some(self.record(StoredEvent { kind, item, before, resource_version: version }))
    }

    fn delete(&mut self, object: &Object, told: Told) -> Option<Arc<StoredEvent<T>>> {
        let version: Arc<str> = object.resource_version().into();
        if told == Told::ByWatch {
            self.reach(&version);
        }
        let key = (Arc::from(object.namespace()), Arc::from(object.name()));
        let known = self.items.get(&key)?;
        if &*known.uid != object.uid() || is_after(&known.resource_version, &version) {
            return None;
        }
        if told == Told::ByWrite { self.remove_early(&key) } else { self.remove(&key, version) }
    }

    fn forget(&mut self, namespace: &str, name: &str, uid: &str) -> Option<Arc<StoredEvent<T>>> {
        let key = (Arc::from(namespace), Arc::from(name));
        self.items.get(&key).filter(|known| &*known.uid == uid)?;
        self.remove_early(&key)
    }

    /// Takes out what was deleted before the news of that has come. The answer to a deletion does not say its version:
    /// whoever goes on at the version that is known now must hear of it, and of all that really has the next one.
    fn remove_early(&mut self, key: &Name) -> Option<Arc<StoredEvent<T>>> {
        let version = self.version.clone();
        let next =
            version.parse::<u64>().map_or_else(|_| version.clone(), |version| (version + 1).to_string());
        let event = self.remove(key, next.into());
        self.version = version;
        event
    }

    /// Takes out what a list of that version did not name; what is newer stays.
    fn retain(&mut self, named: &BTreeSet<Name>, version: &str) -> Vec<Arc<StoredEvent<T>>> {
        self.reach(version);
        let gone: Vec<_> = self
            .items
            .iter()
            .filter(|(key, item)| !named.contains(*key) && !is_after(&item.resource_version, version))
            .map(|(key, _)| key.clone())
            .collect();
        let events = gone.iter().filter_map(|key| self.remove(key, version.into())).collect();
        if self.version.is_empty() {
            // What happened before the first list cannot be told to anyone.
            self.forgotten = version.parse().unwrap_or(0);
            self.log.clear();
        }
        if is_after(version, &self.version) {
            version.clone_into(&mut self.version);
        }
        events
    }

    fn reach(&mut self, version: &str) {
        if is_after(version, &self.gone_until) {
            version.clone_into(&mut self.gone_until);
        }
    }

    fn remove(&mut self, key: &Name, version: Arc<str>) -> Option<Arc<StoredEvent<T>>> {
        let item = self.items.remove(key)?;
        let before = Some(item.clone());
        Some(self.record(StoredEvent { kind: EventKind::Deleted, item, before, resource_version: version }))
    }

    fn record(&mut self, event: StoredEvent<T>) -> Arc<StoredEvent<T>> {
        let event = Arc::new(event);
        self.generation += 1;
        if is_after(&event.resource_version, &self.version) {
            self.version = event.resource_version.to_string();
        }
        self.log.push_back(event.clone());
        if self.log.len() > self.history
            && let Some(oldest) = self.log.pop_front()
        {
            self.forgotten = self.forgotten.max(oldest.resource_version.parse().unwrap_or(u64::MAX));
        }
        event
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    fn read<R>(&self, reader: impl FnOnce(&State<T>) -> R) -> R {
        reader(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<R>(&self, writer: impl FnOnce(&mut State<T>) -> R) -> R {
        writer(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes an object in; gives what is known of it then, which may be newer, or it back where it is not kept.
    fn apply(&self, object: Object, told: Told) -> Result<Arc<Stored<T>>, Object> {
        if !(self.source.keep)(&object) {
            self.delete(&object, told);
            return Err(object);
        }
        let version: Arc<str> = object.resource_version().into();
        let (namespace, name): (Arc<str>, Arc<str>) = (object.namespace().into(), object.name().into());
        let uid = object.uid().into();
        let known = self.read(|state| state.items.get(&(namespace.clone(), name.clone())).cloned());
        if let Some(known) = known.filter(|known| !is_after(&version, &known.resource_version)) {
            return Ok(known);
        }
        let content = match (self.source.decode)(&object) {
            Ok(value) => Content::Valid(Arc::new(value)),
            Err(reason) => Content::Invalid { object: Arc::new(object), reason },
        };
        let item = Arc::new(Stored { namespace, name, uid, resource_version: version, content });
        self.write(|state| self.send(state.apply(item.clone(), told)));
        Ok(item)
    }

    fn delete(&self, object: &Object, told: Told) {
        self.write(|state| self.send(state.delete(object, told)));
    }

    /// Sends under the lock of the state: followers hear in the order of the log.
    fn send(&self, events: impl IntoIterator<Item = Arc<StoredEvent<T>>>) {
        for event in events {
            // Nobody listening is no failure.
            let _ = self.events.send(event);
        }
    }

    async fn list(&self) -> Result<String, Error> {
        let source = &self.source;
        let mut named = BTreeSet::new();
        // One object at a time: all of them at once, as trees of JSON, would be many times what is kept of them.
        let each = |listed: Listed| match listed {
            Listed::Restarted => named.clear(),
            Listed::Object(object) => {
                if (source.keep)(&object) {
                    named.insert((Arc::from(object.namespace()), Arc::from(object.name())));
                }
                // Whether it is kept was just told.
                self.apply(object, Told::ByWatch).ok();
            }
        };
        let options = ListOptions {
            page_size: PAGE,
            label_selector: source.selectors.labels.clone(),
            field_selector: source.selectors.fields.clone(),
        };
        let version = source.cluster.list_each(&source.resource, &source.namespace, &options, each).await?;
        self.write(|state| self.send(state.retain(&named, &version)));
        Ok(version)
    }

    async fn watch(&self, version: &mut String) -> Result<(), Error> {
        let source = &self.source;
        let mut options = WatchOptions::since(version.clone());
        options.label_selector.clone_from(&source.selectors.labels);
        options.field_selector.clone_from(&source.selectors.fields);
        let mut events = source.cluster.watch(&source.resource, &source.namespace, &options).await?;
        while let Some(event) = events.next().await {
            match event? {
                WatchEvent::Bookmark(seen) => *version = seen,
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    object.resource_version().clone_into(version);
                    // One that is not kept is gone for all who ask.
                    self.apply(object, Told::ByWatch).ok();
                }
                WatchEvent::Deleted(object) => {
                    object.resource_version().clone_into(version);
                    self.delete(&object, Told::ByWatch);
                }
            }
        }
        Ok(())
    }

    /// Lists, then watches until the log of the server no longer reaches back.
    async fn keep_current(&self) -> Error {
        let mut version = match self.list().await {
            Ok(version) => version,
            Err(error) => return error,
        };
        let _ = self.ready.send_replace(Ok(true));
        let mut backoff = FIRST_BACKOFF;
        loop {
            let began = tokio::time::Instant::now();
            match self.watch(&mut version).await {
                Err(error) if error.is_gone() => return error,
                Err(error) => {
                    tracing::debug!(kind = %self.source.resource.gvk(), %error, "watch broke");
                }
                Ok(()) => {}
            }
            backoff = if began.elapsed() > Duration::from_secs(1) {
                FIRST_BACKOFF
            } else {
                (backoff * 2).min(LONGEST_BACKOFF)
            };
            tokio::time::sleep(backoff).await;
        }
    }
}

async fn run<T: Send + Sync + 'static>(shared: Arc<Shared<T>>) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let began = tokio::time::Instant::now();
        let error = tokio::select! {
            () = shared.cancel.cancelled() => return,
            error = shared.keep_current() => error,
        };
        if error.is_gone() && began.elapsed() > Duration::from_secs(1) {
            backoff = FIRST_BACKOFF;
            continue;
        }
        tracing::warn!(kind = %shared.source.resource.gvk(), %error, "the hub's objects cannot be listed");
        shared.ready.send_if_modified(|state| {
            let first = !matches!(state, Ok(true));
            if first {
                *state = Err(error.message());
            }
            first
        });
        tokio::select! {
            () = shared.cancel.cancelled() => return,
            () = tokio::time::sleep(backoff) => {}
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// Whether a resource version is newer. The hub's kinds are kept by the API server itself, whose versions are
/// numbers; others count as newer, so that nothing is missed.
fn is_after(left: &str, right: &str) -> bool {
    match (left.parse::<u64>(), right.parse::<u64>()) {
        (Ok(left), Ok(right)) => left > right,
        _ => left != right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(version: &str) -> Object {
        let metadata = json!({"name": "a", "namespace": "n", "uid": "u", "resourceVersion": version});
        Object::from_value(json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata})).unwrap()
    }

    fn item(version: &str) -> Arc<Stored<()>> {
        Arc::new(Stored {
            namespace: "n".into(),
            name: "a".into(),
            uid: "u".into(),
            resource_version: version.into(),
            content: Content::Valid(Arc::new(())),
        })
    }

    #[test]
    fn the_late_answer_to_a_write_does_not_bring_a_deleted_object_back() {
        let mut state = State::new();
        state.retain(&BTreeSet::new(), "3");
        assert!(state.apply(item("5"), Told::ByWrite).is_some(), "newer than the list");
        assert!(state.delete(&object("7"), Told::ByWatch).is_some());
        assert!(state.apply(item("6"), Told::ByWrite).is_none(), "the watch was already past it");
        assert!(state.items.is_empty());
        assert!(state.apply(item("9"), Told::ByWrite).is_some(), "made anew after the deletion");
    }

    #[test]
    fn a_deletion_by_ones_own_hand_is_told_to_who_goes_on_from_before_it() {
        let mut state = State::new();
        state.retain(&BTreeSet::new(), "5");
        state.apply(item("7"), Told::ByWatch);
        let event = state.delete(&object("7"), Told::ByWrite).expect("it is gone");
        assert!(is_after(&event.resource_version, "7"), "{}", event.resource_version);
        assert_eq!(state.version, "7", "what really has the next version is yet to come");
    }

    #[test]
    fn a_relist_that_does_not_name_an_object_is_news_of_its_end() {
        let mut state = State::new();
        state.retain(&BTreeSet::new(), "9");
        assert!(state.apply(item("8"), Told::ByWrite).is_none());
        assert!(state.apply(item("8"), Told::ByWatch).is_some(), "the watch itself is believed");
    }
}
