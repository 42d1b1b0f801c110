//! Policies, subscriptions to operators, identities.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{list, list_in, look, number, same, text, text_in, told_at, truthy, within};
use object::Object;
use serde_json::Value;
use std::fmt::Write as _;

pub(crate) fn iam_role(live: &Object) -> HealthStatus {
    if look(live, "status").is_none() {
        return HealthStatus::progressing("Waiting for Iamrole to be reconciled");
    }
    let or_none = |path: &str| look(live, path).map_or_else(|| "<none>".to_owned(), |_| told_at(live, path));
    let (name, arn, id) = (or_none("status.roleName"), or_none("status.roleARN"), or_none("status.roleID"));
    match text(live, "status.state") {
        "Ready" => HealthStatus::healthy(format!("Role '{name}' exists with ARN '{arn}' and ID '{id}'.")),
        "Error" | "RolesMaxLimitReached" | "PolicyNotAllowed" | "RoleNameNotAvailable" => {
            let mut told = "Failed to reconcile the Iamrole ".to_owned();
            if number(live, "status.retryCount").is_some_and(|count| count > 0.0) {
                let _ = write!(told, "(retry {}) ", told_at(live, "status.retryCount"));
            }
            let _ = write!(told, "for role '{name}' with ARN '{arn}' and ID '{id}'.");
            if look(live, "status.errorDescription").is_some() {
                let error = text(live, "status.errorDescription");
                let _ = write!(told, " Reconciliation error was: {error}");
            }
            HealthStatus::degraded(told)
        }
        _ => HealthStatus::progressing("Waiting for Iamrole to be reconciled"),
    }
}

const UNTOLD: &str = "Waiting for the status to be reported";

pub(crate) fn configuration_policy(live: &Object) -> HealthStatus {
    if look(live, "status.compliant").is_none() {
        return HealthStatus::progressing(UNTOLD);
    }
    if !same(look(live, "status.lastEvaluatedGeneration"), look(live, "metadata.generation")) {
        return HealthStatus::progressing("Waiting for the status to be updated");
    }
    if look(live, "status.compliancyDetails").is_none() {
        return HealthStatus::progressing("Waiting for compliance");
    }
    let details = list(live, "status.compliancyDetails").iter();
    let messages: Vec<String> = details
        .flat_map(|detail| list_in(detail, "conditions"))
        .filter(|it| within(it, "type").is_some() && within(it, "message").is_some())
        .map(|it| format!("{} - {}", text_in(it, "type"), text_in(it, "message")))
        .collect();
    compliance(live, messages.join("; "))
}

fn compliance(live: &Object, message: String) -> HealthStatus {
    if text(live, "status.compliant") == "Compliant" {
        HealthStatus::healthy(message)
    } else {
        HealthStatus::degraded(message)
    }
}

pub(crate) fn policy(live: &Object) -> HealthStatus {
    if truthy(look(live, "spec.disabled")) {
        return HealthStatus::healthy("Policy is disabled");
    }
    let per_cluster = look(live, "status.status");
    if look(live, "status.compliant").is_none() {
        // It is placed somewhere, and nothing is there.
        let placed = look(live, "status.placement")
            .is_some_and(|placement| placement.as_array().is_none_or(|places| !places.is_empty()));
        return if per_cluster.is_none() && placed {
            HealthStatus::healthy("No clusters match this policy")
        } else {
            HealthStatus::progressing(UNTOLD)
        };
    }
    let is_bad = |entry: &&Value| text_in(entry, "compliant") != "Compliant";
    let (what, offenders): (&str, Vec<&str>) = if per_cluster.is_some() {
        let bad = list(live, "status.status").iter().filter(is_bad);
        ("clusters", bad.map(|entry| text_in(entry, "clustername")).collect())
    } else if look(live, "status.details").is_some() {
        let bad = list(live, "status.details").iter().filter(is_bad);
        ("templates", bad.map(|entry| text_in(entry, "templateMeta.name")).collect())
    } else {
        return compliance(live, String::new());
    };
    let message = if offenders.is_empty() {
        format!("All {what} are compliant")
    } else {
        format!("NonCompliant {what}: {}", offenders.join(", "))
    };
    compliance(live, message)
}

