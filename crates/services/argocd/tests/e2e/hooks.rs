//! Hooks of every phase run when they should and go as their policies say.

use crate::installation::{Installation, condition, config_map, installation};
use serde_json::{Value, json};
use std::path::Path;
use testkit::git_repo::GitRepo;

/// A Job that notes its run in a file of this machine, and ends with this code.
pub fn job(diary: &Path, name: &str, phase: &str, policy: &str, exit: u32) -> String {
    let mut annotations = json!({"argocd.argoproj.io/hook": phase});
    if !policy.is_empty() {
        annotations["argocd.argoproj.io/hook-delete-policy"] = policy.into();
    }
    let script = format!("echo {name} >> {}; exit {exit}", diary.display());
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "annotations": annotations},
        "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "example.com/hook", "command": ["sh", "-c", script]}],
        }}},
    })
    .to_string()
}

/// Who ran, in order.
pub fn ran(diary: &Path) -> Vec<String> {
    std::fs::read_to_string(diary).unwrap_or_default().lines().map(str::to_owned).collect()
}

pub fn jobs(installation: &Installation, namespace: &str) -> Vec<String> {
    let jobs = installation.kube.list("batch/v1", "Job", namespace);
    let going = |job: &&Value| job["metadata"]["deletionTimestamp"].is_null();
    let mut names: Vec<String> =
        jobs.iter().filter(going).map(|job| job["metadata"]["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

fn commit(repository: &mut GitRepo) {
    repository.commit("change").unwrap();
    repository.push().unwrap();
}

#[test]
fn phases_come_in_order_and_policies_decide_what_is_left() {
    let installation = installation();
    let diary = installation.home.path().join("phases");
    let mut repository = GitRepo::create("phases").unwrap();
    let hook = |name: &str, phase: &str, policy: &str| job(&diary, name, phase, policy, 0);
    for (name, phase, policy) in [
        ("before", "PreSync", "HookSucceeded"),
        ("during", "Sync", "BeforeHookCreation"),
        ("after", "PostSync", "HookFailed"),
        ("never", "Skip", ""),
        ("mourner", "SyncFail", ""),
        ("bye", "PostDelete", ""),
    ] {
        repository.write(&format!("app/{name}.json"), hook(name, phase, policy)).unwrap();
    }
    repository.write("app/map.yaml", config_map("map", "1")).unwrap();
    commit(&mut repository);
    installation.create("phases", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "phases", "--timeout", "80"]);
    assert_eq!(ran(&diary), ["before", "during", "after"]);
    installation.until("what succeeded and was to go is gone", || {
        (jobs(&installation, "phases") == ["after", "during"]).then_some(())
    });
    let during = |installation: &Installation| {
        let job = installation.kube.find("batch/v1", "Job", "phases", "during").unwrap();
        job["metadata"]["uid"].clone()
    };
    let first = during(&installation);
    installation.succeed(&["app", "sync", "phases", "--timeout", "80"]);
    assert_ne!(during(&installation), first, "made anew before it runs again");

    // One that fails: what comes after it does not, and the phase for failures does.
    repository
        .write("app/during.json", job(&diary, "during", "Sync", "BeforeHookCreation,HookFailed", 1))
        .unwrap();
    commit(&mut repository);
    std::fs::remove_file(&diary).unwrap();
    installation.succeed(&["app", "get", "phases", "--refresh"]);
    installation.cli(&["app", "sync", "phases", "--timeout", "80"]).unwrap_err();
    assert_eq!(ran(&diary), ["before", "during", "mourner"]);
    installation.until("the hook that failed is gone, as its policy says", || {
        (!jobs(&installation, "phases").contains(&"during".to_owned())).then_some(())
    });
    std::fs::remove_file(&diary).unwrap();
    installation.succeed(&["app", "delete", "phases", "--yes", "--wait"]);
    assert_eq!(ran(&diary), ["bye"]);
}

#[test]
fn a_hook_runs_anew_where_a_run_of_somebody_else_has_its_name_and_spares_what_is_no_hook() {
    let installation = installation();
    let diary = installation.home.path().join("foreign");
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "foreign"}});
    installation.kube.apply(namespace);
    // As Helm left it: over, and marked by nobody.
    let mut left: Value = serde_json::from_str(&job(&diary, "migrate", "", "", 0)).unwrap();
    left["metadata"]["annotations"] = json!({"helm.sh/hook": "pre-upgrade"});
    left["metadata"]["namespace"] = "foreign".into();
    left["spec"]["template"]["spec"]["containers"][0]["image"] = "example.com/older".into();
    installation.kube.create(left).unwrap();
    installation.until("Helm's own run is over", || (ran(&diary) == ["migrate"]).then_some(()));
    let completed = |installation: &Installation| {
        let job = installation.kube.find("batch/v1", "Job", "foreign", "migrate")?;
        let uid = job["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        (job["status"]["succeeded"] == 1).then_some(uid)
    };
    let first = installation.until("it is Complete", || completed(&installation));
    let plain = config_map("plain", "1");
    let taken = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"value": "hook"}, "metadata": {
        "name": "plain", "annotations": {"argocd.argoproj.io/hook": "PreSync"}}});
    let migrate = job(&diary, "migrate", "PreSync", "", 0);
    let map = config_map("map", "1");
    let files = [
        ("own/migrate.json", migrate.as_str()),
        ("own/map.yaml", &map),
        ("plain/plain.yaml", &plain),
        ("taken/plain.json", &taken.to_string()),
    ];
    let repository = GitRepo::from_files("foreign", &files).unwrap();
    installation.create("foreign", &repository, "own", &[]);
    installation.succeed(&["app", "sync", "foreign", "--timeout", "80"]);
    assert_eq!(ran(&diary), ["migrate", "migrate"], "the run of another is not this hook's");
    assert_ne!(installation.until("it is Complete", || completed(&installation)), first);

    // What another application wants to be there is not deleted to make room.
    let creation = |name: &str, path: &str| {
        let words = installation.creation(name, &repository.url(), path, &["--dest-namespace", "foreign"]);
        installation.succeed(&words.iter().map(String::as_str).collect::<Vec<_>>());
    };
    creation("foreign-owner", "plain");
    installation.succeed(&["app", "sync", "foreign-owner", "--timeout", "80"]);
    creation("foreign-taker", "taken");
    installation.until_application("foreign-taker", "warned of what both claim", |it| {
        condition(it, "SharedResourceWarning").contains("ConfigMap/plain")
    });
    let told = installation.cli(&["app", "sync", "foreign-taker", "--timeout", "80"]).unwrap_err();
    assert!(told.contains("plain is not run as a hook") && told.contains("foreign-owner"), "{told}");
    assert_eq!(installation.value("foreign", "plain").as_deref(), Some("1"));
    installation.until_synced("foreign-owner");
    for name in ["foreign-taker", "foreign-owner", "foreign"] {
        installation.succeed(&["app", "delete", name, "--yes", "--wait"]);
    }
    assert!(jobs(&installation, "foreign").is_empty());
}

