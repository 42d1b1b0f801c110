//! OCI registries. Knows nothing of charts but that one is a layer of a certain type.

mod challenge;
mod error;
mod manifest;
mod reference;
mod registries;
mod session;

pub use error::OciError;
pub use manifest::{CHART_LAYER, Descriptor, LAYERS, Manifest};
pub use reference::{Reference, is_digest};
pub use registries::{Freshness, Options, Registries, Repository};
