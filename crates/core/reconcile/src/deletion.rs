//! Deleting an application: hooks, what it made, finalizers, each in its turn. Works from what is live and tracked,
//! never from the source.

use crate::action::{Action, DeleteObject};
use crate::observed::{BrokenHook, Deletion, HookRun, Managed, Observed};
use crate::permission::is_deletion_confirmed;
use api::codes::{ConditionType, HealthStatusCode, HookType};
use api::k8s::meta_v1::Time;
use api::names::{
    BACKGROUND_FINALIZER, FOREGROUND_FINALIZER, HELM_RESOURCE_POLICY, HOOK_FINALIZER,
    POST_DELETE_CLEANUP_FINALIZER, POST_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER, PRE_DELETE_FINALIZER,
    REFRESH, RESOURCES_FINALIZER,
};
use api::v1alpha1::{Application, ApplicationCondition, ResourceStatus};
use jiff::{SignedDuration, Timestamp};
use object::tracking::{Tracking, set_tracking};
use object::{AppInstance, Object, ResourceKey};
use std::collections::BTreeSet;
use sync::{Propagation, ResourceOption, SyncOptions};

/// When a deletion that failed is tried again, unless something happens before.
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// By which objects go with the application.
const CASCADES: [&str; 3] = [RESOURCES_FINALIZER, FOREGROUND_FINALIZER, BACKGROUND_FINALIZER];

/// All that a deletion removes itself.
const ALL_FINALIZERS: [&str; 7] = [
    PRE_DELETE_FINALIZER,
    RESOURCES_FINALIZER,
    FOREGROUND_FINALIZER,
    BACKGROUND_FINALIZER,
    POST_DELETE_FINALIZER,
    PRE_DELETE_CLEANUP_FINALIZER,
    POST_DELETE_CLEANUP_FINALIZER,
];

