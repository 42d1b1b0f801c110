//! `argocd proj list`.

use api::v1alpha1::AppProject;
use wire::project::ProjectQuery;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide|name")]],
    run: Some(start),
    ..Command::new("list", "", "List projects")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let projects = server.projects().list(ProjectQuery::default()).await?.into_inner().items;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&projects, format)?,
        "name" => projects.iter().for_each(|project| session.line(&project.metadata.name)),
        "wide" | "" => session.print(&table(&projects)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn table(projects: &[AppProject]) -> String {
    let mut table = Table::new();
    table.row(&[
        "NAME",
        "DESCRIPTION",
        "DESTINATIONS",
        "SOURCES",
        "CLUSTER-RESOURCE-WHITELIST",
        "NAMESPACE-RESOURCE-BLACKLIST",
        "SIGNATURE-KEYS",
        "ORPHANED-RESOURCES",
        "DESTINATION-SERVICE-ACCOUNTS",
    ]);
    for project in projects {
        let spec = &project.spec;
        let destination =
            || spec.destinations.first().map(|first| format!("{},{}", first.server, first.namespace));
        let whitelisted =
            || spec.cluster_resource_whitelist.first().map(|first| format!("{}/{}", first.group, first.kind));
        let accounts = || {
            let first = spec.destination_service_accounts.first()?;
            Some(format!("{},{},{}", first.server, first.namespace, first.default_service_account))
        };
        table.row(&[
            &project.metadata.name,
            &spec.description,
            &summary(spec.destinations.len(), destination, "destinations"),
            &summary(spec.source_repos.len(), || spec.source_repos.first().cloned(), "repos"),
            &summary(spec.cluster_resource_whitelist.len(), whitelisted, "resources"),
            &summary(spec.namespace_resource_blacklist.len(), || None, "resources"),
            &summary(spec.signature_keys.len(), || None, "key(s)"),
            &super::orphaned(project),
            &summary(spec.destination_service_accounts.len(), accounts, "destinationServiceAccounts"),
        ]);
    }
    table.finish()
}

/// None, the only entry where it is short, or how many there are.
fn summary(count: usize, only: impl Fn() -> Option<String>, unit: &str) -> String {
    match (count, only()) {
        (0, _) => "<none>".to_owned(),
        (1, Some(only)) => only,
        _ => format!("{count} {unit}"),
    }
}
