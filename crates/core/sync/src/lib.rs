//! Syncing as a value. [`plan()`] turns a comparison into ordered tasks, [`step()`] says what to do next when
//! something happened, [`Progress`] is how far it is, [`after_attempt`] decides about another try.
//!
//! Knows no cluster and no clock: [`Effect`]s are done by somebody else, who reports back with [`Event`]s.

mod event;
mod hook;
mod message;
mod namespace;
mod options;
mod order;
mod plan;
mod progress;
mod results;
mod retry;
mod step;
mod task;
mod unknown;
mod wave;

pub use event::{Effect, Event, Failure, FailureKind, Health, LiveState, Outcome, Success};
pub use hook::{
    HookDeletePolicies, delete_policies, generated_name, hook_types, is_delete_hook, is_hook, is_ignored,
    is_skipped, sync_phases, wave,
};
pub use options::{DEFAULT_MIGRATION_MANAGER, ResourceOption, SyncOptions, has_option, option_value};
pub use order::kind_rank;
pub use plan::{Input, KindFact, NamespaceFact, Plan, PlanError, Resource, defined_kinds, plan};
pub use progress::Progress;
pub use retry::{
    AfterAttempt, RetryDue, after_attempt, begin_retry, go_duration, kitchen, next_retry, retry_due,
};
pub use step::step;
pub use task::{Propagation, Prune, Task, TaskId, Write, images};
pub use unknown::{UnknownValue, unknown_values};
