//! What a comparison needs to know of the simulated world beside the objects.

use api::v1alpha1::{AppProject, Application};
use compare::Facts;
use diff::DiffOptions;
use health::{Checks, Limits};
use jiff::Timestamp;
use object::{AppInstance, GroupKind, GroupVersionKind};
use project::Cluster;
use serde_json::json;
use settings::{CompareOptions, Customizations, Data, ResourceFilter, Tracking};

/// The only cluster.
pub const SERVER: &str = "https://kubernetes.default.svc";
/// The application under test.
pub const APPLICATION: &str = "app";
/// The other application that syncs, in histories that have one.
pub const SECOND: &str = "second";
/// Another application, whose objects are nobody else's business.
pub const OTHER: &str = "other";

/// Settings that stay as they are through a history.
#[derive(Clone, Debug)]
pub struct Given {
    /// How objects are marked.
    pub tracking: Tracking,
    /// The application's name inside marks.
    pub instance: AppInstance,
    /// The project, which permits everything until people change it.
    pub project: AppProject,
    filter: ResourceFilter,
    cluster: Cluster,
    checks: Checks,
    customizations: Customizations,
}

impl Given {
    /// The usual settings.
    pub fn new(track_by_label: bool) -> Self {
        let mut data = Data::default();
        if track_by_label {
            data.insert("application.resourceTrackingMethod".into(), "label".into());
        }
        let project = json!({"metadata": {"name": "default"}, "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        }});
        let customizations = Customizations::default();
        Self {
            tracking: Tracking::parse(&data).0,
            instance: AppInstance::new("argocd", APPLICATION, "argocd"),
            project: match serde_json::from_value(project) {
                Ok(project) => project,
                Err(error) => unreachable!("the project reads: {error}"),
            },
            filter: ResourceFilter::parse(&data).0,
            cluster: Cluster { server: SERVER.into(), name: "in-cluster".into() },
            checks: Checks::new(&customizations, Limits::default()),
            customizations,
        }
    }

    /// The destination's cluster.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// What tells health.
    pub fn checks(&self) -> &Checks {
        &self.checks
    }

    /// How an application's objects are compared.
    pub fn diff_options(&self, application: &Application) -> Result<DiffOptions, String> {
        let compare = CompareOptions::default();
        compare::diff_options(application, &self.customizations, compare, &self.tracking)
            .map_err(|error| error.to_string())
    }

    /// Works with the facts of one comparison.
    pub fn with<T>(
        &self,
        application: &Application,
        serves: &dyn Fn(&GroupVersionKind) -> Option<bool>,
        now: Timestamp,
        work: impl FnOnce(&Facts<'_>) -> T,
    ) -> T {
        let options = self.diff_options(application);
        let namespaced = |kind: &GroupKind| serves(&GroupVersionKind::new(&kind.group, "v1", &kind.kind));
        work(&Facts {
            application,
            instance: &self.instance,
            project: &self.project,
            cluster: &self.cluster,
            own_clusters: &[],
            tracking: &self.tracking,
            filter: &self.filter,
            diff: options.as_ref().map_err(String::as_str),
            server_side: None,
            namespaced: &namespaced,
            checks: &self.checks,
            now,
        })
    }
}
