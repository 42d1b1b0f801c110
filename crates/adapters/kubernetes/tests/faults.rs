//! Against a server that misbehaves on purpose: a real one cannot be made to.

use futures::StreamExt;
use kubernetes::{
    Access, ApplyOptions, Cluster, Connection, ListOptions, Listed, Measured, Meter, Method, WatchOptions,
    WriteOptions,
};
use object::{GroupVersionKind, Object};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What is answered to a path with its query; the last answer stays. An answer of status 0 is a broken connection.
type Script = HashMap<String, VecDeque<Answer>>;
/// Status, further headers, body.
type Answer = (u16, &'static str, Value);

struct Server {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

async fn server(script: &[(&str, &[Answer])]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let script: Script = script
        .iter()
        .map(|(path, answers)| ((*path).to_owned(), answers.iter().cloned().collect()))
        .collect();
    let script = Arc::new(Mutex::new(script));
    tokio::spawn({
        let asked = asked.clone();
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), asked.clone()));
            }
        }
    });
    Server { url, asked }
}

async fn serve(mut stream: TcpStream, script: Arc<Mutex<Script>>, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read_exact(&mut byte).await.is_err() {
            return;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().to_owned());
    asked.lock().expect("not poisoned").push(format!("{method} {path}"));
    let answer = {
        let mut script = script.lock().expect("not poisoned");
        match script.get_mut(&path) {
            Some(answers) if answers.len() > 1 => answers.pop_front(),
            Some(answers) => answers.front().cloned(),
            None => None,
        }
    };
    let (code, header, body) =
        answer.unwrap_or((404, "", json!({"kind": "Status", "message": "no such path"})));
    if code == 0 {
        return;
    }
    let body = body.to_string();
    let text = format!(
        "HTTP/1.1 {code} X\r\nContent-Type: application/json\r\nConnection: close\r\n{header}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // A client that left has seen enough.
    let _ = stream.write_all(text.as_bytes()).await;
}

/// Hosts, methods and sizes of answers, as they were told.
#[derive(Default)]
struct Sizes(Mutex<Vec<(String, String, usize)>>);

impl Meter for Sizes {
    fn requested(&self, _measured: &Measured<'_>) {}

    fn received(&self, host: &str, method: &str, bytes: u64) {
        let bytes = usize::try_from(bytes).expect("a small answer");
        self.0.lock().expect("not poisoned").push((host.to_owned(), method.to_owned(), bytes));
    }
}

async fn cluster(server: &Server) -> Cluster {
    let mut connection =
        Connection::new(Access::Server { server: server.url.clone(), config: Box::default() });
    connection.limits.backoff = Duration::from_millis(1);
    connection.limits.answer_timeout = Duration::from_secs(5);
    Cluster::connect(&connection).await.expect("configured")
}

fn ok(body: Value) -> Answer {
    (200, "", body)
}

fn core_list() -> [Answer; 1] {
    [ok(json!({"kind": "APIResourceList", "resources": [
        {"name": "configmaps", "kind": "ConfigMap", "namespaced": true, "verbs": ["list", "watch"]},
        {"name": "pods", "kind": "Pod", "namespaced": true, "verbs": ["list", "watch"]},
        {"name": "pods/log", "kind": "Pod", "namespaced": true, "verbs": ["get"]},
    ]}))]
}

fn maps() -> kubernetes::ApiResource {
    kubernetes::ApiResource {
        version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
        ..kubernetes::ApiResource::default()
    }
}

fn map() -> Object {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "a"}});
    Object::from_value(map).expect("an object")
}

#[tokio::test]
async fn reading_is_tried_again_and_too_many_requests_waits_as_asked() {
    let server = server(&[
        (
            "/version",
            &[
                (0, "", json!(null)),
                (429, "Retry-After: 0\r\n", json!({})),
                ok(json!({"gitVersion": "v1.36.0"})),
            ],
        ),
        ("/api/v1/namespaces/a/configmaps?fieldManager=test", &[(0, "", json!(null))]),
    ])
    .await;
    let cluster = cluster(&server).await;
    assert_eq!(cluster.version().await.expect("the third try").git_version, "v1.36.0");

    // A write whose answer was lost may have been done: it is not sent twice.
    cluster.create(&maps(), &map(), &WriteOptions::manager("test")).await.expect_err("the answer is lost");
    let writes =
        server.asked.lock().expect("not poisoned").iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(writes, 1);
}

