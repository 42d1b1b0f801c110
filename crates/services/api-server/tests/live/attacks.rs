//! Attacks that have worked on such systems, each tried.

use crate::bench::{Bench, application, apply, configure, eventually, object, two_users};
use api_server::Options;
use axum::body::Body;
use http::{Request, Version};
use prost::Message as _;
use serde_json::json;
use std::collections::BTreeSet;
use tower::ServiceExt as _;

/// The gRPC status of a bare call.
async fn call(bench: &Bench, path: &str, token: &str) -> (String, String) {
    let mut request = Request::post(format!("http://server{path}"))
        .version(Version::HTTP_2)
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    if !token.is_empty() {
        request = request.header("token", token);
    }
    let request = request.body(Body::from(vec![0u8; 5])).expect("it is well formed");
    let response = bench.router.clone().oneshot(request).await.expect("it is well formed");
    let text = |name: &str| {
        response
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .replace("%20", " ")
    };
    (text("grpc-status"), text("grpc-message"))
}

#[tokio::test]
async fn cve_2026_33186_every_path_meets_authentication_first() {
    let bench = Bench::start("unknown", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let odd = [
        "/application.ApplicationService/Nope",
        "//application.ApplicationService/List",
        "/application.ApplicationService/List/",
        "/application.ApplicationService//List",
        "/APPLICATION.ApplicationService/List",
        "/application.ApplicationService/%4cist",
        "/application.ApplicationService/list",
        "/version.VersionService/version",
        "/nope.Service/Nope",
        "/nope",
        "/",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ];
    for path in odd {
        assert_eq!(call(&bench, path, "").await, ("16".into(), "no session information".into()), "{path}");
    }
    let unknown = call(&bench, "/application.ApplicationService/Nope", &admin).await;
    assert_eq!(
        unknown,
        ("12".into(), "unknown method Nope for service application.ApplicationService".into())
    );
    assert_eq!(
        call(&bench, "/nope.Service/Nope", &admin).await,
        ("12".into(), "unknown service nope.Service".into())
    );
    let later = call(&bench, "/applicationset.ApplicationSetService/Generate", &admin).await;
    assert_eq!(later, ("12".into(), "method Generate not implemented".into()));
}

#[tokio::test]
async fn cve_2026_27111_every_method_of_the_schema_needs_a_session() {
    let bench = Bench::start("matrix", json!({}), json!({})).await;
    let open: BTreeSet<&str> = [
        "/version.VersionService/Version",
        "/session.SessionService/Create",
        "/session.SessionService/Delete",
        "/session.SessionService/GetUserInfo",
        "/cluster.SettingsService/Get",
        "/grpc.health.v1.Health/Check",
        "/grpc.health.v1.Health/List",
        "/grpc.health.v1.Health/Watch",
    ]
    .into();
    let descriptors = prost_types::FileDescriptorSet::decode(wire::DESCRIPTOR_SET).unwrap();
    let mut tried = 0;
    for file in &descriptors.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                if open.contains(path.as_str()) {
                    continue;
                }
                tried += 1;
                let answer = call(&bench, &path, "").await;
                assert_eq!(answer, ("16".into(), "no session information".into()), "{path}");
            }
        }
    }
    assert!(tried > 80, "{tried}");
    for path in open.iter().filter(|path| path.starts_with("/grpc.health.")) {
        assert_ne!(call(&bench, path, "").await.0, "16", "{path}");
    }
}

#[tokio::test]
async fn cve_2022_29165_a_forged_token_is_worth_nothing_with_anonymous_access() {
    let bench = Bench::start(
        "anonymous",
        json!({"users.anonymous.enabled": "true"}),
        json!({"policy.default": "role:readonly"}),
    )
    .await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    // {"alg":"none"} . {"iss":"argocd","sub":"admin","iat":1}
    let unsigned = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJpc3MiOiJhcmdvY2QiLCJzdWIiOiJhZG1pbiIsImlhdCI6MX0.";
    for token in ["", unsigned] {
        bench.get("/api/v1/applications/a", token).await.good();
        let refused = bench.rest("DELETE", "/api/v1/applications/a", token, None).await;
        refused.is(403, "permission denied: applications, delete, default/a");
        bench.get("/api/v1/session/userinfo", token).await.good();
        let version = bench.get("/api/version", token).await.good().json();
        assert!(version.get("Platform").is_some(), "who need not log in is told all: {version}");
    }
    configure(&bench.store, "argocd-cm", json!({"users.anonymous.enabled": "false"})).await;
    assert_eq!(bench.get("/api/v1/applications", unsigned).await.status, 401);
}

#[tokio::test]
async fn cve_2024_21652_failed_logins_block_a_name_and_a_flood_of_others_does_not_free_it() {
    let throttle = auth_options();
    let options = Options { insecure: true, throttle, ..Options::default() };
    let bench = Bench::with("throttle", json!({}), json!({}), &[], options).await;
    bench.admin().await;
    for _ in 0..throttle.failures {
        bench.try_login("admin", "wrong").await.is(401, "Invalid username or password");
    }
    for name in 0..20 {
        bench.try_login(&format!("user{name}"), "wrong").await.is(401, "Invalid username or password");
    }
    let right = bench.initial_password();
    bench.try_login("admin", &right).await.is(401, "Invalid username or password");
}

fn auth_options() -> auth::ThrottleOptions {
    auth::ThrottleOptions { failures: 3, names: 8, ..auth::ThrottleOptions::default() }
}

