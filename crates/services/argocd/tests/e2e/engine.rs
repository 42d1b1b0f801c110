//! What syncs respect and in whose name they act; comparing by dry runs; prunes that wait for a user.

use crate::installation::{config_map, installation, sync_status};
use serde_json::{Value, json};
use testkit::git_repo::GitRepo;

const APPLICATION: [&str; 2] = ["argoproj.io/v1alpha1", "Application"];

pub fn repository(name: &str, files: &[(&str, String)]) -> GitRepo {
    let mut repository = GitRepo::create(name).unwrap();
    for (path, text) in files {
        repository.write(path, text).unwrap();
    }
    repository.commit("first").unwrap();
    repository.push().unwrap();
    repository
}

pub fn operation(application: &Value) -> &Value {
    &application["status"]["operationState"]
}

#[test]
fn what_is_ignored_stays_as_it_is_live() {
    let installation = installation();
    let map = |value: &str, other: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"},
            "data": {"value": value, "other": other}})
        .to_string()
    };
    let mut repository = repository("respects", &[("app/shared.json", map("git", "1"))]);
    installation.create("respects", &repository, "app", &["--sync-option", "RespectIgnoreDifferences=true"]);
    let ignore = json!([{"kind": "ConfigMap", "jsonPointers": ["/data/value"]}]);
    let [version, kind] = APPLICATION;
    installation.kube.merge(
        version,
        kind,
        "argocd",
        "respects",
        json!({"spec": {"ignoreDifferences": ignore}}),
    );
    installation.succeed(&["app", "sync", "respects", "--timeout", "100"]);
    installation.kube.merge("v1", "ConfigMap", "respects", "shared", json!({"data": {"value": "by hand"}}));
    repository.write("app/shared.json", map("git again", "2")).unwrap();
    repository.commit("second").unwrap();
    repository.push().unwrap();
    installation.succeed(&["app", "get", "respects", "--refresh"]);
    installation.succeed(&["app", "sync", "respects", "--timeout", "100"]);
    let live = installation.kube.find("v1", "ConfigMap", "respects", "shared").unwrap();
    assert_eq!(live["data"], json!({"value": "by hand", "other": "2"}));
    installation.until_synced("respects");
    installation.succeed(&["app", "delete", "respects", "--yes"]);
}

#[test]
fn a_dry_run_says_what_is_drift_and_one_that_is_refused_says_nothing() {
    let installation = installation();
    let repository = repository("predicted", &[("app/map.yaml", config_map("map", "git"))]);
    installation.create("predicted", &repository, "app", &["--sync-option", "ServerSideApply=true"]);
    installation.succeed(&["app", "sync", "predicted", "--timeout", "100"]);
    installation.until_synced("predicted");
    installation.kube.merge("v1", "ConfigMap", "predicted", "map", json!({"data": {"value": "by hand"}}));
    installation.until_application("predicted", "OutOfSync", |it| sync_status(it) == "OutOfSync");
    installation.succeed(&["app", "sync", "predicted", "--timeout", "100"]);
    installation.until_synced("predicted");

    let group = "admissionregistration.k8s.io/v1";
    installation.kube.apply(json!({
        "apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "no-maps"},
        "spec": {"failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                "operations": ["UPDATE"], "resources": ["configmaps"]}]},
            "validations": [{"expression": "request.namespace != 'predicted' || request.userInfo.username == 'nobody'",
                "message": "no maps here"}]},
    }));
    installation.kube.apply(json!({
        "apiVersion": group, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "no-maps"},
        "spec": {"policyName": "no-maps", "validationActions": ["Deny"]},
    }));
    installation.until_application("predicted", "Unknown once the dry run is refused", |it| {
        // Another version of the object asks the question again.
        installation.succeed(&["app", "get", "predicted", "--hard-refresh"]);
        let text = it["status"]["conditions"].to_string();
        sync_status(it) == "Unknown" && text.contains("no maps here")
    });
    installation.kube.delete(group, "ValidatingAdmissionPolicyBinding", "", "no-maps");
    installation.kube.delete(group, "ValidatingAdmissionPolicy", "", "no-maps");
    installation.until_application("predicted", "Synced again", |it| {
        installation.succeed(&["app", "get", "predicted", "--refresh"]);
        sync_status(it) == "Synced"
    });
    installation.succeed(&["app", "delete", "predicted", "--yes"]);
}

