//! Sync options of the application with exceptions of its resources, and those of one resource alone.

use crate::engine::{operation, repository};
use crate::installation::{Installation, NAMESPACE, config_map, installation, sync_status};
use crate::options::{push, sync, synced};
use serde_json::{Value, json};

const VERSION: &str = "argoproj.io/v1alpha1";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn map(name: &str, options: &str, value: &str) -> String {
    let annotations = if options.is_empty() { json!({}) } else { json!({OPTIONS: options}) };
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": annotations}, "data": {"value": value}})
        .to_string()
}

/// A Job whose image nobody may change while it is there.
fn job(options: &str, image: &str) -> String {
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "annotations": {OPTIONS: options}},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": image, "command": ["sh", "-c", "true"]}]}}}})
    .to_string()
}

fn refresh(installation: &Installation, name: &str) {
    installation.succeed(&["app", "get", name, "--refresh"]);
}

fn live(installation: &Installation, namespace: &str, name: &str) -> Value {
    installation.kube.find("v1", "ConfigMap", namespace, name).unwrap()
}

fn by_hand(installation: &Installation, namespace: &str, name: &str) {
    installation.kube.merge("v1", "ConfigMap", namespace, name, json!({"data": {"added": "by hand"}}));
}

#[test]
fn an_application_that_never_prunes_and_one_that_asks() {
    let installation = installation();
    let mut repositories = Vec::new();
    for (name, option) in [("never", "Prune=false"), ("asks-first", "Prune=confirm")] {
        let files = [("app/a.json", map("a", "", "1")), ("app/b.json", map("b", "", "1"))];
        let mut repository = repository(name, &files);
        installation.create(name, &repository, "app", &["--sync-option", option]);
        synced(&installation, name, &[]);
        repository.remove("app/b.json").unwrap();
        push(&mut repository);
        repositories.push(repository);
        refresh(&installation, name);
        if name == "never" {
            let told = sync(&installation, name, &["--prune"]).unwrap_err();
            assert!(told.contains("ignored (no prune)"), "{told}");
            assert_eq!(installation.value(name, "b").as_deref(), Some("1"));
            continue;
        }
        installation.succeed(&["app", "sync", name, "--prune", "--async"]);
        installation.until_application(name, "waiting for a user", |it| {
            operation(it)["message"].as_str().unwrap_or_default().contains("Waiting for pruning confirmation")
        });
        assert_eq!(installation.value(name, "b").as_deref(), Some("1"));
        installation.succeed(&["app", "confirm-deletion", name]);
        installation.until_application(name, "the sync ended", |it| operation(it)["phase"] == "Succeeded");
        assert_eq!(installation.value(name, "b"), None);
    }
    installation.succeed(&["app", "delete", "never", "--yes", "--wait"]);
    assert_eq!(installation.value("never", "b"), None, "an application that goes takes what it never pruned");
    // It asks on deletion, too; where its sources went before it, no less.
    drop(repositories);
    installation.succeed(&["app", "delete", "asks-first", "--yes", "--wait=false"]);
    let waited = installation.cli(&["app", "wait", "asks-first", "--delete", "--timeout", "4"]);
    assert!(waited.is_err(), "{waited:?}");
    assert_eq!(installation.value("asks-first", "a").as_deref(), Some("1"));
    installation.succeed(&["app", "confirm-deletion", "asks-first"]);
    installation.succeed(&["app", "wait", "asks-first", "--delete", "--timeout", "60"]);
    assert_eq!(installation.value("asks-first", "a"), None);
}

#[test]
fn an_application_that_leaves_everything_behind_but_what_says_otherwise() {
    let installation = installation();
    let files = [("app/a.json", map("a", "", "1")), ("app/b.json", map("b", "Delete=true", "1"))];
    let repository = repository("leaves", &files);
    installation.create("leaves", &repository, "app", &["--sync-option", "Delete=false"]);
    synced(&installation, "leaves", &[]);
    installation.succeed(&["app", "delete", "leaves", "--yes", "--wait"]);
    assert_eq!(installation.value("leaves", "a").as_deref(), Some("1"));
    assert_eq!(installation.value("leaves", "b"), None);
}

