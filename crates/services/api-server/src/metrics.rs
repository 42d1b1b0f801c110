//! What the api-server counts, under the names dashboards know.

use boot::metrics::SharedRegistry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{
    counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info,
};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabels {
    repo: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CarriedLabels {
    repo: String,
    successful: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PushLabels {
    until: &'static str,
}

/// Repositories that are counted by their names: whoever may send can make up any number.
const MOST_REPOSITORIES: usize = 10_000;

/// Seconds from a push until an application has it.
const PUSH_BUCKETS: [f64; 12] = [0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

fn push_seconds() -> Histogram {
    Histogram::new(PUSH_BUCKETS)
}

/// What webhooks are counted by.
#[derive(Clone, Debug)]
struct Webhooks {
    requests: Family<WebhookLabels, Counter>,
    carried_over: Family<CarriedLabels, Counter>,
    in_flight: Gauge,
    pushes: Family<PushLabels, Histogram, fn() -> Histogram>,
    repositories: Arc<Mutex<BTreeSet<String>>>,
}

impl Webhooks {
    fn new() -> Self {
        Self {
            requests: Family::default(),
            carried_over: Family::default(),
            in_flight: Gauge::default(),
            pushes: Family::new_with_constructor(push_seconds),
            repositories: Arc::default(),
        }
    }

    /// The name a repository is counted by.
    fn name(&self, repository: &str) -> String {
        let mut known = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_REPOSITORIES {
            known.insert(repository.to_owned());
        }
        if known.contains(repository) { repository.to_owned() } else { "other".to_owned() }
    }
}

/// A push that is looked at, as long as this lives.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
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
    webhooks: Webhooks,
    pub(crate) calls: Calls,
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let metrics = Self {
            logins: Family::default(),
            extensions: Family::default(),
            extension_seconds: Family::new_with_constructor(extension_seconds),
            pull_requests: Family::default(),
            webhooks: Webhooks::new(),
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
            "argocd_webhook_requests",
            "Pushes heard of, by repository",
            metrics.webhooks.requests.clone(),
        );
        registry.register(
            "argocd_webhook_store_cache_attempts",
            "Applications that follow what was pushed, by repository and by whether they are known to need no render for it",
            metrics.webhooks.carried_over.clone(),
        );
        registry.register(
            "argocd_webhook_handlers_in_flight",
            "Pushes that are looked at now",
            metrics.webhooks.in_flight.clone(),
        );
        registry.register(
            "argocd_webhook_push_duration_seconds",
            "Time from a push until a sync of its commit started, succeeded, and the application was healthy with it",
            metrics.webhooks.pushes.clone(),
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

    /// Counts a push to a repository.
    pub(crate) fn webhook(&self, repository: &str) {
        let labels = WebhookLabels { repo: self.webhooks.name(repository) };
        self.webhooks.requests.get_or_create(&labels).inc();
    }

    /// Counts applications that need no render for a push to a repository they follow, and those of which that is not known.
    pub(crate) fn carried_over(&self, repository: &str, carried: usize, unknown: usize) {
        for (successful, applications) in [("true", carried), ("false", unknown)] {
            if applications > 0 {
                let labels =
                    CarriedLabels { repo: self.webhooks.name(repository), successful: successful.to_owned() };
                let count = u64::try_from(applications).unwrap_or(u64::MAX);
                self.webhooks.carried_over.get_or_create(&labels).inc_by(count);
            }
        }
    }

    /// Counts a push as looked at until what comes back is dropped.
    pub(crate) fn webhook_handler(&self) -> InFlight {
        self.webhooks.in_flight.inc();
        InFlight(self.webhooks.in_flight.clone())
    }

    /// How long an application took from a push to a stage.
    pub(crate) fn pushed(&self, until: &'static str, took: std::time::Duration) {
        self.webhooks.pushes.get_or_create(&PushLabels { until }).observe(took.as_secs_f64());
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
