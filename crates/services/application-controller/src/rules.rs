//! The settings that reconciling depends on, read together whenever `argocd-cm` changes.

use health::{Checks, Limits};
use manifest_request::RenderSettings;
use settings::{
    CompareOptions, Customizations, Data, GlobalProjects, Impersonation, Problem, Reconciliation,
    ResourceFilter, ResourceLabels, Server, Tracking,
};
use std::sync::Arc;

/// Health checks, compiled. They are made of the customizations alone, so two of them never tell two readings apart.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compiled(pub(crate) Checks);

impl PartialEq for Compiled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// What to leave out of an update, compiled: made of the customizations alone, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct Updates(pub(crate) Arc<diff::Rules>);

impl PartialEq for Updates {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A reading of `argocd-cm`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) tracking: Tracking,
    pub(crate) filter: ResourceFilter,
    pub(crate) customizations: Customizations,
    pub(crate) checks: Compiled,
    pub(crate) updates: Updates,
    pub(crate) compare: CompareOptions,
    pub(crate) labels: ResourceLabels,
    pub(crate) reconciliation: Reconciliation,
    pub(crate) global_projects: GlobalProjects,
    pub(crate) impersonation: Impersonation,
    pub(crate) in_cluster_enabled: bool,
    pub(crate) rendering: RenderSettings,
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
        let (impersonation, found) = Impersonation::parse(data);
        keep(found);
        let (server, found) = Server::parse(data);
        keep(found);
        let (rendering, found) = RenderSettings::parse(data, tracking.clone());
        keep(found);
        let updates = compare::update_rules(&customizations).unwrap_or_else(|error| {
            let key = "resource.customizations.ignoreResourceUpdates".to_owned();
            problems.push(Problem { key, message: error.to_string() });
            diff::Rules::default()
        });
        let rules = Self {
            checks: Compiled(Checks::new(&customizations, Limits::default())),
            updates: Updates(Arc::new(updates)),
            tracking,
            filter,
            customizations,
            compare,
            labels: ResourceLabels::parse(data),
            reconciliation,
            global_projects,
            impersonation,
            in_cluster_enabled: server.in_cluster_enabled,
            rendering,
        };
        (rules, problems)
    }

    /// What the user's own health checks are made of.
    fn health_scripts(&self) -> impl Iterator<Item = (&str, &str, bool)> {
        let entries = self.customizations.overrides.iter();
        entries
            .filter(|(_, entry)| !entry.health_lua.is_empty())
            .map(|(key, entry)| (key.as_str(), entry.health_lua.as_str(), entry.use_open_libs))
    }

    /// Whether live objects must be read anew when these rules take the place of others.
    pub(crate) fn reads_differently(&self, before: &Self) -> bool {
        self.tracking != before.tracking
            || self.filter != before.filter
            || self.labels != before.labels
            || !self.health_scripts().eq(before.health_scripts())
    }
}
