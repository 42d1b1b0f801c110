//! `argocd proj role create`.

use api::v1alpha1::ProjectRole;

use super::super::{arguments, project, update};
use crate::command::{Command, Running, text};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[text("description", "What the role is for")]],
    run: Some(start),
    ..Command::new("create", "PROJECT ROLE-NAME", "Create a project role")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [name, role] = arguments(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    if found.spec.roles.iter().any(|known| known.name == role) {
        session.line(&format!("Role '{role}' already exists"));
        return Ok(());
    }
    let description = session.text("description");
    found.spec.roles.push(ProjectRole { name: role.clone(), description, ..ProjectRole::default() });
    update(&server, found).await?;
    session.line(&format!("Role '{role}' created"));
    Ok(())
}
