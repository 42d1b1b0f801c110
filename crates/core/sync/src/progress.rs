//! How far an operation is. Everything a controller that was killed needs to go on is in the operation's
//! results and in the cluster; [`Progress::restore`] puts it together again.

use crate::event::{Event, Failure};
use crate::event::{FailureKind, LiveState, Outcome, Success};
use crate::message;
use crate::plan::Plan;
use crate::results::{is_result_of, result};
use crate::task::{Prune, Task};
use api::codes::{HealthStatusCode, OperationPhase, ResultCode, SyncPhase};
use api::v1alpha1::ResourceResult;
use jiff::Timestamp;
use object::ResourceKey;
use std::collections::BTreeMap;

/// How far an operation is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    pub(crate) tasks: Vec<TaskState>,
    pub(crate) stage: Stage,
    /// The phase and wave under way.
    pub(crate) current: Option<(SyncPhase, i64)>,
    /// Something before the creations of the wave under way failed: they are left out.
    pub(crate) aborted: bool,
    pub(crate) prune_confirmed: bool,
    pub(crate) message: String,
    /// Whether only events of the cluster, or time, can bring the operation forward.
    pub(crate) waiting: bool,
    /// When awaited objects were last read, in case an event was missed.
    pub(crate) last_read: Timestamp,
    /// Stopping a hook failed.
    pub(crate) stop_errors: bool,
    /// All was validated: from then on objects are made and deleted.
    pub(crate) begun: bool,
    /// When the operation went on after a restart.
    restored_at: Option<Timestamp>,
    seen: BTreeMap<ResourceKey, Seen>,
    /// Recorded results no task stands for any more.
    orphans: Vec<ResourceResult>,
}

/// Where an operation is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Nothing was done.
    Start,
    /// The destination's namespace is being made.
    Namespace,
    /// Everything is being validated.
    Validating,
    /// Waves.
    Running,
    /// Something failed; the hooks for that run.
    Failing { base: &'static str },
    /// All is decided, hooks are being deleted.
    Finishing { phase: OperationPhase, message: String },
    /// Being stopped.
    Terminating { cause: Option<String> },
    /// Over.
    Done { phase: OperationPhase },
}

/// How far a task is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TaskState {
    pub(crate) status: Option<ResultCode>,
    pub(crate) phase: Option<OperationPhase>,
    pub(crate) message: String,
    pub(crate) doing: Option<Doing>,
    pub(crate) validated: bool,
    /// The finalizer of an earlier sync is off.
    pub(crate) unfinalized: bool,
    /// The object of an earlier sync was asked to go.
    pub(crate) recreating: bool,
    /// The finalizer of this sync is off.
    pub(crate) released: bool,
    /// The object was deleted by policy, or because the operation stops.
    pub(crate) removed: bool,
    /// It had ended by itself when it was deleted because the operation stops.
    pub(crate) ended: Option<(OperationPhase, String)>,
    /// Read while stopping.
    pub(crate) reread: bool,
    /// Restored as running: its state is not known yet.
    pub(crate) unread: bool,
    pub(crate) applied: Option<Applied>,
}

/// The effect of a task that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    DryRun,
    Apply,
    Prune,
    Unfinalize,
    Recreate,
    Release,
    Remove,
    Read,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Applied {
    pub(crate) at: Timestamp,
    uid: String,
    generation: i64,
    /// When the object may have changed last by this operation's doing; nothing when it was so already.
    changed_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq)]
enum Seen {
    /// There when the plan was made; its health is not known.
    Planned {
        uid: String,
    },
    Live(LiveState),
    Gone,
}

/// What became of a running task.
pub(crate) enum Verdict {
    Running {
        message: String,
    },
    /// Healthy, but so fresh that the status may be the old one's.
    Settling {
        until: Timestamp,
    },
    Ended {
        phase: OperationPhase,
        message: String,
    },
    Missing,
}

/// Kinds that admission looks up by name for others: for pods, all of them.
const LOOKED_UP: [&str; 3] = ["ServiceAccount", "PriorityClass", "RuntimeClass"];

/// Whether a dry run is refused for want of something that the same sync applies.
fn lacks_what_comes(plan: &Plan, failure: &Failure) -> bool {
    let named = |task: &Task| {
        let name = &task.key.name;
        task.target.is_some()
            && LOOKED_UP.contains(&task.gvk.kind.as_str())
            && (failure.message.contains(&format!("\"{name}\" not found"))
                || failure.message.contains(&format!("with name {name} was found")))
    };
    failure.message.contains("is forbidden: ") && plan.tasks.iter().any(named)
}

