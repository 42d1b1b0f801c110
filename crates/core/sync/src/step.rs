//! The state machine.
//!
//! | stage | does | then |
//! | --- | --- | --- |
//! | start | – | namespace, or validating |
//! | namespace | makes the destination's namespace | validating; failed → finishing |
//! | validating | dry-runs every task at once | running; failed, or a dry-run was all → finishing |
//! | running | wave by wave: prune, create, wait for hooks and health | finishing; failed → failing |
//! | failing | `SyncFail` hooks; waits for running hooks | finishing |
//! | finishing | deletes hooks by policy | done |
//! | terminating | stops hooks; entered from any stage before finishing | done |

use crate::event::{Effect, Event};
use crate::message::{Wait, failed, waiting};
use crate::plan::Plan;
use crate::progress::{Doing, Progress, Stage, Verdict};
use crate::task::{Prune, Task};
use crate::wave::{Group, Out, run_group};
use api::codes::{OperationPhase, ResultCode, SyncPhase};
use jiff::{SignedDuration, Timestamp};

/// How often awaited objects are read, in case an event was missed.
const RECHECK: SignedDuration = SignedDuration::from_secs(30);

const UNSUCCESSFUL: &str = "one or more synchronization tasks completed unsuccessfully";
const NOT_APPLIED: &str = "one or more objects failed to apply";

/// Takes an event and says what to do next. Once [`Effect::Done`] was sent, nothing follows.
pub fn step(plan: &Plan, mut progress: Progress, event: Event, now: Timestamp) -> (Progress, Vec<Effect>) {
    if progress.is_done() {
        return (progress, Vec::new());
    }
    progress.absorb(plan, event, now);
    let deadline = plan.timeout.and_then(|timeout| plan.started_at.checked_add(timeout).ok());
    if deadline.is_some_and(|deadline| deadline <= now) {
        let cause = Some("controller sync timeout".to_owned());
        progress.absorb(plan, Event::Terminate { cause }, now);
    }
    let mut out = Out::default();
    progress.waiting = false;
    while let Flow::Again = advance(plan, &mut progress, now, &mut out) {}
    if !progress.is_done() {
        if progress.waiting && !progress.is_busy() {
            recheck(plan, &mut progress, now, &mut out);
        }
        if let Some(deadline) = deadline.filter(|deadline| *deadline > now) {
            out.wake_at(deadline);
        }
        if let Some(at) = out.wake {
            out.effects.push(Effect::WakeAt(at));
        }
    }
    (progress, out.effects)
}

enum Flow {
    Again,
    Wait,
}

fn advance(plan: &Plan, progress: &mut Progress, now: Timestamp, out: &mut Out) -> Flow {
    if progress.is_busy() {
        return Flow::Wait;
    }
    match progress.stage.clone() {
        Stage::Start => start(plan, progress, out),
        Stage::Namespace => after_namespace(plan, progress),
        Stage::Validating => validate(plan, progress, out),
        Stage::Running => run(plan, progress, now, out),
        Stage::Failing { base } => fail(plan, progress, base, now, out),
        Stage::Finishing { phase, message } => finish(plan, progress, phase, message, out),
        Stage::Terminating { cause } => terminate(plan, progress, cause.as_deref(), now, out),
        Stage::Done { .. } => Flow::Wait,
    }
}

fn start(plan: &Plan, progress: &mut Progress, out: &mut Out) -> Flow {
    let namespace = plan
        .tasks
        .iter()
        .position(|task| task.creates_namespace)
        .filter(|index| !plan.dry_run && progress.tasks[*index].phase.is_none());
    if let Some(index) = namespace {
        out.start(plan, progress, index, Doing::Apply);
        progress.stage = Stage::Namespace;
        return Flow::Wait;
    }
    progress.stage = Stage::Validating;
    Flow::Again
}

fn after_namespace(plan: &Plan, progress: &mut Progress) -> Flow {
    let refused = failures(plan, progress, |task| task.creates_namespace);
    if refused.is_empty() {
        progress.stage = Stage::Validating;
    } else {
        let message = failed("the namespace failed to apply", refused.iter().map(String::as_str));
        end(progress, OperationPhase::Failed, message);
    }
    Flow::Again
}

