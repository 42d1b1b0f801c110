//! `argocd app history`.

use api::v1alpha1::RevisionHistory;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::moment;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[super::NAMESPACE, output("wide", "Output format. One of: wide|id")]],
    run: Some(start),
    ..Command::new("history", "APPNAME", "Show application deployment history")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let history = super::application(&server, &name, &namespace, None).await?.status.history;
    if session.matches.text("output") == "id" {
        history.iter().for_each(|entry| session.line(&entry.id.to_string()));
    } else {
        session.print(&table(&history));
    }
    Ok(())
}

/// One block a repository, in the order in which they first occur.
fn table(history: &[RevisionHistory]) -> String {
    let mut blocks: Vec<(String, Vec<[String; 3]>)> = Vec::new();
    let mut add =
        |repository: &str, row: [String; 3]| match blocks.iter_mut().find(|(known, _)| known == repository) {
            Some((_, rows)) => rows.push(row),
            None => blocks.push((repository.to_owned(), vec![row])),
        };
    for entry in history {
        let (id, date) = (entry.id.to_string(), moment::text(&entry.deployed_at));
        if entry.sources.is_empty() {
            let revision = revision(&entry.source.target_revision, &entry.revision);
            add(&entry.source.repo_url, [id, date, revision]);
            continue;
        }
        for (index, source) in entry.sources.iter().enumerate() {
            let known =
                if entry.revisions.len() == entry.sources.len() { &entry.revisions[index] } else { "" };
            add(&source.repo_url, [id.clone(), date.clone(), revision(&source.target_revision, known)]);
        }
    }
    let mut table = Table::new();
    for (index, (repository, rows)) in blocks.iter().enumerate() {
        if index > 0 {
            table.row(&[]);
        }
        table.row(&["SOURCE", repository]);
        table.row(&["ID", "DATE", "REVISION"]);
        for [id, date, revision] in rows {
            table.row(&[id, date, revision]);
        }
    }
    table.finish()
}

fn revision(target: &str, commit: &str) -> String {
    match commit.get(..7) {
        Some(short) => format!("{target} ({short})"),
        None => target.to_owned(),
    }
}
