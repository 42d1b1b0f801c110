//! What such systems were broken with, by the number it was published under; more of them beside what they are about.

use crate::bench::{Bench, CANARY, application, configure, eventually, two_users};
use axum::body::{Body, Bytes};
use http::Request;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const APPLICATIONS: &str = "/api/v1/applications";

async fn permit(bench: &Bench, lines: &[&str]) {
    let policy: String = lines.iter().map(|line| format!("p, alice, {line}, allow\n")).collect();
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": policy})).await;
}

#[tokio::test]
async fn cve_2023_50726_a_right_to_create_brings_nothing_from_elsewhere() {
    let (settings, policy) = two_users();
    let bench = Bench::start("local", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    permit(
        &bench,
        &["applications, create, default/*", "applications, get, default/*", "applications, sync, default/*"],
    )
    .await;
    let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}).to_string();
    let mut sneaky = application("a", "guestbook");
    sneaky["operation"] = json!({"sync": {"manifests": [manifest]}});
    sneaky["status"] =
        json!({"history": [{"id": 0, "revision": "x", "source": {"repoURL": "https://evil.example"}}]});
    let created = bench.post(APPLICATIONS, &alice, sneaky.clone()).await.good().json();
    assert!(created.get("operation").is_none() && created["status"].get("history").is_none(), "{created}");
    let sync = bench.post(&format!("{APPLICATIONS}/a/sync"), &alice, json!({"manifests": [manifest]})).await;
    assert_eq!(sync.status, 403, "{sync:?}");
    assert!(sync.message().starts_with("permission denied: applications, override, default/a"), "{sync:?}");
    bench.rest("PUT", &format!("{APPLICATIONS}/a"), &admin, Some(sneaky)).await.good();
    let stored = bench.get(&format!("{APPLICATIONS}/a"), &admin).await.good().json();
    assert!(stored.get("operation").is_none(), "{stored}");
}

/// A body that counts what is read of it.
fn endless(read: Arc<AtomicUsize>) -> Body {
    let part = Bytes::from(vec![b' '; 64 << 10]);
    Body::from_stream(futures::stream::repeat_with(move || {
        read.fetch_add(part.len(), Ordering::SeqCst);
        Ok::<_, std::io::Error>(part.clone())
    }))
}

#[tokio::test]
async fn cve_2024_40634_a_body_without_end_is_read_to_the_limit_only() {
    let bench = Bench::start("endless", json!({"webhook.maxPayloadSizeMB": "1"}), json!({})).await;
    for (path, most, status) in [("/api/webhook", 2 << 20, 400), ("/api/v1/session", 210 << 20, 400)] {
        let read = Arc::new(AtomicUsize::new(0));
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("x-github-event", "push")
            .body(endless(read.clone()))
            .expect("it is well formed");
        let answer = bench.send(request).await;
        assert!((400..500).contains(&answer.status), "{path} wants {status}: {answer:?}");
        assert!(read.load(Ordering::SeqCst) < most, "{path}: {read:?} bytes were read");
    }
}

/// Whose payload it is, by which headers, and what it holds.
type Sender<'s> = (&'s str, &'s [(&'s str, &'s str)], &'s Value);

/// Payloads of all shapes: every member missing, null, of another type, empty.
fn broken(payload: &Value) -> Vec<Value> {
    let mut all = vec![payload.clone()];
    let wrong = [
        Value::Null,
        json!([]),
        json!({}),
        json!(""),
        json!(7),
        json!([null]),
        json!([[]]),
        json!({"x": null}),
        json!("\u{0}/%"),
    ];
    match payload {
        Value::Object(members) => {
            for (name, value) in members {
                let with = |other: Option<Value>| {
                    let mut changed = members.clone();
                    match other {
                        Some(other) => changed.insert(name.clone(), other),
                        None => changed.remove(name),
                    };
                    Value::Object(changed)
                };
                all.push(with(None));
                all.extend(wrong.iter().map(|value| with(Some(value.clone()))));
                all.extend(broken(value).into_iter().map(|value| with(Some(value))));
            }
        }
        Value::Array(items) => {
            if let Some(first) = items.first() {
                all.extend(broken(first).into_iter().map(|value| json!([value])));
            }
            all.extend(wrong.iter().map(|value| json!([value])));
        }
        _ => all.extend(wrong),
    }
    all
}

