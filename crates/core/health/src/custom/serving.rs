//! Knative, KServe, OpenFaaS, Spin.

use crate::object_status::{HealthStatus, conditions};
use crate::reading::{list, look, number, same, stale, text_in, told, within};
use api::codes::HealthStatusCode;
use object::Object;
use serde_json::Value;
use std::fmt::Write as _;

pub(crate) fn knative_service(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Waiting for status update.");
    }
    let (mut good_ones, mut bad_ones, mut unknown_ones) = (0_usize, 0_usize, 0_usize);
    let mut told = String::new();
    for condition in conditions(live) {
        match (condition.status, condition.kind) {
            ("True", "ConfigurationsReady" | "RoutesReady" | "Ready") => good_ones += 1,
            ("False" | "Unknown", kind) => {
                let _ = write!(told, "{kind} is {}", condition.status);
                if !condition.reason.is_empty() {
                    let _ = write!(told, ", since {}.", condition.reason);
                }
                if !condition.message.is_empty() {
                    let _ = write!(told, " {}", condition.message);
                }
                told.push('\n');
                bad_ones += usize::from(condition.status == "False");
                unknown_ones += usize::from(condition.status == "Unknown");
            }
            _ => {}
        }
    }
    match (good_ones, bad_ones, unknown_ones) {
        (3, 0, 0) => HealthStatus::healthy("Knative Service is healthy."),
        (_, 0, _) => HealthStatus::progressing(told),
        _ => HealthStatus::degraded(told),
    }
}

pub(crate) fn inference_service(live: &Object) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing("Waiting for InferenceService to report status...");
    }
    let transition = match look(live, "status.modelStatus") {
        Some(model) => Some(text_in(model, "transitionStatus")).filter(|it| *it != "UpToDate"),
        None => None,
    };
    let mut told = transition.map(|it| format!("0: transitionStatus | {it}")).unwrap_or_default();
    let mut bad_ones = 0_usize;
    for (index, condition) in conditions(live).enumerate() {
        match (condition.kind, condition.status) {
            ("Stopped", "True") => return HealthStatus::suspended("InferenceService is Stopped"),
            // Of this one, false is the good answer.
            ("Stopped", status) => {
                bad_ones += usize::from(status == "Unknown");
                continue;
            }
            (_, "True") => continue,
            (_, status) => bad_ones += usize::from(matches!(status, "Unknown" | "False")),
        }
        let _ = write!(told, " | {}: {} | {}", index + 1, condition.kind, condition.status);
        for words in [condition.reason, condition.message] {
            if !words.is_empty() {
                let _ = write!(told, " | {words}");
            }
        }
    }
    match transition {
        None if bad_ones == 0 => HealthStatus::healthy("InferenceService is healthy."),
        None | Some("InProgress") => HealthStatus::progressing(told),
        Some(_) => HealthStatus::degraded(told),
    }
}

pub(crate) fn llm_inference_service(live: &Object) -> HealthStatus {
    const WAITING: &str = "Waiting for LLMInferenceService to report status...";
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing(WAITING);
    }
    let is_ready = |it: &&Value| text_in(it, "type") == "Ready";
    let ready = list(live, "status.conditions").iter().rfind(is_ready);
    let observed = ready.and_then(|it| within(it, "observedGeneration"));
    let wanted = look(live, "metadata.generation");
    if stale(live) || (observed.is_some() && wanted.is_some() && !same(observed, wanted)) {
        return HealthStatus::progressing(
            "Waiting for LLMInferenceService reconciliation (generation mismatch)",
        );
    }
    if conditions(live).any(|it| it.reason == "Stopped") {
        return HealthStatus::suspended("LLMInferenceService is Stopped");
    }
    let parts: Vec<String> = conditions(live)
        .filter(|it| it.kind != "Ready" && it.status != "True")
        .map(|it| {
            let words = [it.reason, it.message].into_iter().filter(|words| !words.is_empty());
            let words: String = words.map(|words| format!(" | {words}")).collect();
            format!("{}: {}{words}", it.kind, it.status)
        })
        .collect();
    let own = ready.map_or("", |it| text_in(it, "message"));
    let told = match (parts.is_empty(), own) {
        (false, _) => parts.join("; "),
        (true, "") => WAITING.to_owned(),
        (true, own) => own.to_owned(),
    };
    match ready.map_or("", |it| text_in(it, "status")) {
        "True" => HealthStatus::healthy("LLMInferenceService is healthy."),
        "False" => HealthStatus::degraded(told),
        _ => HealthStatus::progressing(told),
    }
}

