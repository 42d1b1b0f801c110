//! Operations: beginning, going on after a restart, trying again, stopping, giving way to a newer revision.

use crate::action::Action;
use crate::observed::Observed;
use crate::permission::{is_automated, is_deletion_confirmed};
use api::codes::OperationPhase;
use api::v1alpha1::{Application, Operation, OperationState};
use jiff::{SignedDuration, Timestamp};
use sync::{RetryDue, begin_retry, retry_due};

const TIMEOUT: &str = "controller sync timeout";

/// Whether an operation is recorded that has not ended.
pub fn is_in_progress(application: &Application) -> bool {
    let phase =
        application.status.operation_state.as_ref().map(|state| state.phase.parse::<OperationPhase>());
    matches!(phase, Some(Ok(phase)) if !phase.is_completed())
}

/// The state an operation begins with.
pub fn begin(operation: &Operation, now: Timestamp) -> OperationState {
    OperationState {
        operation: operation.clone(),
        phase: OperationPhase::Running.to_string(),
        started_at: now.into(),
        ..OperationState::default()
    }
}

/// What is to be done about operations; wake-ups included.
pub(crate) fn operation(observed: &Observed<'_>, now: Timestamp) -> Vec<Action> {
    let application = observed.application;
    let state = application.status.operation_state.as_ref().filter(|_| is_in_progress(application));
    let Some(state) = state else {
        return match (&application.operation, observed.running) {
            (Some(operation), None) if !observed.operation_window_open => {
                hold(observed, &begin(operation, now))
            }
            (Some(operation), None) => {
                vec![Action::BeginOperation { state: Box::new(begin(operation, now)) }]
            }
            _ => Vec::new(),
        };
    };
    let waits = retry_due(state, now);
    let terminating = state.phase == OperationPhase::Terminating.as_str();
    // Somebody took the operation away without saying that it shall stop: it would otherwise never end.
    let abandoned = application.operation.is_none();
    let overdue = deadline(observed, state).is_some_and(|deadline| deadline <= now);
    if terminating || abandoned || overdue {
        let cause = (overdue && !terminating && !abandoned).then(|| TIMEOUT.to_owned());
        return stop(observed, state, cause, now);
    }
    match (observed.running, waits) {
        (Some(_), _) => {
            let told = confirm(observed, state).into_iter().chain(supersede(observed, state));
            told.chain(wake(observed, state)).collect()
        }
        (None, RetryDue::NotWaiting | RetryDue::Now) if !observed.operation_window_open => {
            hold(observed, state).into_iter().chain(wake(observed, state)).collect()
        }
        (None, RetryDue::NotWaiting) => vec![Action::ResumeOperation],
        (None, RetryDue::Now) => vec![Action::RetryOperation { state: Box::new(begin_retry(state)) }],
        (None, RetryDue::At(at)) => {
            if let Some(revision) = newer_revision(observed, state).filter(|_| gives_way(state)) {
                let message = format!("{}, superseded by {revision}", base_message(state));
                return vec![end(state, OperationPhase::Failed, &message, now)];
            }
            let retry = Action::WakeAt { at, reason: "retry" };
            std::iter::once(retry).chain(wake(observed, state)).collect()
        }
    }
}

/// Whether a try that is waited for is given up for a newer revision: one that asks for the latest each time will have it.
fn gives_way(state: &OperationState) -> bool {
    state.operation.initiated_by.automated && !state.operation.retry.refresh
}

/// Keeps an operation waiting until a sync window opens; writes nothing when that is known.
fn hold(observed: &Observed<'_>, state: &OperationState) -> Vec<Action> {
    const MESSAGE: &str = "Sync operation blocked by sync window";
    let mut held = state.clone();
    MESSAGE.clone_into(&mut held.message);
    let told = match state.message.as_str() {
        MESSAGE => Action::Skip { reason: MESSAGE.into() },
        _ => Action::HoldOperation { state: Box::new(held) },
    };
    let opens = observed.window_changes_at.map(|at| Action::WakeAt { at, reason: "sync window" });
    std::iter::once(told).chain(opens).collect()
}

