//! Crossplane and its providers.

use crate::object_status::{Condition, HealthStatus, conditions};
use crate::reading::{list, look, text, text_in, within};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

/// Kinds that get no conditions, and would never be healthy.
const WITHOUT_CONDITIONS: &[&str] = &[
    "ClusterProviderConfig",
    "ClusterProviderConfigUsage",
    "Composition",
    "CompositionRevision",
    "ControllerConfig",
    "DeploymentRuntimeConfig",
    "EnvironmentConfig",
    "ImageConfig",
    "ProviderConfig",
    "ProviderConfigUsage",
    "StoreConfig",
];
const WITHOUT_CONDITIONS_OF_UPBOUND: &[&str] = &[
    "ClusterProviderConfig",
    "ClusterProviderConfigUsage",
    "ProviderConfig",
    "ProviderConfigUsage",
    "StoreConfig",
];
const GOOD: &[&str] = &["Ready", "Healthy", "Offered", "Established", "ValidPipeline", "RevisionHealthy"];

/// Any kind of `*.crossplane.io`.
pub(crate) fn managed(live: &Object) -> HealthStatus {
    let inactive = text(live, "spec.state") != "Active";
    let is_good = |it: &Condition<'_>| {
        // What is not active never gets a definition, and is as it should be.
        let kept_inactive = it.kind == "Established" && it.reason == "InactiveManagedResource" && inactive;
        (GOOD.contains(&it.kind) && it.status == "True") || kept_inactive
    };
    judged(live, WITHOUT_CONDITIONS, is_good)
}

/// Any kind of `*.upbound.io`.
pub(crate) fn managed_by_upbound(live: &Object) -> HealthStatus {
    let is_good = |it: &Condition<'_>| it.kind == "Ready" && it.status == "True";
    judged(live, WITHOUT_CONDITIONS_OF_UPBOUND, is_good)
}

/// A failure counts wherever it stands.
fn judged(live: &Object, mute: &[&str], is_good: impl Fn(&Condition<'_>) -> bool) -> HealthStatus {
    if holds_nothing(look(live, "status.conditions")) {
        return match mute.contains(&live.kind()) {
            true if look(live, "status.users").is_some() => HealthStatus::healthy("Resource is in use."),
            true => up_to_date(),
            false => provisioning(),
        };
    }
    if let Some(failure) = conditions(live).find(|it| failed(it.kind, it.status)) {
        return HealthStatus::degraded(failure.message);
    }
    if conditions(live).any(|it| is_good(&it)) { up_to_date() } else { provisioning() }
}

fn holds_nothing(value: Option<&Value>) -> bool {
    match value {
        None => true,
        Some(Value::Object(members)) => members.is_empty(),
        Some(Value::Array(entries)) => entries.is_empty(),
        Some(_) => false,
    }
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
    let last = |kind: &str| list(live, "status.conditions").iter().rfind(|it| text_in(it, "type") == kind);
    let (installed, healthy) = (last("Installed"), last("Healthy"));
    let reasons: Vec<&str> =
        [installed, healthy].into_iter().flatten().filter_map(|it| within(it, "reason")?.as_str()).collect();
    if reasons.is_empty() {
        return HealthStatus::progressing("Waiting for provider to be installed");
    }
    let is_true = |condition: Option<&Value>| condition.is_some_and(|it| text_in(it, "status") == "True");
    let both = is_true(installed) && is_true(healthy);
    let status = if both { HealthStatusCode::Healthy } else { HealthStatusCode::Degraded };
    HealthStatus::new(status, reasons.join(" "))
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
