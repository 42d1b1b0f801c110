//! A kind of the hub in memory, kept current by a watch, with a log of what changed.

use crate::error::StoreError;
use futures::StreamExt;
use kubernetes::{ApiResource, Cluster, Error, ListOptions, WatchEvent, WatchOptions};
use object::Object;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How many changes are remembered for watchers that come back.
const LOG: usize = 2048;
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

/// What is watched, and how it is read.
pub(crate) struct Source<T> {
    pub(crate) cluster: Cluster,
    pub(crate) resource: ApiResource,
    /// Empty for all namespaces.
    pub(crate) namespace: String,
    /// Objects it refuses are as if they were not there.
    pub(crate) keep: Box<dyn Fn(&Object) -> bool + Send + Sync>,
    pub(crate) decode: fn(&Object) -> Result<T, String>,
}

/// Namespace and name.
type Name = (Arc<str>, Arc<str>);

struct State<T> {
    items: BTreeMap<Name, Arc<Stored<T>>>,
    log: VecDeque<Arc<StoredEvent<T>>>,
    /// Changes at or before this version are no longer in the log.
    forgotten: u64,
    version: String,
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
            state: RwLock::new(State {
                items: BTreeMap::new(),
                log: VecDeque::new(),
                forgotten: 0,
                version: String::new(),
            }),
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
    pub(crate) fn observe(&self, object: Object) {
        self.0.apply(object);
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

impl<T: Send + Sync + 'static> Shared<T> {
    fn read<R>(&self, reader: impl FnOnce(&State<T>) -> R) -> R {
        reader(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<R>(&self, writer: impl FnOnce(&mut State<T>) -> R) -> R {
        writer(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    fn apply(&self, object: Object) {
        if !(self.source.keep)(&object) {
            self.delete(&object);
            return;
        }
        let version: Arc<str> = object.resource_version().into();
        let (namespace, name): (Arc<str>, Arc<str>) = (object.namespace().into(), object.name().into());
        let uid = object.uid().into();
        let known = self.read(|state| state.items.get(&(namespace.clone(), name.clone())).cloned());
        if known.as_ref().is_some_and(|known| !is_after(&version, &known.resource_version)) {
            return;
        }
        let content = match (self.source.decode)(&object) {
            Ok(value) => Content::Valid(Arc::new(value)),
            Err(reason) => Content::Invalid { object: Arc::new(object), reason },
        };
        let item = Arc::new(Stored {
            namespace: namespace.clone(),
            name: name.clone(),
            uid,
            resource_version: version.clone(),
            content,
        });
        self.write(|state| {
            let before = state.items.get(&(namespace.clone(), name.clone())).cloned();
            // Someone may have taken in a newer one while this was decoded.
            if before.as_ref().is_some_and(|known| !is_after(&version, &known.resource_version)) {
                return;
            }
            state.items.insert((namespace, name), item.clone());
            let kind = match &before {
                Some(before) if before.uid == item.uid => EventKind::Modified,
                _ => EventKind::Added,
            };
            self.record(state, StoredEvent { kind, item, before, resource_version: version });
        });
    }

    fn delete(&self, object: &Object) {
        let key = (Arc::from(object.namespace()), Arc::from(object.name()));
        let version: Arc<str> = object.resource_version().into();
        self.write(|state| {
            let Some(known) = state.items.get(&key) else { return };
            if &*known.uid != object.uid() || is_after(&known.resource_version, &version) {
                return;
            }
            self.remove(state, &key, version);
        });
    }

    fn remove(&self, state: &mut State<T>, key: &Name, version: Arc<str>) {
        if let Some(item) = state.items.remove(key) {
            let before = Some(item.clone());
            self.record(
                state,
                StoredEvent { kind: EventKind::Deleted, item, before, resource_version: version },
            );
        }
    }

    fn record(&self, state: &mut State<T>, event: StoredEvent<T>) {
        let event = Arc::new(event);
        if is_after(&event.resource_version, &state.version) {
            state.version = event.resource_version.to_string();
        }
        state.log.push_back(event.clone());
        if state.log.len() > LOG
            && let Some(oldest) = state.log.pop_front()
        {
            state.forgotten = state.forgotten.max(oldest.resource_version.parse().unwrap_or(u64::MAX));
        }
        // Nobody listening is no failure.
        let _ = self.events.send(event);
    }

    async fn list(&self) -> Result<String, Error> {
        let source = &self.source;
        let (objects, version) =
            source.cluster.list(&source.resource, &source.namespace, &ListOptions::default()).await?;
        let mut named = BTreeSet::new();
        for object in objects {
            if (source.keep)(&object) {
                named.insert((Arc::from(object.namespace()), Arc::from(object.name())));
            }
            self.apply(object);
        }
        self.write(|state| {
            let gone: Vec<_> = state
                .items
                .iter()
                .filter(|(key, item)| !named.contains(*key) && !is_after(&item.resource_version, &version))
                .map(|(key, _)| key.clone())
                .collect();
            for key in gone {
                self.remove(state, &key, version.as_str().into());
            }
            if state.version.is_empty() {
                // What happened before the first list cannot be told to anyone.
                state.forgotten = version.parse().unwrap_or(0);
                state.log.clear();
            }
            if is_after(&version, &state.version) {
                state.version.clone_from(&version);
            }
        });
        Ok(version)
    }

    async fn watch(&self, version: &mut String) -> Result<(), Error> {
        let source = &self.source;
        let options = WatchOptions::since(version.clone());
        let mut events = source.cluster.watch(&source.resource, &source.namespace, &options).await?;
        while let Some(event) = events.next().await {
            match event? {
                WatchEvent::Bookmark(seen) => *version = seen,
                WatchEvent::Added(object) | WatchEvent::Modified(object) => {
                    object.resource_version().clone_into(version);
                    self.apply(object);
                }
                WatchEvent::Deleted(object) => {
                    object.resource_version().clone_into(version);
                    self.delete(&object);
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
