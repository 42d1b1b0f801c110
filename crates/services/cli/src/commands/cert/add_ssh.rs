//! `argocd cert add-ssh`.

use api::v1alpha1::{RepositoryCertificate, RepositoryCertificateList};
use trust::known_hosts;
use wire::certificate::RepositoryCertificateCreateRequest;

use super::{FROM, UPSERT, given};
use crate::command::{Command, Running, switch};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  ssh-keyscan cd.example.com | argocd cert add-ssh --batch",
    flags: &[&[FROM, UPSERT, switch("batch", "Read lines of known_hosts (mandatory flag)")]],
    run: Some(start),
    ..Command::new("add-ssh", "--batch", "Add SSH known host entries for repository servers")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    if !session.is("batch") {
        return Err(Failure::generic("you need to specify --batch or specify --help for usage instructions"));
    }
    let text = given(session, "SSH known hosts entries from file", "SSH known hosts entries, one per line")?;
    let mut items = Vec::new();
    for line in known_hosts(&text) {
        line.fingerprint().map_err(|error| Failure::generic(error.to_string()))?;
        items.extend(line.names().map(|name| RepositoryCertificate {
            server_name: name.to_owned(),
            cert_type: "ssh".into(),
            cert_sub_type: line.key_type.clone(),
            cert_data: line.data.clone().into_bytes(),
            ..RepositoryCertificate::default()
        }));
    }
    if items.is_empty() {
        return Err(Failure::generic("No valid SSH known hosts data found."));
    }
    let request = RepositoryCertificateCreateRequest {
        certificates: Some(RepositoryCertificateList { items, ..RepositoryCertificateList::default() }),
        upsert: session.is("upsert"),
    };
    let created = server.certificates().create_certificate(request).await?.into_inner().items;
    session.line(&format!("Successfully created {} SSH known host entries", created.len()));
    Ok(())
}
