//! Deletions keep to what the project permits, and end whatever became of their source.

use crate::hooks::{job, jobs, ran};
use crate::installation::{Installation, NAMESPACE, condition, config_map, installation};
use serde_json::json;
use testkit::git_repo::GitRepo;

const VERSION: &str = "argoproj.io/v1alpha1";

fn until_gone(installation: &Installation, name: &str) {
    installation.until(&format!("{name} is gone"), || {
        installation.kube.find(VERSION, "Application", NAMESPACE, name).is_none().then_some(())
    });
}

#[test]
fn a_hook_that_the_project_does_not_permit_is_not_made_and_holds_the_deletion() {
    let installation = installation();
    let hook = |phase: &str| {
        let annotations = json!({"argocd.argoproj.io/hook": phase});
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": "1"},
            "metadata": {"name": "escaped", "namespace": "default", "annotations": annotations}})
        .to_string()
    };
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "rules": [],
        "metadata": {"name": "escaped", "namespace": "fenced", "annotations": {"helm.sh/hook": "post-delete"}}});
    let files = [
        ("app/map.yaml", config_map("map", "1")),
        ("app/before.json", hook("PreDelete")),
        ("app/after.json", role.to_string()),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files("fenced", &files).unwrap();
    let fence = |namespace: &str, kinds: serde_json::Value| {
        json!({"sourceRepos": ["*"], "clusterResourceWhitelist": kinds,
            "destinations": [{"server": "*", "namespace": "fenced"}, {"server": "*", "namespace": namespace}]})
    };
    installation
        .kube
        .create(json!({"apiVersion": VERSION, "kind": "AppProject",
            "metadata": {"name": "fenced", "namespace": NAMESPACE}, "spec": fence("fenced", json!([]))}))
        .unwrap();
    installation.until("the project is known", || {
        let words = installation.creation("fenced", &repository.url(), "app", &["--project", "fenced"]);
        installation.cli(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok()
    });
    installation.succeed(&["app", "sync", "fenced", "--timeout", "100"]);
    installation.until_application("fenced", "held by its hooks", |it| {
        it["metadata"]["finalizers"].to_string().matches("delete-finalizer").count() == 4
    });
    installation.succeed(&["app", "delete", "fenced", "--yes", "--wait=false"]);
    installation.until_application("fenced", "told what is not permitted before the deletion", |it| {
        let told = condition(it, "DeletionError");
        told.contains("PreDelete hook /ConfigMap/default/escaped is not permitted")
            && told.contains("namespace default is not permitted in project 'fenced'")
    });
    assert_eq!(installation.value("default", "escaped"), None);
    assert_eq!(installation.value("fenced", "map").as_deref(), Some("1"), "nothing goes before");

    let permit =
        |spec| installation.kube.merge(VERSION, "AppProject", NAMESPACE, "fenced", json!({"spec": spec}));
    permit(fence("default", json!([])));
    installation.until_application("fenced", "told what is not permitted after the deletion", |it| {
        let told = condition(it, "DeletionError");
        told.contains("PostDelete hook rbac.authorization.k8s.io/ClusterRole/")
            && told.contains("is not permitted in project fenced")
    });
    assert_eq!(installation.value("fenced", "map"), None);
    let made = || installation.kube.find("rbac.authorization.k8s.io/v1", "ClusterRole", "", "escaped");
    assert!(made().is_none(), "a kind without namespaces is not taken for one that has");

    permit(fence("default", json!([{"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"}])));
    until_gone(&installation, "fenced");
    assert!(made().is_some());
    assert_eq!(installation.value("default", "escaped"), None, "what ran before went with the rest");
    installation.kube.delete("rbac.authorization.k8s.io/v1", "ClusterRole", "", "escaped");
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "fenced");
}

#[test]
fn what_hooks_left_goes_by_their_policies_also_when_their_source_is_gone() {
    let installation = installation();
    let repository = GitRepo::from_files("sourceless", &[("app/map.yaml", &config_map("map", "1"))]).unwrap();
    installation.create("sourceless", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "sourceless", "--timeout", "100"]);
    let left = |name: &str, policy: &str| {
        installation.kube.apply(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": "1"},
        "metadata": {"name": name, "namespace": "sourceless", "annotations": {
            "argocd.argoproj.io/hook": "PreDelete", "argocd.argoproj.io/hook-delete-policy": policy,
            "argocd.argoproj.io/tracking-id": format!("sourceless:/ConfigMap:sourceless/{name}"),
        }}}));
    };
    left("goes", "HookSucceeded");
    left("stays", "HookFailed");
    let change = |patch| installation.kube.merge(VERSION, "Application", NAMESPACE, "sourceless", patch);
    change(json!({"spec": {"source": {"repoURL": "http://127.0.0.1:1/gone.git"}}}));
    installation.until_application("sourceless", "told that its source is gone", |it| {
        condition(it, "ComparisonError").contains("Failed to load target state")
    });
    // As it is once its hooks have run, where nothing else is to go: only their clean-up is left to do.
    let finalizers = ["pre-delete-finalizer.argocd.argoproj.io/cleanup"];
    change(json!({"metadata": {"finalizers": finalizers}}));
    // The command line would add finalizers of its own.
    installation.kube.delete(VERSION, "Application", NAMESPACE, "sourceless");
    until_gone(&installation, "sourceless");
    assert_eq!(installation.value("sourceless", "map").as_deref(), Some("1"));
    assert_eq!(installation.value("sourceless", "goes"), None);
    assert_eq!(installation.value("sourceless", "stays").as_deref(), Some("1"));
}

