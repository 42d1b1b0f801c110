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
    registry_requests: Family<GitLabels, Counter>,
    registry_seconds: Family<GitLabels, Histogram>,
    failed_resolutions: Family<FailureLabels, Counter>,
    failed_extractions: Family<FailureLabels, Counter>,
    failed_metadata: Family<FailureLabels, Counter>,
    failed_tags: Family<RepositoryLabels, Counter>,
    failed_tests: Family<RepositoryLabels, Counter>,
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

/// An operation on a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegistryRequest {
    /// What a revision means.
    ResolveRevision,
    /// An artifact's content.
    Extract,
    /// An artifact's manifest.
    DigestMetadata,
    /// Tags.
    GetTags,
    /// Whether it answers.
    TestRepository,
}

impl RegistryRequest {
    fn as_str(self) -> &'static str {
        match self {
            Self::ResolveRevision => "resolve-revision",
            Self::Extract => "extract",
            Self::DigestMetadata => "digest-metadata",
            Self::GetTags => "get-tags",
            Self::TestRepository => "test-repo",
        }
    }
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            renders: Family::default(),
            failed_listings: Family::default(),
            failed_fetches: Family::default(),
            registry_requests: Family::default(),
            registry_seconds: Family::new_with_constructor(histogram),
            failed_resolutions: Family::default(),
            failed_extractions: Family::default(),
            failed_metadata: Family::default(),
            failed_tags: Family::default(),
            failed_tests: Family::default(),
            pending: Family::default(),
            render_waits: Histogram::new([0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0, 20.0, 60.0, 120.0]),
            calls: Calls::new(registry, &[wire::DESCRIPTOR_SET]),
        };
        metrics.register_registries(registry);
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

    fn register_registries(&self, registry: &SharedRegistry) {
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "Operations on registries";
        registry.register("argocd_oci_request", help, self.registry_requests.clone());
        let help = "How long operations on registries took";
        registry.register("argocd_oci_request_duration_seconds", help, self.registry_seconds.clone());
        let help = "Revisions that could not be resolved by a registry";
        registry.register("argocd_oci_resolve_revision_fail", help, self.failed_resolutions.clone());
        let help = "Artifacts that could not be extracted";
        registry.register("argocd_oci_extract_fail", help, self.failed_extractions.clone());
        let help = "Manifests of artifacts that could not be read";
        registry.register("argocd_oci_digest_metadata_fail", help, self.failed_metadata.clone());
        let help = "Listings of tags that failed";
        registry.register("argocd_oci_get_tags_fail", help, self.failed_tags.clone());
        let help = "Tests of registries that failed";
        registry.register("argocd_oci_test_repo_fail", help, self.failed_tests.clone());
    }

    pub(crate) fn registry(&self, repository: &str, request: RegistryRequest, took: Duration) {
        let labels = GitLabels { repo: repository.to_owned(), request_type: request.as_str().to_owned() };
        self.registry_requests.get_or_create(&labels).inc();
        self.registry_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn registry_failed(&self, repository: &str, request: RegistryRequest, revision: &str) {
        let failure = || FailureLabels { repo: repository.to_owned(), revision: revision.to_owned() };
        let of = || RepositoryLabels { repo: repository.to_owned() };
        match request {
            RegistryRequest::ResolveRevision => self.failed_resolutions.get_or_create(&failure()).inc(),
            RegistryRequest::Extract => self.failed_extractions.get_or_create(&failure()).inc(),
            RegistryRequest::DigestMetadata => self.failed_metadata.get_or_create(&failure()).inc(),
            RegistryRequest::GetTags => self.failed_tags.get_or_create(&of()).inc(),
            RegistryRequest::TestRepository => self.failed_tests.get_or_create(&of()).inc(),
        };
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
