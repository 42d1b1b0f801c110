//! The controller is killed again and again in the middle of what it does. What was asked for happens, once.

use crate::installation::{Installation, Part, config_map, installation};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::git_repo::GitRepo;

/// Kills of the first test at least.
const KILLS: usize = 12;
/// Syncs it may take to get there.
const MOST_SYNCS: usize = 10;
/// Kills within one sync: it has to come to its end some time.
const KILLS_PER_SYNC: usize = 4;

/// Delays that look random and are the same in every run.
struct Delays(u64);

impl Delays {
    fn next(&mut self, least_ms: u64, most_ms: u64) -> Duration {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        Duration::from_millis(least_ms + value % (most_ms - least_ms))
    }
}

/// A Job that notes its run in a file of this machine.
fn hook(name: &str, phase: &str, counter: &Path, value: &str) -> String {
    let script = format!("echo run >> {}/{name}-{value}; sleep 1", counter.display());
    let job = json!({
        "apiVersion": "batch/v1", "kind": "Job",
        "metadata": {"name": name, "annotations": {
            "argocd.argoproj.io/hook": phase,
            "argocd.argoproj.io/hook-delete-policy": "BeforeHookCreation",
        }},
        "spec": {"backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "example.com/hook", "command": ["sh", "-c", script]}],
        }}},
    });
    serde_json::to_string_pretty(&job).unwrap()
}

/// A ConfigMap of a wave.
fn in_wave(name: &str, wave: i32, value: &str) -> String {
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "annotations": {"argocd.argoproj.io/sync-wave": wave.to_string()}},
        "data": {"value": value},
    });
    serde_json::to_string_pretty(&map).unwrap()
}

fn deployment(value: &str) -> String {
    let labels = json!({"app": "web"});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "annotations": {"argocd.argoproj.io/sync-wave": "1"}},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
            "metadata": {"labels": labels, "annotations": {"value": value}},
            "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "example.com/web"}]},
        }},
    });
    serde_json::to_string_pretty(&deployment).unwrap()
}

/// Writes the application at a value.
fn write(repository: &GitRepo, counter: &Path, value: &str) {
    repository.write("app/pre.json", hook("pre", "PreSync", counter, value)).unwrap();
    repository.write("app/first.json", in_wave("first", -1, value)).unwrap();
    repository.write("app/second.json", in_wave("second", 0, value)).unwrap();
    repository.write("app/web.json", deployment(value)).unwrap();
    repository.write("app/middle.json", hook("middle", "Sync", counter, value)).unwrap();
    repository.write("app/last.json", in_wave("last", 2, value)).unwrap();
    repository.write("app/post.json", hook("post", "PostSync", counter, value)).unwrap();
}

fn runs(counter: &Path, hook: &str, value: &str) -> usize {
    std::fs::read_to_string(counter.join(format!("{hook}-{value}"))).unwrap_or_default().lines().count()
}

fn operation(installation: &Installation, name: &str) -> Option<Value> {
    let found = installation.kube.find("argoproj.io/v1alpha1", "Application", "argocd", name)?;
    let asked = !found["operation"].is_null();
    let state = found["status"]["operationState"].clone();
    if asked || state.is_null() || state["phase"] == "Running" { None } else { Some(state) }
}

/// Kills the controller while something goes on; how often.
fn kill_while(
    installation: &mut Installation,
    delays: &mut Delays,
    most: usize,
    mut going_on: impl FnMut(&Installation) -> bool,
) -> usize {
    let mut kills = 0;
    while kills < most {
        let until = Instant::now() + delays.next(100, 3500);
        // A moment of the process' life, not a wait for something.
        while Instant::now() < until {
            if !going_on(installation) {
                return kills;
            }
            std::thread::sleep(Duration::from_millis(40));
        }
        installation.kill(Part::Controller);
        kills += 1;
        installation.launch(Part::Controller);
    }
    kills
}

fn uids(installation: &Installation, names: &[&str], name: &str) -> BTreeMap<String, Value> {
    let found = |map: &&str| installation.kube.find("v1", "ConfigMap", name, map).expect("it is there");
    names.iter().map(|map| ((*map).to_owned(), found(map)["metadata"]["uid"].clone())).collect()
}

