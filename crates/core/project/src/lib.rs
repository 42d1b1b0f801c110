//! What a project permits, asked by every entry through the same functions. Knows nothing of users or roles,
//! nor where projects are kept.

mod application;
mod cron;
mod destination;
mod inherit;
mod lookups;
mod permission;
mod repository_url;
mod service_account;
mod validation;
pub mod windows;

pub use application::{condition, forbidden_project, missing_project, validate_application};
pub use cron::{InvalidSchedule, Schedule};
pub use destination::{Cluster, Destination, destination_cluster};
pub use inherit::{effective, selects};
pub use lookups::PermittedLookups;
pub use permission::{
    ignores_orphan, permits_application_namespace, permits_destination, permits_kind, permits_live,
    permits_source,
};
pub use repository_url::normalized;
pub use service_account::{NoServiceAccount, service_account};
pub use validation::{Code, InvalidProject, valid_window, validate_project};
