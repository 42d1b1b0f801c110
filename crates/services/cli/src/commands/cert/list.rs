//! `argocd cert list`.

use api::v1alpha1::RepositoryCertificate;
use wire::certificate::RepositoryCertificateQuery;

use crate::command::{Command, Flag, Running, text};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

const OWN: &[Flag] = &[
    text("cert-type", "Only list certificates of this type, valid: 'ssh','https'"),
    text("hostname-pattern", "Only list certificates for hosts matching this glob-pattern"),
    output("wide", "Output format. One of: json|yaml|wide"),
    text("sort", "Sort order for output format wide. One of: hostname|type"),
];

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cert list --cert-type https",
    flags: &[OWN],
    run: Some(start),
    ..Command::new("list", "", "List configured certificates")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let cert_type = session.text("cert-type");
    if !matches!(cert_type.as_str(), "" | "ssh" | "https") {
        session.line("cert-type must be either ssh or https");
        return Err(Failure::Exit(1));
    }
    let server = session.server().await?;
    let query = RepositoryCertificateQuery {
        host_name_pattern: session.text("hostname-pattern"),
        cert_type,
        ..RepositoryCertificateQuery::default()
    };
    let mut found = server.certificates().list_certificates(query).await?.into_inner().items;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&found, format)?,
        "wide" | "" => {
            match session.text("sort").as_str() {
                "" | "hostname" => found.sort_by(|left, right| left.server_name.cmp(&right.server_name)),
                "type" => found.sort_by(|left, right| left.cert_type.cmp(&right.cert_type)),
                _ => {}
            }
            session.print(&table(&found));
        }
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn table(certificates: &[RepositoryCertificate]) -> String {
    let mut table = Table::new();
    table.row(&["HOSTNAME", "TYPE", "SUBTYPE", "INFO"]);
    for one in certificates {
        table.row(&[&one.server_name, &one.cert_type, &one.cert_sub_type, &one.cert_info]);
    }
    table.finish()
}
