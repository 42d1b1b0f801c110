//! One attempt of an operation: what it is about, and how its end is recorded.

use crate::history::record_history;
use api::codes::OperationPhase;
use api::v1alpha1::{
    Application, ApplicationSource, OperationState, RevisionHistory, SyncOperation, SyncOperationResult,
};
use jiff::Timestamp;
use sync::after_attempt;

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Ended {
    /// How.
    pub phase: OperationPhase,
    /// Why, for people.
    pub message: String,
    /// Whether somebody stopped it: it is not tried again.
    pub terminated: bool,
    /// What was recorded of it last.
    pub state: OperationState,
}

/// What is written of an attempt that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Conclusion {
    /// The operation's state: over, or waiting for the next try.
    pub state: OperationState,
    /// The history, where it grew.
    pub history: Option<Vec<RevisionHistory>>,
    /// Whether the operation is over, and its request is to go.
    pub done: bool,
}

/// Records how an attempt ended, or when it is tried again. `application` is as it is stored now.
pub fn conclude(application: &Application, ended: Ended, now: Timestamp) -> Conclusion {
    let Ended { phase, message, terminated, mut state } = ended;
    let after = after_attempt(&state, phase, &message, terminated, now);
    state.phase = after.phase.as_str().into();
    state.message = after.message;
    state.retry_count = after.retry_count;
    state.finished_at = Some(now.into());
    let done = after.phase.is_completed();
    let history = if done { record_history(application, &state, now) } else { None };
    Conclusion { state, history, done }
}

/// The sources an operation is about: its own, or the application's.
pub fn operation_sources(application: &Application, operation: &SyncOperation) -> Vec<ApplicationSource> {
    if !operation.sources.is_empty() {
        return operation.sources.clone();
    }
    match &operation.source {
        Some(source) => vec![source.clone()],
        None => application.spec.effective_sources(),
    }
}

/// The revisions an operation asks for; where one is empty, the source's own counts.
pub fn operation_revisions(operation: &SyncOperation) -> Vec<String> {
    if operation.revisions.is_empty() {
        vec![operation.revision.clone()]
    } else {
        operation.revisions.clone()
    }
}

/// What an attempt goes on with after a restart: the sources and revisions that were recorded of it, whatever was pushed or
/// changed meanwhile. Nothing where none were, as before the first comparison.
pub fn recorded(state: &OperationState) -> Option<(Vec<ApplicationSource>, Vec<String>)> {
    let result = state.sync_result.as_ref()?;
    let is_whole = result.sources.len() == result.revisions.len();
    if !result.sources.is_empty() && is_whole && result.revisions.iter().all(|it| !it.is_empty()) {
        return Some((result.sources.clone(), result.revisions.clone()));
    }
    (!result.revision.is_empty()).then(|| (vec![result.source.clone()], vec![result.revision.clone()]))
}

/// Notes what is known of the result before anything is done: sources and revisions.
pub fn settle_result(
    state: &mut OperationState,
    application: &Application,
    sources: &[ApplicationSource],
    revisions: &[String],
) {
    let several = application.spec.has_several_sources();
    let recorded = state.sync_result.take();
    let asked = state.operation.sync.as_ref().map(|sync| sync.revision.clone()).unwrap_or_default();
    let revision = revisions.first().cloned().unwrap_or(asked);
    state.sync_result = Some(SyncOperationResult {
        resources: recorded.map(|result| result.resources).unwrap_or_default(),
        revision: if several { String::new() } else { revision },
        source: if several {
            ApplicationSource::default()
        } else {
            sources.first().cloned().unwrap_or_default()
        },
        sources: if several { sources.to_vec() } else { Vec::new() },
        revisions: if several { revisions.to_vec() } else { Vec::new() },
        managed_namespace_metadata: None,
    });
}

/// Notes what the destination's namespace was given, once a sync of this application has succeeded: until then, what is
/// asked for is not what is there.
pub fn note_namespace(state: &mut OperationState, application: &Application) {
    let policy = application.spec.sync_policy.as_ref();
    let pretended = state.operation.sync.as_ref().is_some_and(|sync| sync.dry_run);
    if let Some(result) = state.sync_result.as_mut().filter(|_| !pretended) {
        result.managed_namespace_metadata =
            policy.and_then(|policy| policy.managed_namespace_metadata.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_goes_on_after_a_restart_is_what_was_begun() {
        let source = |url: &str| ApplicationSource { repo_url: url.into(), ..ApplicationSource::default() };
        let mut state = OperationState::default();
        assert_eq!(recorded(&state), None, "nothing was compared yet");
        settle_result(&mut state, &Application::default(), &[source("a")], &["r1".to_owned()]);
        assert_eq!(recorded(&state), Some((vec![source("a")], vec!["r1".to_owned()])));
        settle_result(&mut state, &Application::default(), &[source("a")], &[String::new()]);
        assert_eq!(recorded(&state), None, "it was not resolved");
        let mut several = Application::default();
        several.spec.sources = vec![source("a"), source("b")];
        let sources = several.spec.sources.clone();
        settle_result(&mut state, &several, &sources, &["r1".to_owned()]);
        assert_eq!(recorded(&state), None, "not all of them were resolved");
        let revisions = ["r1", "r2"].map(str::to_owned);
        settle_result(&mut state, &several, &sources, &revisions);
        assert_eq!(recorded(&state), Some((sources, revisions.to_vec())));
    }

    #[test]
    fn the_metadata_of_a_namespace_is_recorded_by_the_sync_that_wrote_it() {
        let metadata = json!({"labels": {"team": "a"}});
        let application: Application = serde_json::from_value(json!({
            "spec": {"syncPolicy": {"managedNamespaceMetadata": metadata}},
        }))
        .unwrap();
        let recorded = |dry_run: bool, done: bool| {
            let mut state = OperationState::default();
            state.operation.sync = Some(SyncOperation { dry_run, ..SyncOperation::default() });
            settle_result(&mut state, &application, &[], &["abc".to_owned()]);
            if done {
                note_namespace(&mut state, &application);
            }
            json!(state.sync_result.unwrap().managed_namespace_metadata)
        };
        assert_eq!(recorded(false, false), json!(null), "nothing is done yet, and it may fail");
        assert_eq!(recorded(false, true), metadata);
        assert_eq!(recorded(true, true), json!(null), "nothing was written");
    }
}
