//! Refreshing one application: compare, tell others through the cache, write what changed of the status.

use crate::Controller;
use crate::comparing::{Compared, Question, spec_sources};
use crate::memory::{Roots, is_tree_only};
use crate::queue::Key;
use crate::situation::Situation;
use api::codes::{ConditionType, HealthStatusCode, RefreshType, SyncStatusCode};
use api::k8s::meta_v1::Time;
use api::v1alpha1::{
    AppHealthStatus, Application, ApplicationCondition, ApplicationStatus, ComparedTo, SyncStatus,
};
use jiff::Timestamp;
use reconcile::{CompareWith, RefreshCause, set_conditions};
use std::hash::{DefaultHasher, Hash, Hasher};
use store::{StatusChange, StoreError};

/// The types of conditions a comparison evaluates.
const EVALUATED: [ConditionType; 7] = [
    ConditionType::InvalidSpecError,
    ConditionType::UnknownError,
    ConditionType::ComparisonError,
    ConditionType::SharedResourceWarning,
    ConditionType::RepeatedResourceWarning,
    ConditionType::ExcludedResourceWarning,
    ConditionType::OrphanedResourceWarning,
];

/// How thoroughly, against what, and why.
pub(crate) struct Refresh {
    pub(crate) level: RefreshType,
    pub(crate) compare_with: CompareWith,
    pub(crate) cause: RefreshCause,
}

impl Controller {
    /// Refreshes; what decisions depend on comes back, with the application as it is now stored.
    pub(crate) async fn refresh(
        &self,
        key: &Key,
        application: &Application,
        refresh: Refresh,
    ) -> Result<Option<(Application, reconcile::Comparison)>, StoreError> {
        let now = self.now();
        let known = self.memories().with(key, |memory| memory.roots.clone());
        let tree_only = is_tree_only(refresh.compare_with);
        if let Some(roots) = known.filter(|_| tree_only) {
            self.refresh_tree(key, application, &roots).await?;
            self.memories().with(key, |memory| memory.requested = None);
            return Ok(None);
        }
        tracing::debug!(application = %key, cause = %refresh.cause, "refresh");
        let began = self.memories().with(key, |memory| {
            memory.refreshed_at = Some(now);
            memory.refreshed_spec = Some(application.spec.clone());
            memory.requested.take()
        });
        drop(began);
        let situation = match self.situation(application, now) {
            Ok(situation) => situation,
            Err(conditions) => {
                self.write_invalid(key, application, &refresh, conditions, now).await?;
                return Ok(None);
            }
        };
        let question = question(application, &refresh);
        let compared = self.compare(application, &situation, question, now).await;
        self.tell(key, &situation, &compared).await;
        let stored = self.write_compared(key, application, &situation, &refresh, &compared, now).await?;
        let decision = reconcile::Comparison {
            status: compared.comparison.sync,
            revision: compared.revisions.first().cloned().unwrap_or_default(),
            revisions: if application.spec.sources.is_empty() {
                Vec::new()
            } else {
                compared.revisions.clone()
            },
            resources: stored.status.resources.clone(),
            revision_has_changes: true,
        };
        Ok(Some((stored, decision)))
    }

    /// Puts differences and tree where the API server reads them.
    async fn tell(&self, key: &Key, situation: &Situation, compared: &Compared) {
        let instance = situation.instance.as_str();
        if let Some(differences) = compared.differences(&situation.rules.labels.masked_annotations)
            && let Ok(text) = serde_json::to_vec(&differences)
        {
            let hash = hash(&text);
            if self.memories().with(key, |memory| memory.differences != Some(hash)) {
                let entry = format!("app|managed-resources|{instance}");
                if self.cache_set(&entry, text).await {
                    self.memories().with(key, |memory| memory.differences = Some(hash));
                }
            }
        }
        let roots = Roots { live: compared.comparison.live_keys(), missing: compared.comparison.missing() };
        self.memories().with(key, |memory| memory.roots = Some(roots));
    }

    /// A spec that is not valid or not permitted: nothing can be said of the application.
    async fn write_invalid(
        &self,
        key: &Key,
        application: &Application,
        refresh: &Refresh,
        conditions: Vec<ApplicationCondition>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut status = application.status.clone();
        status.conditions = set_conditions(&status.conditions, &conditions, &EVALUATED, now);
        status.sync.status = SyncStatusCode::Unknown.as_str().into();
        set_health(&mut status, HealthStatusCode::Unknown, now);
        self.write_refreshed(key, application, status, refresh, now).await.map(drop)
    }

