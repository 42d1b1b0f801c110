//! A cluster's token is rotated, over gRPC and over REST: a pretended cluster sees each step, and which token it is done with.

use crate::bench::{Bench, eventually, object};
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use boot::stop::Stop;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use transport::Listener;
use wire::cluster::ClusterQuery;
use wire::cluster::cluster_service_client::ClusterServiceClient;

/// The token of the service account's Secret of a name.
fn token(secret: &str) -> String {
    let of = |name: &str| format!("kubernetes.io/serviceaccount/{name}");
    let claims = json!({
        (of("namespace")): "kube-system", (of("secret.name")): secret,
        (of("service-account.name")): "argocd-manager",
    });
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

/// A cluster that knows what a rotation needs.
#[derive(Clone, Default)]
struct Pretended(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    /// Names of the Secrets there are.
    secrets: Vec<String>,
    /// What the account names.
    named: Value,
    /// What was changed, and with whose token.
    told: Vec<String>,
    /// How many Secrets were made.
    made: usize,
    /// New tokens open nothing.
    broken: bool,
}

impl Kept {
    fn answer(&mut self, method: &Method, path: &str, with: &str, body: &Value) -> Option<Value> {
        const SECRETS: &str = "/api/v1/namespaces/kube-system/secrets";
        const ACCOUNT: &str = "/api/v1/namespaces/kube-system/serviceaccounts/argocd-manager";
        let secret = |name: &str| {
            json!({
                "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
                "metadata": {"name": name, "namespace": "kube-system", "annotations": {"kubernetes.io/service-account.name": "argocd-manager"}},
                "data": {"token": STANDARD.encode(token(name))},
            })
        };
        let account = |named: &Value| {
            json!({
                "apiVersion": "v1", "kind": "ServiceAccount", "secrets": named,
                "metadata": {"name": "argocd-manager", "namespace": "kube-system", "resourceVersion": "7"},
            })
        };
        if *method != Method::GET {
            self.told.push(format!("{method} {path} with {with}"));
        }
        match (method.as_str(), path) {
            ("GET", "/version") => Some(json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})),
            ("GET", "/api") => Some(json!({"kind": "APIVersions", "versions": ["v1"]})),
            ("GET", "/apis") => Some(json!({"kind": "APIGroupList", "groups": []})),
            ("GET", "/api/v1") => {
                let kind = |kind: &str, name: &str| json!({"name": name, "kind": kind, "namespaced": true, "verbs": ["get", "list", "watch", "create", "patch", "delete"]});
                Some(json!({"kind": "APIResourceList", "groupVersion": "v1", "resources": [
                    kind("Secret", "secrets"), kind("ServiceAccount", "serviceaccounts"),
                ]}))
            }
            ("POST", SECRETS) => {
                let stem = body["metadata"]["generateName"].as_str().unwrap_or_default();
                self.made += 1;
                let name = format!("{stem}{}", self.made);
                self.secrets.push(name.clone());
                Some(secret(&name))
            }
            ("GET", ACCOUNT) => Some(account(&self.named)),
            ("PATCH", ACCOUNT) => {
                self.named = body["secrets"].clone();
                Some(account(&self.named))
            }
            (verb, path) => {
                let name = path.strip_prefix(SECRETS)?.strip_prefix('/')?.to_owned();
                let place = self.secrets.iter().position(|known| *known == name)?;
                if verb == "DELETE" {
                    self.secrets.remove(place);
                }
                Some(secret(&name))
            }
        }
    }
}

