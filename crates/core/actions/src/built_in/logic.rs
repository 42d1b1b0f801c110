//! Questions about objects, and changes that are more than a value at a path.

use super::{RFC_3339, Run};
use crate::edit;
use object::Object;
use serde_json::{Map, Value};

pub(super) fn at<'a>(members: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let start = members.get(*first)?;
    rest.iter().try_fold(start, |value, name| value.get(*name)).filter(|value| !value.is_null())
}

/// What a script takes for true.
pub(super) fn truthy(value: Option<&Value>) -> bool {
    !matches!(value, None | Some(Value::Null | Value::Bool(false)))
}

fn is_true(live: &Object, path: &[&str]) -> bool {
    truthy(live.at(path))
}

fn length(value: Option<&Value>) -> usize {
    value.and_then(Value::as_array).map_or(0, Vec::len)
}

pub(super) fn always(_: &Object) -> bool {
    true
}

pub(super) fn never(_: &Object) -> bool {
    false
}

pub(super) fn paused(live: &Object) -> bool {
    is_true(live, &["spec", "paused"])
}

pub(super) fn not_paused(live: &Object) -> bool {
    !paused(live)
}

pub(super) fn suspended(live: &Object) -> bool {
    is_true(live, &["spec", "suspend"])
}

pub(super) fn not_suspended(live: &Object) -> bool {
    !suspended(live)
}

pub(super) fn mongo_paused(live: &Object) -> bool {
    live.at(&["spec", "pause"]) == Some(&Value::Bool(true))
}

pub(super) fn mongo_not_paused(live: &Object) -> bool {
    !mongo_paused(live)
}

pub(super) fn rolling(live: &Object) -> bool {
    live.annotation("strimzi.io/manual-rolling-update") == Some("true")
}

pub(super) fn cordoned(live: &Object) -> bool {
    is_true(live, &["spec", "cordoned"])
}

pub(super) fn not_cordoned(live: &Object) -> bool {
    !cordoned(live)
}

/// An interval of nothing; what is fetched on change alone may be fetched all the same.
pub(super) fn never_refreshed(live: &Object) -> bool {
    let none = match live.at(&["spec", "refreshInterval"]) {
        Some(Value::String(text)) => {
            let unit = text.strip_prefix('0');
            unit.is_some_and(|unit| matches!(unit, "" | "ns" | "us" | "µs" | "ms" | "s" | "m" | "h"))
        }
        Some(interval) => interval.as_f64().is_some_and(|interval| interval.abs() <= 0.0),
        None => false,
    };
    none && live.text_at(&["spec", "refreshPolicy"]) != "OnChange"
}

/// Only an open pull request can be merged.
pub(super) fn not_open(live: &Object) -> bool {
    live.text_at(&["spec", "state"]) != "open"
}

// KEDA.

pub(super) fn keda_paused(live: &Object) -> bool {
    live.annotation("autoscaling.keda.sh/paused") == Some("true")
}

pub(super) fn keda_not_paused(live: &Object) -> bool {
    !keda_paused(live)
}

pub(super) fn keda_held(live: &Object) -> bool {
    keda_paused(live) || live.annotation("autoscaling.keda.sh/paused-replicas").is_some()
}

pub(super) fn keda_not_held(live: &Object) -> bool {
    !keda_held(live)
}

// Jobs.

/// Ended, or about to end.
pub(super) fn job_done(members: &Map<String, Value>) -> bool {
    let conditions = at(members, &["status", "conditions"]).and_then(Value::as_array);
    conditions.is_some_and(|conditions| {
        conditions.iter().any(|condition| {
            let kind = condition.get("type").and_then(Value::as_str).unwrap_or_default();
            matches!(kind, "Complete" | "Failed" | "FailureTarget" | "SuccessCriteriaMet")
                && condition.get("status").and_then(Value::as_str) == Some("True")
        })
    })
}

pub(super) fn job_can_resume(live: &Object) -> bool {
    !job_done(&live.0) && suspended(live)
}

pub(super) fn job_can_suspend(live: &Object) -> bool {
    !job_done(&live.0) && !suspended(live)
}

