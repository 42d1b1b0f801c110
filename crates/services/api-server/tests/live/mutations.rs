//! Differences that the cluster predicts where a webhook has its say.

use crate::bench::{Bench, LONG, application, apply, object};
use api::v1alpha1::{ApplicationTree, ResourceDiff};
use axum::Json;
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use boot::stop::Stop;
use kubernetes::{ApplyOptions, Method};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use transport::{Listener, SelfSigned};
use wire::application::application_service_client::ApplicationServiceClient;
use wire::application::{ApplicationServerSideDiffQuery, ApplicationServerSideDiffResponse};

/// Adds a member to whatever it is shown.
async fn mutate(Json(review): Json<Value>) -> Json<Value> {
    let patch = json!([{"op": "add", "path": "/data/injected", "value": "by the webhook"}]).to_string();
    Json(json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {
            "uid": review["request"]["uid"], "allowed": true,
            "patchType": "JSONPatch", "patch": STANDARD.encode(patch),
        },
    }))
}

/// A webhook for ConfigMaps of a label, for as long as the answer is kept.
async fn webhook(bench: &Bench, label: &str) -> Stop {
    boot::crypto();
    let made = SelfSigned::new(&["127.0.0.1", "localhost"]).expect("a certificate");
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = Listener::bind(any, Some(made.identity().expect("an identity"))).await.expect("a port");
    let url = format!("https://{}/mutate", listener.address());
    let stop = Stop::new();
    tokio::spawn(transport::serve(
        listener,
        axum::Router::new().route("/mutate", post(mutate)),
        stop.asked(),
    ));
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": label},
        "webhooks": [{
            "name": "mutate.example.com", "admissionReviewVersions": ["v1"], "sideEffects": "None",
            "failurePolicy": "Fail", "timeoutSeconds": 20,
            "clientConfig": {"url": url, "caBundle": STANDARD.encode(&made.certificate)},
            "objectSelector": {"matchLabels": {(label): "yes"}},
            "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}],
        }],
    });
    apply(&bench.store, &object(configuration)).await;
    stop
}

async fn predicted(bench: &Bench, token: &str, target: &Value) -> ApplicationServerSideDiffResponse {
    let channel = transport::in_process(bench.server.grpc_router().expect("a router")).expect("a channel");
    let live = ResourceDiff {
        kind: "ConfigMap".into(),
        namespace: "default".into(),
        name: "mutated".into(),
        live_state: target.to_string(),
        ..ResourceDiff::default()
    };
    let mut request = tonic::Request::new(ApplicationServerSideDiffQuery {
        app_name: "a".into(),
        live_resources: vec![live],
        target_manifests: vec![target.to_string()],
        ..Default::default()
    });
    request.metadata_mut().insert("token", token.parse().expect("a token"));
    let answer = ApplicationServiceClient::new(channel).server_side_diff(request).await;
    answer.expect("a prediction").into_inner()
}

#[tokio::test]
async fn what_a_webhook_changes_is_a_difference_only_where_that_is_wanted() {
    let bench = Bench::start("mutations", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post("/api/v1/applications", &admin, application("a", "guestbook")).await.good();
    let map = |value: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "mutated", "namespace": "default", "labels": {"mutations": "yes"}},
            "data": {"k": value},
        })
    };
    // As the controller applied it before there was a webhook.
    let live = object(map("v"));
    let resource = bench.store.cluster().resource(&live.gvk()).await.expect("a kind");
    let options = ApplyOptions { method: Method::ServerSide, ..ApplyOptions::default() };
    bench.store.cluster().apply(&resource, &live, &options).await.expect("applied");
    let entry = ResourceDiff {
        kind: "ConfigMap".into(),
        namespace: "default".into(),
        name: "mutated".into(),
        ..ResourceDiff::default()
    };
    bench.found("a", &ApplicationTree::default(), &[entry]).await;
    assert!(!predicted(&bench, &admin, &map("v")).await.modified);
    let _webhook = webhook(&bench, "mutations").await;
    let compare = async |options: &str| {
        let body = json!({"metadata": {"annotations": {"argocd.argoproj.io/compare-options": options}}});
        let body = json!({"patch": body.to_string(), "patchType": "merge"});
        bench.rest("PATCH", "/api/v1/applications/a", &admin, Some(body)).await.good();
    };
    compare("ServerSideDiff=true,IncludeMutationWebhook=true").await;
    // The API server takes a moment to hear of a webhook.
    let deadline = tokio::time::Instant::now() + LONG;
    let told = loop {
        let told = predicted(&bench, &admin, &map("v")).await;
        if told.modified {
            break told;
        }
        assert!(tokio::time::Instant::now() < deadline, "the webhook has its say: {told:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let data = |state: &str| serde_json::from_str::<Value>(state).expect("JSON")["data"].clone();
    let item = &told.items[0];
    assert_eq!(data(&item.target_state), json!({"k": "v", "injected": "by the webhook"}));
    assert_eq!(data(&item.live_state), json!({"k": "v"}));
    // Without it, only what somebody wants is a difference.
    compare("ServerSideDiff=true").await;
    let told = predicted(&bench, &admin, &map("v")).await;
    assert!(!told.modified, "{told:?}");
    let told = predicted(&bench, &admin, &map("w")).await;
    assert!(told.modified);
    assert_eq!(data(&told.items[0].target_state), json!({"k": "w"}));
}
