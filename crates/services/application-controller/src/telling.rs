//! Kubernetes Events about applications, and what the API server reads of clusters.

use crate::Controller;
use api::codes::OperationPhase;
use api::k8s::meta_v1::Time;
use api::v1alpha1::{
    Application, ApplicationStatus, ClusterCacheInfo, ClusterInfo, ConnectionState, Operation, OperationState,
};
use jiff::Timestamp;
use std::collections::BTreeMap;
use store::EventRecord;

const COMPONENT: &str = "argocd-application-controller";

impl Controller {
    /// Tells that sync status or health changed.
    pub(crate) async fn note_status_change(
        &self,
        before: &Application,
        after: &ApplicationStatus,
        now: Timestamp,
    ) {
        let (old, new) = (&before.status.sync.status, &after.sync.status);
        if old != new {
            self.event(before, "ResourceUpdated", format!("Updated sync status: {old} -> {new}"), false, now)
                .await;
        }
        let (old, new) = (&before.status.health.status, &after.health.status);
        if old != new {
            self.event(
                before,
                "ResourceUpdated",
                format!("Updated health status: {old} -> {new}"),
                false,
                now,
            )
            .await;
        }
    }

    /// Tells that an operation began.
    pub(crate) async fn note_operation_start(
        &self,
        application: &Application,
        state: &OperationState,
        now: Timestamp,
    ) {
        let revision = state.operation.sync.as_ref().map(|sync| sync.revision.clone()).unwrap_or_default();
        let who = who(&state.operation);
        let message = format!("{who} sync started to {revision}");
        tracing::debug!(application = %application.metadata.name, "{message}");
        self.event(application, "OperationStarted", message, false, now).await;
    }

    /// Tells how an operation ended.
    pub(crate) async fn note_operation_end(
        &self,
        application: &Application,
        state: &OperationState,
        now: Timestamp,
    ) {
        let revision = state.sync_result.as_ref().map(|result| result.revision.clone()).unwrap_or_default();
        let succeeded = state.phase == OperationPhase::Succeeded.as_str();
        let message = if succeeded {
            format!("Sync operation to {revision} succeeded")
        } else {
            format!("Sync operation to {revision} failed: {}", state.message)
        };
        self.event(application, "OperationCompleted", message, !succeeded, now).await;
    }

    /// Tells that a sync was asked for by nobody.
    pub(crate) async fn note_automated_sync(
        &self,
        application: &Application,
        operation: &Operation,
        now: Timestamp,
    ) {
        let revision = operation.sync.as_ref().map(|sync| sync.revision.clone()).unwrap_or_default();
        let message = format!("Initiated automated sync to '{revision}'");
        self.event(application, "OperationStarted", message, false, now).await;
    }

    async fn event(
        &self,
        application: &Application,
        reason: &str,
        message: String,
        warning: bool,
        now: Timestamp,
    ) {
        let metadata = &application.metadata;
        let destination = &application.spec.destination;
        let annotations = [("dest-namespace", &destination.namespace), ("dest-server", &destination.server)];
        let annotations: BTreeMap<String, String> =
            annotations.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
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
            at: now,
        };
        if let Err(error) = self.store().record_event(&record).await {
            tracing::debug!(%error, "record event");
        }
    }

    /// Puts what is known of each connected cluster where the API server reads it.
    pub(crate) async fn tell_clusters(&self) {
        let applications = self.store().applications().values();
        for destination in self.clusters().connected_now().await {
            let stats = destination.cache.stats();
            let now = Time::from(self.now());
            let (status, message) = match &stats.connection_error {
                None => ("Successful", String::new()),
                Some(reason) => ("Failed", reason.clone()),
            };
            let api_versions = match destination.cache.cluster().discovery().await {
                Ok(discovery) => discovery.api_versions(),
                Err(_) => Vec::new(),
            };
            let count = applications
                .iter()
                .filter(|application| application.spec.destination.server == destination.server)
                .count();
            let info = ClusterInfo {
                connection_state: ConnectionState { status: status.into(), message, attempted_at: Some(now) },
                server_version: self.kube_version(&destination.server).await,
                cache_info: ClusterCacheInfo {
                    resources_count: i64::try_from(stats.resources).unwrap_or(i64::MAX),
                    apis_count: i64::try_from(stats.apis).unwrap_or(i64::MAX),
                    last_cache_sync_time: stats.last_sync.map(Time::from),
                },
                applications_count: i64::try_from(count).unwrap_or(i64::MAX),
                api_versions,
            };
            if let Ok(text) = serde_json::to_vec(&info) {
                self.cache_set(&format!("cluster|info|{}", destination.server), text).await;
            }
        }
    }
}

fn who(operation: &Operation) -> String {
    match operation.initiated_by.username.as_str() {
        "" => "automated".to_owned(),
        name => name.to_owned(),
    }
}
