//! The application-controller: watches applications and clusters, compares, syncs, deletes. Every decision is made
//! in `reconcile`, `compare` and `sync`; here they are given what they ask for and what they say is done.

mod clusters;
mod comparing;
mod compute;
mod deleting;
mod effects;
mod extract;
mod manifests;
mod memory;
mod metrics;
mod operating;
mod options;
mod permitting;
mod predicting;
mod queue;
mod reconciling;
mod refreshing;
mod registrations;
mod rules;
mod sharding;
mod situation;
mod telling;
mod trees;
mod unchanged;
mod watching;

pub use metrics::Shown;
pub use options::Options;
pub use sharding::Share;

use crate::clusters::{ClusterNotice, Clusters, Destination};
use crate::compute::{Compute, DEADLINE};
use crate::memory::Memories;
use crate::metrics::{Described, Metrics};
use crate::queue::Queue;
use crate::registrations::Registrations;
use crate::rules::Rules;
use crate::situation::Situation;
use crate::telling::Teller;
use api::v1alpha1::Application;
use boot::metrics::SharedRegistry;
use boot::stop::Stop;
use bytes::Bytes;
use cache::Cache;
use diff::DiffOptions;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use store::{StatusChange, Store, StoreError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::task::TaskTracker;
use tonic::transport::Channel;
use wire::lookups::lookups_service_client::LookupsServiceClient;
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
    /// Where what is counted goes.
    pub registry: SharedRegistry,
}

/// Rules of comparing that were compiled under the settings in force, by what applications say of them.
type Compiled = (Option<Arc<Rules>>, BTreeMap<String, Result<DiffOptions, String>>);

/// So many different rules are kept compiled.
const MOST_COMPILED: usize = 512;
/// How long a cluster's version counts before it is asked again.
const VERSION_LIFE: SignedDuration = SignedDuration::from_mins(10);

/// The controller.
pub struct Controller {
    store: Store,
    repo_server: RepoServerServiceClient<Channel>,
    lookups: LookupsServiceClient<Channel>,
    cache: Cache,
    options: Options,
    rules: Arc<RwLock<Arc<Rules>>>,
    clusters: Clusters,
    queue: Queue,
    memories: Memories,
    operations: Arc<Semaphore>,
    tasks: TaskTracker,
    stop: Stop,
    versions: RwLock<BTreeMap<String, (String, Timestamp)>>,
    registrations: Registrations,
    compute: Compute,
    compiled: Mutex<Compiled>,
    metrics: Metrics,
    teller: Teller,
    /// Hashes that stand for what they are of: nobody can make two things that have the same.
    hashes: RandomState,
}

