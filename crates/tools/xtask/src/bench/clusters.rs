//! Many applications of one object each over many registered clusters, with far more objects there that no
//! application manages. Namespaces of one control plane play the clusters, each behind an address of its own.

use super::Setting;
use super::figure::{Figure, percentile};
use super::hub::{APPLICATIONS, Hub, NAMESPACE, PROJECTS, application};
use super::push::until;
use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, io, thread};
use testkit::control_plane::ControlPlane;
use testkit::git_repo::GitRepo;

const LIMIT: Duration = Duration::from_secs(3600);
const SETTLED: Duration = Duration::from_secs(300);
const MIB: f64 = 1024.0 * 1024.0;
/// Changes by hand, each timed until the application shows it.
const DRIFTS: usize = 100;

pub(crate) fn run(setting: &Setting) -> Result<Vec<Figure>> {
    let clusters = setting.count(20, 4);
    let count = setting.count(10_000, 400);
    let unmanaged = setting.count(400_000, 8_000);
    let mut hub = Hub::start(setting)?;
    for number in 0..clusters {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": cluster(number)}});
        hub.client.create("/api/v1/namespaces", &namespace)?;
        let address = relay(&hub.cluster.server_url)?;
        let secret = secret(&hub.cluster, number, &address)?;
        hub.client.create(&format!("/api/v1/namespaces/{NAMESPACE}/secrets"), &secret)?;
    }
    let mut components = hub.components()?;
    let names: Vec<String> = (0..count).map(|number| format!("app-{number:05}")).collect();
    let mut repository = GitRepo::create("spread")?;
    for name in &names {
        repository.write(&format!("apps/{name}/map.yaml"), manifest(name, "asked for"))?;
    }
    repository.commit("first")?;
    repository.push()?;
    let url = repository.url();
    let applications: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(number, name)| {
            let home = cluster(number % clusters);
            let mut object = application(name, &url, &format!("apps/{name}"), &home);
            object["spec"]["destination"] = json!({"name": home, "namespace": home});
            object["spec"]["syncPolicy"]["automated"]["selfHeal"] = json!(false);
            object
        })
        .collect();
    let began = Instant::now();
    hub.fill(APPLICATIONS, &applications)?;
    hub.wait_for("Synced", count, LIMIT, &components.controller)?;
    let took = began.elapsed().as_secs_f64();
    let controller = &components.controller;
    let cpu = controller.settle(SETTLED)?;
    let managed = controller.resident()?;
    let mut figures = vec![
        Figure::new(format!("first sync of {count} one-object applications, {clusters} clusters"), took, "s")
            .budget(60.0 * count as f64 / 10_000.0)
            .note("Argo CD on 8 processors: 540 s; the API server shares the cores"),
        Figure::new("  CPU of the controller, each", cpu * 1000.0 / count as f64, "ms"),
        Figure::new("  peak memory of the controller", controller.peak()?, "MiB"),
        Figure::new("  steady memory of the controller", managed, "MiB"),
    ];

    fill(&hub, clusters, unmanaged)?;
    let cpu = controller.settle(SETTLED)? - cpu;
    let full = controller.resident()?;
    figures.push(
        Figure::new(
            format!("an unmanaged object, of {unmanaged}, watched"),
            (full - managed) * MIB / unmanaged as f64,
            "B",
        )
        .budget(2048.0)
        .note(format!(
            "{full:.0} MiB in all, {:.2} ms of CPU each; the original: 94 to 187 KiB all in",
            cpu * 1000.0 / unmanaged as f64
        )),
    );
    figures.extend(drifts(&mut hub, &names, clusters)?);

    let before = controller.settle(SETTLED)?;
    let compared = controller.counted("argocd_app_reconcile_count")?;
    let touched = json!({"metadata": {"annotations": {"bench.example/touched": "yes"}}});
    hub.client.merge(&format!("{PROJECTS}/default"), &touched)?;
    let cpu = controller.settle(SETTLED)? - before;
    let compared = controller.counted("argocd_app_reconcile_count")? - compared;
    figures.push(
        Figure::new(
            "refresh that changes nothing, CPU of the controller",
            cpu * 1000.0 / compared.max(1.0),
            "ms",
        )
        .budget(1.0)
        .note(format!("{compared} comparisons; the original: 45 ms")),
    );

    hub.restart_controller(&mut components)?;
    let controller = &components.controller;
    testkit::poll(SETTLED, || {
        let compared = controller.counted("argocd_app_reconcile_count").ok()?;
        (compared >= count as f64).then_some(())
    })
    .context("the restarted controller does not look at every application")?;
    controller.settle(SETTLED)?;
    figures.push(
        Figure::new("memory at restart over steady", controller.peak()? / full, "")
            .budget(1.3)
            .note(format!("then {:.0} MiB", controller.resident()?)),
    );
    Ok(figures)
}

