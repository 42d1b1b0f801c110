//! What is not done twice, and what is not worth a look: dry runs that were answered, and updates that are to be ignored.

use crate::engine::repository;
use crate::installation::{Installation, NAMESPACE, Part, config_map, installation, sync_status};
use crate::options::{push, synced};
use crate::scopes::{account, application, namespace, register, with};
use crate::web;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// A look that a change asks for comes sooner than this.
const QUIET: Duration = Duration::from_secs(4);
const RESYNC: &str = "ARGOCD_RECONCILIATION_TIMEOUT";

/// A kind that nobody else asks about, and that nothing in a cluster changes.
fn limits(name: &str, storage: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name}, "spec": spec(storage)})
}

fn spec(storage: &str) -> Value {
    json!({"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": storage}}]})
}

/// Dry runs that the API server was asked for, of all objects of that kind.
fn dry_runs(installation: &Installation) -> u64 {
    let text = installation.kube.metrics();
    let series = text.lines().filter(|line| {
        line.starts_with("apiserver_request_total{")
            && line.contains("dry_run=\"All\"")
            && line.contains("resource=\"limitranges\"")
    });
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

fn refresh(installation: &Installation, name: &str) {
    installation.succeed(&["app", "get", name, "--refresh"]);
}

#[test]
fn a_dry_run_is_asked_for_once_for_a_target_and_a_live_version() {
    let installation = installation();
    let names = ["a", "b", "c"];
    let files = names.map(|name| (format!("app/{name}.json"), limits(name, "1Gi").to_string()));
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let mut repository = repository("asked-once", &files);
    let before = dry_runs(&installation);
    installation.create("asked-once", &repository, "app", &["--sync-option", "ServerSideApply=true"]);
    synced(&installation, "asked-once", &[]);
    installation.until_synced("asked-once");
    refresh(&installation, "asked-once");
    let settled = dry_runs(&installation);
    assert!(settled >= before + 3, "{before} and {settled}: none is counted");
    for _ in 0..3 {
        refresh(&installation, "asked-once");
    }
    assert_eq!(dry_runs(&installation), settled, "nothing changed");

    installation.kube.merge("v1", "LimitRange", "asked-once", "a", json!({"spec": spec("2Gi")}));
    installation.until_application("asked-once", "OutOfSync", |it| sync_status(it) == "OutOfSync");
    for _ in 0..2 {
        refresh(&installation, "asked-once");
    }
    assert_eq!(dry_runs(&installation), settled + 1, "a live object changed");

    repository.write("app/b.json", limits("b", "3Gi").to_string()).unwrap();
    push(&mut repository);
    let head = repository.head().unwrap();
    refresh(&installation, "asked-once");
    installation.until_application("asked-once", "compared with the change", |it| {
        it["status"]["sync"]["revision"] == head.as_str()
    });
    for _ in 0..2 {
        refresh(&installation, "asked-once");
    }
    assert_eq!(dry_runs(&installation), settled + 2, "a target changed");
    let application = installation.application("asked-once");
    let resources = application["status"]["resources"].as_array().cloned().unwrap_or_default();
    let status = |name: &str| resources.iter().find(|it| it["name"] == name).map(|it| it["status"].clone());
    assert_eq!(names.map(status), ["OutOfSync", "OutOfSync", "Synced"].map(|it| Some(json!(it))));
    installation.succeed(&["app", "delete", "asked-once", "--yes", "--wait"]);
}

/// How often applications of a destination were compared.
fn looks(installation: &Installation, server: &str) -> Option<u64> {
    let (_, text) = web::get(installation.ports[&Part::Controller].metrics, "/metrics")?;
    let label = format!("dest_server=\"{server}\"");
    let found =
        text.lines().find(|line| line.starts_with("argocd_app_reconcile_count{") && line.contains(&label))?;
    found.rsplit(' ').next()?.parse().ok()
}

/// The same, once nobody has looked for a while.
fn settled(installation: &Installation, server: &str) -> u64 {
    let mut last = (None, Instant::now());
    installation.until("nobody looks", || {
        let now = looks(installation, server);
        if now != last.0 {
            last = (now, Instant::now());
        }
        now.filter(|_| last.1.elapsed() >= QUIET)
    })
}

#[test]
fn an_update_that_is_to_be_ignored_wakes_nobody_and_another_one_does() {
    let mut installation = installation();
    with(&mut installation, RESYNC, Some("0s"));
    let rule = "resource.customizations.ignoreResourceUpdates.ConfigMap";
    let enabled = "resource.ignoreResourceUpdatesEnabled";
    installation.set("argocd-cm", rule, Some("jsonPointers: [/data/beat]"));
    namespace(&installation, "beating");
    let rules = json!([{"apiGroups": ["", "apps"], "resources": ["*"], "verbs": ["*"]}]);
    let token = account(&installation, "deployer", "beating", &rules);
    // What is counted is counted by address: nobody else goes by this one.
    let server = register(&installation, "beating", &token);
    let repository = repository("beating", &[("app/map.yaml", config_map("map", "1"))]);
    let marking = crate::engine::repository("marking", &[("app/mark.yaml", config_map("mark", "1"))]);
    let place = json!({"server": server, "namespace": "beating"});
    installation.kube.create(application("beating", NAMESPACE, "default", &repository, &place)).unwrap();
    let place = json!({"name": "beating", "namespace": "beating"});
    installation.kube.create(application("marking", NAMESPACE, "default", &marking, &place)).unwrap();
    installation.until_synced("beating");
    installation.until_synced("marking");
    let change = |name: &str, data: Value| {
        installation.kube.merge("v1", "ConfigMap", "beating", name, json!({"data": data}));
    };
    let until_out_of_sync = |name: &str| {
        installation.until_application(name, "OutOfSync", |it| sync_status(it) == "OutOfSync");
    };
    let until_looked = |before: u64| {
        installation.until("somebody looks", || looks(&installation, &server).filter(|now| *now > before));
    };

    let before = settled(&installation, &server);
    for beat in 1..=3 {
        change("map", json!({"beat": beat.to_string()}));
    }
    // What is told after them is seen: they were told of as well.
    change("mark", json!({"value": "2"}));
    until_out_of_sync("marking");
    assert_eq!(settled(&installation, &server), before, "nobody looks for what is ignored");
    change("map", json!({"value": "2"}));
    until_looked(before);
    until_out_of_sync("beating");

    // Where nothing is ignored, the same update is a reason.
    installation.set("argocd-cm", enabled, Some("false"));
    let before = settled(&installation, &server);
    change("map", json!({"beat": "4"}));
    until_looked(before);

    installation.set("argocd-cm", enabled, None);
    installation.set("argocd-cm", rule, None);
    for name in ["beating", "marking"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
    installation.kube.delete("v1", "Secret", NAMESPACE, "beating");
    with(&mut installation, RESYNC, None);
}
