//! Kubernetes Events about applications, and what the API server reads of clusters.

use crate::clusters::Destination;
use crate::situation::project_name;
use crate::{COMPONENT, Controller};
use api::codes::OperationPhase;
use api::k8s::meta_v1::Time;
use api::v1alpha1::{
    Application, ApplicationStatus, ClusterCacheInfo, ClusterInfo, ConnectionState, Operation, OperationState,
};
use cluster_cache::Stats;
use futures::{StreamExt, stream};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{EventRecord, Store};
use tokio::sync::{Mutex, mpsc};

/// How long what is said of a cluster is believed after nobody says it any more.
const CLUSTER_INFO: std::time::Duration = std::time::Duration::from_secs(600);

/// Clusters that are asked and told of at once.
const CLUSTERS_AT_ONCE: usize = 16;
/// Events that may wait to be written; those beyond are lost, as events may be.
const MOST_WAITING: usize = 10_000;
/// Events written at once.
const WRITERS: usize = 4;

/// Writes Kubernetes Events beside the work they tell of: nobody waits for one.
pub(crate) struct Teller {
    reasons: Vec<String>,
    waiting: mpsc::Sender<EventRecord>,
}

impl Teller {
    /// Tells of these reasons. Its writers end with it.
    pub(crate) fn new(store: &Store, reasons: Vec<String>) -> Self {
        let (waiting, inbox) = mpsc::channel(MOST_WAITING);
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..WRITERS {
            let (store, inbox) = (store.clone(), inbox.clone());
            tokio::spawn(async move {
                while let Some(record) = next(&inbox).await {
                    if let Err(error) = store.record_event(&record).await {
                        tracing::debug!(%error, "record event");
                    }
                }
            });
        }
        Self { reasons, waiting }
    }

    fn tells(&self, reason: &str) -> bool {
        let has = |wanted: &str| self.reasons.iter().any(|reason| reason == wanted);
        !has("none") && (has("all") || has(reason))
    }
}

async fn next(inbox: &Mutex<mpsc::Receiver<EventRecord>>) -> Option<EventRecord> {
    inbox.lock().await.recv().await
}

impl Controller {
    /// Tells that sync status or health changed.
    pub(crate) fn note_status_change(&self, before: &Application, after: &ApplicationStatus, now: Timestamp) {
        for (what, old, new, cause) in [
            ("sync", &before.status.sync.status, &after.sync.status, ""),
            ("health", &before.status.health.status, &after.health.status, &*after.health.message),
        ] {
            if old != new {
                let cause = if cause.is_empty() { String::new() } else { format!(" ({cause})") };
                let message = format!("Updated {what} status: {old} -> {new}{cause}");
                self.event(before, "ResourceUpdated", message, false, now);
            }
        }
    }

    /// Tells how an operation ended.
    pub(crate) fn note_operation_end(
        &self,
        application: &Application,
        state: &OperationState,
        now: Timestamp,
    ) {
        self.metrics().synced(application, state);
        let revision = state.sync_result.as_ref().map(|result| result.revision.clone()).unwrap_or_default();
        let partial = state.operation.sync.as_ref().is_some_and(|sync| !sync.resources.is_empty());
        let what = if partial { "Partial sync operation" } else { "Sync operation" };
        let succeeded = state.phase == OperationPhase::Succeeded.as_str();
        let message = if succeeded {
            format!("{what} to {revision} succeeded")
        } else {
            format!("{what} to {revision} failed: {}", state.message)
        };
        self.event(application, "OperationCompleted", message, !succeeded, now);
    }

    /// Tells that a sync was asked for by nobody.
    pub(crate) fn note_automated_sync(
        &self,
        application: &Application,
        operation: &Operation,
        now: Timestamp,
    ) {
        let revisions = match &operation.sync {
            Some(sync) if sync.revisions.is_empty() => sync.revision.clone(),
            Some(sync) => sync.revisions.join(", "),
            None => String::new(),
        };
        let message = format!("Initiated automated sync to '{revisions}'");
        self.event(application, "OperationStarted", message, false, now);
    }

    /// Tells why an application is not deleted.
    pub(crate) fn note_failed_deletion(&self, application: &Application, reason: &str, now: Timestamp) {
        let message = format!("Unable to delete application resources: {reason}");
        self.event(application, "StatusRefreshed", message, true, now);
    }

