//! Gateway API and what is like it.

use crate::object_status::HealthStatus;
use crate::reading::{list, list_in, look, same, text, text_in, told, truthy, within};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

fn is(condition: &Value, kind: &str) -> bool {
    text_in(condition, "type") == kind
}

fn message_or(condition: &Value, default: impl Into<String>) -> String {
    within(condition, "message").map_or_else(|| default.into(), told)
}

/// Conditions that are false, and what is still being programmed.
fn refused(conditions: &[Value]) -> Option<String> {
    ["ResolvedRefs", "Accepted"].iter().find_map(|kind| {
        let found = conditions.iter().find(|it| is(it, kind) && text_in(it, "status") == "False")?;
        Some(message_or(found, format!("Failed condition: {kind}")))
    })
}

fn unprogrammed(conditions: &[Value], what: &str) -> Option<String> {
    let found = conditions.iter().find(|it| is(it, "Programmed") && text_in(it, "status") != "True")?;
    Some(message_or(found, format!("{what} is still being programmed")))
}

pub(crate) fn gateway(live: &Object) -> HealthStatus {
    let conditions = list(live, "status.conditions");
    if let Some(message) = refused(conditions) {
        return HealthStatus::degraded(message);
    }
    if let Some(message) = unprogrammed(conditions, "Gateway") {
        return HealthStatus::progressing(message);
    }
    let listeners = list(live, "status.listeners");
    for listener in listeners {
        let conditions = list_in(listener, "conditions");
        if let Some(message) = refused(conditions) {
            return HealthStatus::degraded(format!("Listener: {message}"));
        }
        if let Some(message) = unprogrammed(conditions, "Listener") {
            return HealthStatus::progressing(format!("Listener: {message}"));
        }
    }
    if look(live, "status.conditions").is_some() || !listeners.is_empty() {
        HealthStatus::healthy("Gateway is healthy")
    } else {
        HealthStatus::progressing("Waiting for Gateway status")
    }
}

/// Whether a condition speaks of an older generation.
fn is_stale(live: &Object, condition: &Value) -> bool {
    let (observed, wanted) = (within(condition, "observedGeneration"), look(live, "metadata.generation"));
    observed.is_some() && wanted.is_some() && !same(observed, wanted)
}

pub(crate) fn gateway_class(live: &Object) -> HealthStatus {
    const WAITING: &str = "Waiting for GatewayClass status";
    let conditions = list(live, "status.conditions");
    let accepted = conditions.iter().find(|it| is(it, "Accepted") && !is_stale(live, it));
    match accepted.map(|condition| (text_in(condition, "status"), condition)) {
        Some(("True", condition)) => HealthStatus::healthy(message_or(condition, "GatewayClass is accepted")),
        Some(("False", condition)) => {
            HealthStatus::degraded(message_or(condition, "GatewayClass is not accepted"))
        }
        Some((_, condition)) => HealthStatus::progressing(message_or(condition, WAITING)),
        None => HealthStatus::progressing(WAITING),
    }
}

/// Whether a parent speaks of the present generation. Controllers that never tell one are believed.
fn is_current(live: &Object, parent: &Value) -> bool {
    let conditions = list_in(parent, "conditions");
    !conditions.is_empty() && !conditions.iter().any(|condition| is_stale(live, condition))
}

pub(crate) fn route(live: &Object) -> HealthStatus {
    let parents = list(live, "status.parents");
    let mut healthy = false;
    for parent in parents {
        let conditions = list_in(parent, "conditions");
        if !is_current(live, parent) {
            continue;
        }
        let name = text_in(parent, "parentRef.name");
        if let Some(message) = refused(conditions) {
            return HealthStatus::degraded(format!("Parent {name}: {message}"));
        }
        if let Some(message) = unprogrammed(conditions, "Route") {
            return HealthStatus::progressing(format!("Parent {name}: {message}"));
        }
        healthy = true;
    }
    if healthy {
        HealthStatus::healthy(format!("{} is healthy", live.kind()))
    } else {
        HealthStatus::progressing(format!("Waiting for {} status", live.kind()))
    }
}

