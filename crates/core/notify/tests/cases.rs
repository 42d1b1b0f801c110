//! Every file of `cases/`: a configuration and an application in, what is due and in which words out. A file may hold several
//! steps: blocks that are not repeated stay as they were, and what was due counts as delivered. `UPDATE=1` rewrites
//! the expectations.

#![expect(clippy::needless_pass_by_value, reason = "the harness passes the text by value")]

use jiff::Timestamp;
use notify::{Config, Decision, NOTIFIED, Origin, Repository, Situation, State, decide, notification};
use object::Secret;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

/// What a step is about.
#[derive(Clone, Default)]
struct Step {
    config: String,
    secret: String,
    application: String,
    project: Option<String>,
    namespace: Option<String>,
    now: Option<String>,
    zone: Option<String>,
}

fn repository() -> Repository {
    let date = "2026-01-02T03:04:05Z".parse().ok();
    Repository {
        commit: Arc::new(move |revision: &str| match revision {
            "" => Err("no revision".to_owned()),
            revision => Ok(notify::commit(
                &format!("message of {revision}"),
                "Fixture <fixture@example.com>",
                date,
                &["v1".to_owned()],
            )),
        }),
        details: Arc::new(|_| {
            let parameter = |name: &str, value: &str| (name.to_owned(), value.to_owned(), false);
            let helm = notify::HelmDetails {
                name: "guestbook".to_owned(),
                value_files: vec!["values-prod.yaml".to_owned()],
                parameters: vec![parameter("image.tag", "1"), parameter("replicas", "2")],
                values: "a: b".to_owned(),
                file_parameters: vec![("licence".to_owned(), "licence.txt".to_owned())],
                overrides: vec![parameter("image.tag", "7")],
            };
            Ok(notify::details(&notify::AppDetails {
                kind: "Helm".to_owned(),
                helm: Some(helm),
                ..notify::AppDetails::default()
            }))
        }),
    }
}

/// A world of which the zone is known.
struct Clocks(String);

impl gotemplate::Outside for Clocks {
    fn time_zone(&self) -> &str {
        &self.0
    }
}

fn texts(text: &str) -> BTreeMap<String, String> {
    let value = object::yaml::decode(text.as_bytes()).expect("a block is YAML");
    let entries = value.as_object().cloned().unwrap_or_default();
    entries.iter().map(|(key, value)| (key.clone(), value.as_str().expect("a text").to_owned())).collect()
}

impl Step {
    fn run(&self, delivered: &mut State) -> String {
        let mut out = String::new();
        let secrets = texts(&self.secret)
            .into_iter()
            .map(|(key, value)| (key, Secret::new(value.into_bytes())))
            .collect();
        let origin = Origin {
            namespace: self.namespace.clone().unwrap_or_else(|| "argocd".to_owned()),
            self_service: self.namespace.is_some(),
            hides_secrets: self.namespace.is_some(),
        };
        let config = match Config::parse(&texts(&self.config), secrets, origin) {
            Ok(config) => config,
            Err(error) => return format!("no configuration: {error}\n"),
        };
        for warning in &config.warnings {
            writeln!(out, "warning: {warning}").expect("a text");
        }
        let application = object::yaml::decode(self.application.as_bytes()).expect("an application");
        let project = self.project.as_ref();
        let project = project.map(|text| object::yaml::decode(text.as_bytes()).expect("a project is YAML"));
        let now: Timestamp =
            self.now.as_deref().unwrap_or("2026-01-02T00:00:00Z").trim().parse().expect("a time");
        let repository = repository();
        let zone = self.zone.as_deref().map_or(Ok(notify::Zone::Utc), |name| notify::Zone::find(name.trim()));
        let zone = zone.expect("a zone");
        let situation = Situation {
            application: &application,
            project: project.as_ref(),
            repository: &repository,
            now,
            local: &zone,
        };
        if !notify::is_refreshed(&application) {
            return "skipped: sync status out of date\n".to_owned();
        }
        let decision = decide(&config, &situation, delivered.clone());
        *delivered = decision.state.clone();
        tell(&config, &situation, &decision, delivered, now, &mut out);
        delivered.truncate(&decision.current);
        let annotation = delivered.annotation();
        writeln!(out, "{NOTIFIED}: {}", annotation.as_deref().unwrap_or("<absent>")).expect("a text");
        out
    }
}