    fn event(&self, application: &Application, reason: &str, message: String, warning: bool, now: Timestamp) {
        if !self.teller().tells(reason) {
            return;
        }
        let metadata = &application.metadata;
        let destination = &application.spec.destination;
        let annotations = [("dest-namespace", &destination.namespace), ("dest-server", &destination.server)];
        let annotations: BTreeMap<String, String> =
            annotations.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
        let project = self.store().project(project_name(application)).ok();
        let none = BTreeMap::new();
        let of_project = project.as_ref().map_or(&none, |project| &project.metadata.labels);
        let record = EventRecord {
            api_version: api::API_VERSION.into(),
            kind: "Application".into(),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
            resource_version: metadata.resource_version.clone(),
            reason: reason.into(),
            message,
            warning,
            component: COMPONENT.into(),
            annotations,
            labels: self.rules().labels.of_events(&metadata.labels, of_project),
            at: now,
        };
        if self.teller().waiting.try_send(record).is_err() {
            tracing::debug!(application = %metadata.name, reason, "too many events wait: one is lost");
        }
    }

    /// Puts what is known of each connected cluster where the API server reads it. One that does not answer holds up none
    /// of the others.
    pub(crate) async fn tell_clusters(&self) {
        let registered = self.registrations().clusters(self.store(), &self.rules());
        let names: BTreeMap<&str, &str> =
            registered.iter().map(|known| (&*known.cluster.name, &*known.cluster.server)).collect();
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        for application in self.store().applications().values() {
            let wanted = &application.spec.destination;
            let server = match &*wanted.server {
                "" => names.get(&*wanted.name).copied(),
                server => Some(server),
            };
            if let Some(server) = server {
                *counts.entry(server.to_owned()).or_default() += 1;
            }
        }
        let told = self.clusters().open_now().into_iter().map(|destination| {
            let applications_count = counts.get(&destination.server).copied().unwrap_or_default();
            self.tell_cluster(destination, applications_count)
        });
        stream::iter(told).for_each_concurrent(CLUSTERS_AT_ONCE, |telling| telling).await;
    }

    async fn tell_cluster(&self, destination: Destination, applications_count: i64) {
        let stats = destination.cache.stats();
        let api_versions = match destination.cache.cluster().discovery().await {
            Ok(discovery) => discovery.api_versions(),
            Err(_) => Vec::new(),
        };
        let info = ClusterInfo {
            connection_state: connection_state(&stats, Time::from(self.now())),
            server_version: self.kube_version(&destination).await.unwrap_or_default(),
            cache_info: ClusterCacheInfo {
                resources_count: i64::try_from(stats.resources).unwrap_or(i64::MAX),
                apis_count: i64::try_from(stats.apis).unwrap_or(i64::MAX),
                last_cache_sync_time: stats.last_sync.map(Time::from),
            },
            applications_count,
            api_versions,
        };
        if let Ok(text) = serde_json::to_vec(&info) {
            self.cache_set_for(&format!("cluster|info|{}", destination.server), text, CLUSTER_INFO).await;
        }
    }
}

/// How the connection to a cluster is told: nothing is said of one that has not been listed to its end.
fn connection_state(stats: &Stats, now: Time) -> ConnectionState {
    let (status, message) = match &stats.connection_error {
        Some(reason) => ("Failed", reason.as_str()),
        None if stats.last_sync.is_none() => ("Unknown", ""),
        None => ("Successful", ""),
    };
    ConnectionState { status: status.into(), message: message.into(), attempted_at: Some(now) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_is_connected_once_all_of_it_is_listed() {
        let status = |stats: &Stats| connection_state(stats, Time::from(Timestamp::UNIX_EPOCH)).status;
        let filling = Stats { apis: 12, warming: 3, ..Stats::default() };
        assert_eq!(status(&filling), "Unknown");
        let listed = Stats { last_sync: Some(Timestamp::UNIX_EPOCH), ..filling.clone() };
        assert_eq!(status(&listed), "Successful");
        let refused = Stats { connection_error: Some("refused".into()), ..filling };
        let told = connection_state(&refused, Time::from(Timestamp::UNIX_EPOCH));
        assert_eq!((told.status.as_str(), told.message.as_str()), ("Failed", "refused"));
        assert_eq!(status(&Stats { connection_error: refused.connection_error, ..listed }), "Failed");
    }
}
