//! `argocd admin notifications preview`: what would be sent for an application now, to whom, and why nothing is. Sends nothing and
//! changes nothing.

use notifications::{Machine, Ready};
use notify::{Decision, NOTIFIED, Repository, Situation, State};
use serde_json::Value;
use std::sync::Arc;

use super::super::hub::Hub;
use super::setup::{Installation, Settings, application, project};
use super::template::rendered;
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    run: Some(start),
    ..Command::new(
        "preview",
        "RESOURCE_NAME",
        "Shows which notifications are due for an application, to whom and in which words, without sending any",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    preview(session, &name).await.map_err(Failure::generic)
}

/// What is told of.
struct Subject {
    application: Arc<Value>,
    project: Option<Value>,
    repository: Repository,
}

async fn preview(session: &mut Session<'_>, name: &str) -> Result<(), String> {
    let hub = Hub::connect(session).await?;
    let settings = Settings::read(session, &hub).await?;
    let application = Arc::new(application(&hub, name).await?);
    let all = settings.with_own(session, &hub, &application).await;
    let needed = all.iter().any(Settings::asks_repository);
    let installation = Installation::new(session, &hub, needed).await?;
    let project = project(&hub, &application).await;
    let repository = installation.repository(session, &application)?;
    let subject = Subject { application, project, repository };
    if !notify::is_refreshed(&subject.application) {
        session.line("nothing is sent: the application was not looked at since its last operation ended");
        return Ok(());
    }
    for settings in &all {
        if all.len() > 1 {
            session.line(&settings.title());
        }
        match settings.ready(session, &installation.world) {
            Ok(ready) => show(session, &Arc::new(ready), &subject).await?,
            // A mistake of one is its own.
            Err(error) if all.len() > 1 => session.line(&format!("nothing is sent: {error}")),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What one configuration says.
async fn show(session: &mut Session<'_>, ready: &Arc<Ready>, subject: &Subject) -> Result<(), String> {
    let Subject { application, project, repository } = subject;
    let state = notify::texts(application, "annotations").remove(NOTIFIED).unwrap_or_default();
    let (config, known, asked) = (ready.clone(), application.clone(), repository.clone());
    let its = project.clone();
    let work = tokio::task::spawn_blocking(move || {
        let now = jiff::Timestamp::now();
        let situation = Situation {
            application: &known,
            project: its.as_ref(),
            repository: &asked,
            now,
            local: Machine::zone(),
        };
        notify::decide(&config.config, &situation, State::parse(&state))
    });
    let decision = work.await.map_err(|_| "the triggers could not be evaluated".to_owned())?;
    tell(session, &decision);
    for due in &decision.due {
        session.line(&format!("due: {} to {}", due.trigger, due.destination));
        if !ready.services.names().any(|name| name == due.destination.service) {
            let service = &due.destination.service;
            session.line(&format!("  cannot be sent: notification service '{service}' is not supported"));
            continue;
        }
        let templates = due.templates.clone();
        match rendered(ready, application, project.as_ref(), repository, templates, &due.destination).await {
            Ok(notification) => {
                let text = object::yaml::encode(&notification.shown());
                text.lines().for_each(|line| session.line(&format!("  {line}")));
            }
            Err(error) => session.line(&format!("  cannot be sent: {error}")),
        }
    }
    Ok(())
}

fn tell(session: &mut Session<'_>, decision: &Decision) {
    if decision.evaluated.is_empty() {
        session.line("nobody subscribed to this application");
    }
    decision.problems.iter().for_each(|problem| session.line(&format!("problem: {problem}")));
    for evaluated in &decision.evaluated {
        match &evaluated.outcomes {
            Err(error) => session.line(&format!("{}: {error}", evaluated.trigger)),
            Ok(outcomes) => {
                for outcome in outcomes {
                    let word = match (outcome.unknown, outcome.triggered) {
                        (true, _) => "not known",
                        (false, true) => "triggered",
                        (false, false) => "not triggered",
                    };
                    session.line(&format!("{} {}: {word}", evaluated.trigger, outcome.key));
                    outcome.errors.iter().for_each(|error| session.line(&format!("  {error}")));
                }
            }
        }
    }
    for sent in &decision.sent {
        session.line(&format!("sent already: {} to {}", sent.trigger, sent.destination));
    }
}
