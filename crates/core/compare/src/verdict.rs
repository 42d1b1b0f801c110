//! The comparison itself.

use crate::application_health::judge;
use crate::comparison::{ComparedResource, Comparison};
use crate::facts::Facts;
use crate::namespace::{has_changed_metadata, is_managed_namespace};
use crate::pair::{Pair, is_ours, names_itself, other_owner, pair};
use crate::targets::Targets;
use api::codes::{ConditionType, SyncStatusCode};
use api::names::COMPARE_OPTIONS;
use api::v1alpha1::{AppProject, ApplicationCondition};
use diff::{Diff, DiffOptions, diff, diff_predicted};
use jiff::Timestamp;
use object::{Object, ResourceKey};
use std::collections::BTreeMap;

/// Compares. `lives` are the live objects that carry the application's mark and those [`Targets::keys`] names,
/// or why they could not be read. Conditions come sorted.
pub fn compare(
    targets: Targets,
    lives: Result<BTreeMap<ResourceKey, Object>, String>,
    facts: &Facts<'_>,
) -> (Comparison, Vec<ApplicationCondition>) {
    let named_by_hooks = targets.hook_keys();
    let Targets { resources, hooks, pre_delete_hooks, post_delete_hooks, mut conditions, mut failed, .. } =
        targets;
    let mut fail = |conditions: &mut Vec<ApplicationCondition>, message: String| {
        conditions.push(facts.condition(ConditionType::ComparisonError, message));
        failed = true;
    };
    let live_known = lives.is_ok();
    let lives = lives.unwrap_or_else(|message| {
        fail(&mut conditions, format!("Failed to load live state: {message}"));
        BTreeMap::new()
    });
    let pairs =
        pair(resources, &named_by_hooks, lives, targets.has_managed_namespace, facts, &mut conditions);
    if let Err(message) = facts.diff {
        fail(&mut conditions, format!("Failed to compare desired state to live state: {message}"));
    }
    let mut compared = Vec::new();
    for Pair { target, live } in pairs {
        let answer = facts.diff.map(|options| difference(target.as_ref(), live.as_ref(), options, facts));
        let difference = match answer {
            Ok(Ok(difference)) => Some(difference),
            Ok(Err(error)) => {
                fail(&mut conditions, format!("Failed to compare desired state to live state: {error}"));
                None
            }
            Err(_) => None,
        };
        let resource = verdict(target, live, difference, &hooks, facts);
        conditions.extend(no_namespace(&resource, facts));
        compared.push(resource);
    }
    let sync = overall(&compared, failed, facts);
    for resource in &mut compared {
        let permitted = project::permits_kind(
            facts.project,
            &resource.key.group,
            &resource.key.kind,
            &resource.key.name,
            (facts.namespaced)(&resource.key.group_kind()).unwrap_or(false),
        );
        if failed || !permitted {
            resource.status = Some(SyncStatusCode::Unknown);
        }
        // Nothing is known of what should be there, so nothing is known to be too much.
        resource.requires_pruning &= !failed;
    }
    compared.sort_by_cached_key(|resource| resource.key.to_string());
    let health = judge(&mut compared, facts);
    // No error of the comparison: a script that fails keeps nobody from syncing.
    conditions.extend(health.faults.map(|faults| facts.condition(ConditionType::UnknownError, faults)));
    conditions.sort_by(|left, right| (&left.r#type, &left.message).cmp(&(&right.r#type, &right.message)));
    let comparison = Comparison {
        sync,
        health: health.status,
        health_message: health.message,
        resources: compared,
        hooks,
        pre_delete_hooks,
        post_delete_hooks,
        failed,
        live_known,
    };
    (comparison, conditions)
}

/// The difference of a pair: worked out here, or by what the API server answered to a dry run. A dry run that was
/// refused says nothing of the object.
fn difference(
    target: Option<&Object>,
    live: Option<&Object>,
    options: &DiffOptions,
    facts: &Facts<'_>,
) -> Result<Diff, String> {
    let by_us = || diff(target, live, options).map_err(|error| error.to_string());
    let (Some(server_side), Some(target), Some(live)) = (facts.server_side, target, live) else {
        return by_us();
    };
    let failed =
        |reason: &str| format!("error running server-side dry run apply of {}: {reason}", target.key());
    match server_side.predictions.get(&target.key()) {
        Some(Ok(predicted)) => diff_predicted(target, live, predicted, server_side.with_webhooks, options)
            .map_err(|error| error.to_string()),
        Some(Err(reason)) => Err(failed(reason)),
        // Its target is made up here.
        None if is_managed_namespace(target, facts) => by_us(),
        None => Err(failed("the server was not asked")),
    }
}

fn verdict(
    target: Option<Object>,
    live: Option<Object>,
    difference: Option<Diff>,
    hooks: &[Object],
    facts: &Facts<'_>,
) -> ComparedResource {
    let Some(shown) = live.as_ref().or(target.as_ref()) else {
        unreachable!("a pair holds a target, a live object or both")
    };
    let ours = is_ours(target.as_ref(), live.as_ref(), facts);
    let hook = sync::is_hook(shown);
    let judged = !hook && !sync::is_ignored(shown) && ours && !target.as_ref().is_some_and(sync::is_skipped);
    let made_by_sync =
        live.is_none() && target.as_ref().is_some_and(|target| is_managed_namespace(target, facts));
    let differs = target.is_none()
        || live.is_none()
        || difference.as_ref().is_none_or(|difference| difference.modified);
    let status = judged.then_some(match &difference {
        None => SyncStatusCode::Unknown,
        Some(_) if differs && !made_by_sync => SyncStatusCode::OutOfSync,
        Some(_) => SyncStatusCode::Synced,
    });
    let asks = |object: &Option<Object>| object.as_ref().is_some_and(|object| asks_to_confirm(object, facts));
    ComparedResource {
        key: shown.key(),
        version: shown.gvk().version,
        hook,
        status,
        health: None,
        requires_pruning: target.is_none()
            && live.as_ref().is_some_and(|live| if hook { names_itself(live, facts) } else { ours }),
        requires_deletion_confirmation: asks(&target) || asks(&live),
        sync_wave: wave(target.as_ref(), shown, hook, hooks),
        ours,
        other_owner: live.as_ref().and_then(|live| other_owner(live, facts)),
        diff: difference.unwrap_or_default(),
        target,
        live,
    }
}

/// The target's wave; a live hook has that of the hook it was made from.
fn wave(target: Option<&Object>, live: &Object, hook: bool, hooks: &[Object]) -> i64 {
    if let Some(target) = target {
        return sync::wave(target);
    }
    let made_from = hooks.iter().find(|made_from| {
        made_from.name() == live.name()
            && made_from.kind() == live.kind()
            && made_from.namespace() == live.namespace()
    });
    made_from.filter(|_| hook).map_or(0, sync::wave)
}

/// Whether deleting or pruning an object is to be confirmed by a user.
fn asks_to_confirm(object: &Object, facts: &Facts<'_>) -> bool {
    ["Delete", "Prune"]
        .iter()
        .any(|name| sync::option_value(object, name).or_else(|| facts.sync_option(name)) == Some("confirm"))
}

fn no_namespace(resource: &ComparedResource, facts: &Facts<'_>) -> Option<ApplicationCondition> {
    let ResourceKey { group, kind, namespace, name } = &resource.key;
    let missing = namespace.is_empty() && (facts.namespaced)(&resource.key.group_kind()) == Some(true);
    missing.then(|| {
        let slash = if group.is_empty() { "" } else { "/" };
        let message =
            format!("Namespace for {name} {group}{slash}{}, Kind={kind} is missing.", resource.version);
        facts.condition(ConditionType::InvalidSpecError, message)
    })
}

fn overall(resources: &[ComparedResource], failed: bool, facts: &Facts<'_>) -> SyncStatusCode {
    if failed {
        return SyncStatusCode::Unknown;
    }
    let counts = |resource: &&ComparedResource| {
        let extra = resource.target.is_none();
        !(extra && resource.live.as_ref().is_some_and(is_extraneous))
    };
    let differs = resources.iter().filter(counts).any(|it| it.status == Some(SyncStatusCode::OutOfSync));
    if differs || has_changed_metadata(facts) { SyncStatusCode::OutOfSync } else { SyncStatusCode::Synced }
}

/// Whether an object says that it may be there without a target.
fn is_extraneous(live: &Object) -> bool {
    let options = live.annotation(COMPARE_OPTIONS).unwrap_or_default();
    options.split(',').any(|option| option.trim() == "IgnoreExtraneous")
}

/// The warning that a namespace holds objects no application manages, where the project asks for it.
pub fn orphaned_condition(
    project: &AppProject,
    orphans: usize,
    now: Timestamp,
) -> Option<ApplicationCondition> {
    let warn = project.spec.orphaned_resources.as_ref().is_some_and(|settings| settings.warn == Some(true));
    (warn && orphans > 0).then(|| {
        let message = format!("Application has {orphans} orphaned resources");
        project::condition(ConditionType::OrphanedResourceWarning, message, now)
    })
}