fn validate(plan: &Plan, progress: &mut Progress, out: &mut Out) -> Flow {
    for (index, task) in plan.tasks.iter().enumerate() {
        let state = &progress.tasks[index];
        if state.validated || state.phase.is_some() {
            continue;
        }
        progress.tasks[index].validated = true;
        match &task.prune {
            Some(_) if !plan.dry_run => {}
            Some(Prune::Skip(reason)) => {
                progress.record(
                    index,
                    Some(ResultCode::PruneSkipped),
                    Some(OperationPhase::Succeeded),
                    reason,
                );
            }
            Some(Prune::Delete | Prune::Confirm) => {
                let message = "pruned (dry run)";
                progress.record(index, Some(ResultCode::Pruned), Some(OperationPhase::Succeeded), message);
            }
            None if task.skip_dry_run => {}
            None => out.start(plan, progress, index, Doing::DryRun),
        }
    }
    if progress.is_busy() {
        return Flow::Wait;
    }
    if progress.tasks.iter().any(|state| state.status == Some(ResultCode::SyncFailed)) {
        let refused = progress.tasks.iter().filter(|state| state.status == Some(ResultCode::SyncFailed));
        let reasons: Vec<String> = refused.map(|state| state.message.clone()).collect();
        let message = format!("{NOT_APPLIED} (dry run)");
        let message = failed(&message, reasons.iter().map(String::as_str));
        end(progress, OperationPhase::Failed, message);
    } else if plan.dry_run {
        end(progress, OperationPhase::Succeeded, "successfully synced (no more tasks)".into());
    } else {
        progress.stage = Stage::Running;
        progress.begun = true;
    }
    Flow::Again
}

fn run(plan: &Plan, progress: &mut Progress, now: Timestamp, out: &mut Out) -> Flow {
    if read_restored(plan, progress, out) {
        return Flow::Wait;
    }
    if let Some(place) = progress.current {
        return run_wave(plan, progress, place, now, out);
    }
    judge(plan, progress, now, out);
    let refused =
        indices(plan, |index, task| task.phase != SyncPhase::SyncFail && is_failed(progress, index));
    if !refused.is_empty() {
        // What is told of a failure comes after the hooks that were under way, as in the original.
        let hooks = indices(plan, |index, task| task.is_hook() && is_running(progress, index));
        if !hooks.is_empty() {
            return wait_for(plan, progress, &hooks, Wait::Completion);
        }
        progress.stage = Stage::Failing { base: UNSUCCESSFUL };
        return Flow::Again;
    }
    let awaited = indices(plan, |index, task| {
        (plan.multi_step || task.is_hook()) && is_running(progress, index) && !task.creates_namespace
    });
    if !awaited.is_empty() {
        return wait_for(plan, progress, &awaited, Wait::Completion);
    }
    let going = indices(plan, |index, task| {
        progress.tasks[index].status == Some(ResultCode::Pruned) && progress.is_deleting(&task.key)
    });
    if !going.is_empty() {
        return wait_for(plan, progress, &going, Wait::Deletion);
    }
    if release_hooks(plan, progress, out) {
        return Flow::Wait;
    }
    next_wave(plan, progress)
}

fn next_wave(plan: &Plan, progress: &mut Progress) -> Flow {
    let next = plan
        .tasks
        .iter()
        .zip(&progress.tasks)
        .find(|(task, state)| task.phase != SyncPhase::SyncFail && state.phase.is_none());
    match next {
        Some((task, _)) => progress.current = Some((task.phase, task.wave)),
        None => end(progress, OperationPhase::Succeeded, "successfully synced (no more tasks)".into()),
    }
    Flow::Again
}

fn run_wave(
    plan: &Plan,
    progress: &mut Progress,
    place: (SyncPhase, i64),
    now: Timestamp,
    out: &mut Out,
) -> Flow {
    let group = indices(plan, |_, task| (task.phase, task.wave) == place);
    if run_group(plan, progress, &group, now, out) == Group::Wait {
        return Flow::Wait;
    }
    progress.current = None;
    let refused = progress.aborted || group.iter().any(|index| is_failed(progress, *index));
    if refused {
        let others = group.iter().any(|index| {
            let applied = progress.tasks[*index].status == Some(ResultCode::Synced);
            applied && progress.tasks[*index].phase.is_some()
        });
        let hooks = plan.tasks.iter().any(|task| task.phase == SyncPhase::SyncFail);
        let base = if others || hooks { UNSUCCESSFUL } else { NOT_APPLIED };
        progress.aborted = false;
        judge(plan, progress, now, out);
        progress.stage = Stage::Failing { base };
        return Flow::Again;
    }
    let left = plan
        .tasks
        .iter()
        .zip(&progress.tasks)
        .any(|(task, state)| task.phase != SyncPhase::SyncFail && state.phase.is_none());
    // What was applied last is not waited for: a sync without hooks and waves is an apply.
    if !left && !group.iter().any(|index| plan.tasks[*index].is_hook()) {
        end(progress, OperationPhase::Succeeded, "successfully synced (all tasks run)".into());
    }
    Flow::Again
}

