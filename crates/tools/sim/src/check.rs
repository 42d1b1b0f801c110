//! What must hold at every moment of every history.

use crate::api_server::ApiServer;
use crate::controller::{Running, Start};
use crate::permitting::Taken;
use crate::thing::{Thing, label};
use crate::world::World;
use api::codes::SyncPhase;
use api::v1alpha1::{Application, Operation, OperationState};
use jiff::{SignedDuration, Timestamp};
use object::{Object, ResourceKey};
use reconcile::DeleteObject;
use serde_json::Value;
use std::collections::BTreeMap;
use sync::{Effect, Plan, Task};

/// What checks remember.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// How often the controller was killed.
    pub restarts: usize,
    /// The attempt under way.
    pub attempt: Attempt,
    /// When a user last confirmed.
    pub confirmed: Option<Timestamp>,
    /// Operations that ended, with their phases.
    pub ended: Vec<OperationState>,
    /// The project's sync windows, each in the place of the one before it.
    pub windows: Vec<Window>,
    /// What the project took away.
    pub taken: Taken,
    /// Whether the application was going while the project did not permit everything.
    pub spares: bool,
}

/// A sync window, and since when.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// Since when.
    pub since: Timestamp,
    /// It denies syncs.
    pub denied: bool,
    /// It permits them in the first five of ten minutes.
    pub allowed: bool,
    /// People may all the same.
    pub manual: bool,
    /// What began when it was open may go on.
    pub overrun: bool,
}

/// What was decided just before a window closed may still begin.
const LATE: SignedDuration = SignedDuration::from_secs(60);

impl Window {
    fn lets_in(self, automated: bool, at: Timestamp) -> bool {
        let open = at.as_second().div_euclid(60).rem_euclid(10) < 5;
        let closed = self.denied || self.allowed && !open;
        !closed || self.manual && !automated
    }
}

/// One attempt of an operation.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    id: (String, i64),
    /// Version of the destination when it began.
    since: u64,
    restarts: usize,
    /// Whether it leaves alone what is ignored.
    respects: bool,
    /// Whether it began while windows were closed: one that is to end may, and nothing else.
    shut: bool,
    /// Whether it fails where another application holds something.
    fails_on_shared: bool,
    place: Option<(SyncPhase, i64)>,
    hooks: BTreeMap<(SyncPhase, ResourceKey), usize>,
}

fn is_hook(object: &Object) -> bool {
    sync::is_hook(object)
}

impl World {
    pub(crate) fn note_attempt(&mut self, state: &OperationState, start: Start) {
        let id = (state.started_at.to_string(), state.retry_count);
        let notes = &mut self.notes;
        if start == Start::Anew || notes.attempt.id != id {
            notes.attempt =
                Attempt { id, since: self.api.version, restarts: notes.restarts, ..Attempt::default() };
        }
        // What was not recorded is done again, from the first wave on.
        notes.attempt.place = None;
        let options = state.operation.sync.as_ref().map(|sync| sync.sync_options.as_slice());
        let options = sync::SyncOptions::parse(options.unwrap_or_default());
        notes.attempt.respects = options.respect_ignore_differences;
        notes.attempt.fails_on_shared = options.fail_on_shared_resource;
        let began = state.started_at.timestamp();
        self.notes.attempt.shut = self.is_shut(state.operation.initiated_by.automated, began);
    }

    /// Whether windows are closed for what begins now, or goes on after a restart, and it did not begin in time for what may
    /// overrun.
    fn is_shut(&self, automated: bool, began: Option<Timestamp>) -> bool {
        let at = |moment: Timestamp| {
            let window = self.notes.windows.iter().rev().find(|window| window.since <= moment).copied();
            (window, window.is_none_or(|window| window.lets_in(automated, moment)))
        };
        let (window, open) = at(self.now);
        let mut before =
            (1..=LATE.as_secs()).map(|ago| self.now.saturating_sub(SignedDuration::from_secs(ago)));
        let lately = before.any(|moment| moment.is_ok_and(|moment| at(moment).1));
        let overruns = window.is_some_and(|window| window.overrun) && began.is_some_and(|began| at(began).1);
        !open && !lately && !overruns
    }

