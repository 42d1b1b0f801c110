//! The port itself: TLS, gRPC, gRPC-web and REST beside each other.

use crate::bench::{Bench, LONG, apply, eventually, object};
use api_server::Options;
use axum::body::Body;
use boot::stop::Stop;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;
use std::net::SocketAddr;
use tower::ServiceExt as _;
use transport::{ChannelOptions, Listener, OnPlainText, Trust};
use wire::version::version_service_client::VersionServiceClient;

#[tokio::test]
async fn one_port_speaks_every_protocol() {
    boot::crypto();
    let bench = Bench::start("port", json!({}), json!({})).await;
    let identity = api_server::identity(&bench.server).expect("a certificate");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, Some(identity)).await.expect("a port");
    let address = listener.address().to_string();
    let stop = Stop::new();
    let serving = tokio::spawn(transport::serve(listener, bench.router.clone(), stop.asked()));
    let options = ChannelOptions { address, trust: Trust::AnyCertificate, timeout: None };
    let channel = transport::connect(&options).expect("a channel");
    let version = VersionServiceClient::new(channel).version(()).await.expect("a version").into_inner();
    assert!(version.version.starts_with('v') && version.platform.is_empty(), "{version:?}");
    stop.ask();
    serving.await.expect("it ends");
}

/// What a port answers to plain HTTP: status and place.
async fn plainly(address: SocketAddr, path: &str) -> (u16, String) {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let answer = client.expect("a client").get(format!("http://{address}{path}")).send().await;
    let answer = answer.expect("an answer");
    let place = answer.headers().get("location").and_then(|place| place.to_str().ok());
    (answer.status().as_u16(), place.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn plain_http_on_a_port_with_tls_is_sent_to_https() {
    boot::crypto();
    for root in ["", "argo"] {
        let namespace = format!("plain{root}");
        let options = Options { root_path: root.into(), ..Options::default() };
        let bench = Bench::with(&namespace, json!({}), json!({}), &[], options).await;
        let identity = api_server::identity(&bench.server).expect("a certificate");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any, Some(identity)).await.expect("a port");
        let listener = listener.on_plain_text(OnPlainText::Answer(bench.server.plain_text_router()));
        let address = listener.address();
        let stop = Stop::new();
        let serving = tokio::spawn(transport::serve(listener, bench.router.clone(), stop.asked()));
        let told = async |path: &str| plainly(address, path).await;
        if root.is_empty() {
            // Probes follow this.
            assert_eq!(
                told("/healthz?full=true").await,
                (307, format!("https://{address}/healthz?full=true"))
            );
            assert_eq!(told("/api/version").await, (307, format!("https://{address}/api/version")));
        } else {
            assert_eq!(told("/healthz?full=true").await, (200, String::new()));
            assert_eq!(told("/argo/x?y=z").await, (307, format!("https://{address}/argo/x?y=z")));
            assert_eq!(told("/api/version").await, (404, String::new()));
            assert_eq!(told("/argocd/x").await, (404, String::new()));
        }
        stop.ask();
        serving.await.expect("it ends");
    }
}

#[tokio::test]
async fn a_server_that_stops_is_not_healthy() {
    let bench = Bench::start("stopping", json!({}), json!({})).await;
    assert_eq!(bench.get("/healthz?full=true", "").await.good().text, "ok\n");
    bench.server.stopping(std::future::ready(())).await;
    let answer = bench.get("/healthz?full=true", "").await;
    assert_eq!((answer.status, answer.text.as_str()), (503, ""));
}

#[tokio::test]
async fn a_new_certificate_is_served_without_a_restart_and_a_broken_one_is_not() {
    boot::crypto();
    let bench = Bench::start("renewed", json!({}), json!({})).await;
    let identity = api_server::ensure_certificate(&bench.server).await.expect("a certificate");
    let _following = api_server::follow_certificate(&bench.server, &identity);
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, Some(identity)).await.expect("a port");
    let address = format!("localhost:{}", listener.address().port());
    let stop = Stop::new();
    let serving = tokio::spawn(transport::serve(listener, bench.router.clone(), stop.asked()));
    let fresh = transport::SelfSigned::new(&["localhost"]).expect("a certificate");
    let trusted = fresh.certificate.clone().into_bytes();
    let asked = async || {
        let trust = Trust::Authorities(trusted.clone());
        let options = ChannelOptions { address: address.clone(), trust, timeout: None };
        let channel = transport::connect(&options).expect("a channel");
        VersionServiceClient::new(channel).version(()).await.is_ok()
    };
    assert!(!asked().await, "the first certificate is another one");
    let renewed = async |certificate: &str, key: &str| {
        let secret = object(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-server-tls", "namespace": "renewed"},
            "stringData": {"tls.crt": certificate, "tls.key": key},
        }));
        apply(&bench.store, &secret).await;
        let kept = || {
            bench.store.secret("argocd-server-tls").is_some_and(|entry| entry.text("tls.crt") == certificate)
        };
        eventually("the Secret is known", kept).await;
    };
    renewed(&fresh.certificate, &fresh.key).await;
    let deadline = tokio::time::Instant::now() + LONG;
    while !asked().await {
        assert!(tokio::time::Instant::now() < deadline, "the new certificate is served");
    }
    renewed("junk", "junk").await;
    assert!(asked().await, "the one before it stays");
    stop.ask();
    serving.await.expect("it ends");
}

#[tokio::test]
async fn grpc_web_is_answered_for_its_exact_content_type() {
    let bench = Bench::start("web", json!({}), json!({})).await;
    let send = async |content_type: &str, path: &str| {
        let request =
            Request::post(path).header("content-type", content_type).body(Body::from(vec![0u8; 5])).unwrap();
        let response = bench.router.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        (status, headers, response.into_body().collect().await.unwrap().to_bytes())
    };
    let (status, _, body) = send("application/grpc-web+proto", "/version.VersionService/Version").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body[0], 0);
    assert!(body.ends_with(b"\x80\0\0\0\x10grpc-status: 0\r\n"), "{body:?}");
    let (status, headers, _) =
        send("application/grpc-web+proto", "/application.ApplicationService/List").await;
    assert_eq!(
        (status, &headers["grpc-status"], &headers["grpc-message"]),
        (StatusCode::OK, &"16".parse().unwrap(), &"no session information".parse().unwrap())
    );
    for content_type in ["application/grpc-web", "application/grpc-web-text"] {
        assert_eq!(send(content_type, "/version.VersionService/Version").await.0, StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn pages_are_honest_and_guarded() {
    let bench = Bench::start("pages", json!({}), json!({})).await;
    let ask = async |path: &str, accept: &str| {
        let request = Request::get(path).header("accept", accept).body(Body::empty()).unwrap();
        bench.send(request).await
    };
    let page = ask("/applications", "text/html").await.good();
    assert!(page.text.contains("no web pages yet"), "{page:?}");
    assert_eq!(page.headers["x-frame-options"], "sameorigin");
    assert_eq!(page.headers["content-security-policy"], "frame-ancestors 'self';");
    let none = ask("/nope.js", "*/*").await;
    assert_eq!((none.status, none.text.trim()), (404, "404 page not found"));
    assert_eq!(ask("/auth/login", "text/html").await.status, 404);
    assert_eq!(ask("/auth/logout", "text/html").await.status, 400);
    assert_eq!(ask("/api/v1/nothing", "*/*").await.status, 404);
    let form =
        Request::post("/api/v1/session").header("content-type", "text/plain").body(Body::from("{}")).unwrap();
    assert_eq!(bench.send(form).await.status, 415);
}
