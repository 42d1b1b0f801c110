//! Doing what a sync asks for: each effect is one conversation with the destination and gives one event.

use crate::clusters::Cache;
use crate::metrics::Metrics;
use crate::rules::Compiled;
use api::names::HOOK_FINALIZER;
use diff::FIELD_MANAGER;
use kubernetes::{
    ApiResource, ApplyOptions, Cluster, DeleteOptions, DryRun, Error, Known, Method, Patch, WriteOptions,
};
use object::{GroupVersionKind, Object, ResourceKey};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use sync::{
    Effect, Event, Failure, FailureKind, Health, LiveState, Outcome, Plan, Propagation, Success, TaskId,
    Write,
};

/// How often a write that depends on what is live starts over.
const TRIES: usize = 8;

/// What an effect is counted and judged with.
#[derive(Clone, Copy)]
pub(crate) struct Means<'a> {
    pub(crate) metrics: &'a Metrics,
    pub(crate) checks: &'a Compiled,
    /// The destination, in the name changes are made in.
    pub(crate) cluster: &'a Cluster,
    /// The version of an object that a deletion was decided for, where that was one.
    pub(crate) version: Option<&'a str>,
}

/// Does an effect and says how it went; nothing for effects that are not about an object.
pub(crate) async fn perform(cache: &Cache, plan: &Plan, means: Means<'_>, effect: Effect) -> Option<Event> {
    let (task, result) = match effect {
        Effect::DryRun { task } => (task, write(cache, plan, means, task, true).await),
        Effect::Apply { task } => (task, write(cache, plan, means, task, false).await),
        Effect::Delete { task, key, gvk, uid, propagation } => {
            (task, delete(cache, means, &key, &gvk, &uid, propagation).await)
        }
        Effect::RemoveHookFinalizer { task, key, gvk } => (task, release(means.cluster, &key, &gvk).await),
        Effect::Read { task, key, gvk } => (task, read(means, &key, &gvk).await),
        Effect::WakeAt(_) | Effect::Done { .. } => return None,
    };
    Some(Event::Result { task, result: result.map_err(|error| failure(&error)) })
}

/// The answer to an effect that is not done because the operation is stopped.
pub(crate) fn refused(effect: &Effect) -> Option<Event> {
    let (Effect::Apply { task } | Effect::Delete { task, .. }) = effect else { return None };
    let failure = Failure { message: "Operation terminated".into(), kind: FailureKind::Other };
    Some(Event::Result { task: *task, result: Err(failure) })
}

/// What matters of a live object, health included.
pub(crate) fn live_state(object: &Object, checks: &Compiled) -> LiveState {
    let health = checks.health(object);
    let health = health.map(|health| Health { status: health.status, message: health.message });
    LiveState::read(object, health)
}

async fn write(
    cache: &Cache,
    plan: &Plan,
    Means { metrics, checks, cluster, .. }: Means<'_>,
    id: TaskId,
    pretend: bool,
) -> Result<Success, Error> {
    let Some(task) = plan.tasks.get(id.0) else {
        return Err(Error::InvalidObject("the plan has no such task".into()));
    };
    let Some(target) = &task.target else {
        return Err(Error::InvalidObject("a prune has nothing to apply".into()));
    };
    let (method, force) = match &task.write {
        Write::Apply { force } => (Method::ClientSide, *force),
        Write::ServerSideApply { .. } => (Method::ServerSide, false),
        Write::Create => (Method::Create, false),
        Write::Replace { force } => (Method::Replace, *force),
        Write::Update => (Method::Replace, false),
        Write::None => return Err(Error::InvalidObject("a prune has nothing to apply".into())),
    };
    let _writing = metrics.writing(match method {
        Method::Create => "create",
        Method::Replace => "replace",
        Method::ClientSide | Method::ServerSide => "apply",
    });
    let resource = cluster.resource(&task.gvk).await?;
    if let (Write::ServerSideApply { migrate_from: Some(manager) }, false) = (&task.write, pretend) {
        migrate(cluster, &resource, &task.key, manager).await?;
    }
    let options = ApplyOptions {
        method,
        field_manager: FIELD_MANAGER.into(),
        dry_run: if pretend { DryRun::Server } else { DryRun::No },
        validate: task.validate,
        // A pretended apply must not delete anything to make room.
        force: force && !pretend,
        ..ApplyOptions::default()
    };
    // What the watch has told saves a question.
    let known = match cache.known_live(&task.gvk, &task.key.namespace, &task.key.name) {
        Some(Some(live)) => Known::Live(Box::new(live)),
        Some(None) => Known::Absent,
        None => Known::Nothing,
    };
    let applied = match cluster.apply_knowing(&resource, target, known, &options).await {
        Err(error) if pretend && comes_with_the_plan(plan, target, &error) => {
            return Ok(Success { outcome: Outcome::Unchanged, state: None });
        }
        // What is live goes before this comes: that it cannot become this is no reason to refuse it.
        // So does what a hook may take away before: only its turn shows whether it can.
        Err(error) if pretend && is_in_the_way(&error) && plan.may_have_room(id) => {
            let mut options = WriteOptions::manager(FIELD_MANAGER);
            options.dry_run = DryRun::Server;
            // Not what is in the way of the trial is told, but what refused the change.
            let tried = cluster.create(&resource, &under_a_new_name(target), &options).await;
            tried.map_err(|_| error)?;
            return Ok(Success { outcome: Outcome::Unchanged, state: None });
        }
        other => other?,
    };
    let outcome = match applied.outcome {
        kubernetes::Outcome::Created => Outcome::Created,
        kubernetes::Outcome::Configured => Outcome::Configured,
        kubernetes::Outcome::Unchanged => Outcome::Unchanged,
        kubernetes::Outcome::ServerSideApplied => Outcome::ServerSideApplied,
        kubernetes::Outcome::Replaced if matches!(task.write, Write::Update) => Outcome::Updated,
        kubernetes::Outcome::Replaced => Outcome::Replaced,
    };
    if !pretend {
        cache.observe(&applied.object);
    }
    Ok(Success { outcome, state: Some(live_state(&applied.object, checks)) })
}

