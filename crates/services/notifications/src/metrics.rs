//! What is counted, under the original's names, and how long deliveries take.

use boot::metrics::SharedRegistry;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use std::sync::PoisonError;
use std::time::Duration;

type Labels = Vec<(&'static str, String)>;

/// Seconds, from one at once to one that a destination out of reach held up for an hour.
const SECONDS: [f64; 14] =
    [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0];

/// Counters.
#[derive(Clone)]
pub(crate) struct Metrics {
    deliveries: Family<Labels, Counter>,
    evaluations: Family<Labels, Counter>,
    waits: Family<Labels, Histogram, fn() -> Histogram>,
}

fn waits() -> Histogram {
    Histogram::new(SECONDS)
}

impl Metrics {
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let metrics = Self {
            deliveries: Family::default(),
            evaluations: Family::default(),
            waits: Family::new_with_constructor(waits),
        };
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
        registry.register(
            "argocd_notifications_delivery_duration_seconds",
            "Time from the moment a notification is due until it is delivered, with all tries",
            metrics.waits.clone(),
        );
        metrics
    }

    /// Something was delivered so long after it was due, or was not.
    pub(crate) fn delivery(&self, trigger: &str, service: &str, took: Option<Duration>) {
        let labels = vec![
            ("service", service.to_owned()),
            ("succeeded", took.is_some().to_string()),
            ("trigger", trigger.to_owned()),
        ];
        self.deliveries.get_or_create(&labels).inc();
        if let Some(took) = took {
            let labels = vec![("service", service.to_owned())];
            self.waits.get_or_create(&labels).observe(took.as_secs_f64());
        }
    }

    pub(crate) fn evaluation(&self, trigger: &str, triggered: bool) {
        let labels = vec![("name", trigger.to_owned()), ("triggered", triggered.to_string())];
        self.evaluations.get_or_create(&labels).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_counted_and_those_that_worked_are_timed() {
        let registry = boot::metrics::registry();
        let metrics = Metrics::new(&registry);
        metrics.delivery("on-a", "slack", Some(Duration::from_secs(3)));
        metrics.delivery("on-a", "slack", None);
        let mut text = String::new();
        let registry = registry.lock().expect("a registry");
        prometheus_client::encoding::text::encode(&mut text, &registry).expect("text");
        for line in [
            r#"argocd_notifications_deliveries_total{service="slack",succeeded="true",trigger="on-a"} 1"#,
            r#"argocd_notifications_deliveries_total{service="slack",succeeded="false",trigger="on-a"} 1"#,
            r#"argocd_notifications_delivery_duration_seconds_count{service="slack"} 1"#,
            r#"argocd_notifications_delivery_duration_seconds_bucket{le="2.5",service="slack"} 0"#,
            r#"argocd_notifications_delivery_duration_seconds_bucket{le="5.0",service="slack"} 1"#,
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
        }
    }
}
