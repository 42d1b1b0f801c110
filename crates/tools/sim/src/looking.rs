//! One look at the application, a step at a time, in the order the service takes them: the world goes on in
//! between.

use crate::comparing::Compared;
use crate::controller::{Look, Refreshing, Start};
use crate::hub::Refused;
use crate::world::World;
use api::codes::OperationPhase;
use api::names::{
    POST_DELETE_CLEANUP_FINALIZER, POST_DELETE_FINALIZER, PRE_DELETE_CLEANUP_FINALIZER, PRE_DELETE_FINALIZER,
    REFRESH,
};
use api::v1alpha1::{Application, ApplicationCondition, ApplicationStatus, OperationState};
use jiff::SignedDuration;
use reconcile::{
    Action, CompareWith, Found, Observed, RefreshCause, RefreshRequest, Settings, decide, set_conditions,
};

const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(10);

impl World {
    /// Begins a look, if there is something to look at.
    pub(crate) fn begin_look(&mut self) {
        self.controller.queued = false;
        let Some(application) = self.controller.stored.clone() else { return };
        if self.controller.is_ending() {
            return;
        }
        let actions = if application.metadata.deletion_timestamp.is_some() {
            self.decide_deletion(&application)
        } else {
            self.decide(&application, None)
        };
        self.controller.look = Some(Look { application, actions: actions.into(), refresh: None });
    }

    fn decide(&self, application: &Application, comparison: Option<&reconcile::Comparison>) -> Vec<Action> {
        let open = project::windows::open(&self.given.project, application, self.now);
        let controller = &self.controller;
        let settings = self.settings();
        decide(
            &Observed {
                application,
                settings: &settings,
                cluster_is_skipped: false,
                jitter: SignedDuration::ZERO,
                requested: controller.requested.clone(),
                refreshed_at: controller.refreshed_at,
                refreshed_spec: controller.refreshed_spec.as_ref(),
                comparison,
                running: controller.operation.as_ref().map(|running| running.told),
                window_open: open.automated,
                operation_window_open: open.operation,
                window_changes_at: open.changes_at,
                deletion: None,
            },
            self.now,
        )
    }

    /// The controller's settings.
    pub(crate) fn settings(&self) -> Settings {
        let sync_timeout = SignedDuration::from_secs(self.sync_timeout);
        let resync = SignedDuration::from_mins(if self.without_resync { 0 } else { 10 });
        Settings { resync, sync_timeout, ..Settings::default() }
    }

    /// Takes the next step of the look under way.
    pub(crate) fn go_on_looking(&mut self) {
        let Some(mut look) = self.controller.look.take() else { return };
        let done = match look.refresh.take() {
            Some(refresh) => self.go_on_refreshing(&mut look, refresh),
            None => match look.actions.pop_front() {
                Some(Action::Refresh { level, compare_with, cause }) => {
                    self.begin_refresh(
                        &mut look,
                        Refreshing { level, compare_with, cause, loaded: None, compared: None },
                    );
                    Ok(())
                }
                Some(action) => self.act(&mut look.application, action),
                None => return,
            },
        };
        match done {
            Ok(()) if look.refresh.is_some() || !look.actions.is_empty() => self.controller.look = Some(look),
            Ok(()) => {}
            Err(Refused::NotFound) => {}
            Err(Refused::Replaced | Refused::InProgress) => self.controller.queued = true,
            Err(Refused::Down) => {
                let at = self.now.saturating_add(AFTER_FAILURE).unwrap_or(self.now);
                self.controller.wake_at(at, self.now);
            }
        }
    }

    fn begin_refresh(&mut self, look: &mut Look, refresh: Refreshing) {
        let controller = &mut self.controller;
        RefreshRequest::answer(&mut controller.requested, refresh.level, refresh.compare_with);
        if refresh.compare_with == CompareWith::Nothing {
            return;
        }
        controller.refreshed_at = Some(self.now);
        controller.refreshed_spec = Some(look.application.spec.clone());
        look.refresh = Some(refresh);
    }