#[test]
fn a_hook_for_failures_runs_for_each_of_them() {
    let installation = installation();
    let diary = installation.home.path().join("mourning");
    let mut repository = GitRepo::create("mourning").unwrap();
    let trial = |exit: u32| job(&diary, "trial", "Sync", "", exit);
    repository.write("app/mourner.json", job(&diary, "mourner", "SyncFail", "HookSucceeded", 0)).unwrap();
    repository.write("app/map.yaml", config_map("map", "1")).unwrap();
    repository.write("app/trial.json", trial(1)).unwrap();
    commit(&mut repository);
    installation.create("mourning", &repository, "app", &[]);
    for exit in [1, 0, 1] {
        repository.write("app/trial.json", trial(exit)).unwrap();
        repository.write("app/map.yaml", config_map("map", &format!("{}", ran(&diary).len()))).unwrap();
        commit(&mut repository);
        installation.succeed(&["app", "get", "mourning", "--refresh"]);
        let synced = installation.cli(&["app", "sync", "mourning", "--timeout", "80"]);
        assert_eq!(synced.is_ok(), exit == 0, "{synced:?}");
    }
    assert_eq!(ran(&diary), ["trial", "mourner", "trial", "trial", "mourner"]);
    installation.succeed(&["app", "delete", "mourning", "--yes", "--wait"]);
    assert!(jobs(&installation, "mourning").is_empty());
}

