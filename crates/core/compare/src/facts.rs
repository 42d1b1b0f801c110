//! What a comparison needs to know beside the objects.

use api::codes::ConditionType;
use api::names::COMPARE_OPTIONS;
use api::v1alpha1::{AppProject, Application, ApplicationCondition};
use diff::DiffOptions;
use health::Checks;
use jiff::Timestamp;
use object::{AppInstance, GroupKind, Object, ResourceKey};
use project::Cluster;
use settings::{ResourceFilter, Tracking};
use std::collections::BTreeMap;

/// What is known when an application is compared.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The application.
    pub application: &'a Application,
    /// Its name inside marks.
    pub instance: &'a AppInstance,
    /// Its project, as [`project::effective`] makes it.
    pub project: &'a AppProject,
    /// The cluster its destination means.
    pub cluster: &'a Cluster,
    /// Clusters that belong to the project.
    pub own_clusters: &'a [Cluster],
    /// How objects are marked.
    pub tracking: &'a Tracking,
    /// Kinds left alone.
    pub filter: &'a ResourceFilter,
    /// How objects are compared, or why they cannot be.
    pub diff: Result<&'a DiffOptions, &'a str>,
    /// What the API server answered to dry runs, where the application is compared by them.
    pub server_side: Option<ServerSide<'a>>,
    /// Whether a kind's objects live in namespaces; none when the cluster does not say.
    pub namespaced: &'a dyn Fn(&GroupKind) -> Option<bool>,
    /// What tells the health of live objects.
    pub checks: &'a Checks,
    /// Now.
    pub now: Timestamp,
}

pub(crate) const SERVER_SIDE_APPLY: &str = "ServerSideApply=true";

/// Answers to dry runs of server-side applies.
#[derive(Clone, Copy, Debug)]
pub struct ServerSide<'a> {
    /// What each target would become, or why the server refuses it; of the targets whose object is live.
    pub predictions: &'a BTreeMap<ResourceKey, Result<Object, String>>,
    /// Whether what admission webhooks change counts.
    pub with_webhooks: bool,
}

/// Whether an application is compared by dry runs, and whether what webhooks change counts then. `default` is the
/// controller's setting. One that is applied by the server is compared by it, too; the application's annotation
/// overrules both.
pub fn server_side_diff(application: &Application, default: bool) -> Option<bool> {
    let options = application.metadata.annotations.get(COMPARE_OPTIONS).map_or("", String::as_str);
    let has = |wanted: &str| options.split(',').any(|option| option.trim() == wanted);
    let policy = application.spec.sync_policy.as_ref();
    let applied = policy.is_some_and(|policy| policy.sync_options.iter().any(|it| it == SERVER_SIDE_APPLY));
    let on = (default || applied || has("ServerSideDiff=true")) && !has("ServerSideDiff=false");
    on.then(|| has("IncludeMutationWebhook=true"))
}

impl Facts<'_> {
    pub(crate) fn condition(&self, kind: ConditionType, message: impl Into<String>) -> ApplicationCondition {
        project::condition(kind, message, self.now)
    }

    /// Namespace of the destination.
    pub(crate) fn namespace(&self) -> &str {
        &self.application.spec.destination.namespace
    }

    pub(crate) fn is_namespaced(&self, object: &Object) -> Option<bool> {
        (self.namespaced)(&object.group_kind())
    }

    /// Value of a sync option of the application.
    pub(crate) fn sync_option(&self, name: &str) -> Option<&str> {
        let options = &self.application.spec.sync_policy.as_ref()?.sync_options;
        options.iter().find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    }

    /// `namespace/name` of the application.
    pub(crate) fn qualified_name(&self) -> String {
        let metadata = &self.application.metadata;
        if metadata.namespace.is_empty() {
            metadata.name.clone()
        } else {
            format!("{}/{}", metadata.namespace, metadata.name)
        }
    }
}
