//! What changes while a sync is under way counts for what it has not come to yet.

use crate::engine::{operation, repository};
use crate::installation::{NAMESPACE, config_map, installation};
use crate::options::{push, results};
use crate::windows::{begin_gated, hook_until, make_project};
use serde_json::json;

const VERSION: &str = "argoproj.io/v1alpha1";

#[test]
fn what_is_protected_or_handed_over_before_a_prune_comes_to_it_stays() {
    let installation = installation();
    let maps = ["goes", "kept", "taken", "stays"];
    let files = maps.map(|name| (format!("app/{name}.yaml"), config_map(name, "1")));
    let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
    let mut repository = repository("minded", &files);
    installation.create("minded", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "minded", "--timeout", "100"]);
    let gate = installation.home.path().join("minded");
    for name in ["goes", "kept", "taken"] {
        repository.remove(&format!("app/{name}.yaml")).unwrap();
    }
    repository.write("app/gate.json", hook_until(&gate)).unwrap();
    push(&mut repository);
    installation.succeed(&["app", "get", "minded", "--refresh"]);
    installation.succeed(&["app", "sync", "minded", "--prune", "--async"]);
    installation
        .until("the hook runs", || installation.kube.find("batch/v1", "Job", "minded", "gate").map(drop));
    for (name, annotation, text) in [
        ("kept", "argocd.argoproj.io/sync-options", "Prune=false"),
        ("taken", "argocd.argoproj.io/tracking-id", "other:/ConfigMap:minded/taken"),
    ] {
        let change = json!({"metadata": {"annotations": {annotation: text}}});
        installation.kube.merge("v1", "ConfigMap", "minded", name, change);
    }
    std::fs::write(&gate, "").unwrap();
    installation.until_application("minded", "the sync ended", |it| operation(it)["phase"] == "Succeeded");
    let told = results(&installation, "minded");
    let of = |name: &str| {
        let found = told.iter().find(|(it, ..)| it == name);
        found.map(|(_, status, message)| (status.as_str(), message.as_str()))
    };
    assert_eq!(of("goes"), Some(("Pruned", "pruned")), "{told:?}");
    assert_eq!(of("kept"), Some(("PruneSkipped", "ignored (no prune)")), "{told:?}");
    let reason = "ignored (no longer part of the application)";
    assert_eq!(of("taken"), Some(("PruneSkipped", reason)), "{told:?}");
    let live = |name: &str| installation.value("minded", name).is_some();
    assert_eq!(maps.map(live), [false, true, true, true]);
    installation.succeed(&["app", "delete", "minded", "--yes", "--wait"]);
    assert_eq!(maps.map(live), [false, false, true, false]);
}

#[test]
fn what_a_project_does_not_permit_any_more_is_not_applied() {
    let installation = installation();
    make_project(&installation);
    let (gate, _repository) = begin_gated(&installation, "narrowed");
    let narrower = json!({"spec": {"namespaceResourceBlacklist": [{"group": "", "kind": "ConfigMap"}]}});
    installation.kube.merge(VERSION, "AppProject", NAMESPACE, "hours", narrower);
    std::thread::sleep(std::time::Duration::from_secs(2));
    std::fs::write(&gate, "").unwrap();
    installation.until_application("narrowed", "the sync ended", |it| operation(it)["phase"] == "Failed");
    let told = operation(&installation.application("narrowed")).to_string();
    assert!(told.contains("resource :ConfigMap is not permitted in project hours"), "{told}");
    assert_eq!(installation.value("narrowed", "map"), None);
    installation.succeed(&["app", "delete", "narrowed", "--yes", "--wait"]);
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "hours");
}
