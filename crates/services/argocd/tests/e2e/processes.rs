//! Components as processes: they work together, and each may go away at any moment. Losing Redis loses time.

use crate::installation::{Installation, LIMIT, Part, condition, config_map, installation, sync_status};
use crate::web;
use serde_json::Value;
use std::time::Duration;
use testkit::git_repo::GitRepo;

/// An application with one ConfigMap, synced.
fn synced(installation: &Installation, name: &str, more: &[&str]) -> GitRepo {
    let repository =
        GitRepo::from_files(name, &[("app/settings.yaml", &config_map("settings", "one"))]).unwrap();
    installation.create(name, &repository, "app", more);
    // An automated one begins by itself.
    if more.is_empty() {
        installation.succeed(&["app", "sync", name, "--timeout", "100"]);
    }
    installation.succeed(&["app", "wait", name, "--sync", "--health", "--timeout", "100"]);
    repository
}

/// Pushes a value and syncs it by hand.
fn push_and_sync(installation: &Installation, repository: &mut GitRepo, name: &str, value: &str) {
    repository.change("app/settings.yaml", &config_map("settings", value)).unwrap();
    installation.succeed(&["app", "get", name, "--refresh"]);
    installation.succeed(&["app", "sync", name, "--timeout", "100"]);
    assert_eq!(installation.value(name, "settings").as_deref(), Some(value));
}

fn uid(installation: &Installation, name: &str) -> Value {
    installation.kube.find("v1", "ConfigMap", name, "settings").expect("the object is there")["metadata"]["uid"].clone()
}

#[test]
fn what_is_pushed_becomes_live() {
    let installation = installation();
    let mut repository = synced(&installation, "pushed", &[]);
    repository.change("app/settings.yaml", &config_map("settings", "two")).unwrap();
    let shown = installation.succeed(&["app", "get", "pushed", "--refresh"]);
    assert!(shown.contains("OutOfSync"), "{shown}");
    let difference = installation.cli(&["app", "diff", "pushed"]).unwrap_err();
    assert!(difference.contains("value: two"), "{difference}");
    installation.succeed(&["app", "sync", "pushed", "--timeout", "100"]);
    installation.succeed(&["app", "wait", "pushed", "--sync", "--health", "--timeout", "100"]);
    assert_eq!(installation.value("pushed", "settings").as_deref(), Some("two"));
    assert!(installation.cli(&["app", "diff", "pushed"]).is_ok());
    let tree = installation.succeed(&["app", "resources", "pushed", "--output", "tree=detailed"]);
    assert!(tree.contains("settings"), "{tree}");
    let history = installation.succeed(&["app", "history", "pushed", "--output", "id"]);
    assert_eq!(history.split_whitespace().collect::<Vec<_>>(), ["0", "1"], "{history}");
    installation.succeed(&["app", "delete", "pushed", "--yes"]);
    installation
        .until("the objects are gone", || installation.value("pushed", "settings").is_none().then_some(()));
}

#[test]
fn redis_may_be_emptied_killed_and_restarted() {
    let mut installation = installation();
    let mut repository = synced(&installation, "cached", &[]);
    let before = uid(&installation, "cached");
    let sees = |installation: &Installation, value: &str| {
        let tree = installation.succeed(&["app", "resources", "cached", "--output", "tree=detailed"]);
        assert!(tree.contains("settings"), "{tree}");
        let shown = installation.succeed(&["app", "get", "cached"]);
        assert!(shown.contains("Synced to"), "{shown}");
        assert!(installation.cli(&["app", "diff", "cached"]).is_ok());
        assert_eq!(installation.value("cached", "settings").as_deref(), Some(value));
    };
    sees(&installation, "one");
    installation.redis.flush().unwrap();
    // What nobody wrote again is made anew when somebody asks.
    sees(&installation, "one");
    installation.redis.flush().unwrap();
    push_and_sync(&installation, &mut repository, "cached", "two");
    sees(&installation, "two");

    installation.redis.kill();
    let shown = installation.succeed(&["app", "get", "cached", "--refresh"]);
    assert!(shown.contains("Synced to"), "{shown}");
    push_and_sync(&installation, &mut repository, "cached", "three");
    installation.succeed(&["app", "wait", "cached", "--sync", "--health", "--timeout", "100"]);
    let listed = installation.succeed(&["app", "list", "--output", "name"]);
    assert!(listed.contains("argocd/cached"), "{listed}");

    installation.redis.restart().unwrap();
    installation.until("the tree is there again", || {
        let tree = installation.cli(&["app", "resources", "cached", "--output", "tree=detailed"]).ok()?;
        tree.contains("settings").then_some(())
    });
    sees(&installation, "three");
    assert_eq!(uid(&installation, "cached"), before, "the object was never deleted");
    installation.succeed(&["app", "delete", "cached", "--yes"]);
}

