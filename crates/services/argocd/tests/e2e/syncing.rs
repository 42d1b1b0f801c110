//! Syncs of every manner: refused, partial, pretended, superseded, tried again, held by a window half-way.

use crate::hooks::job;
use crate::installation::{Installation, NAMESPACE, Part, config_map, installation, sync_status};
use serde_json::{Value, json};
use testkit::git_repo::GitRepo;

const VERSION: &str = "argoproj.io/v1alpha1";

fn phase(application: &Value) -> &str {
    application["status"]["operationState"]["phase"].as_str().unwrap_or_default()
}

fn message(application: &Value) -> &str {
    application["status"]["operationState"]["message"].as_str().unwrap_or_default()
}

/// A Service that waits for an address nobody gives it, or one that does not.
fn service(kind: &str) -> String {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"type": kind, "ports": [{"port": 80}], "selector": {"app": "web"}}})
    .to_string()
}

fn push(repository: &mut GitRepo) {
    repository.commit("change").unwrap();
    repository.push().unwrap();
}

fn uid(installation: &Installation, namespace: &str, name: &str) -> String {
    let found = installation.kube.find("v1", "ConfigMap", namespace, name).unwrap();
    found["metadata"]["uid"].as_str().unwrap().to_owned()
}

#[test]
fn a_server_side_apply_that_a_policy_denies_deletes_nothing() {
    let installation = installation();
    let mut repository =
        GitRepo::from_files("denied", &[("app/map.yaml", &config_map("map", "one"))]).unwrap();
    let options = ["--sync-option", "ServerSideApply=true", "--sync-option", "Force=true"];
    installation.create("denied", &repository, "app", &options);
    installation.succeed(&["app", "sync", "denied", "--timeout", "100"]);
    let before = uid(&installation, "denied", "map");
    let group = "admissionregistration.k8s.io/v1";
    // A dry run is let through, so that what is refused is the change itself.
    installation.kube.apply(json!({
        "apiVersion": group, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "denied"},
        "spec": {"failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"],
                "operations": ["UPDATE"], "resources": ["configmaps"]}]},
            "validations": [{"expression": "request.namespace != 'denied' || request.dryRun == true || object.data.value != 'two'",
                "reason": "Invalid", "message": "two is denied"}]},
    }));
    installation.kube.apply(json!({
        "apiVersion": group, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": "denied"},
        "spec": {"policyName": "denied", "validationActions": ["Deny"]},
    }));
    repository.change("app/map.yaml", &config_map("map", "two")).unwrap();
    let patch = || json!({"data": {"value": "two"}});
    installation.until("the policy is in force", || {
        let refused = installation.kube.try_merge("v1", "ConfigMap", "denied", "map", patch()).is_err();
        if !refused {
            installation.kube.merge("v1", "ConfigMap", "denied", "map", json!({"data": {"value": "one"}}));
        }
        refused.then_some(())
    });
    installation.succeed(&["app", "get", "denied", "--refresh"]);
    installation.cli(&["app", "sync", "denied", "--force", "--timeout", "100"]).unwrap_err();
    let application = installation.application("denied");
    assert!(application["status"]["operationState"].to_string().contains("two is denied"), "{application:#}");
    assert_eq!(uid(&installation, "denied", "map"), before, "what is live stays");
    assert_eq!(installation.value("denied", "map").as_deref(), Some("one"));
    installation.kube.delete(group, "ValidatingAdmissionPolicyBinding", "", "denied");
    installation.kube.delete(group, "ValidatingAdmissionPolicy", "", "denied");
    installation
        .until("the sync succeeds", || installation.cli(&["app", "sync", "denied", "--timeout", "100"]).ok());
    assert_eq!(uid(&installation, "denied", "map"), before);
    installation.succeed(&["app", "delete", "denied", "--yes", "--wait"]);
}

