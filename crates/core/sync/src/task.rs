//! One thing to do: an object to apply, a hook to run, an object to prune.

use crate::hook::HookDeletePolicies;
use api::codes::{HookType, SyncPhase};
use api::names::HOOK_FINALIZER;
use object::{GroupVersionKind, Object, ResourceKey};
use serde_json::Value;
use std::collections::BTreeSet;

/// Position of a task in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub usize);

/// One thing to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// When.
    pub phase: SyncPhase,
    /// When, within the phase; ascending.
    pub wave: i64,
    /// Set for hooks.
    pub hook: Option<HookType>,
    /// What to apply; nothing for a prune.
    pub target: Option<Object>,
    /// What was live when the plan was made.
    pub live: Option<Object>,
    /// Whether the live object of a hook carries this application's mark: only then may it be a run of this operation.
    pub own_live: bool,
    /// The object's name in its cluster.
    pub key: ResourceKey,
    /// Namespace in results: the original reports the destination's namespace for cluster-scoped targets.
    pub result_namespace: String,
    /// The object's kind.
    pub gvk: GroupVersionKind,
    /// How to write the target.
    pub write: Write,
    /// Whether to validate the target against the cluster's schema.
    pub validate: bool,
    /// The kind is not served yet: it comes with this plan.
    pub skip_dry_run: bool,
    /// For a prune: whether, and why not.
    pub prune: Option<Prune>,
    /// For a hook: when its object is deleted.
    pub delete_policies: HookDeletePolicies,
    /// Makes the destination's namespace; done before anything is validated.
    pub creates_namespace: bool,
    /// Images named in the object.
    pub images: Vec<String>,
}

/// How a target is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// As `kubectl apply` does it, against the last applied configuration.
    Apply {
        /// Delete and make anew when the server refuses the change.
        force: bool,
    },
    /// Server-side, with our field manager, taking conflicting fields over.
    ServerSideApply {
        /// Field manager whose fields of a former client-side apply become ours first.
        migrate_from: Option<String>,
    },
    /// Make it; it is an error when it exists.
    Create,
    /// Put it in place of the live object.
    Replace {
        /// Delete the live object first.
        force: bool,
    },
    /// Put it in place of the live object, never deleting it: CRDs and namespaces take what they hold with them.
    Update,
    /// Prunes write nothing.
    None,
}

/// Whether a live object that is in no source is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prune {
    /// It is.
    Delete,
    /// It is, once a user confirmed.
    Confirm,
    /// It stays; the text is the result's message.
    Skip(&'static str),
}

/// What happens to the objects a deleted object owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Propagation {
    /// They go first.
    #[default]
    Foreground,
    /// They go afterwards.
    Background,
    /// They stay.
    Orphan,
}

impl Propagation {
    pub(crate) fn parse(value: Option<&str>) -> Self {
        match value {
            Some("background") => Self::Background,
            Some("orphan") => Self::Orphan,
            _ => Self::Foreground,
        }
    }
}

impl Task {
    /// Whether a finalizer of an earlier sync keeps the hook's object.
    pub(crate) fn is_held(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.finalizers().contains(&HOOK_FINALIZER))
    }

    /// Whether this deletes.
    pub fn is_prune(&self) -> bool {
        self.target.is_none()
    }

    /// Whether this is a hook.
    pub fn is_hook(&self) -> bool {
        self.hook.is_some()
    }

    /// Whether its object is deleted and created where it cannot be changed: a hook that is made anew each time, or by force.
    pub fn is_made_anew(&self) -> bool {
        let forced = matches!(self.write, Write::Apply { force: true } | Write::Replace { force: true });
        forced || (self.is_hook() && self.delete_policies.before_creation)
    }

    /// `apps/Deployment/name`, as progress messages spell it.
    pub(crate) fn label(&self) -> String {
        format!("{}/{}/{}", self.gvk.group, self.gvk.kind, self.key.name)
    }

    pub(crate) fn is_crd(&self) -> bool {
        self.gvk.kind == "CustomResourceDefinition" && self.gvk.group == "apiextensions.k8s.io"
    }
}

/// Images an object's containers use, sorted, each once.
pub fn images(object: &Object) -> Vec<String> {
    let pod: &[&str] = match (object.group(), object.kind()) {
        ("", "Pod") => &["spec"],
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
        ("batch", "Job") | ("apps" | "extensions", _) | ("", "ReplicationController") => {
            &["spec", "template", "spec"]
        }
        ("argoproj.io", "Rollout") => &["spec", "template", "spec"],
        _ => return Vec::new(),
    };
    let Some(spec) = object.at(pod) else { return Vec::new() };
    let mut found = BTreeSet::new();
    for list in ["initContainers", "containers"] {
        for container in spec.get(list).and_then(Value::as_array).into_iter().flatten() {
            if let Some(image) = container.get("image").and_then(Value::as_str) {
                found.insert(image.to_owned());
            }
        }
    }
    found.into_iter().collect()
}
