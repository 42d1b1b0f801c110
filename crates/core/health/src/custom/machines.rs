//! KubeVirt.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{look, text, truthy};
use object::Object;
use serde_json::Value;

pub(crate) fn virtual_machine(live: &Object) -> HealthStatus {
    let created = truthy(look(live, "status.created"));
    let mut verdict = HealthStatus::progressing("No status available");
    for condition in conditions(live) {
        match (condition.kind, condition.status) {
            ("Paused", "True") => return HealthStatus::suspended("Paused"),
            ("Ready", "True") => verdict = HealthStatus::healthy("Running"),
            ("Ready", _) if created => verdict.message = "Starting".into(),
            ("Ready", _) => verdict = HealthStatus::suspended("Stopped"),
            _ => {}
        }
    }
    if let Some(printable) = look(live, "status.printableStatus").and_then(Value::as_str) {
        verdict.message = printable.into();
    }
    verdict
}

pub(crate) fn virtual_machine_instance(live: &Object) -> HealthStatus {
    let phase = text(live, "status.phase");
    let mut verdict = match phase {
        "" => HealthStatus::progressing("No status available"),
        "Failed" => return HealthStatus::degraded(phase),
        "Pending" | "Scheduling" | "Scheduled" => return HealthStatus::progressing(phase),
        "Succeeded" => return HealthStatus::suspended(phase),
        "Unknown" => return HealthStatus::new(api::codes::HealthStatusCode::Unknown, phase),
        _ => HealthStatus::progressing(phase),
    };
    for condition in conditions(live) {
        match (condition.kind, condition.status) {
            ("Ready", "True") => verdict = HealthStatus::healthy("Running"),
            ("Ready", _) => verdict = HealthStatus::degraded(condition.message),
            ("Paused", "True") => return HealthStatus::suspended(condition.message),
            _ => {}
        }
    }
    verdict
}