fn cluster(number: usize) -> String {
    format!("cluster-{number:02}")
}

fn manifest(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: {value}\n")
}

/// Registers one namespace as a cluster.
fn secret(plane: &ControlPlane, number: usize, address: &str) -> Result<Value> {
    let file = |path: &Path| -> Result<String> {
        Ok(STANDARD.encode(fs::read(path).with_context(|| format!("read {}", path.display()))?))
    };
    let tls = json!({
        "caData": file(&plane.certificate_authority_path)?,
        "certData": file(&plane.client_certificate_path)?,
        "keyData": file(&plane.client_key_path)?,
    });
    let name = cluster(number);
    Ok(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {
            "name": name, "server": address, "namespaces": name,
            "config": json!({"tlsClientConfig": tls}).to_string(),
        },
    }))
}

/// Another address of the API server, for as long as the bench runs.
fn relay(server: &str) -> Result<String> {
    let target = server.trim_start_matches("https://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").context("listen for a cluster")?;
    let address = format!("https://{}", listener.local_addr().context("ask for the cluster's port")?);
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(&target) else { return };
            let (Ok(near_again), Ok(far_again)) = (near.try_clone(), far.try_clone()) else { return };
            for (mut from, mut to) in [(near, far), (far_again, near_again)] {
                thread::spawn(move || {
                    // A connection that breaks is closed on both sides, and there is nobody to tell.
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Both);
                });
            }
        }
    });
    Ok(address)
}

/// Objects that no application manages, as many in each cluster.
fn fill(hub: &Hub, clusters: usize, count: usize) -> Result<()> {
    let text = "x".repeat(1024);
    let each = count / clusters;
    for number in 0..clusters {
        let objects: Vec<Value> = (0..each)
            .map(|number| {
                json!({
                    "apiVersion": "v1", "kind": "ConfigMap", "data": {"text": text},
                    "metadata": {"name": format!("settings-{number:06}"), "labels": {"app": "none"}},
                })
            })
            .collect();
        hub.fill(&format!("/api/v1/namespaces/{}/configmaps", cluster(number)), &objects)?;
    }
    Ok(())
}

/// From a change by hand to the application that says so.
fn drifts(hub: &mut Hub, names: &[String], clusters: usize) -> Result<Vec<Figure>> {
    let mut times = Vec::new();
    for (number, name) in names.iter().enumerate().take(DRIFTS) {
        let path = format!("/api/v1/namespaces/{}/configmaps/{name}", cluster(number % clusters));
        let began = Instant::now();
        hub.client.merge(&path, &json!({"data": {"value": "changed by hand"}}))?;
        until(hub, &format!("{APPLICATIONS}/{name}"), |object| {
            object["status"]["sync"]["status"] == "OutOfSync"
        })?;
        times.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(vec![
        Figure::new(
            format!("from an event to the decision in the application, p50 of {}", times.len()),
            percentile(&mut times, 0.5),
            "ms",
        )
        .budget(1000.0)
        .note("as from a push to its first apply"),
        Figure::new("from an event to the decision, p95", percentile(&mut times, 0.95), "ms"),
    ])
}
