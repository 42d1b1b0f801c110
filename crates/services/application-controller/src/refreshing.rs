//! Refreshing one application: compare, tell others through the cache, write what changed of the status.

use crate::Controller;
use crate::comparing::{Compared, Gathered, Question};
use crate::memory::{DeleteHooks, Memory, Roots, Told, is_tree_only};
use crate::queue::Key;
use crate::situation::Situation;
use api::codes::{ConditionType, RefreshType};
use api::names::{
    POST_DELETE_CLEANUP_FINALIZER, POST_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER, PRE_DELETE_FINALIZER,
    REFRESH, REFRESH_TIMESTAMP,
};
use api::v1alpha1::{Application, ApplicationCondition, ApplicationStatus, ResourceStatus};
use compare::Comparison;
use jiff::Timestamp;
use object::AppInstance;
use reconcile::{
    CompareWith, Found, RefreshCause, RefreshRequest, holds_back, refresh_revisions, set_conditions, stamped,
    told_revisions,
};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;
use store::{StatusChange, StoreError};

/// The condition that the tree alone decides.
const ORPHANS: [ConditionType; 1] = [ConditionType::OrphanedResourceWarning];

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
            self.memories().with(key, |memory| {
                RefreshRequest::answer(&mut memory.requested, refresh.level, refresh.compare_with);
            });
            self.refresh_tree(key, application, &roots).await?;
            return Ok(None);
        }
        tracing::debug!(application = %key, cause = %refresh.cause, "refresh");
        self.memories().with(key, |memory| {
            memory.refreshed_at = Some(now);
            memory.refreshed_spec = Some(application.spec.clone());
            RefreshRequest::answer(&mut memory.requested, refresh.level, refresh.compare_with);
            if refresh.level == RefreshType::Hard {
                // Nothing that was found before is believed.
                memory.remembered = None;
                memory.predictions = Arc::default();
            }
        });
        let situation = match self.situation(application, now) {
            Ok(situation) => situation,
            Err(conditions) => {
                self.write_invalid(key, application, &refresh, conditions, now).await?;
                return Ok(None);
            }
        };
        let began = Instant::now();
        let gathered = self.gather(application, &situation, &question(application, &refresh)).await;
        let (failed, grace) = (gathered.loaded.manifests.is_err(), self.options().source_grace);
        let held = self.memories().with(key, |memory| {
            holds_back(&mut memory.failing_since, failed, refresh.compare_with, grace, now)
        });
        if held {
            return Ok(None);
        }
        let wanted = self.wanted(application, &gathered.loaded);
        let has_changes = self.has_changes(key, application, &gathered.loaded);
        let known = self.is_told(key, &situation, &refresh).await
            && self.is_unchanged(key, application, &situation, &gathered, wanted);
        let revisions = gathered.loaded.revisions.clone();
        let stored = if known {
            let hooks = self.memories().with(key, |memory| memory.delete_hooks);
            let application = &self.settle_finalizers(application, hooks).await?;
            self.write_known(key, application, &situation, &refresh, gathered, now).await?
        } else {
            let compared = Arc::new(self.judge(application, &situation, gathered, now).await);
            let roots =
                Roots { live: compared.comparison.live_keys(), missing: compared.comparison.missing() };
            self.memories().with(key, |memory| memory.roots = Some(roots.clone()));
            self.tell(key, &situation, &compared).await;
            let hooks = compared.delete_hooks();
            self.memories().with(key, |memory| memory.delete_hooks = hooks);
            let application = &self.settle_finalizers(application, hooks).await?;
            let stored =
                self.write_compared(key, application, &situation, &refresh, (&compared, &roots), now).await?;
            self.remember(key, &stored, &situation, wanted, &compared);
            stored
        };
        self.metrics().reconciled(application, began.elapsed());
        let latest = refresh_revisions(application, refresh.compare_with).is_empty();
        let outcome = reconcile::outcome(&stored, revisions, has_changes, latest);
        Ok(Some((stored, outcome)))
    }

    /// Shows how the hooks of a deletion are while they run. No finalizer can be added any more, and nothing is decided
    /// from this.
    pub(crate) async fn show_deletion(
        &self,
        key: &Key,
        application: &Application,
        situation: &Situation,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let refresh = Refresh {
            level: RefreshType::Normal,
            compare_with: CompareWith::Recent,
            cause: RefreshCause::LiveChanged,
        };
        let gathered = self.gather(application, situation, &question(application, &refresh)).await;
        let compared = self.judge(application, situation, gathered, now).await;
        if compared.comparison.failed {
            return Ok(());
        }
        let roots = Roots { live: compared.comparison.live_keys(), missing: compared.comparison.missing() };
        self.write_compared(key, application, situation, &refresh, (&compared, &roots), now).await.map(drop)
    }

    /// Has an application carry the finalizers of its deletion's hooks before it is told to be Synced: it could
    /// otherwise be deleted without them. What is not known changes nothing.
    async fn settle_finalizers(
        &self,
        application: &Application,
        hooks: Option<DeleteHooks>,
    ) -> Result<Application, StoreError> {
        let Some(DeleteHooks { before, after }) = hooks else { return Ok(application.clone()) };
        let wanted = [
            (PRE_DELETE_FINALIZER, before),
            (PRE_DELETE_CLEANUP_FINALIZER, before),
            (POST_DELETE_FINALIZER, after),
            (POST_DELETE_CLEANUP_FINALIZER, after),
        ];
        let settled = self.store().settle_finalizers(application, &wanted).await?;
        Ok(settled.map_or_else(|| application.clone(), |settled| as_asked(settled, application)))
    }

    /// Whether what the API server reads of an application is in the cache. A user who asks may have found it gone.
    async fn is_told(&self, key: &Key, situation: &Situation, refresh: &Refresh) -> bool {
        let half = self.options().keep_state / 2;
        let fresh = |told: &Option<Told>| told.is_some_and(|told| told.at.elapsed() < half);
        if !self.memories().with(key, |memory| fresh(&memory.tree) && fresh(&memory.differences)) {
            return false;
        }
        if !matches!(refresh.cause, RefreshCause::Annotation(_)) {
            return true;
        }
        let instance = situation.instance.as_str();
        for entry in [tree_key(instance), differences_key(instance)] {
            if !self.cache_has(&entry).await {
                self.memories().with(key, |memory| (memory.tree, memory.differences) = (None, None));
                return false;
            }
        }
        true
    }

    /// Puts the differences where the API server reads them.
    async fn tell(&self, key: &Key, situation: &Situation, compared: &Arc<Compared>) {
        let (own, masked) = (compared.clone(), situation.rules.labels.masked_annotations.clone());
        let work = move || own.differences(&masked).and_then(|found| serde_json::to_vec(&found).ok());
        let Ok(Some(text)) = self.compute().run(&key.to_string(), work).await else { return };
        let entry = differences_key(situation.instance.as_str());
        self.tell_entry(key, &entry, text, |memory| &mut memory.differences).await;
    }

    /// Puts an entry where the API server reads it, unless it is there; says whether it was put.
    async fn tell_entry(
        &self,
        key: &Key,
        entry: &str,
        text: Vec<u8>,
        of: fn(&mut Memory) -> &mut Option<Told>,
    ) -> bool {
        let hash = hash(&text);
        let half = self.options().keep_state / 2;
        let is_there = |told: &Told| told.hash == hash && told.at.elapsed() < half;
        if self.memories().with(key, |memory| of(memory).as_ref().is_some_and(is_there))
            || !self.cache_set(entry, text).await
        {
            return false;
        }
        let told = Told { hash, at: Instant::now() };
        self.memories().with(key, |memory| *of(memory) = Some(told));
        true
    }

    /// A spec that is not valid or not permitted: nothing can be said of the application, and nothing that is in the
    /// cluster is reached through it any more.
    async fn write_invalid(
        &self,
        key: &Key,
        application: &Application,
        refresh: &Refresh,
        conditions: Vec<ApplicationCondition>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let metadata = &application.metadata;
        let instance = AppInstance::new(&metadata.namespace, &metadata.name, self.store().namespace());
        let (tree, differences) = (tree_key(instance.as_str()), differences_key(instance.as_str()));
        let put = self.tell_entry(key, &tree, b"{}".to_vec(), |memory| &mut memory.tree).await
            | self.tell_entry(key, &differences, b"null".to_vec(), |memory| &mut memory.differences).await;
        if put {
            self.cache_publish(&differences).await;
        }
        // What was compared before is not what is told now.
        self.memories().with(key, |memory| memory.remembered = None);
        let status = reconcile::invalid_status(application, &conditions, now);
        self.write_status(application, status, refresh, now).await.map(drop)
    }

    async fn write_compared(
        &self,
        key: &Key,
        application: &Application,
        situation: &Situation,
        refresh: &Refresh,
        (compared, roots): (&Compared, &Roots),
        now: Timestamp,
    ) -> Result<Application, StoreError> {
        let comparison = &compared.comparison;
        let mut conditions = compared.conditions.clone();
        let mut summary = None;
        if let Some(destination) = &compared.destination {
            let tree = self.tree(destination, situation, roots);
            conditions.extend(compare::orphaned_condition(
                &situation.project,
                tree.orphaned_nodes.len(),
                now,
            ));
            self.tell_tree(key, situation, &tree).await;
            summary = Some(tree::summary(&tree));
        }
        let revisions = told_revisions(application, refresh.compare_with, compared.revisions.clone());
        let found = Found {
            sync: comparison.sync,
            health: comparison.health,
            health_message: &comparison.health_message,
            resources: self.resources(comparison),
            live_known: comparison.live_known,
            conditions: &conditions,
            revisions: &revisions,
            source_types: &compared.source_types,
            summary,
        };
        let status = reconcile::compared_status(application, found, now);
        self.write_refreshed(application, status, refresh, now).await
    }

    /// A comparison would find what the last one did: only revisions and the tree may be others.
    async fn write_known(
        &self,
        key: &Key,
        application: &Application,
        situation: &Situation,
        refresh: &Refresh,
        gathered: Gathered,
        now: Timestamp,
    ) -> Result<Application, StoreError> {
        let mut status = application.status.clone();
        let revisions = told_revisions(application, refresh.compare_with, gathered.loaded.revisions);
        if application.spec.has_several_sources() {
            status.sync.revisions = revisions;
        } else {
            status.sync.revision = revisions.into_iter().next().unwrap_or_default();
        }
        let roots = self.memories().with(key, |memory| memory.roots.clone());
        if let (Ok(destination), Some(roots)) = (&gathered.destination, roots) {
            let tree = self.tree(destination, situation, &roots);
            let orphans = compare::orphaned_condition(&situation.project, tree.orphaned_nodes.len(), now);
            let orphans: Vec<ApplicationCondition> = orphans.into_iter().collect();
            status.conditions = set_conditions(&status.conditions, &orphans, &ORPHANS, now);
            self.tell_tree(key, situation, &tree).await;
            status.summary = tree::summary(&tree);
        }
        self.write_refreshed(application, status, refresh, now).await
    }

    /// Writes what changed. That nothing changed but the time is worth a write only to somebody who asked.
    async fn write_refreshed(
        &self,
        application: &Application,
        mut status: ApplicationStatus,
        refresh: &Refresh,
        now: Timestamp,
    ) -> Result<Application, StoreError> {
        status.controller_namespace = self.store().namespace().to_owned();
        status.resource_health_source = if self.options().inline_health { "" } else { "appTree" }.into();
        let status = stamped(application, status, &refresh.cause, now);
        self.write_status(application, status, refresh, now).await
    }

    /// The resources as a status tells them: with their health, where that is not left to the tree.
    fn resources(&self, comparison: &Comparison) -> Vec<ResourceStatus> {
        let mut resources = comparison.resource_statuses(self.options().inline_health);
        resources.iter_mut().filter(|resource| resource.hook).for_each(|hook| hook.health = None);
        resources
    }

    async fn write_status(
        &self,
        application: &Application,
        status: ApplicationStatus,
        refresh: &Refresh,
        now: Timestamp,
    ) -> Result<Application, StoreError> {
        let change = StatusChange { application, status: &status, operation_done: false };
        let annotated = application.metadata.annotations.contains_key(REFRESH);
        let written = match &refresh.cause {
            RefreshCause::Annotation(_) if annotated => self.store().write_status_of_refresh(change).await?,
            _ => self.store().write_status(change).await?,
        };
        self.note_status_change(application, &status, now);
        Ok(written.unwrap_or_else(|| application.clone()))
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
        self.memories().with(key, |memory| memory.orphans = Some(tree.orphaned_nodes.len()));
        let Ok(text) = serde_json::to_vec(tree) else { return };
        if self.tell_entry(key, &tree_key(instance), text, |memory| &mut memory.tree).await {
            self.cache_publish(&differences_key(instance)).await;
        }
    }
}

