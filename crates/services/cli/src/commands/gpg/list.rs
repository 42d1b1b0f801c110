//! `argocd gpg list`.

use api::v1alpha1::GnuPGPublicKey;
use wire::gpgkey::GnuPgPublicKeyQuery;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd gpg list",
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide")]],
    run: Some(start),
    ..Command::new("list", "", "List configured GPG public keys")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let keys = server.gpg_keys().list(GnuPgPublicKeyQuery::default()).await?.into_inner().items;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&keys, format)?,
        "wide" | "" => session.print(&table(&keys)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn table(keys: &[GnuPGPublicKey]) -> String {
    let mut table = Table::new();
    table.row(&["KEYID", "TYPE", "IDENTITY"]);
    for key in keys {
        table.row(&[&key.key_id, &key.sub_type.to_uppercase(), &key.owner]);
    }
    table.finish()
}