pub(crate) fn tls_route(live: &Object) -> HealthStatus {
    let (mut healthy, mut programming, mut waiting) = (false, None, None);
    for parent in list(live, "status.parents") {
        let conditions = list_in(parent, "conditions");
        if conditions.is_empty() || conditions.iter().any(|it| is_stale(live, it)) {
            continue;
        }
        let name = text_in(parent, "parentRef.name");
        let of = |kind: &str| conditions.iter().find(|it| is(it, kind));
        let status = |kind: &str| of(kind).map_or("", |condition| text_in(condition, "status"));
        for kind in ["ResolvedRefs", "Accepted"] {
            if let Some(condition) = of(kind).filter(|_| status(kind) == "False") {
                let message = text_in(condition, "message");
                let message =
                    if message.is_empty() { format!("Failed condition: {kind}") } else { message.into() };
                return HealthStatus::degraded(format!("Parent {name}: {message}"));
            }
        }
        if let Some(condition) = of("Programmed").filter(|_| status("Programmed") != "True") {
            let message = message_or(condition, "Route is still being programmed");
            programming.get_or_insert_with(|| format!("Parent {name}: {message}"));
        } else if status("Accepted") == "True" && status("ResolvedRefs") == "True" {
            healthy = true;
        } else {
            waiting.get_or_insert_with(|| format!("Parent {name}: Waiting for TLSRoute conditions"));
        }
    }
    match (programming, healthy, waiting) {
        (Some(message), _, _) => HealthStatus::progressing(message),
        (None, true, _) => HealthStatus::healthy("TLSRoute is healthy"),
        (None, false, Some(message)) => HealthStatus::progressing(message),
        (None, false, None) => HealthStatus::progressing("Waiting for TLSRoute status"),
    }
}

pub(crate) fn backend_tls_policy(live: &Object) -> HealthStatus {
    let ancestors = list(live, "status.ancestors");
    let conditions_of = |ancestor| list_in(ancestor, "conditions");
    for ancestor in ancestors {
        if conditions_of(ancestor).iter().any(|it| is_stale(live, it)) {
            let name = text_in(ancestor, "ancestorRef.name");
            return HealthStatus::progressing(format!(
                "Waiting for Ancestor {name} to update BackendTLSPolicy status"
            ));
        }
    }
    let mut verdict = HealthStatus::progressing("Waiting for BackendTLSPolicy status");
    for ancestor in ancestors {
        let conditions = conditions_of(ancestor);
        // Every controller answers; one that has nothing to do with the target does not count.
        let stranger = conditions
            .iter()
            .find(|it| is(it, "Accepted"))
            .is_some_and(|it| text_in(it, "status") != "True" && text_in(it, "reason") == "TargetNotFound");
        if stranger {
            continue;
        }
        match judged_by(ancestor, "BackendTLSPolicy") {
            Some(Err(refusal)) => return refusal,
            Some(Ok(accepted)) => verdict = accepted,
            None => {}
        }
    }
    verdict
}

/// What an ancestor says of a policy: a refusal, an acceptance, or nothing.
fn judged_by(ancestor: &Value, kind: &str) -> Option<Result<HealthStatus, HealthStatus>> {
    let name = text_in(ancestor, "ancestorRef.name");
    let mut accepted = None;
    for condition in list_in(ancestor, "conditions") {
        let asked = is(condition, "Accepted") || is(condition, "ResolvedRefs");
        if asked && text_in(condition, "status") != "True" {
            let message = format!("Ancestor {name}: {}", text_in(condition, "message"));
            return Some(Err(HealthStatus::degraded(message)));
        }
        if is(condition, "Accepted") {
            accepted = Some(Ok(HealthStatus::healthy(format!("{kind} is healthy"))));
        }
    }
    accepted
}

