//! Operations a step at a time: those that go on after a restart, and those whose objects go.

#[path = "world/input.rs"]
mod input;

use api::codes::HealthStatusCode;
use api::v1alpha1::{ResourceResult, SyncOperation};
use input::input;
use jiff::Timestamp;
use object::{Object, ResourceKey};
use serde_json::json;
use std::collections::VecDeque;
use sync::{
    Effect, Event, Failure, FailureKind, Health, Input, LiveState, Outcome, Plan, Progress, Resource,
    Success, plan, step,
};

const WIDGET: &str = "example.com/v1/Widget";

fn target(kind: &str, name: &str, (annotation, value): (&str, &str)) -> Object {
    let (api_version, kind) = kind.rsplit_once('/').expect("a kind");
    let object =
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "n"}});
    let mut object = Object::from_value(object).expect("an object");
    object.set_annotation(&format!("argocd.argoproj.io/{annotation}"), value);
    object
}

fn is_new(target: Object) -> Resource {
    Resource { target: Some(target), modified: true, ours: true, ..Resource::default() }
}

/// A custom resource, whose controller says nothing of generations, and what comes after it.
fn custom_then_late() -> Vec<Resource> {
    let late = target("v1/ConfigMap", "late", ("sync-wave", "1"));
    vec![is_new(target(WIDGET, "custom", ("sync-wave", "0"))), is_new(late)]
}

fn planned(
    resources: Vec<Resource>,
    hooks: Vec<Object>,
    options: &[&str],
    recorded: &[ResourceResult],
) -> Plan {
    let sync_options = options.iter().map(|option| (*option).to_owned()).collect();
    let operation = SyncOperation { sync_options, ..SyncOperation::default() };
    plan(Input { resources, hooks, recorded, ..input(&operation) }).expect("a plan")
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).expect("a time")
}

fn state(status: HealthStatusCode) -> LiveState {
    LiveState {
        uid: "u".into(),
        generation: 2,
        observed_generation: None,
        deleting: false,
        established: false,
        health: Some(Health { status, message: String::new() }),
    }
}

/// Custom resources are well, as long as their controller did not look; all others are on their way.
fn seen(key: &ResourceKey) -> LiveState {
    state(if key.kind == "Widget" { HealthStatusCode::Healthy } else { HealthStatusCode::Progressing })
}

/// Takes an event, and answers what follows from it at once; all that was done is told.
fn go(
    plan: &Plan,
    progress: Progress,
    event: Event,
    now: Timestamp,
    outcome: &Outcome,
) -> (Progress, Vec<String>) {
    let (mut progress, mut told, mut events) = (progress, Vec::new(), VecDeque::from([event]));
    while let Some(event) = events.pop_front() {
        let (next, effects) = step(plan, progress, event, now);
        progress = next;
        for effect in effects {
            let (task, verb) = match effect {
                Effect::WakeAt(_) => continue,
                Effect::Done { phase, .. } => {
                    told.push(format!("done {phase}"));
                    continue;
                }
                Effect::DryRun { task } => (task, "dry-run"),
                Effect::Apply { task } => (task, "apply"),
                Effect::Delete { task, .. } => (task, "delete"),
                Effect::RemoveHookFinalizer { task, .. } => (task, "release"),
                Effect::Read { task, .. } => (task, "read"),
            };
            let key = &plan.tasks[task.0].key;
            told.push(format!("{verb} {}/{}", key.kind, key.name));
            let state = matches!(verb, "apply" | "read").then(|| seen(key));
            let success = Success { outcome: outcome.clone(), state };
            events.push_back(Event::Result { task, result: Ok(success) });
        }
    }
    (progress, told)
}

#[test]
fn what_was_recorded_as_applied_settles_after_a_restart_as_before() {
    let plan = planned(custom_then_late(), Vec::new(), &[], &[]);
    let (progress, told) = go(&plan, Progress::new(&plan, at(0)), Event::Tick, at(0), &Outcome::Configured);
    assert_eq!(told, ["dry-run Widget/custom", "dry-run ConfigMap/late", "apply Widget/custom"]);
    let recorded = progress.results(&plan);
    let restored = Progress::restore(&plan, &recorded, 0, at(1));
    let (restored, told) = go(&plan, restored, Event::Tick, at(1), &Outcome::Configured);
    assert_eq!(told, ["read Widget/custom"], "its health may be the old generation's");
    let (restored, told) = go(&plan, restored, Event::Tick, at(2), &Outcome::Configured);
    assert!(told.is_empty(), "{told:?}");
    let (_, told) = go(&plan, restored, Event::Tick, at(3), &Outcome::Configured);
    assert_eq!(told, ["apply ConfigMap/late", "done Succeeded"]);
}

#[test]
fn what_was_applied_and_not_recorded_before_a_restart_settles_too() {
    let plan = planned(custom_then_late(), Vec::new(), &[], &[]);
    let validated = ["dry-run Widget/custom", "dry-run ConfigMap/late", "apply Widget/custom"];
    let rest = ["apply ConfigMap/late", "done Succeeded"];
    // What nobody changed is believed at once.
    let (_, told) = go(&plan, Progress::new(&plan, at(0)), Event::Tick, at(0), &Outcome::Unchanged);
    assert_eq!(told, [&validated[..], &rest].concat());
    let restored = Progress::restore(&plan, &[], 0, at(0));
    let (restored, told) = go(&plan, restored, Event::Tick, at(0), &Outcome::Unchanged);
    assert_eq!(told, validated);
    let (_, told) = go(&plan, restored, Event::Tick, at(2), &Outcome::Unchanged);
    assert_eq!(told, rest);
}

