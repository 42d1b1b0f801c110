//! `argocd proj role list`.

use super::super::project;
use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide|name")]],
    run: Some(start),
    ..Command::new("list", "PROJECT", "List all the roles in a project")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    let roles = project(&server, &name).await?.spec.roles;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&roles, format)?,
        "name" => roles.iter().for_each(|role| session.line(&role.name)),
        "wide" | "" => {
            let mut table = Table::new();
            table.row(&["ROLE-NAME", "DESCRIPTION"]);
            for role in &roles {
                table.row(&[&role.name, &role.description]);
            }
            session.print(&table.finish());
        }
        format => return Err(unknown(format)),
    }
    Ok(())
}
