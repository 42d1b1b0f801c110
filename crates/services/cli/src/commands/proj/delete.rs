//! `argocd proj delete`.

use wire::project::ProjectQuery;

use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command =
    Command { run: Some(start), ..Command::new("delete", "PROJECT", "Delete project") };

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    session.first_argument()?;
    let server = session.server().await?;
    for name in session.arguments().to_vec() {
        if session.confirm(&format!("Are you sure you want to delete {name}? [y/n]"))? {
            server.projects().delete(ProjectQuery { name }).await?;
        } else {
            session.line(&format!("The command to delete {name} was cancelled."));
        }
    }
    Ok(())
}
