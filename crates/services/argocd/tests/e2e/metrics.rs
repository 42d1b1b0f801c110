//! Dashboards made for the original find the controller's metrics: names, types and labels are those.

use crate::installation::{Part, config_map, installation};
use crate::web;
use std::collections::BTreeSet;
use testkit::git_repo::GitRepo;

/// Name as a query has it, type, labels.
const METRICS: &[(&str, &str, &str)] = &[
    (
        "argocd_app_info",
        "gauge",
        "autosync_enabled,dest_namespace,dest_server,health_status,name,namespace,operation,project,repo,sync_status",
    ),
    (
        "argocd_app_k8s_request_total",
        "counter",
        "dry_run,name,namespace,project,resource_kind,resource_namespace,response_code,server,verb",
    ),
    ("argocd_app_orphaned_resources_count", "gauge", "name,namespace,project"),
    ("argocd_app_reconcile", "histogram", "dest_server,namespace"),
    ("argocd_app_sync_duration_seconds_total", "counter", "dest_server,name,namespace,project"),
    ("argocd_app_sync_total", "counter", "dest_server,dry_run,name,namespace,phase,project"),
    ("argocd_cluster_api_resource_objects", "gauge", "server"),
    ("argocd_cluster_api_resources", "gauge", "server"),
    ("argocd_cluster_cache_age_seconds", "gauge", "server"),
    ("argocd_cluster_connection_status", "gauge", "k8s_version,server"),
    ("argocd_cluster_events_total", "counter", "group,kind,server"),
    ("argocd_cluster_info", "gauge", "k8s_version,name,server"),
    ("argocd_kubectl_exec_pending", "gauge", "command,hostname"),
    ("argocd_kubectl_exec_total", "counter", "command,hostname"),
    ("argocd_kubectl_rate_limiter_duration_seconds", "histogram", "host,verb"),
    ("argocd_kubectl_request_duration_seconds", "histogram", "host,verb"),
    ("argocd_kubectl_request_size_bytes", "histogram", "host,method"),
    ("argocd_kubectl_requests_total", "counter", "code,host,method"),
    ("argocd_kubectl_response_size_bytes", "histogram", "host,method"),
    ("argocd_redis_request_duration", "histogram", "hostname,initiator"),
    ("argocd_redis_request_total", "counter", "command,failed,hostname,initiator"),
    ("argocd_resource_events_processed_in_batch", "gauge", "server"),
    ("argocd_resource_events_processing", "histogram", "server"),
    ("workqueue_adds_total", "counter", "controller,name"),
    ("workqueue_depth", "gauge", "controller,name"),
    ("workqueue_queue_duration_seconds", "histogram", "controller,name"),
    ("workqueue_work_duration_seconds", "histogram", "controller,name"),
];

/// The labels of the series of a name, each way they come.
fn labels(text: &str, series: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix('{'));
    let names = lines.filter_map(|rest| {
        let mut names: Vec<&str> =
            rest.split('}').next()?.split("\",").filter_map(|pair| pair.split("=\"").next()).collect();
        names.sort_unstable();
        Some(names.join(","))
    });
    names.collect()
}

#[test]
fn the_controllers_metrics_are_called_as_dashboards_expect() {
    let installation = installation();
    let repository = GitRepo::from_files("measured", &[("app/map.yaml", &config_map("map", "1"))]).unwrap();
    installation.create("measured", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "measured", "--timeout", "60"]);
    let port = installation.ports[&Part::Controller].metrics;
    let wrong = |text: &str| {
        let mut wrong = Vec::new();
        for (name, kind, wanted) in METRICS {
            let series = if *kind == "histogram" { format!("{name}_count") } else { (*name).to_owned() };
            let found = labels(text, &series);
            if found != BTreeSet::from([(*wanted).to_owned()]) {
                wrong.push(format!("{name}: labels {found:?}, wanted {wanted:?}"));
            }
            if !text.lines().any(|line| line == format!("# TYPE {name} {kind}")) {
                wrong.push(format!("{name}: no line says that it is a {kind}"));
            }
        }
        wrong
    };
    let mut last = Vec::new();
    let right = testkit::poll(crate::installation::LIMIT / 4, || {
        last = wrong(&web::get(port, "/metrics")?.1);
        last.is_empty().then_some(())
    });
    assert!(right.is_some(), "{last:#?}");
    installation.succeed(&["app", "delete", "measured", "--yes", "--wait"]);
}
