//! What is asked of the outside, and what it answers.

use crate::task::{Propagation, TaskId};
use api::codes::{HealthStatusCode, OperationPhase};
use jiff::Timestamp;
use object::{GroupVersionKind, Object, ResourceKey};
use serde_json::Value;

/// Something to do. Each names its task, except the last two; each of the others is answered by one
/// [`Event::Result`] of that task, and a task has at most one unanswered at a time.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Validate the task's target as [`crate::Task::write`] and [`crate::Task::validate`] say, changing nothing.
    DryRun {
        /// The task.
        task: TaskId,
    },
    /// Write the task's target as [`crate::Task::write`] says. Doing it again after a crash is harmless.
    Apply {
        /// The task.
        task: TaskId,
    },
    /// Delete an object.
    Delete {
        /// The task.
        task: TaskId,
        /// The object.
        key: ResourceKey,
        /// Its kind, with the version to speak to.
        gvk: GroupVersionKind,
        /// Delete only the object of this uid; empty when it is not known.
        uid: String,
        /// What becomes of the objects it owns.
        propagation: Propagation,
    },
    /// Take the hook finalizer off an object; not finding the object or the finalizer is success. Conflicts are
    /// to be tried again.
    RemoveHookFinalizer {
        /// The task.
        task: TaskId,
        /// The object.
        key: ResourceKey,
        /// Its kind, with the version to speak to.
        gvk: GroupVersionKind,
    },
    /// Read an object and its health.
    Read {
        /// The task.
        task: TaskId,
        /// The object.
        key: ResourceKey,
        /// Its kind, with the version to speak to.
        gvk: GroupVersionKind,
    },
    /// Send [`Event::Tick`] at this time, unless another event comes first. Replaces the one before.
    WakeAt(Timestamp),
    /// The operation has ended.
    Done {
        /// How.
        phase: OperationPhase,
        /// Why, for people.
        message: String,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An effect was done, or could not be.
    Result {
        /// The effect's task.
        task: TaskId,
        /// How it went.
        result: Result<Success, Failure>,
    },
    /// An object was seen in the cluster.
    Live {
        /// The object.
        key: ResourceKey,
        /// Its state.
        state: LiveState,
    },
    /// An object went from the cluster.
    Gone {
        /// The object.
        key: ResourceKey,
        /// Uid of what went; empty when it is not known.
        uid: String,
    },
    /// Events may have been missed: what is waited for is read.
    Missed,
    /// A user confirmed the prunes and deletions that ask for it.
    PruneConfirmed,
    /// Stop. The cause is told in the operation's message; users need none.
    Terminate {
        /// Who wanted it, as in `controller sync timeout`.
        cause: Option<String>,
    },
    /// A newer revision is there. Heeded only while [`crate::Progress::waits_only_for_health`].
    Supersede {
        /// The newer revision.
        revision: String,
    },
    /// Time has passed; also the first event of all.
    Tick,
}

/// An effect that was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// What it did.
    pub outcome: Outcome,
    /// The object as it is now; nothing when it is gone, or was not written.
    pub state: Option<LiveState>,
}

/// What an effect did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The object is new.
    Created,
    /// The object was changed.
    Configured,
    /// The object was so already.
    Unchanged,
    /// The server merged our fields.
    ServerSideApplied,
    /// The object was replaced.
    Replaced,
    /// The object was updated in place.
    Updated,
    /// The object is deleted, or being deleted when [`Success::state`] is set.
    Deleted,
    /// The object was read; it is not there when [`Success::state`] is empty.
    Read,
    /// The finalizer is off.
    Unfinalized,
    /// Nothing was done: a prune that is not wanted any more, and why.
    Kept(&'static str),
    /// Anything else, in the words for the result.
    Text(String),
}

/// An effect that could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What the server or the transport said.
    pub message: String,
    /// What kind of failure.
    pub kind: FailureKind,
}

/// Kinds of failures that matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// The object, or what it needs, is not there.
    NotFound,
    /// The object is another than we knew.
    Conflict,
    /// Anything else.
    Other,
}

/// Health of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How it is.
    pub status: HealthStatusCode,
    /// Why.
    pub message: String,
}

/// What matters of a live object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveState {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.generation`; 0 where the kind keeps none.
    pub generation: i64,
    /// `status.observedGeneration`.
    pub observed_generation: Option<i64>,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// For a CRD: whether its kind is served.
    pub established: bool,
    /// Its health; nothing for kinds that have none.
    pub health: Option<Health>,
}

impl LiveState {
    /// Takes from an object what matters; its health is judged elsewhere.
    pub fn read(object: &Object, health: Option<Health>) -> Self {
        let established =
            object.at(&["status", "conditions"]).and_then(Value::as_array).into_iter().flatten().any(
                |condition| {
                    condition.get("type").and_then(Value::as_str) == Some("Established")
                        && condition.get("status").and_then(Value::as_str) == Some("True")
                },
            );
        Self {
            uid: object.uid().to_owned(),
            generation: object.generation(),
            observed_generation: object.int_at(&["status", "observedGeneration"]),
            deleting: !object.deletion_timestamp().is_empty(),
            established,
            health,
        }
    }
}
