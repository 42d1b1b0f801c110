//! Working on one operation, a step at a time, in the order the service takes them.

use crate::comparing::unknown;
use crate::controller::{Flight, Run, Running, Start};
use crate::hub::Refused;
use crate::world::World;
use api::codes::OperationPhase;
use api::v1alpha1::{Application, ApplicationStatus, OperationState};
use jiff::{SignedDuration, Timestamp};
use object::{GroupVersionKind, Object, ResourceKey};
use reconcile::{CompareWith, Ended, RefreshCause, RunningOperation, conclude};
use sync::{
    Effect, Event, Health, Input, KindFact, LiveState, NamespaceFact, Plan, PlanError, Progress, SyncOptions,
    plan, step,
};

const WRITE_EVERY: SignedDuration = SignedDuration::from_secs(1);

impl World {
    /// Begins to work on an operation.
    pub(crate) fn operate(&mut self, application: Application, state: OperationState, start: Start) {
        self.note_attempt(&state, start);
        self.controller.operation = Some(Running {
            application,
            state,
            start,
            loaded: None,
            run: None,
            inbox: std::collections::VecDeque::new(),
            wake: None,
            told: RunningOperation { waits_only_for_health: false, stopping: false, confirmed: false },
            ended: None,
            terminated: false,
            dirty: false,
            written: Timestamp::MIN,
        });
    }

    /// Whether the operation can go on now.
    pub(crate) fn can_operate(&self) -> bool {
        let Some(running) = &self.controller.operation else { return false };
        let due = |at: Option<Timestamp>| at.is_some_and(|at| at <= self.now);
        let flush = running.dirty.then(|| running.written.saturating_add(WRITE_EVERY).unwrap_or(self.now));
        running.ended.is_some()
            || running.run.is_none()
            || !running.inbox.is_empty()
            || due(running.wake)
            || due(flush)
    }

    /// When the operation goes on by itself.
    pub(crate) fn operation_timer(&self) -> Option<Timestamp> {
        let running = self.controller.operation.as_ref()?;
        let flush = running.dirty.then(|| running.written.saturating_add(WRITE_EVERY).unwrap_or(self.now));
        // What is held asks again when the windows change.
        let changes = self
            .controller
            .stored
            .as_ref()
            .filter(|_| self.holds_writes())
            .and_then(|stored| project::windows::open(&self.given.project, stored, self.now).changes_at);
        running.wake.into_iter().chain(flush).chain(changes).min()
    }

    /// Takes the next step of the operation.
    pub(crate) fn go_on_operating(&mut self) {
        let Some(mut running) = self.controller.operation.take() else { return };
        if running.ended.is_some() {
            self.conclude(running);
            return;
        }
        if running.run.is_some() {
            self.run_on(&mut running);
        } else if let Some(loaded) = running.loaded.take() {
            if let Err((phase, message)) = self.begin_run(&mut running, loaded) {
                let state = running.state.clone();
                running.ended = Some(Ended { phase, message, terminated: false, state });
            }
        } else if let Some(message) = self.refusal(&running.application) {
            let (phase, state) = (OperationPhase::Failed, running.state.clone());
            running.ended = Some(Ended { phase, message, terminated: false, state });
        } else {
            let sync = running.state.operation.sync.clone().unwrap_or_default();
            let recorded = reconcile::recorded(&running.state).filter(|_| running.start == Start::Resume);
            let revisions =
                recorded.map_or_else(|| reconcile::operation_revisions(&sync), |(_, revisions)| revisions);
            running.loaded = Some(self.load(&revisions));
        }
        self.controller.operation = Some(running);
    }

    fn begin_run(
        &mut self,
        running: &mut Running,
        loaded: crate::comparing::Loaded,
    ) -> Result<(), (OperationPhase, String)> {
        let operation = running.state.operation.sync.clone().unwrap_or_default();
        let sources = reconcile::operation_sources(&running.application, &operation);
        let compared = match &loaded.objects {
            Err(reason) if self.api.down => unknown(reason, self.now),
            _ => self.compare(&running.application, loaded),
        };
        reconcile::settle_result(&mut running.state, &running.application, &sources, &compared.revisions);
        if compared.comparison.failed {
            let texts: Vec<&str> = compared.conditions.iter().map(|it| it.message.as_str()).collect();
            return Err((OperationPhase::Error, texts.join(";")));
        }
        let plan = match self.plan(running, &compared) {
            Ok(plan) => plan,
            Err(error) => {
                if let Some(result) = &mut running.state.sync_result {
                    result.resources = error.results();
                }
                return Err((error.phase(), error.to_string()));
            }
        };
        let progress = match (running.start, &running.state.sync_result) {
            (Start::Resume, Some(result)) => {
                Progress::restore(&plan, &result.resources, running.state.retry_count, self.now)
            }
            _ => Progress::new(&plan, self.now),
        };
        self.check_plan(&plan, running);
        running.run = Some(Box::new(Run { plan, progress: Some(progress), flights: Vec::new() }));
        running.inbox.push_front(Event::Tick);
        Ok(())
    }

