//! What is left out of the comparison: kinds that settings exclude while objects of them are live, and objects that may be there
//! without a target.

use crate::engine::repository;
use crate::installation::{Installation, condition, config_map, installation, sync_status};
use crate::options::{push, results, synced};
use serde_json::{Value, json};

const EXCLUSIONS: &str = "resource.exclusions";

/// A kind that nobody else has objects of.
fn limits(name: &str) -> String {
    json!({"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": name},
        "spec": {"limits": [{"type": "PersistentVolumeClaim", "max": {"storage": "1Gi"}}]}})
    .to_string()
}

/// Kinds and names of what a status lists.
fn listed(application: &Value) -> Vec<String> {
    let resources = application["status"]["resources"].as_array();
    let name = |it: &Value| format!("{} {}", it["kind"], it["name"]).replace('"', "");
    resources.into_iter().flatten().map(name).collect()
}

/// What a status says of an object of that name.
fn resource(application: &Value, name: &str) -> Value {
    let resources = application["status"]["resources"].as_array();
    resources.into_iter().flatten().find(|it| it["name"] == name).cloned().unwrap_or_default()
}

fn refresh(installation: &Installation, name: &str) {
    installation.succeed(&["app", "get", name, "--refresh"]);
}

#[test]
fn a_kind_that_is_excluded_leaves_tree_and_comparison_and_comes_back() {
    let installation = installation();
    let files = [("app/limits.json", limits("limits")), ("app/map.yaml", config_map("map", "1"))];
    let mut repository = repository("left-out", &files);
    installation.create("left-out", &repository, "app", &[]);
    synced(&installation, "left-out", &[]);
    installation.until_synced("left-out");
    let uid = || {
        let found = installation.kube.find("v1", "LimitRange", "left-out", "limits");
        found.map(|found| found["metadata"]["uid"].clone())
    };
    let shown = || installation.succeed(&["app", "resources", "left-out"]).contains("LimitRange");
    let before = uid();
    assert!(before.is_some());
    installation.until("it is in the tree", || shown().then_some(()));

    installation.set("argocd-cm", EXCLUSIONS, Some("- kinds: [LimitRange]\n  clusters: ['*']\n"));
    installation.until_application("left-out", "without the kind", |it| {
        condition(it, "ExcludedResourceWarning") == "Resource /LimitRange limits is excluded in the settings"
            && listed(it) == ["ConfigMap map"]
            && sync_status(it) == "Synced"
    });
    installation.until("it has left the tree", || (!shown()).then_some(()));
    // Git loses it meanwhile, and nobody takes that for a reason to prune.
    repository.remove("app/limits.json").unwrap();
    push(&mut repository);
    refresh(&installation, "left-out");
    synced(&installation, "left-out", &["--prune"]);
    assert!(results(&installation, "left-out").iter().all(|(name, ..)| name == "map"));
    installation.until_application("left-out", "without the warning", |it| {
        condition(it, "ExcludedResourceWarning").is_empty() && listed(it) == ["ConfigMap map"]
    });
    assert_eq!(uid(), before);

    installation.set("argocd-cm", EXCLUSIONS, None);
    installation.until_application("left-out", "with what is too much", |it| {
        let found = resource(it, "limits");
        found["requiresPruning"] == true && sync_status(it) == "OutOfSync"
    });
    repository.write("app/limits.json", limits("limits")).unwrap();
    push(&mut repository);
    refresh(&installation, "left-out");
    installation.until_application("left-out", "with the kind again", |it| {
        let found = resource(it, "limits");
        found["status"] == "Synced" && sync_status(it) == "Synced"
    });
    installation.until("it is in the tree again", || shown().then_some(()));
    assert_eq!(uid(), before);
    installation.succeed(&["app", "delete", "left-out", "--yes", "--wait"]);
    assert_eq!(uid(), None);
}

#[test]
fn what_may_be_there_without_a_target_leaves_the_application_synced() {
    let installation = installation();
    let extra = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": "1"}, "metadata": {
        "name": "extra", "annotations": {"argocd.argoproj.io/compare-options": "IgnoreExtraneous"}}});
    let files = [("app/extra.json", extra.to_string()), ("app/map.yaml", config_map("map", "1"))];
    let mut repository = repository("extraneous", &files);
    installation.create("extraneous", &repository, "app", &["--sync-policy", "auto", "--auto-prune"]);
    installation.until_synced("extraneous");
    repository.remove("app/extra.json").unwrap();
    push(&mut repository);
    let head = repository.head().unwrap();
    // It is listed as what it is, and is no reason for a sync: an automated one does not come for it.
    let is_listed = |it: &Value| {
        let found = resource(it, "extra");
        it["status"]["sync"]["revision"] == head.as_str()
            && sync_status(it) == "Synced"
            && found["status"] == "OutOfSync"
            && found["requiresPruning"] == true
    };
    refresh(&installation, "extraneous");
    installation.until_application("extraneous", "Synced at the new revision", is_listed);
    refresh(&installation, "extraneous");
    let application = installation.application("extraneous");
    assert!(is_listed(&application), "{:#}", application["status"]);
    assert_eq!(application["status"]["history"].as_array().map(Vec::len), Some(1), "nothing was synced");
    assert_eq!(installation.value("extraneous", "extra").as_deref(), Some("1"));

    // Who prunes by hand prunes it.
    synced(&installation, "extraneous", &["--prune"]);
    let told = results(&installation, "extraneous");
    assert!(told.iter().any(|(name, status, _)| name == "extra" && status == "Pruned"), "{told:?}");
    assert_eq!(installation.value("extraneous", "extra"), None);
    assert_eq!(installation.value("extraneous", "map").as_deref(), Some("1"));
    installation.succeed(&["app", "delete", "extraneous", "--yes", "--wait"]);
}
