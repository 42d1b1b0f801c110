//! `argocd gpg add`.

use api::v1alpha1::GnuPGPublicKey;
use wire::gpgkey::GnuPgPublicKeyCreateRequest;

use crate::command::{Command, Running, text};
use crate::failure::{Failure, Outcome, io_error};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd gpg add --from /path/to/keyfile",
    flags: &[&[text("from", "File with the GPG public key to import").short('f')]],
    run: Some(start),
    ..Command::new("add", "", "Adds a GPG public key to the server's keyring")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let path = session.text("from");
    if path.is_empty() {
        return Err(Failure::generic("--from is mandatory"));
    }
    let bytes = std::fs::read(&path)
        .map_err(|error| Failure::generic(format!("open {path}: {}", io_error(&error))))?;
    let key_data = String::from_utf8_lossy(&bytes).into_owned();
    let server = session.server().await?;
    let publickey = Some(GnuPGPublicKey { key_data, ..GnuPGPublicKey::default() });
    let request = GnuPgPublicKeyCreateRequest { publickey, upsert: false };
    let answer = server.gpg_keys().create(request).await?.into_inner();
    let created = answer.created.map_or(0, |created| created.items.len());
    let skipped = match answer.skipped.len() {
        0 => String::new(),
        count => format!(", and {count} key(s) were skipped because they exist already"),
    };
    session.line(&format!("Created {created} key(s) from input file{skipped}."));
    Ok(())
}