#[tokio::test]
async fn cve_2025_59531_cve_2025_59537_cve_2025_59538_no_payload_breaks_the_server() {
    let bench = Bench::start("payloads", json!({}), json!({})).await;
    let push = json!({
        "ref": "refs/heads/main", "before": "a", "after": "b",
        "repository": {"html_url": "https://git.example/apps", "default_branch": "main"},
        "commits": [{"id": "b", "added": ["x"], "removed": ["y"], "modified": ["z"]}],
    });
    let server = json!({
        "eventKey": "repo:refs_changed",
        "repository": {"links": {"clone": [{"href": "https://git.example/apps.git", "name": "http"}]}},
        "changes": [{"ref": {"id": "refs/heads/main"}, "refId": "refs/heads/main", "fromHash": "a", "toHash": "b"}],
    });
    let azure = json!({
        "eventType": "git.push",
        "resource": {"repository": {"remoteUrl": "https://git.example/apps", "defaultBranch": "refs/heads/main"},
            "refUpdates": [{"name": "refs/heads/main", "oldObjectId": "a", "newObjectId": "b"}]},
    });
    let cloud = json!({
        "repository": {"links": {"html": {"href": "https://git.example/apps"}}, "full_name": "o/apps", "owner": {"username": "o"}, "name": "apps"},
        "push": {"changes": [{"new": {"name": "main", "target": {"hash": "b"}}, "old": {"name": "main", "target": {"hash": "a"}}}]},
    });
    let lab = json!({
        "object_kind": "push", "ref": "refs/heads/main", "checkout_sha": "b",
        "project": {"web_url": "https://git.example/apps", "default_branch": "main"}, "commits": [{"id": "b", "added": [], "modified": ["z"], "removed": []}],
    });
    // By these headers each provider is told from the others.
    let senders: [Sender<'_>; 8] = [
        ("bitbucket-server", &[("x-event-key", "repo:refs_changed")], &server),
        ("bitbucket", &[("x-event-key", "repo:push"), ("x-hook-uuid", "u")], &cloud),
        ("gogs", &[("x-gogs-event", "push")], &push),
        ("gitea", &[("x-gitea-event", "push"), ("x-gogs-event", "push")], &push),
        ("forgejo", &[("x-forgejo-event", "push"), ("x-gogs-event", "push")], &push),
        ("azure", &[("x-vss-activityid", "a")], &azure),
        ("github", &[("x-github-event", "push")], &push),
        ("gitlab", &[("x-gitlab-event", "Push Hook")], &lab),
    ];
    let mut sent = 0;
    for (name, headers, payload) in senders {
        let its = payload.to_string().replace("git.example/apps", &format!("git.example/{name}"));
        let payload: Value = serde_json::from_str(&its).expect("it is JSON");
        for (place, payload) in broken(&payload).into_iter().enumerate() {
            let mut request = Request::post("/api/webhook").header("content-type", "application/json");
            for (header, value) in headers {
                request = request.header(*header, *value);
            }
            let request = request.body(Body::from(payload.to_string())).expect("it is well formed");
            let answer = bench.send(request).await;
            assert!([200, 400].contains(&answer.status), "{name} {payload}: {answer:?}");
            sent += 1;
            // The first one is whole: whoever is to read it did.
            if place == 0 {
                let counted =
                    format!("argocd_webhook_requests_total{{repo=\"https://git.example/{name}\"}} 1");
                assert!(bench.metrics().contains(&counted), "{counted}: {answer:?}");
            }
        }
    }
    assert!(sent > 500, "{sent}");
    // It still works.
    bench.admin().await;
}

/// A registry, or a topic of SNS: where it sends to, by which headers, how it proves itself, and what it sends.
type Notifier<'s> = (&'s str, &'s str, (&'s str, &'s str), (&'s str, &'s str), Value);