impl Progress {
    /// Nothing done yet. The first event is a [`crate::Event::Tick`].
    pub fn new(plan: &Plan, now: Timestamp) -> Self {
        let mut seen = BTreeMap::new();
        for task in &plan.tasks {
            if let Some(live) = &task.live {
                seen.insert(task.key.clone(), Seen::Planned { uid: live.uid().to_owned() });
            }
        }
        Self {
            tasks: vec![TaskState::default(); plan.tasks.len()],
            stage: Stage::Start,
            current: None,
            aborted: false,
            prune_confirmed: plan.prune_confirmed,
            message: String::new(),
            waiting: false,
            last_read: now,
            stop_errors: false,
            begun: false,
            restored_at: None,
            seen,
            orphans: Vec::new(),
        }
    }

    /// Continues an operation from its recorded results, after a restart. What was applied is not applied again,
    /// save what was not recorded yet, and that is harmless. A hook without a record that was made since the
    /// operation started is this operation's own and is not run twice.
    ///
    /// Nothing tells when an object was applied, so that it counts as applied just now, recorded or not: its health may be
    /// that of the old generation still.
    pub fn restore(plan: &Plan, results: &[ResourceResult], retry_count: i64, now: Timestamp) -> Self {
        let mut progress = Self::new(plan, now);
        progress.restored_at = Some(now);
        for entry in results {
            let found = plan.tasks.iter().position(|task| is_result_of(entry, task));
            let Some(index) = found.filter(|index| progress.tasks[*index].status.is_none()) else {
                progress.orphans.push(entry.clone());
                continue;
            };
            let state = &mut progress.tasks[index];
            state.status = entry.status.parse().ok();
            state.phase = entry.hook_phase.parse().ok();
            state.message.clone_from(&entry.message);
            state.validated = true;
            state.unread = state.phase == Some(OperationPhase::Running);
            // A deletion that was asked for is not asked for again; whether it is over, a read tells.
            state.unread |= state.status == Some(ResultCode::Pruned);
            if state.status == Some(ResultCode::Synced) && state.phase == Some(OperationPhase::Running) {
                let (uid, generation) = (String::new(), 0);
                state.applied = Some(Applied { at: now, uid, generation, changed_at: Some(now) });
            }
        }
        if plan.dry_run {
            return progress;
        }
        progress.adopt_hooks(plan, retry_count);
        // The namespace comes before validation: alone it does not say that everything was validated. Nor do failures, which
        // may be those of a validation that was under way: it is made anew, and nothing is written before it ends.
        let begun = plan.tasks.iter().zip(&progress.tasks).any(|(task, state)| {
            let failed = state.status == Some(ResultCode::SyncFailed);
            let is_refused = failed && state.phase == Some(OperationPhase::Failed);
            state.phase.is_some() && !task.creates_namespace && !is_refused
        });
        if !begun {
            for (task, state) in plan.tasks.iter().zip(&mut progress.tasks) {
                if !task.creates_namespace {
                    *state = TaskState::default();
                }
            }
            return progress;
        }
        progress.stage = Stage::Running;
        progress.begun = true;
        progress.resume_wave(plan);
        progress
    }

    fn adopt_hooks(&mut self, plan: &Plan, retry_count: i64) {
        for (task, state) in plan.tasks.iter().zip(&mut self.tasks) {
            let own = task.is_hook() && task.own_live && state.status.is_none();
            let Some(live) = task.live.as_ref().filter(|_| own) else { continue };
            let created = live.creation_timestamp().parse::<Timestamp>().ok();
            let started = plan.started_at.as_second();
            // An earlier attempt's hook is told from this one's by nothing that is recorded: run it again.
            if retry_count == 0 && created.is_some_and(|created| created.as_second() > started) {
                state.status = Some(ResultCode::Synced);
                state.phase = Some(OperationPhase::Running);
                state.message = message::outcome(task, &Outcome::Created, false);
                state.unread = true;
            }
        }
    }

    /// A wave that was under way goes on with the tasks it had not come to, before anything is waited for.
    fn resume_wave(&mut self, plan: &Plan) {
        let place = |task: &Task| (task.phase, task.wave);
        let next = plan
            .tasks
            .iter()
            .zip(&self.tasks)
            .find(|(task, state)| state.phase.is_none() && task.phase != SyncPhase::SyncFail);
        let Some((next, _)) = next else { return };
        let begun = plan
            .tasks
            .iter()
            .zip(&self.tasks)
            .any(|(task, state)| place(task) == place(next) && state.phase.is_some());
        if begun {
            self.current = Some(place(next));
        }
    }

