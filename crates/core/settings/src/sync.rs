//! Switches of syncing and of what may be seen of a cluster, and projects that others inherit from.

use crate::reader::{Data, Problem, Reader, text};
use api::k8s::meta_v1::LabelSelector;
use serde_json::Value;

/// Whether a sync acts as the service account its project names for the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Impersonation {
    /// Whether it does.
    pub enabled: bool,
    /// Whether a destination without service account fails the sync.
    pub enforced: bool,
}

/// What the cluster cache does with kinds it may not list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RespectRbac {
    /// Fails.
    #[default]
    Off,
    /// Skips them when listing says so.
    Normal,
    /// Asks the API server first.
    Strict,
}

/// Projects whose limits others inherit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GlobalProjects(
    /// In the order written.
    pub Vec<GlobalProject>,
);

/// One such project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GlobalProject {
    /// The project inherited from.
    pub name: String,
    /// Which projects inherit.
    pub selector: LabelSelector,
}

impl Impersonation {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let impersonation = Self {
            enabled: reader.flag("application.sync.impersonation.enabled", false),
            enforced: reader.flag("application.sync.impersonation.enforced", true),
        };
        (impersonation, reader.problems)
    }
}

impl RespectRbac {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut reader = Reader::new(data);
        let respect = match reader.text("resource.respectRBAC") {
            "" => Self::Off,
            "normal" => Self::Normal,
            "strict" => Self::Strict,
            word => {
                reader.problem("resource.respectRBAC", format!("{word:?} is neither normal nor strict"));
                Self::Off
            }
        };
        (respect, reader.problems)
    }
}

impl GlobalProjects {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        const KEY: &str = "globalProjects";
        let mut reader = Reader::new(data);
        let mut projects = Vec::new();
        for entry in reader.yaml_list(KEY) {
            let name = text(&entry, "projectName");
            let selector = entry.get("labelSelector").cloned().unwrap_or(Value::Null);
            match serde_json::from_value::<Option<LabelSelector>>(selector) {
                Ok(selector) => projects.push(GlobalProject { name, selector: selector.unwrap_or_default() }),
                Err(error) => reader.problem(KEY, format!("labelSelector of {name:?}: {error}")),
            }
        }
        (Self(projects), reader.problems)
    }
}
