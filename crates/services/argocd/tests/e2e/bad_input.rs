//! What cannot work is told in the words users know, changes nothing, and holds up nobody.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use crate::installation::{Installation, NAMESPACE, condition, config_map, installation, sync_status};
use serde_json::{Value, json};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};
use testkit::git_http::{GitHttp, Options};
use testkit::git_repo::GitRepo;

const VERSION: &str = "argoproj.io/v1alpha1";
const LOAD: &str =
    "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = ";
const IN_CLUSTER: &str = "https://kubernetes.default.svc";

/// An application as somebody writes it behind the api-server's back.
fn declare(installation: &Installation, name: &str, spec: Value) {
    installation.kube.create(application(name, spec)).unwrap();
}

fn application(name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": VERSION, "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec,
    })
}

/// A spec for the namespace `bad`; automated, so that everything is tried that can be.
fn spec(url: &str, path: &str) -> Value {
    json!({
        "project": "default",
        "source": {"repoURL": url, "path": path, "targetRevision": "HEAD"},
        "destination": {"server": IN_CLUSTER, "namespace": "bad"},
        "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "retry": {"limit": 0}},
    })
}

/// The spec with one place of it changed.
fn with(mut spec: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    spec.pointer_mut(parent).unwrap()[field] = value;
    spec
}

fn project(installation: &Installation, name: &str, spec: Value) {
    let metadata = json!({"name": name, "namespace": NAMESPACE});
    installation
        .kube
        .create(json!({"apiVersion": VERSION, "kind": "AppProject", "metadata": metadata, "spec": spec}))
        .unwrap();
}

fn files() -> GitRepo {
    let service =
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: bad-port\nspec:\n  ports:\n  - port: 99999\n";
    let widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: w\n";
    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n bad\n";
    let frozen = |value: &str| format!("{}immutable: true\n", config_map("frozen", value));
    GitRepo::from_files(
        "bad",
        &[
            ("good/settings.yaml", &config_map("settings", "one")),
            ("broken/fine.yaml", &config_map("fine", "one")),
            ("broken/bad.yaml", broken),
            ("unknown/widget.yaml", widget),
            ("unknown/fine.yaml", &config_map("fine", "one")),
            ("refused/service.yaml", service),
            ("refused/fine.yaml", &config_map("fine", "one")),
            ("frozen/frozen.yaml", &frozen("two")),
            ("frozen/fine.yaml", &config_map("fine", "one")),
        ],
    )
    .unwrap()
}

/// What an application becomes, and what must be in its condition's message.
struct Case<'a> {
    name: &'a str,
    spec: Value,
    condition: &'a str,
    says: &'a [&'a str],
    sync: &'a str,
    health: &'a str,
}

fn unknown<'a>(name: &'a str, spec: Value, says: &'a [&'a str]) -> Case<'a> {
    Case { name, spec, condition: "ComparisonError", says, sync: "Unknown", health: "Healthy" }
}

fn invalid<'a>(name: &'a str, spec: Value, says: &'a [&'a str]) -> Case<'a> {
    Case { name, spec, condition: "InvalidSpecError", says, sync: "Unknown", health: "Unknown" }
}

fn failed<'a>(name: &'a str, spec: Value, says: &'a [&'a str]) -> Case<'a> {
    Case { name, spec, condition: "SyncError", says, sync: "OutOfSync", health: "Missing" }
}

/// Projects that forbid one thing each.
fn projects(installation: &Installation) {
    let anywhere = json!([{"server": "*", "namespace": "*"}]);
    project(
        installation,
        "no-source",
        json!({"sourceRepos": ["https://elsewhere/x"], "destinations": anywhere}),
    );
    let elsewhere = json!([{"server": IN_CLUSTER, "namespace": "elsewhere"}]);
    project(installation, "no-destination", json!({"sourceRepos": ["*"], "destinations": elsewhere}));
    let no_maps = json!([{"group": "", "kind": "ConfigMap"}]);
    project(
        installation,
        "no-kind",
        json!({"sourceRepos": ["*"], "destinations": anywhere, "namespaceResourceBlacklist": no_maps}),
    );
}

