//! `cases/api`: one conversation for each method, over gRPC and over REST side by side. Both are asked the same and must
//! answer the same. `UPDATE=1` writes the gRPC request that a REST request means, and the answers.

use crate::bench::{Bench, application, eventually, two_users};
use api::v1alpha1::{ApplicationTree, ResourceDiff, ResourceNode, ResourceRef};
use axum::body::Body;
use bytes::{Buf as _, BufMut as _};
use http::{Method, Request};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::task::AbortOnDropHandle;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;
use tonic::{Code, Status};
use tower::ServiceExt as _;
use wire::route::{Lookup, Route, lookup, routes};

const CASES: &str = "../../../cases/api";
/// The first message of a stream comes sooner.
const STREAM: Duration = Duration::from_secs(10);
/// The reason of events that are there to be shown.
const FURNISHED: &str = "Furnished";
/// A host key that is trusted, as the API takes it.
const HOST_KEY: &str =
    "QUFBQUMzTnphQzFsWkRJMU5URTVBQUFBSU9NcXFua1Z6cm0wU2RHNlVPb3FLTHNhYmdINUM5b2tXaTBkaDJsOUdLSmw=";
/// What streams of files cannot do over REST.
const GRPC_ONLY: [&str; 1] = ["application.ApplicationService/GetManifestsWithFiles"];

/// Messages as they travel.
#[derive(Clone, Copy, Default)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, item: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let mut item = vec![0; buffer.remaining()];
        buffer.copy_to_slice(&mut item);
        Ok(Some(item))
    }
}

/// One file: what it shows, who asks, the REST request, the gRPC request, and both answers.
#[derive(Debug, PartialEq)]
struct Conversation {
    title: String,
    caller: String,
    verb: String,
    target: String,
    body: String,
    method: String,
    message: String,
    answer: String,
}

impl Conversation {
    fn parse(text: &str) -> Self {
        let (head, rest) = text.split_once("\n\n").expect("a head");
        let mut lines = head.lines();
        let title = lines.next().and_then(|line| line.strip_prefix("# ")).expect("a title").to_owned();
        let caller = lines.next().and_then(|line| line.strip_prefix("as: ")).expect("who asks").to_owned();
        let (rest, answer) = rest.split_once("=> ").unwrap_or((rest, ""));
        let (rest, grpc) = rest.split_once("grpc ").expect("a gRPC request");
        let (method, message) = grpc.split_once('\n').unwrap_or((grpc, ""));
        let rest = rest.strip_prefix("rest ").expect("a REST request");
        let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
        let (verb, target) = line.split_once(' ').expect("verb and path");
        Self {
            title,
            caller,
            verb: verb.into(),
            target: target.into(),
            body: body.trim().into(),
            method: method.trim().into(),
            message: message.trim().into(),
            answer: answer.trim().into(),
        }
    }

    fn text(&self) -> String {
        let under = |text: &str| if text.is_empty() { String::new() } else { format!("{text}\n") };
        format!(
            "# {}\nas: {}\n\nrest {} {}\n{}\ngrpc {}\n{}\n=> {}\n",
            self.title,
            self.caller,
            self.verb,
            self.target,
            under(&self.body),
            self.method,
            under(&self.message),
            self.answer
        )
    }

    fn route(&self) -> (&'static Route, Vec<(&'static str, String)>) {
        let verb = Method::from_bytes(self.verb.as_bytes()).expect("a verb");
        let path = self.target.split('?').next().unwrap_or_default();
        match lookup(&verb, path) {
            Lookup::Found(route, values) => (route, values),
            other => panic!("{} {}: {other:?}", self.verb, self.target),
        }
    }

    /// What the REST request means.
    fn meant(&self) -> Vec<u8> {
        let (route, values) = self.route();
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        wire::bind::bind(route, &values, query, self.body.as_bytes()).expect("it means something")
    }
}

/// Who asks: `admin`, `bob` who may nothing, or nobody.
struct Callers {
    admin: String,
    bob: String,
}

impl Callers {
    fn token(&self, name: &str) -> &str {
        match name {
            "admin" => &self.admin,
            "bob" => &self.bob,
            "nobody" => "",
            other => panic!("nobody is called {other}"),
        }
    }
}

/// The object that is a text of JSON.
fn embedded(value: &Value) -> Option<Value> {
    serde_json::from_str(value.as_str()?).ok().filter(Value::is_object)
}

