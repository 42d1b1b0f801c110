//! The application-controller: watches applications and clusters, compares, syncs, deletes. Every decision is made
//! in `reconcile`, `compare` and `sync`; here they are given what they ask for and what they say is done.

mod clusters;
mod comparing;
mod deleting;
mod effects;
mod extract;
mod manifests;
mod memory;
mod operating;
mod options;
mod queue;
mod reconciling;
mod refreshing;
mod rules;
mod situation;
mod telling;
mod trees;
mod watching;

pub use options::Options;

use crate::clusters::{ClusterNotice, Clusters};
use crate::memory::Memories;
use crate::queue::Queue;
use crate::rules::Rules;
use api::v1alpha1::Application;
use boot::stop::Stop;
use bytes::Bytes;
use cache::Cache;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, PoisonError, RwLock};
use store::{StatusChange, Store, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;
use wire::repository::repo_server_service_client::RepoServerServiceClient;

/// The component's name, as its binary is called.
pub const COMPONENT: &str = "argocd-application-controller";

/// What a controller is made of.
pub struct Parts {
    /// The hub's objects.
    pub store: Store,
    /// The repo-server.
    pub repo_server: Channel,
    /// Where trees and differences go.
    pub cache: Cache,
}

/// The controller.
pub struct Controller {
    store: Store,
    repo_server: RepoServerServiceClient<Channel>,
    cache: Cache,
    options: Options,
    rules: Arc<RwLock<Arc<Rules>>>,
    clusters: Clusters,
    queue: Queue,
    memories: Memories,
    operations: Arc<Semaphore>,
    effects: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: Stop,
    versions: RwLock<std::collections::BTreeMap<String, String>>,
}

/// Runs a controller until it is stopped.
pub async fn run(options: Options, parts: Parts, stop: Stop) -> Result<(), StoreError> {
    parts.store.ready().await?;
    let (notices, inbox) = mpsc::unbounded_channel();
    let controller = Arc::new(Controller::new(options, parts, notices, stop.clone()));
    controller.clone().work(inbox).await;
    controller.tasks.close();
    controller.tasks.wait().await;
    controller.clusters.stop().await;
    Ok(())
}

impl Controller {
    fn new(
        options: Options,
        parts: Parts,
        notices: mpsc::UnboundedSender<ClusterNotice>,
        stop: Stop,
    ) -> Self {
        let (rules, problems) = Rules::parse(&parts.store.config_map("argocd-cm"));
        for problem in problems {
            tracing::warn!(key = problem.key, "argocd-cm: {}", problem.message);
        }
        let rules = Arc::new(RwLock::new(Arc::new(rules)));
        let repo_server = RepoServerServiceClient::new(parts.repo_server)
            .max_decoding_message_size(wire::MESSAGE_LIMIT)
            .max_encoding_message_size(wire::MESSAGE_LIMIT);
        Self {
            clusters: Clusters::new(parts.store.clone(), rules.clone(), options.limits.clone(), notices),
            operations: Arc::new(Semaphore::new(options.operation_processors)),
            effects: Arc::new(Semaphore::new(options.parallel_effects)),
            store: parts.store,
            repo_server,
            cache: parts.cache,
            options,
            rules,
            queue: Queue::default(),
            memories: Memories::default(),
            tasks: TaskTracker::new(),
            stop,
            versions: RwLock::default(),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn repo_server(&self) -> &RepoServerServiceClient<Channel> {
        &self.repo_server
    }

    pub(crate) fn options(&self) -> &Options {
        &self.options
    }

    pub(crate) fn clusters(&self) -> &Clusters {
        &self.clusters
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }

    pub(crate) fn memories(&self) -> &Memories {
        &self.memories
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(crate) fn rules(&self) -> Arc<Rules> {
        self.rules.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        self.stop.asked()
    }

    /// A place among the operations worked on at once.
    pub(crate) async fn operation_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.operations.clone().acquire_owned().await.ok()
    }

    /// A place among the writes to destinations at once.
    pub(crate) async fn effect_permit(&self) -> Option<OwnedSemaphorePermit> {
        self.effects.clone().acquire_owned().await.ok()
    }

    /// Settings that decisions depend on.
    pub(crate) fn decision_settings(&self) -> reconcile::Settings {
        let seconds =
            |duration: std::time::Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let reconciliation = &self.rules().reconciliation;
        let options = &self.options;
        let hard = if options.hard_resync.is_zero() {
            seconds(reconciliation.hard_refresh)
        } else {
            options.hard_resync
        };
        reconcile::Settings {
            resync: options.resync.unwrap_or_else(|| seconds(reconciliation.refresh)),
            hard_resync: hard,
            sync_timeout: options.sync_timeout,
            self_heal_timeout: options.self_heal_timeout,
            self_heal_backoff: options.self_heal_backoff,
        }
    }

    /// Whether the destination's Secret says that the cluster is to be left alone.
    pub(crate) fn is_cluster_skipped(&self, application: &Application) -> bool {
        let rules = self.rules();
        let destination = &application.spec.destination;
        let found = if destination.server.is_empty() {
            self.store.clusters_by_name(&destination.name, rules.in_cluster_enabled).into_iter().next()
        } else {
            Some(self.store.cluster_by_server(&destination.server, rules.in_cluster_enabled))
        };
        let Some(Ok(cluster)) = found else { return false };
        let annotation = cluster.reveal().annotations.get(api::names::SKIP_RECONCILE).cloned();
        annotation.is_some_and(|value| matches!(value.as_str(), "true" | "1" | "t" | "T" | "TRUE" | "True"))
    }

    /// The version of a destination, asked once.
    pub(crate) async fn kube_version(&self, server: &str) -> String {
        let known = self.versions.read().unwrap_or_else(PoisonError::into_inner).get(server).cloned();
        if let Some(known) = known {
            return known;
        }
        let connected = self.clusters.connected_now().await;
        let Some(destination) = connected.into_iter().find(|destination| destination.server == server) else {
            return String::new();
        };
        let Ok(version) = destination.cache.cluster().version().await else { return String::new() };
        let version = version.git_version;
        self.versions
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(server.to_owned(), version.clone());
        version
    }

    /// Keeps a value for the API server; says whether that went well. A lost cache costs time only.
    pub(crate) async fn cache_set(&self, key: &str, value: Vec<u8>) -> bool {
        let kept = self.cache.set(key, Bytes::from(value), self.options.keep_state).await;
        kept.inspect_err(|error| tracing::warn!(%error, key, "write the cache")).is_ok()
    }

    pub(crate) async fn cache_publish(&self, channel: &str) {
        if let Err(error) = self.cache.publish(channel).await {
            tracing::debug!(%error, channel, "publish");
        }
    }

    /// Writes a status whose loss would cost an operation its end: tried until the hub takes it, or the
    /// application is another.
    pub(crate) async fn write_again(&self, change: StatusChange<'_>) -> Result<(), StoreError> {
        let mut wait = std::time::Duration::from_millis(200);
        loop {
            match self.store.write_status(change).await {
                Err(StoreError::Cluster(error)) if error.retry_helps() => {
                    tracing::warn!(%error, "write status again");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        () = self.stop.asked() => return Err(StoreError::Cluster(error)),
                    }
                    wait = (wait * 2).min(std::time::Duration::from_secs(10));
                }
                other => return other.map(drop),
            }
        }
    }

    /// The application with its spec as the original normalises it; nothing to do so far but to read it.
    pub(crate) fn normalised(&self, mut application: Application) -> Application {
        if application.spec.project.is_empty() {
            application.spec.project = api::names::DEFAULT_PROJECT.into();
        }
        application
    }
}