#[tokio::test]
async fn cve_2025_59531_cve_2025_59537_cve_2025_59538_no_payload_of_a_registry_breaks_the_server() {
    let bench = Bench::start("notifiers", json!({}), json!({})).await;
    let secret = crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "namespace": "notifiers"},
        "stringData": {"webhook.harbor.secret": "Bearer h", "webhook.dockerhub.secret": "d", "webhook.oci.secret": "Bearer o", "webhook.codecommit.secret": "pw"},
    }));
    crate::bench::apply(&bench.store, &secret).await;
    eventually("the secrets are known", || {
        bench
            .store
            .secret("argocd-secret")
            .is_some_and(|entry| entry.text("webhook.oci.secret") == "Bearer o")
    })
    .await;
    let records = json!({"Records": [{"awsRegion": "eu-west-1", "eventSourceARN": "arn:aws:codecommit:eu-west-1:1:apps",
        "codecommit": {"references": [{"commit": "b", "ref": "refs/heads/main"}]}}]});
    let rule = json!({"region": "eu-west-1", "detail": {"repositoryName": "apps", "referenceName": "main", "commitId": "b", "oldCommitId": "a"}});
    let topic = |message: &Value| json!({"Type": "Notification", "Message": message.to_string()});
    let basic = ("authorization", "Basic eDpwdw==");
    let of_topic = ("x-amz-sns-message-type", "Notification");
    let plain = ("content-type", "application/json");
    let senders: [Notifier<'_>; 5] = [
        (
            "harbor",
            "",
            plain,
            ("authorization", "Bearer h"),
            json!({
                "type": "PUSH_ARTIFACT",
                "event_data": {"resources": [{"tag": "v1", "resource_url": "hub.example/o/apps:v1"}],
                    "repository": {"name": "apps", "namespace": "o", "repo_full_name": "o/apps"}},
            }),
        ),
        (
            "docker-hub",
            "?type=dockerhub",
            plain,
            ("authorization", "d"),
            json!({
                "push_data": {"tag": "v1"}, "repository": {"repo_name": "o/apps", "namespace": "o", "name": "apps"},
            }),
        ),
        (
            "distribution",
            "",
            ("content-type", "application/vnd.docker.distribution.events.v1+json"),
            ("authorization", "Bearer o"),
            json!({
                "events": [{"action": "push", "target": {"repository": "o/apps", "tag": "v1", "url": "https://r.example/v2/x"}, "request": {"host": "r.example"}}],
            }),
        ),
        ("code-commit", "", of_topic, basic, topic(&records)),
        (
            "ghcr",
            "",
            ("x-github-event", "package"),
            plain,
            json!({
                "action": "published",
                "package": {"name": "apps", "package_type": "CONTAINER", "owner": {"login": "o"}, "package_version": {"container_metadata": {"tag": {"name": "v1"}}}},
            }),
        ),
    ];
    let send = async |query: &str, headers: &[(&str, &str)], payload: &Value| {
        let mut request = Request::post(format!("/api/webhook{query}"));
        for (header, value) in headers {
            request = request.header(*header, *value);
        }
        bench.send(request.body(Body::from(payload.to_string())).expect("it is well formed")).await
    };
    for (name, query, header, proof, payload) in &senders {
        let whole = send(query, &[*header, *proof], payload).await;
        assert_eq!(whole.status, 200, "{name}: {whole:?}");
        if *proof != plain {
            let forged = send(query, &[*header, (proof.0, "Basic eDpx")], payload).await;
            assert!([400, 401].contains(&forged.status), "{name}: {forged:?}");
        }
        for payload in broken(payload) {
            let answer = send(query, &[*header, *proof], &payload).await;
            assert!([200, 400].contains(&answer.status), "{name} {payload}: {answer:?}");
        }
    }
    // What is written in a topic's message is read, too.
    for message in [&records, &rule].into_iter().flat_map(broken) {
        let answer = send("", &[of_topic, basic], &topic(&message)).await;
        assert!([200, 400].contains(&answer.status), "{message}: {answer:?}");
    }
    // It still works.
    bench.admin().await;
}

