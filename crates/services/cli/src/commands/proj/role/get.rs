//! `argocd proj role get`.

use api::v1alpha1::AppProject;
use jiff::Timestamp;

use super::super::{arguments, project};
use super::role;
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::output::moment;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    run: Some(start),
    ..Command::new("get", "PROJECT ROLE-NAME", "Get the details of a specific role")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [name, wanted] = arguments(session)?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    let shown = role(&mut found, &wanted)?.clone();
    session.line(&format!("{:<15}{wanted}", "Role Name:"));
    session.line(&format!("{:<15}{}", "Description:", shown.description));
    session.line("Policies:");
    session.line(&policies(&found));
    session.line("Groups:");
    if shown.groups.is_empty() {
        session.line("<none>");
    }
    for group in &shown.groups {
        session.line(&format!("  - {group}"));
    }
    session.line("JWT Tokens:");
    let mut table = Table::new();
    table.row(&["ID", "ISSUED-AT", "EXPIRES-AT"]);
    let now = Timestamp::now();
    for token in found.status.jwt_tokens_by_role.get(&wanted).map_or(&[][..], |tokens| &tokens.items) {
        let expires = if token.exp > 0 { moment::with_distance(token.exp, now) } else { "<none>".to_owned() };
        table.row(&[&token.iat.to_string(), &moment::with_distance(token.iat, now), &expires]);
    }
    session.print(&table.finish());
    Ok(())
}

/// The policy that all roles of a project make up.
fn policies(project: &AppProject) -> String {
    let name = &project.metadata.name;
    let mut lines = Vec::new();
    for role in &project.spec.roles {
        lines.push(format!("p, proj:{name}:{}, projects, get, {name}, allow", role.name));
        lines.extend(role.policies.iter().cloned());
        lines.extend(role.groups.iter().map(|group| format!("g, {group}, proj:{name}:{}", role.name)));
    }
    lines.join("\n")
}
