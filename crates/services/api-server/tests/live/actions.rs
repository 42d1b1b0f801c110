//! Actions and links of an application's objects: who may run which, and what becomes of the object.

use crate::bench::{Bench, application, apply, eventually, object};
use api::v1alpha1::{ApplicationTree, ResourceNode, ResourceRef};
use kubernetes::ApiResource;
use object::Object;
use serde_json::{Value, json};

fn deployments() -> ApiResource {
    ApiResource {
        group: "apps".into(),
        version: "v1".into(),
        kind: "Deployment".into(),
        plural: "deployments".into(),
        namespaced: true,
        ..ApiResource::default()
    }
}

async fn deployment(bench: &Bench, name: &str) -> Object {
    apply(
        &bench.store,
        &object(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "replicas": 0,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "c", "image": "example/web:v1"}]},
                },
            },
        })),
    )
    .await;
    live(bench, name).await
}

async fn live(bench: &Bench, name: &str) -> Object {
    bench.store.cluster().get(&deployments(), "default", name).await.expect("the deployment")
}

fn tree(of: &Object) -> ApplicationTree {
    let node = ResourceNode {
        resource_ref: ResourceRef {
            group: of.group().into(),
            version: "v1".into(),
            kind: of.kind().into(),
            namespace: of.namespace().into(),
            name: of.name().into(),
            uid: of.uid().into(),
        },
        ..ResourceNode::default()
    };
    ApplicationTree { nodes: vec![node], ..ApplicationTree::default() }
}

fn settings() -> Value {
    json!({
        "accounts.alice": "login",
        "resource.includeEventLabelKeys": "team",
        "url": "https://argo.example",
        "application.links": "- url: '{{.managedByURL}}/x'\n  title: home\n- url: https://x.example/{{.app.metadata.name}}\n  title: one\n- url: '{{.nope'\n  title: broken\n",
        "resource.links": "- url: https://x.example/{{.resource.metadata.name}}\n  title: r\n  if: resource.kind == 'Deployment'\n",
        "resource.customizations.actions.apps_Deployment": concat!(
            "mergeBuiltinActions: true\n",
            "discovery.lua: |\n  return {label = {}}\n",
            "definitions:\n- name: label\n  action.lua: |\n    obj.metadata.labels = {done = 'yes'}\n    return obj\n",
            "- name: endless\n  action.lua: |\n    while true do end\n",
        ),
    })
}

/// Events of a namespace with a reason.
async fn told(bench: &Bench, namespace: &str, reason: &str) -> Vec<Object> {
    let found = bench.events(namespace).await;
    found.into_iter().filter(|event| event.text_at(&["reason"]) == reason).collect()
}

const QUERY: &str = "namespace=default&resourceName=web-of-actions&version=v1&kind=Deployment&group=apps";

