//! Why a source does not render. Texts that users of Argo CD know are the original's.

use kustomize::SeamError;
use object::tracking::MarkError;
use source_tree::{InvalidPath, TreeError};

/// Why a source does not render.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// The source's path is not there.
    #[error("{path}: app path does not exist")]
    NoPath {
        /// The path.
        path: String,
    },
    /// The source's path is a file.
    #[error("{path}: app path is not a directory")]
    NotAFolder {
        /// The path.
        path: String,
    },
    /// The source's path is not relative to the repository.
    #[error("{path}: app path is absolute")]
    AbsolutePath {
        /// The path.
        path: String,
    },
    /// The source's path climbs out of the repository, or is not a path.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// The tree could not be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A manifest file does not parse.
    #[error("Failed to unmarshal {file:?}: {reason}")]
    Manifest {
        /// Its name, as the original shows it.
        file: String,
        /// Its path in the repository.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// A chart gives no manifests.
    #[error("helm template {path}: {error}")]
    Helm {
        /// The chart's path.
        path: String,
        /// Why.
        error: helm::Error,
    },
    /// A kustomization gives no manifests.
    #[error("kustomize build {path}: {error}")]
    Kustomize {
        /// The kustomization's path.
        path: String,
        /// Why.
        error: kustomize::Error,
    },
    /// What the source says of its engine cannot be used.
    #[error("{path}: {reason}")]
    Parameters {
        /// The source's path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A pattern means no values files. They may still come: it is no mistake of the source.
    #[error("{path}: values file glob {pattern:?} matched no files")]
    NoValuesFiles {
        /// The source's path.
        path: String,
        /// The pattern, as the source says it.
        pattern: String,
    },
    /// A chart that the source's chart needs could not be had.
    #[error("{path}: {error}")]
    Dependency {
        /// The source's path.
        path: String,
        /// Where all charts lie that it needs, in the order and the words of `Chart.yaml`.
        repositories: Vec<String>,
        /// What was tried, and why it failed.
        error: SeamError,
    },
    /// Something outside of the tree could not be had.
    #[error("{path}: {error}")]
    Fetch {
        /// The source's path.
        path: String,
        /// What was tried, and why it failed.
        error: SeamError,
    },
    /// A Jsonnet file does not evaluate.
    #[error("Failed to evaluate jsonnet {file:?}: {error}")]
    Jsonnet {
        /// Its name, as the original shows it.
        file: String,
        /// Why.
        error: jsonnet::JsonnetError,
    },
    /// What a Jsonnet file gives are no objects.
    #[error("Failed to unmarshal generated json {file:?}: {reason}")]
    Generated {
        /// Its name, as the original shows it.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A file holds what a directory source cannot take.
    #[error("{path}: {reason}")]
    File {
        /// Its path in the repository.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A pattern of the source cannot be read.
    #[error("directory {field} {pattern:?}: {reason}")]
    Pattern {
        /// `include` or `exclude`.
        field: &'static str,
        /// The pattern.
        pattern: String,
        /// What is wrong.
        reason: String,
    },
    /// More than the limits allow.
    #[error("{what} of {path} exceed the limit of {limit}")]
    TooMuch {
        /// The source's path.
        path: String,
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// Several kinds of source at once.
    #[error("multiple application sources defined: {0}")]
    Ambiguous(String),
    /// An override file cannot be applied.
    #[error("{path}: {reason}")]
    Override {
        /// Its path.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A plugin gives no manifests.
    #[error("plugin sidecar failed. {0}")]
    Plugin(SeamError),
    /// The application's mark could not be made.
    #[error(transparent)]
    Mark(#[from] MarkError),
}

impl RenderError {
    /// Whether trying again may help without anybody changing anything.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Tree(error) => error.retryable(),
            Self::Jsonnet { error, .. } => error.retryable(),
            Self::Helm { error, .. } => error.retryable(),
            Self::Kustomize { error, .. } => error.retryable(),
            Self::Dependency { error, .. } | Self::Fetch { error, .. } | Self::Plugin(error) => error.retry,
            _ => false,
        }
    }

    /// Whether the original answers it with gRPC `FailedPrecondition`.
    pub fn failed_precondition(&self) -> bool {
        matches!(self, Self::Manifest { .. } | Self::Jsonnet { .. } | Self::Generated { .. })
    }
}