    fn plan(&self, running: &Running, compared: &crate::comparing::Compared) -> Result<Plan, PlanError> {
        let application = &running.application;
        let operation = running.state.operation.sync.clone().unwrap_or_default();
        let options = SyncOptions::parse(&operation.sync_options);
        let namespace = application.spec.destination.namespace.as_str();
        let namespace_fact = if options.create_namespace {
            match self.api.read(&ResourceKey::new("", "Namespace", "", namespace)) {
                Ok(Some(live)) => NamespaceFact::Live(Box::new(live)),
                Ok(None) => NamespaceFact::Missing,
                Err(failure) => NamespaceFact::Unreadable(failure.message),
            }
        } else {
            NamespaceFact::NotAsked
        };
        let started_at = running.state.started_at.timestamp().unwrap_or(self.now);
        let kinds = |gvk: &GroupVersionKind| match self.api.serves(gvk) {
            Some(namespaced) => KindFact::Served { namespaced },
            None => KindFact::NotServed { group: false, instead: None },
        };
        let respected = match self.given.diff_options(application) {
            Ok(options) if SyncOptions::parse(&operation.sync_options).respect_ignore_differences => {
                compared.comparison.sync_resources_respecting(&options).ok().flatten()
            }
            _ => compared.comparison.sync_resources(),
        };
        let resources = respected.unwrap_or_default();
        let permit = |object: &Object, namespaced: bool| self.permit(object, namespaced);
        let recorded = running.state.sync_result.as_ref().filter(|_| running.start == Start::Resume);
        plan(Input {
            resources,
            hooks: compared.comparison.hooks.clone(),
            operation: &operation,
            revision: compared.revisions.first().map_or("", String::as_str),
            started_at,
            namespace,
            namespace_fact,
            managed_namespace_metadata: None,
            migration_manager: None,
            prune_confirmed: reconcile::is_deletion_confirmed(application, started_at),
            shared: {
                let told = compared.conditions.iter().filter(|it| it.r#type == "SharedResourceWarning");
                told.map(|condition| condition.message.clone()).collect()
            },
            timeout: Some(SignedDuration::from_secs(self.sync_timeout)).filter(SignedDuration::is_positive),
            settle: SignedDuration::from_secs(2),
            recorded: recorded.map(|result| result.resources.as_slice()).unwrap_or_default(),
            kinds: &kinds,
            permit: &permit,
        })
    }

    fn run_on(&mut self, running: &mut Running) {
        let flush_only = running.inbox.is_empty() && running.wake.is_none_or(|at| at > self.now);
        let event = running.inbox.pop_front().unwrap_or(Event::Tick);
        let Some(run) = &mut running.run else { return };
        let mut at_once = false;
        if !flush_only {
            running.terminated |= matches!(event, Event::Terminate { .. } | Event::Supersede { .. });
            running.told.stopping |= running.terminated;
            at_once = matches!(&event, Event::Result { task, .. } if run.plan.tasks[task.0].is_hook());
            let before = std::mem::take(&mut run.progress);
            let before = before.unwrap_or_else(|| Progress::new(&run.plan, self.now));
            let (next, effects) = step(&run.plan, before, event, self.now);
            run.progress = Some(next);
            running.wake = None;
            for effect in effects {
                match effect {
                    Effect::WakeAt(at) => running.wake = Some(at),
                    Effect::Done { phase, message } => {
                        record(&mut running.state, run);
                        let state = running.state.clone();
                        let terminated = running.terminated;
                        running.ended = Some(Ended { phase, message, terminated, state });
                        return;
                    }
                    effect => run.flights.push(Flight { effect, answer: None }),
                }
            }
            running.dirty |= record(&mut running.state, run);
            let progress = run.progress.as_ref();
            running.told.waits_only_for_health =
                progress.is_some_and(|progress| progress.waits_only_for_health(&run.plan));
        }
        let due = running.written.saturating_add(WRITE_EVERY).is_ok_and(|at| at <= self.now);
        if running.dirty && (at_once || due) {
            self.write_progress(running);
            running.written = self.now;
            running.dirty = false;
        }
        self.check_wait(running);
    }

    fn write_progress(&mut self, running: &Running) {
        let stored = self.controller.stored.clone();
        let Some(stored) = stored.filter(|it| it.metadata.uid == running.application.metadata.uid) else {
            return;
        };
        let mut state = running.state.clone();
        let asked_to_stop =
            stored.status.operation_state.as_ref().is_some_and(|it| it.phase == "Terminating");
        if asked_to_stop {
            state.phase = OperationPhase::Terminating.as_str().into();
        }
        let status = ApplicationStatus { operation_state: Some(state), ..stored.status.clone() };
        if let Ok(Some(written)) = self.hub.write_status(&stored, &status, false, None) {
            self.learn(written);
        }
    }

    fn conclude(&mut self, mut running: Running) {
        let Some(ended) = running.ended.take() else { return };
        if let Some(stored) = self.controller.stored.clone() {
            let concluded = conclude(&stored, ended.clone(), self.now);
            let mut status =
                ApplicationStatus { operation_state: Some(concluded.state.clone()), ..stored.status.clone() };
            if let Some(history) = concluded.history {
                status.history = history;
            }
            match self.hub.write_status(&stored, &status, concluded.done, None) {
                Err(Refused::Down) => {
                    // It is tried until the hub takes it.
                    running.ended = Some(ended);
                    self.controller.operation = Some(running);
                    return;
                }
                Ok(Some(written)) => {
                    self.learn(written);
                    self.note_end(&running, &concluded.state);
                }
                _ => {}
            }
        }
        self.controller.request(CompareWith::Latest, RefreshCause::OperationEnded);
    }

    /// What matters of a live object.
    pub(crate) fn live_state(&self, object: &Object) -> LiveState {
        let health = self.given.checks().health(object, self.now);
        LiveState::read(
            object,
            health.map(|health| Health { status: health.status, message: health.message }),
        )
    }
}

/// Takes over what is shown of the progress; says whether that changed.
fn record(state: &mut OperationState, run: &Run) -> bool {
    let Some(progress) = &run.progress else { return false };
    let before = state.clone();
    if let Some(result) = &mut state.sync_result {
        result.resources = progress.results(&run.plan);
    }
    progress.message().clone_into(&mut state.message);
    if !progress.is_done() {
        state.phase = progress.phase().as_str().into();
    }
    before != *state
}
