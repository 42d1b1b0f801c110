//! `argocd gpg get`.

use wire::gpgkey::GnuPgPublicKeyQuery;

use super::key_id;
use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd gpg get KEYID\n  argocd gpg get KEYID -o yaml",
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide")]],
    run: Some(start),
    ..Command::new("get", "KEYID", "Get the GPG public key with ID <KEYID> from the server")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let key_id = key_id(session)?;
    let server = session.server().await?;
    let key = server.gpg_keys().get(GnuPgPublicKeyQuery { key_id }).await?.into_inner();
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&key, format)?,
        "wide" | "" => session.print(&format!(
            "Key ID:          {}\nKey fingerprint: {}\nKey subtype:     {}\nKey owner:       {}\n\
             Key data follows until EOF:\n{}\n",
            key.key_id,
            key.fingerprint,
            key.sub_type.to_uppercase(),
            key.owner,
            key.key_data
        )),
        format => return Err(unknown(format)),
    }
    Ok(())
}
