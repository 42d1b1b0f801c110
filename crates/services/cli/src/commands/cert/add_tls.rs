//! `argocd cert add-tls`.

use std::collections::BTreeSet;

use api::v1alpha1::{RepositoryCertificate, RepositoryCertificateList};
use trust::{Certificate, certificates};
use wire::certificate::RepositoryCertificateCreateRequest;

use super::{FROM, UPSERT, given};
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cert add-tls --from ~/mycert.pem cd.example.com\n  \
              cat ~/mycert.pem | argocd cert add-tls cd.example.com",
    flags: &[&[FROM, UPSERT]],
    run: Some(start),
    ..Command::new(
        "add-tls",
        "SERVERNAME",
        "Add TLS certificate data for connecting to repository server SERVERNAME",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let name = session.only_argument()?;
    let text =
        given(session, "TLS certificate data in PEM format from", "TLS certificate data in PEM format")?;
    let unique = unique(session, &text)?;
    if unique.is_empty() {
        session.line("No valid certificates have been detected in the stream.");
        return Ok(());
    }
    let certificate = RepositoryCertificate {
        server_name: name.clone(),
        cert_type: "https".into(),
        cert_data: unique.join("\n").into_bytes(),
        ..RepositoryCertificate::default()
    };
    let items = vec![certificate];
    let request = RepositoryCertificateCreateRequest {
        certificates: Some(RepositoryCertificateList { items, ..RepositoryCertificateList::default() }),
        upsert: session.is("upsert"),
    };
    server.certificates().create_certificate(request).await?;
    session.line(&format!(
        "Created/updated TLS certificate entry for repository server {name} with {} unique PEM certificates",
        unique.len()
    ));
    Ok(())
}

/// The certificates in a text, each once.
fn unique(session: &mut Session<'_>, text: &str) -> Outcome<Vec<String>> {
    let invalid = |error: trust::InvalidCertificate| Failure::generic(error.to_string());
    let (mut seen, mut unique) = (BTreeSet::new(), Vec::new());
    for pem in certificates(text).map_err(invalid)? {
        let Certificate { fingerprint, subject, .. } = Certificate::parse(&pem).map_err(invalid)?;
        if seen.insert(fingerprint.clone()) {
            unique.push(pem);
        } else {
            session.line(&format!(
                "WARNING: Duplicate certificate detected (SHA256 fingerprint {fingerprint}, subject '{subject}'), skipping."
            ));
        }
    }
    Ok(unique)
}
