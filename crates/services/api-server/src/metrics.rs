//! What the api-server counts, under the names dashboards know.

use boot::metrics::SharedRegistry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, info::Info};
use std::sync::PoisonError;
use transport::Calls;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoginLabels {
    status: String,
}

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    logins: Family<LoginLabels, Counter>,
    pub(crate) calls: Calls,
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let descriptors = [wire::DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET];
        let metrics = Self { logins: Family::default(), calls: Calls::new(registry, &descriptors) };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let version = Info::new(vec![("version", concat!("v", env!("CARGO_PKG_VERSION")))]);
        registry.register("argocd", "The version that runs", version);
        registry.register("argocd_login_request", "Logins tried, by how they went", metrics.logins.clone());
        metrics
    }

    /// Counts a login.
    pub(crate) fn login(&self, succeeded: bool) {
        let status = if succeeded { "success" } else { "failure" };
        self.logins.get_or_create(&LoginLabels { status: status.to_owned() }).inc();
    }
}