/// Every mistake, and what becomes of it.
fn cases(url: &str, locked_url: &str) -> Vec<Case<'static>> {
    let good = || spec(url, "good");
    let in_project = |name: &str| with(good(), "/project", json!(name));
    vec![
        unknown(
            "unreachable",
            spec("http://127.0.0.1:1/x.git", "good"),
            &[LOAD, "failed to list refs", "refused"],
        ),
        unknown(
            "unauthorised",
            spec(locked_url, "good"),
            &[LOAD, "failed to list refs: authentication required"],
        ),
        unknown("no-path", spec(url, "nope"), &[LOAD, "nope: app path does not exist"]),
        unknown(
            "no-revision",
            with(good(), "/source/targetRevision", json!("nope")),
            &[LOAD, "unable to resolve 'nope' to a commit SHA"],
        ),
        unknown("broken", spec(url, "broken"), &[LOAD, "Failed to unmarshal \"bad.yaml\"", "line 4"]),
        failed("unknown-kind", spec(url, "unknown"), &["one or more synchronization tasks are not valid"]),
        failed(
            "refused",
            spec(url, "refused"),
            &["Service \"bad-port\" is invalid", "spec.ports[0].port: Invalid value: 99999"],
        ),
        Case {
            health: "Healthy",
            ..failed("frozen", spec(url, "frozen"), &["ConfigMap \"frozen\" is invalid", "immutable"])
        },
        invalid(
            "no-server",
            with(good(), "/destination/server", json!("https://unknown.example")),
            &["error getting cluster by server \"https://unknown.example\"", "not found"],
        ),
        invalid(
            "no-cluster",
            with(good(), "/destination", json!({"name": "unknown", "namespace": "bad"})),
            &["there are no clusters with this name: unknown"],
        ),
        invalid(
            "no-project",
            in_project("nope"),
            &["Application referencing project nope which does not exist"],
        ),
        invalid("forbidden-source", in_project("no-source"), &["is not permitted in project 'no-source'"]),
        invalid(
            "forbidden-destination",
            in_project("no-destination"),
            &[
                "application destination",
                "do not match any of the allowed destinations in project 'no-destination'",
            ],
        ),
        failed("forbidden-kind", in_project("no-kind"), &["ConfigMap is not permitted in project"]),
    ]
}

#[test]
fn each_mistake_has_its_condition_and_changes_nothing() {
    let installation = installation();
    let repository = files();
    let locked = Options { basic_auth: Some(("bob".into(), "secret".into())), tls: false };
    let locked = GitHttp::serve(&repository.root(), &locked).unwrap();
    let (url, locked_url) = (repository.url(), locked.url("bad.git"));
    installation.kube.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "bad"}}));
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "immutable": true,
        "metadata": {"name": "frozen", "namespace": "bad"}, "data": {"value": "one"},
    }));
    projects(&installation);
    let before = installation.kube.listing("bad");
    let cases = cases(&url, &locked_url);
    for case in &cases {
        declare(&installation, case.name, case.spec.clone());
    }
    for case in &cases {
        installation.until_application(case.name, &format!("{} {:?}", case.condition, case.says), |found| {
            let message = condition(found, case.condition);
            case.says.iter().all(|part| message.contains(part))
        });
        let found = installation.application(case.name);
        let health = found["status"]["health"]["status"].as_str().unwrap_or_default();
        assert_eq!(
            (sync_status(&found), health),
            (case.sync, case.health),
            "{}: {:#}",
            case.name,
            found["status"]
        );
        let phase = found["status"]["operationState"]["phase"].as_str().unwrap_or_default();
        let wanted: &[&str] = if case.condition == "SyncError" { &["Failed"] } else { &["", "Error"] };
        assert!(wanted.contains(&phase), "{}: {phase}\n{:#}", case.name, found["status"]["operationState"]);
    }
    let widget = installation.application("unknown-kind");
    let told = &widget["status"]["operationState"]["syncResult"]["resources"];
    assert!(told.to_string().contains("Make sure the \\\"Widget\\\" CRD is installed"), "{told:#}");
    // Asked for by hand, each is refused or fails with the same reason.
    for case in &cases {
        let refused = installation.cli(&["app", "sync", case.name, "--timeout", "60"]);
        let told = refused.expect_err(case.name);
        assert!(told.contains("desc = ") || told.contains("Message:"), "{}: {told}", case.name);
    }
    assert_eq!(installation.kube.listing("bad"), before, "nothing in the cluster changed");
    for case in &cases {
        let patch = json!({"metadata": {"finalizers": null}});
        installation.kube.merge(VERSION, "Application", NAMESPACE, case.name, patch);
        installation.kube.delete(VERSION, "Application", NAMESPACE, case.name);
    }
}