#[test]
fn a_sync_acts_in_the_name_of_the_projects_service_account() {
    let installation = installation();
    let repository = repository("acting", &[("app/map.yaml", config_map("map", "git"))]);
    let accounts = json!([{"server": "*", "namespace": "acting", "defaultServiceAccount": "deployer"}]);
    let project = json!({"spec": {"destinationServiceAccounts": accounts}});
    installation.kube.merge("argoproj.io/v1alpha1", "AppProject", "argocd", "default", project);
    // Others have no service account, and go on as they were.
    installation.set("argocd-cm", "application.sync.impersonation.enforced", Some("false"));
    installation.set("argocd-cm", "application.sync.impersonation.enabled", Some("true"));
    installation.create("acting", &repository, "app", &[]);
    installation.kube.apply(json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "deployer", "namespace": "acting"}}));
    let refused = installation.until("the sync is refused", || {
        installation.cli(&["app", "sync", "acting", "--timeout", "100"]).ok();
        let application = installation.application("acting");
        let state = operation(&application);
        (state["phase"] == "Failed").then(|| state.to_string())
    });
    let account = "system:serviceaccount:acting:deployer";
    let told = crate::options::results(&installation, "acting");
    let told_of = |name: &str| told.iter().any(|(it, _, message)| it == name && message.contains(account));
    assert!(refused.contains(account) && told_of("map"), "{refused}");
    assert_eq!(installation.value("acting", "map"), None);
    let rights = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]}]);
    let group = "rbac.authorization.k8s.io";
    let subjects = json!([{"kind": "ServiceAccount", "name": "deployer", "namespace": "acting"}]);
    installation.kube.apply(json!({"apiVersion": format!("{group}/v1"), "kind": "Role",
        "metadata": {"name": "deployer", "namespace": "acting"}, "rules": rights}));
    installation.kube.apply(json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding",
        "metadata": {"name": "deployer", "namespace": "acting"},
        "roleRef": {"apiGroup": group, "kind": "Role", "name": "deployer"},
        "subjects": subjects}));
    installation
        .until("the sync succeeds", || installation.cli(&["app", "sync", "acting", "--timeout", "100"]).ok());
    assert_eq!(installation.value("acting", "map").as_deref(), Some("git"));

    // Whoever creates the namespace looks for it first, and that is the service account, too.
    let [version, kind] = APPLICATION;
    let policy =
        json!({"spec": {"syncPolicy": {"syncOptions": ["CreateNamespace=true", "ServerSideApply=true"]}}});
    installation.kube.merge(version, kind, "argocd", "acting", policy);
    let refused = installation.until("the look at the namespace is refused", || {
        installation.cli(&["app", "sync", "acting", "--timeout", "100"]).ok();
        let state = operation(&installation.application("acting")).to_string();
        state.contains("namespaces").then_some(state)
    });
    let who = "namespaces \\\"acting\\\" is forbidden: User \\\"system:serviceaccount:acting:deployer\\\" cannot get resource";
    assert!(refused.contains(who), "{refused}");
    installation.kube.apply(json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRole",
        "metadata": {"name": "acting-deployer"},
        "rules": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]}));
    installation.kube.apply(json!({"apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding",
        "metadata": {"name": "acting-deployer"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "acting-deployer"},
        "subjects": subjects}));
    installation
        .until("it may look", || installation.cli(&["app", "sync", "acting", "--timeout", "100"]).ok());

    // Dry runs are in that name, too.
    installation.until_synced("acting");
    let role = &format!("{group}/v1");
    let weaker = json!({"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]});
    installation.kube.merge(role, "Role", "acting", "deployer", weaker);
    installation.until_application("acting", "Unknown once its dry runs are refused", |it| {
        installation.succeed(&["app", "get", "acting", "--hard-refresh"]);
        let text = it["status"]["conditions"].to_string();
        sync_status(it) == "Unknown" && text.contains("system:serviceaccount:acting:deployer")
    });
    installation.kube.merge(role, "Role", "acting", "deployer", json!({"rules": rights}));
    installation.until_application("acting", "Synced again", |it| {
        installation.succeed(&["app", "get", "acting", "--refresh"]);
        sync_status(it) == "Synced"
    });
    installation.succeed(&["app", "delete", "acting", "--yes"]);
    installation.set("argocd-cm", "application.sync.impersonation.enabled", None);
    installation.set("argocd-cm", "application.sync.impersonation.enforced", None);
}

#[test]
fn a_prune_that_asks_goes_on_as_soon_as_a_user_confirms() {
    let installation = installation();
    let asks = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": "1"}, "metadata": {"name": "asks",
        "annotations": {"argocd.argoproj.io/sync-options": "Prune=confirm"}}});
    let files = [("app/asks.json", asks.to_string()), ("app/stays.yaml", config_map("stays", "1"))];
    let mut repository = repository("confirmed", &files);
    installation.create("confirmed", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "confirmed", "--timeout", "100"]);
    repository.remove("app/asks.json").unwrap();
    repository.commit("without").unwrap();
    repository.push().unwrap();
    installation.succeed(&["app", "get", "confirmed", "--refresh"]);
    installation.succeed(&["app", "sync", "confirmed", "--prune", "--async"]);
    installation.until_application("confirmed", "waiting for a user", |it| {
        operation(it)["message"].as_str().unwrap_or_default().contains("Waiting for pruning confirmation")
    });
    assert_eq!(installation.value("confirmed", "asks").as_deref(), Some("1"));
    installation.succeed(&["app", "confirm-deletion", "confirmed"]);
    installation.until_application("confirmed", "the sync ended", |it| operation(it)["phase"] == "Succeeded");
    assert_eq!(installation.value("confirmed", "asks"), None);
    assert_eq!(installation.value("confirmed", "stays").as_deref(), Some("1"));
    installation.succeed(&["app", "delete", "confirmed", "--yes"]);
}