    /// Whether an object carries the mark of another application.
    pub(crate) fn is_others(&self, object: &Object) -> bool {
        let method = self.given.tracking.method;
        let owner = object::owner_application(object, method, object::tracking::DEFAULT_LABEL_KEY, "");
        owner.is_some_and(|owner| owner != self.given.instance)
    }

    pub(crate) fn note_end(&mut self, running: &Running, state: &OperationState) {
        self.tell(|_| format!("attempt ended {}: {}", state.phase, state.message));
        let hooks = &self.notes.attempt.hooks;
        if state.phase == "Succeeded" && self.notes.restarts == self.notes.attempt.restarts {
            let plan = running.run.as_ref().map(|run| &run.plan);
            let due = plan.into_iter().flat_map(|plan| plan.tasks.iter().filter(|_| !plan.dry_run));
            for task in due.filter(|task| task.is_hook() && task.phase != SyncPhase::SyncFail) {
                let count = hooks.get(&(task.phase, task.key.clone())).copied().unwrap_or(0);
                if count != 1 {
                    self.violated(format!(
                        "{} of {} ran {count} times in a sync that succeeded",
                        task.key, task.phase
                    ));
                }
            }
        }
        self.notes.ended.push(state.clone());
    }

    /// An automated sync that would take everything away is not asked for.
    pub(crate) fn check_request(&self, operation: &Operation) {
        let Some(sync) = &operation.sync else { return };
        if self.is_shut(true, None) {
            self.violated("a sync is asked for while its window is closed");
        }
        let allowed =
            self.hub.application.as_ref().and_then(|application| {
                application.spec.sync_policy.as_ref()?.automated.as_ref()?.allow_empty
            });
        let Some((things, _)) = self.git.things(&sync.revision) else { return };
        let empty = things.iter().all(|thing| !thing.hook.is_empty());
        if sync.prune && allowed != Some(true) && empty {
            self.violated("an automated sync would leave nothing");
        }
    }

    /// A plan changes only what it may.
    pub(crate) fn check_plan(&self, plan: &Plan, running: &Running) {
        let operation = running.state.operation.sync.clone().unwrap_or_default();
        for task in &plan.tasks {
            if task.is_hook()
                && (!operation.resources.is_empty()
                    || operation.sync_strategy.as_ref().is_some_and(|it| it.apply.is_some()))
            {
                self.violated(format!("{} is a hook, and hooks were not asked for", task.key));
            }
            let selected = operation.resources.is_empty()
                || task.creates_namespace
                || operation.resources.iter().any(|it| it.kind == task.gvk.kind && it.name == task.key.name);
            if !selected {
                self.violated(format!("{} was not asked for", task.key));
            }
        }
    }

    /// An effect touches only what it may, when it may.
    pub(crate) fn check_effect(&mut self, plan: &Plan, effect: &Effect) {
        match effect {
            Effect::Apply { task } => self.check_apply(plan, &plan.tasks[task.0]),
            Effect::Delete { task, key, uid, .. } => self.check_delete(plan, &plan.tasks[task.0], key, uid),
            Effect::RemoveHookFinalizer { key, .. } => self.check_release(key),
            _ => {}
        }
        self.check_permitted(plan, effect);
        let changes = matches!(effect, Effect::Apply { .. } | Effect::Delete { .. });
        if changes && self.notes.attempt.shut {
            self.violated("a sync begins while its window is closed");
        }
        if plan.dry_run && changes {
            self.violated("a dry run changes something");
        }
    }

    fn check_release(&self, key: &ResourceKey) {
        let holds = |live: &Object| !is_hook(live) && live.finalizers().contains(&api::names::HOOK_FINALIZER);
        if self.api.objects.get(key).is_some_and(holds) {
            self.violated(format!("{key} is no hook, and its finalizer is taken off"));
        }
    }

