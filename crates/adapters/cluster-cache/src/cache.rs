//! The cache of one cluster, as its users hold it.

use crate::entry::{Entry, ResourceVersion, Uid};
use crate::extract::Extract;
use crate::health::{Health, Scope};
use crate::index::{Change, Index, Node};
use crate::options::Options;
use crate::status::{KindState, Stats};
use crate::subscribe::{BACKLOG, Notice, Subscription};
use crate::supervise;
use kubernetes::{ApiResource, Cluster, Error};
use object::{GroupKind, GroupVersionKind, Object, ResourceKey};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, broadcast};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// What is live in one cluster. Cheap to clone; clones share everything. Watching goes on until
/// [`ClusterCache::stop`].
pub struct ClusterCache<E: Extract>(Arc<Shared<E>>);

impl<E: Extract> Clone for ClusterCache<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// Why a live object could not be said to be there or not.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LiveError {
    /// The kind is tainted: what the cache knows of it may be wrong.
    #[error("{kind} is not known now: {reason}")]
    Tainted {
        /// The kind.
        kind: GroupKind,
        /// Why.
        reason: String,
    },
    /// Not everything has been listed yet.
    #[error("the cluster's objects are being listed")]
    Filling,
    /// Only some namespaces are watched: an object that is in none is nobody's here.
    #[error("cluster level {kind} {name:?} can not be managed when in namespaced mode")]
    ClusterLevel {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// Only some namespaces are watched, and not the object's.
    #[error("namespace {namespace:?} for {kind} {name:?} is not managed")]
    Elsewhere {
        /// Its namespace.
        namespace: String,
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
    /// The cluster did not answer.
    #[error(transparent)]
    Cluster(#[from] Error),
    /// The object did not become what was waited for.
    #[error("wait for {key} at version {version}: not seen within {}s", .timeout.as_secs())]
    Deadline {
        /// The object.
        key: Box<ResourceKey>,
        /// The version.
        version: String,
        /// How long was waited.
        timeout: Duration,
    },
}

pub(crate) struct Shared<E: Extract> {
    pub(crate) cluster: Cluster,
    pub(crate) extract: E,
    pub(crate) options: Options,
    pub(crate) index: RwLock<Index<E::Info>>,
    pub(crate) health: RwLock<Health>,
    /// Rung at every change of the index or of the health.
    pub(crate) changed: Notify,
    /// Rung when the cluster should be asked what it serves.
    pub(crate) rediscover: Notify,
    /// Rung when everything should be listed anew.
    pub(crate) restart: Notify,
    pub(crate) lists: Semaphore,
    pub(crate) notices: broadcast::Sender<Notice>,
    pub(crate) cancel: CancellationToken,
    task: std::sync::Mutex<Option<JoinHandle<()>>>,
}

impl<E: Extract> ClusterCache<E> {
    /// Starts to watch a cluster. Must be called within a tokio runtime.
    pub fn start(cluster: Cluster, extract: E, options: Options) -> Self {
        let shared = Arc::new(Shared {
            cluster,
            extract,
            index: RwLock::new(Index::new(options.keep_managed_fields)),
            health: RwLock::new(Health::default()),
            changed: Notify::new(),
            rediscover: Notify::new(),
            restart: Notify::new(),
            lists: Semaphore::new(options.concurrent_lists.max(1)),
            options,
            notices: broadcast::channel(BACKLOG).0,
            cancel: CancellationToken::new(),
            task: std::sync::Mutex::new(None),
        });
        let task = tokio::spawn(supervise::run(shared.clone()));
        *shared.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        Self(shared)
    }

    /// Waits until the cluster is known for the first time, since the start or since [`ClusterCache::invalidate`]. An
    /// error when the cluster itself cannot be talked to; it goes on trying in the background all the same.
    ///
    /// The first time every kind is waited for, since any of them may hold objects with an application's mark, or pods that
    /// belong into its tree: who looked earlier would compare with half of what is there, and show it. But for one:
    /// a kind whose list is not answered within [`Options::silence`]. It holds up who uses it, by
    /// [`ClusterCache::listed`], and nobody else; what it adds to others' trees they are told at the end of its list, with
    /// [`Notice::Kinds`]. A kind that appears later is not waited for here at all: a moment before nobody knew that it is
    /// there, and its list wakes everybody in the same way.
    pub async fn ready(&self) -> Result<(), LiveError> {
        self.until(|health| {
            if health.is_filled() {
                return Some(Ok(()));
            }
            self.out_of_reach(health).map(Err)
        })
        .await
        .unwrap_or(Err(LiveError::Filling))
    }

    /// Waits until these kinds have been listed once, or are tainted, or are not watched, or nothing of the cluster is known
    /// and it cannot be reached. Whoever judges by kinds waits for them here and asks [`ClusterCache::managed_now`] and
    /// [`ClusterCache::require`] afterwards.
    pub async fn listed(&self, kinds: &BTreeSet<GroupKind>) {
        self.until(|health| {
            let is_over = !health.is_listing(|kind| kinds.contains(kind));
            (is_over || self.out_of_reach(health).is_some()).then_some(())
        })
        .await;
    }

    /// Waits until every kind has been listed once or is tainted. For what cannot be taken back, and must not be decided by
    /// what nobody has looked at. An error when the cluster cannot be talked to, or the cache is stopped meanwhile.
    pub async fn all_listed(&self) -> Result<(), LiveError> {
        self.until(|health| {
            if health.discovered && !health.stale && !health.is_listing(|_| true) {
                return Some(Ok(()));
            }
            self.out_of_reach(health).map(Err)
        })
        .await
        .unwrap_or(Err(LiveError::Filling))
    }

    /// The error where the cluster is not known, and cannot be talked to.
    fn out_of_reach(&self, health: &Health) -> Option<LiveError> {
        let reason = health.connection_error.clone().filter(|_| !health.is_filled())?;
        let action = format!("reach {}", self.0.cluster.server());
        Some(Error::Transport { action, reason }.into())
    }

    /// Waits until there is an answer. Nothing when the cache is stopped: there is never going to be one.
    async fn until<T>(&self, answer: impl Fn(&Health) -> Option<T>) -> Option<T> {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let found = answer(&self.0.health());
            if found.is_some() {
                return found;
            }
            tokio::select! {
                () = changed => {}
                () = self.0.cancel.cancelled() => return None,
            }
        }
    }

    /// Stops watching and waits until nothing runs any more.
    pub async fn stop(&self) {
        self.0.cancel.cancel();
        let task = self.0.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            // A panic in the task has been reported where it happened; there is nothing left to stop.
            let _ = task.await;
        }
    }

    /// The cluster this is the cache of.
    pub fn cluster(&self) -> &Cluster {
        &self.0.cluster
    }

    /// One object, as known.
    pub fn get(&self, key: &ResourceKey) -> Option<Arc<Entry<E::Info>>> {
        self.0.index().get(key)
    }

    /// The object with a uid.
    pub fn by_uid(&self, uid: &Uid) -> Option<Arc<Entry<E::Info>>> {
        self.0.index().by_uid(uid)
    }

    /// What is kept of the objects an application manages, by key.
    pub fn managed_entries(&self, application: &str) -> Vec<Arc<Entry<E::Info>>> {
        self.0.index().managed(application)
    }

    /// The objects an application manages. Costs what the application has, whatever the cluster holds. An error
    /// until everything has been listed once: an application must not look empty because nobody has looked yet.
    /// Single kinds may still be tainted; see [`ClusterCache::require`].
    pub fn managed(&self, application: &str) -> Result<BTreeMap<ResourceKey, Object>, LiveError> {
        // The lock is held only while the entries are picked; parsing happens outside it.
        let entries = self.managed_now(application)?;
        Ok(entries.iter().filter_map(|entry| Some((entry.key(), entry.manifest()?))).collect())
    }

    /// What is kept of the objects an application manages, by key; an error where [`ClusterCache::managed`] has one.
    pub fn managed_now(&self, application: &str) -> Result<Vec<Arc<Entry<E::Info>>>, LiveError> {
        let epoch = self.filled()?;
        let entries = self.managed_entries(application);
        if self.filled()? != epoch {
            return Err(LiveError::Filling);
        }
        Ok(entries)
    }

    /// How often the cache was emptied; an error while it is being filled.
    fn filled(&self) -> Result<u64, LiveError> {
        let health = self.0.health();
        health.last_sync.map(|_| health.epoch).ok_or(LiveError::Filling)
    }

    /// The whole object, wherever it must be read from: the cache when it is managed and of that version, else the
    /// API server. `None` when there is none. For objects a target names that carry no mark of an application.
    pub async fn get_live(
        &self,
        gvk: &GroupVersionKind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Object>, LiveError> {
        if let Some(known) = self.known_live(gvk, namespace, name) {
            return Ok(known);
        }
        Ok(self.0.cluster.find_kind(gvk, namespace, name).await?)
    }

    /// The same without asking anybody: nothing where the cache does not know.
    pub fn known_live(&self, gvk: &GroupVersionKind, namespace: &str, name: &str) -> Option<Option<Object>> {
        let key = ResourceKey::new(&gvk.group, &gvk.kind, namespace, name);
        if let Some(entry) = self.get(&key) {
            let whole = Some(entry).filter(|entry| *entry.version == *gvk.version)?.manifest()?;
            return Some(Some(whole));
        }
        let synced = self.kind_state(&gvk.group_kind()) == Some(KindState::Synced);
        (synced && self.covers(namespace) && !self.selects(&gvk.group_kind())).then_some(None)
    }

    /// Whether only some objects of a kind are watched: those with certain labels.
    pub fn selects(&self, kind: &GroupKind) -> bool {
        !(self.0.options.selector)(kind).is_empty()
    }

    /// Visits objects and everything they own; see [`Index::walk`].
    pub fn walk(&self, roots: &[ResourceKey], visit: impl FnMut(Node<E::Info>)) {
        self.0.index().walk(roots, visit);
    }

    /// The objects of a namespace that nothing owns.
    pub fn top_level(&self, namespace: &str) -> Vec<Arc<Entry<E::Info>>> {
        self.0.index().top_level(namespace)
    }

    /// The objects of a kind, in one namespace if given.
    pub fn of_kind(&self, kind: &GroupKind, namespace: Option<&str>) -> Vec<Arc<Entry<E::Info>>> {
        self.0.index().of_kind(kind, namespace)
    }

    /// Applications that manage something in the cluster.
    pub fn applications(&self) -> Vec<Arc<str>> {
        self.0.index().applications().into_iter().collect()
    }

    /// Reads the index under one lock, for answers that must be of one moment. Keep it short: events wait.
    pub fn read<T>(&self, reader: impl FnOnce(&Index<E::Info>) -> T) -> T {
        reader(&self.0.index())
    }

    /// Takes in an object a write gave back, so that the writer's next read sees it without waiting for the watch.
    pub fn observe(&self, object: &Object) {
        let state = self.kind_state(&object.group_kind());
        let version =
            self.0.health().resources.get(&object.group_kind()).map(|resource| resource.version.clone());
        let same_version = version.as_deref() == Some(object.gvk().version.as_str());
        let watched = self.covers(object.namespace()) && !self.selects(&object.group_kind());
        if state == Some(KindState::Synced) && same_version && watched {
            let extracted = self.0.extract.extract(object);
            let change = self.0.index_mut().observe(object, extracted);
            self.0.tell(change);
        }
    }

    /// Waits until the cache knows an object at a version or a newer one.
    pub async fn wait_for(
        &self,
        key: &ResourceKey,
        version: &str,
        timeout: Duration,
    ) -> Result<Arc<Entry<E::Info>>, LiveError> {
        let wanted = ResourceVersion::parse(version);
        let seen = |entry: &Arc<Entry<E::Info>>| entry.resource_version.covers(&wanted);
        self.wait(key, version, timeout, |found| found.filter(seen)).await
    }

    /// Waits until an object is gone, or another stands in its place.
    pub async fn wait_gone(&self, key: &ResourceKey, uid: &str, timeout: Duration) -> Result<(), LiveError> {
        let uid = Uid::parse(uid);
        self.wait(key, "none", timeout, |found| match found {
            Some(entry) if entry.uid == uid => None,
            _ => Some(()),
        })
        .await
    }

    async fn wait<T>(
        &self,
        key: &ResourceKey,
        version: &str,
        timeout: Duration,
        done: impl Fn(Option<Arc<Entry<E::Info>>>) -> Option<T>,
    ) -> Result<T, LiveError> {
        let waiting = async {
            loop {
                let changed = self.0.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = done(self.get(key)) {
                    return found;
                }
                changed.await;
            }
        };
        tokio::time::timeout(timeout, waiting).await.map_err(|_| LiveError::Deadline {
            key: Box::new(key.clone()),
            version: version.into(),
            timeout,
        })
    }

    /// How well a kind is known; `None` when it is not watched: excluded, or not served.
    pub fn kind_state(&self, kind: &GroupKind) -> Option<KindState> {
        let health = self.0.health();
        let from = Scope { kind: kind.clone(), namespace: None };
        let states: Vec<_> = health
            .scopes
            .range(from..)
            .take_while(|(scope, _)| scope.kind == *kind)
            .map(|(_, state)| state)
            .collect();
        let tainted = states.iter().find(|state| matches!(state, KindState::Tainted { .. }));
        let warming = states.iter().find(|state| ***state == KindState::Warming);
        if let Some(state) = tainted.or(warming) {
            return Some((**state).clone());
        }
        if let Some((_, reason)) = health.groups.iter().find(|((group, _), _)| *group == kind.group)
            && states.is_empty()
        {
            return Some(KindState::Tainted { reason: reason.clone() });
        }
        states.first().map(|state| (*state).clone())
    }

    /// An error unless a kind is known well enough to judge by.
    pub fn require(&self, kind: &GroupKind) -> Result<(), LiveError> {
        match self.kind_state(kind) {
            Some(KindState::Tainted { reason }) => Err(LiveError::Tainted { kind: kind.clone(), reason }),
            Some(KindState::Warming) => {
                Err(LiveError::Tainted { kind: kind.clone(), reason: "it is being listed".into() })
            }
            Some(KindState::Synced) | None => Ok(()),
        }
    }

    /// An error where a kind is not known well and was never listed: that no object of it is known says nothing then. What was
    /// listed once is known to have been there.
    pub fn require_listed(&self, kind: &GroupKind) -> Result<(), LiveError> {
        let required = self.require(kind);
        let health = self.0.health();
        let mut scopes = health.scopes.keys().filter(|scope| scope.kind == *kind).peekable();
        let listed = scopes.peek().is_some() && scopes.all(|scope| health.listed.contains(scope));
        if listed { Ok(()) } else { required }
    }

    /// The kinds that are tainted, and why.
    pub fn tainted(&self) -> BTreeMap<GroupKind, String> {
        let health = self.0.health();
        let reasons = health.scopes.iter().filter_map(|(scope, state)| match state {
            KindState::Tainted { reason } => Some((scope.kind.clone(), reason.clone())),
            _ => None,
        });
        reasons.collect()
    }

    /// Groups the cluster registers but cannot say anything about, and why.
    pub fn failed_groups(&self) -> BTreeMap<(String, String), String> {
        self.0.health().groups.clone()
    }

    /// The kinds that are watched, and how.
    pub fn resources(&self) -> Vec<ApiResource> {
        self.0.health().resources.values().cloned().collect()
    }

    /// Figures.
    pub fn stats(&self) -> Stats {
        let (resources, managed) = self.0.index().counts();
        let health = self.0.health();
        let count = |wanted: fn(&KindState) -> bool| {
            let kinds = health.scopes.iter().filter(|(_, state)| wanted(state)).map(|(scope, _)| &scope.kind);
            kinds.collect::<BTreeSet<_>>().len()
        };
        Stats {
            resources,
            managed,
            apis: count(|_| true),
            warming: count(|state| *state == KindState::Warming),
            tainted: count(|state| matches!(state, KindState::Tainted { .. })),
            last_sync: health.last_sync,
            connection_error: health.connection_error.clone(),
        }
    }

    /// Hears of what changes from now on.
    pub fn subscribe(&self) -> Subscription {
        Subscription(self.0.notices.subscribe())
    }

    /// Forgets everything and lists it anew: the tracking rule changed, or a user asked for it.
    pub fn invalidate(&self) {
        self.suspend();
        self.0.restart.notify_one();
    }

    /// Counts what is known as not known any more, until [`ClusterCache::invalidate`] has it listed anew: the rules by
    /// which it was read are about to change.
    pub fn suspend(&self) {
        let mut health = self.0.health_mut();
        health.stale = true;
        health.forget();
    }

    /// An error where objects like this one are not watched here, so that nobody would see what becomes of them.
    pub fn require_watched(&self, object: &Object) -> Result<(), LiveError> {
        if self.covers(object.namespace()) {
            return Ok(());
        }
        let (kind, name) = (object.kind().to_owned(), object.name().to_owned());
        Err(match object.namespace() {
            "" => LiveError::ClusterLevel { kind, name },
            namespace => LiveError::Elsewhere { namespace: namespace.to_owned(), kind, name },
        })
    }

    /// Whether objects of a namespace are watched at all; the empty one stands for those that are in none.
    pub fn covers(&self, namespace: &str) -> bool {
        let options = &self.0.options;
        match options.namespaces.as_slice() {
            [] => true,
            _ if namespace.is_empty() => options.cluster_resources,
            list => list.iter().any(|watched| watched == namespace),
        }
    }
}

impl<E: Extract> Shared<E> {
    pub(crate) fn index(&self) -> RwLockReadGuard<'_, Index<E::Info>> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index_mut(&self) -> RwLockWriteGuard<'_, Index<E::Info>> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health(&self) -> RwLockReadGuard<'_, Health> {
        self.health.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health_mut(&self) -> RwLockWriteGuard<'_, Health> {
        self.health.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an object in and tells of it.
    pub(crate) fn apply(&self, object: &Object) {
        let extracted = self.extract.extract(object);
        let change = self.index_mut().apply(object, extracted);
        self.tell(change);
    }

    /// Takes an object in without telling: while much is being listed for the first time.
    pub(crate) fn apply_quietly(&self, object: &Object) {
        let extracted = self.extract.extract(object);
        self.index_mut().apply(object, extracted);
    }

    pub(crate) fn tell(&self, changes: impl IntoIterator<Item = Change>) {
        let mut any = false;
        for change in changes {
            any = true;
            // Nobody listening is no failure.
            let _ = self.notices.send(Notice::Changed(Arc::new(change)));
        }
        if any {
            self.changed.notify_waiters();
        }
    }

    pub(crate) fn announce(&self, notice: Notice) {
        let _ = self.notices.send(notice);
        self.changed.notify_waiters();
    }

    /// Records how well a kind is known.
    pub(crate) fn set_state(&self, scope: &Scope, state: KindState) {
        let complete = {
            let mut health = self.health_mut();
            if health.stale {
                return;
            }
            // A kind that was left out comes back when it may be listed again. Kinds that are no longer served
            // have no task left that could call this.
            if !health.set(scope, state) {
                return;
            }
            health.complete()
        };
        self.announce(if complete { Notice::Everything } else { Notice::Kinds });
    }

    /// Records that the first list of a kind is not answered: only who uses the kind waits for it from now on.
    pub(crate) fn fall_silent(&self, scope: &Scope) {
        let complete = {
            let mut health = self.health_mut();
            if !health.fall_silent(scope) {
                return;
            }
            health.complete()
        };
        if complete {
            self.announce(Notice::Everything);
        }
    }

    /// Forgets a kind that is not watched after all.
    pub(crate) fn leave_out(&self, scope: &Scope) {
        let complete = {
            let mut health = self.health_mut();
            if !health.remove(scope) {
                return;
            }
            health.complete()
        };
        let gone = self.index_mut().remove_kind(&scope.kind, scope.namespace.as_deref());
        self.tell(gone);
        self.announce(if complete { Notice::Everything } else { Notice::Kinds });
    }
}