#[test]
fn what_depends_on_a_pruned_object_holds_it_only_in_the_foreground() {
    let installation = installation();
    for (name, policy) in [("foreground", "foreground"), ("background", "background")] {
        let files =
            [("app/owner.yaml", config_map("owner", "1")), ("app/stays.yaml", config_map("stays", "1"))];
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        let mut repository = GitRepo::from_files(name, &files).unwrap();
        let option = format!("PrunePropagationPolicy={policy}");
        installation.create(name, &repository, "app", &["--sync-option", &option]);
        installation.succeed(&["app", "sync", name, "--timeout", "100"]);
        installation.kube.apply(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "child", "namespace": name, "finalizers": ["e2e.example.com/held"],
                "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "owner",
                    "uid": uid(&installation, name, "owner"), "blockOwnerDeletion": true}]}}));
        repository.remove("app/owner.yaml").unwrap();
        push(&mut repository);
        installation.succeed(&["app", "get", name, "--refresh"]);
        installation.succeed(&["app", "sync", name, "--prune", "--async"]);
        let owner = || installation.kube.find("v1", "ConfigMap", name, "owner");
        installation.until("the child is going", || {
            let child = installation.kube.find("v1", "ConfigMap", name, "child").unwrap();
            child["metadata"]["deletionTimestamp"].is_string().then_some(())
        });
        assert_eq!(owner().is_some(), policy == "foreground", "{policy}");
        let released = json!({"metadata": {"finalizers": null}});
        installation.kube.merge("v1", "ConfigMap", name, "child", released);
        installation.until("the owner is gone", || owner().is_none().then_some(()));
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
}

#[test]
fn an_application_that_prunes_last_keeps_what_is_old_until_what_is_new_is_well() {
    let installation = installation();
    let mut repository =
        GitRepo::from_files("lasting", &[("app/old.yaml", &config_map("old", "1"))]).unwrap();
    installation.create("lasting", &repository, "app", &["--sync-option", "PruneLast=true"]);
    installation.succeed(&["app", "sync", "lasting", "--timeout", "100"]);
    repository.remove("app/old.yaml").unwrap();
    repository.write("app/web.json", service("LoadBalancer")).unwrap();
    push(&mut repository);
    installation.succeed(&["app", "get", "lasting", "--refresh"]);
    installation.succeed(&["app", "sync", "lasting", "--prune", "--async"]);
    installation.until_application("lasting", "waiting for what is new", |it| {
        message(it).starts_with("waiting for healthy state of /Service/web")
    });
    assert_eq!(installation.value("lasting", "old").as_deref(), Some("1"));
    installation.succeed(&["app", "terminate-op", "lasting"]);
    installation.until_application("lasting", "stopped", |it| phase(it) == "Failed");
    assert_eq!(installation.value("lasting", "old").as_deref(), Some("1"));
    repository.change("app/web.json", &service("ClusterIP")).unwrap();
    installation.succeed(&["app", "get", "lasting", "--refresh"]);
    installation.succeed(&["app", "sync", "lasting", "--prune", "--timeout", "100"]);
    assert_eq!(installation.value("lasting", "old"), None);
    installation.succeed(&["app", "delete", "lasting", "--yes", "--wait"]);
}

