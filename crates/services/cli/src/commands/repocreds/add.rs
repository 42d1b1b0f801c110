//! `argocd repocreds add`.

use wire::repocreds::RepoCredsCreateRequest;

use crate::command::{Command, Flag, Running, switch, text};
use crate::commands::repo::{CREDENTIALS, complete, credentials};
use crate::failure::Outcome;
use crate::session::Session;

const OWN: &[Flag] = &[
    text("proxy-url", "Proxy to repositories that use these credentials"),
    switch("upsert", "Override existing credentials with the same URL even if the spec differs"),
];

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd repocreds add https://git.example.com/repos/ --username git --password secret\n  \
              argocd repocreds add ssh://git@git.example.com/repos/ --ssh-private-key-path ~/.ssh/id_rsa",
    flags: &[OWN, CREDENTIALS],
    run: Some(start),
    ..Command::new("add", "REPOURL", "Add git, oci or helm repository connection parameters")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let url = session.only_argument()?;
    let mut wanted = credentials(session, &url)?;
    wanted.proxy = session.text("proxy-url");
    let server = session.server().await?;
    complete(session, &mut wanted)?;
    let upsert = session.is("upsert");
    let request = RepoCredsCreateRequest { creds: Some(wanted), upsert };
    let created = server.credential_templates().create_repository_credentials(request).await?.into_inner();
    session.line(&format!("Repository credentials for '{}' added", created.url));
    Ok(())
}
