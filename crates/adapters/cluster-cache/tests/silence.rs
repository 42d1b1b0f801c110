//! Against a server that does not answer for one kind: a real one cannot be made to.

use cluster_cache::{ClusterCache, Extract, Extracted, KindState, Options};
use kubernetes::{Access, Cluster, Connection};
use object::{GroupKind, Object};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const LONG: Duration = Duration::from_secs(40);

/// Serves ConfigMaps, and Pods as soon as it is let; watches hear nothing.
async fn server(pods: watch::Receiver<bool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, pods.clone()));
        }
    });
    url
}

async fn serve(mut stream: TcpStream, mut pods: watch::Receiver<bool>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_exact(&mut byte).await.is_err() {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split_whitespace().nth(1).unwrap_or_default();
    if path.contains("watch=true") {
        return std::future::pending().await;
    }
    if path.starts_with("/api/v1/pods") && pods.wait_for(|let_through| *let_through).await.is_err() {
        return;
    }
    let body = answer(path).to_string();
    let text = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // A client that left has seen enough.
    let _ = stream.write_all(text.as_bytes()).await;
}

fn answer(path: &str) -> Value {
    let list = |items: Value| json!({"metadata": {"resourceVersion": "7"}, "items": items});
    match path {
        "/api" => json!({"kind": "APIVersions", "versions": ["v1"]}),
        "/api/v1" => json!({"kind": "APIResourceList", "resources": [
            {"name": "configmaps", "kind": "ConfigMap", "namespaced": true, "verbs": ["list", "watch"]},
            {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["list", "watch"]},
        ]}),
        "/apis" => json!({"kind": "APIGroupList", "groups": []}),
        path if path.starts_with("/api/v1/configmaps") => list(json!([{"metadata": {"name": "m",
            "namespace": "a", "uid": "u", "resourceVersion": "5", "annotations": {"app": "shop"}}}])),
        _ => list(json!([])),
    }
}

struct ByAnnotation;

impl Extract for ByAnnotation {
    type Info = ();

    fn extract(&self, object: &Object) -> Extracted<()> {
        Extracted {
            application: object.annotation("app").map(str::to_owned),
            projection: 0,
            implied: Vec::new(),
            info: (),
        }
    }
}

/// The cache of such a server, with what it can list. One list at a time: what keeps silent holds no place, either.
async fn filled(pods: watch::Receiver<bool>) -> ClusterCache<ByAnnotation> {
    let server = server(pods).await;
    let connection = Connection::new(Access::Server { server, config: Box::default() });
    let cluster = Cluster::connect(&connection).await.expect("configured");
    let silence = Duration::from_millis(50);
    let options = Options { silence, concurrent_lists: 1, ..Options::default() };
    let cache = ClusterCache::start(cluster, ByAnnotation, options);
    let ready = tokio::time::timeout(LONG, cache.ready()).await.expect("in time");
    ready.expect("the cluster is there");
    cache
}

#[tokio::test]
async fn a_kind_that_keeps_silent_holds_up_those_who_use_it_and_no_others() {
    let (speak, pods_answer) = watch::channel(false);
    let cache = filled(pods_answer).await;
    let (maps, pods) = (GroupKind::new("", "ConfigMap"), GroupKind::new("", "Pod"));
    assert_eq!(cache.kind_state(&maps), Some(KindState::Synced));
    assert_eq!(cache.managed("shop").expect("filled").len(), 1);
    tokio::time::timeout(LONG, cache.listed(&BTreeSet::from([maps]))).await.expect("nobody waits for Pods");

    assert_eq!(cache.kind_state(&pods), Some(KindState::Warming));
    cache.require(&pods).expect_err("not to be judged by");
    cache.require_listed(&pods).expect_err("that none is known says nothing");
    let of_pods = BTreeSet::from([pods.clone()]);
    let moment = Duration::from_millis(20);
    tokio::time::timeout(moment, cache.listed(&of_pods)).await.expect_err("who uses Pods waits");
    tokio::time::timeout(moment, cache.all_listed()).await.expect_err("who needs all of them, too");

    speak.send(true).expect("the server is there");
    tokio::time::timeout(LONG, cache.listed(&of_pods)).await.expect("listed");
    tokio::time::timeout(LONG, cache.all_listed()).await.expect("at once").expect("listed");
    assert_eq!(cache.kind_state(&pods), Some(KindState::Synced));
    cache.require_listed(&pods).expect("known");
    cache.stop().await;
}

#[tokio::test]
async fn nobody_waits_for_a_cache_that_was_stopped() {
    let (_speak, pods_answer) = watch::channel(false);
    let cache = filled(pods_answer).await;
    cache.stop().await;
    let pods = GroupKind::new("", "Pod");
    tokio::time::timeout(LONG, cache.listed(&BTreeSet::from([pods.clone()]))).await.expect("at once");
    tokio::time::timeout(LONG, cache.all_listed())
        .await
        .expect("at once")
        .expect_err("not everything is known");
    cache.require_listed(&pods).expect_err("and knows no more than before");
}