#[test]
fn a_kind_that_nobody_serves_yet_is_tried_where_the_application_says_so() {
    let installation = installation();
    let widget = |kind: &str| {
        json!({"apiVersion": "later.example.com/v1", "kind": kind, "metadata": {"name": "w"}}).to_string()
    };
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "laters.later.example.com"},
        "spec": {"group": "later.example.com", "scope": "Namespaced",
            "names": {"kind": "Later", "plural": "laters", "singular": "later"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object"}}}]}});
    let first = config_map("first", "1");
    let files = [
        ("never/first.yaml", first.as_str()),
        ("never/widget.json", &widget("Never")),
        ("both/crd.json", &crd.to_string()),
        ("both/later.json", &widget("Later")),
    ];
    let repository = GitRepo::from_files("served", &files).unwrap();
    let option = ["--sync-option", "SkipDryRunOnMissingResource=true"];
    installation.create("unserved", &repository, "never", &option);
    installation.cli(&["app", "sync", "unserved", "--timeout", "100"]).unwrap_err();
    assert_eq!(installation.value("unserved", "first").as_deref(), Some("1"), "the others are applied");

    installation.create("both", &repository, "both", &[]);
    installation.succeed(&["app", "sync", "both", "--timeout", "100"]);
    assert!(installation.kube.find("later.example.com/v1", "Later", "both", "w").is_some());
    installation.until_synced("both");
    for name in ["unserved", "both"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
    installation.kube.delete(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        "",
        "laters.later.example.com",
    );
}

#[test]
fn only_what_is_selected_is_synced_and_what_is_pretended_is_not() {
    let installation = installation();
    let files = [("app/one.yaml", config_map("one", "1")), ("app/two.yaml", config_map("two", "1"))];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files("partial", &files).unwrap();
    installation.create("partial", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "partial", "--dry-run", "--timeout", "100"]);
    let application = installation.application("partial");
    let told = application["status"]["operationState"]["syncResult"]["resources"].to_string();
    assert!(told.contains("created (dry run)"), "{told}");
    assert_eq!((installation.value("partial", "one"), installation.value("partial", "two")), (None, None));
    assert_eq!(application["status"]["history"], Value::Null);
    installation.succeed(&["app", "sync", "partial", "--resource", ":ConfigMap:one", "--timeout", "100"]);
    assert_eq!(installation.value("partial", "one").as_deref(), Some("1"));
    assert_eq!(installation.value("partial", "two"), None);
    let application = installation.application("partial");
    assert_eq!(application["status"]["history"], Value::Null, "a part is no deployment");
    installation.until_application("partial", "OutOfSync for the rest", |it| sync_status(it) == "OutOfSync");
    installation.succeed(&["app", "delete", "partial", "--yes", "--wait"]);
}

#[test]
fn a_newer_revision_takes_over_from_one_that_never_gets_well() {
    let installation = installation();
    let mut repository = GitRepo::from_files("newer", &[("app/web.json", &service("LoadBalancer"))]).unwrap();
    // What comes in a later wave waits for the Service.
    let mut later: Value = serde_json::from_str(
        &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later"}, "data": {"value": "1"}})
            .to_string(),
    )
    .unwrap();
    later["metadata"]["annotations"] = json!({"argocd.argoproj.io/sync-wave": "1"});
    repository.change("app/later.json", &later.to_string()).unwrap();
    installation.create("newer", &repository, "app", &["--sync-policy", "auto"]);
    installation.until_application("newer", "waiting for the first revision", |it| {
        message(it).starts_with("waiting for healthy state of /Service/web")
    });
    repository.change("app/web.json", &service("ClusterIP")).unwrap();
    installation.succeed(&["app", "get", "newer", "--refresh"]);
    installation.until_synced("newer");
    assert_eq!(installation.value("newer", "later").as_deref(), Some("1"));
    installation.succeed(&["app", "delete", "newer", "--yes", "--wait"]);
}

#[test]
fn another_try_takes_the_newest_revision_where_it_is_to() {
    let installation = installation();
    let mut repository =
        GitRepo::from_files("mended", &[("app/map.yaml", &config_map("Bad_Name", "1"))]).unwrap();
    installation.create("mended", &repository, "app", &[]);
    let words = ["--retry-limit", "20", "--retry-refresh", "--retry-backoff-duration", "2s"];
    let factor = ["--retry-backoff-factor", "1", "--async"];
    installation.succeed(&[&["app", "sync", "mended"], &words[..], &factor[..]].concat());
    installation.until_application("mended", "about to try again", |it| {
        message(it).contains("Retrying") || it["status"]["operationState"]["retryCount"].is_number()
    });
    repository.change("app/map.yaml", &config_map("good-name", "1")).unwrap();
    installation.until_application("mended", "mended by another try", |it| phase(it) == "Succeeded");
    assert_eq!(installation.value("mended", "good-name").as_deref(), Some("1"));
    installation.succeed(&["app", "delete", "mended", "--yes", "--wait"]);
}

#[test]
fn a_commit_elsewhere_is_no_reason_to_try_again_what_failed() {
    let installation = installation();
    let files = [("app/map.yaml", config_map("Bad_Name", "1")), ("elsewhere/a.txt", "1".to_owned())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let mut repository = GitRepo::from_files("elsewhere", &files).unwrap();
    let more = ["--sync-policy", "auto", "--annotations", "argocd.argoproj.io/manifest-generate-paths=."];
    installation.create(
        "elsewhere",
        &repository,
        "app",
        &[&more[..], &["--sync-retry-limit", "1", "--sync-retry-backoff-duration", "1s"]].concat(),
    );
    installation.until_application("elsewhere", "failed", |it| phase(it) == "Failed");
    let started = installation.application("elsewhere")["status"]["operationState"]["startedAt"].clone();
    repository.change("elsewhere/a.txt", "2").unwrap();
    installation.succeed(&["app", "get", "elsewhere", "--refresh"]);
    let head = repository.head().unwrap();
    installation.until_application("elsewhere", "compared with the new commit", |it| {
        it["status"]["sync"]["revision"] == json!(head)
            && it["status"]["conditions"].to_string().contains("SyncError")
    });
    let application = installation.application("elsewhere");
    assert_eq!(application["status"]["operationState"]["startedAt"], started, "{application:#}");
    repository.change("app/map.yaml", &config_map("good-name", "1")).unwrap();
    installation.succeed(&["app", "get", "elsewhere", "--refresh"]);
    installation.until_synced("elsewhere");
    installation.succeed(&["app", "delete", "elsewhere", "--yes", "--wait"]);
}

#[test]
fn a_window_that_closes_half_way_holds_what_is_left() {
    let installation = installation();
    let window = |kind: &str| {
        json!({"spec": {"syncWindows": [
            {"kind": kind, "schedule": "* * * * *", "duration": "24h", "applications": ["halfway"]}]}})
    };
    let set = |kind| installation.kube.merge(VERSION, "AppProject", NAMESPACE, "halfway", window(kind));
    installation
        .kube
        .create(json!({"apiVersion": VERSION, "kind": "AppProject",
            "metadata": {"name": "halfway", "namespace": NAMESPACE},
            "spec": {"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]}}))
        .unwrap();
    set("allow");
    let gate = installation.home.path().join("halfway");
    let mut hook: Value = serde_json::from_str(&job(&gate, "gate", "PreSync", "", 0)).unwrap();
    let script = format!("while [ ! -e {} ]; do sleep 0.2; done", gate.display());
    hook["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["sh", "-c", script]);
    let files = [("app/map.yaml", config_map("map", "1")), ("app/hook.json", hook.to_string())];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files("halfway", &files).unwrap();
    installation.until("the project is known", || {
        let words = installation.creation("halfway", &repository.url(), "app", &["--project", "halfway"]);
        installation.cli(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok()
    });
    installation.succeed(&["app", "sync", "halfway", "--async"]);
    installation.until_application("halfway", "in its hook", |it| {
        message(it) == "waiting for completion of hook batch/Job/gate"
    });
    set("deny");
    installation.until("the window is closed", || {
        let told = installation.cli(&["app", "get", "halfway"]).ok()?;
        told.contains("Sync Denied").then_some(())
    });
    std::fs::write(&gate, "").unwrap();
    installation.until_application("halfway", "held by the window", |it| {
        message(it) == "Sync operation blocked by sync window" && phase(it) == "Running"
    });
    assert_eq!(installation.value("halfway", "map"), None);
    set("allow");
    installation.until_application("halfway", "let through", |it| phase(it) == "Succeeded");
    assert_eq!(installation.value("halfway", "map").as_deref(), Some("1"));
    installation.succeed(&["app", "delete", "halfway", "--yes", "--wait"]);
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "halfway");
}

#[test]
fn the_health_of_resources_is_in_the_status_where_that_is_wanted() {
    let mut installation = installation();
    let variable = "ARGOCD_APPLICATION_CONTROLLER_PERSIST_RESOURCE_HEALTH";
    let restart = |installation: &mut Installation| {
        installation.kill(Part::Controller);
        installation.run(Part::Controller);
    };
    let health = |application: &Value| application["status"]["resources"][0]["health"]["status"].clone();
    let source = |application: &Value| application["status"]["resourceHealthSource"].clone();
    let repository = GitRepo::from_files("inline", &[("app/web.json", &service("ClusterIP"))]).unwrap();
    installation.create("inline", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "inline", "--timeout", "100"]);
    installation.until_application("inline", "compared", |it| {
        sync_status(it) == "Synced" && source(it) == "appTree" && health(it).is_null()
    });
    installation.environment.insert(variable.into(), "true".into());
    restart(&mut installation);
    installation.succeed(&["app", "get", "inline", "--refresh"]);
    installation.until_application("inline", "told with health", |it| {
        source(it).is_null() && health(it) == "Healthy"
    });
    installation.environment.remove(variable);
    restart(&mut installation);
    installation.succeed(&["app", "get", "inline", "--refresh"]);
    installation
        .until_application("inline", "told without", |it| source(it) == "appTree" && health(it).is_null());
    installation.succeed(&["app", "delete", "inline", "--yes", "--wait"]);
}
