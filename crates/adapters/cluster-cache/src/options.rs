//! What is watched, and how eagerly.

use object::GroupKind;
use std::sync::Arc;
use std::time::Duration;

/// Settings of a cluster's cache.
#[derive(Clone)]
pub struct Options {
    /// Says whether a kind is left out, by the settings' exclusions and inclusions.
    pub excluded: Arc<dyn Fn(&GroupKind) -> bool + Send + Sync>,
    /// The label selector of a kind, by the settings; empty for all its objects.
    pub selector: Arc<dyn Fn(&GroupKind) -> String + Send + Sync>,
    /// Namespaces to watch; empty for the whole cluster.
    pub namespaces: Vec<String>,
    /// Whether cluster-scoped objects are watched although namespaces are given.
    pub cluster_resources: bool,
    /// Says whether a kind the credentials may not list is left out without a taint.
    pub skip_forbidden: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Objects per list request.
    pub page_size: u32,
    /// How many lists run at once.
    pub concurrent_lists: usize,
    /// How long the first list of a kind may say nothing before only those wait for it who use the kind.
    pub silence: Duration,
    /// After how long the server ends a watch.
    pub watch_timeout: Duration,
    /// After how long a kind is listed anew although its watch is well; `None` for never.
    pub resync: Option<Duration>,
    /// How often the cluster is asked what it serves when nothing hints at a change.
    pub discovery_interval: Duration,
    /// First wait after a failure; it doubles up to [`Options::longest_backoff`].
    pub backoff: Duration,
    /// Longest wait after a failure.
    pub longest_backoff: Duration,
    /// Whether manifests keep `managedFields`.
    pub keep_managed_fields: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            excluded: Arc::new(|_| false),
            selector: Arc::new(|_| String::new()),
            namespaces: Vec::new(),
            cluster_resources: false,
            skip_forbidden: Arc::new(|| false),
            page_size: 500,
            concurrent_lists: 8,
            silence: Duration::from_secs(10),
            watch_timeout: Duration::from_secs(290),
            resync: Some(Duration::from_secs(12 * 60 * 60)),
            discovery_interval: Duration::from_secs(600),
            backoff: Duration::from_millis(500),
            longest_backoff: Duration::from_secs(30),
            keep_managed_fields: false,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Options")
            .field("namespaces", &self.namespaces)
            .field("cluster_resources", &self.cluster_resources)
            .finish_non_exhaustive()
    }
}