    async fn write_compared(
        &self,
        key: &Key,
        application: &Application,
        situation: &Situation,
        refresh: &Refresh,
        compared: &Compared,
        now: Timestamp,
    ) -> Result<Application, StoreError> {
        let mut status = application.status.clone();
        let comparison = &compared.comparison;
        let mut conditions = compared.conditions.clone();
        let several = !application.spec.sources.is_empty();
        let tree = match &compared.destination {
            Some(destination) => {
                let roots = Roots { live: comparison.live_keys(), missing: comparison.missing() };
                let tree = self.tree(destination, situation, &roots);
                conditions.extend(compare::orphaned_condition(
                    &situation.project,
                    tree.orphaned_nodes.len(),
                    now,
                ));
                self.tell_tree(key, situation, &tree).await;
                Some(tree)
            }
            None => None,
        };
        status.conditions = set_conditions(&status.conditions, &conditions, &EVALUATED, now);
        status.resources = comparison.resource_statuses(false);
        status.sync = SyncStatus {
            status: comparison.sync.as_str().into(),
            compared_to: compared_to(application),
            revision: if several {
                String::new()
            } else {
                compared.revisions.first().cloned().unwrap_or_default()
            },
            revisions: if several { compared.revisions.clone() } else { Vec::new() },
        };
        status.source_type =
            if several { String::new() } else { compared.source_types.first().cloned().unwrap_or_default() };
        status.source_types = if several { compared.source_types.clone() } else { Vec::new() };
        set_health(&mut status, comparison.health, now);
        if let Some(tree) = tree {
            status.summary = tree::summary(&tree);
        }
        self.write_refreshed(key, application, status, refresh, now).await
    }

    /// Writes what changed. That nothing changed but the time is worth a write only to somebody who asked.
    async fn write_refreshed(
        &self,
        key: &Key,
        application: &Application,
        mut status: ApplicationStatus,
        refresh: &Refresh,
        now: Timestamp,
    ) -> Result<Application, StoreError> {
        status.controller_namespace = self.store().namespace().to_owned();
        status.resource_health_source = "appTree".into();
        let asked = matches!(
            refresh.cause,
            RefreshCause::Annotation(_) | RefreshCause::New | RefreshCause::SourceChanged
        );
        // Clients take an operation for running until the application was compared after it.
        let ended = status.operation_state.as_ref().and_then(|state| state.finished_at);
        let behind = ended.is_some_and(|ended| status.reconciled_at.is_none_or(|compared| compared <= ended));
        if status != application.status || asked || behind {
            status.reconciled_at = Some(Time::from(now));
        }
        let change = StatusChange { application, status: &status, operation_done: false };
        let written = self.store().write_status(change).await?;
        let stored = written.unwrap_or_else(|| application.clone());
        self.note_status_change(application, &status, now).await;
        if let RefreshCause::Annotation(_) = &refresh.cause
            && let Some(value) = application.metadata.annotations.get(api::names::REFRESH)
        {
            self.store().acknowledge_refresh(&key.namespace, &key.name, value).await?;
        }
        Ok(stored)
    }

    /// Only the tree: what managed objects own changed, they did not.
    async fn refresh_tree(
        &self,
        key: &Key,
        application: &Application,
        roots: &Roots,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let Ok(situation) = self.situation(application, now) else { return Ok(()) };
        let Ok(destination) = self.destination(&situation).await else { return Ok(()) };
        let tree = self.tree(&destination, &situation, roots);
        self.tell_tree(key, &situation, &tree).await;
        let summary = tree::summary(&tree);
        if summary != application.status.summary {
            let status = ApplicationStatus { summary, ..application.status.clone() };
            let change = StatusChange { application, status: &status, operation_done: false };
            self.store().write_status(change).await?;
        }
        Ok(())
    }

    async fn tell_tree(&self, key: &Key, situation: &Situation, tree: &api::v1alpha1::ApplicationTree) {
        let instance = situation.instance.as_str();
        let Ok(text) = serde_json::to_vec(tree) else { return };
        let hash = hash(&text);
        if self.memories().with(key, |memory| memory.tree == Some(hash)) {
            return;
        }
        if self.cache_set(&format!("app|resources-tree|{instance}"), text).await {
            self.memories().with(key, |memory| memory.tree = Some(hash));
            self.cache_publish(&format!("app|managed-resources|{instance}")).await;
        }
    }
}

fn question(application: &Application, refresh: &Refresh) -> Question {
    let compared = &application.status.sync;
    // A change of the cluster is compared with the revision of the last comparison, if there was one of this spec.
    let same_spec = compared.compared_to == compared_to(application);
    let recent = refresh.compare_with == CompareWith::Recent && same_spec;
    let revisions = match (recent, compared.revisions.is_empty()) {
        (false, _) => Vec::new(),
        (true, false) => compared.revisions.clone(),
        (true, true) => vec![compared.revision.clone()],
    };
    Question {
        sources: spec_sources(application),
        revisions,
        level: refresh.level,
        compare_with: refresh.compare_with,
        manifests: None,
    }
}

fn compared_to(application: &Application) -> ComparedTo {
    let spec = &application.spec;
    ComparedTo {
        source: if spec.sources.is_empty() {
            spec.source.clone().unwrap_or_default()
        } else {
            Default::default()
        },
        destination: spec.destination.clone(),
        sources: spec.sources.clone(),
        ignore_differences: spec.ignore_differences.clone(),
    }
}

fn set_health(status: &mut ApplicationStatus, health: HealthStatusCode, now: Timestamp) {
    if status.health.status != health.as_str() {
        status.health = AppHealthStatus {
            status: health.as_str().into(),
            last_transition_time: Some(Time::from(now)),
            ..AppHealthStatus::default()
        };
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
