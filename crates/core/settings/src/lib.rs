//! What users wrote in `argocd-cm` and `argocd-rbac-cm`, one small struct per concern. Reading never fails:
//! a value that cannot be read leaves its default in place and is told as a [`Problem`]. Knows nothing of
//! where the ConfigMaps are kept, and holds no secret.

mod comparison;
mod customizations;
mod duration;
mod labels;
mod rbac;
mod reader;
mod reconciliation;
mod resources;
mod server;
mod sessions;
mod sync;
mod tools;
mod tracking;
mod ui;

pub use comparison::{CompareOptions, StatusField};
pub use customizations::{Customizations, concerns, override_key};
pub use duration::go_duration;
pub use labels::ResourceLabels;
pub use rbac::{MatchMode, RbacPolicy};
pub use reader::{Data, Problem};
pub use reconciliation::Reconciliation;
pub use resources::{FilteredResource, ResourceFilter};
pub use server::{DeepLinks, Server};
pub use sessions::Sessions;
pub use sync::{GlobalProject, GlobalProjects, Impersonation, RespectRbac};
pub use tools::{Helm, Kustomize, SourceTypes};
pub use tracking::Tracking;
pub use ui::{Banner, Help, Ui};