#[test]
fn a_sync_goes_on_where_it_was() {
    let mut installation = installation();
    let counter = installation.home.path().join("hooks");
    std::fs::create_dir_all(&counter).unwrap();
    let mut repository = GitRepo::create("kills").unwrap();
    write(&repository, &counter, "0");
    repository.write("app/stays.yaml", config_map("stays", "as it was")).unwrap();
    repository.commit("first").unwrap();
    repository.push().unwrap();
    installation.create("kills", &repository, "app", &[]);
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "bystander", "namespace": "kills"}, "data": {"value": "mine"},
    }));
    let mut delays = Delays(0x00C0_FFEE);
    let (mut kills, mut sync, mut unavoidable) = (0, 0, 0);
    let mut known: Option<BTreeMap<String, Value>> = None;
    while kills < KILLS {
        assert!(sync < MOST_SYNCS, "{kills} kills in {sync} syncs");
        let value = sync.to_string();
        if sync > 0 {
            write(&repository, &counter, &value);
            // No longer in Git, and nobody asks for it to be pruned.
            let _gone_before = repository.remove("app/stays.yaml");
            repository.commit("next").unwrap();
            repository.push().unwrap();
        }
        installation
            .until("the push is seen", || installation.cli(&["app", "get", "kills", "--refresh"]).ok());
        installation
            .until("the sync is accepted", || installation.cli(&["app", "sync", "kills", "--async"]).ok());
        let revision = repository.head().unwrap();
        let ended = |installation: &Installation| {
            operation(installation, "kills")
                .filter(|state| state["syncResult"]["revision"] == revision.as_str())
        };
        kills += kill_while(&mut installation, &mut delays, KILLS_PER_SYNC, |installation| {
            ended(installation).is_none()
        });
        let state = installation.until("the operation ends", || ended(&installation));
        assert_eq!(state["phase"], "Succeeded", "sync {sync}: {state:#}\n{}", installation.last_words());
        for map in ["first", "second", "last"] {
            assert_eq!(installation.value("kills", map), Some(value.clone()), "sync {sync}: {map}");
        }
        for hook in ["pre", "middle", "post"] {
            let ran = runs(&counter, hook, &value);
            assert!(
                (1..=2).contains(&ran),
                "sync {sync}: {hook} ran {ran} times\n{}",
                installation.last_words()
            );
            unavoidable += ran - 1;
        }
        let now = uids(&installation, &["first", "second", "last", "stays", "bystander"], "kills");
        assert_eq!(known.get_or_insert_with(|| now.clone()), &now, "nothing was made anew");
        sync += 1;
        let application = installation.application("kills");
        let history = application["status"]["history"].as_array().unwrap();
        let revisions: BTreeSet<&str> =
            history.iter().map(|entry| entry["revision"].as_str().unwrap()).collect();
        assert_eq!((history.len(), revisions.len()), (sync, sync), "{history:#?}");
    }
    // A hook that was created and deleted... once more only where the kill fell between the two writes.
    assert!(unavoidable <= 1, "{unavoidable} hooks ran twice in {kills} kills");
    assert_eq!(installation.value("kills", "stays").as_deref(), Some("as it was"));
    assert_eq!(installation.value("kills", "bystander").as_deref(), Some("mine"));
    installation.heal();
    installation.succeed(&["app", "delete", "kills", "--yes"]);
}

#[test]
fn a_prune_and_a_deletion_take_what_was_asked_for() {
    let mut installation = installation();
    let names: Vec<String> = (0..12).map(|number| format!("map-{number:02}")).collect();
    let mut repository = GitRepo::create("prunes").unwrap();
    for (number, name) in names.iter().enumerate() {
        let wave = i32::try_from(number / 3).unwrap();
        repository.write(&format!("app/{name}.json"), in_wave(name, wave, "x")).unwrap();
    }
    repository.write("app/kept.yaml", config_map("kept", "x")).unwrap();
    repository.commit("first").unwrap();
    repository.push().unwrap();
    installation.create("prunes", &repository, "app", &[]);
    installation.succeed(&["app", "sync", "prunes", "--timeout", "100"]);
    // Not in Git, and nobody's: neither prune nor deletion may see it.
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "bystander", "namespace": "prunes"}, "data": {"value": "mine"},
    }));
    let untouched = uids(&installation, &["kept", "bystander"], "prunes");
    for name in &names {
        repository.remove(&format!("app/{name}.json")).unwrap();
    }
    repository.commit("without").unwrap();
    repository.push().unwrap();
    let revision = repository.head().unwrap();
    let mut delays = Delays(0x5EED);
    installation.succeed(&["app", "get", "prunes", "--refresh"]);
    installation.succeed(&["app", "sync", "prunes", "--prune", "--async"]);
    let ended = |installation: &Installation| {
        operation(installation, "prunes").filter(|state| state["syncResult"]["revision"] == revision.as_str())
    };
    kill_while(&mut installation, &mut delays, 4, |installation| ended(installation).is_none());
    let state = installation.until("the prune ends", || ended(&installation));
    assert_eq!(state["phase"], "Succeeded", "{state:#}");
    let left = |installation: &Installation| -> Vec<String> {
        let maps = installation.kube.list("v1", "ConfigMap", "prunes");
        let names = maps.iter().map(|map| map["metadata"]["name"].as_str().unwrap().to_owned());
        names.filter(|name| name != "kube-root-ca.crt").collect()
    };
    assert_eq!(left(&installation), ["bystander", "kept"]);
    assert_eq!(uids(&installation, &["kept", "bystander"], "prunes"), untouched);

    // The same for the deletion of the application, with all its objects there again.
    for name in &names {
        repository.write(&format!("app/{name}.json"), in_wave(name, 0, "x")).unwrap();
    }
    repository.commit("with").unwrap();
    repository.push().unwrap();
    installation.heal();
    installation.succeed(&["app", "get", "prunes", "--refresh"]);
    installation.succeed(&["app", "sync", "prunes", "--timeout", "100"]);
    assert_eq!(left(&installation).len(), 14);
    installation.succeed(&["app", "delete", "prunes", "--yes", "--wait=false"]);
    let gone = |installation: &Installation| {
        installation.kube.find("argoproj.io/v1alpha1", "Application", "argocd", "prunes").is_none()
    };
    kill_while(&mut installation, &mut delays, 4, |installation| !gone(installation));
    installation.until("the application is gone", || gone(&installation).then_some(()));
    assert_eq!(left(&installation), ["bystander"]);
}