#[test]
fn each_component_may_be_killed() {
    let mut installation = installation();
    let mut repository = synced(&installation, "killed", &[]);
    let before = uid(&installation, "killed");
    for (round, part) in Part::ALL.into_iter().enumerate() {
        installation.kill(part);
        // The value comes while the component is away.
        let value = format!("round {round}");
        repository.change("app/settings.yaml", &config_map("settings", &value)).unwrap();
        installation.run(part);
        installation.until("the api-server answers", || installation.cli(&["app", "list"]).ok());
        installation.succeed(&["app", "get", "killed", "--refresh"]);
        installation.succeed(&["app", "sync", "killed", "--timeout", "100"]);
        assert_eq!(installation.value("killed", "settings"), Some(value));
        installation.until_synced("killed");
    }
    assert_eq!(uid(&installation, "killed"), before, "the object was never deleted");
    installation.succeed(&["app", "delete", "killed", "--yes"]);
}

#[test]
fn without_the_repo_server_nothing_is_known_and_nothing_changes() {
    let mut installation = installation();
    let automated = ["--sync-policy", "automated", "--auto-prune", "--self-heal"];
    let mut repository = synced(&installation, "alone", &automated);
    let before = installation.kube.listing("alone");
    installation.kill(Part::RepoServer);
    repository.change("app/settings.yaml", &config_map("settings", "two")).unwrap();
    // The refresh is asked for by annotation: the command line would want to wait for what cannot be.
    let annotation =
        serde_json::json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    installation.kube.merge("argoproj.io/v1alpha1", "Application", "argocd", "alone", annotation);
    installation.until_application("alone", "Unknown", |application| sync_status(application) == "Unknown");
    let told = condition(&installation.application("alone"), "ComparisonError");
    assert!(told.contains("failed to generate manifest for source 1 of 1"), "{told}");
    assert!(told.contains("code = Unavailable") && told.contains("repo-server"), "{told}");
    // By hand it fails, and says why.
    let refused = installation.cli(&["app", "sync", "alone", "--timeout", "30"]).unwrap_err();
    assert!(refused.contains("Unavailable") || refused.contains("ComparisonError"), "{refused}");
    assert_eq!(installation.kube.listing("alone"), before);
    assert_eq!(installation.value("alone", "settings").as_deref(), Some("one"));

    installation.run(Part::RepoServer);
    installation.until_application("alone", "Synced by itself", |application| {
        sync_status(application) == "Synced" && condition(application, "ComparisonError").is_empty()
    });
    installation.until("the push is live", || {
        (installation.value("alone", "settings").as_deref() == Some("two")).then_some(())
    });
    installation.succeed(&["app", "delete", "alone", "--yes"]);
}

