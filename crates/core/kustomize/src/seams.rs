//! What a build asks of the outside: remote bases and Helm charts.

use serde_json::Value;
use source_tree::{Tree, TreePath};
use std::sync::Arc;

/// Why something outside could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cause}")]
pub struct SeamError {
    /// What was tried on what.
    pub cause: String,
    /// Whether the same request may succeed later.
    pub retry: bool,
}

impl SeamError {
    /// A fact: asking again changes nothing.
    pub fn fact(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), retry: false }
    }
}

/// A repository as a kustomization names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteBase {
    /// Scheme, user, host and path to clone, `https://github.com/org/repo`.
    pub repository: String,
    /// Branch, tag or commit; nothing for the default branch.
    pub reference: Option<String>,
    /// Whether submodules belong to it.
    pub submodules: bool,
}

/// Bases and files that lie elsewhere.
pub trait Remote {
    /// The tree of a repository.
    fn tree(&self, base: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError>;

    /// What `http://` or `https://` gives.
    fn file(&self, url: &str) -> Result<Vec<u8>, SeamError>;
}

/// A chart to be rendered, as `helm template` would be called.
pub struct ChartRequest<'a> {
    /// The chart's name.
    pub name: &'a str,
    /// Its version; empty for the newest.
    pub version: &'a str,
    /// Where it comes from, `https://` or `oci://`; empty when it lies in the tree only.
    pub repository: &'a str,
    /// The tree of the kustomization.
    pub tree: &'a dyn Tree,
    /// Where in the tree the chart lies; nothing when it does not.
    pub path: Option<&'a TreePath>,
    /// Release name; empty for a generated one.
    pub release_name: &'a str,
    /// Release namespace; empty for the default.
    pub namespace: &'a str,
    /// A template for the release name; empty for none.
    pub name_template: &'a str,
    /// Values over the chart's own, in the order they are given: later ones win.
    pub values: &'a [Value],
    /// Further API versions there are.
    pub api_versions: &'a [String],
    /// The Kubernetes version; empty for the default.
    pub kube_version: &'a str,
    /// Whether the chart's CRDs belong to the output.
    pub include_crds: bool,
    /// Whether hooks are left out.
    pub skip_hooks: bool,
    /// Whether tests are left out.
    pub skip_tests: bool,
    /// Whether pre-releases count.
    pub devel: bool,
}

/// Renders Helm charts.
pub trait Charts {
    /// The manifests of a chart, as `helm template` prints them.
    fn render(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError>;

    /// The text of the chart's own `values.yaml`; asked only for charts that do not lie in the tree.
    fn own_values(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError>;
}

/// No remote bases and no charts: both are errors that say so.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Remote for Offline {
    fn tree(&self, _: &RemoteBase) -> Result<Arc<dyn Tree>, SeamError> {
        Err(SeamError::fact("remote bases are not available here"))
    }

    fn file(&self, _: &str) -> Result<Vec<u8>, SeamError> {
        Err(SeamError::fact("remote files are not available here"))
    }
}

impl Charts for Offline {
    fn render(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError> {
        Err(SeamError::fact(format!("chart {}: Helm charts are not available here", request.name)))
    }

    fn own_values(&self, request: &ChartRequest<'_>) -> Result<Vec<u8>, SeamError> {
        self.render(request)
    }
}
