//! Destination clusters: each connected at its first use, its live state kept from then on.

use crate::extract::LiveExtract;
use crate::rules::Rules;
use cluster_cache::{ClusterCache, Notice, Options};
use kubernetes::Limits;
use object::{GroupKind, Secret};
use settings::RespectRbac;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use store::{Store, StoreError};
use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, mpsc};

/// The live state of a cluster.
pub(crate) type Cache = ClusterCache<LiveExtract>;

/// A connected destination.
#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) cache: Cache,
    pub(crate) server: String,
    /// Places for what is written to it at once: one that is slow holds up no other.
    writes: Arc<Semaphore>,
    /// Of what the connection was made from; another means connecting anew.
    fingerprint: u64,
    /// The generation of the registrations that it was last compared with.
    checked: Arc<AtomicU64>,
}

impl Destination {
    /// A place among what is written at once.
    pub(crate) async fn write_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.writes.clone().acquire_owned().await.ok()
    }
}

/// Something that happened in a destination.
pub(crate) struct ClusterNotice {
    pub(crate) server: String,
    pub(crate) notice: Notice,
}

/// All destinations of this process.
pub(crate) struct Clusters {
    store: Store,
    rules: Arc<RwLock<Arc<Rules>>>,
    limits: Limits,
    /// Writes to one destination at once.
    parallel_writes: usize,
    open: RwLock<BTreeMap<String, Destination>>,
    /// Held while one cluster is connected: one that does not answer holds up nobody else's.
    connecting: std::sync::Mutex<BTreeMap<String, Arc<Mutex<()>>>>,
    notices: mpsc::UnboundedSender<ClusterNotice>,
    hashes: RandomState,
}

impl Clusters {
    pub(crate) fn new(
        store: Store,
        rules: Arc<RwLock<Arc<Rules>>>,
        limits: Limits,
        parallel_writes: usize,
        notices: mpsc::UnboundedSender<ClusterNotice>,
    ) -> Self {
        let (open, connecting) = (RwLock::default(), std::sync::Mutex::default());
        let hashes = RandomState::new();
        Self { store, rules, limits, parallel_writes, open, connecting, notices, hashes }
    }

    /// The destination at a server URL, connected and with its live state listed, but for kinds that keep silent or came
    /// later. The error is what users are told.
    pub(crate) async fn destination(&self, server: &str) -> Result<Destination, String> {
        let destination = self.connected(server).await?;
        // The version is what a cluster is asked for first, as in the original.
        let ready = destination.cache.ready().await;
        ready.map_err(|error| format!("failed to get server version: {error}"))?;
        Ok(destination)
    }

    /// The destinations that are connected now.
    pub(crate) fn open_now(&self) -> Vec<Destination> {
        self.open().values().cloned().collect()
    }

    /// A destination, if it is connected now.
    pub(crate) fn known(&self, server: &str) -> Option<Destination> {
        self.open().get(server).cloned()
    }

    fn open(&self) -> RwLockReadGuard<'_, BTreeMap<String, Destination>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn open_mut(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Destination>> {
        self.open.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has nothing judged by what is known now: the rules by which objects are read are about to change.
    pub(crate) fn suspend(&self) {
        for destination in self.open().values() {
            destination.cache.suspend();
        }
    }

    /// Reads everything anew: the rules by which objects are read changed.
    pub(crate) fn invalidate(&self) {
        for destination in self.open().values() {
            destination.cache.invalidate();
        }
    }

    /// Stops watching.
    pub(crate) async fn stop(&self) {
        let open = std::mem::take(&mut *self.open_mut());
        for destination in open.into_values() {
            destination.cache.stop().await;
        }
    }