/// Whether a write may be refused only because of what is there now.
fn is_in_the_way(error: &Error) -> bool {
    error.is_invalid() || error.is_already_exists()
}

/// The object under a name nobody has, so that creating it can be tried beside the one that is there.
fn under_a_new_name(target: &Object) -> Object {
    let mut object = target.clone();
    if let Some(Value::Object(metadata)) = object.0.get_mut("metadata") {
        metadata.remove("name");
        metadata.insert("generateName".into(), format!("{}-", target.name()).into());
    }
    object
}

/// Makes the fields that a client-side apply once wrote ours, so that leaving one out removes it.
async fn migrate(
    cluster: &Cluster,
    resource: &ApiResource,
    key: &ResourceKey,
    manager: &str,
) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let Some(live) = cluster.find(resource, &key.namespace, &key.name).await? else { return Ok(()) };
        match cluster.migrate_field_managers(resource, &live, &[manager], FIELD_MANAGER).await {
            Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
            Err(error) if error.is_not_found() => return Ok(()),
            other => return other.map(drop),
        }
    }
}

/// Whether the server only misses the namespace, and the plan makes that.
fn comes_with_the_plan(plan: &Plan, target: &Object, error: &Error) -> bool {
    let namespaces: BTreeSet<&str> = plan
        .tasks
        .iter()
        .filter(|task| task.gvk.group.is_empty() && task.gvk.kind == "Namespace" && task.target.is_some())
        .map(|task| task.key.name.as_str())
        .collect();
    error.is_not_found() && namespaces.contains(target.namespace())
}

async fn delete(
    cache: &Cache,
    Means { checks, cluster, version, .. }: Means<'_>,
    key: &ResourceKey,
    gvk: &GroupVersionKind,
    uid: &str,
    propagation: Propagation,
) -> Result<Success, Error> {
    let resource = cluster.resource(gvk).await?;
    let propagation = match propagation {
        Propagation::Foreground => kubernetes::Propagation::Foreground,
        Propagation::Background => kubernetes::Propagation::Background,
        Propagation::Orphan => kubernetes::Propagation::Orphan,
    };
    let options = DeleteOptions {
        propagation: Some(propagation),
        uid: (!uid.is_empty()).then(|| uid.to_owned()),
        resource_version: version.map(str::to_owned),
        ..DeleteOptions::default()
    };
    let left = cluster.delete(&resource, &key.namespace, &key.name, &options).await?;
    if let Some(object) = &left {
        cache.observe(object);
    }
    Ok(Success { outcome: Outcome::Deleted, state: left.as_ref().map(|left| live_state(left, checks)) })
}

async fn release(cluster: &Cluster, key: &ResourceKey, gvk: &GroupVersionKind) -> Result<Success, Error> {
    release_hook(cluster, key, gvk, "").await?;
    Ok(Success { outcome: Outcome::Unfinalized, state: None })
}

/// Takes the hook finalizer off an object, if it is there and still the one of that uid.
pub(crate) async fn release_hook(
    cluster: &Cluster,
    key: &ResourceKey,
    gvk: &GroupVersionKind,
    uid: &str,
) -> Result<(), Error> {
    let resource = cluster.resource(gvk).await?;
    let mut tries = 0;
    loop {
        let Some(live) = cluster.find(&resource, &key.namespace, &key.name).await? else { return Ok(()) };
        let others: Vec<&str> =
            live.finalizers().into_iter().filter(|finalizer| *finalizer != HOOK_FINALIZER).collect();
        if others.len() == live.finalizers().len() || (!uid.is_empty() && live.uid() != uid) {
            return Ok(());
        }
        let finalizers = if others.is_empty() { Value::Null } else { json!(others) };
        let patch = Patch::Merge(json!({
            "metadata": {"resourceVersion": live.resource_version(), "finalizers": finalizers},
        }));
        let options = WriteOptions::manager(FIELD_MANAGER);
        match cluster.patch(&resource, &key.namespace, &key.name, &patch, &options).await {
            Err(error) if error.is_conflict() && tries < TRIES => tries += 1,
            Err(error) if error.is_not_found() => return Ok(()),
            other => return other.map(drop),
        }
    }
}

async fn read(
    Means { checks, cluster, .. }: Means<'_>,
    key: &ResourceKey,
    gvk: &GroupVersionKind,
) -> Result<Success, Error> {
    let found = cluster.find_kind(gvk, &key.namespace, &key.name).await?;
    Ok(Success { outcome: Outcome::Read, state: found.as_ref().map(|found| live_state(found, checks)) })
}

fn failure(error: &Error) -> Failure {
    let kind = if error.is_not_found() {
        FailureKind::NotFound
    } else if error.is_conflict() {
        FailureKind::Conflict
    } else {
        FailureKind::Other
    };
    Failure { message: error.message(), kind }
}
