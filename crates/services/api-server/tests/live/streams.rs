//! Streams: where they begin, and that they end with the session that opened them.

use crate::bench::{Bench, LONG, application, configure, eventually, two_users};
use api::v1alpha1::{ApplicationTree, ApplicationWatchEvent};
use api_server::Options;
use futures::StreamExt as _;
use serde_json::json;
use tonic::{Code, Status, Streaming};
use wire::application::application_service_client::ApplicationServiceClient;
use wire::application::{ApplicationPodLogsQuery, ApplicationQuery};

type Events = Streaming<ApplicationWatchEvent>;

async fn watch(bench: &Bench, token: &str, query: ApplicationQuery) -> Result<Events, Status> {
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let mut request = tonic::Request::new(query);
    request.metadata_mut().insert("token", token.parse().expect("a token"));
    ApplicationServiceClient::new(channel).watch(request).await.map(tonic::Response::into_inner)
}

async fn next(events: &mut Events) -> Option<Result<(String, String), Status>> {
    let event = tokio::time::timeout(LONG, events.next()).await.expect("something is said")?;
    Some(event.map(|event| (event.r#type, event.application.metadata.name)))
}

#[tokio::test]
async fn a_watch_ends_when_its_session_does() {
    let (settings, policy) = two_users();
    let bench = Bench::start("ended", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let key = bench.post("/api/v1/account/alice/token", &admin, json!({"id": "k"})).await.good();
    let key = key.json()["token"].as_str().expect("a token").to_owned();
    let mut of_key = watch(&bench, &key, ApplicationQuery::default()).await.expect("a stream");
    let mut of_login = watch(&bench, &alice, ApplicationQuery::default()).await.expect("a stream");
    bench.rest("DELETE", "/api/v1/account/alice/token/k", &admin, None).await.good();
    let over = next(&mut of_key).await.expect("it says why").unwrap_err();
    assert_eq!(over.code(), Code::Unauthenticated);
    assert_eq!(over.message(), "invalid session: account alice does not have token with id k");
    bench.rest("DELETE", "/api/v1/session", &alice, None).await.good();
    let over = next(&mut of_login).await.expect("it says why").unwrap_err();
    assert_eq!(over.message(), "invalid session: token is revoked, please re-login");
}

#[tokio::test]
async fn a_log_that_is_followed_ends_when_the_right_to_read_it_does() {
    let seen = "p, alice, applications, get, */*, allow\n";
    let read = format!("{seen}p, alice, logs, get, default/*, allow\n");
    let bench = Bench::start("logged", json!({"accounts.alice": "login"}), json!({"policy.csv": read})).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let node = bench.running_pod("logged", &["sh", "-c", "echo said; exec sleep 600"]).await;
    bench.found("a", &ApplicationTree { nodes: vec![node], ..ApplicationTree::default() }, &[]).await;
    let mut request = tonic::Request::new(ApplicationPodLogsQuery {
        name: "a".into(),
        pod_name: Some("logged".into()),
        namespace: Some("default".into()),
        follow: Some(true),
        ..ApplicationPodLogsQuery::default()
    });
    request.metadata_mut().insert("token", alice.parse().expect("a token"));
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let lines = ApplicationServiceClient::new(channel).pod_logs(request).await;
    let mut lines = lines.expect("a stream").into_inner();
    let mut next = async || tokio::time::timeout(LONG, lines.next()).await.expect("something is said");
    assert_eq!(next().await.expect("more").expect("a line").content, "said");
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": seen})).await;
    let over = next().await.expect("it says why").expect_err("it is over");
    assert_eq!(over.code(), Code::PermissionDenied);
    assert!(over.message().starts_with("permission denied: logs, get, default/a, sub: alice"), "{over}");
}

#[tokio::test]
async fn a_watch_goes_on_where_a_list_ended_or_is_refused() {
    let bench = Bench::start("resumed", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let make = async |name: &str| {
        bench.post("/api/v1/applications", &admin, application(name, "guestbook")).await.good();
    };
    make("a").await;
    make("b").await;
    let listed = bench.get("/api/v1/applications", &admin).await.good().json();
    let version = listed["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    bench.rest("DELETE", "/api/v1/applications/a?cascade=false", &admin, None).await.good();
    make("c").await;
    let query = ApplicationQuery { resource_version: Some(version), ..Default::default() };
    let mut events = watch(&bench, &admin, query).await.expect("a stream");
    let mut told = Vec::new();
    while !told.contains(&("ADDED".to_owned(), "c".to_owned())) {
        told.push(next(&mut events).await.expect("more").expect("an event"));
    }
    assert!(told.contains(&("DELETED".to_owned(), "a".to_owned())), "{told:?}");
    assert!(!told.iter().any(|(_, name)| name == "b"), "{told:?}");
    // What happened since nobody remembers: the deletions among it would never be told.
    let old = |name: Option<&str>| ApplicationQuery {
        resource_version: Some("1".into()),
        name: name.map(str::to_owned),
        ..Default::default()
    };
    let refused = watch(&bench, &admin, old(None)).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (Code::Aborted, "too old resource version: list the applications and watch again")
    );
    let mut events = watch(&bench, &admin, old(Some("b"))).await.expect("one application is told as it is");
    assert_eq!(next(&mut events).await.expect("an event").expect("b"), ("ADDED".into(), "b".into()));
    // What is no version is no reason to refuse: it is as if none were said.
    let odd = ApplicationQuery { resource_version: Some("abc".into()), ..Default::default() };
    let mut events = watch(&bench, &admin, odd).await.expect("a stream");
    assert_eq!(next(&mut events).await.expect("an event").expect("b"), ("ADDED".into(), "b".into()));
}

#[tokio::test]
async fn who_knew_an_application_learns_that_it_was_deleted_before_the_watch() {
    let bench = Bench::start("gone", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let made = bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good().json();
    let version = made["metadata"]["resourceVersion"].as_str().expect("a version").to_owned();
    eventually("it is known", || bench.store.application("gone", "a").is_ok()).await;
    bench.rest("DELETE", "/api/v1/applications/a?cascade=false", &admin, None).await.good();
    eventually("it is gone", || bench.store.application("gone", "a").is_err()).await;
    let query =
        ApplicationQuery { name: Some("a".into()), resource_version: Some(version), ..Default::default() };
    let mut events = watch(&bench, &admin, query).await.expect("a stream");
    let told = loop {
        let told = next(&mut events).await.expect("more").expect("an event");
        if told.0 != "MODIFIED" {
            break told;
        }
    };
    assert_eq!(told, ("DELETED".to_owned(), "a".to_owned()));
}

#[tokio::test]
async fn a_name_is_one_of_the_control_planes_namespace_and_names_choose_several() {
    let options = Options { insecure: true, ..Options::default() };
    let bench = Bench::with("named", json!({}), json!({}), &["named-team"], options).await;
    let admin = bench.admin().await;
    let project = json!({"project": {"metadata": {"name": "all"}, "spec": {
        "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}], "sourceNamespaces": ["*"],
    }}});
    bench.post("/api/v1/projects", &admin, project).await.good();
    let make = async |name: &str, namespace: &str| {
        let mut wanted = application(name, "guestbook");
        wanted["metadata"]["namespace"] = namespace.into();
        wanted["spec"]["project"] = "all".into();
        bench.post("/api/v1/applications", &admin, wanted).await.good();
    };
    for (name, namespace) in [("a", "named-team"), ("a", "named"), ("b", "named-team"), ("c", "named")] {
        make(name, namespace).await;
    }
    let first = async |query: ApplicationQuery| {
        let mut events = watch(&bench, &admin, query).await.expect("a stream");
        let event = tokio::time::timeout(LONG, events.next()).await.expect("an event").expect("more");
        event.expect("an event").application.metadata
    };
    let named = |name: &str, namespace: Option<&str>| ApplicationQuery {
        name: Some(name.into()),
        app_namespace: namespace.map(str::to_owned),
        ..Default::default()
    };
    assert_eq!(first(named("a", None)).await.namespace, "named");
    assert_eq!(first(named("a", Some("named-team"))).await.namespace, "named-team");
    let names = async |query: &str| {
        let found = bench.get(&format!("/api/v1/applications?{query}"), &admin).await.good().json();
        let items = found["items"].as_array().cloned().unwrap_or_default();
        let place = |item: &serde_json::Value| {
            format!(
                "{}/{}",
                item["metadata"]["namespace"].as_str().unwrap(),
                item["metadata"]["name"].as_str().unwrap()
            )
        };
        items.iter().map(place).collect::<Vec<_>>()
    };
    assert_eq!(names("names=a").await, ["named/a", "named-team/a"]);
    assert_eq!(names("names=named-team%2Fa&names=c").await, ["named-team/a", "named/c"]);
    let chosen = ApplicationQuery { names: vec!["named-team/b".into()], ..Default::default() };
    assert_eq!(first(chosen).await.name, "b");
}

#[tokio::test]
async fn who_reads_too_slowly_is_told() {
    let bench = Bench::start("slow", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let mut slow = watch(&bench, &admin, ApplicationQuery::default()).await.expect("a stream");
    assert_eq!(next(&mut slow).await.expect("an event").expect("a"), ("ADDED".into(), "a".into()));
    // A page of text in each event: what the connection holds for somebody who does not read is soon used up.
    let page = "x".repeat(16 << 10);
    let mut writes = futures::stream::iter(0..2600)
        .map(|round| {
            let patch = json!({"metadata": {"annotations": {"page": page, "round": format!("{round}")}}});
            let store = bench.store.clone();
            async move { store.patch_application("slow", "a", &kubernetes::Patch::Merge(patch)).await }
        })
        .buffer_unordered(16);
    while let Some(written) = writes.next().await {
        written.expect("it is written");
    }
    let last = loop {
        match next(&mut slow).await.expect("it says why it ends") {
            Ok(_) => {}
            Err(status) => break status,
        }
    };
    assert_eq!(
        (last.code(), last.message()),
        (Code::Aborted, "the watch fell behind the changes: list the applications and watch again")
    );
}
