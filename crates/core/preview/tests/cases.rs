//! Every case of `cases`: findings in, the comment and the statuses out. `UPDATE=1` rewrites them.

#![expect(clippy::needless_pass_by_value, reason = "the harness passes the text by value")]

use api::v1alpha1::ResourceDiff;
use notify::Redactor;
use preview::{Change, Changed, Comment, Entry, Judgement, Style};
use serde_json::Value;
use std::path::Path;

fn judgement(case: &Value, redactor: &Redactor) -> Judgement {
    let text = |name: &str| case[name].as_str().map(str::to_owned);
    let judgement = match (text("rejected"), text("failed")) {
        (Some(reason), _) => Judgement::Rejected(reason),
        (_, Some(reason)) => Judgement::Failed(reason),
        _ => {
            let changes = case["changes"].as_array().into_iter().flatten();
            Judgement::Compared(changes.map(change).collect())
        }
    };
    judgement.redacted(redactor)
}

fn change(case: &Value) -> Change {
    let text = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
    let state = |name: &str| match &case[name] {
        Value::Null => "null".to_owned(),
        Value::String(broken) => broken.clone(),
        // A text that is said to be repeated is as long as wanted.
        value => value.to_string().replace("LONG", &"long words ".repeat(2_000)),
    };
    let states = ResourceDiff {
        group: text("group"),
        kind: text("kind"),
        namespace: text("namespace"),
        name: text("name"),
        normalized_live_state: state("live"),
        predicted_live_state: state("predicted"),
        ..ResourceDiff::default()
    };
    let changed = match case["changed"].as_str() {
        Some("created") => Changed::Created,
        Some("pruned") => Changed::Pruned,
        Some("taken") => return Change::taken(Change::name(&states)),
        _ => Changed::Modified,
    };
    Change::of(&states, changed)
}

fn check(path: &Path, text: String) -> datatest_stable::Result<()> {
    let (head, expected) = text.split_once("\n=>\n").unwrap_or((text.trim_end(), ""));
    let case = object::yaml::decode(head.as_bytes())?;
    let mut redactor = Redactor::default();
    for secret in case["secrets"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        redactor.learn(secret.as_bytes());
    }
    let applications = case["applications"].as_array().cloned().unwrap_or_default();
    let entry = |case: &Value| Entry {
        name: case["name"].as_str().unwrap_or_default().to_owned(),
        url: case["url"].as_str().unwrap_or_default().to_owned(),
        judgement: judgement(case, &redactor),
    };
    let entries: Vec<Entry> = applications.iter().map(entry).collect();
    let comment = Comment {
        commit: case["commit"].as_str().unwrap_or("bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"),
        entries: &entries,
        more: case["more"].as_u64().and_then(|more| usize::try_from(more).ok()).unwrap_or_default(),
        marker: "argocd-0123",
    };
    let longest = case["longest"].as_u64().and_then(|longest| usize::try_from(longest).ok());
    let style = Style { folds: case["folds"] != false, longest: longest.unwrap_or(65_536) };
    let mut actual = String::new();
    for entry in &entries {
        let (state, words) = entry.judgement.status();
        actual.push_str(&format!("{}: {state:?} {words}\n", entry.name));
    }
    let comment = comment.text(style);
    assert!(comment.chars().count() <= style.longest, "{} characters", comment.chars().count());
    actual.push_str(&comment);
    #[expect(clippy::disallowed_methods, reason = "a test may be asked to rewrite its expectation")]
    let update = std::env::var_os("UPDATE").is_some();
    if update {
        #[expect(clippy::disallowed_methods, reason = "a test rewrites its own expectation")]
        std::fs::write(path, format!("{head}\n=>\n{actual}"))?;
    } else if actual != expected {
        return Err(format!("expected\n{expected}\nfound\n{actual}").into());
    }
    Ok(())
}

datatest_stable::harness! {
    { test = check, root = "cases", pattern = r"\.case$" },
}