#[tokio::test]
async fn cve_2026_44937_an_address_in_a_payload_is_no_pattern() {
    let bench = Bench::start("pattern", json!({}), json!({})).await;
    let admin = bench.admin().await;
    bench.post(APPLICATIONS, &admin, application("a", "guestbook")).await.good();
    for address in [
        "https://.*",
        "https://git.example/a..s",
        "https://git.example/apps|x",
        "https://git.example/(a+)+$",
        "https://[",
        "\\Qx",
    ] {
        let payload = json!({"ref": "refs/heads/main", "after": "b", "repository": {"html_url": address, "default_branch": "main"}, "commits": []});
        let request = Request::post("/api/webhook")
            .header("x-github-event", "push")
            .body(Body::from(payload.to_string()));
        let answer = bench.send(request.expect("it is well formed")).await;
        assert_eq!(answer.status, 200, "{address}: {answer:?}");
    }
    let refreshed = || {
        let found = bench.store.application("pattern", "a").expect("it is there");
        found.metadata.annotations.contains_key(api::names::REFRESH)
    };
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    assert!(!refreshed(), "another repository's push refreshed the application");
    let payload = json!({"ref": "refs/heads/main", "after": "b", "repository": {"html_url": "https://git.example/apps", "default_branch": "main"}, "commits": []});
    let request =
        Request::post("/api/webhook").header("x-github-event", "push").body(Body::from(payload.to_string()));
    bench.send(request.expect("it is well formed")).await;
    eventually("its own push refreshes it", refreshed).await;
}

#[tokio::test]
async fn cve_2026_40109_a_configured_secret_wants_its_proof() {
    let bench = Bench::start("senders", json!({}), json!({})).await;
    bench.admin().await;
    let secret = crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "namespace": "senders"},
        "stringData": {"webhook.github.secret": CANARY, "webhook.gitlab.secret": CANARY, "webhook.gogs.secret": CANARY,
            "webhook.bitbucketserver.secret": CANARY, "webhook.bitbucket.uuid": CANARY, "webhook.azuredevops.username": "u", "webhook.azuredevops.password": CANARY},
    }));
    crate::bench::apply(&bench.store, &secret).await;
    eventually("the secret is known", || {
        bench.store.secret("argocd-secret").is_some_and(|entry| entry.text("webhook.gogs.secret") == CANARY)
    })
    .await;
    for (header, event) in [
        ("x-github-event", "push"),
        ("x-gitlab-event", "Push Hook"),
        ("x-gogs-event", "push"),
        ("x-event-key", "repo:refs_changed"),
        ("x-event-key", "repo:push"),
        ("x-vss-activityid", "a"),
    ] {
        for proof in [
            None,
            Some("x-hub-signature-256"),
            Some("x-hub-signature"),
            Some("x-gogs-signature"),
            Some("x-gitlab-token"),
            Some("authorization"),
            Some("x-hook-uuid"),
        ] {
            let mut request = Request::post("/api/webhook").header(header, event);
            if let Some(proof) = proof {
                request = request.header(proof, "sha256=00");
            }
            let answer = bench.send(request.body(Body::from("{}")).expect("it is well formed")).await;
            assert_eq!(answer.status, 400, "{event} with {proof:?}: {answer:?}");
            assert!(!answer.text.contains(CANARY), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn cve_2026_40109_a_secret_that_another_holds_counts_as_long_as_it_is_there_and_when_it_changes() {
    let bench = Bench::start("referring", json!({}), json!({})).await;
    bench.admin().await;
    let referring = crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "argocd-secret", "namespace": "referring"},
        "stringData": {"webhook.gitlab.secret": "$hooks:gitlab"},
    }));
    crate::bench::apply(&bench.store, &referring).await;
    let pushed = async |token: &str| {
        let mut request = Request::post("/api/webhook").header("x-gitlab-event", "Push Hook");
        if !token.is_empty() {
            request = request.header("x-gitlab-token", token);
        }
        let body = json!({"object_kind": "push", "ref": "refs/heads/main", "project": {"web_url": "https://git.example/x"}, "commits": []});
        let answer = bench.send(request.body(Body::from(body.to_string())).expect("it is well formed")).await;
        answer.status
    };
    let is_asked = || {
        let entry = bench.store.secret("argocd-secret");
        entry.is_some_and(|entry| !entry.text("webhook.gitlab.secret").is_empty())
    };
    eventually("the reference is known", is_asked).await;
    assert_eq!((pushed("").await, pushed("one").await), (400, 400), "what it refers to is not there");
    let labels = json!({"app.kubernetes.io/part-of": "argocd"});
    for secret in ["one", "two"] {
        let hooks = crate::bench::object(json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hooks", "namespace": "referring", "labels": labels},
            "stringData": {"gitlab": format!("{secret}\n")},
        }));
        crate::bench::apply(&bench.store, &hooks).await;
        let holds = || bench.store.secret("hooks").is_some_and(|entry| entry.text("gitlab").trim() == secret);
        eventually("the other Secret is known", holds).await;
        let other = if secret == "one" { "two" } else { "one" };
        assert_eq!((pushed(secret).await, pushed(other).await, pushed("").await), (200, 400, 400));
    }
}