/// JSON without what is another each time.
fn settled(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("managedFields");
            for (name, value) in members.iter_mut() {
                let volatile = [
                    "uid",
                    "resourceVersion",
                    "creationTimestamp",
                    "attemptedAt",
                    "iat",
                    "issuedAt",
                    "id",
                    "exp",
                    "token",
                    "timeStamp",
                    "timeStampStr",
                    "firstTimestamp",
                    "lastTimestamp",
                    "eventTime",
                    "lastCacheSyncTime",
                    "createdAt",
                    "refreshRequestedAt",
                    "argocd.argoproj.io/refresh",
                    "argocd.argoproj.io/refresh-timestamp",
                    "kubectl.kubernetes.io/restartedAt",
                ];
                if volatile.contains(&name.as_str()) && !value.is_null() && *value != json!("") {
                    *value = json!(format!("<{name}>"));
                } else if let ("manifest", Some(mut object)) = (name.as_str(), embedded(value)) {
                    settled(&mut object);
                    *value = object.to_string().into();
                } else if name == "items" {
                    settled(value);
                    // Events of what went before are none of this conversation.
                    if let Value::Array(items) = value
                        && items.iter().any(|item| item.get("involvedObject").is_some())
                    {
                        items.retain(|item| item["reason"] == FURNISHED);
                        items.iter_mut().for_each(|item| item["metadata"]["name"] = "<name>".into());
                    }
                } else {
                    settled(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settled),
        Value::String(text) => {
            if let Some((before, at)) = text.split_once(", iat: ") {
                *text = format!("{before}, iat: <time>{}", at.get(20..).unwrap_or_default());
            }
        }
        _ => {}
    }
}

fn shown(code: Code, status: u16, json: &str) -> String {
    let mut value: Value = serde_json::from_str(json).unwrap_or_else(|_| json!(json));
    settled(&mut value);
    format!("{code:?} {status}\n{}", serde_json::to_string_pretty(&value).expect("JSON"))
}

async fn over_grpc(
    channel: &Channel,
    route: &Route,
    token: &str,
    message: Vec<u8>,
) -> Result<String, Status> {
    let mut client = tonic::client::Grpc::new(channel.clone());
    client.ready().await.expect("the server takes calls");
    let mut request = tonic::Request::new(message);
    if !token.is_empty() {
        request.metadata_mut().insert("token", token.parse().expect("a token"));
    }
    let path = route.grpc_path().parse().expect("a path");
    let mut out = Vec::new();
    if route.server_streaming {
        let mut messages = client.server_streaming(request, path, Bytes).await?.into_inner();
        let Ok(first) = tokio::time::timeout(STREAM, messages.message()).await else {
            return Ok("\"<silence>\"".into());
        };
        let Some(first) = first? else { return Ok("\"<end>\"".into()) };
        wire::transcode::to_json(&route.response, &first, &mut out).expect("its own message");
    } else {
        let answer = client.unary(request, path, Bytes).await?.into_inner();
        wire::transcode::to_json(&route.response, &answer, &mut out).expect("its own message");
    }
    Ok(String::from_utf8(out).expect("JSON is UTF-8"))
}

async fn over_rest(bench: &Bench, conversation: &Conversation, body: &str, token: &str) -> (u16, String) {
    let mut request = Request::builder()
        .method(conversation.verb.as_str())
        .uri(&conversation.target)
        .header("content-type", "application/json");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.body(Body::from(body.to_owned())).expect("it is well formed");
    let answer = bench.router.clone().oneshot(request);
    let Ok(answer) = tokio::time::timeout(STREAM, answer).await else { return (200, "\"<silence>\"".into()) };
    let (parts, mut body) = answer.expect("an answer").into_parts();
    let mut text = String::new();
    let streams = conversation.route().0.server_streaming;
    loop {
        let frame = http_body_util::BodyExt::frame(&mut body);
        let Ok(frame) = tokio::time::timeout(STREAM, frame).await else { break };
        let Some(Ok(frame)) = frame else { break };
        if let Ok(data) = frame.into_data() {
            text.push_str(&String::from_utf8_lossy(&data));
        }
        if streams && text.contains('\n') {
            break;
        }
    }
    if streams && parts.status == 200 {
        let first = text.lines().next().unwrap_or_default();
        let inner = serde_json::from_str::<Value>(first)
            .ok()
            .and_then(|value| Some(value.get("result")?.to_string()));
        return (
            200,
            inner.unwrap_or_else(|| if text.is_empty() { "\"<end>\"".into() } else { first.to_owned() }),
        );
    }
    (parts.status.as_u16(), text)
}

/// Takes away what the conversation before may have changed.
async fn removed(bench: &Bench, admin: &str) {
    let all = [
        "applications/a",
        "applications/new",
        "applicationsets/s",
        "applicationsets/new",
        "projects/red",
        "projects/new",
    ];
    for path in all {
        bench.rest("DELETE", &format!("/api/v1/{path}?cascade=false"), admin, Some(json!({}))).await;
    }
    let namespace = bench.store.namespace();
    eventually("what was there is gone", || {
        bench.store.application(namespace, "a").is_err()
            && bench.store.application_set(namespace, "s").is_err()
            && bench.store.project("red").is_err()
    })
    .await;
}

/// Everything that the conversations are about, as it was before the first.
async fn furnish(bench: &Bench, admin: &str, whole: bool) {
    let make = async |verb: &str, path: &str, body: Value| {
        let answer = bench.rest(verb, &format!("/api/v1/{path}"), admin, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    };
    removed(bench, admin).await;
    let mut guestbook = application("a", "guestbook");
    guestbook["metadata"]["labels"] = json!({"team": "x"});
    make("POST", "applications?upsert=true", guestbook).await;
    make("POST", "applicationsets?upsert=true", json!({
        "metadata": {"name": "s"},
        "spec": {"generators": [{"list": {"elements": [{"n": "x"}]}}], "template": {"metadata": {"name": "{{n}}"}, "spec": application("x", "guestbook")["spec"]}},
    })).await;
    let role = json!({"name": "ci", "policies": ["p, proj:red:ci, applications, get, red/*, allow"]});
    let window = json!({"kind": "allow", "schedule": "* * * * *", "duration": "1h", "applications": ["*"]});
    let red = json!({
        "metadata": {"name": "red", "labels": {"global": "yes"}},
        "spec": {"description": "red things", "roles": [role], "syncWindows": [window]},
    });
    make("POST", "projects?upsert=true", json!({"upsert": true, "project": red})).await;
    make(
        "POST",
        "repositories?upsert=true",
        json!({"repo": "https://git.example/apps.git", "type": "git", "username": "u", "password": "p"}),
    )
    .await;
    make(
        "POST",
        "repocreds?upsert=true",
        json!({"url": "https://git.example/team", "username": "u", "password": "p"}),
    )
    .await;
    let node = ResourceNode {
        resource_ref: ResourceRef {
            group: "apps".into(),
            version: "v1".into(),
            kind: "Deployment".into(),
            namespace: "default".into(),
            name: "d".into(),
            uid: "u".into(),
        },
        ..ResourceNode::default()
    };
    let managed = ResourceDiff {
        kind: "ConfigMap".into(),
        namespace: "default".into(),
        name: "c".into(),
        target_state: r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}}"#.into(),
        live_state: "null".into(),
        ..ResourceDiff::default()
    };
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conversed", "namespace": "default"}, "data": {"k": "v"}});
    let labels = json!({"app": "conversed"});
    let container = json!({"name": "c", "image": "none.invalid/c"});
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [container]}});
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "conversed", "namespace": "default"},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
    });
    let mut nodes = vec![node];
    for object in [map, deployment] {
        let object = crate::bench::object(object);
        crate::bench::apply(&bench.store, &object).await;
        let resource = bench.store.cluster().resource(&object.gvk()).await.expect("a kind");
        let live = bench.store.cluster().get(&resource, "default", "conversed").await.expect("it is there");
        let resource_ref = ResourceRef {
            group: resource.group.clone(),
            version: resource.version.clone(),
            kind: resource.kind.clone(),
            namespace: "default".into(),
            name: "conversed".into(),
            uid: live.uid().to_owned(),
        };
        nodes.push(ResourceNode { resource_ref, ..ResourceNode::default() });
    }
    bench.found("a", &ApplicationTree { nodes, ..ApplicationTree::default() }, &[managed]).await;
    let source = application("a", "guestbook")["spec"]["source"].clone();
    let deployed = json!({"status": {"history": [{
        "id": 1, "revision": crate::bench::COMMIT, "deployedAt": "2026-01-01T00:00:00Z", "source": source,
    }]}});
    let patched = bench
        .store
        .patch_application(bench.store.namespace(), "a", &kubernetes::Patch::Merge(deployed))
        .await;
    patched.expect("it is changed");
    furnish_events(bench).await;
    if whole {
        furnish_more(bench, admin).await;
        furnish_rich(bench, admin).await;
    }
}

