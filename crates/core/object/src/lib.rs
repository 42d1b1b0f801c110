//! Kubernetes objects as values: what they are called, how they are read and written, how an
//! application's mark on them is found. Knows nothing of clusters, applications' settings or transports.

mod key;
mod value;

pub use key::{GroupKind, GroupVersionKind, ResourceKey, split_api_version};
pub use value::{InvalidObject, Object, OwnerReference};
