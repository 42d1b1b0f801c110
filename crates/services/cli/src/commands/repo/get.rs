//! `argocd repo get`.

use wire::repository::RepoQuery;

use super::{REFRESH, force_refresh, table};
use crate::command::{Command, Flag, Running, text};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::session::Session;

const OWN: &[Flag] = &[
    output("wide", "Output format. One of: json|yaml|wide|url"),
    text("project", "The project that the repository belongs to"),
    REFRESH,
];

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd repo get https://git.example.com/repos/repo",
    flags: &[OWN],
    run: Some(start),
    ..Command::new("get", "REPO", "Get a configured repository by URL")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let repo = session.only_argument()?;
    let server = session.server().await?;
    let query =
        RepoQuery { repo, force_refresh: force_refresh(session)?, app_project: session.text("project") };
    let found = server.repositories().get(query).await?.into_inner();
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&found, format)?,
        "url" => session.line(&found.repo),
        "wide" | "" => session.print(&table(&[found])),
        format => return Err(unknown(format)),
    }
    Ok(())
}
