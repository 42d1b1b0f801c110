//! Several replicas: what one wrote, another knows before its watches tell it, and nobody's change is lost.

use crate::bench::{Bench, LONG, application, configure, object, two_users};
use api::Root;
use api::v1alpha1::AppProject;
use api_server::Options;
use axum::body::Body;
use cache::{Cache, RedisOptions};
use futures::StreamExt as _;
use http::Request;
use kubernetes::{Patch, WriteOptions};
use object::GroupVersionKind;
use serde_json::{Value, json};
use testkit::redis::Redis;
use wire::application::ApplicationQuery;
use wire::application::application_service_client::ApplicationServiceClient;

const ROOT: &str = "/api/v1/applications";

/// Writes as another replica would: past this one's memory.
async fn elsewhere(bench: &Bench, kind: &str, name: &str, spec: Value) {
    let resource =
        bench.store.cluster().resource(&GroupVersionKind::new("argoproj.io", "v1alpha1", kind)).await;
    let wanted = object(json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": kind,
        "metadata": {"name": name, "namespace": bench.store.namespace()}, "spec": spec,
    }));
    let options = WriteOptions::manager("argocd-server");
    bench.store.cluster().create(&resource.expect("a kind"), &wanted, &options).await.expect("created");
}

async fn patched_elsewhere(bench: &Bench, kind: &str, name: &str, patch: Value) {
    let resource =
        bench.store.cluster().resource(&GroupVersionKind::new("argoproj.io", "v1alpha1", kind)).await;
    let options = WriteOptions::manager("argocd-server");
    let patched = bench
        .store
        .cluster()
        .patch(&resource.expect("a kind"), bench.store.namespace(), name, &Patch::Merge(patch), &options)
        .await;
    patched.expect("patched");
}