#[test]
fn what_replaces_takes_what_others_added_and_exceptions_merge() {
    let installation = installation();
    let files = |value: &str| {
        [("app/all.json", map("all", "", value)), ("app/not.json", map("not", "Replace=false", value))]
    };
    let mut repository = repository("replacing", &files("1"));
    installation.create("replacing", &repository, "app", &["--sync-option", "Replace=true"]);
    synced(&installation, "replacing", &[]);
    for (path, text) in files("2") {
        repository.write(path, text).unwrap();
    }
    push(&mut repository);
    for name in ["all", "not"] {
        by_hand(&installation, "replacing", name);
    }
    refresh(&installation, "replacing");
    synced(&installation, "replacing", &[]);
    assert_eq!(live(&installation, "replacing", "all")["data"], json!({"value": "2"}));
    assert_eq!(live(&installation, "replacing", "not")["data"], json!({"value": "2", "added": "by hand"}));
    installation.succeed(&["app", "delete", "replacing", "--yes", "--wait"]);
}

#[test]
fn what_the_server_applies_has_no_annotation_and_exceptions_have_it() {
    let installation = installation();
    let files = [
        ("app/server.json", map("server", "", "1")),
        ("app/client.json", map("client", "ServerSideApply=false", "1")),
    ];
    let repository = repository("applied", &files);
    installation.create("applied", &repository, "app", &["--sync-option", "ServerSideApply=true"]);
    synced(&installation, "applied", &[]);
    let annotated = |name: &str| {
        live(&installation, "applied", name)["metadata"]["annotations"][LAST_APPLIED].is_string()
    };
    assert!(!annotated("server") && annotated("client"));
    installation.until_synced("applied");
    installation.succeed(&["app", "delete", "applied", "--yes", "--wait"]);
}

#[test]
fn the_fields_of_a_former_client_stay_its_own_where_the_application_says_so() {
    let installation = installation();
    for (name, option) in [("migrates", ""), ("migrates-not", "ClientSideApplyMigration=false")] {
        let repository = repository(name, &[("app/m.json", map("m", "", "1"))]);
        installation.create(name, &repository, "app", &["--sync-option", "ServerSideApply=true"]);
        if !option.is_empty() {
            installation.succeed(&["app", "set", name, "--sync-option", option]);
        }
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "m", "namespace": name}, "data": {"value": "0", "old": "1"}});
        object["metadata"]["annotations"] = json!({LAST_APPLIED: object.to_string()});
        installation.kube.create_as("kubectl-client-side-apply", object).unwrap();
        synced(&installation, name, &[]);
    }
    assert_eq!(live(&installation, "migrates", "m")["data"], json!({"value": "1"}));
    assert_eq!(live(&installation, "migrates-not", "m")["data"], json!({"value": "1", "old": "1"}));
    for name in ["migrates", "migrates-not"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
}

#[test]
fn one_resource_is_not_validated_and_one_is_made_anew_by_force() {
    let installation = installation();
    let odd = |options: &str| {
        let labels = json!({"app": "odd"});
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "odd", "annotations": {OPTIONS: options}},
            "spec": {"replicas": 0, "bogus": 1, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "example.com/web"}]}}}})
        .to_string()
    };
    let mut repository =
        repository("forcing", &[("app/odd.json", odd("")), ("app/once.json", job("", "example.com/job:1"))]);
    installation.create("forcing", &repository, "app", &[]);
    let told = sync(&installation, "forcing", &[]).unwrap_err();
    assert!(told.contains("bogus"), "{told}");
    repository.write("app/odd.json", odd("Validate=false")).unwrap();
    push(&mut repository);
    refresh(&installation, "forcing");
    synced(&installation, "forcing", &[]);
    let once =
        || installation.kube.find("batch/v1", "Job", "forcing", "once").unwrap()["metadata"]["uid"].clone();
    let first = once();
    repository.write("app/once.json", job("", "example.com/job:2")).unwrap();
    push(&mut repository);
    refresh(&installation, "forcing");
    let told = sync(&installation, "forcing", &[]).unwrap_err();
    assert!(told.contains("immutable"), "{told}");
    assert_eq!(once(), first, "nothing is deleted that nobody asked to delete");
    repository.write("app/once.json", job("Force=true", "example.com/job:2")).unwrap();
    push(&mut repository);
    refresh(&installation, "forcing");
    synced(&installation, "forcing", &[]);
    assert_ne!(once(), first);
    installation.succeed(&["app", "delete", "forcing", "--yes", "--wait"]);
}

