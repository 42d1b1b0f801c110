//! Why a chart gives no manifests.

use std::fmt;

/// A dependency that `charts/` does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingDependency {
    /// The chart's name.
    pub name: String,
    /// Where it is to be had: a URL, an alias, or empty.
    pub repository: String,
    /// The versions that will do.
    pub version: String,
}

/// Why a chart gives no manifests. None but [`Error::Tree`] is helped by a retry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The source could not be read.
    #[error(transparent)]
    Tree(#[from] source_tree::TreeError),
    /// The chart's files are not a chart.
    #[error("{0}")]
    Load(String),
    /// The chart needs charts that are not there: the caller may fetch them.
    #[error("found in Chart.yaml, but missing in charts/ directory: {}", Names(.0))]
    MissingDependencies(Vec<MissingDependency>),
    /// The chart only lends its templates to others.
    #[error("{kind} charts are not installable")]
    NotInstallable {
        /// Its type.
        kind: String,
    },
    /// Values or parameters could not be read or merged.
    #[error("{0}")]
    Values(String),
    /// The values are not what `values.schema.json` asks for.
    #[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{0}")]
    Schema(String),
    /// The chart is not for this cluster.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}")]
    KubeVersion {
        /// What the chart asks for.
        wanted: String,
        /// What the cluster is.
        version: String,
    },
    /// A template could not be read or failed.
    #[error("{0}")]
    Template(String),
    /// What came out is no manifest.
    #[error("{0}")]
    Manifest(String),
    /// A limit was passed.
    #[error("{0}")]
    Limit(String),
}

impl Error {
    /// Whether asking again may help.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Tree(error) if error.retryable())
    }
}

struct Names<'a>(&'a [MissingDependency]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, dependency) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            formatter.write_str(&dependency.name)?;
        }
        Ok(())
    }
}