/// Stops what is recorded as in progress, wherever it is.
pub(crate) fn stop(
    observed: &Observed<'_>,
    state: &OperationState,
    cause: Option<String>,
    now: Timestamp,
) -> Vec<Action> {
    let terminate = Action::TerminateOperation { cause: cause.clone() };
    match observed.running {
        Some(running) if running.stopping => Vec::new(),
        Some(_) => vec![terminate],
        // Between two tries nothing is under way.
        None if state.finished_at.is_some() => {
            let cause = cause.map(|cause| format!(", triggered by {cause}")).unwrap_or_default();
            vec![end(state, OperationPhase::Failed, &format!("Operation terminated{cause}"), now)]
        }
        None => vec![Action::ResumeOperation, terminate],
    }
}

/// The action that ends an operation of which nothing is under way.
pub(crate) fn end(state: &OperationState, phase: OperationPhase, message: &str, now: Timestamp) -> Action {
    let ended = sync::after_attempt(state, phase, message, true, now);
    let mut state = state.clone();
    state.phase = ended.phase.to_string();
    state.message = ended.message;
    state.finished_at = Some(now.into());
    Action::EndOperation { state: Box::new(state) }
}

fn base_message(state: &OperationState) -> &str {
    state.message.split_once(". Retrying attempt #").map_or(state.message.as_str(), |(message, _)| message)
}

/// A user confirmed since the operation began, and it does not know yet.
fn confirm(observed: &Observed<'_>, state: &OperationState) -> Option<Action> {
    let asks = observed.running.is_some_and(|running| !running.confirmed && !running.stopping);
    let since = state.started_at.timestamp().filter(|_| asks)?;
    is_deletion_confirmed(observed.application, since).then_some(Action::ConfirmOperation)
}

fn supersede(observed: &Observed<'_>, state: &OperationState) -> Option<Action> {
    let waits = observed.running.is_some_and(|running| running.waits_only_for_health && !running.stopping);
    // What a user asked for is theirs to end.
    let automated = state.operation.initiated_by.automated;
    let revision = newer_revision(observed, state).filter(|_| waits && automated)?;
    Some(Action::SupersedeOperation { revision })
}

/// The revision automated sync would sync now, when it is another than the operation's.
fn newer_revision(observed: &Observed<'_>, state: &OperationState) -> Option<String> {
    let comparison = observed.comparison?;
    let follows = is_automated(&observed.application.spec) && observed.window_open;
    if !follows || !comparison.latest || !comparison.revision_has_changes {
        return None;
    }
    let sync = state.operation.sync.as_ref()?;
    let result = state.sync_result.as_ref();
    if comparison.revisions.is_empty() {
        let recorded = result.map(|result| &result.revision).filter(|revision| !revision.is_empty());
        let running = recorded.unwrap_or(&sync.revision);
        return (!running.is_empty() && !comparison.revision.is_empty() && *running != comparison.revision)
            .then(|| comparison.revision.clone());
    }
    let recorded = result.map(|result| &result.revisions).filter(|revisions| !revisions.is_empty());
    let running = recorded.unwrap_or(&sync.revisions);
    (!running.is_empty() && *running != comparison.revisions).then(|| comparison.revisions.join(", "))
}

fn deadline(observed: &Observed<'_>, state: &OperationState) -> Option<Timestamp> {
    let timeout = Some(observed.settings.sync_timeout).filter(SignedDuration::is_positive)?;
    state.started_at.timestamp()?.checked_add(timeout).ok()
}

fn wake(observed: &Observed<'_>, state: &OperationState) -> Option<Action> {
    deadline(observed, state).map(|at| Action::WakeAt { at, reason: "sync timeout" })
}
