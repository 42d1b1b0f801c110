//! The settings that reconciling depends on, read together whenever `argocd-cm` changes.

use settings::{
    CompareOptions, Customizations, Data, GlobalProjects, Problem, Reconciliation, ResourceFilter,
    ResourceLabels, Server, SourceTypes, Tracking,
};
use std::collections::BTreeMap;

/// A reading of `argocd-cm`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) tracking: Tracking,
    pub(crate) filter: ResourceFilter,
    pub(crate) customizations: Customizations,
    pub(crate) compare: CompareOptions,
    pub(crate) labels: ResourceLabels,
    pub(crate) reconciliation: Reconciliation,
    pub(crate) global_projects: GlobalProjects,
    pub(crate) in_cluster_enabled: bool,
    pub(crate) enabled_source_types: BTreeMap<String, bool>,
}

impl Rules {
    /// Reads the settings; what cannot be read keeps its default and is named.
    pub(crate) fn parse(data: &Data) -> (Self, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut keep = |found: Vec<Problem>| problems.extend(found);
        let (tracking, found) = Tracking::parse(data);
        keep(found);
        let (filter, found) = ResourceFilter::parse(data);
        keep(found);
        let (customizations, found) = Customizations::parse(data);
        keep(found);
        let (compare, found) = CompareOptions::parse(data);
        keep(found);
        let (reconciliation, found) = Reconciliation::parse(data);
        keep(found);
        let (global_projects, found) = GlobalProjects::parse(data);
        keep(found);
        let (server, found) = Server::parse(data);
        keep(found);
        let (types, found) = SourceTypes::parse(data);
        keep(found);
        let enabled_source_types =
            [("Helm", types.helm), ("Kustomize", types.kustomize), ("Directory", types.directory)];
        let rules = Self {
            tracking,
            filter,
            customizations,
            compare,
            labels: ResourceLabels::parse(data),
            reconciliation,
            global_projects,
            in_cluster_enabled: server.in_cluster_enabled,
            enabled_source_types: enabled_source_types.map(|(name, on)| (name.to_owned(), on)).into(),
        };
        (rules, problems)
    }

    /// Whether live objects must be read anew when these rules take the place of others.
    pub(crate) fn reads_differently(&self, before: &Self) -> bool {
        self.tracking != before.tracking || self.filter != before.filter || self.labels != before.labels
    }
}