/// An event about each of those whose events are listed.
async fn furnish_events(bench: &Bench) {
    let (store, namespace) = (&bench.store, bench.store.namespace());
    let uids = || {
        let application = store.application(namespace, "a").ok()?.metadata.uid.clone();
        let set = store.application_set(namespace, "s").ok()?.metadata.uid.clone();
        let project = store.project("red").ok()?.metadata.uid.clone();
        Some([
            ("Application", "a", application),
            ("ApplicationSet", "s", set),
            ("AppProject", "red", project),
        ])
    };
    eventually("what events are about is known", || uids().is_some()).await;
    for (kind, name, uid) in uids().into_iter().flatten() {
        let event = json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": format!("{name}.{uid}"), "namespace": namespace},
            "involvedObject": {
                "apiVersion": "argoproj.io/v1alpha1", "kind": kind, "namespace": namespace, "name": name, "uid": uid,
            },
            "type": "Normal", "reason": FURNISHED, "message": "it is there to be talked about", "count": 1,
            "source": {"component": "conversations"},
            "firstTimestamp": "2026-01-01T00:00:00Z", "lastTimestamp": "2026-01-01T00:00:00Z",
        });
        crate::bench::apply(store, &crate::bench::object(event)).await;
    }
}

/// A project and an application that have much to show. Nobody takes them away.
async fn furnish_rich(bench: &Bench, admin: &str) {
    let namespace = bench.store.namespace();
    let make = async |path: &str, body: Value| {
        let answer = bench.rest("POST", &format!("/api/v1/{path}"), admin, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    };
    let role = json!({"name": "ci", "policies": ["p, proj:rich:ci, applications, get, rich/*, allow"]});
    let window = json!({
        "kind": "allow", "schedule": "* * * * *", "duration": "1h", "applications": ["*"], "manualSync": true,
    });
    let project = json!({
        "metadata": {"name": "rich"},
        "spec": {
            "sourceRepos": ["*"], "destinations": [{"server": "*", "namespace": "*"}],
            "roles": [role], "syncWindows": [window],
        },
    });
    make("projects?upsert=true", json!({"upsert": true, "project": project})).await;
    let has_token = || {
        let found = bench.store.project("rich");
        found.is_ok_and(|found| found.status.jwt_tokens_by_role.contains_key("ci"))
    };
    if !has_token() {
        make("projects/rich/roles/ci/token", json!({"id": "kept"})).await;
    }
    let mut rich = application("rich", "guestbook");
    rich["spec"]["project"] = "rich".into();
    make("applications?upsert=true", rich).await;
    let object = json!({
        "version": "v1", "kind": "ConfigMap", "namespace": "default", "name": "conversed", "status": "OutOfSync",
    });
    let found = json!({"status": {
        "sync": {"status": "OutOfSync", "revision": crate::bench::COMMIT}, "health": {"status": "Healthy"},
        "resources": [object], "summary": {"images": ["none.invalid/c"]},
    }});
    let patched = bench.store.patch_application(namespace, "rich", &kubernetes::Patch::Merge(found)).await;
    patched.expect("it is changed");
    let pod = bench.running_pod("conversed", &["sh", "-c", "echo said; exec sleep 600"]).await;
    bench.found("rich", &ApplicationTree { nodes: vec![pod], ..ApplicationTree::default() }, &[]).await;
    let host = json!({
        "serverName": "kept.example", "certType": "ssh", "certSubType": "ssh-ed25519", "certData": HOST_KEY,
    });
    make("certificates?upsert=true", json!({"items": [host]})).await;
    let shows = || {
        let found = bench.store.application(namespace, "rich");
        found.is_ok_and(|found| !found.status.resources.is_empty())
    };
    eventually("all of it is known", || has_token() && shows()).await;
}

/// What is changed or taken away by one conversation or another.
async fn furnish_more(bench: &Bench, admin: &str) {
    let namespace = bench.store.namespace();
    let make = async |path: &str, body: Value| {
        let answer = bench.rest("POST", &format!("/api/v1/{path}"), admin, Some(body)).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
    };
    let writer =
        json!({"repo": "https://git.example/apps.git", "type": "git", "username": "u", "password": "p"});
    make("write-repositories?upsert=true", writer).await;
    let short = json!({"repo": "git@git.example:apps.git", "type": "git", "username": "u", "password": "p"});
    make("write-repositories?upsert=true", short).await;
    let writers = json!({"url": "https://git.example/team", "username": "u", "password": "p"});
    make("write-repocreds?upsert=true", writers).await;
    // An address that is one part of a path, so that a change can name it.
    let short = json!({"url": "git@git.example:team", "username": "u", "password": "p"});
    make("repocreds?upsert=true", short.clone()).await;
    make("write-repocreds?upsert=true", short).await;
    make("gpgkeys?upsert=true", json!({"keyData": include_str!("key.asc")})).await;
    for id in ["kept", "made"] {
        bench.rest("DELETE", &format!("/api/v1/account/alice/token/{id}"), admin, Some(json!({}))).await;
    }
    make("account/alice/token", json!({"id": "kept"})).await;
    let labels = json!({"argocd.argoproj.io/secret-type": "cluster"});
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "c", "namespace": namespace, "labels": labels},
        "stringData": {"server": "https://c.example", "name": "c", "config": "{}"},
    });
    crate::bench::apply(&bench.store, &crate::bench::object(secret)).await;
    let mut charted = application("charted", "");
    charted["spec"]["source"] =
        json!({"repoURL": "https://charts.example", "chart": "c", "targetRevision": "1.0.0"});
    make("applications?upsert=true&validate=false", charted).await;
    make("applications?upsert=true", application("busy", "guestbook")).await;
    let running = json!({"operation": {"sync": {}}, "status": {"operationState": {
        "phase": "Running", "startedAt": "2026-01-01T00:00:00Z", "operation": {"sync": {}},
    }}});
    let patched = bench.store.patch_application(namespace, "busy", &kubernetes::Patch::Merge(running)).await;
    patched.expect("it is changed");
    eventually("all of it is known", || {
        let known = |name: &str| bench.store.application(namespace, name).ok();
        known("busy").is_some_and(|found| found.operation.is_some()) && bench.store.clusters(true).len() == 2
    })
    .await;
}

