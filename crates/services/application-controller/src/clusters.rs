//! Destination clusters: each connected at its first use, its live state kept from then on.

use crate::extract::LiveExtract;
use crate::rules::Rules;
use cluster_cache::{ClusterCache, Notice, Options};
use kubernetes::{Access, Cluster, Connection, Limits};
use object::GroupKind;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use store::Store;
use tokio::sync::{Mutex, mpsc};

/// The live state of a cluster.
pub(crate) type Cache = ClusterCache<LiveExtract>;

/// A connected destination.
#[derive(Clone)]
pub(crate) struct Destination {
    pub(crate) cache: Cache,
    pub(crate) server: String,
    /// What the connection was made from; another means connecting anew.
    fingerprint: String,
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
    open: Mutex<BTreeMap<String, Destination>>,
    notices: mpsc::UnboundedSender<ClusterNotice>,
}

impl Clusters {
    pub(crate) fn new(
        store: Store,
        rules: Arc<RwLock<Arc<Rules>>>,
        limits: Limits,
        notices: mpsc::UnboundedSender<ClusterNotice>,
    ) -> Self {
        Self { store, rules, limits, open: Mutex::default(), notices }
    }

    /// The destination at a server URL, connected and with its live state listed. The error is what users are told.
    pub(crate) async fn destination(&self, server: &str) -> Result<Destination, String> {
        let destination = self.connected(server).await?;
        destination.cache.ready().await.map_err(|error| error.to_string())?;
        Ok(destination)
    }

    /// The destinations that are connected now.
    pub(crate) async fn connected_now(&self) -> Vec<Destination> {
        self.open.lock().await.values().cloned().collect()
    }

    /// Reads everything anew: the rules by which objects are read changed.
    pub(crate) async fn invalidate(&self) {
        for destination in self.open.lock().await.values() {
            destination.cache.invalidate();
        }
    }

    /// Stops watching.
    pub(crate) async fn stop(&self) {
        let open = std::mem::take(&mut *self.open.lock().await);
        for destination in open.into_values() {
            destination.cache.stop().await;
        }
    }

    async fn connected(&self, server: &str) -> Result<Destination, String> {
        let rules = self.rules();
        let cluster = self
            .store
            .cluster_by_server(server, rules.in_cluster_enabled)
            .map_err(|error| error.to_string())?;
        let fingerprint = serde_json::to_string(cluster.reveal()).unwrap_or_default();
        let mut open = self.open.lock().await;
        if let Some(destination) = open.get(server) {
            if destination.fingerprint == fingerprint {
                return Ok(destination.clone());
            }
            // Its credentials changed.
            destination.cache.stop().await;
            open.remove(server);
        }
        let registered = cluster.reveal();
        let own = server == api::names::IN_CLUSTER_SERVER && registered.config == Default::default();
        let connected = if own {
            self.store.cluster().clone()
        } else {
            let config = Box::new(registered.config.clone());
            let access = Access::Server { server: registered.server.clone(), config };
            let connection = Connection { access, impersonate: None, limits: self.limits.clone() };
            Cluster::connect(&connection).await.map_err(|error| error.to_string())?
        };
        let options = self.options(server, &registered.namespaces, registered.cluster_resources);
        let cache = ClusterCache::start(connected, LiveExtract(self.rules.clone()), options);
        self.forward(server.to_owned(), &cache);
        let destination = Destination { cache, server: server.to_owned(), fingerprint };
        open.insert(server.to_owned(), destination.clone());
        Ok(destination)
    }

    fn options(&self, server: &str, namespaces: &[String], cluster_resources: bool) -> Options {
        let (rules, server) = (self.rules.clone(), server.to_owned());
        let excluded = move |kind: &GroupKind| {
            let rules = rules.read().unwrap_or_else(PoisonError::into_inner).clone();
            rules.filter.excludes(&kind.group, &kind.kind, &server)
        };
        Options {
            excluded: Arc::new(excluded),
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
