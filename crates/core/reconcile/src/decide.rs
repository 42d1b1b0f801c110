//! The decision itself: which concern speaks when.

use crate::action::Action;
use crate::automatic::automatic;
use crate::deletion::deletion;
use crate::observed::Observed;
use crate::operation::{begin, end, is_in_progress, operation, stop};
use crate::permission::is_skipped;
use crate::refresh::{next_refresh, refresh};
use api::codes::OperationPhase;
use jiff::Timestamp;

/// Decides what to do about one application. Nothing may have happened since the last time: the answer is then the
/// same, or a time to come back.
///
/// 1. An application that is to be left alone is left alone, its deletion included.
/// 2. One that is being deleted: its operation ends first, then the deletion goes its way.
/// 3. Else operations; then a refresh that is due; then, right after a comparison, automated sync.
pub fn decide(observed: &Observed<'_>, now: Timestamp) -> Vec<Action> {
    let application = observed.application;
    if observed.cluster_is_skipped || is_skipped(application) {
        return vec![Action::Skip { reason: "reconciliation is switched off by annotation".into() }];
    }
    if application.metadata.deletion_timestamp.as_ref().is_some_and(|time| !time.is_zero()) {
        return delete(observed, now);
    }
    let mut actions = operation(observed, now);
    match observed.comparison {
        Some(comparison) => actions.extend(automatic(observed, comparison, now)),
        None => actions.extend(refresh(observed, now)),
    }
    if let Some(at) = next_refresh(observed).filter(|at| *at > now) {
        actions.push(Action::WakeAt { at, reason: "refresh" });
    }
    one_wake_up(actions)
}

/// An operation that goes on is not cut off: the deletion waits until it ends, or is terminated, as in the original. One
/// that nobody works on any more, or that has not begun, ends here: the source it came from need not be there.
fn delete(observed: &Observed<'_>, now: Timestamp) -> Vec<Action> {
    let application = observed.application;
    let cause = || Some("deletion of the application".to_owned());
    match (&application.status.operation_state, observed.running) {
        (Some(_), Some(_)) if is_in_progress(application) => return operation(observed, now),
        (Some(state), Some(_)) => return stop(observed, state, cause(), now),
        (None, Some(_)) => return vec![Action::TerminateOperation { cause: cause() }],
        (Some(state), None) if is_in_progress(application) => {
            let message = "Operation terminated, triggered by deletion of the application";
            return vec![end(state, OperationPhase::Failed, message, now)];
        }
        _ => {}
    }
    if let Some(wanted) = &application.operation {
        return vec![end(&begin(wanted, now), OperationPhase::Failed, "Operation terminated", now)];
    }
    match observed.deletion {
        Some(known) => one_wake_up(deletion(observed, known, now)),
        None => Vec::new(),
    }
}

/// Only the earliest wake-up counts; it comes last.
fn one_wake_up(actions: Vec<Action>) -> Vec<Action> {
    let (wakes, mut actions): (Vec<Action>, Vec<Action>) =
        actions.into_iter().partition(|action| matches!(action, Action::WakeAt { .. }));
    let first = wakes.into_iter().min_by_key(|action| match action {
        Action::WakeAt { at, .. } => *at,
        _ => Timestamp::MAX,
    });
    actions.extend(first);
    actions
}
