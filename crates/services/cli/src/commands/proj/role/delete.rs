//! `argocd proj role delete`.

use super::super::{arguments, project, update};
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command =
    Command { run: Some(start), ..Command::new("delete", "PROJECT ROLE-NAME", "Delete a project role") };

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [name, role] = arguments(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let Some(index) = found.spec.roles.iter().position(|known| known.name == role) else {
        session.line(&format!("Role '{role}' does not exist in project"));
        return Ok(());
    };
    found.spec.roles.remove(index);
    if !session.confirm(&format!("Are you sure you want to delete '{role}' role? [y/n]"))? {
        session.line(&format!("The command to delete role '{role}' was cancelled."));
        return Ok(());
    }
    update(&server, found).await?;
    session.line(&format!("Role '{role}' deleted"));
    Ok(())
}