    fn check_apply(&mut self, plan: &Plan, task: &Task) {
        let known = task.creates_namespace || self.is_of_git(&task.key);
        if !known {
            self.violated(format!("{} is applied, and Git never named it", task.key));
        }
        let held = task.live.as_ref().is_some_and(|live| self.is_others(live));
        if held && self.notes.attempt.fails_on_shared && !task.is_hook() {
            self.violated(format!("{} is applied, and another application holds it", task.key));
        }
        if task.phase != SyncPhase::SyncFail && !task.creates_namespace {
            let place = (task.phase, task.wave);
            if self.notes.attempt.place.is_some_and(|before| before > place) {
                self.violated(format!("{} of {} {} is overtaken", task.key, task.phase, task.wave));
            }
            self.notes.attempt.place = self.notes.attempt.place.max(Some(place));
            self.check_before(plan, task);
        }
        if task.is_hook() {
            let count = self.notes.attempt.hooks.entry((task.phase, task.key.clone())).or_default();
            *count += 1;
            let allowed = 1 + self.notes.restarts - self.notes.attempt.restarts;
            if *count > allowed {
                let count = *count;
                self.violated(format!("{} runs {count} times in one attempt", task.key));
            }
        }
    }

    /// A hook that makes room before it runs is not what was there before, whoever made that.
    pub(crate) fn check_made_anew(&self, task: &Task, object: &Object) {
        let past = self.api.past.get(object.uid()).and_then(|versions| versions.first());
        let was_there = past.is_some_and(|(version, _)| *version <= self.notes.attempt.since);
        if task.is_hook() && task.delete_policies.before_creation && was_there {
            self.violated(format!("{} runs as the object that was there before", task.key));
        }
    }

    /// What belongs to earlier phases and waves must be there, and hooks must have ended well.
    fn check_before(&self, plan: &Plan, task: &Task) {
        let since = self.notes.attempt.since;
        let place = (task.phase, task.wave);
        let earlier = plan.tasks.iter().filter(|other| {
            other.phase != SyncPhase::SyncFail && (other.phase, other.wave) < place && other.target.is_some()
        });
        for other in earlier {
            let was = |done: &dyn Fn(&Object) -> bool| was_ever(&self.api, &other.key, since, done);
            let complete = |object: &Object| {
                let conditions = object.at(&["status", "conditions"]);
                conditions.is_some_and(|list| list[0]["type"] == "Complete")
            };
            let rolled_out = |object: &Object| {
                object.int_at(&["status", "availableReplicas"]).is_some()
                    && object.int_at(&["status", "observedGeneration"]) == Some(object.generation())
            };
            let done = match (other.is_hook(), other.gvk.kind.as_str()) {
                (true, "Job") => was(&complete),
                (false, "Deployment") => was(&rolled_out),
                _ => was(&|_| true),
            };
            if !done {
                self.violated(format!("{} comes before {} is done", task.key, other.key));
            }
        }
    }

