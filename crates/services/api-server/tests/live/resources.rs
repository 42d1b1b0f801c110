//! Trees, managed resources and manifests: what the controller and the repo-server found, masked.

use crate::bench::{Bench, CANARY, application, eventually, two_users};
use api::names::REFRESH;
use api::v1alpha1::{ApplicationTree, ResourceDiff, ResourceNode, ResourceRef};
use serde_json::json;

fn tree(uid: &str) -> ApplicationTree {
    let node = ResourceNode {
        resource_ref: ResourceRef {
            version: "v1".into(),
            kind: "Secret".into(),
            namespace: "default".into(),
            name: "s".into(),
            uid: uid.into(),
            ..ResourceRef::default()
        },
        ..ResourceNode::default()
    };
    ApplicationTree { nodes: vec![node], ..ApplicationTree::default() }
}

#[tokio::test]
async fn cve_2018_21034_secrets_are_masked_wherever_an_application_shows_them() {
    let bench = Bench::start("masked", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "secret")).await.good();
    let manifest = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "default"}, "stringData": {"k": CANARY},
    });
    crate::bench::apply(&bench.store, &crate::bench::object(manifest.clone())).await;
    let resource = kubernetes::ApiResource {
        version: "v1".into(),
        kind: "Secret".into(),
        plural: "secrets".into(),
        namespaced: true,
        ..Default::default()
    };
    let live = bench.store.cluster().get(&resource, "default", "s").await.expect("the secret");
    let text = live.to_value().to_string();
    let entry = ResourceDiff {
        kind: "Secret".into(),
        namespace: "default".into(),
        name: "s".into(),
        target_state: manifest.to_string(),
        live_state: text.clone(),
        normalized_live_state: text.clone(),
        predicted_live_state: text,
        ..ResourceDiff::default()
    };
    bench.found("a", &tree(live.uid()), &[entry]).await;
    let root = "/api/v1/applications/a";
    let query = "namespace=default&resourceName=s&version=v1&kind=Secret&group=";
    let answers = [
        bench.get(&format!("{root}/manifests"), &admin).await.good(),
        bench.get(&format!("{root}/managed-resources"), &admin).await.good(),
        bench.get(&format!("{root}/resource-tree"), &admin).await.good(),
        bench.get(&format!("{root}/resource?{query}"), &admin).await.good(),
    ];
    let encoded = live.text_at(&["data", "k"]);
    for answer in &answers {
        assert!(!answer.text.contains(CANARY) && !answer.text.contains(encoded), "{answer:?}");
    }
    assert!(answers[0].text.contains("++++++++") && answers[1].text.contains("++++++++"));
    // CVE-2025-23216: what an invalid patch says does not come back.
    let patch = json!(json!({"data": {"k": format!("{CANARY} is not base64")}}).to_string());
    let refused = bench
        .post(&format!("{root}/resource?{query}&patchType=application%2Fmerge-patch%2Bjson"), &admin, patch)
        .await;
    assert!(refused.status != 200 && !refused.text.contains(CANARY), "{refused:?}");

    // CVE-2022-1025: an object that is not the application's is out of reach.
    let other = "namespace=masked&resourceName=argocd-secret&version=v1&kind=Secret&group=";
    let refused = bench.get(&format!("{root}/resource?{other}"), &admin).await;
    refused.is(400, "Secret  argocd-secret not found as part of application a");
    let refused = bench.rest("DELETE", &format!("{root}/resource?{other}"), &admin, None).await;
    refused.is(400, "Secret  argocd-secret not found as part of application a");
    bench.rest("DELETE", &format!("{root}/resource?{query}"), &admin, None).await.good();
}