    fn go_on_refreshing(&mut self, look: &mut Look, mut refresh: Refreshing) -> Result<(), Refused> {
        let application = &look.application;
        if refresh.loaded.is_none() {
            let problems = self.problems(application);
            if !problems.is_empty() {
                return self.refuse(look, &refresh.cause, &problems);
            }
            let revisions = reconcile::refresh_revisions(application, refresh.compare_with);
            refresh.loaded = Some(self.load(&revisions));
        } else if let Some(loaded) = refresh.loaded.clone().filter(|_| refresh.compared.is_none()) {
            refresh.compared = Some(Box::new(self.compare(application, loaded)));
        } else if let Some(compared) = refresh.compared.take() {
            return self.end_refresh(look, &refresh, &compared);
        }
        look.refresh = Some(refresh);
        Ok(())
    }

    /// A spec that is not permitted is not compared: nothing is known of the application.
    fn refuse(
        &mut self,
        look: &mut Look,
        cause: &RefreshCause,
        problems: &[ApplicationCondition],
    ) -> Result<(), Refused> {
        let application = &look.application;
        let status = reconcile::invalid_status(application, problems, self.now);
        let answered = answered(application, cause);
        if let Some(written) = self.hub.write_status(application, &status, false, answered.as_deref())? {
            look.application = self.learn(written);
        }
        Ok(())
    }

    fn end_refresh(
        &mut self,
        look: &mut Look,
        refresh: &Refreshing,
        compared: &Compared,
    ) -> Result<(), Refused> {
        let (comparison, cause) = (&compared.comparison, &refresh.cause);
        let latest = reconcile::refresh_revisions(&look.application, refresh.compare_with).is_empty();
        if !comparison.failed {
            let before = !comparison.pre_delete_hooks.is_empty();
            let after = !comparison.post_delete_hooks.is_empty();
            let wanted = [
                (PRE_DELETE_FINALIZER, before),
                (PRE_DELETE_CLEANUP_FINALIZER, before),
                (POST_DELETE_FINALIZER, after),
                (POST_DELETE_CLEANUP_FINALIZER, after),
            ];
            if let Some(settled) = self.hub.settle_finalizers(&look.application, &wanted)? {
                look.application = settled;
            }
        }
        let application = &look.application;
        let found = Found {
            sync: comparison.sync,
            health: comparison.health,
            health_message: &comparison.health_message,
            resources: comparison.resource_statuses(false),
            live_known: comparison.live_known,
            conditions: &compared.conditions,
            revisions: &compared.revisions,
            source_types: &[],
            summary: None,
        };
        let status = reconcile::compared_status(application, found, self.now);
        let status = reconcile::stamped(application, status, cause, self.now);
        let answered = answered(application, cause);
        if let Some(written) = self.hub.write_status(application, &status, false, answered.as_deref())? {
            look.application = self.learn(written);
        }
        self.tell(|_| {
            let different = comparison
                .resources
                .iter()
                .filter(|it| it.status != Some(api::codes::SyncStatusCode::Synced));
            let different: Vec<String> = different.map(|it| it.key.to_string()).collect();
            format!("compared with {:?}: {} {different:?}", compared.revisions, comparison.sync)
        });
        let outcome = reconcile::outcome(&look.application, compared.revisions.clone(), true, latest);
        let actions = self.decide(&look.application, Some(&outcome));
        for action in actions.into_iter().rev() {
            look.actions.push_front(action);
        }
        Ok(())
    }

    /// What a write gave back is known at once, and as good as news; something newer stays.
    pub(crate) fn learn(&mut self, application: Application) -> Application {
        let version = |it: &Application| it.metadata.resource_version.parse::<u64>().unwrap_or(0);
        match &self.controller.stored {
            Some(known) if version(known) >= version(&application) => known.clone(),
            _ => {
                self.controller.queued = true;
                self.controller.stored = Some(application.clone());
                application
            }
        }
    }

