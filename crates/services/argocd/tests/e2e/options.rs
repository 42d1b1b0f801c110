//! Every sync option, as the cluster sees it.

use crate::installation::{Installation, NAMESPACE, config_map, installation, sync_status};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use testkit::git_repo::GitRepo;

const VERSION: &str = "argoproj.io/v1alpha1";
const OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// A ConfigMap with sync options of its own.
fn map(name: &str, options: &str, data: &Value) -> String {
    let annotations = if options.is_empty() { json!({}) } else { json!({OPTIONS: options}) };
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "annotations": annotations}, "data": data})
        .to_string()
}

fn deployment(name: &str, spec: Value) -> Value {
    let labels = json!({"app": name});
    let mut deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "example.com/web"}]},
        }},
    });
    if let (Some(fields), Value::Object(more)) = (deployment["spec"].as_object_mut(), spec) {
        fields.extend(more);
    }
    deployment
}

pub fn sync(installation: &Installation, name: &str, more: &[&str]) -> Result<String, String> {
    let words = [&["app", "sync", name, "--timeout", "60"], more].concat();
    installation.cli(&words)
}

pub fn synced(installation: &Installation, name: &str, more: &[&str]) {
    let told = sync(installation, name, more);
    assert!(told.is_ok(), "{name}: {told:?}\n{}", installation.last_words());
}

pub fn push(repository: &mut GitRepo) {
    repository.commit("change").unwrap();
    repository.push().unwrap();
}

/// Name, status and message of each result of the last operation.
pub fn results(installation: &Installation, name: &str) -> Vec<(String, String, String)> {
    let application = installation.application(name);
    let results = application["status"]["operationState"]["syncResult"]["resources"].as_array().cloned();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let results = results.unwrap_or_default();
    results.iter().map(|it| (text(&it["name"]), text(&it["status"]), text(&it["message"]))).collect()
}

fn message(installation: &Installation, name: &str) -> String {
    let application = installation.application(name);
    application["status"]["operationState"]["message"].as_str().unwrap_or_default().to_owned()
}

fn uid(installation: &Installation, version: &str, kind: &str, namespace: &str, name: &str) -> Value {
    let found = installation.kube.find(version, kind, namespace, name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))["metadata"]["uid"].clone()
}

#[test]
fn what_leaves_git_goes_as_its_options_say() {
    let installation = installation();
    let value = json!({"value": "1"});
    let mut repository = GitRepo::create("leaving").unwrap();
    for (name, options) in [("stays", "Prune=false"), ("last", "PruneLast=true"), ("goes", "")] {
        repository.write(&format!("app/{name}.json"), map(name, options, &value)).unwrap();
    }
    repository.write("app/kept.json", map("kept", "Delete=false", &value)).unwrap();
    repository.write("app/plain.json", map("plain", "", &value)).unwrap();
    repository.write("app/web.json", deployment("web", json!({})).to_string()).unwrap();
    push(&mut repository);
    let orphan = ["--sync-option", "PrunePropagationPolicy=orphan"];
    installation.create("leaving", &repository, "app", &orphan);
    synced(&installation, "leaving", &[]);
    installation.until("the Deployment has its ReplicaSet", || {
        (!installation.kube.list("apps/v1", "ReplicaSet", "leaving").is_empty()).then_some(())
    });
    for name in ["stays", "last", "goes", "web"] {
        repository.remove(&format!("app/{name}.json")).unwrap();
    }
    push(&mut repository);
    installation.succeed(&["app", "get", "leaving", "--refresh"]);
    // What was kept from being pruned is an error of the command line's.
    let told = sync(&installation, "leaving", &["--prune"]).unwrap_err();
    assert!(told.contains("1 resources require pruning"), "{told}");
    let told = results(&installation, "leaving");
    let of = |name: &str| told.iter().find(|(it, ..)| it == name).cloned().unwrap_or_default();
    assert_eq!(of("stays").1, "PruneSkipped", "{told:?}");
    assert_eq!(of("stays").2, "ignored (no prune)", "{told:?}");
    for name in ["goes", "last", "web"] {
        assert_eq!(of(name).1, "Pruned", "{name}: {told:?}");
    }
    let place = |name: &str| told.iter().position(|(it, ..)| it == name);
    assert!(place("last") > place("goes") && place("last") > place("web"), "{told:?}");
    assert_eq!(installation.value("leaving", "stays").as_deref(), Some("1"));
    assert_eq!(installation.value("leaving", "last"), None);
    assert!(installation.kube.find("apps/v1", "Deployment", "leaving", "web").is_none());
    assert_eq!(installation.kube.list("apps/v1", "ReplicaSet", "leaving").len(), 1, "orphaned");
    installation
        .until_application("leaving", "OutOfSync for what stays", |it| sync_status(it) == "OutOfSync");

    installation.succeed(&["app", "delete", "leaving", "--yes", "--wait"]);
    assert_eq!(installation.value("leaving", "kept").as_deref(), Some("1"));
    assert_eq!(installation.value("leaving", "plain"), None);
}

