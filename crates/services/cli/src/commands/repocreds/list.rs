//! `argocd repocreds list`.

use api::v1alpha1::RepoCreds;
use wire::repocreds::RepoCredsQuery;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd repocreds list\n  argocd repocreds list -o url",
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide|url")]],
    run: Some(start),
    ..Command::new("list", "", "List configured repository credentials")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let query = RepoCredsQuery::default();
    let found = server.credential_templates().list_repository_credentials(query).await?.into_inner().items;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&found, format)?,
        "url" => found.iter().for_each(|template| session.line(&template.url)),
        "wide" | "" => session.print(&table(&found)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn table(templates: &[RepoCreds]) -> String {
    let mut table = Table::new();
    table.row(&["URL PATTERN", "USERNAME", "SSH_CREDS", "TLS_CREDS"]);
    let word = |value: &str| if value.is_empty() { "false" } else { "true" };
    for template in templates {
        let username = if template.username.is_empty() { "-" } else { &template.username };
        let (ssh, tls) = (word(&template.ssh_private_key), word(&template.tls_client_cert_data));
        table.row(&[&template.url, username, ssh, tls]);
    }
    table.finish()
}