    fn act(&mut self, application: &mut Application, action: Action) -> Result<(), Refused> {
        let about_operation = matches!(
            action,
            Action::BeginOperation { .. }
                | Action::RetryOperation { .. }
                | Action::ResumeOperation
                | Action::HoldOperation { .. }
                | Action::EndOperation { .. }
        );
        if about_operation && !self.is_current(application) {
            self.controller.queued = true;
            return Ok(());
        }
        let now = self.now;
        if !matches!(action, Action::WakeAt { .. } | Action::SetConditions { .. } | Action::Skip { .. }) {
            self.tell(|_| crate::looking::brief(&action));
        }
        match action {
            Action::BeginOperation { state } | Action::RetryOperation { state } => {
                self.write_operation(application, *state.clone(), false)?;
                self.operate(application.clone(), *state, Start::Anew);
            }
            Action::ResumeOperation => {
                if let Some(state) = application.status.operation_state.clone() {
                    self.operate(application.clone(), state, Start::Resume);
                }
            }
            Action::HoldOperation { state } => self.write_operation(application, *state, false)?,
            Action::EndOperation { state } => self.write_operation(application, *state, true)?,
            Action::TerminateOperation { cause } => {
                if let Some(running) = &mut self.controller.operation {
                    running.told.stopping = true;
                }
                self.controller.send(sync::Event::Terminate { cause });
                if let Some(state) = application.status.operation_state.clone()
                    && state.phase != OperationPhase::Terminating.as_str()
                {
                    let phase = OperationPhase::Terminating.as_str().to_owned();
                    self.write_operation(application, OperationState { phase, ..state }, false)?;
                }
            }
            Action::ConfirmOperation => {
                if let Some(running) = &mut self.controller.operation {
                    running.told.confirmed = true;
                }
                self.controller.send(sync::Event::PruneConfirmed);
            }
            Action::SupersedeOperation { revision } => {
                self.controller.send(sync::Event::Supersede { revision });
            }
            Action::RequestOperation { operation, .. } => {
                self.check_request(&operation);
                let mut asked = application.clone();
                asked.operation = Some(*operation.clone());
                asked.status.operation_state = None;
                let begun = self.decide(&asked, None).into_iter().find_map(|action| match action {
                    Action::BeginOperation { state } => Some(*state),
                    _ => None,
                });
                match self.hub.start_operation(application, &operation, begun.as_ref()) {
                    Ok(started) => {
                        *application = self.learn(started);
                        if let Some(state) = begun.filter(|_| application.status.operation_state.is_some()) {
                            self.operate(application.clone(), state, Start::Anew);
                        }
                    }
                    Err(Refused::InProgress) => {}
                    Err(refused) => return Err(refused),
                }
            }
            Action::SetConditions { conditions, evaluated } => {
                let conditions = set_conditions(&application.status.conditions, &conditions, &evaluated, now);
                let status = ApplicationStatus { conditions, ..application.status.clone() };
                if let Some(written) = self.hub.write_status(application, &status, false, None)? {
                    *application = self.learn(written);
                }
            }
            Action::RefreshAt { at, compare_with, cause } => {
                let level = api::codes::RefreshType::Normal;
                self.controller.later = Some((at, RefreshRequest { level, compare_with, cause }));
            }
            Action::WakeAt { at, .. } => self.controller.wake_at(at, now),
            Action::Skip { .. } | Action::Refresh { .. } => {}
            deletion => self.act_on_deletion(application, deletion)?,
        }
        Ok(())
    }

    fn is_current(&self, application: &Application) -> bool {
        self.controller.stored.as_ref().is_some_and(|stored| {
            stored.metadata.uid == application.metadata.uid
                && stored.operation == application.operation
                && stored.status.operation_state == application.status.operation_state
        })
    }

    fn write_operation(
        &mut self,
        application: &mut Application,
        state: OperationState,
        done: bool,
    ) -> Result<(), Refused> {
        let status = ApplicationStatus { operation_state: Some(state), ..application.status.clone() };
        if let Some(written) = self.hub.write_status(application, &status, done, None)? {
            *application = self.learn(written);
        }
        Ok(())
    }
}

/// The refresh annotation that a refresh answers.
fn answered(application: &Application, cause: &RefreshCause) -> Option<String> {
    match cause {
        RefreshCause::Annotation(_) => application.metadata.annotations.get(REFRESH).cloned(),
        _ => None,
    }
}

/// An action in a word, for the trace.
fn brief(action: &Action) -> String {
    let text = format!("{action:?}");
    let end = text.char_indices().nth(160).map_or(text.len(), |(at, _)| at);
    text[..end].to_owned()
}
