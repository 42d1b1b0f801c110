//! What an object costs that no application manages: many ConfigMaps, each with a kilobyte in it.

use super::Setting;
use super::figure::Figure;
use super::hub::{APPLICATIONS, Hub, application};
use anyhow::Result;
use serde_json::{Value, json};
use std::time::Duration;
use testkit::git_repo::GitRepo;

const NAMESPACE: &str = "unmanaged";
const LIMIT: Duration = Duration::from_secs(120);
const MIB: f64 = 1024.0 * 1024.0;

pub(crate) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let count = setting.count(50_000, 5_000);
    let mut hub = Hub::start(setting)?;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    hub.client.create("/api/v1/namespaces", &namespace)?;
    let mut components = hub.components()?;
    // A cluster is watched from the first application on.
    let manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: one\n";
    let repository = GitRepo::from_files("one", &[("app/one.yaml", manifest)])?;
    hub.client.create(APPLICATIONS, &application("one", &repository.url(), "app", "default"))?;
    hub.wait_for("Synced", 1, LIMIT, &components.controller)?;
    components.controller.settle(LIMIT)?;

    let before = components.controller.resident()?;
    let text = "x".repeat(1024);
    let objects: Vec<Value> = (0..count)
        .map(|number| {
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "data": {"text": text},
                "metadata": {"name": format!("settings-{number:06}"), "labels": {"app": "none"}},
            })
        })
        .collect();
    let cpu = components.controller.cpu()?;
    hub.fill(&format!("/api/v1/namespaces/{NAMESPACE}/configmaps"), &objects)?;
    let cpu = components.controller.settle(LIMIT)? - cpu;
    let after = components.controller.resident()?;
    hub.restart_controller(&mut components)?;
    hub.client.merge(
        &format!("{APPLICATIONS}/one"),
        &json!({"metadata": {"annotations": {api::names::REFRESH: "normal"}}}),
    )?;
    testkit::poll(LIMIT, || {
        let path = format!("{APPLICATIONS}/one");
        let found = hub.client.get(&path).ok().flatten()?;
        found["metadata"]["annotations"][api::names::REFRESH].is_null().then_some(())
    });
    components.controller.settle(LIMIT)?;
    let again = components.controller.resident()?;
    let each = |resident: f64| (resident - before) * MIB / count as f64;
    Ok(vec![
        Figure::new(format!("an unmanaged object, of {count}, watched"), each(after), "B")
            .budget(2048.0)
            .note(format!(
                "{:.2} ms of CPU each; the original: 94 to 187 KiB all in",
                cpu * 1000.0 / count as f64
            )),
        Figure::new("an unmanaged object, listed", each(again), "B").budget(2048.0),
        Figure::new("  memory at restart over steady", components.controller.peak()? / after, "").budget(1.3),
    ])
}
