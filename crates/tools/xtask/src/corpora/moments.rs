//! Objects as they were stored between two recorded calls: what the controller wrote into Applications, what it
//! applied, which events it left.

use super::PAUSE;
use super::report::Outcome;
use super::stage::Stage;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};
use transcripts::{Replacements, compare_objects};

pub(super) const FOLDER: &str = "objects/";

/// Before which record which objects were read, in that order.
const MOMENTS: &[(&str, &[&str])] = &[
    ("02-006", &["app-01-after-create", "events-01-after-create"]),
    ("02-066", &["app-02-after-dry-run"]),
    ("02-070", &["app-03-after-sync", "live-01-deployment", "live-02-service"]),
    ("02-107", &["live-03-deployment-after-restart"]),
    ("02-134", &["app-05-selective-sync"]),
    ("03-006", &["app-06-drifted"]),
    (
        "03-051",
        &[
            "app-07-helm",
            "app-08-kustomize",
            "app-09-jsonnet",
            "app-10-helm-chart",
            "live-04-helm-deployment",
        ],
    ),
    ("03-072", &["app-11-waiting-on-hook", "live-05-presync-job"]),
    ("03-075", &["app-12-hooks-done"]),
    ("03-081", &["app-13-hook-failed", "events-03-after-hook-failure"]),
    ("03-090", &["app-14-terminated"]),
    ("03-096", &["app-15-comparison-error"]),
    ("03-100", &["app-17-retrying"]),
    ("03-102", &["app-18-failed-after-retries", "events-04-after-failures"]),
    ("03-106", &["app-19-unknown-kind"]),
    ("03-108", &["app-20-repeated"]),
    ("03-112", &["app-21-excluded"]),
    ("03-116", &["app-22-shared"]),
    ("03-119", &["app-23-shared-failed"]),
    ("03-121", &["app-24-no-namespace"]),
    ("03-123", &["app-25-created-namespace", "live-06-created-namespace"]),
    ("03-134", &["live-07-job-made-by-action"]),
    ("03-139", &["live-08-cluster-scoped"]),
    ("03-144", &["live-09-server-side-apply"]),
    ("04-001", &["app-26-sync-info"]),
    ("04-010", &["app-27-requires-pruning"]),
    ("04-012", &["app-28-pruned"]),
    ("04-016", &["app-29-rolled-back"]),
    ("04-029", &["app-30-auto-synced"]),
    ("04-031", &["app-31-self-healed"]),
    ("04-034", &["app-31b-local-sync", "events-05-history"]),
    ("04-043", &["app-32-multi-source"]),
    ("04-082", &["app-33-orphaned"]),
    ("04-090", &["app-34-with-delete-hooks"]),
    ("04-091", &["app-35-deleting-predelete-hook"]),
    ("05-140", &["appproject-team-a"]),
    ("06-080", &["app-40-second-cluster"]),
    ("06-110", &["app-41-cluster-gone"]),
    ("08-039", &["app-44-unreachable-cluster"]),
    ("08-043", &["app-45-deleting-unreachable"]),
    ("08-045", &["app-46-1-invalid"]),
    ("08-046", &["app-46-2-invalid"]),
    ("08-047", &["app-46-3-invalid"]),
    ("08-048", &["app-46-4-invalid"]),
    ("08-049", &["app-46-5-invalid"]),
    ("08-051", &["app-47-automated-sync-failed"]),
];

/// The objects to look at before a record.
pub(super) fn before(record: &str) -> impl Iterator<Item = &'static str> {
    let due = MOMENTS.iter().filter(move |(case, _)| record.starts_with(case));
    due.flat_map(|(_, files)| files.iter().copied())
}

/// Reads what was read then, until it is what was recorded or patience ends.
pub(super) fn look(file: &str, stage: &Stage, patience: Duration) -> Result<Outcome> {
    let path = stage.corpora.join(format!("{FOLDER}{file}.yaml"));
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let recorded: Value = object::yaml::decode(text.as_bytes())?;
    let place = place(file, &recorded)?;
    let replacements = stage.replacements();
    let recorded = shape(recorded, None, &replacements);
    let subjects = subjects(&recorded);
    let began = Instant::now();
    loop {
        let answer = stage.kubernetes.call("GET", &place, "application/json", "");
        let outcome = match answer {
            Ok(text) => {
                let answered = shape(serde_json::from_str(&text)?, Some(&subjects), &replacements);
                compare_objects(&recorded, &answered, &replacements).map_err(|it| it.to_string())
            }
            Err(error) => Err(format!("{error:#}")),
        };
        match outcome {
            Ok(()) => return Ok(Outcome::Passed),
            Err(mismatch) if began.elapsed() > patience => {
                return Ok(Outcome::Failed(format!("GET {place}\n{mismatch}")));
            }
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// The path of what was recorded: the object itself, or the list it names.
fn place(file: &str, recorded: &Value) -> Result<String> {
    if file.starts_with("events-") {
        return Ok("/api/v1/namespaces/argocd/events".to_owned());
    }
    let sample = recorded.pointer("/items/0").unwrap_or(recorded);
    let path = super::stage::path(sample)?;
    Ok(match recorded.get("items") {
        Some(_) => path.rsplit_once('/').map(|(list, _)| list.to_owned()).unwrap_or(path),
        None => path,
    })
}

/// Objects as they are compared: the results of a sync without the order in which they came, events as the set of what
/// they say of the subjects, lists without their order.
fn shape(mut value: Value, subjects: Option<&BTreeSet<String>>, replacements: &Replacements) -> Value {
    if let Some(Value::Array(results)) = value.pointer_mut("/status/operationState/syncResult/resources") {
        results.sort_by_key(ToString::to_string);
    }
    // Who made an Application behind the server's back, and with what.
    if value["kind"] == "Application"
        && let Some(Value::Object(annotations)) = value.pointer_mut("/metadata/annotations")
    {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    let Some(items) = value.get("items").and_then(Value::as_array) else { return value };
    let is_event = |item: &Value| item.get("reason").is_some() && item.get("involvedObject").is_some();
    if items.iter().any(is_event) {
        let told = items
            .iter()
            .map(|event| said(event, replacements))
            .filter(|event| subjects.is_none_or(|subjects| subjects.contains(&subject(event))));
        let mut told: Vec<Value> = told.collect();
        told.sort_by_key(ToString::to_string);
        told.dedup();
        return Value::Array(told);
    }
    let mut items: Vec<Value> = items.clone();
    for item in &mut items {
        // A list's items do not say what they are.
        if let Some(fields) = item.as_object_mut() {
            fields.remove("apiVersion");
            fields.remove("kind");
        }
    }
    items.sort_by_key(|item| item.pointer("/metadata/name").map(ToString::to_string));
    Value::Array(items)
}

/// What an event says: of what, why, in which words, with which annotations, and who.
fn said(event: &Value, replacements: &Replacements) -> Value {
    let message = replacements.normal(event["message"].as_str().unwrap_or_default());
    let at = |pointer: &str| event.pointer(pointer).cloned().unwrap_or(Value::Null);
    json!({
        "of": [at("/involvedObject/kind"), at("/involvedObject/name")], "type": at("/type"), "reason": at("/reason"),
        "message": message, "annotations": at("/metadata/annotations"), "by": at("/source/component"),
    })
}

fn subject(event: &Value) -> String {
    event["of"].to_string()
}

fn subjects(events: &Value) -> BTreeSet<String> {
    events.as_array().into_iter().flatten().map(subject).collect()
}
