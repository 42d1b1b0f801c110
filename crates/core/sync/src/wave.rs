//! The tasks of one wave: leftovers of earlier syncs first, then prunes, then creations kind by kind.

use crate::event::Effect;
use crate::message::{Wait, confirmation, waiting};
use crate::plan::Plan;
use crate::progress::{Doing, Progress};
use crate::task::{Prune, Task, TaskId};
use api::codes::{OperationPhase, ResultCode};
use jiff::{SignedDuration, Timestamp};

/// How long the first custom resources wait for their CRD to be served, as in the original.
const CRD_DEADLINE: SignedDuration = SignedDuration::from_secs(3);

/// Effects to send, and the next time at which something is due.
#[derive(Default)]
pub(crate) struct Out {
    pub(crate) effects: Vec<Effect>,
    pub(crate) wake: Option<Timestamp>,
}

impl Out {
    pub(crate) fn wake_at(&mut self, at: Timestamp) {
        self.wake = Some(self.wake.map_or(at, |known| known.min(at)));
    }

    /// Starts an effect of a task.
    pub(crate) fn start(&mut self, plan: &Plan, progress: &mut Progress, index: usize, doing: Doing) {
        let task = TaskId(index);
        let Task { key, gvk, .. } = &plan.tasks[index];
        let (key, gvk) = (key.clone(), gvk.clone());
        let effect = match doing {
            Doing::DryRun => Effect::DryRun { task },
            Doing::Apply => Effect::Apply { task },
            Doing::Unfinalize | Doing::Release => Effect::RemoveHookFinalizer { task, key, gvk },
            Doing::Read => Effect::Read { task, key, gvk },
            Doing::Prune | Doing::Recreate | Doing::Remove => {
                // Only what was judged extraneous is pruned, not what has taken its name since.
                let planned = plan.tasks[index].live.as_ref().filter(|_| doing == Doing::Prune);
                let uid = planned.map_or_else(|| progress.uid(&key), |live| live.uid().to_owned());
                Effect::Delete { task, key, gvk, uid, propagation: plan.propagation }
            }
        };
        progress.tasks[index].doing = Some(doing);
        self.effects.push(effect);
    }
}

/// Whether a group of tasks was come through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// An effect is under way, or something is waited for.
    Wait,
    /// Each task was come to, or what comes before failed.
    Through,
}

/// Brings a group of tasks forward.
pub(crate) fn run_group(
    plan: &Plan,
    progress: &mut Progress,
    group: &[usize],
    now: Timestamp,
    out: &mut Out,
) -> Group {
    if progress.is_busy() {
        return Group::Wait;
    }
    if progress.aborted {
        return Group::Through;
    }
    let pending: Vec<usize> =
        group.iter().copied().filter(|index| progress.tasks[*index].phase.is_none()).collect();
    if pending.is_empty() {
        return Group::Through;
    }
    if unfinalize(plan, progress, &pending, out) || prune(plan, progress, &pending, out) {
        return Group::Wait;
    }
    let pending: Vec<usize> =
        pending.into_iter().filter(|index| progress.tasks[*index].phase.is_none()).collect();
    if recreate(plan, progress, &pending, out) {
        return Group::Wait;
    }
    if pending.is_empty() {
        return Group::Through;
    }
    if waits_for_crd(plan, progress, group, &pending, now, out) {
        return Group::Wait;
    }
    let kind = &plan.tasks[pending[0]].gvk.kind;
    for index in pending.iter().copied().take_while(|index| plan.tasks[*index].gvk.kind == *kind) {
        out.start(plan, progress, index, Doing::Apply);
    }
    "one or more tasks are running".clone_into(&mut progress.message);
    Group::Wait
}

/// Takes the finalizers of an earlier sync off hooks that are to run again.
fn unfinalize(plan: &Plan, progress: &mut Progress, pending: &[usize], out: &mut Out) -> bool {
    for &index in pending {
        let task = &plan.tasks[index];
        if task.is_hook()
            && task.is_held()
            && !progress.tasks[index].unfinalized
            && progress.is_present(&task.key)
        {
            out.start(plan, progress, index, Doing::Unfinalize);
        }
    }
    progress.is_busy()
}

fn prune(plan: &Plan, progress: &mut Progress, pending: &[usize], out: &mut Out) -> bool {
    let unconfirmed = progress.unconfirmed(plan, pending);
    if !unconfirmed.is_empty() {
        progress.message = confirmation(&unconfirmed);
        progress.waiting = true;
        return true;
    }
    for &index in pending {
        let task = &plan.tasks[index];
        match &task.prune {
            Some(Prune::Skip(reason)) => {
                progress.record(
                    index,
                    Some(ResultCode::PruneSkipped),
                    Some(OperationPhase::Succeeded),
                    reason,
                );
            }
            // Going already, or gone: asking again would only make an event.
            Some(_) if !progress.is_present(&task.key) || is_going(task, progress) => {
                progress.record(index, Some(ResultCode::Pruned), Some(OperationPhase::Succeeded), "pruned");
            }
            Some(_) => out.start(plan, progress, index, Doing::Prune),
            None => {}
        }
    }
    progress.is_busy()
}

fn is_going(task: &Task, progress: &Progress) -> bool {
    progress.is_deleting(&task.key)
        || task.live.as_ref().is_some_and(|live| !live.deletion_timestamp().is_empty())
}

/// Deletes hooks' objects of earlier syncs, and waits until they are gone.
fn recreate(plan: &Plan, progress: &mut Progress, pending: &[usize], out: &mut Out) -> bool {
    let old: Vec<usize> = pending
        .iter()
        .copied()
        .filter(|index| plan.tasks[*index].delete_policies.before_creation)
        .filter(|index| progress.is_present(&plan.tasks[*index].key))
        .collect();
    for &index in old.iter().filter(|index| !progress.tasks[**index].recreating).collect::<Vec<_>>() {
        progress.tasks[index].recreating = true;
        out.start(plan, progress, index, Doing::Recreate);
    }
    if !old.is_empty() {
        let tasks: Vec<&Task> = old.iter().map(|index| &plan.tasks[*index]).collect();
        progress.message = waiting(&tasks, Wait::Deletion);
        progress.waiting = true;
    }
    !old.is_empty()
}

/// Custom resources of the same wave wait for their CRDs; after a while they are tried anyway.
fn waits_for_crd(
    plan: &Plan,
    progress: &mut Progress,
    group: &[usize],
    pending: &[usize],
    now: Timestamp,
    out: &mut Out,
) -> bool {
    if pending.iter().any(|index| plan.tasks[*index].is_crd()) {
        return false;
    }
    let mut waits = false;
    for &index in group {
        let (task, state) = (&plan.tasks[index], &progress.tasks[index]);
        let Some(applied) = state.applied.as_ref().filter(|_| task.is_crd()) else { continue };
        let until = applied.at.checked_add(CRD_DEADLINE).unwrap_or(applied.at);
        if now < until && !progress.is_established(&task.key) {
            out.wake_at(until);
            waits = true;
        }
    }
    if waits {
        progress.waiting = true;
    }
    waits
}