#[test]
fn hooks_before_a_deletion_go_with_everything_else_and_hooks_after_it_by_their_policies() {
    let installation = installation();
    let diary = installation.home.path().join("cascading");
    let hook = |name: &str, phase: &str, policy: &str| job(&diary, name, phase, policy, 0);
    let files = [
        ("app/map.yaml", config_map("map", "1")),
        ("app/before.json", hook("before", "PreDelete", "")),
        ("app/told.json", hook("told", "PreDelete", "HookFailed")),
        ("app/after.json", hook("after", "PostDelete", "")),
        ("app/gone.json", hook("gone", "PostDelete", "HookSucceeded")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files("cascading", &files).unwrap();
    installation.create("cascading", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "cascading", "--timeout", "100"]);
    installation.succeed(&["app", "delete", "cascading", "--yes", "--wait"]);
    let mut all = ran(&diary);
    all.sort();
    assert_eq!(all, ["after", "before", "gone", "told"]);
    assert_eq!(installation.value("cascading", "map"), None);
    assert_eq!(jobs(&installation, "cascading"), ["after"]);
    installation.kube.delete("batch/v1", "Job", "cascading", "after");
}

#[test]
fn helm_hooks_and_hooks_without_a_name_run_each_time() {
    let installation = installation();
    let diary = installation.home.path().join("nameless");
    let mut nameless: serde_json::Value =
        serde_json::from_str(&job(&diary, "nameless", "PreSync", "BeforeHookCreation", 0)).unwrap();
    nameless["metadata"]["name"] = serde_json::Value::Null;
    nameless["metadata"]["generateName"] = "nameless-".into();
    let mut parting: serde_json::Value =
        serde_json::from_str(&job(&diary, "parting", "PreDelete", "", 0)).unwrap();
    parting["metadata"]["name"] = serde_json::Value::Null;
    parting["metadata"]["generateName"] = "parting-".into();
    let helm = |name: &str, hook: &str| {
        let mut text: serde_json::Value = serde_json::from_str(&job(&diary, name, "", "", 0)).unwrap();
        text["metadata"]["annotations"] =
            json!({"helm.sh/hook": hook, "helm.sh/hook-delete-policy": "hook-succeeded"});
        text.to_string()
    };
    let repository = GitRepo::from_files(
        "nameless",
        &[
            ("app/nameless.json", &nameless.to_string()),
            ("app/parting.json", &parting.to_string()),
            ("app/install.json", &helm("install", "post-install,post-upgrade")),
            ("app/bye.json", &helm("bye", "post-delete")),
            ("app/map.yaml", &config_map("map", "1")),
        ],
    )
    .unwrap();
    installation.create("nameless", &repository, "app", &[]);
    for _ in 0..2 {
        installation.succeed(&["app", "sync", "nameless", "--timeout", "100"]);
    }
    assert_eq!(ran(&diary), ["nameless", "install", "nameless", "install"]);
    installation.until("what Helm's policy says is to go is gone", || {
        installation.kube.find("batch/v1", "Job", "nameless", "install").is_none().then_some(())
    });
    installation.succeed(&["app", "delete", "nameless", "--yes", "--wait"]);
    assert_eq!(ran(&diary)[4..], ["parting", "bye"]);
    // Each run of the hook without a name left a Job; what ran after everything else stays by its policy.
    let left = crate::hooks::jobs(&installation, "nameless");
    assert!(!left.iter().any(|name| name.starts_with("nameless-")), "{left:?}");
}

#[test]
fn a_cluster_that_cannot_be_reached_holds_a_deletion_until_it_is_forgotten() {
    let installation = installation();
    let repository = GitRepo::from_files("dead", &[("app/map.yaml", &config_map("map", "1"))]).unwrap();
    installation.kube.apply(json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {"name": "dead", "namespace": NAMESPACE, "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {"name": "dead", "server": "https://127.0.0.1:1", "config": "{}"}}));
    installation
        .kube
        .create(json!({"apiVersion": VERSION, "kind": "Application",
            "metadata": {"name": "dead", "namespace": NAMESPACE},
            "spec": {"project": "default", "destination": {"name": "dead", "namespace": "dead"},
                "source": {"repoURL": repository.url(), "path": "app"}}}))
        .unwrap();
    installation.until_application("dead", "told what is not known", |it| {
        let told = it["status"]["conditions"].to_string();
        let info = "failed to get cluster info for \\\"https://127.0.0.1:1\\\": error synchronizing cache state : failed to get server version: ";
        told.contains(&format!("Failed to load live state: {info}"))
            && told.contains(&format!("Failed to load target state: failed to get cluster version for cluster \\\"https://127.0.0.1:1\\\": {info}"))
            && condition(it, "UnknownError").starts_with("error synchronizing cache state : failed to get server version: ")
    });
    let finalizers = [
        "pre-delete-finalizer.argocd.argoproj.io",
        "resources-finalizer.argocd.argoproj.io",
        "post-delete-finalizer.argocd.argoproj.io/cleanup",
    ];
    let held = json!({"metadata": {"finalizers": finalizers}});
    installation.kube.merge(VERSION, "Application", NAMESPACE, "dead", held);
    installation.kube.delete(VERSION, "Application", NAMESPACE, "dead");
    installation.until_application("dead", "told why it is not deleted", |it| {
        condition(it, "DeletionError").starts_with("failed to get cluster info for \"https://127.0.0.1:1\": ")
    });
    installation.kube.delete("v1", "Secret", NAMESPACE, "dead");
    until_gone(&installation, "dead");
}
