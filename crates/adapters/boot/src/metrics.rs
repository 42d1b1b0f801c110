//! `/metrics` and `/healthz` of a component, on a port of their own.

use crate::stop::Stop;
use axum::{Router, http::StatusCode, http::header, response::IntoResponse, routing::get};
use prometheus_client::metrics::{family::MetricConstructor, histogram::Histogram};
use prometheus_client::{encoding::text::encode, registry::Registry};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// A component's metrics; cloned into whatever counts.
pub type SharedRegistry = Arc<Mutex<Registry>>;

/// Whether the component is well: an error is what `/healthz` says with 503.
pub type Health = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// A histogram's upper bounds: what a family of histograms is made with.
#[derive(Clone, Copy, Debug)]
pub struct Bounds(pub &'static [f64]);

impl MetricConstructor<Histogram> for Bounds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// A fresh registry that knows the process' own memory and CPU.
pub fn registry() -> SharedRegistry {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(process::Process));
    Arc::new(Mutex::new(registry))
}

/// Serves until the component stops. The address that was bound is returned at once.
pub async fn serve(
    address: SocketAddr,
    registry: SharedRegistry,
    health: Health,
    stop: Stop,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind(address).await?;
    let bound = listener.local_addr()?;
    let router = Router::new()
        .route("/metrics", get(move || std::future::ready(scrape(&registry))))
        .route("/healthz", get(move || std::future::ready(answer(&health))));
    tokio::spawn(async move {
        let served = axum::serve(listener, router).with_graceful_shutdown(stop.asked()).await;
        if let Err(error) = served {
            tracing::error!(%error, "serve metrics");
        }
    });
    Ok(bound)
}

fn scrape(registry: &SharedRegistry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    let encoded = match registry.lock() {
        Ok(registry) => encode(&mut text, &registry).is_ok(),
        Err(_) => false,
    };
    let status = if encoded { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    (status, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], plain(&text))
}

/// Prometheus' own text format out of OpenMetrics: a counter is described by the name that its samples have, and nothing
/// marks the end.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut help = None;
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("EOF" | "UNIT"), ..) => {}
            (Some("#"), Some("HELP"), Some(name), Some(words)) => help = Some((name, words)),
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                let suffix = if kind == "counter" { "_total" } else { "" };
                let kind = if kind == "unknown" { "untyped" } else { kind };
                if let Some((_, words)) = help.take().filter(|(described, _)| *described == name) {
                    plain.push_str(&format!("# HELP {name}{suffix} {words}\n"));
                }
                plain.push_str(&format!("# TYPE {name}{suffix} {kind}\n"));
            }
            _ => {
                plain.push_str(line);
                plain.push('\n');
            }
        }
    }
    plain
}

fn answer(health: &Health) -> (StatusCode, String) {
    match health() {
        Ok(()) => (StatusCode::OK, "ok".into()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason),
    }
}

mod process {
    //! What the kernel says of this process.

    use prometheus_client::collector::Collector;
    use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
    use prometheus_client::metrics::{counter::ConstCounter, gauge::ConstGauge};

    #[derive(Debug)]
    pub(super) struct Process;

    impl Collector for Process {
        fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
            // Where there is no /proc there are no such figures.
            let gauges = [
                ("process_resident_memory_bytes", "Resident memory size in bytes", memory_bytes(1)),
                ("process_virtual_memory_bytes", "Virtual memory size in bytes", memory_bytes(0)),
                ("process_open_fds", "Number of open file descriptors", open_files()),
                ("process_start_time_seconds", "Start time since the epoch in seconds", start_seconds()),
            ];
            for (name, help, value) in gauges {
                if let Some(value) = value {
                    let gauge = ConstGauge::new(value);
                    gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
                }
            }
            if let Some(seconds) = cpu_seconds() {
                let counter = ConstCounter::new(seconds);
                let help = "Total user and system CPU time spent in seconds";
                let name = "process_cpu_seconds";
                counter.encode(encoder.encode_descriptor(name, help, None, counter.metric_type())?)?;
            }
            Ok(())
        }
    }

    /// Field 0 of statm is the address space, field 1 what is resident of it.
    fn memory_bytes(field: usize) -> Option<i64> {
        let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
        let pages: i64 = statm.split(' ').nth(field)?.parse().ok()?;
        Some(pages * 4096)
    }

    fn open_files() -> Option<i64> {
        i64::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()
    }

    fn start_seconds() -> Option<i64> {
        let ticks: i64 = fields()?.get(19)?.parse().ok()?;
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        let booted: i64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
        Some(booted + ticks / 100)
    }

    /// What /proc/self/stat says after the command, which may hold blanks.
    fn fields() -> Option<Vec<String>> {
        let text = std::fs::read_to_string("/proc/self/stat").ok()?;
        Some(text.rsplit_once(')')?.1.split_whitespace().map(str::to_owned).collect())
    }

    fn cpu_seconds() -> Option<f64> {
        let fields = fields()?;
        let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        Some(ticks / 100.0)
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn counters_are_described_by_the_name_of_their_samples() {
        let open = "# HELP syncs Ended.\n# TYPE syncs counter\nsyncs_total{phase=\"a b\"} 1\n# HELP depth Waits.\n\
                    # TYPE depth gauge\ndepth 2\n# TYPE odd unknown\nodd 3\n# EOF\n";
        let expected = "# HELP syncs_total Ended.\n# TYPE syncs_total counter\nsyncs_total{phase=\"a b\"} 1\n\
                        # HELP depth Waits.\n# TYPE depth gauge\ndepth 2\n# TYPE odd untyped\nodd 3\n";
        assert_eq!(plain(open), expected);
    }
}
