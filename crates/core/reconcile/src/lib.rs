//! One application's next decision: [`decide`] takes what is observed and gives actions, each with its reason.
//!
//! Knows no cluster, no Git and no clock. Comparing, syncing and writing are done elsewhere; what comes of them is
//! observed the next time.

mod action;
mod attempt;
mod automatic;
mod condition;
mod decide;
mod deletion;
mod history;
mod observed;
mod operation;
mod permission;
mod refresh;
mod refreshed;

pub use action::{Action, CompareWith, DeleteObject, RefreshCause};
pub use attempt::{
    Conclusion, Ended, conclude, note_namespace, operation_revisions, operation_sources, recorded,
    settle_result,
};
pub use automatic::self_heal_wait;
pub use condition::{set_conditions, sorted_conditions};
pub use decide::decide;
pub use deletion::{hooks_to_clean, named_delete_hooks};
pub use history::record_history;
pub use observed::{
    BrokenHook, Comparison, Deletion, HookRun, Managed, Observed, RefreshRequest, RunningOperation,
    SelfHealBackoff, Settings,
};
pub use operation::{begin, is_in_progress};
pub use permission::{is_automated, is_deletion_confirmed, is_skipped};
pub use refreshed::{
    Found, compared_status, compared_to, holds_back, invalid_status, outcome, refresh_revisions, stamped,
    told_revisions,
};
