//! What users wrote in `argocd-cm` and `argocd-rbac-cm`, one small struct per concern. Reading never fails:
//! a value that cannot be read leaves its default in place and is told as a [`Problem`]. Knows nothing of
//! where the ConfigMaps are kept; what they refer to in Secrets is asked of the caller and kept in a type that does not print.

mod comparison;
mod customizations;
mod dex;
mod duration;
mod extensions;
mod labels;
mod pull_requests;
mod rbac;
mod reader;
mod reconciliation;
mod references;
mod resources;
mod server;
mod sessions;
mod single_sign_on;
mod sync;
mod tools;
mod tracking;
mod ui;

pub use comparison::{CompareOptions, StatusField};
pub use customizations::{Customizations, concerns, override_key};
pub use dex::{CERTIFICATE, CERTIFICATE_KEY, DexFacts, below, dex_configuration, dex_issuer, masked};
pub use duration::go_duration;
pub use extensions::{Extension, ExtensionService, extensions};
pub use labels::ResourceLabels;
pub use pull_requests::{PullRequestAccount, PullRequestApp, PullRequests};
pub use rbac::{MatchMode, RbacPolicy};
pub use reader::{Data, Problem};
pub use reconciliation::Reconciliation;
pub use references::{Lookup, resolve, resolve_text};
pub use resources::{FilteredResource, ResourceFilter};
pub use server::{DeepLinks, Server};
pub use sessions::Sessions;
pub use single_sign_on::{
    Azure, DEX_CLI_CLIENT, DEX_CLIENT, Dex, Oidc, RequestedClaim, SingleSignOn, UserInfo, scopes,
};
pub use sync::{GlobalProject, GlobalProjects, Impersonation, RespectRbac};
pub use tools::{Helm, Kustomize, SourceTypes};
pub use tracking::Tracking;
pub use ui::{Banner, Help, Ui};
