//! Terminals in containers that really run, and extensions with a backend that tells what it was asked.

use crate::bench::{Bench, application, configure, eventually};
use api::v1alpha1::ApplicationTree;
use api_server::Options;
use axum::body::Body;
use axum::extract::Request as Asked;
use boot::stop::Stop;
use futures::{SinkExt as _, StreamExt as _};
use http::Request;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use transport::Listener;

type Socket = WebSocketStream<TcpStream>;

const QUERY: &str = "pod=shell&container=main&appName=a&projectName=default&namespace=default";
const CLOSE: Duration = Duration::from_secs(30);

/// A server on a port with an application that has a running pod.
struct Scene {
    bench: Bench,
    address: SocketAddr,
    stop: Stop,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.ask();
    }
}

fn policy(exec: bool) -> Value {
    let exec = if exec { "p, alice, exec, create, default/*, allow\n" } else { "" };
    json!({"policy.csv": format!("p, alice, applications, get, */*, allow\n{exec}")})
}

fn settings(enabled: &str) -> Value {
    json!({"accounts.alice": "login", "exec.enabled": enabled, "exec.shells": "no-such-shell,sh"})
}

async fn scene(namespace: &str, pod: &str) -> Scene {
    let bench = Bench::start(namespace, settings("true"), policy(true)).await;
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
    let (address, stop) = (listener.address(), Stop::new());
    tokio::spawn(transport::serve(listener, bench.router.clone(), stop.asked()));
    let node = bench.running_pod(pod, &[]).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    bench.found("a", &ApplicationTree { nodes: vec![node], ..ApplicationTree::default() }, &[]).await;
    Scene { bench, address, stop }
}

