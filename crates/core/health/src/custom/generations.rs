//! Kinds whose conditions each say which generation they speak of.

use crate::object_status::HealthStatus;
use crate::reading::{list, list_in, look, same, text, text_in, told, within};
use object::Object;
use serde_json::Value;

/// Whether a condition tells a generation, and it is the present one.
fn speaks_of(condition: &Value, wanted: Option<&Value>) -> bool {
    wanted.is_some() && same(within(condition, "observedGeneration"), wanted)
}

/// Envoy Gateway's policies are accepted or not by each ancestor; what an ancestor says of an older generation
/// does not count.
pub(crate) fn envoy_policy(live: &Object) -> HealthStatus {
    let kind = live.kind();
    let wanted = look(live, "metadata.generation");
    let is_current = |conditions: &[Value]| {
        let lags =
            |it: &Value| within(it, "observedGeneration").is_some_and(|seen| !same(Some(seen), wanted));
        !conditions.is_empty() && (wanted.is_none() || !conditions.iter().any(lags))
    };
    let ancestors = list(live, "status.ancestors").iter().map(|ancestor| list_in(ancestor, "conditions"));
    let current: Vec<&[Value]> = ancestors.filter(|conditions| is_current(conditions)).collect();
    let refusal = current
        .iter()
        .copied()
        .flatten()
        .find(|it| text_in(it, "type") == "Accepted" && text_in(it, "status") == "False");
    match refusal {
        Some(refusal) => HealthStatus::degraded(text_in(refusal, "message")),
        None if current.is_empty() => HealthStatus::progressing(format!("Waiting for {kind} status")),
        None => HealthStatus::healthy(format!("{kind} is healthy")),
    }
}

pub(crate) fn envoy_backend(live: &Object) -> HealthStatus {
    let accepted = list(live, "status.conditions").iter().find(|it| text_in(it, "type") == "Accepted");
    let Some(accepted) = accepted else { return HealthStatus::progressing("Waiting for Backend status") };
    let observed = within(accepted, "observedGeneration");
    if observed.is_some() && !same(observed, look(live, "metadata.generation")) {
        return HealthStatus::progressing("Waiting for Backend status to be updated");
    }
    let message = text_in(accepted, "message");
    if text_in(accepted, "status") == "True" {
        HealthStatus::healthy(message)
    } else {
        HealthStatus::degraded(message)
    }
}

/// What kro's kinds have in common: the first condition of the present generation that says something decides.
fn kro(live: &Object, ready: &str, failures: &[&str], pending: &str) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Waiting for KRO to report status");
    }
    let wanted = look(live, "metadata.generation");
    let is_instance = live.kind() != "ResourceGraphDefinition";
    for condition in list(live, "status.conditions").iter().filter(|it| speaks_of(it, wanted)) {
        let kind = text_in(condition, "type");
        let words =
            |default: &str| within(condition, "message").map_or_else(|| format!("{kind} {default}"), told);
        match (text_in(condition, "status"), text(live, "status.state")) {
            ("True", _) if kind == "Ready" => return HealthStatus::healthy(ready),
            ("False", _) if kind != "Ready" && !failures.contains(&kind) => {}
            ("False", "FAILED" | "ERROR") if is_instance => {
                return HealthStatus::degraded(words("is False"));
            }
            ("False", "IN_PROGRESS") if is_instance => {
                return HealthStatus::progressing(words("is in progress"));
            }
            ("False", _) if !is_instance => return HealthStatus::degraded(words("is False")),
            _ => {}
        }
    }
    HealthStatus::progressing(pending)
}

pub(crate) fn resource_graph(live: &Object) -> HealthStatus {
    kro(
        live,
        "ResourceGraphDefinition is active and serving instances",
        &["GraphRevisionsResolved", "GraphAccepted", "KindReady", "ControllerReady"],
        "Waiting for ResourceGraphDefinition to become ready",
    )
}

/// A kind that a graph defines.
pub(crate) fn graph_instance(live: &Object) -> HealthStatus {
    kro(
        live,
        "Instance is active and running",
        &["InstanceManaged", "GraphResolved", "ResourcesReady"],
        "Waiting for instance to become ready",
    )
}

/// Kyverno's policies of the new API group.
pub(crate) fn kyverno_policy(live: &Object) -> HealthStatus {
    let kind = live.kind();
    let Some(status) = look(live, "status.conditionStatus") else {
        return HealthStatus::progressing(format!("Waiting for {kind} status"));
    };
    let conditions = list_in(status, "conditions");
    let generation = look(live, "metadata.generation").and_then(Value::as_f64);
    let observed = |it: &Value| within(it, "observedGeneration").and_then(Value::as_f64);
    if conditions.iter().any(|it| matches!((observed(it), generation), (Some(seen), Some(now)) if seen < now))
    {
        return HealthStatus::progressing(format!("Waiting for {kind} status to reflect latest generation"));
    }
    let own = Some(text_in(status, "message")).filter(|message| !message.is_empty());
    if within(status, "ready") == Some(&Value::Bool(true)) {
        // Those that Kyverno's webhook enforces speak of the webhook.
        let by_webhook = ["Validating", "Mutating"].iter().any(|word| kind.contains(word));
        let good = conditions.iter().find(|it| {
            text_in(it, "status") == "True" && (!by_webhook || text_in(it, "type") == "WebhookConfigured")
        });
        let message = good.and_then(|it| within(it, "message")).map(told);
        let own = own.filter(|_| !by_webhook || kind.contains("Image"));
        return HealthStatus::healthy(message.unwrap_or_else(|| own.unwrap_or("Policy is ready").to_owned()));
    }
    let bad = conditions.iter().find(|it| text_in(it, "status") == "False");
    HealthStatus::degraded(match bad {
        Some(bad) => format!("{}: {}", text_in(bad, "type"), text_in(bad, "message")),
        None => own.unwrap_or("Policy is not ready").to_owned(),
    })
}
