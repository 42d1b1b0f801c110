//! Custom resources whose health is more than a few questions.

pub(crate) mod crossplane;
pub(crate) mod gateways;
pub(crate) mod generations;
pub(crate) mod kruise;
pub(crate) mod machines;
pub(crate) mod numa;
pub(crate) mod policies;
pub(crate) mod promoter;
pub(crate) mod provisioning;
pub(crate) mod rollout;
pub(crate) mod secrets;
pub(crate) mod serving;
pub(crate) mod stores;
pub(crate) mod telemetry;
pub(crate) mod workloads;
