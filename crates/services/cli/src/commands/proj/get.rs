//! `argocd proj get`.

use api::v1alpha1::{AppProject, Cluster, Repository};
use wire::project::ProjectQuery;

use crate::command::{Command, Running};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::output::documents::unknown;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd proj get PROJECT\n  argocd proj get PROJECT -o yaml",
    flags: &[&[output("wide", "Output format. One of: json|yaml|wide")]],
    run: Some(start),
    ..Command::new("get", "PROJECT", "Get project details")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.only_argument()?;
    let server = session.server().await?;
    let detailed = server.projects().get_detailed_project(ProjectQuery { name }).await?.into_inner();
    let project = detailed.project.ok_or_else(|| Failure::generic("the server sent no project"))?;
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&project, format)?,
        "wide" | "" => session.print(&details(&project, &detailed.repositories, &detailed.clusters)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn details(project: &AppProject, repositories: &[Repository], clusters: &[Cluster]) -> String {
    let spec = &project.spec;
    let destinations =
        spec.destinations.iter().map(|one| format!("{},{}", one.server, one.namespace)).collect();
    let allowed =
        spec.cluster_resource_whitelist.iter().map(|one| format!("{}/{}", one.group, one.kind)).collect();
    let denied =
        spec.namespace_resource_blacklist.iter().map(|one| format!("{}/{}", one.group, one.kind)).collect();
    let keys: Vec<_> = spec.signature_keys.iter().map(|key| key.key_id.clone()).collect();
    let keys = if keys.is_empty() { "<none>".to_owned() } else { keys.join(", ") };
    let mut text = line("Name:", &project.metadata.name);
    text += &line("Description:", &spec.description);
    text += &lines("Destinations:", destinations);
    text += &lines("Repositories:", spec.source_repos.clone());
    text += &lines("Source Namespaces:", spec.source_namespaces.clone());
    text += &lines("Scoped Repositories:", repositories.iter().map(|one| one.repo.clone()).collect());
    text += &lines("Allowed Cluster Resources:", allowed);
    text += &lines("Scoped Clusters:", clusters.iter().map(|one| one.server.clone()).collect());
    text += &lines("Denied Namespaced Resources:", denied);
    text += &line("Signature keys:", &keys);
    text + &line("Orphaned Resources:", &super::orphaned(project))
}

fn line(title: &str, value: &str) -> String {
    format!("{title:<29}{value}\n")
}

/// The first entry beside the title, the others below it.
fn lines(title: &str, values: Vec<String>) -> String {
    let values = if values.is_empty() { vec!["<none>".to_owned()] } else { values };
    values.iter().enumerate().map(|(index, value)| line(if index == 0 { title } else { "" }, value)).collect()
}
