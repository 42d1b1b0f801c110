//! What a repo-server counts, under the names dashboards know.

use boot::metrics::SharedRegistry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use std::sync::PoisonError;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GitLabels {
    repo: String,
    request_type: String,
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
        };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("argocd_git_request", "Requests to git servers", metrics.requests.clone());
        let help = "How long requests to git servers took";
        registry.register("argocd_git_request_duration_seconds", help, metrics.seconds.clone());
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

    pub(crate) fn render(&self, origin: Origin) {
        let hit = match origin {
            Origin::Revision => "revision",
            Origin::ReadSet => "read-set",
            Origin::Rendered => "none",
        };
        self.renders.get_or_create(&CacheLabels { hit: hit.to_owned() }).inc();
    }
}
