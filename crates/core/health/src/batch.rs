//! Jobs, CronJobs and Argo Workflows.

use crate::object_status::{HealthStatus, conditions, entries};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

pub(crate) fn job(live: &Object) -> HealthStatus {
    if live.api_version() != "batch/v1" {
        return HealthStatus::unsupported(live, "Job");
    }
    let (mut failure, mut complete, mut suspended) = (None, false, false);
    let mut message = "";
    for condition in conditions(live) {
        match condition.kind {
            "Failed" => failure = Some(condition.message),
            "Complete" => (complete, message) = (true, condition.message),
            "Suspended" => {
                (complete, message) = (true, condition.message);
                suspended |= condition.status == "True";
            }
            _ => {}
        }
    }
    match failure {
        Some(failure) => HealthStatus::degraded(failure),
        None if !complete => HealthStatus::progressing(message),
        None if suspended => HealthStatus::suspended(message),
        None => HealthStatus::healthy(message),
    }
}

pub(crate) fn cron_job(live: &Object) -> HealthStatus {
    if live.at(&["spec", "suspend"]) == Some(&true.into()) {
        return HealthStatus::healthy("CronJob is Suspended");
    }
    if !live.0.get("status").is_some_and(Value::is_object) {
        return HealthStatus::progressing("Waiting for CronJob");
    }
    let told = |name: &str| live.at(&["status", name]).filter(|it| !it.is_null()).map(Value::as_str);
    let Some(scheduled) = told("lastScheduleTime") else {
        return HealthStatus::healthy("CronJob has not been scheduled yet");
    };
    let Some(succeeded) = told("lastSuccessfulTime") else {
        // It may never have run, or never have worked: nobody can tell, so nobody is alarmed.
        return HealthStatus::healthy("The CronJob never completed successfully. It may not be healthy");
    };
    if !entries(live, &["status", "active"]).is_empty() {
        return HealthStatus::healthy("The job is running. Its last execution may not have been successful");
    }
    // RFC 3339 in UTC: text order is time order.
    if succeeded < scheduled {
        return HealthStatus::degraded("CronJob has not completed its last execution successfully");
    }
    HealthStatus::healthy("CronJob has completed its last execution successfully")
}

pub(crate) fn workflow(live: &Object) -> HealthStatus {
    let message = live.text_at(&["status", "message"]);
    match live.text_at(&["status", "phase"]) {
        "" | "Pending" | "Running" => HealthStatus::progressing(message),
        "Succeeded" => HealthStatus::healthy(message),
        "Failed" | "Error" => HealthStatus::degraded(message),
        _ => HealthStatus::new(HealthStatusCode::Unknown, message),
    }
}
