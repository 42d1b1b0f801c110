//! HorizontalPodAutoscalers. `v1` keeps its conditions as JSON in an annotation.

use crate::object_status::{Condition, HealthStatus, condition, conditions};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

const CONDITIONS_ANNOTATION: &str = "autoscaling.alpha.kubernetes.io/conditions";
const WAITING: &str = "Waiting to Autoscale";

pub(crate) fn horizontal_pod_autoscaler(live: &Object) -> HealthStatus {
    match live.api_version() {
        "autoscaling/v1" => from_annotation(live),
        "autoscaling/v2" | "autoscaling/v2beta2" => judge(conditions(live)),
        _ => HealthStatus::unsupported(live, "HPA"),
    }
}

fn from_annotation(live: &Object) -> HealthStatus {
    let Some(text) = live.annotation(CONDITIONS_ANNOTATION) else {
        return HealthStatus::progressing(WAITING);
    };
    match serde_json::from_str::<Vec<Value>>(text) {
        Ok(entries) => judge(entries.iter().map(condition)),
        Err(error) => HealthStatus::new(
            HealthStatusCode::Unknown,
            format!("failed to convert conditions annotation to typed: {error}"),
        ),
    }
}

/// What fails outweighs what works: the scale may be readable while no metric is.
fn judge<'a>(conditions: impl Iterator<Item = Condition<'a>>) -> HealthStatus {
    let conditions: Vec<_> = conditions.collect();
    if let Some(failed) = conditions.iter().find(|condition| fails(condition)) {
        return HealthStatus::degraded(failed.message);
    }
    let works = |condition: &&Condition<'_>| {
        matches!(condition.kind, "AbleToScale" | "ScalingLimited") && condition.status == "True"
    };
    match conditions.iter().find(works) {
        Some(condition) => HealthStatus::healthy(condition.message),
        None => HealthStatus::progressing(WAITING),
    }
}

fn fails(condition: &Condition<'_>) -> bool {
    match (condition.kind, condition.reason) {
        ("AbleToScale", "FailedGetScale" | "FailedUpdateScale") | ("ScalingActive", "InvalidSelector") => {
            true
        }
        ("ScalingActive", reason) => reason.starts_with("FailedGet") && reason.ends_with("Metric"),
        _ => false,
    }
}
