//! `argocd proj role add-group` and `remove-group`.

use super::super::{arguments, project, update};
use super::role;
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static ADD: Command = Command {
    run: Some(start_add),
    ..Command::new("add-group", "PROJECT ROLE-NAME GROUP-CLAIM", "Add a group claim to a project role")
};

pub(crate) static REMOVE: Command = Command {
    run: Some(start_remove),
    ..Command::new(
        "remove-group",
        "PROJECT ROLE-NAME GROUP-CLAIM",
        "Remove a group claim from a role within a project",
    )
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let [name, wanted, group] = arguments(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let groups = &mut role(&mut found, &wanted)?.groups;
    if groups.contains(&group) {
        session.line(&format!("Group '{group}' already present in role '{wanted}'"));
        return Ok(());
    }
    groups.push(group.clone());
    update(&server, found).await?;
    session.line(&format!("Group '{group}' added to role '{wanted}'"));
    Ok(())
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    let [name, wanted, group] = arguments(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let groups = &mut role(&mut found, &wanted)?.groups;
    let Some(index) = groups.iter().position(|known| *known == group) else {
        session.line(&format!("Group '{group}' not present in role '{wanted}'"));
        return Ok(());
    };
    groups.remove(index);
    let question = format!("Are you sure you want to remove '{group}' group from role '{wanted}'? [y/n]");
    if !session.confirm(&question)? {
        session.line(&format!("The command to remove group '{group}' from role '{wanted}' was cancelled."));
        return Ok(());
    }
    update(&server, found).await?;
    session.line(&format!("Group '{group}' removed from role '{wanted}'"));
    Ok(())
}