#[test]
fn a_deletion_that_asks_waits_for_a_user() {
    let installation = installation();
    let asks = map("asks", "Delete=confirm", &json!({"value": "1"}));
    let repository = GitRepo::from_files("asking", &[("app/asks.json", &asks)]).unwrap();
    installation.create("asking", &repository, "app", &[]);
    synced(&installation, "asking", &[]);
    installation.succeed(&["app", "delete", "asking", "--yes", "--wait=false"]);
    // It has looked at what there is to delete by then, more than once.
    let waited = installation.cli(&["app", "wait", "asking", "--delete", "--timeout", "4"]);
    assert!(waited.is_err(), "{waited:?}");
    assert_eq!(installation.value("asking", "asks").as_deref(), Some("1"));
    installation.succeed(&["app", "confirm-deletion", "asking"]);
    installation.succeed(&["app", "wait", "asking", "--delete", "--timeout", "60"]);
    assert_eq!(installation.value("asking", "asks"), None);
}

#[test]
fn what_the_cluster_would_refuse_is_told_before_anything_is_applied() {
    let installation = installation();
    let widget = |options: &str| {
        let annotations = if options.is_empty() { json!({}) } else { json!({OPTIONS: options}) };
        json!({"apiVersion": "example.com/v1", "kind": "Missing", "metadata": {"name": "w", "annotations": annotations}})
            .to_string()
    };
    let unknown = deployment("odd", json!({"bogus": 1})).to_string();
    let one = config_map("first", "1");
    let skip = widget("SkipDryRunOnMissingResource=true");
    let files = [
        ("missing/first.yaml", one.as_str()),
        ("missing/widget.json", &widget("")),
        ("skipped/first.yaml", &one),
        ("skipped/widget.json", &skip),
        ("odd/odd.json", &unknown),
    ];
    let repository = GitRepo::from_files("refusing", &files).unwrap();
    installation.create("missing", &repository, "missing", &[]);
    installation.create("skipped", &repository, "skipped", &[]);
    installation.create("odd", &repository, "odd", &[]);
    installation.create("unvalidated", &repository, "odd", &["--sync-option", "Validate=false"]);
    for name in ["missing", "skipped", "odd"] {
        assert!(sync(&installation, name, &[]).is_err(), "{name}");
    }
    assert_eq!(
        installation.value("missing", "first"),
        None,
        "nothing is applied after a dry run that failed"
    );
    assert_eq!(installation.value("skipped", "first").as_deref(), Some("1"));
    let told = results(&installation, "skipped");
    assert!(told.iter().any(|(name, _, message)| name == "w" && message.contains("Missing")), "{told:?}");
    let told = results(&installation, "odd");
    assert!(told.iter().any(|(_, _, message)| message.contains("bogus")), "{told:?}");
    synced(&installation, "unvalidated", &[]);
    assert!(installation.kube.find("apps/v1", "Deployment", "unvalidated", "odd").is_some());
    for name in ["missing", "skipped", "odd", "unvalidated"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
}

#[test]
fn only_what_differs_is_applied_and_replacing_takes_what_others_added() {
    let installation = installation();
    let job = |image: &str| {
        json!({"apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "once", "annotations": {OPTIONS: "Force=true,Replace=true"}},
            "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                "containers": [{"name": "main", "image": image, "command": ["sh", "-c", "true"]}]}}}})
        .to_string()
    };
    let mut repository = GitRepo::create("applying").unwrap();
    repository.write("app/same.json", map("same", "", &json!({"value": "1"}))).unwrap();
    repository.write("app/other.json", map("other", "Replace=true", &json!({"value": "1"}))).unwrap();
    repository.write("app/once.json", job("example.com/job:1")).unwrap();
    push(&mut repository);
    installation.create("applying", &repository, "app", &["--sync-option", "ApplyOutOfSyncOnly=true"]);
    synced(&installation, "applying", &[]);
    let before = [
        uid(&installation, "v1", "ConfigMap", "applying", "other"),
        uid(&installation, "batch/v1", "Job", "applying", "once"),
    ];
    installation.kube.merge("v1", "ConfigMap", "applying", "other", json!({"data": {"added": "by hand"}}));
    repository.write("app/other.json", map("other", "Replace=true", &json!({"value": "2"}))).unwrap();
    repository.write("app/once.json", job("example.com/job:2")).unwrap();
    push(&mut repository);
    installation.succeed(&["app", "get", "applying", "--refresh"]);
    synced(&installation, "applying", &[]);
    let told = results(&installation, "applying");
    let names: BTreeSet<&str> = told.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, BTreeSet::from(["once", "other"]), "{told:?}");
    let other = installation.kube.find("v1", "ConfigMap", "applying", "other").unwrap();
    assert_eq!(other["data"], json!({"value": "2"}), "what was added by hand is gone");
    assert_eq!(other["metadata"]["uid"], before[0], "replaced, not made anew");
    assert_ne!(uid(&installation, "batch/v1", "Job", "applying", "once"), before[1], "made anew by force");
    installation.succeed(&["app", "delete", "applying", "--yes", "--wait"]);
}

#[test]
fn server_side_apply_takes_over_from_kubectl_unless_it_is_told_not_to() {
    let installation = installation();
    let git = |options: &str| map("migrated", options, &json!({"value": "1"}));
    let files = [
        ("moved/map.json", git("ServerSideApply=true")),
        ("kept/map.json", git("ServerSideApply=true,ClientSideApplyMigration=false")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files("migrating", &files).unwrap();
    for name in ["moved", "kept"] {
        installation.create(name, &repository, name, &[]);
        // As kubectl left it, with a key that Git no longer has.
        let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "migrated", "namespace": name}, "data": {"value": "0", "old": "1"}});
        let last = object.to_string();
        object["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": last});
        installation.kube.create_as("kubectl-client-side-apply", object).unwrap();
        synced(&installation, name, &[]);
    }
    let live = |name: &str| installation.kube.find("v1", "ConfigMap", name, "migrated").unwrap();
    assert_eq!(live("moved")["data"], json!({"value": "1"}));
    assert_eq!(live("kept")["data"], json!({"value": "1", "old": "1"}));
    let managers = |name: &str| {
        let live = live(name);
        let entries = live["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
        let told = |entry: &Value| format!("{} {}", entry["manager"], entry["operation"]).replace('"', "");
        entries.iter().map(told).collect::<BTreeSet<String>>()
    };
    assert_eq!(managers("moved"), BTreeSet::from(["argocd-controller Apply".to_owned()]));
    assert!(managers("kept").contains("argocd-controller Apply"), "{:?}", managers("kept"));
    assert!(managers("kept").contains("kubectl-client-side-apply Update"), "{:?}", managers("kept"));
    for name in ["moved", "kept"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
}

#[test]
fn an_object_that_another_application_claims_is_named_and_refused_on_demand() {
    let installation = installation();
    let claimed = config_map("claimed", "1");
    let repository = GitRepo::from_files("claiming", &[("app/claimed.yaml", &claimed)]).unwrap();
    installation.create("claimer", &repository, "app", &[]);
    synced(&installation, "claimer", &[]);
    let server = "https://kubernetes.default.svc";
    installation.succeed(&[
        "app",
        "create",
        "rival",
        "--repo",
        &repository.url(),
        "--path",
        "app",
        "--dest-namespace",
        "claimer",
        "--dest-server",
        server,
        "--sync-option",
        "FailOnSharedResource=true",
    ]);
    installation.until_application("rival", "warned of what both claim", |it| {
        let told = crate::installation::condition(it, "SharedResourceWarning");
        told.contains("ConfigMap/claimed") && told.contains("claimer")
    });
    assert!(sync(&installation, "rival", &[]).is_err());
    let told = message(&installation, "rival");
    assert!(told.starts_with("Shared resource found") && told.contains("claimed"), "{told}");
    let owner = installation.kube.find("v1", "ConfigMap", "claimer", "claimed").unwrap();
    let mark =
        owner["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"].as_str().unwrap_or_default();
    assert!(mark.starts_with("claimer:"), "{mark}");
    installation.until_synced("claimer");
    // What is the other's does not go with this one.
    installation.succeed(&["app", "delete", "rival", "--yes", "--wait"]);
    assert_eq!(installation.value("claimer", "claimed").as_deref(), Some("1"));
    installation.succeed(&["app", "delete", "claimer", "--yes", "--wait"]);
}

#[test]
fn a_namespace_is_made_with_what_it_is_to_have() {
    let installation = installation();
    let repository = GitRepo::from_files("making", &[("app/a.yaml", &config_map("a", "1"))]).unwrap();
    let managed = json!({"labels": {"team": "a"}, "annotations": {"note": "made"}});
    installation
        .kube
        .create(json!({
            "apiVersion": VERSION, "kind": "Application", "metadata": {"name": "making", "namespace": NAMESPACE},
            "spec": {
                "project": "default", "source": {"repoURL": repository.url(), "path": "app"},
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "making"},
                "syncPolicy": {"syncOptions": ["CreateNamespace=true"], "managedNamespaceMetadata": managed},
            },
        }))
        .unwrap();
    installation.until("the application is known", || sync(&installation, "making", &[]).ok());
    let namespace = installation.kube.find("v1", "Namespace", "", "making").unwrap();
    assert_eq!(namespace["metadata"]["labels"]["team"], "a");
    assert_eq!(namespace["metadata"]["annotations"]["note"], "made");
    assert_eq!(installation.value("making", "a").as_deref(), Some("1"));
    installation.until_synced("making");
    let changed = json!({"spec": {"syncPolicy": {"managedNamespaceMetadata": {"labels": {"team": "b"}}}}});
    installation.kube.merge(VERSION, "Application", NAMESPACE, "making", changed);
    installation.until("the namespace is relabelled by the next sync", || {
        sync(&installation, "making", &[]).ok();
        let namespace = installation.kube.find("v1", "Namespace", "", "making")?;
        (namespace["metadata"]["labels"]["team"] == "b").then_some(())
    });
    installation.succeed(&["app", "delete", "making", "--yes"]);
}
