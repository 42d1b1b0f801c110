//! What is counted of the conversation with Redis, under the names dashboards know.

use boot::metrics::SharedRegistry;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use std::sync::PoisonError;
use std::time::Duration;

type Labels = Vec<(&'static str, String)>;

/// Counts commands; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    who: Labels,
}

fn coarse() -> Histogram {
    Histogram::new([0.1, 0.25, 0.5, 1.0, 2.0])
}

fn fine() -> Histogram {
    Histogram::new([0.01, 0.05, 0.1, 0.25, 0.5, 1.0])
}

impl Metrics {
    /// Registers the counters of a component. The original's components differ in names, labels and buckets.
    pub(crate) fn new(registry: &SharedRegistry, component: &str, hostname: &str) -> Self {
        let controller = component == "argocd-application-controller";
        let mut who = vec![("initiator", component.to_owned())];
        if controller {
            who.push(("hostname", hostname.to_owned()));
        }
        let histogram = if controller { fine } else { coarse };
        let metrics =
            Self { requests: Family::default(), seconds: Family::new_with_constructor(histogram), who };
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register("argocd_redis_request", "Commands to Redis", metrics.requests.clone());
        let name = match component {
            "argocd-repo-server" => "argocd_redis_request_duration_seconds",
            _ => "argocd_redis_request_duration",
        };
        registry.register(name, "How long commands to Redis took, in seconds", metrics.seconds.clone());
        metrics
    }

    pub(crate) fn count(&self, command: &str, failed: bool, took: Duration) {
        let mut labels = self.who.clone();
        self.seconds.get_or_create(&labels).observe(took.as_secs_f64());
        labels.push(("command", command.to_ascii_lowercase()));
        labels.push(("failed", failed.to_string()));
        self.requests.get_or_create(&labels).inc();
    }
}
