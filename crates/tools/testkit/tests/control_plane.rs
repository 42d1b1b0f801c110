//! Control planes through their life, and what runs in them, seen over plain HTTPS.

#[expect(clippy::unwrap_used, reason = "what fails here fails the test")]
mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use support::{Api, processes_with};
use testkit::control_plane::{ControlPlane, Options};
use testkit::poll;

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn two_at_once_share_nothing_and_leave_nothing() {
    let other = std::thread::spawn(|| ControlPlane::start(&Options::default()).unwrap());
    let one = ControlPlane::start(&Options { nodes: 2, ..Options::default() }).unwrap();
    let other = other.join().unwrap();
    let (in_one, in_other) = (Api::new(&one), Api::new(&other));
    let marker = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "only-here"}});
    in_one.create("/api/v1/namespaces/default/configmaps", &marker);
    assert_eq!(in_one.get("/api/v1/namespaces/default/configmaps/only-here").0, 200);
    assert_eq!(in_other.get("/api/v1/namespaces/default/configmaps/only-here").0, 404);
    assert_eq!(in_one.get("/api/v1/nodes").1["items"].as_array().unwrap().len(), 2);
    for plane in [one, other] {
        let folder = plane.data_dir.clone();
        let needle = folder.display().to_string();
        assert!(!processes_with(&needle).is_empty());
        assert_eq!(plane.stop(), "");
        assert_eq!(processes_with(&needle), Vec::<u32>::new());
        assert!(!folder.exists());
    }
}

#[test]
fn a_killed_parent_leaves_nothing() {
    let mut parent = Command::new(env!("CARGO_BIN_EXE_control-plane"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(parent.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let kubeconfig = Path::new(line.trim().strip_prefix("export KUBECONFIG=").unwrap());
    let folder = kubeconfig.parent().unwrap();
    let needle = folder.display().to_string();
    assert!(processes_with(&needle).len() >= 4, "three components and the guard");
    parent.kill().unwrap();
    parent.wait().unwrap();
    let gone = poll(Duration::from_secs(10), || {
        (processes_with(&needle).is_empty() && !folder.exists()).then_some(())
    });
    assert!(gone.is_some(), "left: {:?}, folder: {}", processes_with(&needle), folder.exists());
}

#[test]
fn a_killed_supervisor_leaves_nothing() {
    let plane = ControlPlane::start(&Options::default()).unwrap();
    let api = Api::new(&plane);
    // The number is in nobody else's command line.
    let script = format!("sleep 3{0} & sleep 4{0}", plane.id());
    let sleeps = [format!("sleep\03{}", plane.id()), format!("sleep\04{}", plane.id())];
    api.create(
        "/api/v1/namespaces/default/pods",
        &json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "sleeps"}, "spec": pod(&script, "Never")}),
    );
    let running = poll(LIMIT, || sleeps.iter().all(|sleep| !processes_with(sleep).is_empty()).then_some(()));
    assert!(running.is_some(), "{}", api.get("/api/v1/namespaces/default/pods/sleeps").1);
    let killed = Command::new("sh").args(["-c", &format!("kill -s KILL {}", plane.id())]).status();
    assert!(killed.unwrap().success());
    let needle = plane.data_dir.display().to_string();
    let gone = poll(Duration::from_secs(10), || {
        let left = processes_with(&needle).len()
            + sleeps.iter().map(|each| processes_with(each).len()).sum::<usize>();
        (left == 0 && !plane.data_dir.exists()).then_some(())
    });
    assert!(gone.is_some(), "left: {:?}", processes_with(&needle));
}

#[test]
fn workloads_run_and_end() {
    let plane = ControlPlane::start(&Options::default()).unwrap();
    let api = Api::new(&plane);
    api.create(
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "play"}}),
    );
    deployment_becomes_available(&api);
    jobs_succeed_and_fail(&api);
    custom_objects_are_applied(&api);
    assert_eq!(api.send("DELETE", "/api/v1/namespaces/play", "", "").0, 200);
    let gone = poll(LIMIT, || (api.get("/api/v1/namespaces/play").0 == 404).then_some(()));
    assert!(gone.is_some(), "{}", api.get("/api/v1/namespaces/play").1);
}

fn deployment_becomes_available(api: &Api<'_>) {
    let path = "/apis/apps/v1/namespaces/play/deployments";
    api.create(path, &json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod("echo serving; sleep 3600", "Always")},
        },
    }));
    api.create(
        "/api/v1/namespaces/play/services",
        &json!({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]},
        }),
    );
    let available = poll(LIMIT, || {
        let found = api.get(&format!("{path}/web")).1;
        (found["status"]["availableReplicas"] == 2).then_some(())
    });
    assert!(available.is_some(), "{}", api.get(&format!("{path}/web")).1);
    let slices = "/apis/discovery.k8s.io/v1/namespaces/play/endpointslices?labelSelector=kubernetes.io/service-name%3Dweb";
    let served = poll(LIMIT, || {
        let endpoints = api.get(slices).1["items"][0]["endpoints"].as_array()?.len();
        (endpoints == 2).then_some(())
    });
    assert!(served.is_some(), "{}", api.get(slices).1);
}

fn jobs_succeed_and_fail(api: &Api<'_>) {
    let path = "/apis/batch/v1/namespaces/play/jobs";
    for (name, script, ended, log) in
        [("good", "echo done", "Complete", "done\n"), ("bad", "echo no; exit 3", "Failed", "no\n")]
    {
        api.create(
            path,
            &json!({
                "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
                "spec": {"backoffLimit": 0, "template": {"spec": pod(script, "Never")}},
            }),
        );
        let over = poll(LIMIT, || {
            let found = api.get(&format!("{path}/{name}")).1;
            let conditions = found["status"]["conditions"].as_array()?.clone();
            conditions.iter().any(|each| each["type"] == ended && each["status"] == "True").then_some(())
        });
        assert!(over.is_some(), "{}", api.get(&format!("{path}/{name}")).1);
        let pods = api.get(&format!("/api/v1/namespaces/play/pods?labelSelector=job-name%3D{name}")).1;
        let pod = pods["items"][0]["metadata"]["name"].as_str().expect("a pod of the job");
        assert_eq!(api.send("GET", &format!("/api/v1/namespaces/play/pods/{pod}/log"), "", "").1, log);
    }
}

fn custom_objects_are_applied(api: &Api<'_>) {
    api.create(
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        &json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }}}],
            },
        }),
    );
    let path = "/apis/example.com/v1/namespaces/play/widgets/one?fieldManager=testkit";
    let widget = json!({
        "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "one"}, "spec": {"size": 1},
    });
    let applied = poll(LIMIT, || {
        let (status, text) = api.send("PATCH", path, "application/apply-patch+yaml", &widget.to_string());
        matches!(status, 200 | 201).then(|| serde_json::from_str::<Value>(&text).expect("the object"))
    });
    let applied = applied.expect("the widget was not applied in time");
    assert_eq!(applied["metadata"]["managedFields"][0]["operation"], "Apply");
    let stranger = path.replace("=testkit", "=stranger");
    let other = widget.to_string().replace("\"size\":1", "\"size\":2");
    assert_eq!(api.send("PATCH", &stranger, "application/apply-patch+yaml", &other).0, 409);
}

fn pod(script: &str, restart: &str) -> Value {
    json!({
        "restartPolicy": restart,
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": "example/job:v1", "command": ["sh", "-c", script]}],
    })
}