pub(super) fn job_can_end(live: &Object) -> bool {
    !job_done(&live.0) && live.at(&["status"]).is_some_and(|status| !status.is_null())
}

pub(super) fn end_job(members: &mut Map<String, Value>, run: &Run<'_>) -> Result<(), String> {
    if job_done(members) || at(members, &["status"]).is_none() {
        return Ok(());
    }
    let mut conditions =
        at(members, &["status", "conditions"]).and_then(Value::as_array).cloned().unwrap_or_default();
    conditions.push(serde_json::json!({
        "lastTransitionTime": run.at(RFC_3339),
        "message": "Job was terminated explicitly through Argo CD",
        "reason": "ManuallyTerminated",
        "status": "True",
        "type": "FailureTarget",
    }));
    edit::put(members, &["status", "conditions"], Value::Array(conditions));
    Ok(())
}

// Replicas.

fn wanted_replicas(run: &Run<'_>) -> Result<i64, String> {
    let Some(text) = run.parameters.get("replicas") else {
        return Err("replicas parameter is required".into());
    };
    // What is no number at all is told in the original's words; of numbers, it leaves the rest to Kubernetes.
    if text.trim().parse::<f64>().is_err() {
        return Err(format!("invalid number: {text}"));
    }
    let number: Option<i64> = text.trim().parse().ok();
    number
        .filter(|number| (0..=i64::from(i32::MAX)).contains(number))
        .ok_or_else(|| format!("invalid number: {text} (must be a non-negative integer)"))
}

pub(super) fn scale(members: &mut Map<String, Value>, run: &Run<'_>) -> Result<(), String> {
    edit::put(members, &["spec", "replicas"], Value::from(wanted_replicas(run)?));
    Ok(())
}

pub(super) fn hold_replicas(members: &mut Map<String, Value>, run: &Run<'_>) -> Result<(), String> {
    let Some(text) = run.parameters.get("replicas") else {
        return Err("replicas parameter is required".into());
    };
    let number = text.trim().parse::<f64>().ok().filter(|number| *number >= 0.0);
    let replicas = number.ok_or_else(|| format!("invalid number: {text} (must be >= 0)"))?.to_string();
    let path = ["metadata", "annotations", "autoscaling.keda.sh/paused-replicas"];
    edit::put(members, &path, Value::from(replicas));
    Ok(())
}

// Rollouts.

pub(super) fn rollout_not_paused(live: &Object) -> bool {
    match live.at(&["status", "pauseConditions"]) {
        Some(conditions) if !conditions.is_null() => length(Some(conditions)) == 0,
        _ => not_paused(live),
    }
}

fn fully_promoted(live: &Object) -> bool {
    let of = |name: &str| live.at(&["status", name]).filter(|value| !value.is_null());
    // Without a status the controller has not seen it yet: nothing is under way.
    of("currentPodHash") == of("stableRS")
}

fn aborted(live: &Object) -> bool {
    is_true(live, &["status", "abort"])
}

pub(super) fn cannot_abort(live: &Object) -> bool {
    fully_promoted(live) || aborted(live)
}

pub(super) fn cannot_retry(live: &Object) -> bool {
    fully_promoted(live) || !aborted(live)
}

pub(super) fn cannot_pause_rollout(live: &Object) -> bool {
    fully_promoted(live) || aborted(live) || paused(live)
}

/// Before 0.10 the generation was a hash, and the controller knew no full promotion.
fn old_controller(members: &Map<String, Value>) -> bool {
    let number = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.trim().parse::<f64>().ok(),
        Some(value) => value.as_f64(),
        None => None,
    };
    let observed = number(at(members, &["status", "observedGeneration"]));
    let wanted = number(at(members, &["metadata", "generation"])).unwrap_or(0.0);
    observed.is_none_or(|observed| observed > wanted)
}

pub(super) fn cannot_promote(live: &Object) -> bool {
    if live.at(&["status"]).is_none() || fully_promoted(live) {
        return true;
    }
    old_controller(&live.0) && live.at(&["spec", "strategy", "blueGreen"]).is_some()
}

fn steps(members: &Map<String, Value>) -> Option<usize> {
    at(members, &["spec", "strategy", "canary", "steps"]).map(|steps| length(Some(steps)))
}