/// What a file cannot know, or need not repeat: the first password, the version of the project that is changed, a key.
fn filled(bench: &Bench, text: &str) -> String {
    let version = bench.store.project("red").map(|found| found.metadata.resource_version.clone());
    text.replace("$PASSWORD", &bench.initial_password())
        .replace("$VERSION", &version.unwrap_or_default())
        .replace("$KEY", &include_str!("key.asc").replace('\n', "\\n"))
}

/// What a conversation makes is not there before.
async fn cleared(bench: &Bench, admin: &str, name: &str) {
    let path = match name {
        "GPGKeyService/Create-done.case" => "/api/v1/gpgkeys?keyID=FA1AA40D7BE828FA",
        "ClusterService/Create-done.case" => "/api/v1/clusters/in-cluster?id.type=name",
        "CertificateService/CreateCertificate-done.case" => {
            "/api/v1/certificates?hostNamePattern=made.example&certType=ssh"
        }
        _ => return,
    };
    bench.rest("DELETE", path, admin, Some(json!({}))).await.good();
}

/// Says again and again that something was found, while a stream is listened to that tells of nothing else.
fn nudged(bench: &Bench, method: &str) -> Option<AbortOnDropHandle<()>> {
    if !method.ends_with("/WatchResourceTree") {
        return None;
    }
    let cache = bench.cache.clone();
    Some(AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            cache.publish("app|managed-resources|a").await.expect("published");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })))
}

