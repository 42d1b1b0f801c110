//! The real controller of Argo Rollouts: a canary's health at each moment of its life, driven by our actions.

use crate::installation::{Installation, installation};
use serde_json::{Value, json};
use testkit::git_repo::GitRepo;
use testkit::rollouts::Rollouts;

const NAME: &str = "canary";
const ROLLOUTS: [&str; 2] = ["argoproj.io/v1alpha1", "Rollout"];

/// Two replicas, of which one gets a new version first and waits for somebody; its pods take their time.
fn rollout(image: &str) -> String {
    let labels = json!({"app": "web"});
    let rollout = json!({
        "apiVersion": ROLLOUTS[0], "kind": ROLLOUTS[1], "metadata": {"name": "web"},
        "spec": {
            "replicas": 2, "revisionHistoryLimit": 3, "selector": {"matchLabels": labels},
            "strategy": {"canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}},
            "template": {
                "metadata": {"labels": labels, "annotations": {"e2e.argocd-rs.dev/ready-after": "3s"}},
                "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": image}]},
            },
        },
    });
    serde_json::to_string_pretty(&rollout).unwrap()
}

fn install(installation: &Installation) -> Rollouts {
    for text in testkit::rollouts::crds().unwrap() {
        installation.kube.apply(object::yaml::decode(text.as_bytes()).unwrap());
    }
    for plural in ["rollouts", "analysisruns", "analysistemplates", "clusteranalysistemplates", "experiments"]
    {
        let path = format!("/apis/{}/{plural}?limit=1", ROLLOUTS[0]);
        installation.until("the CRDs of Argo Rollouts are served", || installation.kube.raw(&path).ok());
    }
    Rollouts::start(installation.kubeconfig()).unwrap()
}

fn live(installation: &Installation) -> Value {
    installation.kube.find(ROLLOUTS[0], ROLLOUTS[1], NAME, "web").unwrap_or_default()
}

/// Waits for a health of the application, and for what the Rollout's controller says at that moment.
fn until(installation: &Installation, rollouts: &Rollouts, health: &str, message: &str) {
    let mut last = (String::new(), String::new());
    let reached = testkit::poll(crate::installation::LIMIT, || {
        let application = installation.application(NAME);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        last = (
            text(&application["status"]["health"]["status"]),
            text(&live(installation)["status"]["message"]),
        );
        (last.0 == health && last.1.contains(message)).then_some(())
    });
    let said = rollouts.log();
    assert!(
        reached.is_some(),
        "waited for {health}, {message:?}; there is {last:?}\n{said}\n{}",
        installation.last_words()
    );
}

/// Which actions of the Rollout can be run.
fn enabled(installation: &Installation) -> Vec<String> {
    let told = installation.succeed(&["app", "actions", "list", NAME, "--kind", "Rollout", "--out", "json"]);
    let told: Vec<Value> = serde_json::from_str(&told).unwrap();
    let mut names: Vec<String> = told
        .iter()
        .filter(|action| action["Disabled"] == false)
        .map(|action| action["Action"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn act(installation: &Installation, action: &str) {
    installation.succeed(&[
        "app",
        "actions",
        "run",
        NAME,
        action,
        "--kind",
        "Rollout",
        "--resource-name",
        "web",
    ]);
}

/// A new image in Git, synced; the sync does not wait for anybody's promotion.
fn release(installation: &Installation, repository: &mut GitRepo, version: u32) {
    repository.change("app/rollout.json", &rollout(&format!("example.com/web:{version}"))).unwrap();
    installation.succeed(&["app", "get", NAME, "--refresh"]);
    installation.succeed(&["app", "sync", NAME, "--timeout", "60"]);
}

fn stable_image(installation: &Installation) -> Vec<String> {
    let hash = live(installation)["status"]["stableRS"].as_str().unwrap().to_owned();
    let pods = installation.kube.list("v1", "Pod", NAME);
    let of_stable =
        pods.iter().filter(|pod| pod["metadata"]["labels"]["rollouts-pod-template-hash"] == hash.as_str());
    of_stable.map(|pod| pod["spec"]["containers"][0]["image"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_canary_is_judged_and_driven_through_its_whole_life() {
    let installation = installation();
    let rollouts = install(&installation);
    let mut repository =
        GitRepo::from_files(NAME, &[("app/rollout.json", &rollout("example.com/web:1"))]).unwrap();
    installation.create(NAME, &repository, "app", &[]);
    installation.succeed(&["app", "sync", NAME, "--async"]);
    until(&installation, &rollouts, "Progressing", "");
    until(&installation, &rollouts, "Healthy", "");
    assert_eq!(enabled(&installation), ["restart"]);
    assert_eq!(stable_image(&installation), ["example.com/web:1", "example.com/web:1"]);

    // One that is promoted.
    release(&installation, &mut repository, 2);
    until(&installation, &rollouts, "Progressing", "more replicas need to be updated");
    until(&installation, &rollouts, "Suspended", "CanaryPauseStep");
    installation.succeed(&["app", "wait", NAME, "--suspended", "--timeout", "60"]);
    assert_eq!(
        enabled(&installation),
        ["abort", "pause", "promote-full", "restart", "resume", "skip-current-step"]
    );
    assert_eq!(stable_image(&installation), ["example.com/web:1"]);
    act(&installation, "resume");
    until(&installation, &rollouts, "Progressing", "");
    until(&installation, &rollouts, "Healthy", "");
    assert_eq!(stable_image(&installation), ["example.com/web:2", "example.com/web:2"]);

    // One that is aborted, tried again, and promoted without its steps.
    release(&installation, &mut repository, 3);
    until(&installation, &rollouts, "Suspended", "CanaryPauseStep");
    act(&installation, "abort");
    until(&installation, &rollouts, "Degraded", "RolloutAborted");
    installation.succeed(&["app", "wait", NAME, "--degraded", "--timeout", "60"]);
    assert_eq!(enabled(&installation), ["promote-full", "restart", "retry", "skip-current-step"]);
    installation.until("the stable version has all replicas again", || {
        (stable_image(&installation) == ["example.com/web:2", "example.com/web:2"]).then_some(())
    });
    act(&installation, "retry");
    until(&installation, &rollouts, "Suspended", "CanaryPauseStep");
    act(&installation, "promote-full");
    until(&installation, &rollouts, "Healthy", "");
    assert_eq!(stable_image(&installation), ["example.com/web:3", "example.com/web:3"]);
    // What the actions wrote is no drift.
    installation.until_synced(NAME);
    installation.succeed(&["app", "delete", NAME, "--yes"]);
}
