//! `argocd repo list`.

use wire::repository::RepoQuery;

use super::{REFRESH, force_refresh, table};
use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd repo list\n  argocd repo list -o url\n  argocd repo list --refresh hard",
    flags: &[&[output("wide", "Output format. Supported formats: yaml|json|url|wide"), REFRESH]],
    run: Some(start),
    ..Command::new("list", "", "List configured repositories")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let query = RepoQuery { force_refresh: force_refresh(session)?, ..RepoQuery::default() };
    let found = server.repositories().list_repositories(query).await?.into_inner().items;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&found, format)?,
        "url" => found.iter().for_each(|repository| session.line(&repository.repo)),
        "wide" | "" => session.print(&table(&found)),
        format => {
            let text = format!("unknown output format: {format}. Supported formats: yaml|json|url|wide");
            return Err(Failure::generic(text));
        }
    }
    Ok(())
}
