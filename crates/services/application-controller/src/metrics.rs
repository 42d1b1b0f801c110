//! What a controller counts, under the names dashboards know.

mod described;
mod requests;

pub(crate) use described::Described;
pub use described::Shown;
pub(crate) use requests::{AppRequest, Asker, asked_by};

use api::v1alpha1::{Application, OperationState};
use boot::metrics::{Bounds, SharedRegistry};
use kubernetes::{Measured, Meter};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use request_metrics::RequestMetrics;
use std::sync::PoisonError;
use std::time::Duration;

/// Names and values of labels.
pub(crate) type Labels = Vec<(&'static str, String)>;

type Histograms = Family<Labels, Histogram, Bounds>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;

const RECONCILE: Bounds = Bounds(&[0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0]);
const QUEUE: Bounds = Bounds(&[1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0]);

/// The queues of the original, which dashboards draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueueName {
    /// Applications to be looked at.
    Reconciliation,
    /// Operations to be worked on.
    Operation,
}

impl QueueName {
    fn labels(self) -> Labels {
        let name = match self {
            Self::Reconciliation => "app_reconciliation_queue",
            Self::Operation => "app_operation_processing_queue",
        };
        vec![("controller", name.to_owned()), ("name", name.to_owned())]
    }
}

/// The counters; clones count together.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    reconcile: Histograms,
    syncs: Counters,
    sync_seconds: Counters,
    app_requests: Family<AppRequest, Counter>,
    cluster_events: Counters,
    event_seconds: Histograms,
    event_batch: Gauges,
    writes: Counters,
    writing: Gauges,
    requests: RequestMetrics,
    queue_adds: Counters,
    queue_depth: Gauges,
    queue_seconds: Histograms,
    work_seconds: Histograms,
    queue_retries: Counters,
    host: String,
}

impl Metrics {
    /// Registers the counters.
    pub(crate) fn new(registry: &SharedRegistry) -> Self {
        let histogram = |bounds: Bounds| Histograms::new_with_constructor(bounds);
        let metrics = Self {
            reconcile: histogram(RECONCILE),
            syncs: Family::default(),
            sync_seconds: Family::default(),
            app_requests: Family::default(),
            cluster_events: Family::default(),
            event_seconds: histogram(RECONCILE),
            event_batch: Family::default(),
            writes: Family::default(),
            writing: Family::default(),
            requests: RequestMetrics::new(registry),
            queue_adds: Family::default(),
            queue_depth: Family::default(),
            queue_seconds: histogram(QUEUE),
            work_seconds: histogram(QUEUE),
            queue_retries: Family::default(),
            host: std::env::var("HOSTNAME").unwrap_or_default(),
        };
        metrics.register(registry);
        metrics
    }

    fn register(&self, registry: &SharedRegistry) {
        let mut registry = registry.lock().unwrap_or_else(PoisonError::into_inner);
        let help = "Requests made for applications";
        registry.register("argocd_app_k8s_request", help, self.app_requests.clone());
        let mut counter = |name: &str, help: &str, family: &Counters| {
            registry.register(name, help, family.clone());
        };
        counter("argocd_app_sync", "Sync operations that ended, by phase", &self.syncs);
        counter("argocd_app_sync_duration_seconds", "Seconds sync operations took", &self.sync_seconds);
        counter("argocd_cluster_events", "Changes told by clusters", &self.cluster_events);
        counter("argocd_kubectl_exec", "Writes as kubectl does them", &self.writes);
        counter("workqueue_adds", "What was put into the queue", &self.queue_adds);
        counter("workqueue_retries", "What was put into the queue again", &self.queue_retries);
        let mut histogram = |name: &str, help: &str, family: &Histograms| {
            registry.register(name, help, family.clone());
        };
        histogram("argocd_app_reconcile", "Seconds to compare an application", &self.reconcile);
        histogram("argocd_resource_events_processing", "Seconds to take a change in", &self.event_seconds);
        histogram("workqueue_queue_duration_seconds", "How long something waited", &self.queue_seconds);
        histogram("workqueue_work_duration_seconds", "How long something was worked on", &self.work_seconds);
        let mut gauge = |name: &str, help: &str, family: &Gauges| {
            registry.register(name, help, family.clone());
        };
        gauge("argocd_resource_events_processed_in_batch", "Changes taken in at once", &self.event_batch);
        gauge("argocd_kubectl_exec_pending", "Writes that are under way", &self.writing);
        gauge("workqueue_depth", "What waits in the queue", &self.queue_depth);
    }

