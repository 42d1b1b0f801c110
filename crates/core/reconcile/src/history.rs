//! What was deployed when.

use api::codes::OperationPhase;
use api::v1alpha1::{Application, OperationState, RevisionHistory};
use jiff::Timestamp;

/// Entries kept where the application does not say.
const DEFAULT_LIMIT: i64 = 10;

/// The history after an operation that ended: one entry more when it deployed all of a revision. Nothing when the
/// history stays as it is. Numbers go on, also after a rollback.
pub fn record_history(
    application: &Application,
    state: &OperationState,
    now: Timestamp,
) -> Option<Vec<RevisionHistory>> {
    let sync = state.operation.sync.as_ref()?;
    let result = state.sync_result.as_ref()?;
    let succeeded = state.phase == OperationPhase::Succeeded.as_str();
    if !succeeded || sync.dry_run || !sync.resources.is_empty() {
        return None;
    }
    let mut history = application.status.history.clone();
    let id = history.last().map_or(0, |entry| entry.id + 1);
    history.push(RevisionHistory {
        revision: result.revision.clone(),
        deployed_at: now.into(),
        id,
        source: result.source.clone(),
        deploy_started_at: Some(state.started_at),
        sources: result.sources.clone(),
        revisions: result.revisions.clone(),
        initiated_by: state.operation.initiated_by.clone(),
    });
    let limit = application.spec.revision_history_limit.unwrap_or(DEFAULT_LIMIT).max(0);
    let surplus = history.len().saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
    history.drain(..surplus);
    Some(history)
}
