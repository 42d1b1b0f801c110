//! Rendering: every chart and kustomization of the corpora beside the original's process, one large kustomization,
//! and a repository of many applications of which a commit touches three.

use super::Setting;
use super::figure::Figure;
use super::hub::{APPLICATIONS, Hub, application};
use crate::originals;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::time::Duration;
use testkit::git_repo::GitRepo;

const LIMIT: Duration = Duration::from_secs(900);
/// Of all applications, those a commit touches.
const TOUCHED: usize = 3;
/// What the repo-server counts when nothing it remembers can be used.
const RENDERED: &str = "argocd_repo_manifest_requests_total{hit=\"none\"}";

pub(crate) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for line in originals::bench(setting.quick)?.lines() {
        let told: Value = serde_json::from_str(line).with_context(|| format!("read the figure {line}"))?;
        let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
        let unit = if told["unit"] == "s" { "s" } else { "x" };
        let value = told["value"].as_f64().unwrap_or(f64::NAN);
        let figure = Figure::new(text("what"), value, unit).note(text("note"));
        figures.push(match (told["most"].as_f64(), told["least"].as_f64()) {
            (Some(most), _) => figure.budget(most),
            (None, Some(least)) => figure.least(least),
            (None, None) => figure,
        });
    }
    figures.extend(monorepo(setting)?);
    Ok(figures)
}

fn manifest(name: &str, value: usize) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n")
}

fn monorepo(setting: &Setting) -> Result<Vec<Figure>> {
    let count = setting.count(1000, 100);
    let mut hub = Hub::start(setting)?;
    let components = hub.components()?;
    let names: Vec<String> = (0..count).map(|number| format!("app-{number:04}")).collect();
    let mut repository = GitRepo::create("monorepo")?;
    for name in &names {
        repository.write(&format!("apps/{name}/all.yaml"), manifest(name, 0))?;
    }
    repository.commit("first")?;
    repository.push()?;
    let url = repository.url();
    let applications: Vec<Value> =
        names.iter().map(|name| application(name, &url, &format!("apps/{name}"), "default")).collect();
    hub.fill(APPLICATIONS, &applications)?;
    hub.wait_for("Synced", count, LIMIT, &components.controller)?;
    components.controller.settle(Duration::from_secs(60))?;
    let first = components.repo_server.counted(RENDERED)?;
    let cpu = components.repo_server.cpu()?;
    for name in names.iter().step_by(count / TOUCHED).take(TOUCHED) {
        repository.write(&format!("apps/{name}/all.yaml"), manifest(name, 1))?;
    }
    repository.commit("touches three")?;
    repository.push()?;
    let head = repository.head()?;
    let annotation = json!({"metadata": {"annotations": {api::names::REFRESH: "normal"}}});
    for name in &names {
        hub.client.merge(&format!("{APPLICATIONS}/{name}"), &annotation)?;
    }
    for name in &names {
        super::push::until(&mut hub, &format!("{APPLICATIONS}/{name}"), |object| {
            object["status"]["sync"]["status"] == "Synced"
                && object["status"]["sync"]["revision"] == head.as_str()
        })?;
    }
    components.controller.settle(Duration::from_secs(60))?;
    let renders = components.repo_server.counted(RENDERED)? - first;
    let cpu = components.repo_server.cpu()? - cpu;
    Ok(vec![
        Figure::new(
            format!("renders of {count} applications after a commit that touches {TOUCHED}"),
            renders,
            "",
        )
        .exactly(TOUCHED as f64)
        .note(format!(
            "{first:.0} at first; all {count} show the new commit; {cpu:.1} s of CPU in the repo-server"
        )),
    ])
}
