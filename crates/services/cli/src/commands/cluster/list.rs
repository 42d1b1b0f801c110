//! `argocd cluster list`.

use api::v1alpha1::Cluster;
use wire::cluster::ClusterQuery;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide|server")]],
    run: Some(start),
    ..Command::new("list", "", "List configured clusters")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let clusters = server.clusters().list(ClusterQuery::default()).await?.into_inner().items;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&clusters, format)?,
        "server" => clusters.iter().for_each(|cluster| session.line(&cluster.server)),
        "wide" | "" => session.print(&table(&clusters)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn table(clusters: &[Cluster]) -> String {
    let mut table = Table::new();
    table.row(&["SERVER", "NAME", "VERSION", "STATUS", "MESSAGE", "PROJECT"]);
    for cluster in clusters {
        let server = match cluster.namespaces.len() {
            0 => cluster.server.clone(),
            count => format!("{} ({count} namespaces)", cluster.server),
        };
        let state = &cluster.connection_state;
        table.row(&[
            &server,
            &cluster.name,
            &cluster.server_version,
            &state.status,
            &state.message,
            &cluster.project,
        ]);
    }
    table.finish()
}
