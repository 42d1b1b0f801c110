//! `argocd admin settings resource-overrides health`.

use health::Checks;
use jiff::Timestamp;
use lua_sandbox::Limits;

use super::source::{Settings, kind_of, resource};
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(super) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd admin settings resource-overrides health ./deploy.yaml --argocd-cm-path ./argocd-cm.yaml",
    run: Some(start),
    ..Command::new("health", "RESOURCE_YAML_PATH", "Assess resource health")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let live = resource(session)?;
    let customizations = Settings::read(session).await?.customizations(session);
    let found = Checks::new(&customizations, Limits::default()).find(&live, Timestamp::now());
    if let Some(fault) = found.fault {
        return Err(Failure::generic(fault.to_string()));
    }
    match found.health {
        Some(health) => {
            session.line(&format!("STATUS: {}", health.status));
            session.line(&format!("MESSAGE: {}", health.message));
        }
        None => session.line(&format!("Health script is not configured for '{}'", kind_of(&live))),
    }
    Ok(())
}
