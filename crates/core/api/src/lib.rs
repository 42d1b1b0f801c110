//! Application, AppProject, ApplicationSet and what else the API speaks of, as data.
//!
//! One Rust definition per message: `serde` gives the JSON of Kubernetes and of the REST API, `prost` the
//! protobuf of the gRPC API with the original's field numbers, `schemars` the CRD schema. Decides nothing.

pub mod build;
pub mod codes;
pub mod crd;
mod go;
pub mod k8s;
pub mod names;
mod root;
pub mod v1alpha1;

pub use root::{API_VERSION, GROUP, InvalidRoot, Root};
