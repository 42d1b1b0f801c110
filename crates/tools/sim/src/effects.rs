//! Doing at the API server what an operation asks for, as the service does it.

use crate::api_server::Writing;
use crate::world::World;
use api::names::HOOK_FINALIZER;
use object::Object;
use sync::{Effect, Event, Failure, FailureKind, Outcome, Plan, Success, TaskId};

impl World {
    /// The effects that can be done now, by position.
    pub(crate) fn doable(&self) -> Vec<usize> {
        let Some(running) = &self.controller.operation else { return Vec::new() };
        let Some(run) = &running.run else { return Vec::new() };
        let open = self.operation_window_is_open() || running.told.stopping;
        let waits = run.flights.iter().enumerate().filter(|(_, flight)| {
            flight.answer.is_none()
                && (open || !matches!(flight.effect, Effect::Apply { .. } | Effect::Delete { .. }))
        });
        waits.map(|(index, _)| index).collect()
    }

    /// Whether a write waits for sync windows.
    pub(crate) fn holds_writes(&self) -> bool {
        let Some(running) = &self.controller.operation else { return false };
        let flights = running.run.iter().flat_map(|run| &run.flights);
        let mut writes = flights.filter(|flight| {
            flight.answer.is_none() && matches!(flight.effect, Effect::Apply { .. } | Effect::Delete { .. })
        });
        !running.told.stopping && writes.next().is_some() && !self.operation_window_is_open()
    }

    /// The answers that are on their way, by position.
    pub(crate) fn answered(&self) -> Vec<usize> {
        let run = self.controller.operation.as_ref().and_then(|running| running.run.as_ref());
        let flights = run.into_iter().flat_map(|run| run.flights.iter().enumerate());
        flights.filter(|(_, flight)| flight.answer.is_some()).map(|(index, _)| index).collect()
    }

    /// Whether windows let the operation write now.
    pub(crate) fn operation_window_is_open(&self) -> bool {
        let stored = self.controller.stored.as_ref();
        stored.is_none_or(|stored| project::windows::open(&self.given.project, stored, self.now).operation)
    }

    /// Does an effect; its answer is on its way then.
    pub(crate) fn perform(&mut self, index: usize) {
        let Some(mut running) = self.controller.operation.take() else { return };
        if let Some(run) = &mut running.run {
            let effect = run.flights[index].effect.clone();
            let answer = if self.controller_may(&effect, running.told.stopping) {
                self.tell(|_| describe(&run.plan, &effect));
                let permitted = self.still_writes(&running.application, &run.plan, &effect);
                match permitted.and_then(|()| self.kept(&run.plan, &effect)) {
                    Ok(None) => {
                        self.check_effect(&run.plan, &effect);
                        self.carry_out(&run.plan, &effect)
                    }
                    Ok(Some(reason)) => Ok(Success { outcome: Outcome::Kept(reason), state: None }),
                    Err(failure) => Err(failure),
                }
            } else {
                Err(Failure { message: "Operation terminated".into(), kind: FailureKind::Other })
            };
            let (Effect::DryRun { task }
            | Effect::Apply { task }
            | Effect::Delete { task, .. }
            | Effect::RemoveHookFinalizer { task, .. }
            | Effect::Read { task, .. }) = effect
            else {
                unreachable!("only effects about objects are sent")
            };
            run.flights[index].answer = Some(Event::Result { task, result: answer });
        }
        self.controller.operation = Some(running);
    }

