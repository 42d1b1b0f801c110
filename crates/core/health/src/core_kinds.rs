//! Services, Ingresses, claims, API services, definitions of custom resources, disruption budgets.

use crate::object_status::{HealthStatus, conditions, entries};
use api::codes::HealthStatusCode;
use object::Object;

pub(crate) fn service(live: &Object) -> HealthStatus {
    if live.api_version() != "v1" {
        return HealthStatus::unsupported(live, "Service");
    }
    if live.text_at(&["spec", "type"]) == "LoadBalancer" {
        return load_balancer(live);
    }
    HealthStatus::healthy("")
}

pub(crate) fn ingress(live: &Object) -> HealthStatus {
    match live.api_version() {
        "networking.k8s.io/v1" | "networking.k8s.io/v1beta1" | "extensions/v1beta1" => load_balancer(live),
        _ => HealthStatus::unsupported(live, "Ingress"),
    }
}

/// Healthy once an address was handed out.
fn load_balancer(live: &Object) -> HealthStatus {
    if entries(live, &["status", "loadBalancer", "ingress"]).is_empty() {
        HealthStatus::progressing("")
    } else {
        HealthStatus::healthy("")
    }
}

pub(crate) fn persistent_volume_claim(live: &Object) -> HealthStatus {
    if live.api_version() != "v1" {
        return HealthStatus::unsupported(live, "PVC");
    }
    let status = match live.text_at(&["status", "phase"]) {
        "Lost" => HealthStatusCode::Degraded,
        "Pending" => HealthStatusCode::Progressing,
        "Bound" => HealthStatusCode::Healthy,
        _ => HealthStatusCode::Unknown,
    };
    HealthStatus::new(status, "")
}

pub(crate) fn api_service(live: &Object) -> HealthStatus {
    if !matches!(live.api_version(), "apiregistration.k8s.io/v1" | "apiregistration.k8s.io/v1beta1") {
        return HealthStatus::unsupported(live, "APIService");
    }
    let Some(available) = conditions(live).find(|condition| condition.kind == "Available") else {
        return HealthStatus::progressing("Waiting to be processed");
    };
    let message = format!("{}: {}", available.reason, available.message);
    if available.status == "True" {
        HealthStatus::healthy(message)
    } else {
        HealthStatus::progressing(message)
    }
}

pub(crate) fn custom_resource_definition(live: &Object) -> HealthStatus {
    if live.at(&["status"]).is_none() {
        // The original's script fails here.
        return HealthStatus::new(HealthStatusCode::Unknown, "Status not found");
    }
    if entries(live, &["status", "conditions"]).is_empty() {
        return HealthStatus::progressing("Status conditions not found");
    }
    let mut established = false;
    for condition in conditions(live) {
        let message = condition.message;
        match (condition.kind, condition.status, condition.reason) {
            ("Terminating", "True", _) => {
                return HealthStatus::progressing(format!("CRD is terminating: {message}"));
            }
            ("NamesAccepted", "False", _) => {
                return HealthStatus::degraded(format!("CRD names have not been accepted: {message}"));
            }
            ("NonStructuralSchema", "True", _) => {
                return HealthStatus::degraded(format!("Schema violations found: {message}"));
            }
            ("Established", "True", _) => established = true,
            ("Established", _, "Installing") => return HealthStatus::progressing("CRD is being installed"),
            _ => {}
        }
    }
    if !established {
        return HealthStatus::degraded("CRD is not established");
    }
    HealthStatus::healthy("CRD is healthy")
}

/// Too few pods is what a budget is there to say, not an ailment of the budget.
pub(crate) fn pod_disruption_budget(live: &Object) -> HealthStatus {
    let mut verdict = HealthStatus::progressing("Waiting for status");
    for condition in conditions(live) {
        let message = format!("PodDisruptionBudget has {}", condition.reason);
        if condition.status == "False" && condition.reason != "InsufficientPods" {
            return HealthStatus::degraded(message);
        }
        verdict = HealthStatus::healthy(message);
    }
    verdict
}