pub(crate) fn knative_serving(live: &Object) -> HealthStatus {
    const GOOD: &[&str] = &["Ready", "InstallSucceeded", "DependenciesInstalled", "DeploymentsAvailable"];
    operator(live, GOOD, &["Ready", "DeploymentsAvailable"])
}

pub(crate) fn knative_eventing(live: &Object) -> HealthStatus {
    operator(live, &["Ready", "InstallSucceeded"], &["Ready"])
}

fn operator(live: &Object, good: &[&str], working: &[&str]) -> HealthStatus {
    if look(live, "status.conditions").is_none() {
        return HealthStatus::progressing(format!("Waiting for {}", live.kind()));
    }
    let (mut good_ones, mut busy_ones) = (0_usize, 0_usize);
    for condition in conditions(live) {
        let is_good = condition.status == "True" && good.contains(&condition.kind);
        let is_busy = condition.status == "Unknown"
            || (condition.status == "False" && working.contains(&condition.kind));
        good_ones += usize::from(is_good);
        busy_ones += usize::from(is_busy);
    }
    if busy_ones > 0 {
        HealthStatus::progressing(listed(live))
    } else if good_ones == good.len() {
        HealthStatus::healthy(format!("{} is healthy.", live.kind()))
    } else {
        HealthStatus::degraded(listed(live))
    }
}

/// Every condition on a line, numbered as Lua numbers.
fn listed(live: &Object) -> String {
    let mut told = String::new();
    for (index, condition) in conditions(live).enumerate() {
        let _ = writeln!(told, "{}: {} | {}", index + 1, condition.kind, condition.status);
    }
    told
}

pub(crate) fn function(live: &Object) -> HealthStatus {
    for condition in conditions(live) {
        match (condition.kind, condition.status) {
            ("Ready", "False") | ("Stalled", "True") => return HealthStatus::degraded(condition.message),
            ("Ready", "True") if number(live, "status.replicas").is_some_and(|it| it > 0.0) => {
                return HealthStatus::healthy(condition.message);
            }
            ("Ready", "True") => return HealthStatus::suspended("No replicas available"),
            _ => {}
        }
    }
    HealthStatus::progressing("Waiting for Function")
}

pub(crate) fn spin_app(live: &Object) -> HealthStatus {
    if look(live, "status").is_none() {
        return HealthStatus::progressing("Waiting for status to be available");
    }
    let failure = list(live, "status.conditions").iter().find(|it| {
        let message = text_in(it, "message").to_lowercase();
        text_in(it, "type") == "Progressing"
            && text_in(it, "status") == "False"
            && (text_in(it, "reason") == "ProgressDeadlineExceeded"
                || message.contains("timeout")
                || message.contains("failed"))
    });
    if let Some(failure) = failure {
        return HealthStatus::degraded(
            within(failure, "message").map_or_else(|| "Application deployment has failed".to_owned(), told),
        );
    }
    let of = |kind: &str| {
        let is_it = |entry: &&Value| within(entry, "type").and_then(Value::as_str) == Some(kind);
        list(live, "status.conditions").iter().rfind(is_it)
    };
    let is_true = |condition: Option<&Value>| {
        condition.and_then(|it| within(it, "status")).and_then(Value::as_str) == Some("True")
    };
    let words = |condition: Option<&Value>, default: &str| match condition {
        Some(condition) => within(condition, "message").map_or_else(|| default.to_owned(), told),
        None => String::new(),
    };
    let (available, progressing) = (of("Available"), of("Progressing"));
    if !is_true(available) {
        return HealthStatus::degraded(words(available, "Application is not available"));
    }
    let ready = number(live, "status.readyReplicas").unwrap_or(0.0);
    let wanted = number(live, "spec.replicas").unwrap_or(1.0);
    if ready < wanted {
        return HealthStatus::progressing(format!("Waiting for replicas to be ready ({ready}/{wanted})"));
    }
    if is_true(progressing) {
        return HealthStatus::progressing(words(progressing, "Application progress status"));
    }
    HealthStatus::new(
        HealthStatusCode::Healthy,
        format!("Application is healthy with {ready}/{wanted} replicas ready"),
    )
}