/// Runs a controller until it is stopped.
pub async fn run(options: Options, parts: Parts, stop: Stop) -> Result<(), StoreError> {
    parts.store.ready().await?;
    let (notices, inbox) = mpsc::unbounded_channel();
    let registry = parts.registry.clone();
    let controller = Arc::new(Controller::new(options, parts, notices, stop.clone()));
    let described = Box::new(Described(Arc::downgrade(&controller)));
    registry.lock().unwrap_or_else(PoisonError::into_inner).register_collector(described);
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
        let metrics = Metrics::new(&parts.registry);
        // Connections to destinations are measured as the hub is.
        parts.store.cluster().measure(Arc::new(metrics.clone()));
        let limit = options.message_limit;
        let lookups = LookupsServiceClient::new(parts.repo_server.clone())
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit);
        let repo_server = RepoServerServiceClient::new(parts.repo_server)
            .max_decoding_message_size(limit)
            .max_encoding_message_size(limit);
        Self {
            clusters: Clusters::new(
                parts.store.clone(),
                rules.clone(),
                options.limits.clone(),
                options.parallel_effects,
                notices,
            ),
            teller: Teller::new(&parts.store, options.events.clone()),
            compute: Compute::new(std::thread::available_parallelism().map_or(2, usize::from), DEADLINE),
            operations: Arc::new(Semaphore::new(options.operation_processors)),
            store: parts.store,
            repo_server,
            lookups,
            cache: parts.cache,
            options,
            rules,
            queue: Queue::new(metrics.clone()),
            memories: Memories::default(),
            tasks: TaskTracker::new(),
            stop,
            versions: RwLock::default(),
            registrations: Registrations::default(),
            compiled: Mutex::default(),
            metrics,
            hashes: RandomState::new(),
        }
    }

    pub(crate) fn registrations(&self) -> &Registrations {
        &self.registrations
    }

    pub(crate) fn compute(&self) -> &Compute {
        &self.compute
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn teller(&self) -> &Teller {
        &self.teller
    }

    /// One number for what is fed in.
    pub(crate) fn hash(&self, feed: impl FnOnce(&mut std::hash::DefaultHasher)) -> u64 {
        let mut hasher = self.hashes.build_hasher();
        feed(&mut hasher);
        hasher.finish()
    }

    /// How an application's objects are compared, compiled once for all who say the same.
    pub(crate) fn diff_options(
        &self,
        application: &Application,
        situation: &Situation,
    ) -> Result<DiffOptions, String> {
        let rules = &situation.rules;
        let spec = &application.spec;
        let options = spec.sync_policy.as_ref().map(|policy| &policy.sync_options);
        // A list of rules and one of options are always JSON.
        let said = serde_json::to_string(&(&spec.ignore_differences, options)).unwrap_or_default();
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if !compiled.0.as_ref().is_some_and(|of| Arc::ptr_eq(of, rules)) || compiled.1.len() >= MOST_COMPILED
        {
            *compiled = (Some(rules.clone()), BTreeMap::new());
        }
        let options = compiled.1.entry(said).or_insert_with(|| {
            compare::diff_options(application, &rules.customizations, rules.compare, &rules.tracking)
                .map_err(|error| error.to_string())
        });
        options.clone()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn repo_server(&self) -> &RepoServerServiceClient<Channel> {
        &self.repo_server
    }

    /// The repo-server, for renders that see the destination's cluster.
    pub(crate) fn lookups(&self) -> &LookupsServiceClient<Channel> {
        &self.lookups
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

    /// The version of a destination: what renders is told of it. It is asked again now and then, since clusters are
    /// upgraded under us; while it does not answer, what it said last counts.
    pub(crate) async fn kube_version(&self, destination: &Destination) -> Result<String, String> {
        let server = &destination.server;
        let known = self.versions.read().unwrap_or_else(PoisonError::into_inner).get(server).cloned();
        let now = self.now();
        if let Some((version, asked_at)) = &known
            && now.duration_since(*asked_at) < VERSION_LIFE
        {
            return Ok(version.clone());
        }
        let version = match (destination.cache.cluster().version().await, known) {
            (Ok(version), _) => version.plain(),
            (Err(_), Some((version, _))) => version,
            (Err(error), None) => {
                return Err(format!("failed to get cluster version for cluster {server:?}: {error}"));
            }
        };
        let mut versions = self.versions.write().unwrap_or_else(PoisonError::into_inner);
        versions.insert(server.clone(), (version.clone(), now));
        Ok(version)
    }

    /// The version of a destination, as far as it was asked.
    pub(crate) fn known_version(&self, server: &str) -> String {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        versions.get(server).map(|(version, _)| version.clone()).unwrap_or_default()
    }

    /// Whether the API server finds a value; one nobody can be asked about counts as found.
    pub(crate) async fn cache_has(&self, key: &str) -> bool {
        !matches!(self.cache.get(key).await, Ok(None))
    }

    /// Keeps a value for the API server; says whether that went well. A lost cache costs time only.
    pub(crate) async fn cache_set(&self, key: &str, value: Vec<u8>) -> bool {
        self.cache_set_for(key, value, self.options.keep_state).await
    }

    /// The same, for so long.
    pub(crate) async fn cache_set_for(&self, key: &str, value: Vec<u8>, life: std::time::Duration) -> bool {
        let kept = self.cache.set(key, Bytes::from(value), life).await;
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