#[test]
fn each_component_says_how_it_is() {
    let mut installation = installation();
    let _repository = synced(&installation, "seen", &[]);
    // Logins are counted once there was one in the life of the process.
    installation.login();
    let ports = installation.ports.clone();
    for part in [Part::RepoServer, Part::Controller] {
        assert_eq!(
            web::get(ports[&part].metrics, "/healthz").map(|(status, _)| status),
            Some(200),
            "{part:?}"
        );
    }
    let names: [(Part, &[&str]); 3] = [
        (
            Part::RepoServer,
            &[
                "argocd_git_request_total{",
                "argocd_git_request_duration_seconds_bucket{",
                "argocd_redis_request_total{",
                "argocd_redis_request_duration_seconds_count{",
                "argocd_repo_pending_request_total{",
                "argocd_repo_parallelism_wait_duration_seconds_count",
                "grpc_server_handled_total{",
                "grpc_server_started_total{",
                "process_cpu_seconds_total",
                "process_resident_memory_bytes",
            ],
        ),
        (
            Part::Server,
            &[
                "argocd_info{",
                "argocd_kubectl_requests_total{",
                "argocd_kubectl_response_size_bytes_count{",
                "argocd_login_request_total{",
                "argocd_redis_request_total{",
                "argocd_redis_request_duration_count{",
                "grpc_server_handled_total{",
                "process_start_time_seconds",
            ],
        ),
        (
            Part::Controller,
            &[
                "argocd_app_info{",
                "argocd_app_reconcile_count{",
                "argocd_app_sync_total{",
                "argocd_cluster_info{",
                "argocd_cluster_connection_status{",
                "argocd_redis_request_total{",
            ],
        ),
    ];
    for (part, names) in names {
        let (status, text) = web::get(ports[&part].metrics, "/metrics").expect("metrics");
        assert_eq!(status, 200);
        for name in names {
            assert!(text.lines().any(|line| line.starts_with(name)), "{part:?} has no {name}:\n{text}");
        }
    }
    let address = |part: Part| format!("localhost:{}", ports[&part].port);
    let health = installation.kube.grpc_health(&address(Part::RepoServer), "", "");
    assert_eq!(health.unwrap(), 1, "SERVING");
    let health = installation.kube.grpc_health(&address(Part::Server), "", "");
    assert_eq!(health.unwrap(), 1, "SERVING, and whoever probes needs no session");
    let config = std::fs::read_to_string(installation.home.path().join("config/config")).unwrap();
    let token =
        config.lines().find_map(|line| line.trim_start_matches("- ").trim().strip_prefix("auth-token: "));
    let token = token.expect("the session's token");
    assert_eq!(installation.kube.grpc_health(&address(Part::Server), token, "").unwrap(), 1, "SERVING");
    let health = installation.kube.grpc_health(&address(Part::Server), token, "x").unwrap_err();
    assert_eq!(health.code(), tonic::Code::NotFound, "{health}");
    parameters(&mut installation);
    installation.succeed(&["app", "delete", "seen", "--yes"]);
}

/// `argocd-cmd-params-cm` is honoured where neither flag nor variable says anything.
fn parameters(installation: &mut Installation) {
    installation.set("argocd-cmd-params-cm", "server.insecure", Some("true"));
    installation.set("argocd-cmd-params-cm", "controller.log.level", Some("debug"));
    for part in [Part::Server, Part::Controller] {
        let (code, took) = installation.terminate(part);
        assert_eq!(code, Some(0), "{part:?}\n{}", installation.last_words());
        assert!(took < Duration::from_secs(15), "{part:?} took {took:?} to stop");
        std::fs::remove_file(installation.log_path(part)).unwrap();
        installation.run(part);
    }
    let port = installation.ports[&Part::Server].port;
    let told = testkit::poll(LIMIT, || web::get(port, "/healthz"));
    // There is an application, and looking at it is told at this level.
    let log = || installation.log(Part::Controller);
    let more = testkit::poll(LIMIT, || log().contains(r#""level":"debug""#).then_some(()));
    // Other tests are not to suffer from what goes wrong here.
    installation.set("argocd-cmd-params-cm", "server.insecure", None);
    installation.set("argocd-cmd-params-cm", "controller.log.level", None);
    let (status, text) = told.expect("the server speaks plain text");
    assert_eq!((status, text.trim()), (200, "ok"));
    assert!(more.is_some(), "the controller says no more than before\n{}", log());
    for part in Part::ALL {
        let (code, took) = installation.terminate(part);
        assert_eq!(code, Some(0), "{part:?}\n{}", installation.last_words());
        assert!(took < Duration::from_secs(15), "{part:?} took {took:?} to stop");
        std::fs::remove_file(installation.log_path(part)).unwrap();
    }
    installation.heal();
    installation.until("the server speaks TLS", || installation.cli(&["app", "list"]).ok());
    // Every line that came after the start is one JSON object.
    for part in Part::ALL {
        for line in installation.log(part).lines() {
            let parsed: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{part:?}: {error}: {line}"));
            assert!(
                parsed["level"].is_string() && parsed["msg"].is_string() && parsed["time"].is_string(),
                "{line}"
            );
        }
    }
}
