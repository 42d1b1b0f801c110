//! One look at one application: decide, then do what was decided.

use crate::Controller;
use crate::operating::Start;
use crate::queue::{Key, Urgency};
use crate::refreshing::Refresh;
use api::codes::{ConditionType, OperationPhase};
use api::v1alpha1::{Application, ApplicationCondition, ApplicationStatus, Operation, OperationState};
use jiff::{SignedDuration, Timestamp};
use project::windows::{self, Open};
use reconcile::{Action, Comparison, Observed, RefreshRequest, decide, set_conditions};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{StatusChange, StoreError};

/// How soon an application is looked at again after something failed.
const AFTER_FAILURE: SignedDuration = SignedDuration::from_secs(10);

impl Controller {
    /// Looks at an application and does what is to be done now.
    pub(crate) async fn reconcile(self: &Arc<Self>, key: &Key) {
        if let Err(error) = self.look(key).await {
            match &error {
                StoreError::NotFound { .. } => self.memories().forget(key),
                StoreError::Replaced { .. } => self.queue().add(key.clone(), Urgency::Asked),
                _ => {
                    tracing::warn!(application = %key, %error, "reconcile");
                    self.wake_at(key, self.now().saturating_add(AFTER_FAILURE).unwrap_or(Timestamp::MAX));
                }
            }
        }
    }

    async fn look(self: &Arc<Self>, key: &Key) -> Result<(), StoreError> {
        if !self.store().namespaces().permits(&key.namespace) {
            return Ok(());
        }
        let operated = self.memories().with(key, |memory| memory.operation.is_some());
        let stored = self.store().stored_application(&key.namespace, &key.name)?;
        let application = match stored.value() {
            Some(application) => application.as_ref().clone(),
            None => {
                // Its JSON has a wrong type: nothing can be decided, and nothing is changed, until somebody mends it.
                let error = stored.valid("Application").err();
                let reason = error.map(|error| error.to_string()).unwrap_or_default();
                tracing::warn!(application = %key, reason, "application cannot be read");
                return Ok(());
            }
        };
        let application = self.normalised(application);
        if !self.is_ours(&application) {
            return Ok(());
        }
        // While an operation's end is written, what was read and what is remembered may not fit together: nothing
        // can be decided. The operation asks for another look once it is forgotten.
        let ending = self.memories().with(key, |memory| match &memory.operation {
            Some(handle) => handle.ending.load(Ordering::SeqCst),
            None => operated,
        });
        if ending {
            return Ok(());
        }
        // Whoever edits the project, or asks to stop, makes this look: writes that a window holds ask again. A deletion waits
        // for them.
        self.memories().with(key, |memory| {
            if let Some(handle) = &memory.operation {
                handle.looked.notify_waiters();
            }
        });
        if application.metadata.deletion_timestamp.is_some_and(|time| !time.is_zero()) {
            return self.look_at_deletion(key, &application).await;
        }
        let actions = self.decide(key, &application, None);
        self.act(key, application, actions).await
    }

    pub(crate) fn decide(
        &self,
        key: &Key,
        application: &Application,
        comparison: Option<&Comparison>,
    ) -> Vec<Action> {
        let now = self.now();
        let open = self.windows(application, now);
        let settings = self.decision_settings();
        let cluster_is_skipped = self.is_cluster_skipped(application);
        self.memories().with(key, |memory| {
            let observed = Observed {
                application,
                settings: &settings,
                cluster_is_skipped,
                jitter: jitter(key, self.rules().reconciliation.jitter),
                requested: memory.requested.clone(),
                refreshed_at: memory.refreshed_at,
                refreshed_spec: memory.refreshed_spec.as_ref(),
                comparison,
                running: memory.operation.as_ref().map(crate::memory::OperationHandle::running),
                window_open: open.automated,
                operation_window_open: open.operation,
                window_changes_at: open.changes_at,
                deletion: None,
            };
            decide(&observed, now)
        })
    }

    async fn act(
        self: &Arc<Self>,
        key: &Key,
        mut application: Application,
        actions: Vec<Action>,
    ) -> Result<(), StoreError> {
        for action in actions {
            if let Action::Refresh { level, compare_with, cause } = action {
                let refresh = Refresh { level, compare_with, cause };
                let Some((stored, comparison)) = self.refresh(key, &application, refresh).await? else {
                    continue;
                };
                application = stored;
                for action in self.decide(key, &application, Some(&comparison)) {
                    application = self.act_once(key, application, action).await?;
                }
            } else {
                application = self.act_once(key, application, action).await?;
            }
        }
        Ok(())
    }