    fn check_delete(&self, plan: &Plan, task: &Task, key: &ResourceKey, uid: &str) {
        if uid.is_empty() {
            self.violated(format!("{key} is deleted without the uid that was judged"));
            return;
        }
        let planned = task.live.as_ref().filter(|live| live.uid() == uid).map_or(0, version);
        let judged = self.api.past.get(uid).map(Vec::as_slice).unwrap_or_default();
        // What has come to be known of it since counts, too.
        let known = planned.max(self.controller.cache.known_version(key));
        let judged = judged.iter().filter(|(at, _)| *at >= known).map(|(_, object)| object);
        if task.is_hook() {
            if !self.is_of_git(key) {
                self.violated(format!("{key} is deleted as a hook, and Git never named it"));
            }
            return;
        }
        if !task.is_prune() {
            self.violated(format!("{key} is deleted, and is neither a hook nor pruned"));
        }
        let may = |object: &Object| {
            let own = object::owner_application(
                object,
                self.given.tracking.method,
                object::tracking::DEFAULT_LABEL_KEY,
                "",
            );
            let confirmed = plan.prune_confirmed
                || self.notes.confirmed.is_some_and(|at| at.as_second() >= plan.started_at.as_second());
            own.as_ref() == Some(&self.given.instance)
                && !sync::has_option(object, "Prune=false")
                && (confirmed || !sync::has_option(object, "Prune=confirm"))
        };
        if !judged.clone().any(may) {
            self.violated(format!("{key} is pruned, and it is not ours or it is protected"));
        }
        let now = self.api.objects.get(key).filter(|now| !self.api.down && now.uid() == uid);
        if now.is_some_and(|now| self.is_others(now)) {
            self.violated(format!("{key} is pruned, and it is another application's"));
        }
        if plan.tasks.iter().any(|task| task.target.is_some() && task.key == *key) {
            self.violated(format!("{key} is pruned, and Git holds it"));
        }
    }

    /// What a deleted application takes with it.
    pub(crate) fn check_cascade(&self, application: &Application, object: &DeleteObject) {
        let key = &object.key;
        if object.uid.is_empty() {
            self.violated(format!("{key} is deleted without the uid that was judged"));
        }
        let cascades =
            application.metadata.finalizers.iter().any(|name| name.starts_with("resources-finalizer"));
        let judged = self.api.past.get(&object.uid).map(Vec::as_slice).unwrap_or_default();
        let may = judged.iter().any(|(_, object)| {
            let own = object::owner_application(
                object,
                self.given.tracking.method,
                object::tracking::DEFAULT_LABEL_KEY,
                "",
            );
            own.as_ref() == Some(&self.given.instance) && !sync::has_option(object, "Delete=false")
        });
        if !cascades || !may || key.kind == "CustomResourceDefinition" {
            self.violated(format!(
                "{key} is deleted with the application, and it is not ours or it is protected"
            ));
        }
    }

    /// Whether Git ever held an object of that name.
    fn is_of_git(&self, key: &ResourceKey) -> bool {
        let named = |thing: &Thing| {
            thing.kind == key.kind
                && if thing.generated { key.name.starts_with(&thing.name) } else { thing.name == key.name }
        };
        self.git.commits.iter().flatten().any(named)
    }

    /// An operation that waits says when it goes on.
    pub(crate) fn check_wait(&self, running: &Running) {
        let Some(run) = &running.run else { return };
        if run.flights.is_empty()
            && running.inbox.is_empty()
            && running.wake.is_none()
            && running.ended.is_none()
        {
            self.violated("an operation waits for nothing and has no wake-up");
        }
    }

    /// When nothing is left to do, something is due later, as long as there is an application.
    pub(crate) fn check_idle(&self, timer: Option<Timestamp>) {
        let application = self.hub.application.as_ref();
        let forgotten = application.is_some() && timer.is_none() && !self.hub.down && !self.api.down;
        // Without a time between looks, only what is unfinished is to be gone on with.
        let unfinished =
            |it: &Application| it.operation.is_some() || it.metadata.deletion_timestamp.is_some();
        // A write that a window holds waits for whoever edits the project, and an application's deletion with it.
        let forgotten = forgotten && !self.holds_writes();
        // What the project does not permit waits for them, too.
        let forgotten = forgotten && application.is_some_and(|it| self.problems(it).is_empty());
        let forgotten = forgotten && (!self.without_resync || application.is_some_and(unfinished));
        if forgotten {
            self.violated("nobody will look at the application again");
        }
    }

    fn has_option(&self, option: &str) -> bool {
        let policy = self.hub.application.as_ref().and_then(|it| it.spec.sync_policy.as_ref());
        policy.is_some_and(|policy| policy.sync_options.iter().any(|it| it == option))
    }

