//! A task's entry in the operation's result.

use crate::task::Task;
use api::codes::{OperationPhase, ResultCode};
use api::v1alpha1::ResourceResult;

/// The entry of one task.
pub(crate) fn result(
    task: &Task,
    status: Option<ResultCode>,
    phase: Option<OperationPhase>,
    message: &str,
) -> ResourceResult {
    ResourceResult {
        group: task.gvk.group.clone(),
        version: task.gvk.version.clone(),
        kind: task.gvk.kind.clone(),
        namespace: task.result_namespace.clone(),
        name: task.key.name.clone(),
        status: status.map(|status| status.to_string()).unwrap_or_default(),
        message: message.to_owned(),
        hook_type: task.hook.map(|hook| hook.to_string()).unwrap_or_default(),
        hook_phase: phase.map(|phase| phase.to_string()).unwrap_or_default(),
        sync_phase: task.phase.to_string(),
        images: task.images.clone(),
    }
}

/// Whether an entry is this task's.
pub(crate) fn is_result_of(result: &ResourceResult, task: &Task) -> bool {
    result.group == task.gvk.group
        && result.kind == task.gvk.kind
        && result.namespace == task.result_namespace
        && result.name == task.key.name
        && result.sync_phase == task.phase.as_str()
}
