//! `argocd app list`.

use api::v1alpha1::{Application, ApplicationSpec};
use wire::application::ApplicationQuery;

use crate::command::{Command, Running, array, text};
use crate::commands::output;
use crate::failure::Outcome;
use crate::output::application;
use crate::output::documents::unknown;
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app list\n  argocd app list -l app.kubernetes.io/instance=my-app\n  \
              argocd app list -l 'app.kubernetes.io/instance notin (my-app,other-app)'",
    flags: &[&[
        text("app-namespace", "Only applications of this namespace").short('N'),
        text("cluster", "Only applications with this destination, by name or address").short('c'),
        output("wide", "Output format. One of: wide|name|json|yaml"),
        text("path", "Only applications with this path").short('P'),
        array("project", "Only applications of this project").short('p'),
        text("repo", "Only applications with this repository").short('r'),
        text(
            "selector",
            "Only applications whose labels match: '=', '==', '!=', in, notin, exists & not exists",
        )
        .short('l'),
    ]],
    run: Some(start),
    ..Command::new("list", "", "List applications")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let server = session.server().await?;
    let query = ApplicationQuery {
        selector: Some(session.text("selector")),
        app_namespace: Some(session.text("app-namespace")),
        ..ApplicationQuery::default()
    };
    let mut applications = server.applications().list(query).await?.into_inner().items;
    applications.retain(|application| wanted(session, &application.spec));
    match session.text("output").as_str() {
        format @ ("json" | "yaml") => session.print_document(&applications, format)?,
        "name" => applications.iter().for_each(|one| session.line(&application::qualified_name(one))),
        "wide" => session.print(&table(&applications, true)),
        "" => session.print(&table(&applications, false)),
        format => return Err(unknown(format)),
    }
    Ok(())
}

fn wanted(session: &Session<'_>, spec: &ApplicationSpec) -> bool {
    let projects = session.matches.list("project");
    let (repository, cluster, path) =
        (session.matches.text("repo"), session.matches.text("cluster"), session.matches.text("path"));
    // Of several sources the first counts, as with the original.
    let source = spec.first_source().unwrap_or_default();
    let destination = &spec.destination;
    (projects.is_empty() || projects.iter().any(|project| project == application::project(spec)))
        && (repository.is_empty() || source.repo_url == repository)
        && (path.is_empty() || source.path == path)
        && (cluster.is_empty() || destination.server == cluster || destination.name == cluster)
}

/// The table of applications.
pub(crate) fn table(applications: &[Application], wide: bool) -> String {
    let mut table = Table::new();
    let mut header =
        vec!["NAME", "CLUSTER", "NAMESPACE", "PROJECT", "STATUS", "HEALTH", "SYNCPOLICY", "CONDITIONS"];
    if wide {
        header.extend(["REPO", "PATH", "TARGET"]);
    }
    table.row(&header);
    for one in applications {
        let (name, policy, conditions) =
            (application::qualified_name(one), policy(&one.spec), conditions(one));
        let source = application::source(&one.spec);
        let mut row = vec![
            name.as_str(),
            application::destination(&one.spec),
            &one.spec.destination.namespace,
            application::project(&one.spec),
            &one.status.sync.status,
            &one.status.health.status,
            &policy,
            &conditions,
        ];
        if wide {
            row.extend([source.repo_url.as_str(), &source.path, &source.target_revision]);
        }
        table.row(&row);
    }
    table.finish()
}

fn policy(spec: &ApplicationSpec) -> String {
    match spec.sync_policy.as_ref().and_then(|policy| policy.automated.as_ref()) {
        Some(automated) if automated.enabled != Some(false) => {
            if automated.prune == Some(true) { "Auto-Prune" } else { "Auto" }.to_owned()
        }
        _ => "Manual".to_owned(),
    }
}

/// Each type of condition once, with its count when there are several.
fn conditions(application: &Application) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for condition in &application.status.conditions {
        match counts.iter_mut().find(|(kind, _)| *kind == condition.r#type) {
            Some((_, count)) => *count += 1,
            None => counts.push((&condition.r#type, 1)),
        }
    }
    let texts: Vec<_> = counts
        .iter()
        .map(|(kind, count)| if *count > 1 { format!("{kind}({count})") } else { (*kind).to_owned() })
        .collect();
    if texts.is_empty() { "<none>".to_owned() } else { texts.join(",") }
}
