//! Requests to clusters, counted under the names that client-go's metrics have in Argo CD. Knows nothing of what is asked, or
//! for whom.

use boot::metrics::{Bounds, SharedRegistry};
use kubernetes::{Measured, Meter};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::PoisonError;

/// Names and values of labels.
type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Histograms = Family<Labels, Histogram, Bounds>;

const SECONDS: Bounds = Bounds(&[0.005, 0.1, 0.5, 2.0, 8.0, 30.0]);
const BYTES: Bounds = Bounds(&[64.0, 512.0, 4096.0, 65536.0, 1_048_576.0, 16_777_216.0]);

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub struct RequestMetrics {
    requests: Counters,
    retries: Counters,
    request_seconds: Histograms,
    request_bytes: Histograms,
    response_bytes: Histograms,
    held_seconds: Histograms,
}

impl RequestMetrics {
    /// Registers the counters. A registry has them once.
    pub fn new(registry: &SharedRegistry) -> Self {
        let histogram = |bounds: Bounds| Histograms::new_with_constructor(bounds);
        let metrics = Self {
            requests: Family::default(),
            retries: Family::default(),
            request_seconds: histogram(SECONDS),
            request_bytes: histogram(BYTES),
            response_bytes: histogram(BYTES),
            held_seconds: histogram(SECONDS),
        };
        metrics.register(registry);
        metrics
    }

    fn register(&self, registry: &SharedRegistry) {
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let mut counter = |name: &str, help: &str, family: &Counters| {
            registry.register(name, help, family.clone());
        };
        counter("argocd_kubectl_requests", "Requests to API servers", &self.requests);
        counter("argocd_kubectl_request_retries", "Requests that were sent again", &self.retries);
        let mut histogram = |name: &str, help: &str, family: &Histograms| {
            registry.register(name, help, family.clone());
        };
        histogram("argocd_kubectl_request_duration_seconds", "Until an answer began", &self.request_seconds);
        histogram("argocd_kubectl_request_size_bytes", "Sizes of requests", &self.request_bytes);
        histogram("argocd_kubectl_response_size_bytes", "Sizes of answers", &self.response_bytes);
        histogram(
            "argocd_kubectl_rate_limiter_duration_seconds",
            "How long requests were held back",
            &self.held_seconds,
        );
    }
}

impl Meter for RequestMetrics {
    fn requested(&self, measured: &Measured<'_>) {
        let host = ("host", measured.host.to_owned());
        let code = measured.code.map_or_else(|| "<error>".to_owned(), |code| code.to_string());
        let verb = vec![host.clone(), ("verb", measured.verb.to_owned())];
        let method = vec![host.clone(), ("method", measured.method.to_owned())];
        let answered = vec![host, ("method", measured.method.to_owned()), ("code", code)];
        self.requests.get_or_create(&answered).inc();
        self.request_seconds.get_or_create(&verb).observe(measured.took.as_secs_f64());
        self.held_seconds.get_or_create(&verb).observe(measured.held.as_secs_f64());
        self.request_bytes.get_or_create(&method).observe(measured.sent as f64);
        if measured.again {
            self.retries.get_or_create(&answered).inc();
        }
    }

    fn received(&self, host: &str, method: &str, bytes: u64) {
        let labels = vec![("host", host.to_owned()), ("method", method.to_owned())];
        self.response_bytes.get_or_create(&labels).observe(bytes as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn requests_and_answers_are_counted_under_the_names_of_client_go() {
        let registry = boot::metrics::registry();
        let metrics = RequestMetrics::new(&registry);
        let lost = Measured {
            host: "hub:6443",
            method: "GET",
            verb: "List",
            path: "/api/v1/pods",
            dry_run: false,
            code: None,
            took: Duration::from_millis(200),
            held: Duration::ZERO,
            sent: 0,
            again: true,
        };
        metrics.requested(&lost);
        metrics.requested(&Measured { code: Some(200), again: false, ..lost });
        metrics.received("hub:6443", "GET", 600);
        let mut text = String::new();
        let registry = registry.lock().expect("a registry");
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        for line in [
            r#"argocd_kubectl_requests_total{host="hub:6443",method="GET",code="<error>"} 1"#,
            r#"argocd_kubectl_requests_total{host="hub:6443",method="GET",code="200"} 1"#,
            r#"argocd_kubectl_request_retries_total{host="hub:6443",method="GET",code="<error>"} 1"#,
            r#"argocd_kubectl_request_duration_seconds_count{host="hub:6443",verb="List"} 2"#,
            r#"argocd_kubectl_rate_limiter_duration_seconds_count{host="hub:6443",verb="List"} 2"#,
            r#"argocd_kubectl_request_size_bytes_count{host="hub:6443",method="GET"} 2"#,
            r#"argocd_kubectl_response_size_bytes_bucket{le="512.0",host="hub:6443",method="GET"} 0"#,
            r#"argocd_kubectl_response_size_bytes_bucket{le="4096.0",host="hub:6443",method="GET"} 1"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing:\n{text}");
        }
    }
}
