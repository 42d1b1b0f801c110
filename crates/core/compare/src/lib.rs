//! Targets × live objects → [`Comparison`]: sync status, health, the state of each resource, and conditions
//! with reasons. Controller, API, CLI and previews call it, so they cannot disagree. Decides nothing about
//! what to do with the answer.

mod application_health;
mod comparison;
mod facts;
mod namespace;
mod options;
mod pair;
mod targets;
mod verdict;

pub use comparison::{ComparedResource, Comparison};
pub use facts::{Facts, ServerSide, server_side_diff};
pub use options::{diff_options, update_rules};
pub use pair::kept_from_pruning;
pub use targets::{Targets, targets};
pub use verdict::{compare, orphaned_condition};
