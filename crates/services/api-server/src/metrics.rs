//! What the api-server counts, under the names dashboards know.

use boot::metrics::SharedRegistry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram, info::Info};
use std::sync::PoisonError;
use transport::Calls;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LoginLabels {
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExtensionLabels {
    extension: String,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ExtensionName {
    extension: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PullRequestLabels {
    what: String,
    succeeded: String,
}

/// Seconds that backends of extensions take.
const EXTENSION_BUCKETS: [f64; 7] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0];

fn extension_seconds() -> Histogram {
    Histogram::new(EXTENSION_BUCKETS)
}

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    logins: Family<LoginLabels, Counter>,
    extensions: Family<ExtensionLabels, Counter>,
    extension_seconds: Family<ExtensionName, Histogram, fn() -> Histogram>,
    pull_requests: Family<PullRequestLabels, Counter>,
    pub(crate) calls: Calls,
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let metrics = Self {
            logins: Family::default(),
            extensions: Family::default(),
            extension_seconds: Family::new_with_constructor(extension_seconds),
            pull_requests: Family::default(),
            calls: Calls::new(registry, &[wire::DESCRIPTOR_SET]),
        };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let version = Info::new(vec![("version", concat!("v", env!("CARGO_PKG_VERSION")))]);
        registry.register("argocd", "The version that runs", version);
        registry.register("argocd_login_request", "Logins tried, by how they went", metrics.logins.clone());
        registry.register(
            "argocd_pull_request_feedback",
            "What pull requests were told, and how that went",
            metrics.pull_requests.clone(),
        );
        registry.register(
            "argocd_proxy_extension_request",
            "Requests passed on to extensions",
            metrics.extensions.clone(),
        );
        registry.register(
            "argocd_proxy_extension_request_duration_seconds",
            "How long extensions took to answer",
            metrics.extension_seconds.clone(),
        );
        metrics
    }

    /// Counts a request that was passed on to an extension.
    pub(crate) fn extension(&self, name: &str, status: u16, took: std::time::Duration) {
        let labels = ExtensionLabels { extension: name.to_owned(), status: status.to_string() };
        self.extensions.get_or_create(&labels).inc();
        let name = ExtensionName { extension: name.to_owned() };
        self.extension_seconds.get_or_create(&name).observe(took.as_secs_f64());
    }

    /// Counts what a pull request was told: a `status`, a `comment`; or that it could not be looked at.
    pub(crate) fn pull_request(&self, what: &str, succeeded: bool) {
        let labels = PullRequestLabels { what: what.to_owned(), succeeded: succeeded.to_string() };
        self.pull_requests.get_or_create(&labels).inc();
    }

    /// Counts a login.
    pub(crate) fn login(&self, succeeded: bool) {
        let status = if succeeded { "success" } else { "failure" };
        self.logins.get_or_create(&LoginLabels { status: status.to_owned() }).inc();
    }
}
