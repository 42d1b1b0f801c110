//! Argo CD's RBAC policy: the CSV is parsed once, compiled per subject, and asked often. A decision names the
//! line that made it. Knows no accounts and no projects, only names.

mod builtin;
mod compiled;
mod glob;
mod policy;

pub use builtin::builtin;
pub use compiled::{Decision, Enforcer, MatchMode, Permissions, Request};
pub use glob::Glob;
pub use policy::{Effect, Policy, PolicyError, Rule};