fn any_project() -> Value {
    json!({"sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}]})
}

fn in_project(project: &str) -> Value {
    let mut spec = application("x", "guestbook")["spec"].clone();
    spec["project"] = project.into();
    spec
}

#[tokio::test]
async fn what_another_replica_made_a_moment_ago_is_there() {
    let (settings, policy) = two_users();
    let bench = Bench::start("replica-made", settings, policy).await;
    let admin = bench.admin().await;
    let (alice, bob) = (bench.user(&admin, "alice").await, bench.user(&admin, "bob").await);
    // From now on this replica is told nothing.
    bench.store.stop().await;
    elsewhere(&bench, "AppProject", "blue", any_project()).await;
    elsewhere(&bench, "Application", "a", in_project("blue")).await;
    elsewhere(&bench, "Application", "b", in_project("blue")).await;
    elsewhere(&bench, "AppProject", "green", any_project()).await;
    elsewhere(
        &bench,
        "ApplicationSet",
        "s",
        json!({
            "generators": [{"list": {"elements": [{"n": "x"}]}}],
            "template": {"metadata": {"name": "{{n}}"}, "spec": in_project("default")},
        }),
    )
    .await;
    for path in ["a", "a?project=blue"] {
        let told = bench.get(&format!("{ROOT}/{path}"), &alice).await.good().json();
        assert_eq!(told["spec"]["project"], "blue");
    }
    assert_eq!(bench.get(&format!("{ROOT}/a/syncwindows"), &alice).await.status, 200);
    // Who may not see it, and what is not there, are answered alike.
    let refusals = [("b", &bob), ("b?project=blue", &bob), ("none", &alice), ("none", &bob)];
    for (name, token) in refusals {
        bench.get(&format!("{ROOT}/{name}"), token).await.is(403, "permission denied");
    }
    let other = bench.get(&format!("{ROOT}/b?project=red"), &alice).await;
    let none = bench.get(&format!("{ROOT}/none?project=red"), &alice).await;
    assert_eq!((other.status, none.status), (404, 404));
    assert_eq!(other.message().replace("\"b\"", "\"none\""), none.message());
    assert_eq!(bench.get("/api/v1/projects/green", &admin).await.good().json()["metadata"]["name"], "green");
    bench.get("/api/v1/projects/green/detailed", &admin).await.good();
    bench.get("/api/v1/projects/none", &admin).await.is(404, "appprojects.argoproj.io \"none\" not found");
    bench.get("/api/v1/applicationsets/s", &admin).await.good();
    assert_eq!(bench.get("/api/v1/applicationsets/s", &bob).await.status, 403);
    assert_eq!(bench.get("/api/v1/applicationsets/none", &admin).await.status, 404);
    let mut created = application("c", "guestbook");
    created["spec"]["project"] = "violet".into();
    elsewhere(&bench, "AppProject", "violet", any_project()).await;
    bench.post(ROOT, &admin, created).await.good();
    // An application that went where the caller may follow.
    let may = "p, bob, applications, get, green/*, allow";
    patched_elsewhere(&bench, "Application", "b", json!({"spec": {"project": "green"}})).await;
    let other = Bench::start(
        "replica-made",
        json!({"accounts.alice": "apiKey, login", "accounts.bob": "login"}),
        json!({"policy.csv": may}),
    )
    .await;
    other.get(&format!("{ROOT}/b"), &bob).await.good();
}

#[tokio::test]
async fn a_change_is_made_to_what_is_there_by_now() {
    let bench = Bench::start("replica-changed", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post(ROOT, &admin, application("a", "guestbook")).await.good();
    bench.store.stop().await;
    let add = async |name: &str| {
        let patch = json!({"metadata": {"labels": {(name): "yes"}, "annotations": {(name): "yes"}, "finalizers": [format!("example.com/{name}")]}});
        patched_elsewhere(&bench, "Application", "a", patch).await;
    };
    add("one").await;
    let patch = |text: &str| json!({"patch": text, "patchType": "merge"});
    let body = patch(r#"{"metadata":{"labels":{"own":"yes"}}}"#);
    let told = bench.rest("PATCH", &format!("{ROOT}/a"), &admin, Some(body)).await.good().json();
    assert_eq!(told["metadata"]["labels"], json!({"one": "yes", "own": "yes"}));
    add("two").await;
    let spec = application("a", "other")["spec"].clone();
    bench.rest("PUT", &format!("{ROOT}/a/spec"), &admin, Some(spec)).await.good();
    let told = bench.store.fetch_application("replica-changed", "a").await.expect("it is there");
    assert_eq!(told.metadata.labels.keys().collect::<Vec<_>>(), ["one", "own", "two"]);
    assert_eq!(told.metadata.annotations["two"], "yes");
    assert_eq!(
        (told.metadata.finalizers, told.spec.first_source().map(|source| source.path.clone())),
        (vec!["example.com/two".to_owned()], Some("other".into()))
    );
    add("three").await;
    bench.rest("DELETE", &format!("{ROOT}/a"), &admin, None).await.good();
    let told = bench.store.fetch_application("replica-changed", "a").await.expect("its finalizers hold it");
    assert_eq!(told.metadata.finalizers, ["example.com/three", "resources-finalizer.argocd.argoproj.io"]);
}

#[tokio::test]
async fn replicas_that_issue_tokens_at_once_lose_none() {
    let settings = json!({});
    let benches = [
        Bench::start("replica-tokens", settings.clone(), json!({})).await,
        Bench::start("replica-tokens", settings, json!({})).await,
    ];
    let admin = benches[0].admin().await;
    configure(&benches[1].store, "argocd-cm", json!({})).await;
    let role = json!({"name": "ci", "policies": ["p, proj:red:ci, applications, get, red/*, allow"]});
    let mut spec = any_project();
    spec["roles"] = json!([role]);
    let project = json!({"project": {"metadata": {"name": "red"}, "spec": spec}});
    benches[0].post("/api/v1/projects", &admin, project).await.good();
    // One of them is told nothing any more.
    benches[1].store.stop().await;
    let path = "/api/v1/projects/red/roles/ci/token";
    let issue = async |number: usize| {
        let body = json!({"id": format!("t{number}")});
        benches[number % 2].post(path, &admin, body).await.good().json()["token"].as_str().map(str::to_owned)
    };
    let tokens = futures::future::join_all((0..8).map(issue)).await;
    assert!(tokens.iter().all(Option::is_some), "{tokens:?}");
    let records = async || {
        let project: AppProject = benches[0].store.fetch_project("red").await.expect("it is there");
        let of_role = project.status.jwt_tokens_by_role["ci"].items.clone();
        assert_eq!(project.spec.roles[0].jwt_tokens, of_role, "{}", AppProject::KIND);
        of_role.into_iter().map(|token| token.id).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(records().await, (0..8).map(|number| format!("t{number}")).collect());
    // A change of the project carries all of them along, whichever replica makes it.
    let now = benches[0].get("/api/v1/projects/red", &admin).await.good().json();
    let mut wanted = json!({"project": now});
    wanted["project"]["spec"]["description"] = "changed".into();
    benches[1].rest("PUT", "/api/v1/projects/red", &admin, Some(wanted)).await.good();
    assert_eq!(records().await.len(), 8);
    // And so they are taken back.
    let delete = async |number: usize| {
        let path = format!("{path}/0?id=t{number}");
        benches[number % 2].rest("DELETE", &path, &admin, None).await.good();
    };
    futures::future::join_all((0..7).map(delete)).await;
    assert_eq!(records().await, ["t7".to_owned()].into());
}

/// Two replicas over one store and one Redis.
async fn sharing(namespace: &str, redis: &Redis) -> [Bench; 2] {
    let replica = async || {
        let cache = Cache::redis(RedisOptions { address: redis.address(), ..RedisOptions::default() });
        let options = Options { insecure: true, ..Options::default() };
        let cache = cache.expect("a cache");
        Bench::with_cache(namespace, json!({}), json!({}), &[], options, cache).await
    };
    [replica().await, replica().await]
}

#[tokio::test]
async fn a_token_that_one_replica_took_back_is_worth_nothing_to_any_also_after_a_restart() {
    let redis = Redis::start().expect("Redis");
    let replicas = sharing("replica-revoked", &redis).await;
    let kept = replicas[0].admin().await;
    let (deleted, left) = (replicas[0].admin().await, replicas[1].admin().await);
    for replica in &replicas {
        for token in [&kept, &deleted, &left] {
            replica.get("/api/v1/account", token).await.good();
        }
    }
    // The other replica has a stream open for one of them.
    let channel =
        transport::in_process(replicas[1].server.grpc_router().expect("a router")).expect("a channel");
    let mut watch = tonic::Request::new(ApplicationQuery::default());
    watch.metadata_mut().insert("token", deleted.parse().expect("a token"));
    let watched = ApplicationServiceClient::new(channel).watch(watch).await;
    let mut watched = watched.expect("a stream").into_inner();

    replicas[0].rest("DELETE", "/api/v1/session", &deleted, Some(json!({}))).await.good();
    let logout = Request::post("/auth/logout").header("cookie", format!("argocd.token={left}"));
    let logout = logout.body(Body::empty()).expect("a request");
    assert_eq!(replicas[1].send(logout).await.status, 303);

    let gone = "invalid session: token is revoked, please re-login";
    let judged = async |replicas: &[Bench; 2]| {
        for replica in replicas {
            for token in [&deleted, &left] {
                replica.get("/api/v1/account", token).await.is(401, gone);
            }
            replica.get("/api/v1/account", &kept).await.good();
        }
    };
    judged(&replicas).await;
    let over = tokio::time::timeout(LONG, watched.next()).await.expect("within seconds");
    let over = over.expect("it says why").expect_err("there is nothing to tell of");
    assert_eq!((over.code(), over.message()), (tonic::Code::Unauthenticated, gone));

    for replica in &replicas {
        replica.store.stop().await;
    }
    drop(replicas);
    judged(&sharing("replica-revoked", &redis).await).await;
}
