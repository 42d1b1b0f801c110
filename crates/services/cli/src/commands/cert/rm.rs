//! `argocd cert rm`.

use wire::certificate::RepositoryCertificateQuery;

use crate::command::{Command, Flag, Running, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const OWN: &[Flag] = &[
    text("cert-sub-type", "Only remove certs of this sub-type (only for ssh)"),
    text("cert-type", "Only remove certs of this type (ssh, https)"),
];

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cert rm --cert-type https cd.example.com",
    flags: &[OWN],
    run: Some(start),
    ..Command::new("rm", "REPOSERVER", "Remove certificate of TYPE for REPOSERVER")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let pattern = session.first_argument()?;
    let server = session.server().await?;
    // A single star is more likely a slip than a wish.
    if pattern == "*" {
        return Err(Failure::generic("A single wildcard is not allowed as REPOSERVER name."));
    }
    let question = format!("Are you sure you want to remove all certificates for '{pattern}'? [y/n]");
    if !session.confirm(&question)? {
        session.line(&format!("The command to remove all certificates for '{pattern}' was cancelled."));
        return Ok(());
    }
    let query = RepositoryCertificateQuery {
        host_name_pattern: pattern,
        cert_type: session.text("cert-type"),
        cert_sub_type: session.text("cert-sub-type"),
    };
    let removed = server.certificates().delete_certificate(query).await?.into_inner().items;
    if removed.is_empty() {
        session.line("No certificates were removed (none matched the given pattern)");
    }
    for one in removed {
        session.line(&format!(
            "Removed cert for '{}' of type '{}' (subtype '{}')",
            one.server_name, one.cert_type, one.cert_sub_type
        ));
    }
    Ok(())
}
