//! Decision tables: what is observed, and what is decided. `UPDATE=1` writes what is.

#![expect(clippy::disallowed_methods, reason = "the cases are files")]

use api::v1alpha1::{Application, ApplicationCondition, OperationState};
use jiff::{SignedDuration, Timestamp};
use object::Object;
use reconcile::{
    Action, BrokenHook, CompareWith, Comparison, Deletion, HookRun, Managed, Observed, RefreshCause,
    RefreshRequest, RunningOperation, SelfHealBackoff, Settings, decide, record_history, set_conditions,
};
use serde_json::Value;
use std::path::Path;

fn block<'a>(text: &'a str, name: &str) -> &'a str {
    let open = format!("```{name}\n");
    let Some(start) = text.find(&open).map(|at| at + open.len()) else { return "" };
    // From the line end of the opening fence, so that an empty block ends at once.
    let end = text[start - 1..].find("\n```").map_or(text.len(), |at| start + at);
    &text[start..end]
}

fn flag(case: &Value, name: &str) -> Option<bool> {
    case.get(name).and_then(Value::as_bool)
}

fn seconds(case: &Value, name: &str) -> Option<SignedDuration> {
    case.get(name).and_then(Value::as_i64).map(SignedDuration::from_secs)
}

fn read<T: serde::de::DeserializeOwned + Default>(case: &Value, name: &str) -> T {
    case.get(name).map(|value| serde_json::from_value(value.clone()).expect(name)).unwrap_or_default()
}

fn hooks(case: &Value, name: &str) -> HookRun {
    match case.get(name).and_then(Value::as_str) {
        None if case.get(name).is_some() => {
            let hooks: Vec<Object> = read(case, name);
            let broken = hooks.iter().map(|hook| BrokenHook::of(hook, "it broke".into()));
            HookRun::Broken(broken.collect())
        }
        None => HookRun::Pending,
        Some("done") => HookRun::Done,
        Some(message) => HookRun::Failed(message.to_owned()),
    }
}

fn state(state: &OperationState) -> String {
    let finished = state.finished_at.map(|at| format!(" finished {at}")).unwrap_or_default();
    format!("{}{finished} retries {}: {:?}", state.phase, state.retry_count, state.message)
}