#[tokio::test]
async fn cve_2024_21661_cve_2025_55191_many_at_once_break_nothing() {
    let bench = Arc::new(Bench::start("many", json!({}), json!({})).await);
    let admin = bench.admin().await;
    let mut all = tokio::task::JoinSet::new();
    for number in 0..48 {
        let (bench, admin) = (bench.clone(), admin.clone());
        all.spawn(async move {
            let answer = match number % 4 {
                0 => bench.try_login(&format!("user{}", number % 8), "wrong").await,
                1 => bench.get("/api/v1/repositories", &admin).await,
                2 => {
                    let repository = json!({"repo": format!("https://git.example/{}.git", number % 8), "username": "u", "password": CANARY});
                    bench.post("/api/v1/repositories?upsert=true", &admin, repository).await
                }
                _ => bench.get("/api/v1/repocreds", &admin).await,
            };
            (number, answer)
        });
    }
    while let Some(ended) = all.join_next().await {
        let (number, answer) = ended.expect("no task panics");
        assert!(answer.status < 500 || answer.status == 503, "{number}: {answer:?}");
        assert!(!answer.text.contains(CANARY), "{answer:?}");
    }
}

#[tokio::test]
async fn cve_2020_8827_cve_2020_11576_who_is_unknown_is_told_what_others_are() {
    let (settings, policy) = two_users();
    let bench = Bench::start("unknown-users", settings, policy).await;
    let admin = bench.admin().await;
    bench.user(&admin, "alice").await;
    let mut answers = Vec::new();
    for name in ["alice", "bob", "nobody", "proj:x:y", "alice ", "ALICE"] {
        let answer = bench.try_login(name, "wrong").await;
        answers.push((name, answer.status, answer.message()));
    }
    let (_, status, message) = answers[0].clone();
    assert_eq!((status, message.as_str()), (401, "Invalid username or password"));
    for (name, other_status, other) in &answers {
        assert_eq!((*other_status, other.as_str()), (status, message.as_str()), "{name:?}");
    }
}

#[tokio::test]
async fn cve_2023_40029_a_clusters_annotation_does_not_show_its_secret() {
    let bench = Bench::start("annotated", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let config = json!({"bearerToken": CANARY}).to_string();
    let data = json!({"server": "https://c.example", "name": "c", "config": config});
    crate::bench::apply(&bench.store, &crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "c", "namespace": "annotated", "labels": {"argocd.argoproj.io/secret-type": "cluster", "l": "shown"}, "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": json!({"stringData": data}).to_string(), "a": "shown"}},
        "stringData": data,
    }))).await;
    eventually("it is registered", || bench.store.clusters(true).len() == 2).await;
    for path in ["/api/v1/clusters", "/api/v1/clusters/c?id.type=name", "/api/v1/projects/default/detailed"] {
        let answer = bench.get(path, &admin).await.good();
        assert!(!answer.text.contains(CANARY), "{path}: {answer:?}");
    }
    let shown = bench.get("/api/v1/clusters/c?id.type=name", &admin).await.good().json();
    assert_eq!((&shown["annotations"], &shown["labels"]["l"]), (&json!({"a": "shown"}), &json!("shown")));
}

