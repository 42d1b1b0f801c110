//! What the api-server counts, under the names dashboards know.

use boot::metrics::SharedRegistry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family};
use std::sync::PoisonError;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoginLabels {
    status: String,
}

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    logins: Family<LoginLabels, Counter>,
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let metrics = Self { logins: Family::default() };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("argocd_login_request", "Logins tried, by how they went", metrics.logins.clone());
        metrics
    }

    /// Counts a login.
    pub(crate) fn login(&self, succeeded: bool) {
        let status = if succeeded { "success" } else { "failure" };
        self.logins.get_or_create(&LoginLabels { status: status.to_owned() }).inc();
    }
}