fn step_index(members: &Map<String, Value>) -> Option<usize> {
    let index = at(members, &["status", "currentStepIndex"])?.as_u64()?;
    usize::try_from(index).ok()
}

pub(super) fn cannot_skip(live: &Object) -> bool {
    at(&live.0, &["status"]).is_none()
        || steps(&live.0).is_none_or(|steps| step_index(&live.0) == Some(steps))
}

pub(super) fn resume_rollout(members: &mut Map<String, Value>, _: &Run<'_>) -> Result<(), String> {
    if length(at(members, &["status", "pauseConditions"])) > 0 {
        edit::remove(members, &["status", "pauseConditions"]);
    }
    if truthy(at(members, &["spec", "paused"])) {
        edit::put(members, &["spec", "paused"], Value::Bool(false));
    }
    Ok(())
}

pub(super) fn promote_rollout(members: &mut Map<String, Value>, _: &Run<'_>) -> Result<(), String> {
    if !old_controller(members) {
        edit::put(members, &["status", "promoteFull"], Value::Bool(true));
        return Ok(());
    }
    edit::remove(members, &["status", "abort"]);
    if let Some(steps) = steps(members) {
        edit::put(members, &["status", "currentStepIndex"], Value::from(steps));
    }
    Ok(())
}

pub(super) fn skip_step(members: &mut Map<String, Value>, _: &Run<'_>) -> Result<(), String> {
    let (Some(steps), Some(index)) = (steps(members), step_index(members)) else { return Ok(()) };
    if index < steps {
        if length(at(members, &["status", "pauseConditions"])) > 0 {
            edit::remove(members, &["status", "pauseConditions"]);
        }
        edit::put(members, &["status", "currentStepIndex"], Value::from(index + 1));
    }
    Ok(())
}

pub(super) fn analysis_over(live: &Object) -> bool {
    is_true(live, &["spec", "terminate"])
        || matches!(live.text_at(&["status", "phase"]), "Successful" | "Failed" | "Error" | "Inconclusive")
}

// Applications.

fn automated(members: &Map<String, Value>) -> bool {
    let automated = at(members, &["spec", "syncPolicy", "automated"]);
    automated.is_some_and(|automated| automated.get("enabled") != Some(&Value::Bool(false)))
}

pub(super) fn toggle_says(live: &Object) -> &'static str {
    if automated(&live.0) { "Disable Auto-Sync" } else { "Enable Auto-Sync" }
}

pub(super) fn toggle_auto_sync(members: &mut Map<String, Value>, _: &Run<'_>) -> Result<(), String> {
    let enable = !automated(members);
    edit::put(members, &["spec", "syncPolicy", "automated", "enabled"], Value::Bool(enable));
    Ok(())
}

// CloudNativePG.

fn healthy_instances(members: &Map<String, Value>) -> Vec<&str> {
    let healthy = at(members, &["status", "instancesStatus", "healthy"]).and_then(Value::as_array);
    healthy.map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str).collect()
}

pub(super) fn cannot_switch_over(live: &Object) -> bool {
    healthy_instances(&live.0).len() < 2
}

pub(super) fn postgres_suspended(live: &Object) -> bool {
    live.annotation("cnpg.io/reconciliationLoop") == Some("disabled")
}

pub(super) fn postgres_not_suspended(live: &Object) -> bool {
    !postgres_suspended(live)
}

pub(super) fn hibernated(live: &Object) -> bool {
    live.annotation("cnpg.io/hibernation") == Some("on")
}

pub(super) fn not_hibernated(live: &Object) -> bool {
    !hibernated(live)
}