impl Scene {
    async fn connect(&self, query: &str, token: &str, origin: &str) -> Result<Socket, (u16, String)> {
        let mut request = Request::get(format!("ws://{}/terminal?{query}", self.address))
            .header("host", self.address.to_string())
            .header("connection", "Upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        if !token.is_empty() {
            request = request.header("cookie", format!("argocd.token={token}"));
        }
        if !origin.is_empty() {
            request = request.header("origin", origin);
        }
        let stream = TcpStream::connect(self.address).await.expect("a connection");
        let request = request.body(()).expect("a request");
        match tokio_tungstenite::client_async(request, stream).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(response)) => {
                let text =
                    String::from_utf8_lossy(response.body().as_deref().unwrap_or_default()).into_owned();
                Err((response.status().as_u16(), text.trim().to_owned()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn refused(&self, query: &str, token: &str, origin: &str) -> (u16, String) {
        match self.connect(query, token, origin).await {
            Ok(_) => panic!("{query} is not refused"),
            Err(refused) => refused,
        }
    }
}

fn typed(text: &str) -> Message {
    let message = json!({"operation": "stdin", "data": text, "rows": 0, "cols": 0}).to_string();
    Message::Text(message.into())
}

async fn type_in(socket: &mut Socket, text: &str) {
    socket.send(typed(text)).await.expect("sent");
}

/// Everything that is said until a text comes, or the end.
async fn heard(socket: &mut Socket, until: &str) -> String {
    let mut all = String::new();
    let listening = async {
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            match message["data"].as_str() {
                Some(data) => all.push_str(data),
                None => all.push_str(&text),
            }
            if !until.is_empty() && all.contains(until) {
                return;
            }
        }
    };
    let ended = tokio::time::timeout(CLOSE, listening).await;
    assert!(ended.is_ok() && all.contains(until), "{until:?} does not come after {all:?}");
    all
}

#[tokio::test]
async fn a_terminal_is_for_those_who_may() {
    let scene = scene("terminal-rights", "shell").await;
    let bench = &scene.bench;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    assert_eq!(scene.refused(QUERY, "", "").await, (400, "Auth cookie not found".into()));
    assert_eq!(scene.refused(QUERY, "a.b.c", "").await, (401, "Invalid token".into()));
    assert_eq!(scene.refused("pod=x", &admin, "").await, (400, "Missing required parameters".into()));
    let other = QUERY.replace("appName=a", "appName=none");
    assert_eq!(scene.refused(&other, &admin, "").await, (404, "App not found".into()));
    let wrong = QUERY.replace("projectName=default", "projectName=red");
    let told = (400, "The wrong project was specified for the app".into());
    assert_eq!(scene.refused(&wrong, &admin, "").await, told);
    let elsewhere = (403, "namespace 'elsewhere' is not permitted".into());
    assert_eq!(scene.refused(&format!("{QUERY}&appNamespace=elsewhere"), &admin, "").await, elsewhere);
    let other = QUERY.replace("pod=shell", "pod=other");
    let strange = (400, "Pod doesn't belong to specified app".into());
    assert_eq!(scene.refused(&other, &admin, "").await, strange);
    let other = QUERY.replace("container=main", "container=none");
    assert_eq!(scene.refused(&other, &admin, "").await, (400, "container find running".into()));
    let evil = scene.refused(QUERY, &admin, "https://evil.example").await;
    assert_eq!(evil.0, 403, "{evil:?}");
    let own = format!("http://{}", scene.address);
    let mut socket = scene.connect(QUERY, &alice, &own).await.expect("alice may");
    // The first shell is not there: the next one is tried.
    type_in(&mut socket, "echo $((40+2))-really\n").await;
    heard(&mut socket, "42-really").await;
    let resize = json!({"operation": "resize", "data": "", "rows": 33, "cols": 99}).to_string();
    socket.send(Message::Text(resize.into())).await.expect("sent");
    type_in(&mut socket, "until [ \"$(stty size)\" = '33 99' ]; do :; done; echo si''zed\n").await;
    heard(&mut socket, "sized").await;
    // CVE-2024-41666: the permission is taken away while the terminal is open.
    configure(&bench.store, "argocd-rbac-cm", policy(false)).await;
    // It may have ended already.
    let _ = socket.send(typed("echo no''t-run\n")).await;
    let rest = heard(&mut socket, "").await;
    assert!(rest.ends_with("Permission denied") && !rest.contains("not-run"), "{rest:?}");
    let (status, text) = scene.refused(QUERY, &alice, "").await;
    let denied = "rpc error: code = PermissionDenied desc = permission denied: exec, create, default/a, sub: alice, iat: ";
    assert!(status == 401 && text.starts_with(denied), "{status} {text}");
    // With every right in another project, an application that is there and one that is not look alike.
    let red = "p, alice, applications, get, red/*, allow\np, alice, exec, create, red/*, allow\n";
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": red})).await;
    for query in [&wrong, &wrong.replace("appName=a", "appName=none")] {
        assert_eq!(scene.refused(query, &alice, "").await, (404, "App not found".into()), "{query}");
    }
    configure(&bench.store, "argocd-cm", settings("false")).await;
    assert_eq!(scene.refused(QUERY, &admin, "").await, (404, String::new()));
}

#[tokio::test]
async fn cve_2023_40025_a_terminal_ends_with_its_session() {
    let scene = scene("terminal-session", "session").await;
    let admin = scene.bench.admin().await;
    let query = format!("{}&shell=sh", QUERY.replace("pod=shell", "pod=session"));
    let mut socket = scene.connect(&query, &admin, "").await.expect("the administrator may");
    let mut idle = scene.connect(&query, &admin, "").await.expect("the administrator may");
    type_in(&mut socket, "echo he''re\n").await;
    heard(&mut socket, "here").await;
    scene.bench.rest("DELETE", "/api/v1/session", &admin, Some(json!({}))).await.good();
    let _ = socket.send(typed("echo no''t-run\n")).await;
    for socket in [&mut socket, &mut idle] {
        let rest = heard(socket, "").await;
        assert!(rest.ends_with("{\"Code\":1}") && !rest.contains("not-run"), "{rest:?}");
    }
    assert_eq!(scene.refused(&query, &admin, "").await, (401, "Invalid token".into()));
}

/// A backend that says what it was asked.
async fn backend() -> SocketAddr {
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
    let address = listener.address();
    let router = axum::Router::new().fallback(|request: Asked| async move {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 16).await.expect("a body");
        let headers: serde_json::Map<String, Value> = parts
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().into()))
            .collect();
        let told = json!({
            "method": parts.method.as_str(), "uri": parts.uri.to_string(), "headers": headers,
            "body": String::from_utf8_lossy(&body),
        });
        (http::StatusCode::IM_A_TEAPOT, told.to_string())
    });
    tokio::spawn(transport::serve(listener, router, std::future::pending()));
    address
}