fn conditions(list: &[ApplicationCondition]) -> String {
    let lines = list.iter().map(|condition| {
        let at = condition.last_transition_time.map(|at| format!(" since {at}")).unwrap_or_default();
        format!("{}: {}{at}", condition.r#type, condition.message)
    });
    format!("[{}]", lines.collect::<Vec<_>>().join("; "))
}

fn line(action: &Action) -> String {
    let names = |objects: &[reconcile::DeleteObject]| {
        objects.iter().map(|object| format!("{}@{}", object.key, object.uid)).collect::<Vec<_>>().join(", ")
    };
    match action {
        Action::Refresh { level, compare_with, cause } => {
            format!("refresh {level} {compare_with:?}: {cause}")
        }
        Action::BeginOperation { state: begun } => format!("begin {}", state(begun)),
        Action::ResumeOperation => "resume".into(),
        Action::RetryOperation { state: tried } => {
            let revision =
                tried.operation.sync.as_ref().map(|sync| sync.revision.clone()).unwrap_or_default();
            format!("retry {} at {revision:?}", state(tried))
        }
        Action::TerminateOperation { cause } => format!("terminate {cause:?}"),
        Action::SupersedeOperation { revision } => format!("supersede by {revision}"),
        Action::ConfirmOperation => "confirm".into(),
        Action::EndOperation { state: ended } => format!("end {}", state(ended)),
        Action::HoldOperation { state: held } => format!("hold {}", state(held)),
        Action::RequestOperation { operation, reason } => {
            format!("request {}\n  {reason}", serde_json::to_string(operation).expect("JSON"))
        }
        Action::SetConditions { conditions: set, evaluated } => {
            let evaluated: Vec<&str> = evaluated.iter().map(|kind| kind.as_str()).collect();
            format!("conditions {} = {}", evaluated.join(","), conditions(set))
        }
        Action::RunHooks { hook } => format!("run {hook} hooks"),
        Action::CleanHooks { hook } => format!("clean {hook} hooks"),
        Action::DeleteObjects { objects, propagation } => {
            format!("delete {propagation:?} {}", names(objects))
        }
        Action::DropHooks { objects } => format!("drop {}", names(objects)),
        Action::ReleaseHooks { objects } => format!("release {}", names(objects)),
        Action::RemoveFinalizer { finalizer } => format!("remove finalizer {finalizer}"),
        Action::Skip { reason } => format!("skip: {reason}"),
        Action::RefreshAt { at, compare_with, cause } => format!("refresh at {at} {compare_with:?}: {cause}"),
        Action::WakeAt { at, reason } => format!("wake at {at} for {reason}"),
    }
}

fn decision(case: &Value, application: &Application, now: Timestamp) -> String {
    let defaults = Settings::default();
    let settings = Settings {
        resync: seconds(case, "resync").unwrap_or(defaults.resync),
        hard_resync: seconds(case, "hardResync").unwrap_or(defaults.hard_resync),
        sync_timeout: seconds(case, "syncTimeout").unwrap_or(defaults.sync_timeout),
        self_heal_timeout: seconds(case, "selfHealTimeout").unwrap_or(defaults.self_heal_timeout),
        self_heal_backoff: (flag(case, "selfHealBackoff") != Some(false)).then(SelfHealBackoff::default),
    };
    let comparison = case.get("comparison").map(|found| Comparison {
        status: found["status"].as_str().expect("a status").parse().expect("a status"),
        revision: found["revision"].as_str().unwrap_or_default().to_owned(),
        revisions: read(found, "revisions"),
        resources: read(found, "resources"),
        revision_has_changes: flag(found, "changed").unwrap_or(true),
        latest: flag(found, "latest").unwrap_or(true),
    });
    let objects: Vec<Object> = read(case, "objects");
    let managed = objects
        .iter()
        .map(|object| Managed { object, is_application: object.kind() == "Application" })
        .collect();
    let deletion = Deletion {
        destination_is_known: flag(case, "destinationKnown").unwrap_or(true),
        objects: match case.get("unreachable").and_then(Value::as_str) {
            Some(message) => Err(message.to_owned()),
            None => Ok(managed),
        },
        pre_delete: hooks(case, "preDelete"),
        pre_delete_cleanup: hooks(case, "preDeleteCleanup"),
        post_delete: hooks(case, "postDelete"),
        post_delete_cleanup: hooks(case, "postDeleteCleanup"),
    };
    let mut refreshed_spec = application.spec.clone();
    if let Some(policy) = case.get("refreshedSyncPolicy") {
        refreshed_spec.sync_policy = serde_json::from_value(policy.clone()).expect("a sync policy");
    }
    let refreshed: Option<Timestamp> =
        case.get("refreshedAt").and_then(Value::as_str).map(|at| at.parse().expect("a time"));
    let observed = Observed {
        application,
        settings: &settings,
        cluster_is_skipped: flag(case, "clusterSkipped").unwrap_or(false),
        jitter: seconds(case, "jitter").unwrap_or_default(),
        requested: case.get("webhook").map(|_| RefreshRequest {
            level: api::codes::RefreshType::Normal,
            compare_with: CompareWith::Latest,
            cause: RefreshCause::Webhook,
        }),
        refreshed_at: refreshed,
        refreshed_spec: refreshed.map(|_| &refreshed_spec),
        comparison: comparison.as_ref(),
        running: case.get("running").map(|running| RunningOperation {
            waits_only_for_health: flag(running, "waits").unwrap_or(false),
            stopping: flag(running, "stopping").unwrap_or(false),
            confirmed: flag(running, "confirmed").unwrap_or(false),
        }),
        window_open: flag(case, "window").unwrap_or(true),
        operation_window_open: flag(case, "operationWindow").unwrap_or(true),
        window_changes_at: case
            .get("windowChangesAt")
            .and_then(Value::as_str)
            .map(|at| at.parse().expect("a time")),
        deletion: Some(&deletion),
    };
    let actions = decide(&observed, now);
    assert_eq!(actions, decide(&observed, now), "the same is decided twice");
    actions.iter().fold(String::new(), |out, action| out + &line(action) + "\n")
}

fn check(path: &Path) -> datatest_stable::Result<()> {
    let file = std::fs::read_to_string(path)?;
    let case: Value = serde_saphyr::from_str(block(&file, "yaml"))?;
    let now: Timestamp = case["now"].as_str().unwrap_or("2026-01-01T00:10:00Z").parse()?;
    let application: Application = read(&case, "application");
    let actual = match case.get("ask").and_then(Value::as_str) {
        None => decision(&case, &application, now),
        Some("conditions") => {
            let (new, evaluated): (Vec<ApplicationCondition>, Vec<String>) =
                (read(&case, "new"), read(&case, "evaluated"));
            let evaluated: Vec<_> = evaluated.iter().map(|kind| kind.parse().expect("a condition")).collect();
            conditions(&set_conditions(&application.status.conditions, &new, &evaluated, now)) + "\n"
        }
        Some("history") => {
            let state = application.status.operation_state.clone().unwrap_or_default();
            match record_history(&application, &state, now) {
                None => "unchanged\n".into(),
                Some(history) => history.iter().fold(String::new(), |out, entry| {
                    out + &format!("{} {} deployed {}\n", entry.id, entry.revision, entry.deployed_at)
                }),
            }
        }
        Some(other) => return Err(format!("{other:?} cannot be asked").into()),
    };
    let expected = block(&file, "text");
    if actual == expected {
        return Ok(());
    }
    if std::env::var_os("UPDATE").is_some() {
        let head = file.find("```text").unwrap_or(file.len());
        std::fs::write(path, format!("{}```text\n{actual}```\n", &file[..head]))?;
        return Ok(());
    }
    Err(format!("expected:\n{expected}\nactual:\n{actual}").into())
}

datatest_stable::harness! {
    { test = check, root = "cases", pattern = r".*\.md$" },
}
