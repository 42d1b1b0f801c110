//! The few messages of Kubernetes that Argo CD's API embeds, with Kubernetes' field numbers and JSON.

pub mod apiextensions_v1;
pub mod core_v1;
pub mod intstr;
pub mod meta_v1;
pub mod runtime;
mod time;
