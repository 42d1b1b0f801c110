//! Crossplane and its providers.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{list, look, text_in};
use object::Object;
use serde_json::Value;

const STATUSLESS: &[&str] = &[
    "Composition",
    "CompositionRevision",
    "DeploymentRuntimeConfig",
    "ClusterProviderConfig",
    "ProviderConfig",
    "ProviderConfigUsage",
    "ControllerConfig",
];
const STATUSLESS_OF_UPBOUND: &[&str] = &["ClusterProviderConfig", "ProviderConfig", "ProviderConfigUsage"];
const GOOD: &[&str] = &["Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy"];

/// Any kind of `*.crossplane.io`.
pub(crate) fn managed(live: &Object) -> HealthStatus {
    before_conditions(live, STATUSLESS).unwrap_or_else(|| {
        for condition in conditions(live) {
            if failed(condition.kind, condition.status) {
                return HealthStatus::degraded(condition.message);
            }
            if GOOD.contains(&condition.kind) && condition.status == "True" {
                return up_to_date();
            }
        }
        provisioning()
    })
}

/// Any kind of `*.upbound.io`: a failure counts wherever it stands.
pub(crate) fn managed_by_upbound(live: &Object) -> HealthStatus {
    before_conditions(live, STATUSLESS_OF_UPBOUND).unwrap_or_else(|| {
        if let Some(failure) = conditions(live).find(|it| failed(it.kind, it.status)) {
            return HealthStatus::degraded(failure.message);
        }
        let ready = conditions(live).any(|it| it.kind == "Ready" && it.status == "True");
        if ready { up_to_date() } else { provisioning() }
    })
}

fn failed(kind: &str, status: &str) -> bool {
    matches!(kind, "LastAsyncOperation" | "Synced") && status == "False"
}

fn up_to_date() -> HealthStatus {
    HealthStatus::healthy("Resource is up-to-date.")
}

fn provisioning() -> HealthStatus {
    HealthStatus::progressing("Provisioning ...")
}

/// What can be said without conditions.
fn before_conditions(live: &Object, statusless: &[&str]) -> Option<HealthStatus> {
    let status = look(live, "status");
    let is_empty = match status {
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Array(entries)) => entries.is_empty(),
        _ => false,
    };
    if status.is_none() || (is_empty && statusless.contains(&live.kind())) {
        return Some(up_to_date());
    }
    if is_empty || look(live, "status.conditions").is_none() {
        let is_config = matches!(live.kind(), "ProviderConfig" | "ClusterProviderConfig");
        return Some(if is_config && look(live, "status.users").is_some() {
            HealthStatus::healthy("Resource is in use.")
        } else {
            provisioning()
        });
    }
    None
}

/// What a kind is called in "Waiting for … to be available".
fn noun(kind: &str) -> &str {
    match kind {
        "Distribution" => "distribution",
        "ResourceRecordSet" => "resourcrecordset",
        other => other,
    }
}

/// Kinds of the classic AWS provider that have a check of their own.
pub(crate) fn ready_and_synced(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing(format!("Waiting for {} to be created", noun(live.kind())));
    }
    let (mut ready, mut synced, mut paused) = (false, false, false);
    let (mut why_ready, mut why_not_synced) = ("", "");
    for condition in conditions(live) {
        match condition.kind {
            "Ready" => (ready, why_ready) = (condition.status == "True", condition.reason),
            "Synced" => {
                synced = condition.status == "True";
                match condition.reason {
                    "ReconcileError" => why_not_synced = condition.message,
                    "ReconcilePaused" => paused = true,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    match (ready, synced, paused) {
        (true, true, _) => HealthStatus::healthy(why_ready),
        (_, false, true) => HealthStatus::suspended("ReconcilePaused"),
        (false, true, false) => {
            HealthStatus::progressing(format!("Waiting for {} to be available", noun(live.kind())))
        }
        _ => HealthStatus::degraded(why_not_synced),
    }
}

pub(crate) fn provider(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Waiting for provider to be installed");
    }
    let of = |kind: &str| conditions(live).filter(|it| it.kind == kind).last().unwrap_or_default();
    let (installed, healthy) = (of("Installed"), of("Healthy"));
    let message = format!("{} {}", installed.reason, healthy.reason);
    if installed.status == "True" && healthy.status == "True" {
        HealthStatus::healthy(message)
    } else {
        HealthStatus::degraded(message)
    }
}

pub(crate) fn cluster_stack_install(live: &Object) -> HealthStatus {
    let mut message = "Waiting for stack to be installed";
    for condition in list(live, "status.conditionedStatus.conditions") {
        if text_in(condition, "type") == "Ready" {
            message = text_in(condition, "reason");
            if text_in(condition, "status") == "True" {
                return HealthStatus::healthy(message);
            }
        }
    }
    HealthStatus::progressing(message)
}