pub(crate) fn airlock(live: &Object) -> HealthStatus {
    let kind = live.kind();
    if !kind.ends_with("Policy") {
        return HealthStatus::healthy(format!("{kind} is healthy"));
    }
    let ancestors = list(live, "status.ancestors");
    if let Some(wanted) = look(live, "metadata.generation") {
        let lags = |condition: &Value| !same(within(condition, "observedGeneration"), Some(wanted));
        let late = ancestors.iter().find(|ancestor| list_in(ancestor, "conditions").iter().any(lags));
        if let Some(ancestor) = late {
            let name = text_in(ancestor, "ancestorRef.name");
            return HealthStatus::progressing(format!("Waiting for Ancestor {name} to update {kind} status"));
        }
    }
    let mut verdict = HealthStatus::progressing(format!("Waiting for {kind} status"));
    for ancestor in ancestors {
        match judged_by(ancestor, kind) {
            Some(Err(refusal)) => return refusal,
            Some(Ok(accepted)) => verdict = accepted,
            None => {
                let name = text_in(ancestor, "ancestorRef.name");
                verdict = HealthStatus::degraded(format!("Ancestor {name}: {kind} is not accepted"));
            }
        }
    }
    verdict
}

pub(crate) fn listener_set(live: &Object) -> HealthStatus {
    const WAITING: &str = "Waiting for ListenerSet status";
    let conditions = list(live, "status.conditions");
    if conditions.iter().any(|it| is_stale(live, it)) {
        return HealthStatus::progressing(WAITING);
    }
    if let Some(bad) = conditions.iter().find(|it| is(it, "Accepted") && text_in(it, "status") == "False") {
        return HealthStatus::degraded(message_or(bad, "Failed condition: Accepted"));
    }
    if let Some(message) = unprogrammed(conditions, "ListenerSet") {
        return HealthStatus::progressing(message);
    }
    let listeners = list(live, "status.listeners");
    for listener in listeners {
        let conditions = list_in(listener, "conditions");
        let bad = conditions.iter().find(|it| match text_in(it, "type") {
            "ResolvedRefs" | "Accepted" => text_in(it, "status") == "False",
            "Conflicted" => text_in(it, "status") == "True",
            _ => false,
        });
        if let Some(bad) = bad {
            let default = match text_in(bad, "type") {
                "Conflicted" => "Listener is conflicted".to_owned(),
                kind => format!("Failed condition: {kind}"),
            };
            return HealthStatus::degraded(format!("Listener: {}", message_or(bad, default)));
        }
        if let Some(message) = unprogrammed(conditions, "Listener") {
            return HealthStatus::progressing(format!("Listener: {message}"));
        }
    }
    if listeners.is_empty() {
        HealthStatus::progressing(WAITING)
    } else {
        HealthStatus::healthy("ListenerSet is healthy")
    }
}

/// Gloo tells a state per controller, by number or by word; older versions tell one.
pub(crate) fn gloo(live: &Object) -> HealthStatus {
    let per_controller = look(live, "status.statuses");
    let statuses: Vec<&Value> = match per_controller {
        Some(Value::Object(statuses)) => statuses.values().collect(),
        Some(Value::Array(statuses)) => statuses.iter().collect(),
        _ => Vec::new(),
    };
    statuses
        .into_iter()
        .chain(look(live, "status"))
        .find_map(gloo_state)
        .unwrap_or_else(|| HealthStatus::progressing("Update in progress"))
}

fn gloo_state(status: &Value) -> Option<HealthStatus> {
    let state = within(status, "state").map(told).unwrap_or_default();
    match state.as_str() {
        "Accepted" | "1" => Some(HealthStatus::healthy("The resource has been validated")),
        "Warning" | "3" | "Rejected" | "2" => Some(HealthStatus::degraded(text_in(status, "reason"))),
        "Pending" | "0" => Some(HealthStatus::suspended("The resource has not yet been validated")),
        _ => None,
    }
}

