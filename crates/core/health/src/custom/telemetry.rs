//! Prometheus, Grafana, OpenTelemetry.

use crate::object_status::HealthStatus;
use crate::reading::{list, look, text, text_in, within};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

/// The last word on `Available` counts.
pub(crate) fn prometheus(live: &Object) -> HealthStatus {
    let mut verdict = HealthStatus::progressing("Waiting for initialization");
    for condition in list(live, "status.conditions") {
        if text_in(condition, "type") != "Available" {
            continue;
        }
        let why = within(condition, "message").or_else(|| within(condition, "reason"));
        let why = why.and_then(Value::as_str).unwrap_or_default();
        verdict = match (text_in(condition, "status"), text_in(condition, "reason")) {
            ("True", _) => HealthStatus::healthy("All instances are available"),
            (_, "SomePodsNotReady") => HealthStatus::progressing(why),
            _ => HealthStatus::degraded(why),
        };
    }
    verdict
}

/// Conditions are told one after the other until one is false.
pub(crate) fn grafana_conditions(live: &Object) -> HealthStatus {
    let mut status = HealthStatusCode::Progressing;
    let mut told = String::new();
    for condition in list(live, "status.conditions") {
        if within(condition, "status").is_none() {
            continue;
        }
        if !told.is_empty() {
            told.push_str(", ");
        }
        if within(condition, "reason").is_some() {
            told.push_str(text_in(condition, "reason"));
            if within(condition, "type").is_some() {
                told.push_str(" for ");
                told.push_str(text_in(condition, "type"));
                if within(condition, "message").is_some() {
                    told.push_str(" because ");
                    told.push_str(text_in(condition, "message"));
                }
            }
        }
        // Of this one, false is the good answer.
        let inverted = live.kind() == "GrafanaFolder" && text_in(condition, "type") == "FolderUIDMismatch";
        match (text_in(condition, "status"), inverted) {
            ("False", false) | ("True", true) => return HealthStatus::degraded(told),
            ("True", false) => status = HealthStatusCode::Healthy,
            _ => {}
        }
    }
    HealthStatus::new(status, told)
}

pub(crate) fn collector(live: &Object) -> HealthStatus {
    if look(live, "status").is_none() {
        return HealthStatus::progressing("Waiting for OpenTelemetry Collector status");
    }
    let mode = text(live, "spec.mode");
    let Some(replicas) = look(live, "status.scale.statusReplicas") else {
        return if mode == "sidecar" {
            HealthStatus::healthy("Collector is running in sidecar mode")
        } else {
            HealthStatus::progressing("Scale status not available")
        };
    };
    let replicas = replicas.as_str().unwrap_or_default();
    let counts = replicas.split_once('/').and_then(|(ready, total)| {
        Some((ready.trim().parse::<u64>().ok()?, total.trim().parse::<u64>().ok()?))
    });
    match counts {
        None => HealthStatus::progressing(format!("Unable to parse replica status: {replicas}")),
        // No node fits: nothing is missing.
        Some((0, 0)) if mode == "daemonset" => HealthStatus::healthy("DaemonSet has no eligible nodes (0/0)"),
        Some((0, _)) => HealthStatus::degraded("No replicas are ready"),
        Some((ready, total)) if ready == total => HealthStatus::healthy("All replicas are ready"),
        Some(_) => HealthStatus::progressing("Replicas are starting up"),
    }
}
