//! Objects as they were stored between two recorded calls: what the controller wrote into Applications, what it
//! applied, which events it left.

use super::PAUSE;
use super::differing::Differing;
use super::report::Outcome;
use super::shapes::{Subjects, shape};
use super::stage::{NAMESPACE, Stage};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use transcripts::compare_objects;

pub(super) const FOLDER: &str = "objects/";

/// Before which record which objects were read, in that order.
const MOMENTS: &[(&str, &[&str])] = &[
    ("02-006", &["app-01-after-create", "events-01-after-create"]),
    ("02-001", &["configmaps-argocd"]),
    ("02-066", &["app-02-after-dry-run"]),
    ("02-070", &["app-03-after-sync", "live-01-deployment", "live-02-service", "events-02-after-sync"]),
    ("02-107", &["live-03-deployment-after-restart"]),
    ("02-116", &["app-04-drifted"]),
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
    ("03-096", &["app-15-comparison-error", "app-16-invalid-path"]),
    ("03-100", &["app-17-retrying"]),
    ("03-102", &["app-18-failed-after-retries"]),
    ("03-104", &["events-04-after-failures"]),
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
    ("04-082", &["app-33-orphaned", "appproject-orphans"]),
    ("04-090", &["app-34-with-delete-hooks"]),
    ("04-091", &["app-35-deleting-predelete-hook"]),
    ("05-001", &["live-10-predelete-job", "app-36-1-deleting", "events-06-argocd"]),
    ("05-140", &["appproject-team-a"]),
    ("05-177", &["app-38-not-permitted"]),
    ("05-185", &["app-39-destination-not-permitted"]),
    ("06-054", &["secrets-01-repositories", "secrets-02-repocreds"]),
    ("06-078", &["secrets-03-clusters"]),
    ("06-080", &["app-40-second-cluster"]),
    ("06-110", &["app-41-cluster-gone"]),
    ("06-147", &["configmap-gpg-keys"]),
    ("2084", &["all-appprojects"]),
    ("07-001", &["live-11-last-applied"]),
    ("07-025", &["app-43-notified"]),
    ("08-045", &["app-46-1-invalid"]),
    ("08-046", &["app-46-2-invalid"]),
    ("08-047", &["app-46-3-invalid"]),
    ("08-048", &["app-46-4-invalid"]),
    ("08-049", &["app-46-5-invalid"]),
    ("08-051", &["app-47-automated-sync-failed"]),
    ("09-002", &["secrets-04-cluster-after-add"]),
    ("09-003", &["secrets-05-cluster-after-rotate"]),
    ("09-004", &["secrets-06-cluster-after-set"]),
    ("09-009", &["app-44-unreachable-cluster"]),
    ("09-013", &["app-45-deleting-unreachable"]),
    ("10-002", &["secrets-07-bearer-token"]),
    ("10-003", &["secrets-08-bearer-token-rotated"]),
    ("10-012", &["secrets-09-namespaced"]),
];

/// Objects that no moment has, by the beginning of their names, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("appset-", WITHOUT_SETS),
    ("app-37-from-appset", WITHOUT_SETS),
    ("events-07-appset", WITHOUT_SETS),
    ("app-36-2-deleting", PASSES_BY),
    ("app-36-3-deleting", PASSES_BY),
];

const WITHOUT_SETS: &str = "there is no controller of application sets yet";
/// Steps for which the original's controller comes back later, where ours goes on.
const PASSES_BY: &str = "the deletion goes on before anybody can look";

/// The objects to look at before a record.
pub(super) fn before(record: &str) -> impl Iterator<Item = &'static str> {
    let due = MOMENTS.iter().filter(move |(case, _)| record.starts_with(case));
    due.flat_map(|(_, files)| files.iter().copied())
}

/// Recorded objects that are not looked at, with the reason.
pub(super) fn left_out(corpora: &Path) -> Result<Vec<(String, &'static str)>> {
    let path = corpora.join(FOLDER);
    let mut left_out = Vec::new();
    for entry in fs::read_dir(&path).with_context(|| format!("read {}", path.display()))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".yaml") else { continue };
        if MOMENTS.iter().any(|(_, files)| files.contains(&name)) {
            continue;
        }
        let reason = LEFT_OUT.iter().find(|(beginning, _)| name.starts_with(beginning));
        let (_, reason) = reason.with_context(|| format!("{name}: no moment, and no reason why"))?;
        left_out.push((format!("{FOLDER}{name}"), *reason));
    }
    left_out.sort();
    Ok(left_out)
}

/// Reads what was read then, until it is what was recorded or patience ends.
pub(super) fn look(file: &str, stage: &Stage, differing: &Differing, patience: Duration) -> Result<Outcome> {
    let path = stage.corpora.join(format!("{FOLDER}{file}.yaml"));
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    let mut recorded = documents(&text)?;
    differing.put(file, &mut recorded)?;
    let place = place(file, &recorded)?;
    let replacements = stage.replacements();
    let subjects = Subjects::of(&recorded, &replacements);
    let recorded = shape(recorded, &subjects, &replacements);
    let began = Instant::now();
    loop {
        let answer = stage.kubernetes.call("GET", &place, "application/json", "");
        let outcome = match answer {
            Ok(text) => {
                let answered = shape(serde_json::from_str(&text)?, &subjects, &replacements);
                compare_objects(&recorded, &answered, &replacements).map_err(|places| places.join("\n"))
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

/// What was recorded: one object, or a list. Secrets are always one.
fn documents(text: &str) -> Result<Value> {
    let documents = object::yaml::decode_documents(text.as_bytes(), &object::yaml::Limits::default())?;
    let mut values: Vec<Value> = documents.into_iter().map(|document| document.value).collect();
    let one = values.len() == 1 && values[0]["kind"] != "Secret";
    Ok(if one { values.remove(0) } else { json!({"items": values}) })
}

/// The path of what was recorded: the object itself, or the list it names.
fn place(file: &str, recorded: &Value) -> Result<String> {
    if file.starts_with("events-") {
        return Ok(format!("/api/v1/namespaces/{NAMESPACE}/events"));
    }
    let sample = recorded.pointer("/items/0").unwrap_or(recorded);
    let path = super::stage::path(sample)?;
    let list = || path.rsplit_once('/').map_or_else(|| path.clone(), |(list, _)| list.to_owned());
    // Names of Secrets are told by what is in them.
    if let Some(kind) = sample.pointer("/metadata/labels/argocd.argoproj.io~1secret-type") {
        let kind = kind.as_str().unwrap_or_default();
        return Ok(format!("{}?labelSelector=argocd.argoproj.io/secret-type%3D{kind}", list()));
    }
    Ok(if recorded.get("items").is_some() { list() } else { path })
}