pub(crate) fn extension_service(live: &Object) -> HealthStatus {
    let generation = look(live, "metadata.generation");
    let valid = list(live, "status.conditions").iter().find(|it| {
        // A stale "valid" is none.
        same(within(it, "observedGeneration"), generation)
            && is(it, "Valid")
            && matches!(text_in(it, "status"), "True" | "False")
    });
    match valid.map(|condition| (text_in(condition, "status"), text_in(condition, "message"))) {
        Some(("True", message)) => HealthStatus::healthy(message),
        Some((_, message)) => HealthStatus::degraded(message),
        None => HealthStatus::progressing("Waiting for status"),
    }
}

/// Contour's proxies. One that includes others cannot be told: each waits for the other to be valid.
pub(crate) fn http_proxy(live: &Object) -> HealthStatus {
    let told = text(live, "status.description");
    let waiting = || HealthStatus::progressing("Waiting for status");
    if look(live, "status.conditions").is_none() {
        let is_told = truthy(look(live, "status.currentStatus"));
        return if is_told { HealthStatus::progressing(told) } else { waiting() };
    }
    let generation = look(live, "metadata.generation");
    let includes = look(live, "spec.includes").is_some();
    let current = list(live, "status.conditions")
        .iter()
        .filter(|it| same(within(it, "observedGeneration"), generation));
    let word = current.into_iter().find_map(|it| match (text_in(it, "type"), text_in(it, "status")) {
        ("Valid", "True") => Some(HealthStatus::healthy(told)),
        (_, "False") if includes => {
            Some(HealthStatus::healthy("HTTPProxy inclusions cannot be health checked"))
        }
        ("Valid", "False") => Some(HealthStatus::degraded(told)),
        _ => None,
    });
    word.unwrap_or_else(waiting)
}

pub(crate) fn openshift_route(live: &Object) -> HealthStatus {
    let waiting = || HealthStatus::progressing("Route is still getting admitted");
    if look(live, "status.ingress").is_none() {
        return waiting();
    }
    let routers = list(live, "status.ingress");
    let admitted = |status: &str| {
        let conditions = routers.iter().flat_map(|router| list_in(router, "conditions"));
        conditions.filter(|it| is(it, "Admitted") && text_in(it, "status") == status).count()
    };
    if admitted("True") == routers.len() {
        HealthStatus::healthy("Route is healthy")
    } else if admitted("False") > 0 {
        HealthStatus::degraded("Route is degraded")
    } else {
        waiting()
    }
}

pub(crate) fn node_network_policy(live: &Object) -> HealthStatus {
    for condition in list(live, "status.conditions") {
        if text_in(condition, "status") != "True" {
            continue;
        }
        let status = match text_in(condition, "type") {
            "Available" => HealthStatusCode::Healthy,
            "Degraded" => HealthStatusCode::Degraded,
            "Progressing" => HealthStatusCode::Progressing,
            // It fits no node, and may be meant so.
            "Ignored" => HealthStatusCode::Suspended,
            _ => continue,
        };
        let (reason, message) = (text_in(condition, "reason"), text_in(condition, "message"));
        let told = if message.is_empty() { reason.to_owned() } else { format!("{reason}: {message}") };
        return HealthStatus::new(status, told);
    }
    HealthStatus::progressing("Waiting for policy to be applied")
}

pub(crate) fn service_instance(live: &Object) -> HealthStatus {
    let unknown = Value::Null;
    let of = |kind: &str| {
        let found = list(live, "status.conditions").iter().rfind(|it| is(it, kind));
        found.unwrap_or(&unknown)
    };
    let (adopted, advertised, discovered) = (of("Adopted"), of("Advertised"), of("Discoverable"));
    let found = text_in(discovered, "message");
    if text_in(adopted, "status") == "False" {
        HealthStatus::degraded(text_in(adopted, "message"))
    } else if matches!(text_in(advertised, "reason"), "AdvertiseError" | "UnadvertiseError") {
        HealthStatus::degraded(text_in(advertised, "message"))
    } else if text_in(discovered, "reason") == "DiscoveryError" {
        HealthStatus::new(HealthStatusCode::Unknown, found)
    } else if text_in(discovered, "status") == "True" {
        HealthStatus::healthy(found)
    } else {
        HealthStatus::progressing(found)
    }
}
