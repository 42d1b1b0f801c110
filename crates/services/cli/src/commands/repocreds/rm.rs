//! `argocd repocreds rm`.

use wire::repocreds::RepoCredsDeleteRequest;

use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd repocreds rm https://git.example.com/repos/",
    run: Some(start),
    ..Command::new("rm", "CREDSURL", "Remove repository credentials")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let urls = session.arguments().to_vec();
    if urls.is_empty() {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    for url in urls {
        if !session.confirm(&format!("Are you sure you want to remove '{url}'? [y/n] "))? {
            session.line(&format!("The command to remove '{url}' was cancelled."));
            continue;
        }
        let request = RepoCredsDeleteRequest { url: url.clone() };
        server.credential_templates().delete_repository_credentials(request).await?;
        session.line(&format!("Repository credentials for '{url}' removed"));
    }
    Ok(())
}
