//! Settings with a part that cannot be read: the rest counts, and the part is named to those who may mend it.

use crate::bench::{Bench, configure, eventually, two_users};
use serde_json::{Value, json};

fn names(value: &Value) -> Vec<String> {
    let listed = value["problems"].as_array();
    listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Messages of warnings about an object.
async fn warnings(bench: &Bench, name: &str) -> Vec<String> {
    let found = bench.events(bench.store.namespace()).await;
    let about = found.iter().filter(|event| {
        event.text_at(&["involvedObject", "name"]) == name && event.text_at(&["type"]) == "Warning"
    });
    about.map(|event| event.text_at(&["message"]).to_owned()).collect()
}

#[tokio::test]
async fn each_part_that_cannot_be_read_is_named_by_its_key() {
    let (settings, policy) = two_users();
    let bench = Bench::start("broken-keys", settings.clone(), policy).await;
    let admin = bench.admin().await;
    let broken = [
        ("oidc.config", "[1"),
        ("dex.config", "- 1"),
        ("extension.config", "[1"),
        ("resource.links", "{"),
        ("globalProjects", "{"),
        ("ui.bannerposition", "left"),
        ("application.sync.impersonation.enabled", "perhaps"),
    ];
    for (key, value) in broken {
        let mut with = settings.clone();
        with[key] = value.into();
        configure(&bench.store, "argocd-cm", with).await;
        let told = names(&bench.get("/api/v1/settings", &admin).await.good().json());
        let start = format!("argocd-cm {key}: ");
        assert!(told.iter().any(|problem| problem.starts_with(&start)), "{key}: {told:?}");
        let deadline = tokio::time::Instant::now() + crate::bench::LONG;
        let start = format!("{key}: ");
        while !warnings(&bench, "argocd-cm").await.iter().any(|message| message.starts_with(&start)) {
            assert!(tokio::time::Instant::now() < deadline, "an event tells of {key}");
        }
    }
    // What a part refers to may come later: that is no mistake of its own.
    let mut fine = settings;
    fine["extension.config"] =
        "extensions: [{name: tea, backend: {services: [{url: 'http://x.example', headers: [{name: K, value: $later}]}]}}]".into();
    configure(&bench.store, "argocd-cm", fine).await;
    let told = names(&bench.get("/api/v1/settings", &admin).await.good().json());
    assert!(told.is_empty(), "{told:?}");
}

#[tokio::test]
async fn a_broken_part_is_named_and_the_rest_counts() {
    let (settings, policy) = two_users();
    let bench = Bench::start("broken-settings", settings.clone(), policy.clone()).await;
    let admin = bench.admin().await;
    let alice = bench.user(&admin, "alice").await;
    assert!(names(&bench.get("/api/v1/settings", &admin).await.good().json()).is_empty());
    let mut broken = settings;
    broken["url"] = "https://argocd.example".into();
    broken["resource.customizations.ignoreDifferences.apps_Deployment"] = "{[".into();
    configure(&bench.store, "argocd-cm", broken).await;
    let lines = "p, role:dev, applications, get, */*, allow\np, role:dev, applications\n";
    configure(&bench.store, "argocd-rbac-cm", json!({"policy.csv": lines})).await;
    let told = bench.get("/api/v1/settings", &admin).await.good().json();
    assert_eq!(told["url"], "https://argocd.example");
    let problems = names(&told);
    assert!(
        problems.iter().any(|problem| problem
            .starts_with("argocd-cm resource.customizations.ignoreDifferences.apps_Deployment: ")),
        "{problems:?}"
    );
    assert!(problems.iter().any(|problem| problem.starts_with("argocd-rbac-cm policy: ")), "{problems:?}");
    // The policy before stays in force, and nobody else is told.
    bench.get("/api/v1/applications", &alice).await.good();
    for token in [alice.as_str(), ""] {
        assert!(names(&bench.get("/api/v1/settings", token).await.good().json()).is_empty());
    }
    let mut found = Vec::new();
    let deadline = tokio::time::Instant::now() + crate::bench::LONG;
    while found.is_empty() && tokio::time::Instant::now() < deadline {
        found = warnings(&bench, "argocd-rbac-cm").await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(found.iter().any(|message| message.starts_with("policy: ")), "{found:?}");
    configure(&bench.store, "argocd-rbac-cm", policy).await;
    eventually("the policy is in force", || bench.store.config_map("argocd-rbac-cm").len() == 1).await;
    let problems = names(&bench.get("/api/v1/settings", &admin).await.good().json());
    assert!(!problems.iter().any(|problem| problem.contains("argocd-rbac-cm")), "{problems:?}");
}

#[tokio::test]
async fn what_is_trusted_or_registered_and_cannot_be_read_is_named_and_the_rest_counts() {
    let (settings, policy) = two_users();
    let bench = Bench::start("broken-parts", settings, policy).await;
    let admin = bench.admin().await;
    let key = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";
    let hosts =
        format!("# ours\n\ngood.example ssh-ed25519 {key}\nbad.example ssh-ed25519 junk\nalone.example\n");
    configure(&bench.store, "argocd-ssh-known-hosts-cm", json!({"ssh_known_hosts": hosts})).await;
    configure(&bench.store, "argocd-tls-certs-cm", json!({"git.example": "no certificate"})).await;
    configure(&bench.store, "argocd-gpg-keys-cm", json!({"0123456789ABCDEF": "no key"})).await;
    let labelled = |kind: &str| json!({"argocd.argoproj.io/secret-type": kind});
    for (name, kind, data) in [
        ("bad-cluster", "cluster", json!({"server": "https://c.example", "config": "{[planted"})),
        ("bad-repository", "repository", json!({"url": "https://r.example", "insecure": "planted"})),
        ("bad-template", "repo-creds", json!({"url": "https://t.example", "enableOCI": "planted"})),
        ("bad-pushed", "repository-write", json!({"url": "https://p.example", "insecure": "planted"})),
        ("bad-push", "repo-write-creds", json!({"url": "https://q.example", "enableOCI": "planted"})),
        ("good-repository", "repository", json!({"url": "https://good.example/apps"})),
    ] {
        let metadata = json!({"name": name, "namespace": "broken-parts", "labels": labelled(kind)});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data});
        crate::bench::apply(&bench.store, &crate::bench::object(secret)).await;
    }
    let wanted = [
        "argocd-ssh-known-hosts-cm ssh_known_hosts: line 4: the key of bad.example cannot be read",
        "argocd-ssh-known-hosts-cm ssh_known_hosts: line 5: it lacks a host, a type or a key",
        "argocd-tls-certs-cm git.example: ",
        "argocd-gpg-keys-cm 0123456789ABCDEF: ",
        "bad-cluster",
        "bad-repository",
        "bad-template",
        "bad-pushed",
        "bad-push ",
    ];
    let deadline = tokio::time::Instant::now() + crate::bench::LONG;
    loop {
        let told = names(&bench.get("/api/v1/settings", &admin).await.good().json());
        assert!(
            !told.iter().any(|problem| problem.contains("planted") || problem.contains("good")),
            "{told:?}"
        );
        if wanted.iter().all(|part| told.iter().any(|problem| problem.contains(part))) {
            break;
        }
        assert!(tokio::time::Instant::now() < deadline, "{told:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    for name in ["argocd-ssh-known-hosts-cm", "argocd-tls-certs-cm", "argocd-gpg-keys-cm", "bad-cluster"] {
        while warnings(&bench, name).await.is_empty() {
            assert!(tokio::time::Instant::now() < deadline, "an event tells of {name}");
        }
        let told = warnings(&bench, name).await;
        assert!(!told.iter().any(|message| message.contains("planted")), "{told:?}");
    }
    let listed = bench.get("/api/v1/repositories", &admin).await.good().json();
    assert!(listed["items"].to_string().contains("https://good.example/apps"), "{listed}");
}
