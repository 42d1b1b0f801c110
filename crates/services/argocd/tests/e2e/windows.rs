//! Sync windows of a project hold back what they should, and let through the rest.

use crate::installation::{Installation, NAMESPACE, config_map, installation, sync_status};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use testkit::git_repo::GitRepo;

const VERSION: &str = "argoproj.io/v1alpha1";
const ALWAYS: [&str; 2] = ["* * * * *", "24h"];
/// A minute of a rare day.
const NEVER: [&str; 2] = ["0 0 29 2 *", "1m"];

fn window(kind: &str, [schedule, duration]: [&str; 2], manual: bool) -> Value {
    json!({"kind": kind, "schedule": schedule, "duration": duration, "applications": ["*"], "manualSync": manual})
}

/// A project that permits everything.
pub fn make_project(installation: &Installation) {
    let spec = json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]});
    let project = json!({
        "apiVersion": VERSION, "kind": "AppProject",
        "metadata": {"name": "hours", "namespace": NAMESPACE}, "spec": spec,
    });
    installation.kube.create(project).unwrap();
}

fn set(installation: &Installation, windows: &Value) {
    let spec = json!({"spec": {"syncWindows": windows}});
    installation.kube.merge(VERSION, "AppProject", NAMESPACE, "hours", spec);
}

/// A push, seen: what is live is not what is in Git.
fn change(installation: &Installation, repository: &mut GitRepo, value: &str) {
    repository.change("app/map.yaml", &config_map("map", value)).unwrap();
    installation.succeed(&["app", "get", "hours", "--refresh"]);
}

fn until_live(installation: &Installation, value: &str) {
    installation.until(&format!("{value} is live"), || {
        (installation.value("hours", "map").as_deref() == Some(value)).then_some(())
    });
}

/// A hook before the sync that waits until the file is there.
pub fn hook_until(gate: &Path) -> String {
    let waits = format!("until test -e {}; do sleep 0.2; done", gate.display());
    let container = json!({"name": "main", "image": "example.com/hook", "command": ["sh", "-c", waits]});
    json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": "gate", "annotations": {"argocd.argoproj.io/hook": "PreSync"}},
        "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never", "containers": [container]}}},
    })
    .to_string()
}

/// Begins a sync of an application of the project that waits in a hook until a file is there.
pub fn begin_gated(installation: &Installation, name: &str) -> (PathBuf, GitRepo) {
    let gate = installation.home.path().join(name);
    let files = [("app/map.yaml", config_map("map", "1")), ("app/gate.json", hook_until(&gate))];
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let repository = GitRepo::from_files(name, &files).unwrap();
    installation.until("the project is known", || {
        let words = installation.creation(name, &repository.url(), "app", &["--project", "hours"]);
        installation.cli(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok()
    });
    installation.succeed(&["app", "sync", name, "--async"]);
    installation.until("the hook runs", || installation.kube.find("batch/v1", "Job", name, "gate").map(drop));
    (gate, repository)
}

/// Whether a sync by hand is refused.
fn refused(installation: &Installation) -> bool {
    refused_of(installation, "hours")
}

fn refused_of(installation: &Installation, name: &str) -> bool {
    match installation.cli(&["app", "sync", name, "--timeout", "60"]) {
        Ok(_) => false,
        Err(told) => {
            assert!(told.contains("cannot sync: blocked by sync window"), "{told}");
            true
        }
    }
}

#[test]
fn windows_hold_back_automated_syncs_and_those_by_hand_unless_they_may() {
    let installation = installation();
    make_project(&installation);
    set(&installation, &json!([window("deny", ALWAYS, false)]));
    let mut repository =
        GitRepo::from_files("hours", &[("app/map.yaml", &config_map("map", "one"))]).unwrap();
    installation.until("the project is known", || {
        let words = installation.creation(
            "hours",
            &repository.url(),
            "app",
            &["--project", "hours", "--sync-policy", "auto"],
        );
        installation.cli(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok()
    });
    installation.until_application("hours", "OutOfSync", |it| sync_status(it) == "OutOfSync");
    assert!(refused(&installation), "denied");
    assert_eq!(installation.value("hours", "map"), None);
    let told = installation.succeed(&["app", "get", "hours"]);
    assert!(told.contains("Sync Denied"), "{told}");

    // One that lets people sync by hand.
    set(&installation, &json!([window("deny", ALWAYS, true)]));
    installation.until("a sync by hand is let through", || (!refused(&installation)).then_some(()));
    assert_eq!(installation.value("hours", "map").as_deref(), Some("one"));
    change(&installation, &mut repository, "two");
    installation.until_application("hours", "OutOfSync", |it| sync_status(it) == "OutOfSync");
    assert_eq!(installation.value("hours", "map").as_deref(), Some("one"), "not by itself");

    // One that would allow, and is closed.
    set(&installation, &json!([window("allow", NEVER, false)]));
    installation.until("the closed window refuses", || refused(&installation).then_some(()));
    assert_eq!(installation.value("hours", "map").as_deref(), Some("one"));

    // One that is open; and one that denies and is over.
    set(&installation, &json!([window("allow", ALWAYS, false), window("deny", NEVER, false)]));
    until_live(&installation, "two");
    change(&installation, &mut repository, "three");
    until_live(&installation, "three");
    installation.succeed(&["app", "delete", "hours", "--yes", "--wait"]);
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "hours");
}

#[test]
fn a_deletion_that_waits_for_an_operation_goes_on_once_its_window_is_taken_away() {
    let installation = installation();
    make_project(&installation);
    let (gate, _repository) = begin_gated(&installation, "closing");
    // It closes while the sync is under way, and nothing tells when it opens but midnight.
    set(&installation, &json!([window("deny", ["0 0 * * *", "24h"], false)]));
    std::thread::sleep(std::time::Duration::from_secs(2));
    std::fs::write(&gate, "").unwrap();
    installation.until_application("closing", "held by its window", |it| {
        it["status"]["operationState"]["message"] == "Sync operation blocked by sync window"
    });
    installation.succeed(&["app", "delete", "closing", "--yes", "--wait=false"]);
    assert_eq!(installation.value("closing", "map"), None);
    set(&installation, &json!([]));
    installation.until("the application is gone", || {
        installation.kube.find(VERSION, "Application", NAMESPACE, "closing").is_none().then_some(())
    });
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "hours");
}

