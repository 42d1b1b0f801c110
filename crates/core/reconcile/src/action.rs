//! What is to be done about an application.

use api::codes::{ConditionType, HookType, RefreshType};
use api::v1alpha1::{ApplicationCondition, Operation, OperationState};
use jiff::Timestamp;
use object::{GroupVersionKind, ResourceKey};
use std::fmt;
use sync::Propagation;

/// One thing to do, in the order of the list it is in.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Compare.
    Refresh {
        /// How thorough.
        level: RefreshType,
        /// Against what.
        compare_with: CompareWith,
        /// Why.
        cause: RefreshCause,
    },
    /// Write this state, and work on its operation from the start.
    BeginOperation {
        /// The state.
        state: Box<OperationState>,
    },
    /// Work on the recorded operation from where its results say it was. Where it cannot be planned any more, it ends
    /// with the reason as `Error`.
    ResumeOperation,
    /// Write this state, and work on its operation once more from the start.
    RetryOperation {
        /// The state.
        state: Box<OperationState>,
    },
    /// Tell the operation that is worked on to stop, and write that.
    TerminateOperation {
        /// Who wanted it, where users did not.
        cause: Option<String>,
    },
    /// Tell the operation that is worked on that a newer revision is there. It is not tried again.
    SupersedeOperation {
        /// The newer revision.
        revision: String,
    },
    /// Tell the operation that is worked on that a user confirmed what it asks about.
    ConfirmOperation,
    /// Write this state, and work on nothing: sync windows are closed. Decide again when one opens.
    HoldOperation {
        /// The state.
        state: Box<OperationState>,
    },
    /// Write this final state and clear the operation: nothing of it is under way.
    EndOperation {
        /// The state.
        state: Box<OperationState>,
    },
    /// Ask for this operation, unless somebody else asked for one first.
    RequestOperation {
        /// The operation.
        operation: Box<Operation>,
        /// Why, for the log.
        reason: String,
    },
    /// Replace the conditions of these types.
    SetConditions {
        /// What they are now.
        conditions: Vec<ApplicationCondition>,
        /// The types that were evaluated.
        evaluated: Vec<ConditionType>,
    },
    /// Run the hooks of this type.
    RunHooks {
        /// `PreDelete` or `PostDelete`.
        hook: HookType,
    },
    /// Delete the hooks of this type by their policies.
    CleanHooks {
        /// `PreDelete` or `PostDelete`.
        hook: HookType,
    },
    /// Delete these objects, if they are still the ones that were looked at.
    DeleteObjects {
        /// The objects.
        objects: Vec<DeleteObject>,
        /// What becomes of what they own.
        propagation: Propagation,
    },
    /// Delete these hooks of the deletion, which failed: they are made again.
    DropHooks {
        /// The hooks.
        objects: Vec<DeleteObject>,
    },
    /// Take the hook finalizer off these objects: their operation is over, and they are to go.
    ReleaseHooks {
        /// The objects.
        objects: Vec<DeleteObject>,
    },
    /// Take this finalizer off the application.
    RemoveFinalizer {
        /// The finalizer.
        finalizer: &'static str,
    },
    /// Nothing is done about something, for a reason worth a log line.
    Skip {
        /// The reason.
        reason: String,
    },
    /// Ask for a refresh at this time; see [`crate::RefreshRequest`].
    RefreshAt {
        /// The time.
        at: Timestamp,
        /// Against what.
        compare_with: CompareWith,
        /// Why.
        cause: RefreshCause,
    },
    /// Decide again at this time, or when something happens.
    WakeAt {
        /// The time.
        at: Timestamp,
        /// What is due then.
        reason: &'static str,
    },
}

/// An object that is to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteObject {
    /// Its name.
    pub key: ResourceKey,
    /// Its kind, with the version to speak to.
    pub gvk: GroupVersionKind,
    /// Only the object of this uid.
    pub uid: String,
}

/// What the live state is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CompareWith {
    /// Nothing: only the tree is made anew.
    Nothing,
    /// The revision of the last comparison.
    Recent,
    /// The newest revision, which may be some minutes old.
    Latest,
    /// The newest revision, asked for right now.
    LatestForceResolve,
}

/// Why an application is refreshed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshCause {
    /// The annotation asks for it.
    Annotation(RefreshType),
    /// It never was.
    New,
    /// The comparison is too old.
    Expired,
    /// The rendering is too old.
    HardExpired,
    /// The sources changed.
    SourceChanged,
    /// The destination changed.
    DestinationChanged,
    /// The ignored differences changed.
    IgnoreDifferencesChanged,
    /// A repository's webhook.
    Webhook,
    /// Live objects changed.
    LiveChanged,
    /// An operation ended.
    OperationEnded,
    /// Something else in the controller.
    Requested(String),
}

impl fmt::Display for RefreshCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Annotation(level) => write!(formatter, "{level} refresh requested"),
            Self::New => formatter.write_str("never compared"),
            Self::Expired => formatter.write_str("comparison expired"),
            Self::HardExpired => formatter.write_str("comparison expired, requesting hard refresh"),
            Self::SourceChanged => formatter.write_str("spec.source differs"),
            Self::DestinationChanged => formatter.write_str("spec.destination differs"),
            Self::IgnoreDifferencesChanged => formatter.write_str("spec.ignoreDifferences differs"),
            Self::Webhook => formatter.write_str("repository changed"),
            Self::LiveChanged => formatter.write_str("live objects changed"),
            Self::OperationEnded => formatter.write_str("operation ended"),
            Self::Requested(reason) => formatter.write_str(reason),
        }
    }
}
