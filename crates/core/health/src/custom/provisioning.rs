//! Clusters and machines that others bring up.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{list, look, stale, text, text_in, truthy, within};
use api::codes::HealthStatusCode;
use jiff::Timestamp;
use object::Object;
use serde_json::Value;

pub(crate) fn cluster(live: &Object) -> HealthStatus {
    if truthy(look(live, "spec.paused")) {
        return HealthStatus::suspended("Cluster is paused");
    }
    if let Some(unready) = conditions(live).find(|it| it.kind == "Ready" && it.status == "False") {
        return HealthStatus::degraded(unready.message);
    }
    match text(live, "status.phase") {
        "Provisioned" => HealthStatus::healthy("Cluster is running"),
        "Failed" => HealthStatus::degraded(""),
        _ => HealthStatus::progressing("Waiting for clusters"),
    }
}

pub(crate) fn machine(live: &Object) -> HealthStatus {
    let unready = conditions(live).find(|it| it.kind == "Ready" && it.status == "False");
    let why = unready.map_or("Condition is unknown", |condition| condition.message);
    match text(live, "status.phase") {
        "Running" => HealthStatus::healthy("Machine is running"),
        "Failed" => HealthStatus::degraded(why),
        _ => HealthStatus::progressing(why),
    }
}

pub(crate) fn machine_pool(live: &Object) -> HealthStatus {
    let phase = text(live, "status.phase");
    let status = match phase {
        "Running" | "Scaling" => HealthStatusCode::Healthy,
        "Failed" | "Unknown" => HealthStatusCode::Degraded,
        _ => HealthStatusCode::Progressing,
    };
    let mut message = match look(live, "status.phase") {
        Some(_) => format!("MachinePool is {phase}"),
        None => String::new(),
    };
    let missing: Vec<String> = list(live, "status.conditions")
        .iter()
        .filter(|it| within(it, "type").is_some() && text_in(it, "status") == "False")
        .map(|it| match within(it, "reason") {
            Some(_) => format!("Not {} ({})", text_in(it, "type"), text_in(it, "reason")),
            None => format!("Not {}", text_in(it, "type")),
        })
        .collect();
    if !missing.is_empty() {
        message = format!("{message}: {}", missing.join(", "));
    }
    HealthStatus::new(status, message)
}

pub(crate) fn managed_control_plane(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Provisioning...");
    }
    // A failure that is told here does not pass by waiting.
    let failure = text(live, "status.failureMessage");
    if !failure.is_empty() {
        return HealthStatus::degraded(failure);
    }
    if stale(live) {
        return HealthStatus::progressing("Waiting for the control plane spec to be reconciled");
    }
    // While it is updated the control plane stays Ready.
    if conditions(live).any(|it| it.kind == "EKSControlPlaneUpdating" && it.status == "True") {
        return HealthStatus::progressing("EKS control plane is updating");
    }
    if conditions(live).any(|it| it.kind == "Ready" && it.status == "True") {
        return HealthStatus::healthy("Control plane is ready");
    }
    let errors: String = list(live, "status.conditions")
        .iter()
        .filter(|it| text_in(it, "status") == "False" && text_in(it, "severity") == "Error")
        .map(|it| format!("{} ", text_in(it, "message")))
        .collect();
    if !errors.is_empty() {
        return HealthStatus::degraded(errors);
    }
    HealthStatus::progressing(if look(live, "status.ready") == Some(&Value::Bool(false)) {
        "Control plane is not ready (.status.ready is false)"
    } else {
        "Control plane is not ready"
    })
}

/// Gardener tells by a label; what is unhealthy for less than a quarter of an hour is being looked after.
pub(crate) fn shoot(live: &Object, now: Option<Timestamp>) -> HealthStatus {
    const LABEL: &str = "shoot.gardener.cloud/status";
    const PATIENCE_S: i64 = 900;
    let label = look(live, "metadata.labels").and_then(|labels| labels.get(LABEL)).and_then(Value::as_str);
    match label {
        Some("healthy") => HealthStatus::healthy("Component state: Healthy"),
        Some("progressing") => HealthStatus::progressing("Component state: Update in progress"),
        Some("unknown") => HealthStatus::new(HealthStatusCode::Unknown, "Component state: Unknown"),
        Some("unhealthy") => {
            let bad = list(live, "status.conditions").iter().find(|it| text_in(it, "status") != "True");
            let Some(bad) = bad else { return HealthStatus::degraded("Component state: Unhealthy") };
            let since = text_in(bad, "lastTransitionTime").parse::<Timestamp>().ok();
            let recent =
                since.zip(now).is_some_and(|(since, now)| now.as_second() - since.as_second() < PATIENCE_S);
            if recent {
                HealthStatus::progressing("Component state: Reconcile - status unhealthy (< 15 minutes)")
            } else {
                HealthStatus::degraded("Component state: Unhealthy (> 15 minutes)")
            }
        }
        _ => HealthStatus::progressing("Update in progress"),
    }
}

pub(crate) fn karmada_binding(live: &Object) -> HealthStatus {
    let clusters = list(live, "spec.clusters").len();
    let aggregated = list(live, "status.aggregatedStatus");
    let untold = look(live, "status.aggregatedStatus").is_none();
    if clusters == 0 || untold || aggregated.len() != clusters {
        return HealthStatus::progressing("Current resource status is insufficient");
    }
    let is_bad = |status: &Value| match text_in(status, "health") {
        "Unhealthy" => true,
        "Unknown" => within(status, "applied") != Some(&Value::Bool(true)),
        _ => false,
    };
    if aggregated.iter().any(is_bad) {
        return HealthStatus::degraded("Current resource status is unhealthy");
    }
    HealthStatus::healthy("")
}