#[test]
fn an_automated_sync_takes_nothing_away_entirely_unless_it_may() {
    let installation = installation();
    let mut repository =
        repository("emptied", &[("app/a.json", map("a", "", "1")), ("app/README.md", "kept".into())]);
    let automated = ["--sync-policy", "auto", "--auto-prune"];
    installation.create("emptied", &repository, "app", &automated);
    installation.until_synced("emptied");
    repository.remove("app/a.json").unwrap();
    push(&mut repository);
    refresh(&installation, "emptied");
    installation.until_application("emptied", "told why nothing is done", |it| {
        crate::installation::condition(it, "SyncError").contains("auto-sync will wipe out all resources")
    });
    assert_eq!(installation.value("emptied", "a").as_deref(), Some("1"));
    installation.succeed(&["app", "set", "emptied", "--allow-empty"]);
    installation
        .until("what is to be empty is", || installation.value("emptied", "a").is_none().then_some(()));
    installation.succeed(&["app", "delete", "emptied", "--yes", "--wait"]);
}

#[test]
fn nothing_is_done_with_an_application_that_is_to_be_skipped() {
    let installation = installation();
    let skip = |value: Value| {
        let metadata = json!({"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": value}}});
        installation.kube.merge(VERSION, "Application", NAMESPACE, "skipped-over", metadata);
    };
    let mut repository = repository("skipped-over", &[("app/a.json", map("a", "", "1"))]);
    installation.create("skipped-over", &repository, "app", &["--sync-policy", "auto", "--self-heal"]);
    installation.until_synced("skipped-over");
    skip("true".into());
    let before = installation.application("skipped-over")["status"].clone();
    repository.write("app/a.json", map("a", "", "2")).unwrap();
    push(&mut repository);
    installation.kube.merge("v1", "ConfigMap", "skipped-over", "a", json!({"data": {"value": "drifted"}}));
    // Whoever comes after it has been served meanwhile.
    let other = crate::engine::repository("not-skipped", &[("app/a.json", map("a", "", "1"))]);
    installation.create("not-skipped", &other, "app", &["--sync-policy", "auto"]);
    installation.until_synced("not-skipped");
    assert_eq!(installation.value("skipped-over", "a").as_deref(), Some("drifted"));
    assert_eq!(installation.application("skipped-over")["status"], before);
    skip(Value::Null);
    installation.until("it is looked at again", || {
        (installation.value("skipped-over", "a").as_deref() == Some("2")).then_some(())
    });
    for name in ["skipped-over", "not-skipped"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
}