/// The hooks of a deletion with names: those that leave theirs to be completed get one that this deletion finds again, and
/// are marked anew, since a mark names its object.
pub fn named_delete_hooks(
    application: &Application,
    (instance, tracking): (&AppInstance, Tracking<'_>),
    mut hooks: Vec<Object>,
    hook: HookType,
) -> Result<Vec<Object>, String> {
    let namespace = &application.spec.destination.namespace;
    let since = application.metadata.deletion_timestamp.as_ref().and_then(Time::timestamp);
    for object in hooks.iter_mut().filter(|object| object.name().is_empty()) {
        let revision = &application.status.sync.revision;
        let name = sync::generated_name(object.generate_name(), revision, hook, since.unwrap_or_default());
        object.set_name(&name);
        set_tracking(object, instance, namespace, tracking)
            .map_err(|error| format!("mark hook {}: {error}", object.key()))?;
    }
    Ok(hooks)
}

/// Which of a deletion's hooks go once all have run: those whose delete policies say so, and how the worst of them ended
/// decides for all. A hook without a policy stays, as in the original; what ran before its application's objects went is gone with
/// them ([`deletion`]). `hooks` are live, the application's own, and with
/// their health.
pub fn hooks_to_clean(hooks: &[(Object, Option<HealthStatusCode>)]) -> Vec<DeleteObject> {
    let mut worst = HealthStatusCode::Healthy;
    for health in hooks.iter().filter_map(|(_, health)| *health) {
        if worst.is_worse(health) {
            worst = health;
        }
    }
    let due = hooks.iter().map(|(object, _)| object).filter(|object| {
        let policies = sync::delete_policies(object);
        (policies.succeeded && worst == HealthStatusCode::Healthy)
            || (policies.failed && worst == HealthStatusCode::Degraded)
    });
    sorted(due)
}

/// The next step of a deletion.
pub(crate) fn deletion(observed: &Observed<'_>, deletion: &Deletion<'_>, now: Timestamp) -> Vec<Action> {
    let has = |finalizer: &str| observed.application.metadata.finalizers.iter().any(|name| name == finalizer);
    // What is on a cluster that is not registered cannot be deleted, no hook can run there, and neither need hold the
    // application.
    if !deletion.destination_is_known {
        let held = ALL_FINALIZERS.into_iter().filter(|finalizer| has(finalizer));
        return held.map(|finalizer| Action::RemoveFinalizer { finalizer }).collect();
    }
    let again = wake(now);
    let is_asked = observed.application.metadata.annotations.contains_key(REFRESH);
    if has(PRE_DELETE_FINALIZER) {
        let action = Action::RunHooks { hook: HookType::PreDelete };
        return hooks(PRE_DELETE_FINALIZER, &deletion.pre_delete, action, (is_asked, now));
    }
    let cascades: Vec<&'static str> = CASCADES.into_iter().filter(|finalizer| has(finalizer)).collect();
    if !cascades.is_empty() {
        let in_background = cascades == [BACKGROUND_FINALIZER];
        let propagation = if in_background { Propagation::Background } else { Propagation::Foreground };
        let gone = || cascades.iter().map(|finalizer| Action::RemoveFinalizer { finalizer }).collect();
        return match &deletion.objects {
            Err(message) => vec![failed(message), again],
            Ok(objects) => resources(observed, objects, propagation).map_or_else(gone, |mut actions| {
                actions.push(again);
                actions
            }),
        };
    }
    let steps = [
        (POST_DELETE_FINALIZER, &deletion.post_delete, Action::RunHooks { hook: HookType::PostDelete }),
        (
            PRE_DELETE_CLEANUP_FINALIZER,
            &deletion.pre_delete_cleanup,
            Action::CleanHooks { hook: HookType::PreDelete },
        ),
        (
            POST_DELETE_CLEANUP_FINALIZER,
            &deletion.post_delete_cleanup,
            Action::CleanHooks { hook: HookType::PostDelete },
        ),
    ];
    for (finalizer, run, action) in steps {
        if has(finalizer) {
            return hooks(finalizer, run, action, (is_asked, now));
        }
    }
    Vec::new()
}

/// Comes back when a deletion that failed at this time is to be tried again.
fn wake(since: Timestamp) -> Action {
    Action::WakeAt { at: since.checked_add(TRY_AGAIN).unwrap_or(since), reason: "deletion" }
}

fn hooks(
    finalizer: &'static str,
    run: &HookRun,
    action: Action,
    (is_asked, now): (bool, Timestamp),
) -> Vec<Action> {
    match run {
        HookRun::Done => vec![Action::RemoveFinalizer { finalizer }],
        HookRun::Pending => vec![action, wake(now)],
        HookRun::Failed(message) => vec![failed(message), wake(now)],
        HookRun::Broken(hooks) => broken(hooks, &action, (is_asked, now)),
    }
}

/// Hooks that failed go, so that they are made again, perhaps from what was mended in the source. One that fails at once
/// is not made again at once, unless somebody asks to look again.
fn broken(hooks: &[BrokenHook], action: &Action, (is_asked, now): (bool, Timestamp)) -> Vec<Action> {
    let kind = match action {
        Action::RunHooks { hook } => hook.as_str(),
        _ => "Delete",
    };
    let told = hooks.iter().map(|hook| {
        let key = &hook.object.key;
        format!("{}/{} ({})", key.namespace, key.name, hook.message)
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let mut actions = vec![failed(&format!("{kind} hook(s) failed: {told}"))];
    let is_due =
        |hook: &&BrokenHook| is_asked || hook.since.checked_add(TRY_AGAIN).is_ok_and(|due| due <= now);
    let (due, early): (Vec<&BrokenHook>, Vec<&BrokenHook>) = hooks.iter().partition(is_due);
    if !due.is_empty() {
        let objects = due.into_iter().map(|hook| hook.object.clone()).collect();
        actions.push(Action::DropHooks { objects });
    }
    actions.push(wake(early.iter().map(|hook| hook.since).min().unwrap_or(now)));
    actions
}

fn failed(message: &str) -> Action {
    Action::SetConditions {
        conditions: vec![ApplicationCondition {
            r#type: ConditionType::DeletionError.to_string(),
            message: message.to_owned(),
            last_transition_time: None,
        }],
        evaluated: vec![ConditionType::DeletionError],
    }
}

/// The next step towards there being nothing left; nothing when that is reached. The highest wave goes first, and
/// is gone before the next.
fn resources(
    observed: &Observed<'_>,
    objects: &[Managed<'_>],
    propagation: Propagation,
) -> Option<Vec<Action>> {
    let application = observed.application;
    let options =
        application.spec.sync_policy.as_ref().map(|policy| SyncOptions::parse(&policy.sync_options));
    let (default, prune) = options.map(|options| (options.delete, options.prune)).unwrap_or_default();
    let due: Vec<&Object> =
        objects.iter().filter(|managed| is_deleted(managed, default)).map(|managed| managed.object).collect();
    if due.is_empty() {
        return None;
    }
    let deleted_at = application.metadata.deletion_timestamp.as_ref().and_then(Time::timestamp);
    let confirmed = deleted_at.is_some_and(|since| is_deletion_confirmed(application, since));
    // What asks before it is pruned asks here, too, and so does what asked as it was last compared: its source may.
    let recorded: BTreeSet<ResourceKey> =
        application.status.resources.iter().filter(|it| it.requires_deletion_confirmation).map(key).collect();
    let asks = |object: &&&Object| {
        ResourceOption::delete_of(object, default) == ResourceOption::Confirm
            || ResourceOption::prune_of(object, prune) == ResourceOption::Confirm
            || recorded.contains(&object.key())
    };
    if let Some(first) = due.iter().find(asks).filter(|_| !confirmed) {
        let key = first.key();
        return Some(vec![Action::Skip { reason: format!("{key} requires manual confirmation to delete") }]);
    }
    let going: Vec<&&Object> = due.iter().filter(|object| !object.deletion_timestamp().is_empty()).collect();
    if !going.is_empty() {
        // Their operation is over: nobody else would take the finalizer off.
        let held = going.iter().filter(|object| object.finalizers().contains(&HOOK_FINALIZER));
        let held: Vec<DeleteObject> = sorted(held.map(|object| **object));
        let mut actions = Vec::new();
        if !held.is_empty() {
            actions.push(Action::ReleaseHooks { objects: held });
        }
        actions.push(Action::Skip { reason: format!("{} objects remaining for deletion", due.len()) });
        return Some(actions);
    }
    let last = due.iter().map(|object| sync::wave(object)).max()?;
    let objects = sorted(due.iter().copied().filter(|object| sync::wave(object) == last));
    Some(vec![Action::DeleteObjects { objects, propagation }])
}

fn key(resource: &ResourceStatus) -> ResourceKey {
    ResourceKey::new(&resource.group, &resource.kind, &resource.namespace, &resource.name)
}

/// Whether an object goes with its application. A CRD stays: everybody's objects of that kind would go with it. Hooks that
/// are there go like everything else, whatever their policies, as in the original: those before the deletion have run by then,
/// and those after it are yet to be made.
fn is_deleted(managed: &Managed<'_>, default: ResourceOption) -> bool {
    let object = managed.object;
    let is_crd = object.kind() == "CustomResourceDefinition" && object.group() == "apiextensions.k8s.io";
    let kept = object
        .annotation(HELM_RESOURCE_POLICY)
        .is_some_and(|policy| policy.split(',').any(|entry| entry.trim() == "keep"));
    !managed.is_application
        && !is_crd
        && !kept
        && ResourceOption::delete_of(object, default) != ResourceOption::Deny
}

fn sorted<'a>(objects: impl Iterator<Item = &'a Object>) -> Vec<DeleteObject> {
    let mut objects: Vec<DeleteObject> = objects
        .map(|object| DeleteObject { key: object.key(), gvk: object.gvk(), uid: object.uid().to_owned() })
        .collect();
    objects.sort_by(|left, right| left.key.cmp(&right.key));
    objects
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hook(name: &str, policy: Option<&str>) -> Object {
        let mut annotations = json!({"argocd.argoproj.io/hook": "PostDelete"});
        if let Some(policy) = policy {
            annotations["argocd.argoproj.io/hook-delete-policy"] = policy.into();
        }
        let metadata = json!({"name": name, "namespace": "n", "uid": name, "annotations": annotations});
        Object::from_value(json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata})).unwrap()
    }

    #[test]
    fn hooks_of_a_deletion_go_by_their_policies_only() {
        let hooks = |first: HealthStatusCode| {
            [
                (hook("plain", None), Some(first)),
                (hook("before", Some("BeforeHookCreation")), None),
                (hook("failed", Some("HookFailed")), Some(HealthStatusCode::Healthy)),
                (hook("succeeded", Some("HookSucceeded")), Some(HealthStatusCode::Healthy)),
            ]
        };
        let cleaned = |first| {
            let due = hooks_to_clean(&hooks(first));
            due.into_iter().map(|object| object.uid).collect::<Vec<_>>()
        };
        assert_eq!(cleaned(HealthStatusCode::Healthy), ["succeeded"]);
        assert_eq!(cleaned(HealthStatusCode::Degraded), ["failed"]);
        assert!(cleaned(HealthStatusCode::Progressing).is_empty());
    }
}