#[tokio::test]
async fn what_was_applied_of_a_cluster_is_neither_taken_nor_kept() {
    let bench = Bench::start("applied", json!({}), json!({})).await;
    let admin = bench.admin().await;
    const APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
    const SERVER: &str = "https://kubernetes.default.svc";
    let applied = json!({"stringData": {"config": CANARY}}).to_string();
    let cluster = json!({"server": SERVER, "name": "in-cluster", "annotations": {APPLIED: applied}});
    let refused = format!("annotation {APPLIED} cannot be set");
    let created = bench.post("/api/v1/clusters", &admin, cluster.clone()).await;
    created.is(400, &format!("error creating cluster: rpc error: code = InvalidArgument desc = {refused}"));
    let path = "/api/v1/clusters/in-cluster?id.type=name";
    bench.rest("PUT", path, &admin, Some(cluster)).await.is(400, &refused);
    // A Secret that its owner applied: what the API writes leaves no copy of what it was.
    crate::bench::apply(&bench.store, &crate::bench::object(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "own", "namespace": "applied", "labels": {"argocd.argoproj.io/secret-type": "cluster"},
            "annotations": {APPLIED: applied, "kept": "yes"},
        },
        "stringData": {"server": SERVER, "name": "in-cluster"},
    }))).await;
    let named = || {
        bench
            .store
            .clusters(true)
            .into_iter()
            .flatten()
            .any(|cluster| !cluster.reveal().annotations.is_empty())
    };
    eventually("it is registered", named).await;
    let labels = json!({"labels": {"a": "b"}});
    let told = bench.rest("PUT", &format!("{path}&updatedFields=labels"), &admin, Some(labels)).await.good();
    assert_eq!(told.json()["annotations"], json!({"kept": "yes"}));
    let kept = bench.store.secret("own").expect("the Secret");
    assert_eq!(kept.annotations.keys().collect::<Vec<_>>(), ["kept"]);
}

#[tokio::test]
async fn cve_2024_37152_strangers_are_told_what_a_login_page_needs() {
    let settings = json!({
        "ui.bannercontent": "banner", "passwordPattern": "^.{4,}$", "oidc.config": format!("name: x\nissuer: https://idp.example\nclientID: id\nclientSecret: {CANARY}\n"),
        "resource.customizations.health.x_Y": "return {}", "url": "https://argocd.example",
    });
    let bench = Bench::start("strangers", settings, json!({})).await;
    let admin = bench.admin().await;
    let open = bench.get("/api/v1/settings", "").await.good();
    let all = bench.get("/api/v1/settings", &admin).await.good();
    for hidden in ["resourceOverrides", "\"controllerNamespace\"", "passwordPattern", "uiBannerContent"] {
        assert!(!open.text.contains(hidden), "{hidden}: {}", open.text);
    }
    assert!(all.text.contains("return {}") && open.text.contains("https://idp.example"), "{}", all.text);
    assert!(!open.text.contains(CANARY) && !all.text.contains(CANARY));
}

#[tokio::test]
async fn cve_2020_8826_a_login_is_not_for_ever() {
    let bench = Bench::start("lasting", json!({"users.session.duration": "2h"}), json!({})).await;
    let admin = bench.admin().await;
    let ends = auth::oidc::unverified_expiry(&admin).expect("an end") - jiff::Timestamp::now().as_second();
    assert!((7000..=7200).contains(&ends), "{ends}");
}

