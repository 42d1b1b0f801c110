//! Whether anything changed since an application was last compared. When nothing did, the answer is the one that is
//! stored, and nothing is compared, read or written.

use crate::Controller;
use crate::clusters::Destination;
use crate::comparing::{Compared, Gathered, Seen};
use crate::manifests::Loaded;
use crate::queue::Key;
use crate::rules::Rules;
use crate::situation::Situation;
use api::codes::SyncStatusCode;
use api::names::{COMPARE_OPTIONS, MANIFEST_GENERATE_PATHS};
use api::v1alpha1::{AppProject, Application, ApplicationStatus};
use cluster_cache::KindState;
use kubernetes::Discovery;
use object::ResourceKey;
use project::Cluster;
use std::hash::Hash;
use std::sync::Arc;

/// What an application was last compared with, and how that is told apart from something else.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    rules: Arc<Rules>,
    project: Arc<AppProject>,
    own_clusters: Arc<[Cluster]>,
    cluster: Cluster,
    discovery: Arc<Discovery>,
    /// Of the spec and the manifests.
    wanted: u64,
    seen: Seen,
    /// Of the status that was written.
    status: u64,
}

impl Controller {
    /// Remembers a comparison whose status is the stored one. One that found something wrong is made anew.
    pub(crate) fn remember(
        &self,
        key: &Key,
        stored: &Application,
        situation: &Situation,
        wanted: Option<u64>,
        compared: &Compared,
    ) {
        let clean = !compared.comparison.failed && compared.conditions.is_empty();
        let remembered = match (wanted, &compared.seen) {
            (Some(wanted), Some(seen)) if clean => Some(Remembered {
                rules: situation.rules.clone(),
                project: situation.project.clone(),
                own_clusters: situation.own_clusters.clone(),
                cluster: situation.cluster.clone(),
                discovery: compared.discovery.clone(),
                wanted,
                seen: seen.clone(),
                status: self.status_hash(&stored.status),
            }),
            _ => None,
        };
        self.memories().with(key, |memory| memory.remembered = remembered.map(Box::new));
    }

    /// Whether a comparison would find what the last one did.
    pub(crate) fn is_unchanged(
        &self,
        key: &Key,
        application: &Application,
        situation: &Situation,
        gathered: &Gathered,
        wanted: Option<u64>,
    ) -> bool {
        let Some(remembered) = self.memories().with(key, |memory| memory.remembered.clone()) else {
            return false;
        };
        let Ok(destination) = &gathered.destination else { return false };
        Some(remembered.wanted) == wanted
            && same(&remembered.rules, &situation.rules)
            && same(&remembered.discovery, &gathered.discovery)
            && remembered.cluster == situation.cluster
            && *remembered.own_clusters == *situation.own_clusters
            && same_project(&remembered.project, &situation.project)
            && remembered.status == self.status_hash(&application.status)
            && application.status.sync.status.parse::<SyncStatusCode>().is_ok()
            && self.versions_now(destination, situation, &remembered.seen) == Some(remembered.seen.versions)
    }

    /// One number for manifests; nothing when they are not known.
    pub(crate) fn manifests_hash(&self, loaded: &Loaded) -> Option<u64> {
        let manifests = loaded.manifests.as_ref().ok()?;
        Some(self.hash(|hasher| manifests.hash(hasher)))
    }

    /// Whether a newer revision is one to sync. Where an application says which paths it is made of, a commit that
    /// leaves its manifests as they were when they were last synced, or tried to be, is none.
    pub(crate) fn has_changes(&self, key: &Key, application: &Application, loaded: &Loaded) -> bool {
        let declared = application.metadata.annotations.get(MANIFEST_GENERATE_PATHS);
        if declared.is_none_or(String::is_empty) {
            return true;
        }
        let attempted = self.memories().with(key, |memory| memory.attempted);
        attempted.is_none() || attempted != self.manifests_hash(loaded)
    }

    /// One number for what is wanted; nothing when that is not known.
    pub(crate) fn wanted(&self, application: &Application, loaded: &Loaded) -> Option<u64> {
        let manifests = loaded.manifests.as_ref().ok()?;
        let spec = serde_json::to_string(&application.spec).ok()?;
        // The metadata of a namespace is compared with what the last sync made of it.
        let state = application.status.operation_state.as_ref();
        let synced = state.and_then(|state| state.sync_result.as_ref());
        let namespace = synced.and_then(|result| result.managed_namespace_metadata.as_ref());
        let namespace = serde_json::to_string(&namespace).ok()?;
        let compared_by = application.metadata.annotations.get(COMPARE_OPTIONS);
        let wanted = (spec, namespace, manifests, &loaded.source_types, &loaded.problems, compared_by);
        Some(self.hash(|hasher| wanted.hash(hasher)))
    }

    /// The versions of the live objects as they are now; nothing when they are not all known.
    fn versions_now(&self, destination: &Destination, situation: &Situation, seen: &Seen) -> Option<u64> {
        let cache = &destination.cache;
        let marked = cache.managed_now(situation.instance.as_str()).ok()?;
        let mut last = None;
        for entry in &marked {
            // They come sorted: one question for each kind.
            let kind = (&*entry.group, &*entry.kind);
            if last != Some(kind) {
                // A user's script may say another thing by the time alone.
                if situation.rules.checks.asks_script(kind.0, kind.1) {
                    return None;
                }
                cache.require(&object::GroupKind::new(kind.0, kind.1)).ok()?;
                last = Some(kind);
            }
        }
        let mut unmarked: Vec<(&ResourceKey, Option<(String, String)>)> = Vec::new();
        for (_, key) in &seen.unmarked {
            if cache.kind_state(&key.group_kind()) != Some(KindState::Synced) || !cache.covers(&key.namespace)
            {
                return None;
            }
            let version = cache.get(key).map(|entry| {
                let uid = entry.uid.as_ref().map(ToString::to_string).unwrap_or_default();
                (uid, entry.resource_version.to_string())
            });
            unmarked.push((key, version));
        }
        Some(self.versions(&marked, unmarked.into_iter()))
    }

    /// One number for what a comparison writes of a status, revisions excepted.
    fn status_hash(&self, status: &ApplicationStatus) -> u64 {
        let compared = (
            (&status.resources, &status.conditions, &status.summary),
            (&status.health, &status.sync.status, &status.sync.compared_to),
            (&status.source_type, &status.source_types),
        );
        // What cannot be written is the same as nothing, now as then.
        let text = serde_json::to_string(&compared).unwrap_or_default();
        self.hash(|hasher| text.hash(hasher))
    }
}

fn same<T: PartialEq>(left: &Arc<T>, right: &Arc<T>) -> bool {
    Arc::ptr_eq(left, right) || **left == **right
}

/// Whether two projects permit the same: what else is written on them does not count.
fn same_project(left: &Arc<AppProject>, right: &Arc<AppProject>) -> bool {
    Arc::ptr_eq(left, right) || (left.metadata.name == right.metadata.name && left.spec == right.spec)
}