pub(crate) fn subscription(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("An install plan for a subscription is pending installation");
    }
    let waits_for_approval = conditions(live)
        .any(|it| it.kind == "InstallPlanPending" && it.status == "True" && it.reason == "RequiresApproval");
    // An upgrade that somebody wants to approve by hand ails nobody.
    let by_hand = waits_for_approval
        && text(live, "spec.installPlanApproval") == "Manual"
        && look(live, "status.installedCSV").is_some();
    let (mut bad, mut pending, mut told) = (false, false, String::new());
    for (index, condition) in conditions(live).enumerate() {
        if by_hand && condition.kind == "InstallPlanPending" {
            continue;
        }
        let _ = writeln!(told, "{}: {} | {}", index + 1, condition.kind, condition.status);
        match condition.kind {
            "InstallPlanPending" => pending |= condition.status == "True",
            "InstallPlanMissing" => bad |= condition.reason != "ReferencedInstallPlanNotFound",
            "CatalogSourcesUnhealthy" | "InstallPlanFailed" | "ResolutionFailed" => {
                bad |= condition.status == "True";
            }
            _ => {}
        }
    }
    match look(live, "status.state").and_then(Value::as_str) {
        None => {
            pending = true;
            told.push_str(".status.state not yet known\n");
        }
        Some("UpgradePending") if by_hand => told.push_str(
            ".status.state is 'UpgradePending' (manual InstallPlan approval pending; treated as healthy)\n",
        ),
        Some(state) => {
            pending |= matches!(state, "" | "UpgradeAvailable" | "UpgradePending");
            bad |= state == "UpgradeFailed";
            let _ = writeln!(told, ".status.state is '{state}'");
        }
    }
    match (bad, pending) {
        (true, _) => HealthStatus::degraded(told),
        (false, true) => HealthStatus::progressing(told),
        (false, false) => HealthStatus::healthy(told),
    }
}

fn has_number(live: &Object, path: &str) -> bool {
    number(live, path).is_some_and(|number| number > 0.0)
}

pub(crate) fn threescale_tenant(live: &Object) -> HealthStatus {
    let has_ids = has_number(live, "status.tenantId") && has_number(live, "status.adminId");
    if has_ids && conditions(live).any(|it| it.kind == "Ready" && it.status == "True") {
        return HealthStatus::healthy("3scale Tenant is ready");
    }
    let unready = list(live, "status.conditions")
        .iter()
        .find(|it| text_in(it, "type") == "Ready" && text_in(it, "status") != "True");
    match unready {
        Some(condition) => HealthStatus::degraded(match within(condition, "message") {
            Some(_) => text_in(condition, "message"),
            None => "3scale Tenant is degraded",
        }),
        None => HealthStatus::progressing("Waiting for 3scale Tenant status..."),
    }
}

pub(crate) fn threescale_application(live: &Object) -> HealthStatus {
    if text(live, "status.state") == "suspended" {
        return HealthStatus::suspended("3scale Application is suspended");
    }
    for condition in list(live, "status.conditions") {
        if text_in(condition, "type") != "Ready" {
            continue;
        }
        if text_in(condition, "status") == "True" {
            return HealthStatus::healthy("3scale Application is ready");
        }
        if !has_number(live, "status.adminId") {
            return HealthStatus::degraded(match within(condition, "message") {
                Some(_) => text_in(condition, "message"),
                None => "3scale Application is not ready",
            });
        }
    }
    HealthStatus::progressing("Waiting for 3scale Application status...")
}

pub(crate) fn sap_service(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Waiting for status");
    }
    let wanted = look(live, "metadata.generation");
    for condition in list(live, "status.conditions") {
        let observed = within(condition, "observedGeneration");
        if observed.is_some() && wanted.is_some() && !same(observed, wanted) {
            return HealthStatus::progressing("Waiting for spec update to be observed");
        }
        let told = (text_in(condition, "type"), text_in(condition, "status"));
        if matches!(told, ("Succeeded", "False") | ("Failed", "True")) {
            return HealthStatus::degraded(text_in(condition, "message"));
        }
    }
    HealthStatus::healthy("Ready to use")
}

/// Capsule's pools tell what is used up.
pub(crate) fn exhausted_pool(live: &Object) -> Option<HealthStatus> {
    let exhausted = look(live, "status.exhaustions")?.as_object()?;
    let mut names: Vec<&str> =
        exhausted.iter().filter(|(_, it)| !it.is_null()).map(|it| it.0.as_str()).collect();
    names.sort_unstable();
    let is_any = !names.is_empty();
    is_any.then(|| HealthStatus::degraded(format!("Pool exhausted for: {}", names.join(", "))))
}

/// The oldest condition that says anything counts; those without a time come last.
pub(crate) fn keycloak(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Waiting for Keycloak status conditions to exist");
    }
    let mut conditions: Vec<&Value> = list(live, "status.conditions").iter().collect();
    conditions.sort_by_key(|it| {
        let since = text_in(it, "lastTransitionTime");
        (since.is_empty(), since)
    });
    let word = conditions.into_iter().find_map(|it| match (text_in(it, "type"), text_in(it, "status")) {
        ("Ready", "True") => Some(HealthStatus::healthy("")),
        ("HasErrors", "True") => {
            Some(HealthStatus::degraded(format!("Has Errors: {}", text_in(it, "message"))))
        }
        _ => None,
    });
    word.unwrap_or_else(|| HealthStatus::progressing(""))
}