    /// The same, whether or not everything is listed.
    pub(crate) async fn connected(&self, server: &str) -> Result<Destination, String> {
        let rules = self.rules();
        // Read before what it is the generation of.
        let generation = self.store.secrets().generation();
        let enabled = rules.in_cluster_enabled || server != api::names::IN_CLUSTER_SERVER;
        if let Some(destination) = self.known(server)
            && enabled
            && destination.checked.load(Ordering::SeqCst) == generation
        {
            return Ok(destination);
        }
        let cluster = match self.store.cluster_by_server(server, rules.in_cluster_enabled) {
            Ok(cluster) => cluster,
            Err(error) => {
                self.close(server, "it is not registered any more").await;
                return Err(error.to_string());
            }
        };
        let fingerprint = self.fingerprint(&cluster);
        let current = |known: &Destination| known.fingerprint == fingerprint;
        if let Some(destination) = self.known(server).filter(current) {
            destination.checked.store(generation, Ordering::SeqCst);
            return Ok(destination);
        }
        let turn = {
            let mut connecting = self.connecting.lock().unwrap_or_else(PoisonError::into_inner);
            connecting.entry(server.to_owned()).or_default().clone()
        };
        let _turn = turn.lock().await;
        if let Some(destination) = self.known(server) {
            if current(&destination) {
                return Ok(destination);
            }
            self.close(server, "its registration changed").await;
        }
        let registered = cluster.reveal();
        let connected = self.store.connect(registered, self.limits.clone()).await;
        let connected = connected.map_err(|error| error.to_string())?;
        let options = self.options(server, &registered.namespaces, registered.cluster_resources);
        let cache = ClusterCache::start(connected, LiveExtract(self.rules.clone()), options);
        self.forward(server.to_owned(), &cache);
        let checked = Arc::new(AtomicU64::new(generation));
        let writes = Arc::new(Semaphore::new(self.parallel_writes));
        let destination = Destination { cache, server: server.to_owned(), writes, fingerprint, checked };
        self.open_mut().insert(server.to_owned(), destination.clone());
        Ok(destination)
    }

    /// Closes what is registered no more, so that nothing is watched with credentials that were taken away.
    pub(crate) async fn close_unregistered(&self) {
        let enabled = self.rules().in_cluster_enabled;
        for Destination { server, .. } in self.open_now() {
            if matches!(self.store.cluster_by_server(&server, enabled), Err(StoreError::NotFound { .. })) {
                self.close(&server, "it is not registered any more").await;
            }
        }
    }

    /// Stops watching a cluster, if it is connected.
    async fn close(&self, server: &str, reason: &str) {
        let gone = self.open_mut().remove(server);
        if let Some(destination) = gone {
            tracing::info!(server, reason, "a cluster is closed");
            destination.cache.stop().await;
        }
    }

    /// One number for a registration: the credentials in it are kept nowhere.
    fn fingerprint(&self, cluster: &Secret<api::v1alpha1::Cluster>) -> u64 {
        // A registration is always JSON.
        self.hashes.hash_one(serde_json::to_string(cluster.reveal()).unwrap_or_default())
    }

    fn options(&self, server: &str, namespaces: &[String], cluster_resources: bool) -> Options {
        let now = |rules: &RwLock<Arc<Rules>>| rules.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (rules, at) = (self.rules.clone(), server.to_owned());
        let excluded = move |kind: &GroupKind| now(&rules).filter.excludes(&kind.group, &kind.kind, &at);
        let (rules, at) = (self.rules.clone(), server.to_owned());
        let selector = move |kind: &GroupKind| now(&rules).filter.selector(&kind.group, &kind.kind, &at);
        let rules = self.rules.clone();
        let skip_forbidden = move || now(&rules).respect_rbac != RespectRbac::Off;
        Options {
            skip_forbidden: Arc::new(skip_forbidden),
            excluded: Arc::new(excluded),
            selector: Arc::new(selector),
            namespaces: namespaces.to_vec(),
            cluster_resources,
            keep_managed_fields: true,
            ..Options::default()
        }
    }

    fn forward(&self, server: String, cache: &Cache) {
        let mut subscription = cache.subscribe();
        let notices = self.notices.clone();
        tokio::spawn(async move {
            while let Some(notice) = subscription.next().await {
                if notices.send(ClusterNotice { server: server.clone(), notice }).is_err() {
                    return;
                }
            }
        });
    }

    fn rules(&self) -> Arc<Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
