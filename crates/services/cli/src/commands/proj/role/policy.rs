//! `argocd proj role add-policy` and `remove-policy`.

use super::super::{arguments, project, update};
use super::role;
use crate::command::{Command, Flag, Running, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// What a project has a say in.
const RESOURCES: [&str; 6] = ["applications", "applicationsets", "clusters", "exec", "logs", "repositories"];

const FLAGS: &[Flag] = &[
    text("action", "Action to grant/deny permission on (e.g. get, create, list, update, delete)").short('a'),
    text("object", "Object within the project; a pattern. Will want access to '<project>/<object>'")
        .short('o'),
    text("permission", "Whether to allow or deny").short('p').or("allow"),
    text("resource", "Resource e.g. applications, applicationsets, logs, exec, clusters, repositories")
        .short('r')
        .or("applications"),
];

pub(crate) static ADD: Command = Command {
    flags: &[FLAGS],
    run: Some(start_add),
    ..Command::new("add-policy", "PROJECT ROLE-NAME", "Add a policy to a project role")
};

pub(crate) static REMOVE: Command = Command {
    flags: &[FLAGS],
    run: Some(start_remove),
    ..Command::new("remove-policy", "PROJECT ROLE-NAME", "Remove a policy from a role within a project")
};

fn start_add<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { add(session).await })
}

fn start_remove<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { remove(session).await })
}

/// The line of the policy that the flags describe.
fn policy(session: &Session<'_>, project: &str, role: &str) -> String {
    let text = |name: &str| session.matches.text(name);
    format!(
        "p, proj:{project}:{role}, {}, {}, {project}/{}, {}",
        text("resource"),
        text("action"),
        text("object"),
        text("permission")
    )
}

fn named(session: &Session<'_>) -> Outcome<[String; 2]> {
    if !RESOURCES.contains(&session.matches.text("resource")) {
        return Err(Failure::usage());
    }
    arguments(session)
}

async fn add(session: &mut Session<'_>) -> Outcome {
    let [name, wanted] = named(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let line = policy(session, &found.metadata.name, &wanted);
    role(&mut found, &wanted)?.policies.push(line);
    update(&server, found).await
}

async fn remove(session: &mut Session<'_>) -> Outcome {
    let [name, wanted] = named(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let line = policy(session, &found.metadata.name, &wanted);
    let policies = &mut role(&mut found, &wanted)?.policies;
    let Some(index) = policies.iter().position(|known| *known == line) else { return Ok(()) };
    policies.swap_remove(index);
    if !session.confirm(&format!("Are you sure you want to delete '{line}' policy? [y/n]"))? {
        session.line(&format!("The command to delete policy '{line}' was cancelled."));
        return Ok(());
    }
    update(&server, found).await
}