/// Runs the `SyncFail` hooks while hooks that are under way end, then gives up.
fn fail(plan: &Plan, progress: &mut Progress, base: &'static str, now: Timestamp, out: &mut Out) -> Flow {
    if read_restored(plan, progress, out) {
        return Flow::Wait;
    }
    judge(plan, progress, now, out);
    let group = indices(plan, |_, task| task.phase == SyncPhase::SyncFail);
    if run_group(plan, progress, &group, now, out) == Group::Wait {
        return Flow::Wait;
    }
    judge(plan, progress, now, out);
    let running = indices(plan, |index, task| task.is_hook() && is_running(progress, index));
    if !running.is_empty() {
        return wait_for(plan, progress, &running, Wait::Completion);
    }
    if release_hooks(plan, progress, out) {
        return Flow::Wait;
    }
    let refused = failures(plan, progress, |task| task.phase != SyncPhase::SyncFail);
    let mut message = failed(base, refused.iter().map(String::as_str));
    let refused = failures(plan, progress, |task| task.phase == SyncPhase::SyncFail);
    if !refused.is_empty() {
        let hooks = failed("one or more SyncFail hooks failed", refused.iter().map(String::as_str));
        message = format!("{message}\n{hooks}");
    }
    end(progress, OperationPhase::Failed, message);
    Flow::Again
}

/// Deletes hooks whose policy says so: those of this operation, and what earlier ones left of those it did not come to,
/// as a `SyncFail` hook of a sync that went well. What was refused before anything was done leaves everything as it is.
fn finish(
    plan: &Plan,
    progress: &mut Progress,
    phase: OperationPhase,
    message: String,
    out: &mut Out,
) -> Flow {
    if !plan.dry_run {
        let due = indices(plan, |index, task| {
            let policy = match phase {
                OperationPhase::Succeeded => task.delete_policies.succeeded,
                _ => task.delete_policies.failed,
            };
            let state = &progress.tasks[index];
            let left = progress.begun && state.phase.is_none() && task.own_live;
            task.is_hook()
                && policy
                && (is_ended(progress, index) || left)
                && !state.removed
                && progress.is_present(&task.key)
        });
        for index in due {
            let state = &progress.tasks[index];
            let held = state.phase.is_none() && !state.released && plan.tasks[index].is_held();
            out.start(plan, progress, index, if held { Doing::Release } else { Doing::Remove });
        }
    }
    if progress.is_busy() {
        return Flow::Wait;
    }
    done(progress, phase, message, out)
}

/// Stops running hooks: reads each once more, frees it, deletes it.
fn terminate(
    plan: &Plan,
    progress: &mut Progress,
    cause: Option<&str>,
    now: Timestamp,
    out: &mut Out,
) -> Flow {
    for index in indices(plan, |index, task| task.is_hook() && is_running(progress, index)) {
        let (task, state) = (&plan.tasks[index], &progress.tasks[index]);
        if !state.reread {
            out.start(plan, progress, index, Doing::Read);
            continue;
        }
        if !progress.is_present(&task.key) {
            // One that was running when this deleted it did not end by itself.
            let phase = if state.removed { OperationPhase::Failed } else { OperationPhase::Succeeded };
            let (phase, message) = state.ended.clone().unwrap_or((phase, "Terminated".into()));
            progress.end(index, phase, &message);
            continue;
        }
        let ended = match progress.verdict(plan, index, now) {
            Verdict::Ended { phase, message } => Some((phase, message)),
            _ => None,
        };
        if !state.released {
            out.start(plan, progress, index, Doing::Release);
        } else if (ended.is_none() || task.delete_policies.failed) && !state.removed {
            progress.tasks[index].ended = ended;
            out.start(plan, progress, index, Doing::Remove);
        } else if let Some((phase, message)) = ended {
            progress.end(index, phase, &message);
        } else {
            progress.end(index, OperationPhase::Failed, "Terminated");
        }
    }
    if progress.is_busy() || release_hooks(plan, progress, out) {
        return Flow::Wait;
    }
    if !indices(plan, |index, task| task.is_hook() && is_running(progress, index)).is_empty() {
        return Flow::Again;
    }
    let (phase, message) = match progress.stop_errors {
        false => (OperationPhase::Failed, "Operation terminated"),
        true => (OperationPhase::Error, "Operation termination had errors"),
    };
    let message = match cause {
        Some(cause) => format!("{message}, triggered by {cause}"),
        None => message.to_owned(),
    };
    done(progress, phase, message, out)
}