#[tokio::test]
async fn an_extension_learns_who_asks_and_nothing_to_ask_with() {
    let address = backend().await;
    let config =
        format!("services: [{{url: 'http://{address}', headers: [{{name: X-Key, value: $ext.key}}]}}]");
    let settings = json!({"accounts.alice": "login", "extension.config.tea": config});
    let policy = json!({"policy.csv": "p, alice, applications, get, */*, allow\np, role:admin, extensions, invoke, tea, allow\n"});
    let options = Options { insecure: true, proxy_extensions: true, ..Options::default() };
    let bench = Bench::with("extensions", settings, policy, &[], options).await;
    let key = [("ext.key".to_owned(), Some(object::Secret::new(b"from-the-secret".to_vec())))];
    bench.store.set_argocd_secret(&key).await.expect("the secret");
    eventually("the secret is known", || {
        bench.store.secret("argocd-secret").is_some_and(|entry| entry.data.contains_key("ext.key"))
    })
    .await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let ask = async |path: &str, token: &str, more: &[(&'static str, &str)]| {
        let mut request = Request::post(path).header("cookie", format!("theme=dark; argocd.token={token}"));
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        bench.send(request.body(Body::from("hello")).expect("a request")).await
    };
    let about = [("argocd-application-name", "extensions:a"), ("argocd-project-name", "default")];
    let forged = [
        about[0],
        about[1],
        ("argocd-username", "root"),
        ("argocd-user-groups", "kings"),
        ("authorization", "Bearer stolen"),
        ("x-own", "kept"),
        ("host", "argo.example"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-for", "10.0.0.1"),
    ];
    let told = ask("/extensions/tea/pot/%2e?x=1", &admin, &forged).await;
    assert_eq!(told.status, 418, "{told:?}");
    let told = told.json();
    assert_eq!((&told["method"], &told["body"]), (&json!("POST"), &json!("hello")));
    assert!(
        told["uri"].as_str().is_some_and(|uri| uri.starts_with("/pot/") && uri.ends_with("?x=1")),
        "{told}"
    );
    let headers = &told["headers"];
    for (name, value) in [
        ("argocd-username", "admin"),
        ("argocd-user-id", "admin"),
        ("argocd-namespace", "extensions"),
        ("argocd-target-cluster-name", "in-cluster"),
        ("argocd-target-cluster-url", "https://kubernetes.default.svc"),
        ("argocd-application-name", "extensions:a"),
        ("x-key", "from-the-secret"),
        ("x-own", "kept"),
        ("x-forwarded-host", "argo.example"),
        ("x-forwarded-proto", "http"),
    ] {
        assert_eq!(headers[name], value, "{name} in {told}");
    }
    for name in ["cookie", "authorization", "argocd-user-groups", "x-forwarded-for"] {
        assert_eq!(headers[name], Value::Null, "{name} in {told}");
    }
    assert_eq!(ask("/extensions/none/x", &admin, &about).await.status, 401);
    assert_eq!(ask("/extensions/tea/x", &alice, &about).await.text.trim(), "Unauthorized extension request");
    let other = [("argocd-application-name", "extensions:b"), about[1]];
    assert_eq!(ask("/extensions/tea/x", &admin, &other).await.status, 401);
    assert_eq!(ask("/extensions/tea/x", &admin, &[]).await.status, 400);
    assert_eq!(ask("/extensions/tea/x", "a.b.c", &about).await.text.trim(), "Invalid token");
}