    /// What the operation's message says now.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// How the operation is now.
    pub fn phase(&self) -> OperationPhase {
        match &self.stage {
            Stage::Done { phase } => *phase,
            Stage::Terminating { .. } => OperationPhase::Terminating,
            _ => OperationPhase::Running,
        }
    }

    /// Whether the operation has ended.
    pub fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done { .. })
    }

    /// Whether the operation does nothing but wait for resources to become healthy, so that a newer revision may
    /// take its place: no effect is under way and no hook runs.
    pub fn waits_only_for_health(&self, plan: &Plan) -> bool {
        let running = |state: &TaskState| state.phase == Some(OperationPhase::Running);
        self.waiting
            && matches!(self.stage, Stage::Running)
            && self.current.is_none()
            && !self.is_busy()
            && self.tasks.iter().any(running)
            && !plan.tasks.iter().zip(&self.tasks).any(|(task, state)| task.is_hook() && running(state))
    }

    /// One entry for each task that was come to, in order: waves, prunes before creations.
    pub fn results(&self, plan: &Plan) -> Vec<ResourceResult> {
        let mut entries: Vec<_> = plan
            .tasks
            .iter()
            .zip(&self.tasks)
            .enumerate()
            .filter(|(_, (_, state))| state.status.is_some() || state.phase.is_some())
            .collect();
        entries.sort_by_key(|(index, (task, _))| {
            (!task.creates_namespace, task.phase, task.wave, !task.is_prune(), *index)
        });
        let current = entries
            .into_iter()
            .map(|(_, (task, state))| result(task, state.status, state.phase, &state.message));
        self.orphans.iter().cloned().chain(current).collect()
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.tasks.iter().any(|state| state.doing.is_some())
    }

    /// Records a task's result. An empty message keeps the one before.
    pub(crate) fn record(
        &mut self,
        index: usize,
        status: Option<ResultCode>,
        phase: Option<OperationPhase>,
        message: &str,
    ) {
        let state = &mut self.tasks[index];
        state.status = status;
        state.phase = phase;
        if !message.is_empty() {
            message.clone_into(&mut state.message);
        }
    }

    pub(crate) fn end(&mut self, index: usize, phase: OperationPhase, message: &str) {
        self.record(index, self.tasks[index].status, Some(phase), message);
    }

    pub(crate) fn is_present(&self, key: &ResourceKey) -> bool {
        matches!(self.seen.get(key), Some(Seen::Live(_) | Seen::Planned { .. }))
    }

    pub(crate) fn is_deleting(&self, key: &ResourceKey) -> bool {
        matches!(self.seen.get(key), Some(Seen::Live(state)) if state.deleting)
    }

    pub(crate) fn is_established(&self, key: &ResourceKey) -> bool {
        matches!(self.seen.get(key), Some(Seen::Live(state)) if state.established)
    }

    pub(crate) fn uid(&self, key: &ResourceKey) -> String {
        match self.seen.get(key) {
            Some(Seen::Live(state)) => state.uid.clone(),
            Some(Seen::Planned { uid }) => uid.clone(),
            _ => String::new(),
        }
    }

    /// Takes note of an event.
    pub(crate) fn absorb(&mut self, plan: &Plan, event: Event, now: Timestamp) {
        match event {
            Event::Result { task, result } => self.absorb_result(plan, task.0, result, now),
            // An application's events may be about more than its operation.
            Event::Live { key, .. } | Event::Gone { key, .. }
                if !plan.tasks.iter().any(|task| task.key == key) => {}
            Event::Live { key, state } => {
                if !self.is_stale(plan, &key, &state) {
                    self.seen.insert(key, Seen::Live(state));
                }
            }
            Event::Gone { key, uid } => {
                let known = self.uid(&key);
                if known.is_empty() || uid.is_empty() || known == uid {
                    self.seen.insert(key, Seen::Gone);
                }
            }
            Event::Missed => self.last_read = Timestamp::MIN,
            Event::PruneConfirmed => self.prune_confirmed = true,
            Event::Terminate { cause } => {
                let stoppable = !matches!(
                    self.stage,
                    Stage::Done { .. } | Stage::Finishing { .. } | Stage::Terminating { .. }
                );
                if stoppable {
                    self.stage = Stage::Terminating { cause };
                }
            }
            Event::Supersede { revision } => {
                if self.waits_only_for_health(plan) {
                    let message = format!("Operation superseded by {revision}");
                    self.stage = Stage::Finishing { phase: OperationPhase::Failed, message };
                }
            }
            Event::Tick => {}
        }
    }

    /// Whether a watch event is older than what an apply answered.
    fn is_stale(&self, plan: &Plan, key: &ResourceKey, state: &LiveState) -> bool {
        let known = self.uid(key);
        plan.tasks.iter().zip(&self.tasks).any(|(task, of_task)| {
            let Some(applied) = of_task.applied.as_ref().filter(|_| task.key == *key) else { return false };
            let older = state.uid == applied.uid && state.generation < applied.generation;
            // Of the object that was deleted to make room for this one. A successor is seen after this one went.
            let former = state.uid != applied.uid && !applied.uid.is_empty() && known == applied.uid;
            older || former
        })
    }

    fn absorb_result(&mut self, plan: &Plan, index: usize, result: Result<Success, Failure>, now: Timestamp) {
        let (Some(task), Some(state)) = (plan.tasks.get(index), self.tasks.get_mut(index)) else { return };
        let Some(doing) = state.doing.take() else { return };
        // What a dry run answers is not there: its uid is nobody's.
        if let Ok(Success { state: Some(live), .. }) = &result
            && doing != Doing::DryRun
        {
            self.seen.insert(task.key.clone(), Seen::Live(live.clone()));
        }
        match doing {
            Doing::DryRun => self.absorb_dry_run(plan, index, result),
            Doing::Apply => self.absorb_apply(task, index, result, now),
            Doing::Prune => self.absorb_prune(task, index, result),
            Doing::Unfinalize => {
                self.tasks[index].unfinalized = true;
                if let Err(failure) = result {
                    self.aborted = true;
                    self.end(
                        index,
                        OperationPhase::Error,
                        &format!("failed to remove hook finalizer: {failure}"),
                    );
                }
            }
            Doing::Recreate => {
                if let Some(failure) = self.absorb_deletion(task, result) {
                    self.aborted = true;
                    self.end(index, OperationPhase::Error, &format!("failed to delete resource: {failure}"));
                }
            }
            Doing::Release => {
                self.tasks[index].released = true;
                if let Err(failure) = result.map_err(|failure| failure.message) {
                    self.stop_errors = true;
                    self.end(
                        index,
                        OperationPhase::Error,
                        &format!("Failed to remove hook finalizer: {failure}"),
                    );
                }
            }
            Doing::Remove => {
                self.tasks[index].removed = true;
                if let Some(failure) = self.absorb_deletion(task, result) {
                    let stopping = matches!(self.stage, Stage::Terminating { .. });
                    self.stop_errors = true;
                    if stopping {
                        self.end(index, OperationPhase::Failed, &format!("Failed to delete: {failure}"));
                    } else {
                        self.end(
                            index,
                            OperationPhase::Error,
                            &format!("failed to delete resource: {failure}"),
                        );
                    }
                }
            }
            Doing::Read => {
                if matches!(&result, Ok(Success { state: None, .. }))
                    || matches!(&result, Err(failure) if failure.kind == FailureKind::NotFound)
                {
                    self.seen.insert(task.key.clone(), Seen::Gone);
                }
                self.tasks[index].unread &= result.is_err() && self.is_present(&task.key);
                self.tasks[index].reread = true;
            }
        }
    }

    fn absorb_dry_run(&mut self, plan: &Plan, index: usize, result: Result<Success, Failure>) {
        self.tasks[index].validated = true;
        match result {
            // Admission looks up what this very sync is going to make.
            Err(failure) if lacks_what_comes(plan, &failure) && !plan.dry_run => {}
            Err(failure) => {
                self.record(
                    index,
                    Some(ResultCode::SyncFailed),
                    Some(OperationPhase::Failed),
                    &failure.message,
                );
            }
            Ok(success) if plan.dry_run => {
                let message = message::outcome(&plan.tasks[index], &success.outcome, true);
                self.record(index, Some(ResultCode::Synced), Some(OperationPhase::Succeeded), &message);
            }
            Ok(_) => {}
        }
    }

    fn absorb_apply(&mut self, task: &Task, index: usize, result: Result<Success, Failure>, now: Timestamp) {
        match result {
            Err(failure) => {
                self.record(
                    index,
                    Some(ResultCode::SyncFailed),
                    Some(OperationPhase::Failed),
                    &failure.message,
                );
            }
            Ok(success) => {
                let message = message::outcome(task, &success.outcome, false);
                self.record(index, Some(ResultCode::Synced), Some(OperationPhase::Running), &message);
                if success.state.is_none() {
                    self.seen.insert(task.key.clone(), Seen::Planned { uid: String::new() });
                }
                // That it is so already may be the doing of whoever was stopped before the result was recorded.
                let changed_at =
                    if success.outcome == Outcome::Unchanged { self.restored_at } else { Some(now) };
                let state = &mut self.tasks[index];
                state.unread = success.state.is_none();
                state.applied = Some(Applied {
                    at: now,
                    uid: success.state.as_ref().map(|live| live.uid.clone()).unwrap_or_default(),
                    generation: success.state.as_ref().map_or(0, |live| live.generation),
                    changed_at,
                });
            }
        }
    }

    fn absorb_prune(&mut self, task: &Task, index: usize, result: Result<Success, Failure>) {
        if let Ok(Success { outcome: Outcome::Kept(reason), .. }) = result {
            self.record(index, Some(ResultCode::PruneSkipped), Some(OperationPhase::Succeeded), reason);
            return;
        }
        match self.absorb_deletion(task, result) {
            Some(failure) => {
                self.aborted = true;
                self.record(index, Some(ResultCode::SyncFailed), Some(OperationPhase::Failed), &failure);
            }
            None => self.record(index, Some(ResultCode::Pruned), Some(OperationPhase::Succeeded), "pruned"),
        }
    }

    /// Takes note of a deletion's answer; gives the message of one that failed. What is not there is deleted.
    fn absorb_deletion(&mut self, task: &Task, result: Result<Success, Failure>) -> Option<String> {
        match result {
            Ok(Success { state: Some(live), .. }) => {
                self.seen.insert(task.key.clone(), Seen::Live(LiveState { deleting: true, ..live }));
                None
            }
            Ok(_) => {
                self.seen.insert(task.key.clone(), Seen::Gone);
                None
            }
            Err(failure) if failure.kind == FailureKind::NotFound => {
                self.seen.insert(task.key.clone(), Seen::Gone);
                None
            }
            Err(failure) => Some(failure.message),
        }
    }

    /// What became of a running task, as far as is known.
    pub(crate) fn verdict(&self, plan: &Plan, index: usize, now: Timestamp) -> Verdict {
        let (task, state) = (&plan.tasks[index], &self.tasks[index]);
        let waiting = Verdict::Running { message: String::new() };
        let live = match self.seen.get(&task.key) {
            Some(Seen::Live(live)) if !state.unread => live,
            Some(Seen::Gone) => return Verdict::Missing,
            _ => return waiting,
        };
        let ended = |phase| {
            let message = live.health.as_ref().map(|health| health.message.clone()).unwrap_or_default();
            Verdict::Ended { phase, message }
        };
        let Some(health) = &live.health else {
            let message = if task.is_hook() { format!("{} created", task.key.name) } else { String::new() };
            return Verdict::Ended { phase: OperationPhase::Succeeded, message };
        };
        if task.is_hook() {
            return match health.status {
                HealthStatusCode::Unknown | HealthStatusCode::Degraded => ended(OperationPhase::Failed),
                HealthStatusCode::Progressing | HealthStatusCode::Suspended if live.deleting => {
                    Verdict::Missing
                }
                HealthStatusCode::Progressing | HealthStatusCode::Suspended => {
                    Verdict::Running { message: health.message.clone() }
                }
                HealthStatusCode::Healthy | HealthStatusCode::Missing => ended(OperationPhase::Succeeded),
            };
        }
        if live.observed_generation.is_some_and(|observed| observed < live.generation) {
            return waiting;
        }
        if let Some(until) = self.settles_at(plan, task, state, live).filter(|until| now < *until) {
            return Verdict::Settling { until };
        }
        match health.status {
            HealthStatusCode::Healthy => ended(OperationPhase::Succeeded),
            HealthStatusCode::Degraded => ended(OperationPhase::Failed),
            _ => waiting,
        }
    }

    /// A custom resource whose controller does not say which generation its status is about gets some time.
    fn settles_at(&self, plan: &Plan, task: &Task, state: &TaskState, live: &LiveState) -> Option<Timestamp> {
        let changed_at = state.applied.as_ref()?.changed_at?;
        let custom = task.gvk.group.contains('.') && !task.gvk.group.ends_with(".k8s.io");
        (custom && live.generation > 0 && live.observed_generation.is_none())
            .then(|| changed_at.checked_add(plan.settle).unwrap_or(changed_at))
    }

    /// The prunes that wait for a user.
    pub(crate) fn unconfirmed<'a>(&self, plan: &'a Plan, group: &[usize]) -> Vec<&'a Task> {
        let asks = |task: &&Task| task.prune == Some(Prune::Confirm);
        if self.prune_confirmed {
            return Vec::new();
        }
        group
            .iter()
            .filter(|index| self.tasks[**index].phase.is_none())
            .map(|index| &plan.tasks[*index])
            .filter(asks)
            .collect()
    }
}
