//! Kubernetes objects as values: what they are called, how they are read and written, how an
//! application's mark on them is found. Knows nothing of clusters, applications' settings or transports.

mod key;
mod shape;
mod value;

pub mod duration;
pub mod json;
pub mod quantity;
pub mod secret;
pub mod time;
pub mod tracking;
pub mod yaml;

pub use duration::GoDuration;
pub use json::{object_to_go_json, to_go_json};
pub use key::{GroupKind, GroupVersionKind, ResourceKey, split_api_version};
pub use quantity::Quantity;
pub use secret::{LAST_APPLIED_ANNOTATION, Secret, is_secret, mask_secret, normalize_secret};
pub use shape::Shape;
pub use tracking::{
    AppInstance, Tracking, TrackingId, TrackingMethod, is_crd, marked_application, owner_application,
    set_tracking,
};
pub use value::{InvalidObject, Object, OwnerReference};