#[test]
fn a_window_is_for_what_it_selects_in_the_zone_that_it_names() {
    let installation = installation();
    make_project(&installation);
    let repository = GitRepo::from_files("picked", &[("app/map.yaml", &config_map("map", "1"))]).unwrap();
    installation.until("the project is known", || {
        let words = installation.creation("picked", &repository.url(), "app", &["--project", "hours"]);
        installation.cli(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok()
    });
    let denied = || refused_of(&installation, "picked");
    let always = |selectors: Value| {
        let mut window = json!({"kind": "deny", "schedule": "* * * * *", "duration": "24h"});
        window.as_object_mut().unwrap().extend(selectors.as_object().unwrap().clone());
        window
    };
    let cases = [
        (always(json!({"applications": ["pick*"]})), true),
        (always(json!({"applications": ["other", "pick"]})), false),
        (always(json!({"namespaces": ["p?cked"]})), true),
        (always(json!({"clusters": ["https://kubernetes.*"]})), true),
        (always(json!({"clusters": ["https://other.*"]})), false),
        (always(json!({"applications": ["pick*"], "namespaces": ["other"]})), true),
        (always(json!({"applications": ["pick*"], "namespaces": ["other"], "andOperator": true})), false),
        (always(json!({"applications": ["pick*"], "namespaces": ["picked"], "andOperator": true})), true),
    ];
    for (window, expected) in cases {
        set(&installation, &json!([window]));
        installation.until(&format!("{expected} by {window}"), || (denied() == expected).then_some(()));
    }
    // Open for the three hours around now in Tokyo, and half a day away everywhere else.
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let hour = (since / 3600 + 9 + 23) % 24;
    for (zone, expected) in [("Asia/Tokyo", false), ("UTC", true), ("", true)] {
        let mut window = window("allow", ["", "3h"], false);
        window["schedule"] = format!("0 {hour} * * *").into();
        window["timeZone"] = zone.into();
        set(&installation, &json!([window]));
        installation.until(&format!("{expected} in {zone:?}"), || (denied() == expected).then_some(()));
    }
    set(&installation, &json!([]));
    installation.succeed(&["app", "delete", "picked", "--yes", "--wait"]);
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "hours");
}

#[test]
fn a_sync_that_began_in_time_may_go_on_where_its_window_says_so() {
    let installation = installation();
    make_project(&installation);
    let (gate, _repository) = begin_gated(&installation, "overrun");
    // It was open when the sync began: it closes with the next minute.
    let mut denies = window("deny", ALWAYS, false);
    denies["syncOverrun"] = true.into();
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let next = since / 60 + 1;
    denies["schedule"] = format!("{} {} * * *", next % 60, next / 60 % 24).into();
    denies["duration"] = "2h".into();
    set(&installation, &json!([denies]));
    installation.until("the window is closed", || {
        let told = installation.cli(&["app", "get", "overrun"]).ok()?;
        told.contains("Sync Denied").then_some(())
    });
    std::fs::write(&gate, "").unwrap();
    installation.until_application("overrun", "gone on to its end", |it| {
        it["status"]["operationState"]["phase"] == "Succeeded"
    });
    assert_eq!(installation.value("overrun", "map").as_deref(), Some("1"));
    assert!(refused_of(&installation, "overrun"), "none begins");
    set(&installation, &json!([]));
    installation.succeed(&["app", "delete", "overrun", "--yes", "--wait"]);
    installation.kube.delete(VERSION, "AppProject", NAMESPACE, "hours");
}