#[tokio::test]
async fn tob_argo_033_logging_out_takes_the_token_back() {
    let bench = Bench::start("logout", json!({}), json!({})).await;
    let (first, second) = (bench.admin().await, bench.admin().await);
    let request = Request::post("/auth/logout").header("cookie", format!("argocd.token={first}"));
    let answer = bench.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 303);
    let gone = "invalid session: token is revoked, please re-login";
    bench.get("/api/v1/account", &first).await.is(401, gone);
    bench.rest("DELETE", "/api/v1/session", &second, Some(json!({}))).await.good();
    bench.get("/api/v1/account", &second).await.is(401, gone);
}

#[tokio::test]
async fn cve_2021_26921_a_new_password_ends_sessions() {
    let bench = Bench::start("mtime", json!({}), json!({})).await;
    let admin = bench.admin().await;
    // The password's time has a precision of a second.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let body = json!({"currentPassword": bench.initial_password(), "newPassword": "another-pass1"});
    bench.rest("PUT", "/api/v1/account/password", &admin, Some(body)).await.good();
    bench
        .get("/api/v1/account", &admin)
        .await
        .is(401, "invalid session: account password has changed since token issued");
    bench.login("admin", "another-pass1").await;
}

#[tokio::test]
async fn cve_2024_36106_nobody_learns_what_they_may_not_see() {
    let (settings, policy) = two_users();
    let bench = Bench::start("hidden", settings, policy).await;
    let admin = bench.admin().await;
    let bob = bench.user(&admin, "bob").await;
    bench.post("/api/v1/applications", &admin, application("there", "guestbook")).await.good();
    let sync = json!({});
    let patch = json!({"patch": "{}", "patchType": "merge"});
    let spec = application("x", "guestbook")["spec"].clone();
    let calls = [
        ("GET", "", None),
        ("GET", "?project=default", None),
        ("GET", "?refresh=normal", None),
        ("DELETE", "", None),
        ("DELETE", "/operation", None),
        ("GET", "/manifests", None),
        ("GET", "/resource-tree", None),
        ("GET", "/managed-resources", None),
        ("GET", "/syncwindows", None),
        ("GET", "/events", None),
        ("GET", "/logs", None),
        ("GET", "/resource?resourceName=x&version=v1&kind=Pod", None),
        ("POST", "/sync", Some(sync.clone())),
        ("POST", "/rollback", Some(json!({"id": 0}))),
        ("PATCH", "", Some(patch)),
        ("PUT", "/spec", Some(spec)),
    ];
    for (verb, rest, body) in calls {
        let ask = async |name: &str| {
            let answer =
                bench.rest(verb, &format!("/api/v1/applications/{name}{rest}"), &bob, body.clone()).await;
            (answer.status, answer.text)
        };
        let (there, none) = (ask("there").await, ask("none").await);
        assert_eq!(there, none, "{verb} {rest}");
        assert_eq!(there.0, 403, "{verb} {rest}: {}", there.1);
    }
    let cluster = async |server: &str| {
        let answer = bench.get(&format!("/api/v1/clusters/{server}"), &bob).await;
        (answer.status, answer.text)
    };
    assert_eq!(cluster("https%3A%2F%2Fkubernetes.default.svc").await, cluster("https%3A%2F%2Fnone").await);
    // Who may see the project's applications is told that one is not there.
    let alice = bench.user(&admin, "alice").await;
    bench.get("/api/v1/applications/none", &alice).await.is(403, "permission denied");
    bench
        .get("/api/v1/applications/none?project=default", &alice)
        .await
        .is(404, "applications.argoproj.io \"none\" not found");
    bench
        .get("/api/v1/applications/there?project=red", &alice)
        .await
        .is(404, "applications.argoproj.io \"there\" not found");
}

#[tokio::test]
async fn cve_2024_31990_a_project_says_from_where_it_is_used() {
    let options = Options { insecure: true, ..Options::default() };
    let bench = Bench::with("control", json!({}), json!({}), &["team-space"], options).await;
    let admin = bench.admin().await;
    let mut elsewhere = application("a", "guestbook");
    elsewhere["metadata"]["namespace"] = "team-space".into();
    let refused = "app is not allowed in project \"default\", or the project does not exist";
    bench.post("/api/v1/applications", &admin, elsewhere.clone()).await.is(400, refused);
    // One that was made by other means is out of reach, too.
    elsewhere["apiVersion"] = "argoproj.io/v1alpha1".into();
    elsewhere["kind"] = "Application".into();
    apply(&bench.store, &object(elsewhere)).await;
    eventually("it is known", || bench.store.application("team-space", "a").is_ok()).await;
    let sync = bench.post("/api/v1/applications/a/sync", &admin, json!({"appNamespace": "team-space"})).await;
    sync.is(400, refused);
    let unknown = bench.get("/api/v1/applications/a?appNamespace=kube-system", &admin).await;
    unknown.is(403, "permission denied");
}

#[tokio::test]
async fn a_patch_reaches_only_the_application_it_names() {
    let bench = Bench::start("patch", json!({}), json!({})).await;
    let admin = bench.admin().await;
    for name in ["a", "b"] {
        bench.post("/api/v1/applications", &admin, application(name, "guestbook")).await.good();
    }
    let patch = json!({"patch": r#"{"metadata":{"name":"b"},"spec":{"source":{"path":"evil"}},"operation":{"sync":{}}}"#, "patchType": "merge"});
    let patched = bench.rest("PATCH", "/api/v1/applications/a", &admin, Some(patch)).await.good().json();
    assert_eq!((&patched["metadata"]["name"], patched.get("operation")), (&json!("a"), None));
    let other = bench.get("/api/v1/applications/b", &admin).await.good().json();
    assert_eq!(other["spec"]["source"]["path"], "guestbook");
}
