//! Pushes that are told: what applications are asked for.

use crate::bench::{Answer, Bench, apply, eventually, object};
use api::names::{HYDRATE, HYDRATE_TIMESTAMP, REFRESH, REFRESH_TIMESTAMP};
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
