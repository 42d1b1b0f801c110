//! Clusters and machines that others bring up.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{list, look, stale, text, text_in, truthy, within};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

pub(crate) fn cluster(live: &Object) -> HealthStatus {
    if truthy(look(live, "spec.paused")) {
        return HealthStatus::suspended("Cluster is paused");
    }
    // While it is provisioned, it is not ready for reasons that are no more than information.
    let unready = list(live, "status.conditions").iter().find(|it| {
        (text_in(it, "type"), text_in(it, "status")) == ("Ready", "False")
            && text_in(it, "severity") != "Info"
    });
    if let Some(unready) = unready {
        return HealthStatus::degraded(text_in(unready, "message"));
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
    if stale(live) {
        return HealthStatus::progressing("Waiting for the control plane spec to be reconciled");
    }
    // A failure that is told here does not pass by waiting.
    let failure = text(live, "status.failureMessage");
    if !failure.is_empty() {
        return HealthStatus::degraded(failure);
    }
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Provisioning...");
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

/// Gardener tells by a label.
pub(crate) fn shoot(live: &Object) -> HealthStatus {
    const LABEL: &str = "shoot.gardener.cloud/status";
    let label = look(live, "metadata.labels").and_then(|labels| labels.get(LABEL)).and_then(Value::as_str);
    match label {
        Some("healthy") => HealthStatus::healthy("Component state: Healthy"),
        Some("progressing") => HealthStatus::progressing("Component state: Update in progress"),
        Some("unhealthy") => HealthStatus::degraded("Component state: Unhealthy"),
        Some("unknown") => HealthStatus::new(HealthStatusCode::Unknown, "Component state: Unknown"),
        _ => HealthStatus::progressing("Update in progress"),
    }
}

pub(crate) fn karmada_cluster_binding(live: &Object) -> HealthStatus {
    if look(live, "spec.clusters").is_none() { insufficient() } else { karmada_binding(live) }
}

fn insufficient() -> HealthStatus {
    HealthStatus::progressing("Current resource status is insufficient")
}

/// A binding that follows another names no clusters: it is where that one is.
pub(crate) fn karmada_binding(live: &Object) -> HealthStatus {
    let aggregated = list(live, "status.aggregatedStatus");
    let wanted = look(live, "spec.clusters").map(|_| list(live, "spec.clusters").len());
    if aggregated.is_empty() || wanted.is_some_and(|count| count != aggregated.len()) {
        return insufficient();
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