#[test]
fn as_much_history_is_kept_as_is_wanted_and_can_be_rolled_back_to() {
    let installation = installation();
    let mut repository = repository("historic", &[("app/a.yaml", config_map("a", "0"))]);
    installation.create("historic", &repository, "app", &["--revision-history-limit", "2"]);
    for value in ["1", "2", "3"] {
        repository.change("app/a.yaml", &config_map("a", value)).unwrap();
        refresh(&installation, "historic");
        synced(&installation, "historic", &[]);
    }
    let history = installation.application("historic")["status"]["history"].as_array().cloned().unwrap();
    let ids: Vec<i64> = history.iter().map(|it| it["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [1, 2]);
    let told = installation.cli(&["app", "rollback", "historic", "0"]).unwrap_err();
    assert!(told.contains("does not have deployment id '0' in history"), "{told}");
    installation.succeed(&["app", "rollback", "historic", "1", "--timeout", "60"]);
    assert_eq!(installation.value("historic", "a").as_deref(), Some("2"));
    installation.until_application("historic", "OutOfSync after it", |it| sync_status(it) == "OutOfSync");
    installation.succeed(&["app", "delete", "historic", "--yes", "--wait"]);
}

#[test]
fn what_nobody_manages_is_told_but_for_what_is_to_be_ignored() {
    let installation = installation();
    let orphans = json!({"warn": true, "ignore": [
        {"group": "", "kind": "ConfigMap", "name": "ignored-*"}, {"group": "", "kind": "ConfigMap", "name": "kube-root-ca.crt"},
        {"group": "", "kind": "ServiceAccount", "name": "default"},
    ]});
    let spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "orphanedResources": orphans});
    let project = json!({"apiVersion": VERSION, "kind": "AppProject", "metadata": {"name": "orphans", "namespace": NAMESPACE}, "spec": spec});
    installation.kube.create(project).unwrap();
    let repository = repository("orphaned", &[("app/a.json", map("a", "", "1"))]);
    installation.until("the project is known", || {
        let words = installation.creation("orphaned", &repository.url(), "app", &["--project", "orphans"]);
        installation.cli(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok()
    });
    synced(&installation, "orphaned", &[]);
    let make = |name: &str| {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "orphaned"}});
        installation.kube.create(object).unwrap();
    };
    make("ignored-1");
    make("orphan-1");
    make("orphan-2");
    installation.until_application("orphaned", "warned of two", |it| {
        crate::installation::condition(it, "OrphanedResourceWarning")
            == "Application has 2 orphaned resources"
    });
    let shown = installation.succeed(&["app", "resources", "orphaned", "--orphaned"]);
    assert!(
        shown.contains("orphan-1") && shown.contains("orphan-2") && !shown.contains("ignored-1"),
        "{shown}"
    );
    installation.succeed(&["app", "delete", "orphaned", "--yes", "--wait"]);
    installation.until("what is nobody's is left alone", || {
        installation.kube.find("v1", "ConfigMap", "orphaned", "orphan-1")
    });
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "orphans");
}

#[test]
fn a_sync_takes_no_longer_than_it_may() {
    let mut installation = installation();
    crate::scopes::with(&mut installation, "ARGOCD_APPLICATION_CONTROLLER_SYNC_TIMEOUT", Some("4"));
    let mut endless: Value = serde_json::from_str(&crate::hooks::job(
        std::path::Path::new("/dev/null"),
        "endless",
        "PreSync",
        "",
        0,
    ))
    .unwrap();
    endless["spec"]["template"]["metadata"] = json!({"annotations": {"e2e.argocd-rs.dev/pod": "never-end"}});
    let files = [("app/hook.json", endless.to_string()), ("app/map.json", map("map", "", "1"))];
    let repository = repository("timed", &files);
    installation.create("timed", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "timed", "--async"]);
    installation.until_application("timed", "ended when its time was over", |it| {
        let message = operation(it)["message"].as_str().unwrap_or_default();
        operation(it)["phase"] == "Failed"
            && message == "Operation terminated, triggered by controller sync timeout"
    });
    assert!(crate::hooks::jobs(&installation, "timed").is_empty(), "what ran is stopped");
    assert_eq!(installation.value("timed", "map"), None);
    crate::scopes::with(&mut installation, "ARGOCD_APPLICATION_CONTROLLER_SYNC_TIMEOUT", None);
    installation.succeed(&["app", "delete", "timed", "--yes", "--wait"]);
}

#[test]
fn what_depends_on_an_application_in_the_background_does_not_hold_it() {
    let installation = installation();
    let repository = repository("backwards", &[("app/a.json", map("a", "", "1"))]);
    installation.create("backwards", &repository, "app", &[]);
    synced(&installation, "backwards", &[]);
    // Who depends on what goes, and is held itself: only a deletion in the foreground waits for it.
    let owner = live(&installation, "backwards", "a")["metadata"]["uid"].clone();
    let held = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "held", "namespace": "backwards", "finalizers": ["example.com/held"],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "a", "uid": owner, "blockOwnerDeletion": true}]}});
    installation.kube.create(held).unwrap();
    installation.succeed(&[
        "app",
        "delete",
        "backwards",
        "--yes",
        "--wait",
        "--propagation-policy",
        "background",
    ]);
    assert_eq!(installation.value("backwards", "a"), None);
    let held = installation.kube.find("v1", "ConfigMap", "backwards", "held");
    assert!(held.is_some(), "it is the garbage collector's");
    installation.kube.merge(
        "v1",
        "ConfigMap",
        "backwards",
        "held",
        json!({"metadata": {"finalizers": null}}),
    );
}
