//! The result, and the forms its users need.

use api::codes::{HealthStatusCode, SyncStatusCode};
use api::v1alpha1::{ResourceDiff, ResourceRef, ResourceStatus};
use diff::{Diff, DiffError, DiffOptions, diff, respecting_ignored, state};
use health::HealthStatus;
use object::{Object, ResourceKey, is_secret, mask_secret};
use std::collections::BTreeSet;
use std::fmt;

/// What was found.
#[derive(Clone, PartialEq)]
pub struct Comparison {
    /// Whether the live objects are as the source says.
    pub sync: SyncStatusCode,
    /// Health of the whole application.
    pub health: HealthStatusCode,
    /// Which resources it is due to; empty when it is well, or when nothing is there.
    pub health_message: String,
    /// Every target and every live object, by `group/kind/namespace/name`.
    pub resources: Vec<ComparedResource>,
    /// Hooks of a sync.
    pub hooks: Vec<Object>,
    /// Hooks that run before the application's resources are deleted.
    pub pre_delete_hooks: Vec<Object>,
    /// Hooks that run after that.
    pub post_delete_hooks: Vec<Object>,
    /// Whether something could not be loaded or compared. Such a comparison must not be synced from.
    pub failed: bool,
    /// Whether the live objects were known: what was made may be there even where nothing is shown of it.
    pub live_known: bool,
}

/// One target, one live object, or both.
#[derive(Clone, PartialEq)]
pub struct ComparedResource {
    /// Names it.
    pub key: ResourceKey,
    /// API version without the group.
    pub version: String,
    /// What the source says; marked, in its namespace.
    pub target: Option<Object>,
    /// What the cluster has.
    pub live: Option<Object>,
    /// The difference.
    pub diff: Diff,
    /// Whether it is a hook.
    pub hook: bool,
    /// Whether it is in sync; none for hooks and for what is not ours to judge.
    pub status: Option<SyncStatusCode>,
    /// How it is; none when its kind does not say, or nobody asks.
    pub health: Option<HealthStatus>,
    /// Whether a sync that prunes would delete it, were it no hook.
    pub requires_pruning: bool,
    /// Whether a user must confirm that.
    pub requires_deletion_confirmation: bool,
    /// Its wave.
    pub sync_wave: i64,
    /// Whether its mark was made for it. What is not ours is never pruned.
    pub ours: bool,
    /// The other application whose mark its live object carries.
    pub other_owner: Option<String>,
}

/// Without the objects: Secrets are among them, and logs are read by many.
impl fmt::Debug for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Comparison")
            .field("sync", &self.sync)
            .field("health", &self.health)
            .field("resources", &self.resources)
            .field("failed", &self.failed)
            .finish_non_exhaustive()
    }
}

/// Without the objects.
impl fmt::Debug for ComparedResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ComparedResource")
            .field("key", &format_args!("{}", self.key))
            .field("target", &self.target.is_some())
            .field("live", &self.live.is_some())
            .field("modified", &self.diff.modified)
            .field("status", &self.status)
            .field("health", &self.health)
            .field("requires_pruning", &self.requires_pruning)
            .field("ours", &self.ours)
            .finish_non_exhaustive()
    }
}

impl ComparedResource {
    fn reference(&self) -> ResourceRef {
        let ResourceKey { group, kind, namespace, name } = self.key.clone();
        ResourceRef { group, version: self.version.clone(), kind, namespace, name, uid: String::new() }
    }
}

impl Comparison {
    /// `status.resources`, with each resource's health or without, as the settings say.
    pub fn resource_statuses(&self, with_health: bool) -> Vec<ResourceStatus> {
        self.resources
            .iter()
            .map(|resource| {
                let ResourceRef { group, version, kind, namespace, name, .. } = resource.reference();
                ResourceStatus {
                    group,
                    version,
                    kind,
                    namespace,
                    name,
                    status: resource.status.map(|status| status.as_str().into()).unwrap_or_default(),
                    health: resource.health.as_ref().filter(|_| with_health).map(HealthStatus::to_api),
                    hook: resource.hook,
                    requires_pruning: resource.requires_pruning,
                    sync_wave: resource.sync_wave,
                    requires_deletion_confirmation: resource.requires_deletion_confirmation,
                }
            })
            .collect()
    }

    /// What a sync starts from; nothing when the comparison failed.
    pub fn sync_resources(&self) -> Option<Vec<sync::Resource>> {
        let resources = self.resources.iter().map(|resource| sync::Resource {
            target: resource.target.clone(),
            live: resource.live.clone(),
            modified: resource.diff.modified,
            ours: resource.ours,
            other_owner: resource.other_owner.clone(),
        });
        (!self.failed).then(|| resources.collect())
    }

    /// The same for `RespectIgnoreDifferences=true`: targets leave alone what is ignored.
    pub fn sync_resources_respecting(
        &self,
        options: &DiffOptions,
    ) -> Result<Option<Vec<sync::Resource>>, DiffError> {
        let Some(mut resources) = self.sync_resources() else { return Ok(None) };
        for resource in &mut resources {
            if let (Some(target), Some(live)) = (&mut resource.target, &resource.live) {
                *target = respecting_ignored(target, live, options)?;
            }
        }
        Ok(Some(resources))
    }

    /// Managed objects that are not in the cluster, for the tree.
    pub fn missing(&self) -> Vec<ResourceRef> {
        let missing = self.resources.iter().filter(|resource| resource.live.is_none());
        missing.map(ComparedResource::reference).collect()
    }

    /// Names of the live objects, for the tree: its roots.
    pub fn live_keys(&self) -> Vec<ResourceKey> {
        let live = self.resources.iter().filter(|resource| resource.live.is_some());
        live.map(|resource| resource.key.clone()).collect()
    }

    /// The differences as the API and the cache hold them. Secrets are masked first and compared again, so that
    /// no value gets into any of the four states.
    pub fn managed_resources(
        &self,
        options: &DiffOptions,
        masked_annotations: &BTreeSet<String>,
    ) -> Result<Vec<ResourceDiff>, DiffError> {
        self.resources.iter().map(|resource| managed(resource, options, masked_annotations)).collect()
    }
}

fn managed(
    resource: &ComparedResource,
    options: &DiffOptions,
    masked_annotations: &BTreeSet<String>,
) -> Result<ResourceDiff, DiffError> {
    let (target, live) = (resource.target.as_ref(), resource.live.as_ref());
    let secret = target.into_iter().chain(live).any(is_secret);
    let (masked_target, masked_live, masked_diff);
    let (target, live, difference) = if secret {
        (masked_target, masked_live) = mask_secret(target, live, masked_annotations);
        masked_diff = diff(masked_target.as_ref(), masked_live.as_ref(), options)?;
        (masked_target.as_ref(), masked_live.as_ref(), &masked_diff)
    } else {
        (target, live, &resource.diff)
    };
    Ok(ResourceDiff {
        group: resource.key.group.clone(),
        kind: resource.key.kind.clone(),
        namespace: resource.key.namespace.clone(),
        name: resource.key.name.clone(),
        target_state: state(target),
        live_state: state(live),
        diff: String::new(),
        hook: resource.hook,
        normalized_live_state: difference.normalized_live_state(),
        predicted_live_state: difference.predicted_live_state(),
        resource_version: live.map(|live| live.resource_version().to_owned()).unwrap_or_default(),
        modified: difference.modified,
    })
}
