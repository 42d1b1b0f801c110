//! `argocd admin notifications trigger`: `get` and `run`.

use notifications::Machine;
use notify::{Situation, Trigger};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::super::hub::Hub;
use super::OUTPUT;
use super::setup::{Installation, Settings, application, project};
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    commands: &[&GET, &RUN],
    ..Command::new("trigger", "", "Notification triggers related commands")
};

static GET: Command = Command {
    flags: &[OUTPUT],
    run: Some(get),
    ..Command::new("get", "", "Prints information about configured triggers")
};

static RUN: Command = Command {
    run: Some(run),
    ..Command::new("run", "NAME RESOURCE_NAME", "Evaluates specified trigger condition and prints the result")
};

fn get<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { list(session).await })
}

fn run<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        // The original says it and ends well.
        if let Err(error) = evaluate(session).await? {
            session.warn_plainly(&format!("{error}\n"));
        }
        Ok(())
    })
}

async fn list(session: &mut Session<'_>) -> Outcome {
    let name = session.arguments().first().cloned().unwrap_or_default();
    let triggers = match triggers(session).await {
        Ok(triggers) => triggers,
        Err(error) => {
            session.warn_plainly(&format!("failed to get api: {error}\n"));
            return Ok(());
        }
    };
    let wanted: BTreeMap<String, Trigger> =
        triggers.into_iter().filter(|(known, _)| name.is_empty() || *known == name).collect();
    match session.text("output").as_str() {
        "" | "wide" => {
            let mut table = Table::with_minimum(5);
            table.row(&["NAME", "TEMPLATE", "CONDITION"]);
            for (name, trigger) in &wanted {
                for (place, condition) in trigger.conditions.iter().enumerate() {
                    let name = if place == 0 { name } else { "" };
                    table.row(&[name, &condition.send.join(", "), &condition.when]);
                }
            }
            session.print(&table.finish());
        }
        "name" => wanted.keys().for_each(|name| session.line(name)),
        format @ ("json" | "yaml") => {
            let all: Map<String, Value> = wanted
                .iter()
                .map(|(name, trigger)| {
                    let conditions = trigger.conditions.iter().map(notify::Condition::to_json).collect();
                    (name.clone(), Value::Array(conditions))
                })
                .collect();
            session.print_document(&all, format)?;
        }
        format => return Err(unknown(format)),
    }
    Ok(())
}

async fn triggers(session: &mut Session<'_>) -> Result<BTreeMap<String, Trigger>, String> {
    let hub = Hub::connect(session).await?;
    let settings = Settings::read(session, &hub).await?;
    let installation = Installation::new(session, &hub, false).await?;
    Ok(settings.ready(session, &installation.world)?.config.triggers)
}

async fn evaluate(session: &mut Session<'_>) -> Outcome<Result<(), String>> {
    let [name, resource] = session.arguments() else {
        let count = session.arguments().len();
        return Err(Failure::fatal(format!("expected two arguments, got {count}")));
    };
    let (name, resource) = (name.clone(), resource.clone());
    Ok(evaluated(session, name, &resource).await)
}

async fn evaluated(session: &mut Session<'_>, name: String, resource: &str) -> Result<(), String> {
    let failed = |error: String| format!("failed to get api: {error}");
    let hub = Hub::connect(session).await.map_err(failed)?;
    let settings = Settings::read(session, &hub).await.map_err(failed)?;
    let installation = Installation::new(session, &hub, settings.asks_repository()).await.map_err(failed)?;
    let config = settings.ready(session, &installation.world).map_err(failed)?.config;
    if !config.triggers.contains_key(&name) {
        let known: Vec<&str> = config.triggers.keys().map(String::as_str).collect();
        return Err(format!("trigger with name '{name}' does not exist (found {})", known.join(", ")));
    }
    let application = application(&hub, resource).await;
    let application = application.map_err(|error| format!("failed to load resource: {error}"))?;
    let repository = installation.repository(session, &application)?;
    let project = project(&hub, &application).await;
    let trigger = name.clone();
    let work = tokio::task::spawn_blocking(move || {
        let now = jiff::Timestamp::now();
        let situation = Situation {
            application: &application,
            project: project.as_ref(),
            repository: &repository,
            now,
            local: Machine::zone(),
        };
        let outcomes = notify::run(&config, &situation, &trigger);
        let conditions = config.triggers.get(&trigger).map(|trigger| trigger.conditions.clone());
        let texts = conditions.unwrap_or_default().into_iter().map(|condition| condition.when);
        let redacted = |errors: Vec<String>| -> Vec<String> {
            errors.iter().map(|error| config.redactor.redact(error)).collect()
        };
        let outcomes = outcomes.map(|outcomes| {
            outcomes
                .into_iter()
                .map(|outcome| (outcome.triggered, redacted(outcome.errors)))
                .collect::<Vec<_>>()
        });
        (texts.collect::<Vec<_>>(), outcomes)
    });
    let (conditions, outcomes) = work.await.map_err(|_| format!("failed to execute trigger {name}"))?;
    let outcomes = outcomes.map_err(|error| format!("failed to execute trigger {name}: {error}"))?;
    let mut table = Table::with_minimum(5);
    table.row(&["CONDITION", "RESULT"]);
    for (condition, (triggered, errors)) in conditions.iter().zip(outcomes) {
        errors.iter().for_each(|error| session.log(Level::Error, error));
        table.row(&[condition, if triggered { "true" } else { "false" }]);
    }
    session.print(&table.finish());
    Ok(())
}
