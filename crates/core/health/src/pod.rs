//! Pods. One that restarts for ever is judged by readiness; one with an end by how it ended, because such
//! pods are mostly hooks and a pull that fails now may work in a minute.

use crate::object_status::{HealthStatus, conditions, entries};
use api::codes::HealthStatusCode;
use api::names::IGNORE_RESTART_POLICY;
use object::Object;
use serde_json::Value;
use sync::is_hook;

pub(crate) fn pod(live: &Object) -> HealthStatus {
    if live.api_version() != "v1" {
        return HealthStatus::unsupported(live, "Pod");
    }
    let restart_policy = live.text_at(&["spec", "restartPolicy"]);
    // A hook's work is done when it ends, whatever it says.
    let said = live.annotation(IGNORE_RESTART_POLICY) == Some("true") && !is_hook(live);
    let long_running = restart_policy == "Always" || said;
    let statuses = entries(live, &["status", "containerStatuses"]);
    if long_running {
        let stuck: Vec<&str> = statuses.iter().filter_map(stuck_message).collect();
        if !stuck.is_empty() {
            return HealthStatus::degraded(stuck.join(", "));
        }
    }
    let message = live.text_at(&["status", "message"]);
    match live.text_at(&["status", "phase"]) {
        "Pending" => HealthStatus::progressing(message),
        "Succeeded" => HealthStatus::healthy(message),
        "Failed" if !message.is_empty() => HealthStatus::degraded(message),
        "Failed" => {
            let initial = entries(live, &["status", "initContainerStatuses"]);
            HealthStatus::degraded(initial.iter().chain(statuses).find_map(failure).unwrap_or_default())
        }
        "Running" if long_running => {
            let ready = conditions(live)
                .find(|condition| condition.kind == "Ready")
                .is_some_and(|it| it.status == "True");
            if ready {
                HealthStatus::healthy(message)
            } else if statuses
                .iter()
                .any(|status| status.pointer("/lastState/terminated").is_some_and(Value::is_object))
            {
                HealthStatus::degraded(message)
            } else {
                HealthStatus::progressing(message)
            }
        }
        "Running" if matches!(restart_policy, "OnFailure" | "Never") => HealthStatus::progressing(message),
        _ => HealthStatus::new(HealthStatusCode::Unknown, message),
    }
}

/// Why a container waits, when it waits because something is wrong.
fn stuck_message(status: &Value) -> Option<&str> {
    let waiting = status.pointer("/state/waiting").filter(|waiting| waiting.is_object())?;
    let reason = text(waiting, "reason");
    let wrong = reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff");
    wrong.then(|| text(waiting, "message"))
}

/// How a container failed, when it did.
fn failure(status: &Value) -> Option<String> {
    let terminated = status.pointer("/state/terminated")?;
    let message = text(terminated, "message");
    if !message.is_empty() {
        return Some(message.to_owned());
    }
    if text(terminated, "reason") == "OOMKilled" {
        return Some("OOMKilled".to_owned());
    }
    let code = terminated.get("exitCode").and_then(Value::as_i64).unwrap_or(0);
    (code != 0).then(|| format!("container {:?} failed with exit code {code}", text(status, "name")))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::names::{HELM_HOOK, HOOK};
    use serde_json::json;

    #[test]
    fn a_hook_is_judged_by_how_it_ends_whatever_it_says_and_others_by_readiness() {
        let status = |annotation: (&str, &str), helm: &str| {
            let mut object = json!({"apiVersion": "v1", "kind": "Pod", "spec": {"restartPolicy": "Never"},
                "metadata": {"name": "p", "annotations": {IGNORE_RESTART_POLICY: "true", HELM_HOOK: helm}},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
            object["metadata"]["annotations"][annotation.0] = annotation.1.into();
            pod(&Object::from_value(object).unwrap()).status
        };
        assert_eq!(status((HOOK, "PreSync"), "crd-install"), HealthStatusCode::Progressing);
        assert_eq!(status(("other", ""), "pre-install"), HealthStatusCode::Progressing);
        assert_eq!(status(("other", ""), "crd-install"), HealthStatusCode::Healthy);
        // What no sync touches is no hook, also where Helm would run it as one.
        assert_eq!(status((HOOK, "Skip"), "pre-install"), HealthStatusCode::Healthy);
    }
}
