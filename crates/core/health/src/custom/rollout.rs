//! Argo Rollouts, of all its versions.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{list, look, number, text, truthy};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;
use std::str::FromStr;

const UNOBSERVED: &str = "Waiting for rollout spec update to be observed";
const WORKLOAD_GENERATION: &str = "rollout.argoproj.io/workload-generation";

pub(crate) fn rollout(live: &Object) -> HealthStatus {
    if !generation_observed(live) || !workload_generation_observed(live) {
        return HealthStatus::progressing(UNOBSERVED);
    }
    // Since 1.0 the controller says itself how it goes.
    if let Some(phase) = look(live, "status.phase").and_then(Value::as_str) {
        let message = text(live, "status.message");
        return match (phase, HealthStatusCode::from_str(phase)) {
            ("Paused", _) => HealthStatus::suspended(message),
            (_, Ok(code)) => HealthStatus::new(code, message),
            (_, Err(_)) => HealthStatus::invalid(),
        };
    }
    for condition in conditions(live) {
        let stuck = matches!(condition.reason, "RolloutAborted" | "ProgressDeadlineExceeded");
        if condition.kind == "InvalidSpec" || (condition.kind == "Progressing" && stuck) {
            return HealthStatus::degraded(condition.message);
        }
    }
    if !list(live, "status.pauseConditions").is_empty() || truthy(look(live, "spec.paused")) {
        return HealthStatus::suspended("Rollout is paused");
    }
    if look(live, "status.currentPodHash").is_none() {
        return HealthStatus::progressing("Waiting for rollout to finish: status has not been reconciled.");
    }
    replicas(live).or_else(|| strategy(live)).unwrap_or_else(|| HealthStatus::healthy(""))
}

/// Spot's kind is like a Rollout, but tells no generation.
pub(crate) fn spot_deployment(live: &Object) -> Option<HealthStatus> {
    look(live, "status.conditions")?;
    for condition in conditions(live) {
        let stuck = matches!(condition.reason, "RolloutAborted" | "ProgressDeadlineExceeded");
        if condition.kind == "InvalidSpec" || (condition.kind == "Progressing" && stuck) {
            return Some(HealthStatus::degraded(condition.message));
        }
        if condition.kind == "Paused" && condition.status == "True" {
            return Some(HealthStatus::suspended("Rollout is paused"));
        }
    }
    Some(match text(live, "status.phase") {
        "Progressing" => HealthStatus::progressing("Waiting for rollout to finish steps"),
        _ => HealthStatus::healthy(""),
    })
}

/// A number, or text that is one.
fn numeric(value: Option<&Value>) -> Option<f64> {
    match value? {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    }
}

/// Since 0.10 the generation is a number; before, it was a hash, and nobody could tell.
fn generation_observed(live: &Object) -> bool {
    if look(live, "status").is_none() {
        return false;
    }
    let wanted = number(live, "metadata.generation").unwrap_or(0.0);
    match numeric(look(live, "status.observedGeneration")) {
        Some(observed) if observed <= wanted => observed >= wanted,
        _ => true,
    }
}

/// Since 1.1 the pods may be those of another workload.
fn workload_generation_observed(live: &Object) -> bool {
    let annotations = look(live, "metadata.annotations");
    if look(live, "spec.workloadRef").is_none() || annotations.is_none() {
        return true;
    }
    let wanted = numeric(annotations.and_then(|annotations| annotations.get(WORKLOAD_GENERATION)));
    let observed = numeric(look(live, "status.workloadObservedGeneration"));
    match (wanted, observed) {
        (Some(wanted), Some(observed)) => wanted.total_cmp(&observed).is_eq(),
        (None, None) => true,
        _ => false,
    }
}

fn replicas(live: &Object) -> Option<HealthStatus> {
    let wanted = number(live, "spec.replicas").unwrap_or(1.0);
    let updated = number(live, "status.updatedReplicas").unwrap_or(0.0);
    let available = number(live, "status.availableReplicas").unwrap_or(0.0);
    let waiting = if updated < wanted {
        "Waiting for roll out to finish: More replicas need to be updated"
    } else if available < updated {
        "Waiting for roll out to finish: updated replicas are still becoming available"
    } else {
        return None;
    };
    Some(HealthStatus::progressing(waiting))
}

fn strategy(live: &Object) -> Option<HealthStatus> {
    let current = text(live, "status.currentPodHash");
    let stable = match (look(live, "status.stableRS"), look(live, "status.canary")) {
        (Some(_), _) => text(live, "status.stableRS"),
        (None, Some(_)) => text(live, "status.canary.stableRS"),
        (None, None) => "",
    };
    let waiting = if look(live, "spec.strategy.blueGreen").is_some() {
        if text(live, "status.blueGreen.activeSelector") != current {
            "active service cutover pending"
        } else if !stable.is_empty() && stable != current {
            "waiting for analysis to complete"
        } else {
            return None;
        }
    } else if look(live, "spec.strategy.canary").is_some() {
        let replicas = number(live, "status.replicas").unwrap_or(0.0);
        if replicas > number(live, "status.updatedReplicas").unwrap_or(0.0) {
            "Waiting for roll out to finish: old replicas are pending termination"
        } else if stable != current {
            "Waiting for rollout to finish steps"
        } else {
            return None;
        }
    } else {
        return None;
    };
    Some(HealthStatus::progressing(waiting))
}