#[tokio::test]
async fn an_old_server_is_discovered_group_by_group_and_a_broken_group_stays_alone() {
    let group = |name: &str| json!({"name": name, "versions": [{"version": "v1"}], "preferredVersion": {"version": "v1"}});
    let server = server(&[
        ("/api", &[ok(json!({"kind": "APIVersions", "versions": ["v1"]}))]),
        ("/api/v1", &core_list()),
        ("/apis", &[ok(json!({"kind": "APIGroupList", "groups": [group("broken.io"), group("good.io")]}))]),
        (
            "/apis/broken.io/v1",
            &[(503, "", json!({"kind": "Status", "message": "the server is currently unable"}))],
        ),
        (
            "/apis/good.io/v1",
            &[ok(json!({"resources": [{"name": "goods", "kind": "Good", "verbs": ["list"]}]}))],
        ),
    ])
    .await;
    let cluster = cluster(&server).await;
    let discovery = cluster.discovery().await.expect("discovery goes on");
    assert!(discovery.find(&GroupVersionKind::new("good.io", "v1", "Good")).is_some());
    let pod = discovery.find(&GroupVersionKind::new("", "v1", "Pod")).expect("pods");
    assert!(pod.subresources.contains("log"));
    let error =
        cluster.resource(&GroupVersionKind::new("broken.io", "v1", "Thing")).await.expect_err("not known");
    assert_eq!(error.to_string(), "discover broken.io/v1: the server is currently unable");
    assert_eq!(discovery.api_versions(), ["v1", "v1/ConfigMap", "v1/Pod"]);
}

#[tokio::test]
async fn a_list_that_expires_on_the_way_begins_anew_and_says_so() {
    let page = |name: &str, more: &str| {
        ok(json!({"metadata": {"resourceVersion": "7", "continue": more},
        "items": [{"metadata": {"name": name}}]}))
    };
    let gone = (410, "", json!({"kind": "Status", "reason": "Expired", "message": "too old"}));
    let server = server(&[
        ("/api/v1/configmaps?limit=500", &[page("old", "next")]),
        ("/api/v1/configmaps?limit=500&continue=next", &[gone]),
        ("/api/v1/configmaps", &[page("new", "")]),
    ])
    .await;
    let cluster = cluster(&server).await;
    let mut told = Vec::new();
    let version = cluster
        .list_each(&maps(), "", &ListOptions::default(), |listed| match listed {
            Listed::Restarted => told.push("restarted".to_owned()),
            Listed::Object(object) => told.push(object.name().to_owned()),
        })
        .await
        .expect("listed");
    assert_eq!((told.join(" ").as_str(), version.as_str()), ("old restarted new", "7"));
}

#[tokio::test]
async fn a_server_side_apply_that_is_refused_deletes_nothing_even_by_force() {
    let path = "/api/v1/namespaces/a/configmaps/m";
    let refusal = (422, "", json!({"kind": "Status", "reason": "Invalid", "message": "denied by policy"}));
    let asked =
        |force: bool| format!("{path}?fieldManager=argocd-controller&fieldValidation=Strict&force={force}");
    let server = server(&[
        (&asked(true), &[refusal]),
        (
            path,
            &[ok(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "uid": "u"}}))],
        ),
    ])
    .await;
    let cluster = cluster(&server).await;
    let options = ApplyOptions { method: Method::ServerSide, force: true, ..ApplyOptions::default() };
    let error = cluster.apply(&maps(), &map(), &options).await.expect_err("refused");
    assert!(error.is_invalid() && error.message().contains("denied by policy"), "{error}");
    let asked = server.asked.lock().expect("not poisoned").clone();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(asked.iter().all(|line| line.starts_with("PATCH ")), "{asked:?}");
}

#[tokio::test]
async fn the_size_of_an_answer_is_told_once_and_that_of_a_watch_never() {
    let version = json!({"gitVersion": "v1.36.0"});
    let list = json!({"metadata": {"resourceVersion": "7"}, "items": [{"metadata": {"name": "m"}}]});
    let refusal = json!({"kind": "Status", "reason": "Forbidden", "message": "not you"});
    let watched =
        "/api/v1/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=290";
    let server = server(&[
        ("/version", &[ok(version.clone())]),
        ("/api/v1/configmaps?limit=500", &[ok(list.clone())]),
        ("/api/v1/namespaces/a/configmaps/m", &[(403, "", refusal.clone())]),
        (watched, &[ok(json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "8"}}}))]),
    ])
    .await;
    let cluster = cluster(&server).await;
    cluster.version().await.expect("nobody counts yet");
    let sizes = Arc::new(Sizes::default());
    cluster.measure(sizes.clone());
    cluster.version().await.expect("a version");
    let (objects, _) = cluster.list(&maps(), "", &ListOptions::default()).await.expect("listed");
    assert_eq!(objects.len(), 1);
    cluster.get(&maps(), "a", "m").await.expect_err("refused");
    let mut events = cluster.watch(&maps(), "", &WatchOptions::since("7")).await.expect("watched");
    while events.next().await.is_some() {}
    drop(events);
    let host = server.url.trim_start_matches("http://");
    let told = |body: &Value| (host.to_owned(), "GET".to_owned(), body.to_string().len());
    let heard = sizes.0.lock().expect("not poisoned").clone();
    assert_eq!(heard, [told(&version), told(&list), told(&refusal)]);
}