#[tokio::test]
async fn cve_2022_24905_tob_argo_026_pages_repeat_nothing_and_say_what_they_may_load() {
    let bench = Bench::start("repeating", json!({}), json!({})).await;
    let words = "canary-in-the-address";
    for path in ["/login", "/applications", "/", "/user-info", "/auth/login", "/auth/callback", "/swagger-ui"]
    {
        let request = Request::get(format!("{path}?has_sso_error=true&sso_error={words}&error={words}"))
            .header("accept", "text/html");
        let answer = bench.send(request.body(Body::empty()).expect("a request")).await;
        assert!(!answer.text.contains(words), "{path}: {answer:?}");
        let policy = answer.headers.get("content-security-policy").and_then(|value| value.to_str().ok());
        assert!(policy.is_some_and(|policy| policy.contains("frame-ancestors")), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn cve_2024_22424_forms_of_other_pages_change_nothing() {
    let bench = Bench::start("forms", json!({}), json!({})).await;
    let admin = bench.admin().await;
    let cookie = format!("argocd.token={admin}");
    let body = application("forged", "guestbook").to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-8",
        "",
    ] {
        for verb in ["POST", "PUT", "PATCH", "DELETE"] {
            let mut request = Request::builder().method(verb).uri(APPLICATIONS).header("cookie", &cookie);
            if !kind.is_empty() {
                request = request.header("content-type", kind);
            }
            let answer = bench.send(request.body(Body::from(body.clone())).expect("it is well formed")).await;
            assert_eq!((answer.status, answer.text.trim()), (415, "Invalid content type"), "{verb} {kind:?}");
        }
    }
    bench
        .get(&format!("{APPLICATIONS}/forged?project=default"), &admin)
        .await
        .is(404, "applications.argoproj.io \"forged\" not found");
}

#[tokio::test]
async fn cve_2025_47933_an_address_that_a_browser_runs_is_no_repository() {
    let bench = Bench::start("addresses", json!({}), json!({})).await;
    let admin = bench.admin().await;
    for address in [
        "javascript:alert(1)",
        "javascript://x/%0aalert(1)",
        "data:text/html,x",
        "ext::sh -c id",
        "--upload-pack=id",
        " javascript:x",
        "https://x\n.example",
    ] {
        for kind in ["git", "helm", "oci"] {
            let answer =
                bench.post("/api/v1/repositories", &admin, json!({"repo": address, "type": kind})).await;
            assert_eq!(answer.status, 400, "{address} as {kind}: {answer:?}");
            let scoped = json!({"repo": address, "type": kind, "project": "default"});
            assert_eq!(
                bench.post("/api/v1/repositories", &admin, scoped).await.status,
                400,
                "{address} in a project"
            );
        }
        assert!(bench.store.repositories().is_empty(), "{address} was registered");
    }
}

#[tokio::test]
async fn tob_argo_019_no_address_is_contacted_that_is_not_permitted() {
    let (settings, policy) = two_users();
    let bench = Bench::start("contacted", settings, policy).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    let spec = json!({"sourceRepos": ["https://git.example/*"], "destinations": [{"server": "*", "namespace": "*"}]});
    let project = json!({"project": {"metadata": {"name": "narrow"}, "spec": spec}});
    bench.post("/api/v1/projects", &admin, project).await.good();
    permit(&bench, &["applications, *, narrow/*", "repositories, get, *"]).await;
    // The repository that is asked says "repository not found" for this address.
    let elsewhere = "https://inside.example/none";
    let contacted = |answer: &crate::bench::Answer| answer.text.contains("repository not found");

    let mut sneaky = application("sneaky", "guestbook");
    sneaky["spec"]["project"] = json!("narrow");
    sneaky["spec"]["source"]["repoURL"] = json!(elsewhere);
    let told = bench.post(APPLICATIONS, &alice, sneaky.clone()).await;
    assert!(told.status == 400 && told.text.contains("is not permitted in project 'narrow'"), "{told:?}");
    assert!(!contacted(&told), "{told:?}");
    sneaky["spec"]["source"]["repoURL"] = json!("https://git.example/none");
    let told = bench.post(APPLICATIONS, &alice, sneaky).await;
    assert!(contacted(&told), "one that is permitted is asked: {told:?}");

    let registered = json!({"repo": elsewhere, "type": "git"});
    for told in [
        bench.post("/api/v1/repositories", &alice, registered.clone()).await,
        bench
            .post(
                &format!(
                    "/api/v1/repositories/{}/validate",
                    elsewhere.replace('/', "%2F").replace(':', "%3A")
                ),
                &alice,
                json!(elsewhere),
            )
            .await,
    ] {
        assert!(told.status == 403 && !contacted(&told), "{told:?}");
    }
    let told = bench.post("/api/v1/repositories", &admin, registered).await;
    assert!(contacted(&told), "one who may register is told: {told:?}");
}
