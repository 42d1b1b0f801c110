//! `argocd admin notifications template`: `get` and `notify`.

use notifications::{Machine, Ready};
use notify::{Destination, Notification, Repository, Situation};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::hub::Hub;
use super::OUTPUT;
use super::setup::{Installation, Settings, application, project};
use crate::command::{Command, Running, array};
use crate::failure::{Failure, Outcome};
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    commands: &[&GET, &NOTIFY],
    ..Command::new("template", "", "Notification templates related commands")
};

static GET: Command = Command {
    flags: &[OUTPUT],
    run: Some(get),
    ..Command::new("get", "", "Prints information about configured templates")
};

static NOTIFY: Command = Command {
    flags: &[&[array("recipient", "List of recipients, as service:recipient").or("console:stdout")]],
    run: Some(send),
    ..Command::new(
        "notify",
        "NAME RESOURCE_NAME",
        "Generates notification using the specified template and send it to specified recipients",
    )
};

fn get<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { list(session).await })
}

fn send<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move {
        let [name, resource] = session.arguments() else {
            let count = session.arguments().len();
            return Err(Failure::fatal(format!("expected two arguments, got {count}")));
        };
        let (name, resource) = (name.clone(), resource.clone());
        // The original says it and ends well.
        if let Err(error) = notify_all(session, &name, &resource).await {
            session.warn_plainly(&format!("{error}\n"));
        }
        Ok(())
    })
}

async fn list(session: &mut Session<'_>) -> Outcome {
    let name = session.arguments().first().cloned().unwrap_or_default();
    let templates = match templates(session).await {
        Ok(templates) => templates,
        Err(error) => {
            session.warn_plainly(&format!("failed to get api: {error}\n"));
            return Ok(());
        }
    };
    let wanted: Vec<(&String, &Notification)> =
        templates.iter().filter(|(known, _)| name.is_empty() || **known == name).collect();
    match session.text("output").as_str() {
        "" | "wide" => {
            let mut table = Table::with_minimum(5);
            table.row(&["NAME", "PREVIEW"]);
            wanted.iter().for_each(|(name, template)| table.row(&[name, &template.preview()]));
            session.print(&table.finish());
        }
        "name" => wanted.iter().for_each(|(name, _)| session.line(name)),
        "json" => {
            let each = wanted.iter().map(|(name, template)| {
                let name = object::to_go_json(&Value::String((*name).clone()));
                format!("  {name}: {}", template.to_pretty_json(1))
            });
            let all: Vec<String> = each.collect();
            session.line(&if all.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{\n{}\n}}", all.join(",\n"))
            });
        }
        "yaml" => {
            let all: Map<String, Value> =
                wanted.iter().map(|(name, template)| ((*name).clone(), template.shown())).collect();
            session.print(&object::yaml::encode(&Value::Object(all)));
        }
        format => return Err(unknown(format)),
    }
    Ok(())
}

async fn templates(session: &mut Session<'_>) -> Result<BTreeMap<String, Notification>, String> {
    let hub = Hub::connect(session).await?;
    let settings = Settings::read(session, &hub).await?;
    let installation = Installation::new(session, &hub, false).await?;
    Ok(settings.ready(session, &installation.world)?.config.templates)
}

/// Renders on a thread that may wait for the repo-server.
pub(super) async fn rendered(
    ready: &Arc<Ready>,
    application: &Arc<Value>,
    project: Option<&Value>,
    repository: &Repository,
    templates: Vec<String>,
    destination: &Destination,
) -> Result<Notification, String> {
    let (ready, application, project) = (ready.clone(), application.clone(), project.cloned());
    let (repository, destination) = (repository.clone(), destination.clone());
    let work = tokio::task::spawn_blocking(move || {
        let now = jiff::Timestamp::now();
        let situation = Situation {
            application: &application,
            project: project.as_ref(),
            repository: &repository,
            now,
            local: Machine::zone(),
        };
        notify::notification(&ready.config, &situation, &templates, &destination, &mut Machine)
    });
    let rendered = work.await.map_err(|_| "the template could not be rendered".to_owned())?;
    rendered.map_err(|error| error.message)
}

async fn notify_all(session: &mut Session<'_>, name: &str, resource: &str) -> Result<(), String> {
    let recipients = session.matches.list("recipient").to_vec();
    let failed = |error: String| format!("failed to create API: {error}");
    let hub = Hub::connect(session).await.map_err(failed)?;
    let settings = Settings::read(session, &hub).await.map_err(failed)?;
    let elsewhere = recipients.iter().any(|recipient| !recipient.starts_with("console"));
    let needed = elsewhere || settings.asks_repository();
    // A mistake in the settings is told before anything else is asked.
    let alone = Installation::new(session, &hub, false).await.map_err(failed)?;
    let ready = settings.ready(session, &alone.world).map_err(failed)?;
    let application = application(&hub, resource).await;
    let application = Arc::new(application.map_err(|error| format!("failed to load resource: {error}"))?);
    let installation = Installation::new(session, &hub, needed).await.map_err(failed)?;
    let ready = match needed {
        true => {
            Ready::new(&settings.data(), settings.secrets(), ready.config.origin.clone(), &installation.world)
                .map_err(failed)?
        }
        false => ready,
    };
    let ready = Arc::new(ready);
    let repository = installation.repository(session, &application)?;
    let project = project(&hub, &application).await;
    for recipient in recipients {
        let mut parts = recipient.split(':');
        let destination = Destination {
            service: parts.next().unwrap_or_default().to_owned(),
            recipient: parts.next().unwrap_or_default().to_owned(),
        };
        let failed = |error: String| format!("failed to notify '{recipient}': {error}");
        let is_console = destination.service == "console";
        if !is_console && !ready.services.names().any(|known| known == destination.service) {
            let text = format!("notification service '{}' is not supported", destination.service);
            return Err(failed(text));
        }
        let templates = vec![name.to_owned()];
        let notification =
            rendered(&ready, &application, project.as_ref(), &repository, templates, &destination).await;
        let notification = notification.map_err(failed)?;
        if is_console {
            session.print(&object::yaml::encode(&notification.shown()));
        } else {
            let sent = ready.services.send(&notification, &destination).await;
            sent.map_err(|failure| failed(failure.message))?;
        }
    }
    Ok(())
}