#[test]
fn wrong_types_are_refused_by_name() {
    let installation = installation();
    // The cluster refuses what the schema does not admit, before any of us sees it.
    let wrong = [
        ("source", json!({"repoURL": 5})),
        ("source", json!("a repository")),
        ("destination", json!([])),
        ("syncPolicy", json!({"automated": "yes"})),
        ("revisionHistoryLimit", json!("ten")),
        ("ignoreDifferences", json!({"group": ""})),
    ];
    for (field, value) in &wrong {
        let spec = with(json!({"a": spec("file:///x", "x")}), &format!("/a/{field}"), value.clone());
        let told = installation.kube.create(application("wrong", spec["a"].clone())).unwrap_err().to_string();
        assert!(told.contains(&format!("spec.{field}")), "{field}: {told}");
    }
    // So does the api-server, with the field's name, in REST and from a file.
    for (field, value) in &wrong {
        let spec = with(json!({"a": spec("file:///x", "x")}), &format!("/a/{field}"), value.clone());
        let file = installation.home.path().join("wrong.json");
        std::fs::write(&file, application("wrong", spec["a"].clone()).to_string()).unwrap();
        let told = installation.cli(&["app", "create", "--file", file.to_str().unwrap()]).unwrap_err();
        assert!(told.contains(field), "{field}: {told}");
    }
    assert!(installation.kube.find(VERSION, "Application", NAMESPACE, "wrong").is_none());
}

/// A server that takes connections and never says a word.
struct Silent {
    port: u16,
}

impl Silent {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            // Held open for as long as the test program runs.
            let mut held: Vec<TcpStream> = Vec::new();
            held.extend(listener.incoming().flatten());
        });
        Self { port }
    }
}

#[test]
fn bad_applications_hold_up_nobody() {
    let installation = installation();
    let silent = Silent::start();
    let hung = |number: usize| format!("hung-{number:02}");
    const HUNG: usize = 30;
    for number in 0..HUNG {
        let url = format!("http://127.0.0.1:{}/{number}.git", silent.port);
        declare(&installation, &hung(number), spec(&url, "x"));
    }
    // A cluster that takes connections and never answers.
    let server = format!("https://127.0.0.1:{}", silent.port);
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "silent", "namespace": NAMESPACE, "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "stringData": {"name": "silent", "server": server, "config": r#"{"tlsClientConfig":{"insecure":true}}"#},
    }));
    let huge: Vec<(String, String)> = (0..12)
        .map(|number| {
            (format!("huge/{number}.yaml"), config_map(&format!("huge-{number}"), &"x".repeat(1 << 20)))
        })
        .collect();
    let mut files: Vec<(&str, &str)> =
        huge.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let one = config_map("settings", "one");
    files.push(("good/settings.yaml", &one));
    let mut repository = GitRepo::from_files("crowd", &files).unwrap();
    declare(&installation, "huge", spec(&repository.url(), "huge"));
    let there = with(spec(&repository.url(), "good"), "/destination/server", json!(server));
    declare(&installation, "elsewhere", there);

    let began = Instant::now();
    installation.create("crowd", &repository, "good", &[]);
    installation.succeed(&["app", "sync", "crowd", "--timeout", "60"]);
    installation.succeed(&["app", "wait", "crowd", "--sync", "--health", "--timeout", "60"]);
    repository.change("good/settings.yaml", &config_map("settings", "two")).unwrap();
    installation.succeed(&["app", "get", "crowd", "--refresh"]);
    installation.succeed(&["app", "sync", "crowd", "--timeout", "60"]);
    let took = began.elapsed();
    assert_eq!(installation.value("crowd", "settings").as_deref(), Some("two"));
    // One hung request takes ten seconds until it is given up: nobody may have stood behind one.
    assert!(took < Duration::from_secs(25), "two syncs took {took:?}\n{}", installation.last_words());

    installation.until_application("huge", "told that it is too large", |found| {
        condition(found, "ComparisonError").contains("exceed")
    });
    installation.until_application("elsewhere", "told that its cluster does not answer", |found| {
        !condition(found, "ComparisonError").is_empty() && sync_status(found) == "Unknown"
    });
    installation.until_application(&hung(0), "told that its repository does not answer", |found| {
        !condition(found, "ComparisonError").is_empty() && sync_status(found) == "Unknown"
    });
    installation.succeed(&["app", "delete", "crowd", "--yes"]);
    let more = ["huge".to_owned(), "elsewhere".to_owned()];
    for name in (0..HUNG).map(hung).chain(more) {
        installation.kube.delete(VERSION, "Application", NAMESPACE, &name);
    }
    installation.kube.delete("v1", "Secret", NAMESPACE, "silent");
}
