//! Pushes that are told: what applications are asked for.

use crate::bench::{Answer, Bench, apply, eventually, object};
use api::names::{HYDRATE, HYDRATE_TIMESTAMP, REFRESH, REFRESH_TIMESTAMP};
use api_server::Options;
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

async fn push(bench: &Bench, url: &str, branch: &str) -> Answer {
    push_of(bench, url, branch, json!([])).await
}

async fn push_of(bench: &Bench, url: &str, branch: &str, commits: Value) -> Answer {
    let payload = json!({
        "ref": format!("refs/heads/{branch}"), "before": "a", "after": "b",
        "repository": {"html_url": url, "default_branch": "main"}, "commits": commits,
    });
    let request =
        Request::post("/api/webhook").header("x-github-event", "push").body(Body::from(payload.to_string()));
    bench.send(request.expect("it is well formed")).await
}

fn hydrated(name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": "hydrated"},
        "spec": {
            "project": "default", "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
            "sourceHydrator": {
                "drySource": {"repoURL": "https://git.example/apps", "targetRevision": "main", "path": "dry"},
                "syncSource": {"targetBranch": "env/prod", "path": "wet"},
            },
        },
    })
}

#[tokio::test]
async fn a_push_to_a_dry_source_asks_to_hydrate_and_one_to_what_is_synced_does_not() {
    let bench = Bench::start("hydrated", json!({}), json!({})).await;
    bench.admin().await;
    apply(&bench.store, &object(hydrated("a"))).await;
    eventually("the application is known", || bench.store.application("hydrated", "a").is_ok()).await;
    let annotations = || {
        let found = bench.store.application("hydrated", "a").expect("it is there");
        found.metadata.annotations.clone()
    };
    assert_eq!(push(&bench, "https://git.example/apps", "env/prod").await.status, 200);
    eventually("it is refreshed", || annotations().contains_key(REFRESH)).await;
    let found = annotations();
    assert!(found.contains_key(REFRESH_TIMESTAMP) && !found.contains_key(HYDRATE), "{found:?}");
    assert_eq!(push(&bench, "https://git.example/apps", "main").await.status, 200);
    eventually("it is hydrated", || annotations().contains_key(HYDRATE)).await;
    let found = annotations();
    assert_eq!(found.get(HYDRATE).map(String::as_str), Some("normal"));
    assert_eq!(found.get(HYDRATE_TIMESTAMP), found.get(REFRESH_TIMESTAMP));
}

#[tokio::test]
async fn what_is_beyond_the_threshold_waits() {
    let settings = json!({"webhook.refresh.jitter": "1h", "webhook.refresh.jitter.threshold": "1"});
    let bench = Bench::start("spread", settings, json!({})).await;
    bench.admin().await;
    for name in ["a", "b", "c", "d"] {
        let manifest = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "spread"},
            "spec": {
                "project": "default", "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
                "source": {"repoURL": "https://git.example/apps", "targetRevision": "main", "path": name},
            },
        });
        apply(&bench.store, &object(manifest)).await;
        eventually("the application is known", || bench.store.application("spread", name).is_ok()).await;
    }
    let refreshed = || {
        let names = ["a", "b", "c", "d"].into_iter();
        let is_asked = |name: &&str| {
            let found = bench.store.application("spread", name).expect("it is there");
            found.metadata.annotations.contains_key(REFRESH)
        };
        names.filter(is_asked).count()
    };
    assert_eq!(push(&bench, "https://git.example/apps", "main").await.status, 200);
    eventually("the first is refreshed", || refreshed() > 0).await;
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    // An hour is drawn for the others: that all of them draw its first second does not happen.
    assert!(refreshed() < 4, "{}", refreshed());
}

#[tokio::test]
async fn whom_a_push_need_not_render_and_of_whom_that_is_not_known_is_counted() {
    let bench = Bench::start("counted", json!({}), json!({})).await;
    bench.admin().await;
    for (name, annotations) in [
        ("paths", json!({"argocd.argoproj.io/manifest-generate-paths": "."})),
        // No look at it has succeeded yet.
        ("unknown", json!({})),
    ] {
        let manifest = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": {"name": name, "namespace": "counted", "annotations": annotations},
            "spec": {
                "project": "default", "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
                "source": {"repoURL": "https://git.example/counted", "targetRevision": "main", "path": name},
            },
        });
        apply(&bench.store, &object(manifest)).await;
        eventually("the application is known", || bench.store.application("counted", name).is_ok()).await;
    }
    let commits = json!([{"id": "b", "added": [], "modified": ["elsewhere/x.yaml"], "removed": []}]);
    assert_eq!(push_of(&bench, "https://git.example/counted", "main", commits).await.status, 200);
    for successful in ["true", "false"] {
        let name = "argocd_webhook_store_cache_attempts_total";
        let line = format!("{name}{{repo=\"https://git.example/counted\",successful=\"{successful}\"}} 1");
        eventually(&line, || bench.metrics().contains(&line)).await;
    }
}

