//! ApplicationSets, badges, notifications and the description of the API.

use crate::bench::{Bench, LONG, application, eventually, two_users};
use api::v1alpha1::ApplicationSetWatchEvent;
use futures::StreamExt as _;
use serde_json::{Value, json};
use wire::applicationset::ApplicationSetWatchQuery;
use wire::applicationset::application_set_service_client::ApplicationSetServiceClient;

fn set(name: &str, project: &str, namespace: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "spec": {
            "goTemplate": true,
            "generators": [{"list": {"elements": [{"n": "e0"}]}}],
            "template": {
                "metadata": {"name": format!("{name}-{{{{.n}}}}")},
                "spec": {
                    "project": project,
                    "source": {"repoURL": "https://git.example/apps.git", "path": "shared", "targetRevision": "HEAD"},
                    "destination": {"server": "https://kubernetes.default.svc", "namespace": namespace},
                },
            },
        },
    })
}

const SETS: &str = "/api/v1/applicationsets";

#[tokio::test]
async fn a_set_is_made_changed_and_deleted_by_who_may() {
    let (settings, policy) = two_users();
    let bench = Bench::start("sets", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    let made = bench.post(SETS, &admin, set("s", "default", "one")).await.good().json();
    assert_eq!(made["metadata"]["namespace"], "sets");
    eventually("it is seen", || bench.store.application_set("sets", "s").is_ok()).await;
    // The same again is no change; another one needs to be told so.
    bench.post(SETS, &admin, set("s", "default", "one")).await.good();
    let refused = bench.post(SETS, &admin, set("s", "default", "two")).await;
    refused.is(400, "existing ApplicationSet spec is different, use upsert flag to force update");
    let updated = bench.post(&format!("{SETS}?upsert=true"), &admin, set("s", "default", "two")).await.good();
    assert_eq!(updated.json()["spec"]["template"]["spec"]["destination"]["namespace"], "two");

    bench.post(&format!("{SETS}?dryRun=true"), &admin, set("t", "default", "one")).await.good();
    let missing = "error getting ApplicationSet: applicationset.argoproj.io \"t\" not found";
    bench.get(&format!("{SETS}/t"), &admin).await.is(404, missing);
    let templated = bench.post(SETS, &admin, set("t", "{{.p}}", "one")).await;
    assert!(
        templated.status == 500 && templated.text.contains("templated `project` fields"),
        "{templated:?}"
    );
    let unknown = bench.post(SETS, &admin, set("t", "none", "one")).await;
    unknown.is(400, "ApplicationSet references project none which does not exist");

    // To whom may see none, a set that is there looks like one that is not.
    let told = async |name: &str| {
        let answer = bench.get(&format!("{SETS}/{name}"), &bob).await;
        (answer.status, answer.text.replace(&format!("default/{name},"), "default/NAME,"))
    };
    let (there, absent) = (told("s").await, told("zz").await);
    assert_eq!(there.0, 403);
    assert_eq!(there, absent);
    assert_eq!(bench.get(SETS, &bob).await.good().json()["items"], Value::Null);
    assert_eq!(bench.rest("DELETE", &format!("{SETS}/s"), &bob, None).await.status, 403);
    assert_eq!(bench.get(SETS, &admin).await.good().json()["items"][0]["metadata"]["name"], "s");
    let events = bench.get(&format!("{SETS}/s/events"), &admin).await.good().json();
    assert!(events["items"].as_array().is_some_and(|events| !events.is_empty()), "{events}");

    bench.rest("DELETE", &format!("{SETS}/s"), &admin, None).await.good();
    let missing = "error getting ApplicationSets: applicationsets.argoproj.io \"s\" not found";
    bench.rest("DELETE", &format!("{SETS}/s"), &admin, None).await.is(404, missing);
}

#[tokio::test]
async fn a_watch_of_sets_tells_changes_and_of_one_that_is_named_how_it_is() {
    let bench = Bench::start("watched-sets", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post(SETS, &admin, set("s", "default", "one")).await.good();
    eventually("it is seen", || bench.store.application_set("watched-sets", "s").is_ok()).await;
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let client = ApplicationSetServiceClient::new(channel);
    let watch = async |name: &str, version: &str| {
        let mut request = tonic::Request::new(ApplicationSetWatchQuery {
            name: name.into(),
            resource_version: version.into(),
            ..ApplicationSetWatchQuery::default()
        });
        request.metadata_mut().insert("token", admin.parse().expect("a token"));
        client.clone().watch(request).await.expect("a stream").into_inner()
    };
    let next = async |events: &mut tonic::Streaming<ApplicationSetWatchEvent>| {
        let event = tokio::time::timeout(LONG, events.next()).await.expect("something is said");
        let event = event.expect("more").expect("an event");
        (event.r#type, event.application_set.metadata.name)
    };
    let (mut all, mut odd, mut one) = (watch("", "").await, watch("", "abc").await, watch("s", "abc").await);
    assert_eq!(next(&mut one).await, ("ADDED".into(), "s".into()));
    bench.post(SETS, &admin, set("t", "default", "one")).await.good();
    assert_eq!(next(&mut all).await, ("ADDED".into(), "t".into()));
    assert_eq!(next(&mut odd).await, ("ADDED".into(), "t".into()));
}

#[tokio::test]
async fn a_badge_tells_only_where_it_may() {
    let bench = Bench::start("badge", json!({"statusbadge.enabled": "true"}), json!({})).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    eventually("it is seen", || bench.store.application("badge", "a").is_ok()).await;
    let shown = bench.get("/api/badge?name=a&showAppName=true", "").await.good();
    assert!(shown.text.starts_with("<svg width=\"131\"") && shown.text.contains(">a<"), "{}", shown.text);
    assert_eq!(shown.headers["content-type"], "image/svg+xml");
    assert!(bench.get("/api/badge?name=none", "").await.good().text.contains("Not Found"));
    assert_eq!(bench.get("/api/badge?name=../x", "").await.status, 400);
    let closed = Bench::start("nobadge", json!({}), json!({})).await;
    let admin = closed.admin().await;
    closed.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let shown = closed.get("/api/badge?name=a&showAppName=true", "").await.good();
    assert!(!shown.text.contains(">a<") && shown.text.contains("Unknown"), "{}", shown.text);
}

#[tokio::test]
async fn the_api_and_what_notifies_are_told_by_name() {
    let bench = Bench::start("named", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let data = json!({
        "service.webhook.first": "url: https://secret.example", "trigger.on-x": "[]", "template.x": "message: y",
    });
    crate::bench::configure(&bench.store, "argocd-notifications-cm", data).await;
    for (kind, name) in [("services", "first"), ("triggers", "on-x"), ("templates", "x")] {
        let path = format!("/api/v1/notifications/{kind}");
        let told = bench.get(&path, &admin).await.good();
        assert_eq!(told.text, format!("{{\"items\":[{{\"name\":\"{name}\"}}]}}"));
        assert_eq!(bench.get(&path, "").await.status, 401);
    }
    let described = bench.get("/swagger.json", "").await.good();
    assert_eq!(described.json()["swagger"], "2.0");
    assert!(bench.get("/swagger-ui", "").await.good().text.contains("/api/v1/applications"));
    assert_eq!(bench.get("/download/argocd-linux-none", "").await.status, 404);
    assert_eq!(bench.get("/terminal", &admin).await.text, "Auth cookie not found\n");
}