#[test]
fn a_deletion_waits_for_its_hooks_and_tries_again_what_failed() {
    let installation = installation();
    let diary = installation.home.path().join("deletion");
    let mut repository = GitRepo::create("ending").unwrap();
    repository.write("app/first.json", job(&diary, "first", "PreDelete", "HookSucceeded", 1)).unwrap();
    repository.write("app/map.yaml", config_map("map", "1")).unwrap();
    commit(&mut repository);
    installation.create("ending", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "ending", "--timeout", "60"]);
    installation.succeed(&["app", "delete", "ending", "--yes", "--wait=false"]);
    installation.until_application("ending", "told which hook failed, which is shown", |it| {
        let told = condition(it, "DeletionError");
        let shown = it["status"]["resources"].as_array().cloned().unwrap_or_default();
        shown.iter().any(|it| it["name"] == "first" && it["hook"] == true)
            && told.starts_with("PreDelete hook(s) failed: ending/first (")
            && told.len() > 45
    });
    assert_eq!(
        installation.value("ending", "map").as_deref(),
        Some("1"),
        "nothing goes before its hooks have run"
    );
    repository.write("app/first.json", job(&diary, "first", "PreDelete", "HookSucceeded", 0)).unwrap();
    commit(&mut repository);
    installation.until("the hook was made again, mended, and the application is gone", || {
        installation
            .kube
            .find("argoproj.io/v1alpha1", "Application", "argocd", "ending")
            .is_none()
            .then_some(())
    });
    assert!(ran(&diary).len() >= 2, "{:?}", ran(&diary));
    assert_eq!(installation.value("ending", "map"), None);
    assert!(jobs(&installation, "ending").is_empty());
}

#[test]
fn a_hook_that_never_ends_is_told_by_name_and_stopped_on_demand() {
    let installation = installation();
    let mut endless: Value =
        serde_json::from_str(&job(Path::new("/dev/null"), "endless", "PreSync", "", 0)).unwrap();
    endless["spec"]["template"]["metadata"] = json!({"annotations": {"e2e.argocd-rs.dev/pod": "never-end"}});
    let endless = endless.to_string();
    let map = config_map("map", "1");
    let repository = GitRepo::from_files(
        "endless",
        &[("app/hook.json", &endless), ("app/map.yaml", &map), ("plain/map.yaml", &map)],
    )
    .unwrap();
    // More of them than the controller begins at once.
    let others: Vec<String> = (0..10).map(|number| format!("endless-{number}")).collect();
    for name in others.iter().map(String::as_str).chain(["endless"]) {
        installation.create(name, &repository, "app", &[]);
        installation.succeed(&["app", "sync", name, "--async"]);
    }
    installation.create("unheld", &repository, "plain", &[]);
    installation.succeed(&["app", "sync", "unheld", "--timeout", "100"]);
    installation.until_application("endless", "told what it waits for", |it| {
        it["status"]["operationState"]["message"] == "waiting for completion of hook batch/Job/endless"
    });
    installation.succeed(&["app", "terminate-op", "endless"]);
    installation
        .until_application("endless", "stopped", |it| it["status"]["operationState"]["phase"] == "Failed");
    assert_eq!(installation.value("endless", "map"), None);
    installation.until("the hook is gone", || jobs(&installation, "endless").is_empty().then_some(()));
    installation.succeed(&["app", "delete", "endless", "--yes", "--wait"]);
    for name in &others {
        installation.succeed(&["app", "terminate-op", name]);
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
    installation.succeed(&["app", "delete", "unheld", "--yes"]);
}

#[test]
fn a_change_that_is_impossible_now_is_not_refused_where_a_hook_may_make_room() {
    let installation = installation();
    let diary = installation.home.path().join("room");
    let mut repository = GitRepo::create("room").unwrap();
    let map = |value: &str| format!("{}immutable: true\n", config_map("map", value));
    repository.write("app/map.yaml", map("1")).unwrap();
    commit(&mut repository);
    installation.create("room", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "room", "--timeout", "80"]);

    // Nobody makes room: it is refused before anything is changed.
    repository.write("app/map.yaml", map("2")).unwrap();
    repository.write("app/other.yaml", config_map("other", "1")).unwrap();
    commit(&mut repository);
    let refused = installation.cli(&["app", "sync", "room", "--timeout", "80"]).unwrap_err();
    assert!(refused.contains("(dry run)"), "{refused}");
    assert_eq!(installation.value("room", "other"), None);

    // A hook does, as its script would with kubectl.
    let waits = format!("until [ -e {} ]; do sleep 0.1; done", diary.display());
    let mut hook: Value = serde_json::from_str(&job(&diary, "clear", "PreSync", "", 0)).unwrap();
    hook["spec"]["template"]["spec"]["containers"][0]["command"] = json!(["sh", "-c", waits]);
    repository.write("app/clear.json", hook.to_string()).unwrap();
    commit(&mut repository);
    installation.succeed(&["app", "sync", "room", "--async"]);
    installation.until("the hook runs", || (jobs(&installation, "room") == ["clear"]).then_some(()));
    installation.kube.delete("v1", "ConfigMap", "room", "map");
    std::fs::write(&diary, "").unwrap();
    installation.succeed(&["app", "wait", "room", "--sync", "--operation", "--timeout", "80"]);
    assert_eq!(installation.value("room", "map").as_deref(), Some("2"));
    assert_eq!(installation.value("room", "other").as_deref(), Some("1"));
}
