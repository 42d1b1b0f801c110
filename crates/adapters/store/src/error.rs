//! What can go wrong with the hub's objects.

use object::InvalidObject;

/// Why an object of the hub could not be read or written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// The hub's API server refused, or did not answer.
    #[error(transparent)]
    Cluster(#[from] kubernetes::Error),
    /// The object is there, but not of the shape its kind has.
    #[error("{kind} {namespace}/{name} is invalid: {reason}")]
    Invalid {
        /// Kind.
        kind: String,
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
        /// Which member is wrong, and how.
        reason: String,
    },
    /// There is no such object.
    #[error("{kind} {name:?} not found")]
    NotFound {
        /// Kind.
        kind: &'static str,
        /// Name, URL or server.
        name: String,
    },
    /// A repository or a credential template that is registered already.
    #[error("{kind} {name:?} already exists")]
    Registered {
        /// What it is.
        kind: &'static str,
        /// URL.
        name: String,
    },
    /// A repository or a credential template that is not registered.
    #[error("{kind} '{name}' not found")]
    NotRegistered {
        /// What it is.
        kind: &'static str,
        /// URL.
        name: String,
    },
    /// The Secret that a registration would be kept in is somebody else's.
    #[error(
        "secret {0:?} doesn't have the proper \"argocd.argoproj.io/secret-type\" label: please fix the secret or delete it"
    )]
    Unmarked(String),
    /// An operation runs already.
    #[error("another operation is already in progress")]
    OperationInProgress,
    /// The object in memory was replaced by another of the same name.
    #[error("{kind} {namespace}/{name} is not the object it was: it was deleted and created anew")]
    Replaced {
        /// Kind.
        kind: &'static str,
        /// Namespace.
        namespace: String,
        /// Name.
        name: String,
    },
    /// The namespace is not one applications may live in.
    #[error("namespace {0:?} is not permitted")]
    NamespaceNotPermitted(String),
    /// Too many others wrote the object at the same time.
    #[error("write {0}: someone else keeps changing it")]
    Contention(String),
    /// The resource version asked for is older than what is remembered.
    #[error("the resource version is too old")]
    Expired,
}

impl StoreError {
    /// Whether the object is not there.
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::NotFound { .. } | Self::NotRegistered { .. } => true,
            Self::Cluster(error) => error.is_not_found(),
            _ => false,
        }
    }
}

impl From<InvalidObject> for StoreError {
    fn from(error: InvalidObject) -> Self {
        Self::Cluster(kubernetes::Error::InvalidObject(error.to_string()))
    }
}