/// The instance after the primary, one by its number, or one by its name.
pub(super) fn promote_instance(members: &mut Map<String, Value>, run: &Run<'_>) -> Result<(), String> {
    let wanted = run.parameters.get("instance").map_or("any", String::as_str);
    let healthy = healthy_instances(members);
    let primary = at(members, &["status", "currentPrimary"]).and_then(Value::as_str);
    let selected = if wanted == "any" {
        let next = healthy.iter().position(|name| Some(*name) == primary).map_or(0, |index| index + 1);
        healthy.get(next).or_else(|| healthy.first()).copied()
    } else {
        let name = at(members, &["metadata", "name"]).and_then(Value::as_str).unwrap_or_default();
        let by_number = wanted.parse::<f64>().is_ok().then(|| format!("{name}-{wanted}"));
        let full = by_number.as_deref().unwrap_or(wanted);
        healthy.iter().find(|name| **name == full).copied()
    };
    let Some(selected) = selected.map(str::to_owned) else {
        return Err(format!("Could not find a healthy instance matching the criteria: {wanted}"));
    };
    let reason = format!("Switching over to {selected}");
    edit::put(members, &["status", "targetPrimary"], Value::from(selected));
    edit::put(members, &["status", "targetPrimaryTimestamp"], Value::from(run.at(RFC_3339)));
    edit::put(members, &["status", "phase"], Value::from("Switchover in progress"));
    edit::put(members, &["status", "phaseReason"], Value::from(reason));
    Ok(())
}

// Numaflow and Numaplane.

const UPGRADE_STATE: &str = "numaplane.numaproj.io/upgrade-state";
const FORCE_PROMOTE: &str = "numaplane.numaproj.io/force-promote";
const STRATEGIES: &str = "numaflow.numaproj.io/allowed-resume-strategies";

fn flow_paused(live: &Object) -> bool {
    live.text_at(&["spec", "lifecycle", "desiredPhase"]) == "Paused"
}

fn upgrade_state(live: &Object) -> &str {
    live.label(UPGRADE_STATE).unwrap_or_default()
}

/// What a rollout owns is paused on the rollout, unless the rollout has done with it.
fn owned(live: &Object) -> bool {
    let (owner, given_up) = match live.kind() {
        "Pipeline" => ("PipelineRollout", upgrade_state(live) == "recyclable-expired"),
        _ => ("MonoVertexRollout", false),
    };
    !given_up && live.owner_references().iter().any(|reference| reference.kind == owner)
}

/// How a flow may be resumed: slowly, fast. Slowly, when nothing is said.
fn allowed(live: &Object, metadata: &[&str]) -> (bool, bool) {
    let path = [metadata, &["annotations"][..]].concat();
    match at(&live.0, &path).and_then(|annotations| annotations.get(STRATEGIES)).and_then(Value::as_str) {
        Some("fast") => (false, true),
        Some("slow, fast") => (true, true),
        _ => (true, false),
    }
}

pub(super) fn cannot_pause_flow(live: &Object) -> bool {
    owned(live) || flow_paused(live)
}

pub(super) fn cannot_resume_slowly(live: &Object) -> bool {
    owned(live) || !flow_paused(live) || !allowed(live, &["spec", "metadata"]).0
}

pub(super) fn cannot_resume_fast(live: &Object) -> bool {
    owned(live) || !flow_paused(live) || !allowed(live, &["spec", "metadata"]).1
}

pub(super) fn cannot_force(live: &Object) -> bool {
    let upgrading = matches!(upgrade_state(live), "in-progress" | "trial");
    !upgrading || live.label(FORCE_PROMOTE) == Some("true")
}

pub(super) fn cannot_delete_flow(live: &Object) -> bool {
    !matches!(upgrade_state(live), "recyclable" | "recyclable-expired")
}

fn part(live: &Object) -> &'static str {
    if live.kind() == "PipelineRollout" { "pipeline" } else { "monoVertex" }
}

pub(super) fn rollout_part_paused(live: &Object) -> bool {
    live.text_at(&["spec", part(live), "spec", "lifecycle", "desiredPhase"]) == "Paused"
}

pub(super) fn cannot_resume_part_slowly(live: &Object) -> bool {
    !rollout_part_paused(live) || !allowed(live, &["spec", part(live), "metadata"]).0
}

pub(super) fn cannot_resume_part_fast(live: &Object) -> bool {
    !rollout_part_paused(live) || !allowed(live, &["spec", part(live), "metadata"]).1
}

pub(super) fn cannot_lose_data(live: &Object) -> bool {
    live.text_at(&["status", "upgradeInProgress"]) != "PipelinePauseAndDrain"
}

pub(super) fn may_not_lose_data(live: &Object) -> bool {
    live.annotation("numaplane.numaproj.io/allow-data-loss") != Some("true")
}
