//! Many applications of four objects each from one repository, each component a process.

use super::Setting;
use super::figure::Figure;
use super::hub::{APPLICATIONS, Components, Hub, PROJECTS, Requests, application};
use super::process::cpu_of_family;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testkit::git_repo::GitRepo;

const LIMIT: Duration = Duration::from_secs(900);
const NAMESPACE: &str = "many";

/// Four objects of the kinds most applications have. No pods: they are not what is measured.
fn manifests(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: {name}\n---\n\
         apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  name: {name}\n---\n\
         apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\nspec:\n  clusterIP: None\n\
         \x20 selector:\n    app: {name}\n  ports:\n  - port: 80\n---\n\
         apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: 0\n\
         \x20 selector:\n    matchLabels:\n      app: {name}\n  template:\n    metadata:\n      labels:\n\
         \x20       app: {name}\n    spec:\n      serviceAccountName: {name}\n      containers:\n\
         \x20     - name: web\n        image: example.org/web:1\n        ports:\n        - containerPort: 80\n"
    )
}

pub(crate) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let count = setting.count(1000, 100);
    let mut hub = Hub::start(setting)?;
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    hub.client.create("/api/v1/namespaces", &namespace)?;
    let mut components = hub.components()?;
    components.controller.settle(Duration::from_secs(20))?;
    let mut figures = Vec::new();
    figures.extend(memory(&components, "idle", Some(120.0))?);

    let names: Vec<String> = (0..count).map(|number| format!("app-{number:04}")).collect();
    let mut repository = GitRepo::create("many")?;
    for name in &names {
        repository.write(&format!("apps/{name}/all.yaml"), manifests(name))?;
    }
    repository.commit("first")?;
    repository.push()?;
    figures.extend(first_sync(&mut hub, &components, &names, &repository.url())?);
    components.controller.settle(Duration::from_secs(60))?;
    figures.extend(memory(&components, &format!("at {count}"), None)?);
    figures.extend(refreshes(&mut hub, &components, &names)?);
    figures.push(restart(&hub, &mut components, count)?);
    Ok(figures)
}

fn first_sync(
    hub: &mut Hub,
    components: &Components,
    names: &[String],
    repository: &str,
) -> Result<Vec<Figure>> {
    let count = names.len();
    let applications: Vec<Value> =
        names.iter().map(|name| application(name, repository, &format!("apps/{name}"), NAMESPACE)).collect();
    let controller = &components.controller;
    let (cpu, repo_cpu) = (controller.cpu()?, components.repo_server.cpu()?);
    let before = hub.requests()?;
    let plane = cpu_of_family(hub.cluster.id())?;
    let began = Instant::now();
    hub.fill(APPLICATIONS, &applications)?;
    hub.wait_for("Synced", count, LIMIT, controller)?;
    let took = began.elapsed().as_secs_f64();
    let peak = controller.peak()?;
    let cpu = controller.settle(Duration::from_secs(60))? - cpu;
    let repo_cpu = components.repo_server.cpu()? - repo_cpu;
    let plane = cpu_of_family(hub.cluster.id())? - plane;
    let (requests, kinds) = more(&before, &hub.requests()?, count as f64);
    let mut figures = vec![
        Figure::new(format!("first sync of {count}"), took, "s")
            .budget(30.0 * count as f64 / 1000.0)
            .note("Flux: 253 s for 1000; the API server shares the cores"),
        Figure::new("  CPU of the controller", cpu, "s"),
        Figure::new("  CPU of the repo-server", repo_cpu, "s"),
        Figure::new("  CPU of the control plane", plane, "s"),
        Figure::new("  peak memory of the controller", peak, "MiB").budget(256.0).note("Flux: 223 MiB"),
        Figure::new("  requests to the API server per application", requests, ""),
    ];
    figures.extend(kinds.into_iter().map(|(times, kind)| Figure::new(format!("    {kind}"), times, "")));
    Ok(figures)
}