    /// The independent check at the end: what live objects are not as Git says.
    pub fn differences(&self) -> Vec<String> {
        let mut different = Vec::new();
        let things = self.git.commits.last().map(Vec::as_slice).unwrap_or_default();
        for thing in things.iter().filter(|thing| thing.hook.is_empty()) {
            let live = self.api.find(&thing.label());
            let same = live.is_some_and(|live| {
                crate::fields::says(&live.to_value(), &self.counted(thing.manifest().to_value()))
            });
            let marked =
                thing.kind == "CustomResourceDefinition" || live.is_some_and(|live| self.is_own(live));
            if !same || !marked {
                different.push(format!("{} is not as Git says", thing.label()));
            }
            let more = live.is_some_and(|live| {
                live.at(&["data", "extra"])
                    .or(live.at(&["spec", "colour"]))
                    .or(live.at(&["spec", "minReadySeconds"]))
                    .is_some()
            });
            // Where only a value that is ignored differs, or only what differs is applied, nothing has what was replaced as a
            // whole replaced again, and nothing remembers what was left out.
            let forgotten = (self.ignores_values || self.has_option("ApplyOutOfSyncOnly=true"))
                && (thing.kind == "ConfigMap" || self.has_option("Replace=true"))
                && live.is_some_and(is_without_last_applied);
            if more && !thing.extra && !forgotten {
                different.push(format!("{} says more than Git", thing.label()));
            }
        }
        for object in self.api.objects.values().filter(|object| self.is_own(object) && !is_hook(object)) {
            let named = things.iter().any(|thing| thing.hook.is_empty() && thing.label() == label(object));
            if !named && object.owner_references().is_empty() {
                different.push(format!("{} is too much", label(object)));
            }
        }
        different
    }

    /// What a manifest says, as far as it counts.
    pub(crate) fn counted(&self, mut manifest: Value) -> Value {
        if self.ignores_values
            && manifest["kind"] == "ConfigMap"
            && let Some(Value::Object(data)) = manifest.get_mut("data")
        {
            data.remove("value");
        }
        manifest
    }

    /// An apply that respects what is ignored leaves the value that was live since it was planned.
    pub(crate) fn check_respected(&self, task: &Task, written: &Object) {
        let respects = self.notes.attempt.respects;
        let Some(planned) = task.live.as_ref().filter(|_| self.ignores_values && respects) else { return };
        if written.kind() != "ConfigMap" || task.is_hook() || planned.uid() != written.uid() {
            return;
        }
        let value = |object: &Object| object.at(&["data", "value"]).cloned();
        let past = self.api.past.get(planned.uid()).map(Vec::as_slice).unwrap_or_default();
        // The last version is the one that was just written.
        let before = past.iter().rev().skip(1).filter(|(at, _)| *at >= version(planned));
        let known =
            before.map(|(_, object)| value(object)).chain([value(planned)]).any(|it| it == value(written));
        if !known {
            self.violated(format!("{} lost a value that is ignored", task.key));
        }
    }

    /// Whether an object carries the application's mark, made for it.
    pub fn is_own(&self, object: &Object) -> bool {
        object::owner_application(object, self.given.tracking.method, object::tracking::DEFAULT_LABEL_KEY, "")
            .as_ref()
            == Some(&self.given.instance)
    }
}

fn is_without_last_applied(object: &Object) -> bool {
    object.annotation(api::names::LAST_APPLIED).is_none()
        && object.at(&["metadata", "managedFields"]).is_none()
}

fn version(object: &Object) -> u64 {
    object.resource_version().parse().unwrap_or(0)
}

/// Whether an object was ever of a kind since a version of the cluster.
fn was_ever(api: &ApiServer, key: &ResourceKey, since: u64, what: &dyn Fn(&Object) -> bool) -> bool {
    let of_key =
        api.past.values().filter(|versions| versions.first().is_some_and(|(_, object)| object.key() == *key));
    of_key.into_iter().any(|versions| {
        // The version it had then, and those after.
        let first = versions.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        versions[first..].iter().any(|(_, object)| what(object))
    })
}
