//! `argocd cluster rotate-auth`.

use super::get::query;
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cluster rotate-auth https://12.34.567.89\n  argocd cluster rotate-auth cluster-name",
    run: Some(start),
    ..Command::new("rotate-auth", "SERVER/NAME", "argocd cluster rotate-auth SERVER/NAME")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    server.clusters().rotate_auth(query(&name)).await?;
    session.line(&format!("Cluster '{name}' rotated auth"));
    Ok(())
}