#[tokio::test]
async fn what_is_not_known_is_asked_for_and_waited_for() {
    let (settings, policy) = two_users();
    let bench = Bench::start("refresh", settings, policy).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let controller = async {
        let asked = || {
            let found = bench.store.application("refresh", "a").ok();
            found.is_some_and(|found| {
                found.metadata.annotations.get(REFRESH).is_some_and(|level| level == "normal")
            })
        };
        eventually("a refresh is asked for", asked).await;
        bench.found("a", &tree("u"), &[]).await;
        let asked = bench.store.application("refresh", "a").expect("known");
        assert!(bench.store.acknowledge_refresh(&asked).await.expect("acknowledged"));
    };
    let (answer, ()) = tokio::join!(bench.get("/api/v1/applications/a/resource-tree", &admin), controller);
    assert_eq!(answer.good().json()["nodes"][0]["name"], "s");
    let controller = async {
        let asked = || {
            let found = bench.store.application("refresh", "a").ok();
            found.is_some_and(|found| {
                found.metadata.annotations.get(REFRESH).is_some_and(|level| level == "hard")
            })
        };
        eventually("a hard refresh is asked for", asked).await;
        let asked = bench.store.application("refresh", "a").expect("known");
        assert!(bench.store.acknowledge_refresh(&asked).await.expect("acknowledged"));
    };
    let (answer, ()) = tokio::join!(bench.get("/api/v1/applications/a?refresh=hard", &admin), controller);
    let annotations = answer.good().json()["metadata"]["annotations"].clone();
    assert!(annotations.get(REFRESH).is_none(), "{annotations}");
}

#[tokio::test]
async fn clusters_are_told_without_what_opens_them() {
    let bench = Bench::start("clusters", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let config = json!({"bearerToken": CANARY, "tlsClientConfig": {"insecure": true}}).to_string();
    crate::bench::apply(&bench.store, &crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "c", "namespace": "clusters", "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {"server": "https://c.example", "name": "c", "config": config},
    }))).await;
    crate::bench::apply(&bench.store, &crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "r", "namespace": "clusters", "labels": {"argocd.argoproj.io/secret-type": "repository"}},
        "stringData": {"url": "https://git.example/apps.git", "type": "git", "password": CANARY, "username": "u"},
    }))).await;
    eventually("both are registered", || {
        bench.store.clusters(true).len() == 2 && bench.store.repositories().len() == 1
    })
    .await;
    let listed = bench.get("/api/v1/clusters", &admin).await.good();
    let names: Vec<_> =
        listed.json()["items"].as_array().unwrap().iter().map(|item| item["name"].clone()).collect();
    assert_eq!(names, ["c", "in-cluster"]);
    bench.get("/api/v1/clusters/https%3A%2F%2Fkubernetes.default.svc", &admin).await.good();
    bench.get("/api/v1/clusters/in%2Dcluster?id.type=name_escaped", &admin).await.good();
    let paths = [
        "/api/v1/clusters",
        "/api/v1/clusters/c?id.type=name",
        "/api/v1/repositories",
        "/api/v1/repositories/https%3A%2F%2Fgit.example%2Fapps.git",
        "/api/v1/projects/default/detailed",
        "/api/v1/settings",
    ];
    for path in paths {
        let answer = bench.get(path, &admin).await.good();
        assert!(!answer.text.contains(CANARY), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn a_cluster_is_found_by_its_name_as_paths_write_it() {
    let bench = Bench::start("spelled", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let labels = json!({"argocd.argoproj.io/secret-type": "cluster"});
    crate::bench::apply(&bench.store, &crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c", "namespace": "spelled", "labels": labels},
        "stringData": {"server": "https://kubernetes.default.svc", "name": "prod eu", "config": "{}"},
    }))).await;
    let named =
        |name: &str| bench.store.clusters(true).iter().flatten().any(|found| found.reveal().name == name);
    eventually("it is registered", || named("prod eu")).await;
    for path in ["prod%20eu?id.type=name", "prod+eu?id.type=name", "prod%20eu?id.type=name_escaped"] {
        let told = bench.get(&format!("/api/v1/clusters/{path}"), &admin).await.good().json();
        assert_eq!(told["name"], "prod eu", "{path}");
    }
    let path = "/api/v1/clusters/prod%20eu?id.type=name";
    let team = json!({"labels": {"team": "x"}});
    let changed = bench.rest("PUT", &format!("{path}&updatedFields=labels"), &admin, Some(team)).await;
    assert_eq!(changed.good().json()["labels"], json!({"team": "x"}));
    bench.rest("DELETE", path, &admin, None).await.good();
    eventually("it is gone", || !named("prod eu")).await;
}