fn tell(
    config: &Config,
    situation: &Situation<'_>,
    decision: &Decision,
    delivered: &mut State,
    now: Timestamp,
    out: &mut String,
) {
    for problem in &decision.problems {
        writeln!(out, "problem: {problem}").expect("a text");
    }
    for evaluated in &decision.evaluated {
        match &evaluated.outcomes {
            Err(error) => writeln!(out, "{}: {error}", evaluated.trigger).expect("a text"),
            Ok(outcomes) => {
                for outcome in outcomes {
                    let word = match (outcome.unknown, outcome.triggered) {
                        (true, _) => "unknown",
                        (false, true) => "triggered",
                        (false, false) => "not triggered",
                    };
                    let per = &outcome.once_per;
                    writeln!(out, "{}: {word}, once per {per:?}", evaluated.trigger).expect("a text");
                    outcome.errors.iter().for_each(|error| writeln!(out, "error: {error}").expect("a text"));
                }
            }
        }
    }
    for sent in &decision.sent {
        writeln!(out, "sent already: {} to {}", sent.trigger, sent.destination).expect("a text");
    }
    for due in &decision.due {
        writeln!(out, "due: {} to {}", due.trigger, due.destination).expect("a text");
        let mut outside = Clocks(situation.local.name().to_owned());
        match notification(config, situation, &due.templates, &due.destination, &mut outside) {
            Ok(notification) => {
                delivered.told(&due.entry, now);
                let text = object::yaml::encode(&notification.shown());
                text.lines().for_each(|line| writeln!(out, "    {line}").expect("a text"));
            }
            Err(error) => {
                let word = if error.retry { "failed for now" } else { "failed" };
                writeln!(out, "    {word}: {error}").expect("a text");
            }
        }
    }
}

fn case(path: &Path, text: String) -> datatest_stable::Result<()> {
    let mut step = Step::default();
    let mut state = State::default();
    let (mut actual, mut block, mut name) = (String::new(), String::new(), None::<String>);
    for line in text.split_inclusive('\n') {
        let fence = line.trim_end().strip_prefix("```");
        match (fence, &name) {
            (Some(word), None) => {
                name = Some(word.to_owned());
                block.clear();
                actual.push_str(line);
            }
            (Some(""), Some(word)) => {
                let content = std::mem::take(&mut block);
                match word.as_str() {
                    "config" => step.config.clone_from(&content),
                    "secret" => step.secret.clone_from(&content),
                    "application" => step.application.clone_from(&content),
                    "project" => step.project = Some(content.clone()),
                    "namespace" => step.namespace = Some(content.trim().to_owned()),
                    "now" => step.now = Some(content.clone()),
                    "zone" => step.zone = Some(content.clone()),
                    "state" => state = State::parse(content.trim()),
                    "expected" => {}
                    other => return Err(format!("unknown block {other}").into()),
                }
                let written = if word == "expected" { step.run(&mut state) } else { content };
                actual.push_str(&written);
                actual.push_str(line);
                name = None;
            }
            (_, Some(_)) => block.push_str(line),
            (None, None) => actual.push_str(line),
        }
    }
    #[expect(clippy::disallowed_methods, reason = "a test may be asked to rewrite its expectation")]
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &actual)?;
        return Ok(());
    }
    if actual == text {
        return Ok(());
    }
    Err(format!("{} says otherwise now:\n{actual}", path.display()).into())
}

datatest_stable::harness! { { test = case, root = "cases", pattern = r".*\.md$" } }
