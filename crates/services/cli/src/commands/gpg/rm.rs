//! `argocd gpg rm`.

use wire::gpgkey::GnuPgPublicKeyQuery;

use super::key_id;
use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd gpg rm KEYID",
    run: Some(start),
    ..Command::new("rm", "KEYID", "Removes a GPG public key from the server's keyring")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let key_id = key_id(session)?;
    let server = session.server().await?;
    let question = format!("Are you sure you want to remove '{key_id}'? [y/n] ");
    if !session.confirm(&question)? {
        session.line(&format!("The command to delete key with key ID '{key_id}' was cancelled."));
        return Ok(());
    }
    server.gpg_keys().delete(GnuPgPublicKeyQuery { key_id: key_id.clone() }).await?;
    session.line(&format!("Deleted key with key ID {key_id}"));
    Ok(())
}
