//! The catalogue that users install: it reads, its triggers fire when they should and only then, and its words are JSON where
//! services want JSON.

use notify::{Config, Destination, Origin, Repository, Situation, State, decide, notification};
use serde_json::{Value, json};
use std::collections::BTreeMap;

fn catalog() -> Config {
    let text = include_bytes!("../../../../docs/notifications/catalog.yaml");
    let object = object::yaml::decode(text).expect("YAML");
    let data: BTreeMap<String, String> =
        serde_json::from_value(object.get("data").cloned().expect("data")).expect("texts");
    Config::parse(&data, BTreeMap::new(), Origin::default()).expect("a configuration")
}

/// The triggers that fire. `revision` is how what is deployed is called.
fn fired(spec: &Value, status: &Value, deleted: bool, revision: &str) -> Vec<String> {
    let config = catalog();
    let annotations: BTreeMap<String, String> = config
        .triggers
        .keys()
        .map(|name| (format!("notifications.argoproj.io/subscribe.{name}.slack"), "x".to_owned()))
        .collect();
    let mut application = json!({
        "metadata": {"name": "guestbook", "namespace": "argocd", "annotations": annotations},
        "spec": spec, "status": status,
    });
    if deleted {
        application["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    }
    let repository = Repository::unreachable("not asked here");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let zone = notify::Zone::Utc;
    let situation =
        Situation { application: &application, project: None, repository: &repository, now, local: &zone };
    let decision = decide(&config, &situation, State::default());
    for due in &decision.due {
        let destination = Destination { service: "slack".into(), recipient: "x".into() };
        let mut outside = gotemplate::Nowhere;
        let rendered = notification(&config, &situation, &due.templates, &destination, &mut outside);
        let rendered = rendered.unwrap_or_else(|error| panic!("{}: {error}", due.trigger));
        assert!(rendered.message.contains("/applications/argocd/guestbook"), "{}", rendered.message);
        assert!(!rendered.shown().to_string().contains("<no value>"), "{}", rendered.shown());
        let mail = |rendered: &notify::Notification| {
            rendered.section("email").expect("a section").text("body").expect("a text")
        };
        assert_eq!(mail(&rendered), "", "the message is the mail");
        let mut html = config.clone();
        html.context.insert("mail".to_owned(), "html".to_owned());
        let rendered_html = notification(&html, &situation, &due.templates, &destination, &mut outside);
        let body = mail(&rendered_html.expect("a mail"));
        assert!(body.starts_with("<!doctype html>") && body.ends_with("</html>"), "{body}");
        assert!(
            body.contains("no &#34;path&#34; &lt;there&gt;"),
            "conditions are shown, and escaped: {body}"
        );
        assert!(!body.contains("no value"), "{body}");
        if let Some(section) = rendered.section("github") {
            let text = |name: &str| section.text(name).expect("a text");
            let resolved = status["operationState"]["syncResult"].to_string().contains("abc");
            let commit = if resolved { "abc" } else { "" };
            assert_eq!(
                (text("repoURL"), text("revision")),
                ("https://git.example/one".into(), commit.into())
            );
        }
        if due.trigger == "on-deployed" {
            let words = format!("guestbook now runs {revision} and is healthy.");
            assert!(
                rendered.message.contains(&words) && body.contains(&words),
                "{words}: {}",
                rendered.message
            );
            let field = format!(
                r#""Revision", "value": "{}""#,
                revision.trim_start_matches(char::is_alphabetic).trim()
            );
            for (service, member) in
                [("slack", "attachments"), ("teams", "facts"), ("teams-workflows", "facts")]
            {
                let text = rendered.section(service).expect("a section").text(member).expect("a text");
                assert!(text.contains(&field), "{service}: {text}");
            }
        }
        for service in ["slack", "teams", "teams-workflows"] {
            let shown = rendered.shown()[service].to_string();
            assert!(shown.contains("ComparisonError"), "{service} shows conditions: {shown}");
        }
        for (service, fields) in [
            ("slack", &["attachments"][..]),
            ("teams", &["facts", "potentialAction"]),
            ("teams-workflows", &["facts"]),
        ] {
            let section = rendered.section(service).expect("a section");
            for field in fields {
                let text = section.text(field).expect("a text");
                assert!(
                    serde_json::from_str::<Value>(&text).is_ok(),
                    "{} {service} {field}: {text}",
                    due.trigger
                );
            }
        }
    }
    decision.due.into_iter().map(|due| due.trigger).collect()
}

/// The triggers that fire for one state of an application after another, with what was told.
fn told(statuses: &[Value]) -> Vec<Vec<String>> {
    let config = catalog();
    let mut state = State::default();
    let each = |status: &Value| {
        let annotations: BTreeMap<String, String> = config
            .triggers
            .keys()
            .filter(|name| !matches!(name.as_str(), "on-created" | "on-deleted"))
            .map(|name| (format!("notifications.argoproj.io/subscribe.{name}.slack"), "x".to_owned()))
            .collect();
        let application =
            json!({"metadata": {"name": "guestbook", "annotations": annotations}, "status": status});
        let repository = Repository::unreachable("not asked here");
        let (now, zone) = (jiff::Timestamp::UNIX_EPOCH, notify::Zone::Utc);
        let situation = Situation {
            application: &application,
            project: None,
            repository: &repository,
            now,
            local: &zone,
        };
        let decision = decide(&config, &situation, state.clone());
        state = decision.state;
        decision.due.iter().for_each(|due| state.told(&due.entry, now));
        decision.due.into_iter().map(|due| due.trigger).collect()
    };
    statuses.iter().map(each).collect()
}

fn state_of(phase: &str, health: &str, since: &str, result: &Value) -> Value {
    json!({
        "sync": {"status": "Synced"}, "health": {"status": health, "lastTransitionTime": since},
        "operationState": {
            "phase": phase, "startedAt": "2026-01-01T00:10:00Z", "finishedAt": "2026-01-01T00:20:00Z",
            "syncResult": result,
        },
    })
}

#[test]
fn what_flaps_is_told_once_for_each_revision() {
    let at = |health: &str, result: &Value| state_of("Succeeded", health, "2026-01-01T00:20:00Z", result);
    let (one, two) = (json!({"revision": "r1"}), json!({"revision": "r2"}));
    assert_eq!(
        told(&[at("Degraded", &one), at("Healthy", &one), at("Degraded", &one), at("Degraded", &two)]),
        [
            vec!["on-health-degraded", "on-sync-succeeded"],
            vec!["on-deployed"],
            vec![],
            vec!["on-health-degraded", "on-sync-succeeded"]
        ]
    );
    // Several sources have several revisions.
    let (one, two) = (json!({"revisions": ["a", "b"]}), json!({"revisions": ["a", "c"]}));
    assert_eq!(
        told(&[at("Degraded", &one), at("Healthy", &one), at("Degraded", &two)]),
        [
            vec!["on-health-degraded", "on-sync-succeeded"],
            vec!["on-deployed"],
            vec!["on-health-degraded", "on-sync-succeeded"]
        ]
    );
}

#[test]
fn deployed_is_what_became_healthy_with_the_sync_or_had_been_before() {
    let at = |since: &str| {
        let told = told(&[state_of("Succeeded", "Healthy", since, &json!({"revision": "r"}))]);
        told[0].contains(&"on-deployed".to_owned())
    };
    assert!(at("2026-01-01T00:20:05Z"), "after it");
    assert!(at("2026-01-01T00:19:30Z"), "just before its end");
    assert!(!at("2026-01-01T00:15:00Z"), "in the middle: what is healthy may not be what was synced last");
    assert!(at("2026-01-01T00:05:00Z"), "all the time");
}

#[test]
fn triggers_fire_when_they_should() {
    // With several sources Kubernetes has no revision of the comparison, and an empty one of the sync.
    let several = json!(["1.2.3", "abc", "def"]);
    let sources = json!([
        {"repoURL": "https://charts.example", "chart": "web"},
        {"repoURL": "https://git.example/one"}, {"repoURL": "https://git.example/two"},
    ]);
    // The second source could not be rendered: its revision is not known.
    let partly = json!({"revision": "", "revisions": ["1.2.3"], "sources": [
        {"repoURL": "oci://registry.example/web"}, {"repoURL": "https://git.example/one"},
    ]});
    for (spec, compared, synced, revision) in [
        (
            json!({"source": {"repoURL": "https://git.example/one"}}),
            json!({"revision": "abc"}),
            json!({"revision": "abc"}),
            "revision abc",
        ),
        (
            json!({"sources": sources}),
            json!({"revisions": several}),
            json!({"revision": "", "revisions": several, "sources": sources}),
            "revisions 1.2.3, abc, def",
        ),
        (
            json!({"sources": partly["sources"]}),
            json!({"revisions": ["1.2.3"]}),
            partly.clone(),
            "revision 1.2.3",
        ),
    ] {
        let fired = |phase: &str, sync: &str, health: &str, deleted: bool| {
            let mut compared = compared.clone();
            compared["status"] = sync.into();
            let status = json!({
                "sync": compared, "health": {"status": health},
                "conditions": [{"type": "ComparisonError", "message": "no \"path\" <there>"}],
                "operationState": {
                    "phase": phase, "message": "done", "startedAt": "2026-01-01T00:00:00Z",
                    "finishedAt": "2026-01-01T00:00:01Z", "syncResult": synced,
                },
            });
            fired(&spec, &status, deleted, revision)
        };
        assert_eq!(
            fired("Succeeded", "Synced", "Healthy", false),
            ["on-created", "on-deployed", "on-sync-succeeded"]
        );
        assert_eq!(fired("Running", "OutOfSync", "Healthy", false), ["on-created", "on-sync-running"]);
        assert_eq!(
            fired("Failed", "Unknown", "Degraded", true),
            ["on-created", "on-deleted", "on-health-degraded", "on-sync-failed", "on-sync-status-unknown"]
        );
    }
}