    /// Does one thing; the application as it is afterwards comes back.
    pub(crate) async fn act_once(
        self: &Arc<Self>,
        key: &Key,
        application: Application,
        action: Action,
    ) -> Result<Application, StoreError> {
        let about_operation = matches!(
            action,
            Action::BeginOperation { .. }
                | Action::RetryOperation { .. }
                | Action::ResumeOperation
                | Action::HoldOperation { .. }
                | Action::EndOperation { .. }
        );
        if about_operation && !self.is_current(key, &application) {
            self.queue().add(key.clone(), Urgency::Asked);
            return Ok(application);
        }
        match action {
            Action::BeginOperation { state } => self.begin(key, application, *state).await,
            Action::RetryOperation { state } => self.begin(key, application, *state).await,
            Action::ResumeOperation => {
                if let Some(state) = application.status.operation_state.clone() {
                    tracing::info!(application = %key, "operation goes on");
                    self.operate(key.clone(), application.clone(), state, Start::Resume);
                }
                Ok(application)
            }
            Action::HoldOperation { state } => self.write_operation(application, *state, false).await,
            Action::EndOperation { state } => {
                let written = self.write_operation(application, *state.clone(), true).await?;
                self.note_operation_end(&written, &state, self.now());
                self.memories().request_after_operation(key);
                Ok(written)
            }
            Action::TerminateOperation { cause } => self.terminate(key, application, cause).await,
            Action::ConfirmOperation => {
                self.memories().with(key, |memory| {
                    if let Some(handle) = &memory.operation {
                        handle.confirmed.store(true, Ordering::SeqCst);
                    }
                });
                self.send(key, sync::Event::PruneConfirmed);
                Ok(application)
            }
            Action::SupersedeOperation { revision } => {
                self.send(key, sync::Event::Supersede { revision });
                Ok(application)
            }
            Action::RequestOperation { operation, reason } => {
                tracing::info!(application = %key, reason, "automated sync");
                self.request(key, application, *operation).await
            }
            Action::SetConditions { conditions, evaluated } => {
                self.set_conditions(application, &conditions, &evaluated).await
            }
            Action::RefreshAt { at, compare_with, cause } => {
                let level = api::codes::RefreshType::Normal;
                self.refresh_at(key, at, RefreshRequest { level, compare_with, cause });
                Ok(application)
            }
            Action::WakeAt { at, .. } => {
                self.wake_at(key, at);
                Ok(application)
            }
            Action::Skip { reason } => {
                tracing::debug!(application = %key, reason, "skipped");
                Ok(application)
            }
            Action::RemoveFinalizer { .. }
            | Action::DeleteObjects { .. }
            | Action::DropHooks { .. }
            | Action::ReleaseHooks { .. }
            | Action::RunHooks { .. }
            | Action::CleanHooks { .. } => self.act_on_deletion(key, application, action).await,
            Action::Refresh { .. } => {
                unreachable!("refreshes are done before, and decide asks for none after one")
            }
        }
    }

    /// Replaces the conditions of these types. That a deletion fails is told, too.
    pub(crate) async fn set_conditions(
        &self,
        application: Application,
        conditions: &[ApplicationCondition],
        evaluated: &[ConditionType],
    ) -> Result<Application, StoreError> {
        let now = self.now();
        let known = &application.status.conditions;
        let is_news = |new: &&ApplicationCondition| {
            let said = |old: &ApplicationCondition| old.r#type == new.r#type && old.message == new.message;
            new.r#type.parse() == Ok(ConditionType::DeletionError) && !known.iter().any(said)
        };
        if let Some(failed) = conditions.iter().find(is_news) {
            self.note_failed_deletion(&application, &failed.message, now);
        }
        let conditions = set_conditions(known, conditions, evaluated, now);
        let status = ApplicationStatus { conditions, ..application.status.clone() };
        let change = StatusChange { application: &application, status: &status, operation_done: false };
        Ok(self.store().write_status(change).await?.unwrap_or(application))
    }

    /// Whether the operation of an application is as it was when it was decided. Comparing takes time: an operation
    /// that ended meanwhile, and is remembered no longer, would look like one to go on with.
    fn is_current(&self, key: &Key, application: &Application) -> bool {
        self.store().application(&key.namespace, &key.name).is_ok_and(|stored| {
            stored.metadata.uid == application.metadata.uid
                && stored.operation == application.operation
                && stored.status.operation_state == application.status.operation_state
        })
    }