#[test]
fn what_this_attempt_applied_is_waited_for_after_a_restart_though_it_is_synced() {
    let only = ["ApplyOutOfSyncOnly=true"];
    let first = planned(custom_then_late(), Vec::new(), &only, &[]);
    let (progress, _) = go(&first, Progress::new(&first, at(0)), Event::Tick, at(0), &Outcome::Created);
    let recorded = progress.results(&first);
    let mut resources = custom_then_late();
    let custom = &mut resources[0];
    custom.live.clone_from(&custom.target);
    custom.modified = false;
    let kinds = |plan: &Plan| plan.tasks.iter().map(|task| task.key.kind.clone()).collect::<Vec<_>>();
    assert_eq!(kinds(&planned(resources.clone(), Vec::new(), &only, &[])), ["ConfigMap"]);
    let plan = planned(resources, Vec::new(), &only, &recorded);
    assert_eq!(kinds(&plan), ["Widget", "ConfigMap"]);
    let restored = Progress::restore(&plan, &recorded, 0, at(1));
    let (_, told) = go(&plan, restored, Event::Tick, at(1), &Outcome::Created);
    assert_eq!(told, ["read Widget/custom"]);
}

#[test]
fn a_validation_that_failed_in_part_is_made_anew_after_a_restart() {
    let hook = target("batch/v1/Job", "hook", ("hook", "PreSync"));
    let plan = planned(custom_then_late(), vec![hook], &[], &[]);
    let (progress, effects) = step(&plan, Progress::new(&plan, at(0)), Event::Tick, at(0));
    let refused = effects.iter().find_map(|effect| match effect {
        Effect::DryRun { task } if plan.tasks[task.0].is_hook() => Some(*task),
        _ => None,
    });
    let task = refused.expect("the hook is validated");
    let failure = Failure { message: "no such namespace".into(), kind: FailureKind::Other };
    let (progress, _) = step(&plan, progress, Event::Result { task, result: Err(failure) }, at(0));
    let recorded = progress.results(&plan);
    assert_eq!(recorded.len(), 1, "the failure is shown at once");
    let restored = Progress::restore(&plan, &recorded, 0, at(1));
    let (_, told) = go(&plan, restored, Event::Tick, at(1), &Outcome::Created);
    let validated = ["dry-run Job/hook", "dry-run Widget/custom", "dry-run ConfigMap/late"];
    assert_eq!(told, [&validated[..], &["apply Job/hook"]].concat());
}

#[test]
fn a_hook_that_ran_and_went_is_not_run_again_after_a_restart() {
    let hooks = vec![
        target("batch/v1/Job", "hook", ("hook", "PreSync")),
        target("batch/v1/Job", "mend", ("hook", "SyncFail")),
    ];
    let plan = planned(custom_then_late(), hooks, &[], &[]);
    let (progress, told) = go(&plan, Progress::new(&plan, at(0)), Event::Tick, at(0), &Outcome::Created);
    assert!(told.contains(&"apply Job/hook".to_owned()), "{told:?}");
    let key = ResourceKey::new("batch", "Job", "n", "hook");
    // Somebody deletes it; the controller ends before what is to be done on failures is done.
    let (progress, _) = step(&plan, progress, Event::Gone { key, uid: "u".into() }, at(1));
    let restored = Progress::restore(&plan, &progress.results(&plan), 0, at(2));
    let (_, told) = go(&plan, restored, Event::Tick, at(2), &Outcome::Created);
    assert!(!told.contains(&"apply Job/hook".to_owned()), "{told:?}");
}

/// What is told when a Deployment goes while a hook of the same sync runs, and the hook ends well.
fn gone_beside_a_hook(further: Vec<Resource>) -> Vec<String> {
    let mut resources = vec![is_new(target("apps/v1/Deployment", "web", ("sync-wave", "0")))];
    resources.extend(further);
    let hook = target("batch/v1/Job", "hook", ("hook", "Sync"));
    let plan = planned(resources, vec![hook], &[], &[]);
    let (progress, told) = go(&plan, Progress::new(&plan, at(0)), Event::Tick, at(0), &Outcome::Created);
    assert!(told.contains(&"apply Deployment/web".to_owned()), "{told:?}");
    assert!(told.contains(&"apply Job/hook".to_owned()), "{told:?}");
    let key = ResourceKey::new("apps", "Deployment", "n", "web");
    let gone = Event::Gone { key, uid: "u".into() };
    let (progress, told) = go(&plan, progress, gone, at(1), &Outcome::Created);
    assert!(told.is_empty(), "the hook is waited for: {told:?}");
    let key = ResourceKey::new("batch", "Job", "n", "hook");
    let ended = Event::Live { key, state: state(HealthStatusCode::Healthy) };
    go(&plan, progress, ended, at(2), &Outcome::Created).1
}

#[test]
fn a_resource_that_nobody_waits_for_may_go() {
    assert_eq!(gone_beside_a_hook(Vec::new()), ["release Job/hook", "done Succeeded"]);
}

#[test]
fn a_resource_that_a_later_wave_waits_for_may_not() {
    let late = is_new(target("v1/ConfigMap", "late", ("sync-wave", "1")));
    assert_eq!(gone_beside_a_hook(vec![late]), ["release Job/hook", "done Failed"]);
}