/// Tells what was pushed, with one header that says whose it is.
async fn post(bench: &Bench, (header, value): (&str, &str), payload: &Value) -> Answer {
    let request = Request::post("/api/webhook").header(header, value).body(Body::from(payload.to_string()));
    bench.send(request.expect("it is well formed")).await
}

#[tokio::test]
async fn a_push_to_a_registry_refreshes_whoever_follows_the_artifact_or_the_chart() {
    let bench = Bench::start("registries", json!({}), json!({})).await;
    bench.admin().await;
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "namespace": "registries"},
        "stringData": {"webhook.harbor.secret": "Bearer harbor"},
    });
    apply(&bench.store, &object(secret)).await;
    eventually("the secret is known", || {
        let entry = bench.store.secret("argocd-secret");
        entry.is_some_and(|entry| entry.text("webhook.harbor.secret") == "Bearer harbor")
    })
    .await;
    for (name, source) in [
        (
            "artifact",
            json!({"repoURL": "oci://ghcr.io/octo-org/guestbook", "targetRevision": "1.0.0", "path": "."}),
        ),
        (
            "another",
            json!({"repoURL": "oci://ghcr.io/octo-org/guestbook", "targetRevision": "2.0.0", "path": "."}),
        ),
        (
            "chart",
            json!({"repoURL": "harbor.example:8443/charts", "targetRevision": "^1.0.0", "chart": "guestbook"}),
        ),
    ] {
        let manifest = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "registries"},
            "spec": {
                "project": "default", "source": source,
                "destination": {"server": "https://kubernetes.default.svc", "namespace": "default"},
            },
        });
        apply(&bench.store, &object(manifest)).await;
        eventually("the application is known", || bench.store.application("registries", name).is_ok()).await;
    }
    let is_asked = |name: &str| {
        let found =
            bench.store.application("registries", name).expect("it is there").metadata.annotations.clone();
        found.contains_key(REFRESH) && found.contains_key(REFRESH_TIMESTAMP)
    };
    let package = json!({"action": "published", "package": {
        "name": "guestbook", "package_type": "CONTAINER", "owner": {"login": "Octo-Org"},
        "package_version": {"container_metadata": {"tag": {"name": "1.0.0"}}},
    }});
    assert_eq!(post(&bench, ("x-github-event", "package"), &package).await.status, 200);
    eventually("who follows the artifact is refreshed", || is_asked("artifact")).await;
    assert!(!is_asked("chart"), "it is of another registry");
    let artifact = json!({"type": "PUSH_ARTIFACT", "event_data": {
        "resources": [{"tag": "1.4.0", "resource_url": "harbor.example:8443/charts/guestbook:1.4.0"}],
        "repository": {"name": "guestbook", "namespace": "charts", "repo_full_name": "charts/guestbook"},
    }});
    assert_eq!(post(&bench, ("authorization", "Bearer harbor"), &artifact).await.status, 200);
    eventually("who follows the chart is refreshed", || is_asked("chart")).await;
    assert!(!is_asked("another"), "it follows another tag");
}

#[tokio::test]
async fn a_sender_that_finds_no_room_is_asked_to_try_again() {
    // Nobody takes out what is put in.
    let options = Options { insecure: true, webhook_parallelism: 0, ..Options::default() };
    let bench = Bench::with("crowded", json!({}), json!({}), &[], options).await;
    bench.admin().await;
    let refs: Vec<Value> =
        (0..1_000).map(|number| json!({"ref": {"id": format!("refs/heads/b{number}")}})).collect();
    let push = async |repository: usize| {
        let clone = [json!({"name": "http", "href": format!("https://git.example/r{repository}")})];
        let payload = json!({"repository": {"links": {"clone": clone}}, "changes": refs});
        post(&bench, ("x-event-key", "repo:refs_changed"), &payload).await
    };
    for repository in 0..50 {
        assert_eq!(push(repository).await.status, 200, "{repository}");
    }
    let refused = push(50).await;
    assert_eq!((refused.status, refused.text.as_str()), (503, "Queue is full, discarding webhook payload\n"));
    assert_eq!(push(0).await.status, 200, "what joins one that waits takes no room");
}
