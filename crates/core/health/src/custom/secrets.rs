//! Secrets fetched from elsewhere.

use crate::object_status::HealthStatus;
use crate::reading::{list, text, text_in};
use object::Object;

/// With the policy `OnChange`, a condition older than the last refresh says nothing.
pub(crate) fn external_secret(live: &Object) -> HealthStatus {
    let on_change = text(live, "spec.refreshPolicy") == "OnChange";
    let refreshed = text(live, "status.refreshTime");
    let ready = list(live, "status.conditions").iter().find(|condition| {
        text_in(condition, "type") == "Ready"
            // RFC 3339 in UTC: text order is time order.
            && (!on_change || text_in(condition, "lastTransitionTime") >= refreshed)
    });
    match ready.map(|condition| (text_in(condition, "status"), text_in(condition, "message"))) {
        Some(("False", message)) => HealthStatus::degraded(message),
        Some(("True", message)) => HealthStatus::healthy(message),
        _ => HealthStatus::progressing("Waiting for ExternalSecret"),
    }
}

pub(crate) fn kubernetes_client_secret(live: &Object) -> HealthStatus {
    match text(live, "status.status") {
        "SUCCESS" => HealthStatus::healthy("Fetched ExternalSecret."),
        status if status.starts_with("ERROR") => HealthStatus::degraded(status.replace("ERROR, ", "")),
        _ => HealthStatus::progressing("Waiting for ExternalSecret."),
    }
}
