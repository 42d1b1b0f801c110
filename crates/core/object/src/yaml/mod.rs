//! YAML as Go's `sigs.k8s.io/yaml` reads and writes it: YAML 1.1 scalars in, JSON values out, keys sorted
//! naturally on the way back. Kubernetes, Helm and Argo CD all go through that library, so `on`, `0644` and
//! `1_000` mean here what they mean there.
//!
//! Knows nothing of Kubernetes objects; see [`crate::Object`] for those.

mod compose;
mod emit;
mod resolve;

pub use compose::{Document, Limits, YamlError, decode, decode_documents, decode_within};
pub use emit::encode;
