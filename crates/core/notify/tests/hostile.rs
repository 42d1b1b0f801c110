//! Whatever stands in a configuration or on an application: an answer or an error, no panic, and never a secret.

use notify::{Config, Origin, Repository, Situation, State, decide, notification};
use object::Secret;
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

const CANARY: &str = "canary-7f3a";

fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "message: ",
        "\"{{",
        "}}\"",
        ".app",
        ".secrets.token",
        "{{",
        "}}",
        "slack:\n  ",
        "attachments: ",
        "[",
        "]",
        "- when: ",
        "send: [a]",
        "\n",
        "\n  ",
        "'",
        "x",
        "oncePer: ",
        "time.Now()",
        "secrets.token",
        " == ",
        "call ",
        ".repo.GetCommitMetadata ",
        "range ",
        "end",
        "$token",
        ": ",
        "&a ",
        "*a",
        "1",
        "fail ",
        "teams: {title: ",
        "}",
        "ä",
        "\u{0}",
        "html ",
        "printf \"%s\" ",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn nothing_panics_and_no_secret_is_told(
        trigger in pieces(), template in pieces(), service in pieces(), subscription in pieces(),
        key in pieces(), value in pieces(), state in pieces(),
    ) {
        let data: BTreeMap<String, String> = [
            ("trigger.t", trigger.as_str()), ("template.a", template.as_str()), ("service.slack", service.as_str()),
            ("subscriptions", subscription.as_str()), ("defaultTriggers", "[t]"), ("trigger.u", "- when: 'true'\n  send: [a]"),
        ]
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .into();
        let secrets: BTreeMap<_, _> =
            [("token".to_owned(), Secret::new(CANARY.as_bytes().to_vec()))].into();
        let parsed = Config::parse(&data, secrets.clone(), Origin::default());
        let config = match parsed {
            Ok(config) => config,
            Err(error) => {
                prop_assert!(!error.to_string().contains(CANARY), "{error}");
                let mut less = data.clone();
                less.retain(|key, _| matches!(key.as_str(), "trigger.u" | "template.a" | "defaultTriggers"));
                match Config::parse(&less, secrets, Origin::default()) {
                    Ok(config) => config,
                    Err(_) => return Ok(()),
                }
            }
        };
        let application = json!({"metadata": {"name": "x", "labels": {"a": value}, "annotations": {
            format!("notifications.argoproj.io/subscribe.{key}"): value,
            "notifications.argoproj.io/subscribe.u.slack": "c",
            "notifications.argoproj.io/subscriptions": value,
        }}});
        let repository = Repository::unreachable("not asked here");
        let situation = Situation {
            application: &application, project: None, repository: &repository,
            now: jiff::Timestamp::UNIX_EPOCH,
            local: &notify::Zone::Utc,
        };
        let decision = decide(&config, &situation, State::parse(&state));
        let told = format!("{:?}{:?}", decision.evaluated, decision.problems);
        prop_assert!(!told.contains(CANARY), "{told}");
        for due in &decision.due {
            let rendered =
                notification(&config, &situation, &due.templates, &due.destination, &mut gotemplate::Nowhere);
            if let Err(error) = rendered {
                prop_assert!(!error.message.contains(CANARY), "{error}");
            }
        }
    }
}
