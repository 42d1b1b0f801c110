//! From a push to the change in the cluster, one application, everything in one process. The refresh is asked for
//! by the annotation, as a webhook does.

use super::Setting;
use super::figure::{Figure, percentile};
use super::hub::{APPLICATIONS, Hub, application};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::git_repo::GitRepo;

const LIMIT: Duration = Duration::from_secs(60);
/// How often the cluster is asked whether the change is there; half of it is in the figure.
const ASK_EVERY: Duration = Duration::from_millis(4);

fn manifest(value: usize) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: push\ndata:\n  value: \"{value}\"\n")
}

pub(crate) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let mut hub = Hub::start(setting)?;
    let process = hub.standalone()?;
    let mut repository = GitRepo::from_files("push", &[("app/push.yaml", &manifest(0))])?;
    hub.client.create(APPLICATIONS, &application("push", &repository.url(), "app", "default"))?;
    hub.wait_for("Synced", 1, LIMIT, &process)?;
    let count = setting.count(40, 10);
    let mut times = Vec::new();
    let requests = process.counted("argocd_kubectl_requests_total")?;
    let cpu = process.cpu()?;
    for push in 1..=count {
        repository.change("app/push.yaml", &manifest(push))?;
        let began = Instant::now();
        let annotation = json!({"metadata": {"annotations": {api::names::REFRESH: "normal"}}});
        hub.client.merge(&format!("{APPLICATIONS}/push"), &annotation)?;
        until(&mut hub, "/api/v1/namespaces/default/configmaps/push", |object| {
            object["data"]["value"].as_str() == Some(push.to_string().as_str())
        })?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
        let revision = repository.head()?;
        until(&mut hub, &format!("{APPLICATIONS}/push"), |object| {
            object["operation"].is_null()
                && object["status"]["sync"]["status"] == "Synced"
                && object["status"]["operationState"]["syncResult"]["revision"] == revision.as_str()
        })?;
    }
    let cpu = (process.settle(Duration::from_secs(10))? - cpu) * 1000.0 / count as f64;
    let requests = (process.counted("argocd_kubectl_requests_total")? - requests) / count as f64;
    Ok(vec![
        Figure::new(format!("push to live, p50 of {count}"), percentile(&mut times, 0.5), "ms")
            .budget(1000.0)
            .note("the original, twenty applications: 8000 ms"),
        Figure::new("push to live, p95", percentile(&mut times, 0.95), "ms"),
        Figure::new("CPU of a push, all components", cpu, "ms").note("the original: 2700 ms"),
        Figure::new("requests to the API server per push", requests, ""),
    ])
}

/// Waits until an object is as it should be.
pub(super) fn until(hub: &mut Hub, path: &str, done: impl Fn(&Value) -> bool) -> Result<()> {
    let deadline = Instant::now() + LIMIT;
    while Instant::now() < deadline {
        if hub.client.get(path)?.is_some_and(|object| done(&object)) {
            return Ok(());
        }
        std::thread::sleep(ASK_EVERY);
    }
    let last = hub.client.get(path)?.unwrap_or_default();
    None.with_context(|| format!("waited for {path}; it is {}", last["status"]))
}
