//! OpenShift, KEDA, Flagger, Spark.

use crate::object_status::{Condition, HealthStatus, conditions};
use crate::reading::{look, same, text, told_at, truthy};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;

pub(crate) fn deployment_config(live: &Object) -> HealthStatus {
    let waiting = || HealthStatus::progressing("replication controller is waiting for pods to run");
    if look(live, "status.conditions").is_none() || look(live, "status.replicas").is_none() {
        return waiting();
    }
    let is_good = |condition: &Condition<'_>| {
        let rolled_out =
            condition.kind == "Progressing" && condition.reason == "NewReplicationControllerAvailable";
        condition.status == "True" && (condition.kind == "Available" || rolled_out)
    };
    let good = conditions(live).filter(is_good).count();
    if good == 2 || look(live, "status.replicas").and_then(Value::as_f64).is_some_and(|it| it.abs() <= 0.0) {
        HealthStatus::healthy("replication controller successfully rolled out")
    } else if good == 1 {
        waiting()
    } else {
        HealthStatus::degraded("Deployment config is degraded")
    }
}

pub(crate) fn scaled_job(live: &Object) -> HealthStatus {
    let is_bad = |it: &Condition<'_>| it.kind == "Ready" && matches!(it.status, "False" | "Unknown");
    scaled(live, is_bad, "Waiting for ScaledJob")
}

pub(crate) fn scaled_object(live: &Object) -> HealthStatus {
    let is_bad = |it: &Condition<'_>| {
        (it.kind == "Ready" && it.status == "False") || (it.kind == "Fallback" && it.status == "True")
    };
    scaled(live, is_bad, "Creating HorizontalPodAutoscaler Object")
}

/// The last condition that says anything has the word, the worst of them the verdict.
fn scaled(live: &Object, is_bad: impl Fn(&Condition<'_>) -> bool, waiting: &str) -> HealthStatus {
    let (mut healthy, mut degraded, mut paused, mut message) = (false, false, false, "");
    for condition in conditions(live) {
        let told = match (condition.kind, condition.status) {
            _ if is_bad(&condition) => &mut degraded,
            ("Ready", "True") => &mut healthy,
            ("Paused", "True") => &mut paused,
            _ => continue,
        };
        *told = true;
        message = condition.message;
    }
    match (degraded, healthy, paused) {
        (true, _, _) => HealthStatus::degraded(message),
        (_, true, false) => HealthStatus::healthy(message),
        (_, true, true) => HealthStatus::suspended(message),
        _ => HealthStatus::progressing(waiting),
    }
}

pub(crate) fn canary(live: &Object) -> HealthStatus {
    if look(live, "status").is_none() {
        return HealthStatus::new(HealthStatusCode::Unknown, "No status");
    }
    let weight = told_at(live, "status.canaryWeight");
    let mut parts = Vec::new();
    if weight.parse::<f64>().is_ok_and(|weight| weight > 0.0) {
        parts.push(format!("Canary Weight: {weight} %"));
    }
    parts.extend(conditions(live).map(|condition| condition.message.to_owned()));
    let phase = text(live, "status.phase");
    let status = match phase {
        "Failed" => HealthStatusCode::Degraded,
        "Progressing" | "Finalising" | "Promoting" => HealthStatusCode::Progressing,
        "Succeeded" | "Initialized" => HealthStatusCode::Healthy,
        _ => HealthStatusCode::Unknown,
    };
    HealthStatus::new(status, format!("{phase} --- {}", parts.join(" --- ")))
}

/// Executors an application may have when Spark decides how many; none when it does not.
fn executor_range(live: &Object) -> Option<(f64, f64)> {
    let number = |value: Option<&Value>, default: f64| match value {
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(value) => value.as_f64(),
        None => Some(default),
    };
    let range = |least, most| Some((number(least, 0.0)?, number(most, f64::INFINITY)?));
    if truthy(look(live, "spec.dynamicAllocation.enabled")) {
        let of = |name: &str| look(live, &format!("spec.dynamicAllocation.{name}"));
        return range(of("minExecutors"), of("maxExecutors"));
    }
    let settings = look(live, "spec.sparkConf")?;
    ["spark.streaming.dynamicAllocation", "spark.dynamicAllocation"].iter().find_map(|prefix| {
        let of = |name: &str| settings.get(format!("{prefix}.{name}"));
        let is_on = of("enabled").is_some_and(|it| it == "true");
        if is_on { range(of("minExecutors"), of("maxExecutors")) } else { None }
    })
}

/// A running application is well when all its executors run.
pub(crate) fn running_spark(live: &Object) -> Option<HealthStatus> {
    if text(live, "status.applicationState.state") != "RUNNING" {
        return None;
    }
    let executors = look(live, "status.executorState")?.as_object()?;
    let running = executors.values().filter(|state| state.as_str() == Some("RUNNING")).count();
    let running = Value::from(running);
    let wanted = look(live, "spec.executor.instances");
    let enough = match executor_range(live) {
        _ if same(wanted, Some(&running)) => true,
        Some((least, most)) => running.as_f64().is_some_and(|it| (least..=most).contains(&it)),
        // Nobody says how many there should be.
        None => wanted.is_none() && look(live, "spec.dynamicAllocation").is_none() && running != 0,
    };
    enough.then(|| HealthStatus::healthy("SparkApplication is Running"))
}