#[test]
fn lists_of_a_users_own_kind_merge_as_the_clusters_schema_says() {
    let installation = installation();
    let version = "lists.example.com/v1";
    let listener = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"}, "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"},
    }});
    let list = json!({
        "type": "array", "items": listener, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
    });
    let spec = json!({"type": "object", "properties": {"listeners": list}});
    installation.kube.apply(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "doors.lists.example.com"},
        "spec": {
            "group": "lists.example.com", "scope": "Namespaced", "names": {"kind": "Door", "plural": "doors", "singular": "door"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}},
            }],
        },
    }));
    let door = |listeners: Value| json!({"apiVersion": version, "kind": "Door", "metadata": {"name": "door", "namespace": "doors"}, "spec": {"listeners": listeners}});
    let wanted = door(json!([{"name": "a", "port": 1}])).to_string();
    let repository = repository("doors", &[("app/door.json", wanted)]);
    installation.create("doors", &repository, "app", &["--sync-option", "ServerSideApply=true"]);
    installation.succeed(&["app", "sync", "doors", "--timeout", "100"]);
    // The server's default within an element is no drift, and neither is another's element.
    installation.until_synced("doors");
    installation.kube.apply(door(json!([{"name": "b", "port": 2}])));
    let listeners = || {
        let found = installation.kube.find(version, "Door", "doors", "door").unwrap();
        found["spec"]["listeners"].clone()
    };
    let a = json!({"name": "a", "port": 1, "protocol": "TCP"});
    let b = json!({"name": "b", "port": 2, "protocol": "TCP"});
    assert_eq!(listeners(), json!([a, b]));
    installation.succeed(&["app", "get", "doors", "--refresh"]);
    assert_eq!(sync_status(&installation.application("doors")), "Synced");
    // A value that was declared is.
    installation.kube.apply(door(json!([{"name": "a", "port": 7}, {"name": "b", "port": 2}])));
    installation.until_application("doors", "OutOfSync", |it| {
        installation.succeed(&["app", "get", "doors", "--refresh"]);
        sync_status(it) == "OutOfSync"
    });
    installation.succeed(&["app", "sync", "doors", "--timeout", "100"]);
    assert_eq!(listeners(), json!([a, b]));
    installation.until_synced("doors");
    installation.succeed(&["app", "delete", "doors", "--yes", "--wait"]);
    installation.kube.delete(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "",
        "doors.lists.example.com",
    );
}