    /// Why the object of a prune stays after all, by what is known of it now.
    pub(crate) fn kept(&self, plan: &Plan, effect: &Effect) -> Result<Option<&'static str>, Failure> {
        let Effect::Delete { task, key, uid, .. } = effect else { return Ok(None) };
        let task = &plan.tasks[task.0];
        if !task.is_prune() {
            return Ok(None);
        }
        let live = match self.controller.cache.known_live(key, self.given.tracking.method) {
            Some(known) => known,
            None => self.api.read(key)?,
        };
        let Some(mut live) = live.filter(|live| live.uid() == uid) else { return Ok(None) };
        // A prune is of the version that was judged: where that is another by now, it is judged again.
        if let Some(now) = self.api.objects.get(key).filter(|now| !self.api.down && now.uid() == uid) {
            live.clone_from(now);
        }
        let confirmed = self.notes.confirmed.is_some_and(|at| at.as_second() >= plan.started_at.as_second());
        let marks = (&self.given.instance, &self.given.tracking);
        Ok(compare::kept_from_pruning(&live, (plan, task), marks, confirmed))
    }

    fn controller_may(&self, effect: &Effect, stopping: bool) -> bool {
        let writes = matches!(effect, Effect::Apply { .. } | Effect::Delete { .. });
        !(writes && stopping && !self.operation_window_is_open())
    }

    /// Brings an answer to the operation.
    pub(crate) fn answer(&mut self, index: usize) {
        let Some(running) = &mut self.controller.operation else { return };
        let Some(run) = &mut running.run else { return };
        if let Some(event) = run.flights.remove(index).answer {
            running.inbox.push_back(event);
        }
    }

    pub(crate) fn carry_out(&mut self, plan: &Plan, effect: &Effect) -> Result<Success, Failure> {
        let now = self.now;
        let (outcome, object) = match effect {
            Effect::DryRun { task } => self.write(plan, *task, true)?,
            Effect::Apply { task } => self.write(plan, *task, false)?,
            Effect::Delete { key, uid, propagation, .. } => {
                self.controller_writes += 1;
                (Outcome::Deleted, self.api.delete(key, uid, *propagation, now)?)
            }
            Effect::RemoveHookFinalizer { key, .. } => {
                self.controller_writes += 1;
                self.api.unfinalize(key, HOOK_FINALIZER)?;
                (Outcome::Unfinalized, None)
            }
            Effect::Read { key, .. } => (Outcome::Read, self.api.read(key)?),
            Effect::WakeAt(_) | Effect::Done { .. } => unreachable!("only effects about objects are sent"),
        };
        let is_written = matches!(effect, Effect::Apply { .. } | Effect::Delete { .. });
        if let Some(object) = object.as_ref().filter(|_| is_written) {
            self.controller.cache.observe(object);
        }
        Ok(Success { outcome, state: object.map(|object| self.live_state(&object)) })
    }

    fn write(
        &mut self,
        plan: &Plan,
        id: TaskId,
        pretend: bool,
    ) -> Result<(Outcome, Option<Object>), Failure> {
        let task = &plan.tasks[id.0];
        let Some(target) = &task.target else { unreachable!("a prune has nothing to apply") };
        if !pretend {
            self.controller_writes += 1;
        }
        let how = Writing { write: &task.write, dry_run: pretend };
        let applied = self.api.apply(target, how, self.now);
        if let (Ok((_, object)), false) = (&applied, pretend) {
            self.check_respected(task, object);
            self.check_made_anew(task, object);
        }
        match applied {
            Err(failure) if pretend && comes_with_the_plan(plan, target, &failure) => {
                Ok((Outcome::Unchanged, None))
            }
            Err(failure) if pretend && is_in_the_way(&failure) && plan.may_have_room(id) => {
                Ok((Outcome::Unchanged, None))
            }
            other => other.map(|(outcome, object)| (outcome, Some(object))),
        }
    }
}

/// Whether a write is refused only because of what is there now.
fn is_in_the_way(failure: &Failure) -> bool {
    failure.message.contains("immutable") || failure.message.contains("already exists")
}

fn comes_with_the_plan(plan: &Plan, target: &Object, failure: &Failure) -> bool {
    let comes = plan.tasks.iter().any(|task| {
        task.gvk.kind == "Namespace" && task.target.is_some() && task.key.name == target.namespace()
    });
    failure.kind == FailureKind::NotFound && comes
}

/// An effect in a word, for the trace.
fn describe(plan: &Plan, effect: &Effect) -> String {
    match effect {
        Effect::DryRun { task } => format!("dry-run {}", plan.tasks[task.0].key),
        Effect::Apply { task } => format!("apply {} {:?}", plan.tasks[task.0].key, plan.tasks[task.0].write),
        Effect::Delete { key, uid, .. } => format!("delete {key} uid {uid:?}"),
        Effect::RemoveHookFinalizer { key, .. } => format!("release {key}"),
        Effect::Read { key, .. } => format!("read {key}"),
        other => format!("{other:?}"),
    }
}
