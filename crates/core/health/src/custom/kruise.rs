//! OpenKruise's workloads.

use crate::object_status::HealthStatus;
use crate::reading::{look, number, same, text, told, truthy};
use object::Object;
use serde_json::Value;

const INITIALIZING: &str = "Waiting for initialization";

fn observed(live: &Object) -> bool {
    look(live, "status").is_some()
        && same(look(live, "metadata.generation"), look(live, "status.observedGeneration"))
}

fn equal(live: &Object, left: &str, right: &str) -> bool {
    same(look(live, left), look(live, right))
}

/// Whether a roll-out stops at a partition: not at 0, and not for what was just created.
fn partitioned(live: &Object, path: &str, absent_counts: bool) -> bool {
    let not_zero = match look(live, path) {
        None => absent_counts,
        Some(value) => value.as_f64().is_none_or(|number| number.total_cmp(&0.0).is_ne()),
    };
    not_zero && number(live, "metadata.generation").unwrap_or(0.0) > 1.0
}

fn paused(live: &Object, path: &str, updated: &str) -> bool {
    look(live, path) == Some(&Value::Bool(true)) || !truthy(look(live, updated))
}

pub(crate) fn clone_set(live: &Object) -> HealthStatus {
    if !observed(live) {
        return HealthStatus::progressing(INITIALIZING);
    }
    if paused(live, "spec.updateStrategy.paused", "status.updatedAvailableReplicas") {
        return HealthStatus::suspended("Cloneset is paused");
    }
    if partitioned(live, "spec.updateStrategy.partition", true) {
        let updated = number(live, "status.updatedReplicas").unwrap_or(0.0);
        return if updated >= number(live, "status.expectedUpdatedReplicas").unwrap_or(0.0) {
            HealthStatus::suspended("Cloneset needs manual intervention")
        } else {
            HealthStatus::progressing(INITIALIZING)
        };
    }
    if equal(live, "status.updatedAvailableReplicas", "status.replicas") {
        HealthStatus::healthy("All Cloneset workloads are ready and updated")
    } else {
        HealthStatus::degraded("Some replicas are not ready or available")
    }
}

pub(crate) fn stateful_set(live: &Object) -> HealthStatus {
    if !observed(live) {
        return HealthStatus::progressing(INITIALIZING);
    }
    if paused(live, "spec.updateStrategy.rollingUpdate.paused", "status.updatedAvailableReplicas") {
        return HealthStatus::suspended("Statefulset is paused");
    }
    if partitioned(live, "spec.updateStrategy.rollingUpdate.partition", true) {
        let updated = number(live, "status.updatedReplicas").unwrap_or(0.0);
        let wanted = number(live, "status.replicas").unwrap_or(0.0)
            - number(live, "spec.updateStrategy.rollingUpdate.partition").unwrap_or(0.0);
        return if updated > wanted {
            HealthStatus::suspended("Statefulset needs manual intervention")
        } else {
            HealthStatus::progressing(INITIALIZING)
        };
    }
    if equal(live, "status.updatedAvailableReplicas", "status.replicas") {
        HealthStatus::healthy("All Statefulset workloads are ready and updated")
    } else {
        HealthStatus::degraded("Some replicas are not ready or available")
    }
}

pub(crate) fn daemon_set(live: &Object) -> HealthStatus {
    if !observed(live) {
        return HealthStatus::progressing(INITIALIZING);
    }
    if paused(live, "spec.updateStrategy.rollingUpdate.paused", "status.updatedNumberScheduled") {
        return HealthStatus::suspended("Daemonset is paused");
    }
    let of = |name: &str| number(live, &format!("status.{name}")).unwrap_or(0.0);
    let (updated, wanted) = (of("updatedNumberScheduled"), of("desiredNumberScheduled"));
    if partitioned(live, "spec.updateStrategy.rollingUpdate.partition", false) {
        let partition = number(live, "spec.updateStrategy.rollingUpdate.partition").unwrap_or(0.0);
        return if updated > wanted - partition {
            HealthStatus::suspended("Daemonset needs manual intervention")
        } else {
            HealthStatus::progressing(INITIALIZING)
        };
    }
    let all_updated = equal(live, "status.updatedNumberScheduled", "status.desiredNumberScheduled");
    if all_updated && equal(live, "status.numberAvailable", "status.desiredNumberScheduled") {
        HealthStatus::healthy("All Daemonset workloads are ready and updated")
    } else if all_updated && equal(live, "status.numberUnavailable", "status.desiredNumberScheduled") {
        HealthStatus::degraded("Some pods are not ready or available")
    } else {
        HealthStatus::progressing(INITIALIZING)
    }
}

pub(crate) fn game_server_set(live: &Object) -> HealthStatus {
    let waiting = || HealthStatus::progressing("Waiting for GameServerSet initialization");
    if !observed(live) {
        return waiting();
    }
    let of = |name: &str| number(live, &format!("status.{name}")).unwrap_or(0.0);
    let replicas = of("replicas");
    if look(live, "spec.updateStrategy.rollingUpdate.paused") == Some(&Value::Bool(true)) {
        return HealthStatus::suspended("GameServerSet is paused");
    }
    let partition = look(live, "spec.updateStrategy.rollingUpdate.partition");
    if let Some(value) = partition.filter(|value| value.as_f64().is_some_and(|it| it.abs() > 0.0))
        && of("updatedReplicas") >= replicas - value.as_f64().unwrap_or(0.0)
    {
        return HealthStatus::suspended(format!(
            "Partition={}, waiting for manual intervention",
            told(value)
        ));
    }
    if of("updatedReadyReplicas").total_cmp(&replicas).is_eq() {
        return HealthStatus::healthy("All GameServerSet replicas are updated and ready");
    }
    let ready = of("readyReplicas");
    if ready < replicas {
        return HealthStatus::progressing(format!("ReadyReplicas {ready}/{replicas}, still progressing"));
    }
    waiting()
}

pub(crate) fn rollout(live: &Object) -> HealthStatus {
    if same(look(live, "metadata.generation"), look(live, "status.observedGeneration")) {
        match (text(live, "status.canaryStatus.currentStepState"), text(live, "status.phase")) {
            ("StepPaused", "Progressing") => {
                return HealthStatus::suspended("Rollout is Paused need manual intervention");
            }
            ("Completed", "Healthy") => return HealthStatus::healthy("Rollout is Completed"),
            ("StepPaused", "Terminating" | "Disabled") => {
                return HealthStatus::degraded("Rollout is Disabled or Terminating");
            }
            _ => {}
        }
    }
    HealthStatus::progressing("Rollout is still progressing")
}