async fn pretend(
    State(pretended): State<Pretended>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut kept = pretended.0.lock().expect("nobody panicked");
    let given = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let given = given.strip_prefix("Bearer ").unwrap_or_default();
    let known = kept.secrets.iter().position(|name| token(name) == given);
    let known = known.filter(|place| *place == 0 || !kept.broken).map(|place| kept.secrets[place].clone());
    let Some(with) = known else { return StatusCode::UNAUTHORIZED.into_response() };
    let body = serde_json::from_slice(&body).unwrap_or_default();
    match kept.answer(&method, uri.path(), &with, &body) {
        Some(answer) => Json(answer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

struct Scene {
    bench: Bench,
    admin: String,
    cluster: Pretended,
    _stop: Stop,
}

async fn scene(namespace: &str) -> Scene {
    boot::crypto();
    let listener = Listener::bind(SocketAddr::from(([127, 0, 0, 1], 0)), None).await.expect("a port");
    let server = format!("http://{}", listener.address());
    let cluster = Pretended::default();
    {
        let mut kept = cluster.0.lock().expect("nobody panicked");
        kept.secrets = vec!["argocd-manager-token".into()];
        kept.named = json!([{"name": "argocd-manager-token"}, {"name": "pull"}]);
    }
    let stop = Stop::new();
    let router = Router::new().fallback(pretend).with_state(cluster.clone());
    tokio::spawn(transport::serve(listener, router, stop.asked()));
    let bench = Bench::start(namespace, json!({}), json!({})).await;
    let admin = bench.admin().await;
    let config = json!({"bearerToken": token("argocd-manager-token")});
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "c", "namespace": namespace, "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {"server": server, "name": "c", "config": config.to_string()},
    });
    crate::bench::apply(&bench.store, &object(secret)).await;
    eventually("it is registered", || bench.store.clusters(true).len() == 2).await;
    Scene { bench, admin, cluster, _stop: stop }
}

impl Scene {
    fn kept_token(&self) -> String {
        let entry = self.bench.store.secret("c").expect("the Secret");
        let config: Value = serde_json::from_str(&entry.text("config")).expect("JSON");
        config["bearerToken"].as_str().expect("a token").to_owned()
    }
}

const PATH: &str = "/api/v1/clusters/c/rotate-auth?id.type=name";

#[tokio::test]
async fn a_token_is_made_tried_and_kept_before_the_old_one_goes() {
    let scene = scene("rotation").await;
    let channel =
        transport::in_process(scene.bench.server.grpc_router().expect("a router")).expect("a channel");
    let mut request = tonic::Request::new(ClusterQuery { name: "c".into(), ..ClusterQuery::default() });
    request.metadata_mut().insert("token", scene.admin.parse().expect("a token"));
    ClusterServiceClient::new(channel).rotate_auth(request).await.expect("it is rotated");
    let (old, new) = ("argocd-manager-token", "argocd-manager-1");
    const BASE: &str = "/api/v1/namespaces/kube-system";
    {
        let mut kept = scene.cluster.0.lock().expect("nobody panicked");
        assert_eq!(
            kept.told,
            [
                format!("POST {BASE}/secrets with {old}"),
                format!("PATCH {BASE}/serviceaccounts/argocd-manager with {new}"),
                format!("DELETE {BASE}/secrets/{old} with {new}"),
            ]
        );
        assert_eq!(
            (&kept.named, &kept.secrets),
            (&json!([{"name": "pull"}, {"name": new}]), &vec![new.to_owned()])
        );
        kept.told.clear();
    }
    assert_eq!(scene.kept_token(), token(new));
    // And once more, over REST.
    let answer = scene.bench.post(PATH, &scene.admin, json!({})).await.good();
    assert_eq!(answer.text, "{}");
    assert_eq!(scene.cluster.0.lock().expect("nobody panicked").told.len(), 3);
    assert_eq!(scene.kept_token(), token("argocd-manager-2"));
}

#[tokio::test]
async fn a_new_token_that_opens_nothing_is_not_kept() {
    let scene = scene("rotation-broken").await;
    scene.cluster.0.lock().expect("nobody panicked").broken = true;
    let answer = scene.bench.post(PATH, &scene.admin, json!({})).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    assert!(answer.message().starts_with("failed to get server version: "), "{answer:?}");
    assert!(!answer.text.contains("c2ln"), "{answer:?}");
    assert_eq!(scene.kept_token(), token("argocd-manager-token"));
    let kept = scene.cluster.0.lock().expect("nobody panicked");
    // The old one is still there.
    assert_eq!(kept.secrets[0], "argocd-manager-token");
    assert!(kept.told.iter().all(|line| line.starts_with("POST ")), "{:?}", kept.told);
}