    /// An application was compared.
    pub(crate) fn reconciled(&self, application: &Application, took: Duration) {
        let labels = vec![
            ("namespace", application.metadata.namespace.clone()),
            ("dest_server", application.spec.destination.server.clone()),
        ];
        self.reconcile.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// An operation ended.
    pub(crate) fn synced(&self, application: &Application, state: &OperationState) {
        let mut labels = named(application);
        labels.push(("dest_server", application.spec.destination.server.clone()));
        let seconds = match (&state.finished_at, state.started_at.is_zero()) {
            (Some(finished), false) => finished.seconds.saturating_sub(state.started_at.seconds),
            _ => 0,
        };
        self.sync_seconds.get_or_create(&labels).inc_by(u64::try_from(seconds).unwrap_or(0));
        let dry_run = state.operation.sync.as_ref().is_some_and(|sync| sync.dry_run);
        labels.push(("phase", state.phase.clone()));
        labels.push(("dry_run", dry_run.to_string()));
        self.syncs.get_or_create(&labels).inc();
    }

    /// A cluster told of changes of one kind.
    pub(crate) fn changed(&self, server: &str, group: &str, kind: &str, took: Duration) {
        let server = ("server", server.to_owned());
        let labels = vec![server.clone(), ("group", group.to_owned()), ("kind", kind.to_owned())];
        self.cluster_events.get_or_create(&labels).inc();
        self.event_batch.get_or_create(&vec![server.clone()]).set(1);
        self.event_seconds.get_or_create(&vec![server]).observe(took.as_secs_f64());
    }

    /// A write as kubectl's command does it begins; it is under way for as long as the value lives.
    pub(crate) fn writing(&self, command: &'static str) -> Writing {
        let labels = vec![("hostname", self.host.clone()), ("command", command.to_owned())];
        self.writes.get_or_create(&labels).inc();
        let pending = self.writing.get_or_create_owned(&labels);
        pending.inc();
        Writing(pending)
    }

    /// Something was put into a queue; `depth` wait there now.
    pub(crate) fn queued(&self, queue: QueueName, depth: usize) {
        let labels = queue.labels();
        self.queue_adds.get_or_create(&labels).inc();
        self.queue_depth.get_or_create(&labels).set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// Something was taken out of a queue.
    pub(crate) fn taken(&self, queue: QueueName, waited: Duration, depth: usize) {
        let labels = queue.labels();
        self.queue_seconds.get_or_create(&labels).observe(waited.as_secs_f64());
        self.queue_depth.get_or_create(&labels).set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// Something out of a queue was worked on; `again` when it goes back there.
    pub(crate) fn worked(&self, queue: QueueName, took: Duration, again: bool) {
        let labels = queue.labels();
        self.work_seconds.get_or_create(&labels).observe(took.as_secs_f64());
        if again {
            self.queue_retries.get_or_create(&labels).inc();
        }
    }

    /// Forgets an application that is gone: what is counted of it would stay for ever.
    pub(crate) fn forget(&self, application: &Application) {
        let mut labels = named(application);
        labels.push(("dest_server", application.spec.destination.server.clone()));
        self.sync_seconds.remove(&labels);
        for phase in ["Succeeded", "Failed", "Error"] {
            for dry_run in ["false", "true"] {
                let mut labels = labels.clone();
                labels.extend([("phase", phase.to_owned()), ("dry_run", dry_run.to_owned())]);
                self.syncs.remove(&labels);
            }
        }
    }
}

impl Meter for Metrics {
    fn requested(&self, measured: &Measured<'_>) {
        self.requests.requested(measured);
        requests::with_asker(|asker| {
            self.app_requests.get_or_create(&asker.asks(measured)).inc();
        });
    }

    fn received(&self, host: &str, method: &str, bytes: u64) {
        self.requests.received(host, method, bytes);
    }
}

/// A write that is under way.
#[derive(Debug)]
pub(crate) struct Writing(Gauge);

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The labels every figure of an application has.
pub(crate) fn named(application: &Application) -> Labels {
    vec![
        ("namespace", application.metadata.namespace.clone()),
        ("name", application.metadata.name.clone()),
        ("project", crate::situation::project_name(application).to_owned()),
    ]
}
