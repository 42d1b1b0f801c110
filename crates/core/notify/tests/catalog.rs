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

fn fired(status: &Value, deleted: bool) -> Vec<String> {
    let config = catalog();
    let annotations: BTreeMap<String, String> = config
        .triggers
        .keys()
        .map(|name| (format!("notifications.argoproj.io/subscribe.{name}.slack"), "x".to_owned()))
        .collect();
    let mut application = json!({
        "metadata": {"name": "guestbook", "namespace": "argocd", "annotations": annotations},
        "spec": {"sources": [{"repoURL": "https://git.example/one"}, {"repoURL": "https://git.example/two"}]},
        "status": status,
    });
    if deleted {
        application["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    }
    let repository = Repository::unreachable("not asked here");
    let now = jiff::Timestamp::UNIX_EPOCH;
    let situation = Situation { application: &application, project: None, repository: &repository, now };
    let decision = decide(&config, &situation, State::default());
    for due in &decision.due {
        let destination = Destination { service: "slack".into(), recipient: "x".into() };
        let mut outside = gotemplate::Nowhere;
        let rendered = notification(&config, &situation, &due.templates, &destination, &mut outside);
        let rendered = rendered.unwrap_or_else(|error| panic!("{}: {error}", due.trigger));
        assert!(rendered.message.contains("/applications/argocd/guestbook"), "{}", rendered.message);
        assert!(!rendered.shown().to_string().contains("<no value>"), "{}", rendered.shown());
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

#[test]
fn triggers_fire_when_they_should() {
    let status = |phase: &str, sync: &str, health: &str| {
        json!({
            "sync": {"status": sync, "revision": "abc"}, "health": {"status": health},
            "conditions": [{"type": "ComparisonError", "message": "no such path"}],
            "operationState": {
                "phase": phase, "message": "done", "startedAt": "2026-01-01T00:00:00Z",
                "finishedAt": "2026-01-01T00:00:01Z", "syncResult": {"revision": "abc"},
            },
        })
    };
    assert_eq!(
        fired(&status("Succeeded", "Synced", "Healthy"), false),
        ["on-created", "on-deployed", "on-sync-succeeded"]
    );
    assert_eq!(fired(&status("Running", "OutOfSync", "Healthy"), false), ["on-created", "on-sync-running"]);
    assert_eq!(
        fired(&status("Failed", "Unknown", "Degraded"), true),
        ["on-created", "on-deleted", "on-health-degraded", "on-sync-failed", "on-sync-status-unknown"]
    );
}