    /// Asks for an operation, and begins it in the same write where nothing holds it.
    async fn request(
        self: &Arc<Self>,
        key: &Key,
        application: Application,
        operation: Operation,
    ) -> Result<Application, StoreError> {
        let mut asked = application.clone();
        asked.operation = Some(operation.clone());
        asked.status.operation_state = None;
        let begun = self.decide(key, &asked, None).into_iter().find_map(|action| match action {
            Action::BeginOperation { state } => Some(*state),
            _ => None,
        });
        let started = match self.store().start_operation_on(&application, &operation, begun.as_ref()).await {
            // Somebody else was first.
            Err(StoreError::OperationInProgress) => return Ok(application),
            other => other?,
        };
        self.note_automated_sync(&started, &operation, self.now());
        if let Some(state) = begun.filter(|_| started.status.operation_state.is_some()) {
            tracing::info!(application = %key, "operation begins");
            self.operate(key.clone(), started.clone(), state, Start::Anew);
        }
        Ok(started)
    }

    async fn begin(
        self: &Arc<Self>,
        key: &Key,
        application: Application,
        state: OperationState,
    ) -> Result<Application, StoreError> {
        let application = self.write_operation(application, state.clone(), false).await?;
        tracing::info!(application = %key, "operation begins");
        self.operate(key.clone(), application.clone(), state, Start::Anew);
        Ok(application)
    }

    async fn terminate(
        &self,
        key: &Key,
        application: Application,
        cause: Option<String>,
    ) -> Result<Application, StoreError> {
        self.memories().with(key, |memory| {
            if let Some(handle) = &memory.operation {
                handle.stopping.store(true, Ordering::SeqCst);
                handle.looked.notify_waiters();
            }
        });
        self.send(key, sync::Event::Terminate { cause });
        match application.status.operation_state.clone() {
            Some(state) if state.phase != OperationPhase::Terminating.as_str() => {
                let phase = OperationPhase::Terminating.as_str().to_owned();
                self.write_operation(application, OperationState { phase, ..state }, false).await
            }
            _ => Ok(application),
        }
    }

    async fn write_operation(
        &self,
        application: Application,
        state: OperationState,
        done: bool,
    ) -> Result<Application, StoreError> {
        let status = ApplicationStatus { operation_state: Some(state), ..application.status.clone() };
        let change = StatusChange { application: &application, status: &status, operation_done: done };
        Ok(self.store().write_status(change).await?.unwrap_or(application))
    }

    /// Tells the operation that is worked on something.
    pub(crate) fn send(&self, key: &Key, event: sync::Event) {
        let handle = self.memories().with(key, |memory| memory.operation.clone());
        if let Some(handle) = handle {
            // An operation that has just ended hears nothing more.
            handle.events.send(event).ok();
        }
    }

    /// Looks at an application again at a time; the earlier of two times counts.
    pub(crate) fn wake_at(self: &Arc<Self>, key: &Key, at: Timestamp) {
        let now = self.now();
        self.memories().with(key, |memory| {
            if let Some((known, timer)) = &memory.timer {
                if *known <= at && *known > now && !timer.is_finished() {
                    return;
                }
                timer.abort();
            }
            let (controller, key) = (self.clone(), key.clone());
            let wait = std::time::Duration::try_from(at.duration_since(now)).unwrap_or_default();
            let timer = self.tasks().spawn(async move {
                tokio::select! {
                    () = tokio::time::sleep(wait) => controller.queue().add(key, Urgency::Periodic),
                    () = controller.stopped() => {}
                }
            });
            memory.timer = Some((at, timer.abort_handle()));
        });
    }

    fn refresh_at(self: &Arc<Self>, key: &Key, at: Timestamp, request: RefreshRequest) {
        let wait = std::time::Duration::try_from(at.duration_since(self.now())).unwrap_or_default();
        let (controller, own) = (self.clone(), key.clone());
        let timer = self.tasks().spawn(async move {
            tokio::select! {
                () = tokio::time::sleep(wait) => {
                    controller.memories().request(&own, request);
                    controller.queue().add(own, Urgency::Periodic);
                }
                () = controller.stopped() => {}
            }
        });
        self.memories().with(key, |memory| {
            if let Some(before) = memory.later.replace(timer.abort_handle()) {
                before.abort();
            }
        });
    }

    /// Whether windows let an automated sync through, and the operation that is asked for or recorded.
    pub(crate) fn windows(&self, application: &Application, now: Timestamp) -> Open {
        let rules = self.rules();
        let Ok(effective) = self.project_of(application, &rules) else { return Open::ALWAYS };
        windows::open(&effective.project, application, now)
    }
}

/// This application's share of the jitter: always the same, so that a restart does not move all at once.
fn jitter(key: &Key, most: std::time::Duration) -> SignedDuration {
    let most = i64::try_from(most.as_millis()).unwrap_or(0);
    if most == 0 {
        return SignedDuration::ZERO;
    }
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    SignedDuration::from_millis(i64::try_from(hasher.finish() >> 1).unwrap_or(0) % most)
}
