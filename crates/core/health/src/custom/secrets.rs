//! Secrets fetched from elsewhere.

use crate::object_status::HealthStatus;
use crate::reading::text;
use object::Object;

pub(crate) fn kubernetes_client_secret(live: &Object) -> HealthStatus {
    match text(live, "status.status") {
        "SUCCESS" => HealthStatus::healthy("Fetched ExternalSecret."),
        status if status.starts_with("ERROR") => HealthStatus::degraded(status.replace("ERROR, ", "")),
        _ => HealthStatus::progressing("Waiting for ExternalSecret."),
    }
}
