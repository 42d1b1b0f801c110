//! What a repo-server counts, under the names dashboards know.

use boot::metrics::SharedRegistry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram};
use std::sync::PoisonError;
use std::time::Duration;
use transport::Calls;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GitLabels {
    repo: String,
    request_type: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    repo: String,
    revision: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RepositoryLabels {
    repo: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabels {
    hit: String,
}

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: Family<GitLabels, Counter>,
    seconds: Family<GitLabels, Histogram>,
    renders: Family<CacheLabels, Counter>,
    failed_listings: Family<FailureLabels, Counter>,
    failed_fetches: Family<FailureLabels, Counter>,
    pending: Family<RepositoryLabels, Gauge>,
    render_waits: Histogram,
    pub(crate) calls: Calls,
}

/// A request that is under way, counted until it is dropped.
pub(crate) struct Pending(Gauge);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn histogram() -> Histogram {
    Histogram::new([0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0])
}

/// Where a render came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The same revision was rendered before.
    Revision,
    /// Another revision was, and what it read is the same.
    ReadSet,
    /// It was rendered now.
    Rendered,
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            renders: Family::default(),
            failed_listings: Family::default(),
            failed_fetches: Family::default(),
            pending: Family::default(),
            render_waits: Histogram::new([0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0, 60.0, 120.0]),
            calls: Calls::new(registry, &[wire::DESCRIPTOR_SET, tonic_health::pb::FILE_DESCRIPTOR_SET]),
        };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("argocd_git_request", "Requests to git servers", metrics.requests.clone());
        let help = "How long requests to git servers took";
        registry.register("argocd_git_request_duration_seconds", help, metrics.seconds.clone());
        let help = "Listings of refs that failed";
        registry.register("argocd_git_lsremote_fail", help, metrics.failed_listings.clone());
        let help = "Fetches that failed";
        registry.register("argocd_git_fetch_fail", help, metrics.failed_fetches.clone());
        let help = "Requests for manifests under way";
        registry.register("argocd_repo_pending_request_total", help, metrics.pending.clone());
        let help = "How long renders waited for their turn, in seconds";
        registry.register(
            "argocd_repo_parallelism_wait_duration_seconds",
            help,
            metrics.render_waits.clone(),
        );
        registry.register(
            "argocd_repo_manifest_requests",
            "Renders asked for, by where they came from",
            metrics.renders.clone(),
        );
        metrics
    }

    pub(crate) fn git(&self, report: &git::RequestReport) {
        let labels =
            GitLabels { repo: report.repository.clone(), request_type: report.kind.as_str().to_owned() };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&labels).observe(report.duration.as_secs_f64());
    }

    pub(crate) fn listing_failed(&self, repository: &str, revision: &str) {
        let labels = FailureLabels { repo: repository.to_owned(), revision: revision.to_owned() };
        self.failed_listings.get_or_create(&labels).inc();
    }

    pub(crate) fn fetch_failed(&self, repository: &str, revision: &str) {
        let labels = FailureLabels { repo: repository.to_owned(), revision: revision.to_owned() };
        self.failed_fetches.get_or_create(&labels).inc();
    }

    pub(crate) fn pending(&self, repository: &str) -> Pending {
        let gauge = self.pending.get_or_create(&RepositoryLabels { repo: repository.to_owned() }).clone();
        gauge.inc();
        Pending(gauge)
    }

    pub(crate) fn render_waited(&self, waited: Duration) {
        self.render_waits.observe(waited.as_secs_f64());
    }

    pub(crate) fn render(&self, origin: Origin) {
        let hit = match origin {
            Origin::Revision => "revision",
            Origin::ReadSet => "read-set",
            Origin::Rendered => "none",
        };
        self.renders.get_or_create(&CacheLabels { hit: hit.to_owned() }).inc();
    }
}