#[tokio::test]
async fn an_action_changes_its_object_and_needs_its_own_right() {
    let policy = "p, alice, applications, get, */*, allow\np, alice, applications, action/apps/Deployment/restart, */*, allow\n";
    let bench = Bench::start("actions", settings(), json!({"policy.csv": policy})).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let mut labelled = application("a", "guestbook");
    labelled["metadata"]["labels"] = json!({"team": "blue", "other": "x"});
    bench.post("/api/v1/applications", &admin, labelled).await.good();
    let object = deployment(&bench, "web-of-actions").await;
    deployment(&bench, "other-of-actions").await;
    bench.found("a", &tree(&object), &[]).await;
    let root = "/api/v1/applications/a/resource";
    let listed = bench.get(&format!("{root}/actions?{QUERY}"), &alice).await.good().json();
    let names: Vec<_> = listed["actions"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["label", "pause", "restart", "resume", "scale"]);

    bench.post(&format!("{root}/actions?{QUERY}"), &alice, json!("restart")).await.good();
    let restarted = ["spec", "template", "metadata", "annotations", "kubectl.kubernetes.io/restartedAt"];
    assert!(!live(&bench, "web-of-actions").await.text_at(&restarted).is_empty());
    let told = told(&bench, "actions", "ResourceActionRan").await;
    let short = |event: &Object| {
        let text = |path: &[&str]| event.text_at(path).to_owned();
        (text(&["involvedObject", "kind"]), text(&["message"]), event.label("team").map(str::to_owned))
    };
    let mut short: Vec<_> = told.iter().map(short).collect();
    short.sort();
    let what = "alice ran action restart on resource apps/Deployment/web-of-actions";
    assert_eq!(
        short,
        [
            ("Application".into(), what.into(), Some("blue".into())),
            ("Deployment".into(), "alice ran action restart".into(), None),
        ]
    );
    let of_object = told.iter().find(|event| event.text_at(&["involvedObject", "kind"]) == "Deployment");
    let of_object = of_object.expect("an event");
    assert_eq!(of_object.text_at(&["metadata", "annotations", "resource-namespace"]), "default");
    bench.post(&format!("{root}/actions?{QUERY}"), &alice, json!("pause")).await.is(403, "permission denied");
    assert!(live(&bench, "web-of-actions").await.at(&["spec", "paused"]).is_none());

    let run = |action: &str, parameters: Value| {
        json!({
            "namespace": "default", "resourceName": "web-of-actions", "version": "v1", "kind": "Deployment",
            "group": "apps", "action": action, "resourceActionParameters": parameters,
        })
    };
    let path = format!("{root}/actions/v2");
    bench.post(&path, &admin, run("label", json!([]))).await.good();
    assert_eq!(live(&bench, "web-of-actions").await.label("done"), Some("yes"));
    let refused = bench.post(&path, &admin, run("scale", json!([{"name": "replicas", "value": "x"}]))).await;
    refused.is(500, "error executing Lua resource action: invalid number: x");
    let refused = bench.post(&path, &admin, run("nope", json!([]))).await;
    refused.is(500, "error getting Lua resource action: built-in script does not exist");
    let ended = bench.post(&path, &admin, run("endless", json!([]))).await;
    assert!(ended.status == 500 && ended.text.contains("the script takes too"), "{ended:?}");

    // CVE-2022-1025: an object that is not the application's is out of reach, to actions as well.
    let other = QUERY.replace("web-of-actions", "other-of-actions");
    let refused = bench.post(&format!("{root}/actions?{other}"), &admin, json!("restart")).await;
    refused.is(400, "Deployment apps other-of-actions not found as part of application a");
}

#[tokio::test]
async fn an_application_is_an_object_of_its_own() {
    let bench = Bench::start("own", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let body = json!({
        "namespace": "own", "resourceName": "a", "version": "v1alpha1", "kind": "Application",
        "group": "argoproj.io", "action": "toggle-auto-sync",
    });
    bench.post("/api/v1/applications/a/resource/actions/v2", &admin, body).await.good();
    eventually("it syncs by itself", || {
        let found = bench.store.application("own", "a").ok();
        found.is_some_and(|found| {
            let policy = found.spec.sync_policy.as_ref();
            policy.and_then(|policy| policy.automated.as_ref()).is_some()
        })
    })
    .await;
}

#[tokio::test]
async fn links_are_made_of_what_is_known() {
    let bench = Bench::start("links", settings(), json!({})).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let object = deployment(&bench, "web-of-links").await;
    bench.found("a", &tree(&object), &[]).await;
    let of_application = bench.get("/api/v1/applications/a/links", &admin).await.good().json();
    let one = json!({"title": "one", "url": "https://x.example/a"});
    let home = |address: &str| json!({"title": "home", "url": format!("{address}/x")});
    assert_eq!(of_application["items"], json!([home("https://argo.example"), one]));
    // An application that another Argo CD manages leads there.
    let mut managed = application("a", "guestbook");
    for (address, problem) in [
        ("ftp://other.example", Some("URL must include http or https protocol")),
        ("other", Some("URL must include http or https protocol")),
        ("https://other.example", None),
    ] {
        managed["metadata"]["annotations"] = json!({"argocd.argoproj.io/managed-by-url": address});
        let put = bench.rest("PUT", "/api/v1/applications/a", &admin, Some(managed.clone())).await;
        match problem {
            None => drop(put.good()),
            Some(problem) => {
                let text = format!(
                    "application spec for a is invalid: InvalidSpecError: invalid managed-by URL: {problem}"
                );
                assert!(put.status == 400 && put.message().ends_with(&text), "{put:?}");
            }
        }
    }
    let of_application = bench.get("/api/v1/applications/a/links", &admin).await.good().json();
    assert_eq!(of_application["items"][0], home("https://other.example"));
    let query = QUERY.replace("web-of-actions", "web-of-links");
    let of_object = bench.get(&format!("/api/v1/applications/a/resource/links?{query}"), &admin).await.good();
    let wanted = json!([{"title": "r", "url": "https://x.example/web-of-links"}]);
    assert_eq!(of_object.json()["items"], wanted);
}