/// What the API server was asked since then, per application: how often, and each kind of request in words.
fn more(before: &Requests, after: &Requests, count: f64) -> (f64, Vec<(f64, String)>) {
    let each = |(kind, (times, seconds)): (&String, &(f64, f64))| {
        let (times_before, seconds_before) = before.get(kind).copied().unwrap_or_default();
        let (times, seconds) = (times - times_before, seconds - seconds_before);
        (times / count >= 0.05).then(|| {
            let each = seconds * 1000.0 / times;
            (times / count, format!("{kind}, {each:.1} ms each"))
        })
    };
    let mut each: Vec<(f64, String)> = after.iter().filter_map(each).collect();
    each.sort_by(|one, other| other.0.total_cmp(&one.0));
    (each.iter().map(|(times, _)| times).sum(), each)
}

fn memory(components: &Components, when: &str, budget: Option<f64>) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let mut sum = 0.0;
    for (name, process, original) in [
        ("controller", &components.controller, "102"),
        ("repo-server", &components.repo_server, "92"),
        ("api-server", &components.api_server, "104 to 120"),
    ] {
        let resident = process.resident()?;
        sum += resident;
        let figure = Figure::new(format!("{name} {when}, resident"), resident, "MiB");
        let shares = format!("{:.1} MiB by share", process.proportional()?);
        figures.push(match budget {
            Some(_) => figure.note(format!("{shares}; the original: {original} MiB")),
            None => figure.note(shares),
        });
    }
    if let Some(budget) = budget {
        figures.push(Figure::new(format!("all components {when}, resident"), sum, "MiB").budget(budget));
    }
    Ok(figures)
}

/// A refresh that finds nothing new, of every application: once because something they all depend on was touched,
/// once because each was asked for.
fn refreshes(hub: &mut Hub, components: &Components, names: &[String]) -> Result<Vec<Figure>> {
    let count = names.len() as f64;
    let controller = &components.controller;
    let mut figures = Vec::new();
    for asked in [false, true] {
        let (cpu, repo_cpu) = (controller.settle(Duration::from_secs(30))?, components.repo_server.cpu()?);
        let requests = controller.counted("argocd_kubectl_requests_total")?;
        let compared = controller.counted("argocd_app_reconcile_count")?;
        if asked {
            let annotation = json!({"metadata": {"annotations": {api::names::REFRESH: "normal"}}});
            for name in names {
                hub.client.merge(&format!("{APPLICATIONS}/{name}"), &annotation)?;
            }
        } else {
            let annotation = json!({"metadata": {"annotations": {"bench.example/touched": "yes"}}});
            hub.client.merge(&format!("{PROJECTS}/default"), &annotation)?;
        }
        let cpu = (controller.settle(Duration::from_secs(120))? - cpu) * 1000.0 / count;
        let repo_cpu = (components.repo_server.cpu()? - repo_cpu) * 1000.0 / count;
        let requests = (controller.counted("argocd_kubectl_requests_total")? - requests) / count;
        let compared = (controller.counted("argocd_app_reconcile_count")? - compared) / count;
        let what = if asked { "refresh by annotation" } else { "refresh that changes nothing" };
        let figure = Figure::new(format!("{what}, CPU of the controller each"), cpu, "ms").budget(1.0);
        figures.push(figure.note(format!(
            "{repo_cpu:.2} ms in the repo-server, {requests:.2} requests, {compared:.2} comparisons; the original: 45 + 9 ms"
        )));
    }
    Ok(figures)
}

fn restart(hub: &Hub, components: &mut Components, count: usize) -> Result<Figure> {
    let steady = components.controller.resident()?;
    hub.restart_controller(components)?;
    let controller = &components.controller;
    testkit::poll(Duration::from_secs(120), || {
        let compared = controller.counted("argocd_app_reconcile_count").ok()?;
        (compared >= count as f64).then_some(())
    });
    controller.settle(Duration::from_secs(60))?;
    let ratio = controller.peak()? / steady;
    let figure = Figure::new("memory at restart over steady", ratio, "").budget(1.3);
    Ok(figure.note(format!("steady {steady:.1} MiB, then {:.1} MiB", controller.resident()?)))
}