/// Settings that give the conversations something to tell.
fn told_of(mut settings: Value) -> Value {
    let link = |of: &str| format!("- title: docs\n  url: https://docs.example/{{{{.{of}.metadata.name}}}}\n");
    settings["application.links"] = link("app").into();
    settings["project.links"] = link("project").into();
    settings["resource.links"] = link("resource").into();
    settings["globalProjects"] =
        "- projectName: default\n  labelSelector: {matchLabels: {global: \"yes\"}}\n".into();
    settings
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "case") {
            all.push(path);
        }
    }
    all.sort();
    all
}

#[test]
fn every_method_has_a_conversation() {
    let held: BTreeSet<String> = files(Path::new(CASES))
        .iter()
        .map(|path| Conversation::parse(&std::fs::read_to_string(path).expect("a case")).method)
        .collect();
    let all: BTreeSet<String> = routes()
        .iter()
        .filter(|route| !route.deprecated)
        .map(|route| format!("{}/{}", route.service, route.method))
        .filter(|method| !GRPC_ONLY.contains(&method.as_str()))
        .collect();
    let missing: Vec<_> = all.difference(&held).collect();
    assert!(missing.is_empty(), "no file in cases/api is about {missing:?}");
}

#[tokio::test]
async fn grpc_and_rest_say_the_same() {
    let update = std::env::var_os("UPDATE").is_some();
    let (settings, policy) = two_users();
    let options = api_server::Options { insecure: true, hydrator: true, ..api_server::Options::default() };
    let bench = Bench::with("conversations", told_of(settings), policy, &[], options).await;
    let notifications = json!({
        "trigger.on-hello": "- when: app.metadata.name == 'hello'\n  send: [hello]\n",
        "template.hello": "message: hello\n", "service.webhook.hello": "url: https://hooks.example\n",
    });
    crate::bench::configure(&bench.store, "argocd-notifications-cm", notifications).await;
    let admin = bench.admin().await;
    let callers = Callers { bob: bench.user(&admin, "bob").await, admin };
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let (mut told, mut changed, mut all) = (Vec::new(), true, true);
    for path in files(Path::new(CASES)) {
        let text = std::fs::read_to_string(&path).expect("a case");
        let mut case = Conversation::parse(&text);
        let name = path.strip_prefix(CASES).unwrap_or(&path).display().to_string();
        let (route, _) = case.route();
        assert_eq!(case.method, format!("{}/{}", route.service, route.method), "{name}");
        let meant = case.meant();
        let mut message = Vec::new();
        wire::transcode::to_json(&route.request, &meant, &mut message).expect("its own message");
        let message: Value = serde_json::from_slice(&message).expect("JSON");
        if update {
            case.message = compact(&message);
        }
        let token = callers.token(&case.caller);
        // What is done, and not refused, leaves more to be put back.
        let does = name.ends_with("-done.case");
        if changed || does {
            furnish(&bench, &callers.admin, all || does).await;
        }
        let sent = wire::transcode::from_json(&route.request, filled(&bench, &case.message).as_bytes())
            .expect("the gRPC request is one");
        cleared(&bench, &callers.admin, &name).await;
        let _nudges = nudged(&bench, &case.method);
        let grpc = over_grpc(&channel, route, token, sent).await;
        changed = case.verb != "GET";
        if changed {
            furnish(&bench, &callers.admin, does).await;
        }
        all = does;
        cleared(&bench, &callers.admin, &name).await;
        let body = filled(&bench, &case.body);
        let (status, rest) = over_rest(&bench, &case, &body, token).await;
        let (code, json) = match &grpc {
            Ok(json) => (Code::Ok, json.clone()),
            Err(refused) => (refused.code(), json!({"error": refused.message(), "code": refused.code() as i32, "message": refused.message()}).to_string()),
        };
        let rest = unwrapped(&rest);
        let (over_grpc, over_rest) = (shown(code, status, &json), shown(code, status, &rest));
        if over_grpc != over_rest {
            told.push(format!("--- {name}: gRPC and REST differ\n{over_grpc}\n{over_rest}"));
        }
        if wire::gateway::http_status(code).as_u16() != status {
            told.push(format!("--- {name}: {code:?} over gRPC, {status} over REST"));
        }
        if compact(&message) != case.message {
            told.push(format!(
                "--- {name}: the REST request means\n{}\nnot\n{}",
                compact(&message),
                case.message
            ));
        }
        if update {
            case.answer = over_rest;
            std::fs::write(&path, case.text()).expect("a case");
        } else if case.answer != over_rest {
            told.push(format!("--- {name}: recorded\n{}\nanswered\n{over_rest}", case.answer));
        }
    }
    assert!(told.is_empty(), "{}", told.join("\n"));
}

/// A stream that is refused says so in another form.
fn unwrapped(text: &str) -> String {
    let value: Option<Value> = serde_json::from_str(text).ok();
    match value.as_ref().and_then(|value| value.get("error")).filter(|error| error.is_object()) {
        Some(error) => {
            json!({"error": error["message"], "code": error["grpc_code"], "message": error["message"]})
                .to_string()
        }
        None => text.to_owned(),
    }
}

/// Without members that say nothing.
fn compact(message: &Value) -> String {
    let members = message.as_object().into_iter().flatten();
    let said: Map<String, Value> = members
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Value::Object(said).to_string()
}
