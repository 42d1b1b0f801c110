//! Whether a live object is well, judged from the object alone: the user's Lua, a table of rules for
//! well-known custom resources, native checks for the kinds Kubernetes brings. Knows nothing of applications
//! or of sync.

mod autoscaling;
mod batch;
mod checks;
mod core_kinds;
mod custom;
mod object_status;
mod pod;
mod reading;
mod rules;
mod workload;

pub use checks::{Checks, Finding};
pub use lua_sandbox::{Interrupt, Limits, ScriptError, Watch};
pub use object_status::HealthStatus;

use api::codes::HealthStatusCode;
use object::Object;

/// Keeps a hook's object until its phase ends; while it waits for that, its own health counts.
const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";

/// The health of a live object by the built-in checks alone; none when its kind has no notion of health.
pub fn health(live: &Object) -> Option<HealthStatus> {
    pending_deletion(live).or_else(|| built_in(live))
}

fn pending_deletion(live: &Object) -> Option<HealthStatus> {
    let waits_for_hook = live.finalizers().contains(&HOOK_FINALIZER);
    (!live.deletion_timestamp().is_empty() && !waits_for_hook)
        .then(|| HealthStatus::new(HealthStatusCode::Progressing, "Pending deletion"))
}

fn built_in(live: &Object) -> Option<HealthStatus> {
    if rules::knows(live.group(), live.kind()) { rules::judge(live) } else { native(live) }
}

/// Whether the kind has a notion of health at all.
pub fn has_check(group: &str, kind: &str) -> bool {
    rules::knows(group, kind) || native_check(group, kind).is_some()
}

type Check = fn(&Object) -> HealthStatus;

fn native(live: &Object) -> Option<HealthStatus> {
    native_check(live.group(), live.kind()).map(|check| check(live))
}

fn native_check(group: &str, kind: &str) -> Option<Check> {
    Some(match (group, kind) {
        ("apps", "Deployment") => workload::deployment,
        ("apps", "ReplicaSet") => workload::replica_set,
        ("apps", "StatefulSet") => workload::stateful_set,
        ("apps", "DaemonSet") => workload::daemon_set,
        ("", "Pod") => pod::pod,
        ("", "Service") => core_kinds::service,
        ("", "PersistentVolumeClaim") => core_kinds::persistent_volume_claim,
        ("extensions" | "networking.k8s.io", "Ingress") => core_kinds::ingress,
        ("apiregistration.k8s.io", "APIService") => core_kinds::api_service,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => core_kinds::custom_resource_definition,
        ("policy", "PodDisruptionBudget") => core_kinds::pod_disruption_budget,
        ("batch", "Job") => batch::job,
        ("batch", "CronJob") => batch::cron_job,
        ("argoproj.io", "Workflow") => batch::workflow,
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::horizontal_pod_autoscaler,
        _ => return None,
    })
}