fn end(progress: &mut Progress, phase: OperationPhase, message: String) {
    progress.stage = Stage::Finishing { phase, message };
}

fn done(progress: &mut Progress, phase: OperationPhase, message: String, out: &mut Out) -> Flow {
    progress.stage = Stage::Done { phase };
    progress.message.clone_from(&message);
    out.effects.push(Effect::Done { phase, message });
    Flow::Wait
}

/// Reads what was running when the controller before this one stopped.
fn read_restored(plan: &Plan, progress: &mut Progress, out: &mut Out) -> bool {
    for index in indices(plan, |index, task| progress.tasks[index].unread && !task.creates_namespace) {
        if !progress.tasks[index].reread {
            out.start(plan, progress, index, Doing::Read);
        }
    }
    progress.is_busy()
}

/// Brings the results of running tasks up to date.
fn judge(plan: &Plan, progress: &mut Progress, now: Timestamp, out: &mut Out) {
    for index in indices(plan, |index, task| is_running(progress, index) && !task.creates_namespace) {
        let task = &plan.tasks[index];
        match progress.verdict(plan, index, now) {
            Verdict::Running { message } => progress.end(index, OperationPhase::Running, &message),
            Verdict::Settling { until } => out.wake_at(until),
            Verdict::Ended { phase, message } => progress.end(index, phase, &message),
            // Nobody waits for it: it went after the sync had made it, as any object may.
            Verdict::Missing if !plan.multi_step && !task.is_hook() => {}
            Verdict::Missing => {
                let message = format!("Resource {} is missing, it might have been deleted", task.label());
                progress.record(index, Some(ResultCode::SyncFailed), Some(OperationPhase::Error), &message);
            }
        }
    }
}

/// Takes the finalizer off hooks that have ended.
fn release_hooks(plan: &Plan, progress: &mut Progress, out: &mut Out) -> bool {
    let due = indices(plan, |index, task| {
        task.is_hook()
            && !plan.dry_run
            && is_ended(progress, index)
            && !progress.tasks[index].released
            && progress.is_present(&task.key)
    });
    for index in due {
        out.start(plan, progress, index, Doing::Release);
    }
    progress.is_busy()
}

fn wait_for(plan: &Plan, progress: &mut Progress, awaited: &[usize], wait: Wait) -> Flow {
    let tasks: Vec<&Task> = awaited.iter().map(|index| &plan.tasks[*index]).collect();
    progress.message = waiting(&tasks, wait);
    progress.waiting = true;
    Flow::Wait
}

/// Reads awaited objects now and then: an event that was missed delays an operation, but does not stop it.
fn recheck(plan: &Plan, progress: &mut Progress, now: Timestamp, out: &mut Out) {
    let due = progress.last_read.checked_add(RECHECK).unwrap_or(now);
    if now < due {
        out.wake_at(due);
        return;
    }
    progress.last_read = now;
    let awaited = indices(plan, |index, task| {
        let state = &progress.tasks[index];
        let going = state.recreating && state.phase.is_none()
            || state.status == Some(ResultCode::Pruned) && progress.is_deleting(&task.key);
        going || is_running(progress, index) || (task.is_crd() && state.applied.is_some())
    });
    for index in awaited {
        out.start(plan, progress, index, Doing::Read);
    }
    out.wake_at(now.checked_add(RECHECK).unwrap_or(now));
}

fn indices(plan: &Plan, wanted: impl Fn(usize, &Task) -> bool) -> Vec<usize> {
    plan.tasks
        .iter()
        .enumerate()
        .filter(|(index, task)| wanted(*index, task))
        .map(|(index, _)| index)
        .collect()
}

fn is_running(progress: &Progress, index: usize) -> bool {
    progress.tasks[index].phase == Some(OperationPhase::Running)
}

fn is_ended(progress: &Progress, index: usize) -> bool {
    progress.tasks[index].phase.is_some_and(OperationPhase::is_completed)
}

fn is_failed(progress: &Progress, index: usize) -> bool {
    progress.tasks[index].phase.is_some_and(|phase| phase.is_completed() && !phase.is_successful())
}

/// Messages of tasks that could not be synced.
fn failures(plan: &Plan, progress: &Progress, wanted: impl Fn(&Task) -> bool) -> Vec<String> {
    plan.tasks
        .iter()
        .zip(&progress.tasks)
        .filter(|(task, state)| wanted(task) && state.status == Some(ResultCode::SyncFailed))
        .map(|(_, state)| state.message.clone())
        .collect()
}
