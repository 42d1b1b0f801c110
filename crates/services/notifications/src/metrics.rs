//! What is counted, under the original's names.

use boot::metrics::SharedRegistry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use std::sync::PoisonError;

type Labels = Vec<(&'static str, String)>;

/// Counters.
#[derive(Clone, Default)]
pub(crate) struct Metrics {
    deliveries: Family<Labels, Counter>,
    evaluations: Family<Labels, Counter>,
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let metrics = Self::default();
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        registry.register(
            "argocd_notifications_deliveries",
            "Number of delivered notifications",
            metrics.deliveries.clone(),
        );
        registry.register(
            "argocd_notifications_trigger_eval",
            "Number of trigger evaluations",
            metrics.evaluations.clone(),
        );
        metrics
    }

    pub(crate) fn delivery(&self, trigger: &str, service: &str, succeeded: bool) {
        let labels = vec![
            ("service", service.to_owned()),
            ("succeeded", succeeded.to_string()),
            ("trigger", trigger.to_owned()),
        ];
        self.deliveries.get_or_create(&labels).inc();
    }

    pub(crate) fn evaluation(&self, trigger: &str, triggered: bool) {
        let labels = vec![("name", trigger.to_owned()), ("triggered", triggered.to_string())];
        self.evaluations.get_or_create(&labels).inc();
    }
}