fn tree_key(instance: &str) -> String {
    format!("app|resources-tree|{instance}")
}

/// Also the name of the channel on which changes are told.
fn differences_key(instance: &str) -> String {
    format!("app|managed-resources|{instance}")
}

/// An application that was written since it was read. Where somebody asked for a refresh meanwhile, it is what was asked when it
/// was read, at the version of then: answering that must not take the new question away.
fn as_asked(written: Application, read: &Application) -> Application {
    let same = [REFRESH, REFRESH_TIMESTAMP].iter().all(|annotation| {
        written.metadata.annotations.get(*annotation) == read.metadata.annotations.get(*annotation)
    });
    if same {
        return written;
    }
    let mut metadata = written.metadata;
    metadata.annotations.clone_from(&read.metadata.annotations);
    metadata.resource_version.clone_from(&read.metadata.resource_version);
    Application { metadata, ..written }
}

fn question(application: &Application, refresh: &Refresh) -> Question {
    Question {
        sources: application.spec.effective_sources(),
        revisions: refresh_revisions(application, refresh.compare_with),
        level: refresh.level,
        compare_with: refresh.compare_with,
        manifests: local_manifests(application),
    }
}

/// What somebody sent along with the last sync: it is what is wanted until the next one, as in the original. What was only tried
/// is not.
fn local_manifests(application: &Application) -> Option<Vec<String>> {
    let sync = application.status.operation_state.as_ref()?.operation.sync.as_ref()?;
    (!sync.manifests.is_empty() && !sync.dry_run).then(|| sync.manifests.clone())
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
