//! `argocd app get`.

use std::time::Duration;

use api::v1alpha1::Application;
use jiff::Timestamp;
use tonic::Status;
use wire::application::{ApplicationSyncWindowsQuery, ApplicationSyncWindowsResponse};
use wire::project::ProjectQuery;

use super::sources::position;
use crate::command::{Command, Running, int, switch, text, uint};
use crate::commands::output;
use crate::connection::Server;
use crate::failure::Outcome;
use crate::output::documents::unknown;
use crate::output::{application, states, tree};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app get my-app\n  argocd app get my-app -o yaml\n  \
              argocd app get my-app --show-operation\n  argocd app get my-app --refresh\n  \
              argocd app get my-app -o tree=detailed",
    flags: &[&[
        super::NAMESPACE,
        switch("hard-refresh", "Compare again before, and render the manifests anew"),
        output("wide", "Output format. One of: json|yaml|wide|tree"),
        switch("refresh", "Compare again before"),
        switch("show-operation", "Show the last operation"),
        switch("show-params", "Show the parameters of the source"),
        text("source-name", "Name of the source whose parameters are shown"),
        int("source-position", "Position of the source whose parameters are shown, from 1").or("-1"),
        uint("timeout", "Give up after so many seconds"),
    ]],
    run: Some(start),
    ..Command::new("get", "APPNAME", "Get application details")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.first_argument()?);
    let server = session.server().await?;
    let seconds = u64::try_from(session.matches.number("timeout")).unwrap_or(0);
    if seconds == 0 {
        return Box::pin(show(session, &server, &name, &namespace)).await;
    }
    let shown = tokio::time::timeout(
        Duration::from_secs(seconds),
        Box::pin(show(session, &server, &name, &namespace)),
    )
    .await;
    shown.unwrap_or_else(|_| Err(Status::deadline_exceeded("context deadline exceeded").into()))
}

async fn show(session: &mut Session<'_>, server: &Server, name: &str, namespace: &str) -> Outcome {
    let application = super::application(server, name, namespace, refresh(session)).await?;
    let sources = application.spec.effective_sources();
    let named = !session.matches.text("source-name").is_empty();
    let chosen = named || (application.spec.has_several_sources() && session.is("show-params"));
    let chosen = if chosen { position(session, &sources)? } else { 0 };
    let windows = windows(server, &application).await?;
    let format = session.text("output");
    match format.as_str() {
        "json" | "yaml" => return session.print_document(application.as_ref(), &format),
        "wide" | "" | "tree" | "tree=detailed" => {}
        other => return Err(unknown(other)),
    }
    let helm =
        sources.get(chosen).filter(|_| session.is("show-params")).and_then(|source| source.helm.as_ref());
    let parameters = helm.map(application::parameters).unwrap_or_default();
    let url = super::address(server, &application.metadata.name).await?;
    session.print(&application::summary(&application, &url, windows.as_ref()));
    if !application.status.conditions.is_empty() {
        session.print(&format!("\n{}\n", application::conditions(&application)));
    }
    if let Some(state) = application.status.operation_state.as_ref().filter(|_| session.is("show-operation"))
    {
        session.print(&format!("\n{}", application::operation(state, Timestamp::now())));
    }
    session.print(&parameters);
    resources(session, server, &application, &format).await
}

/// The kind of refresh the flags ask for.
pub(crate) fn refresh(session: &Session<'_>) -> Option<&'static str> {
    match (session.is("hard-refresh"), session.is("refresh")) {
        (true, _) => Some("hard"),
        (false, true) => Some("normal"),
        (false, false) => None,
    }
}

/// The resource table or tree, with the blank line before it.
pub(crate) async fn resources(
    session: &mut Session<'_>,
    server: &Server,
    application: &Application,
    format: &str,
) -> Outcome {
    if !format.starts_with("tree") {
        if !application.status.resources.is_empty() {
            session.print(&format!("\n{}", states::table(application)));
        }
        return Ok(());
    }
    let metadata = &application.metadata;
    let query = super::resources_of(&metadata.name, &metadata.namespace);
    let nodes = server.applications().resource_tree(query).await?.into_inner().nodes;
    if !nodes.is_empty() {
        let now = (format == "tree=detailed").then(Timestamp::now);
        let text = tree::of_application(&nodes, &states::of(application, &[]), now);
        session.print(&format!("\n{text}"));
    }
    Ok(())
}

/// The sync windows of the application, when its project has any.
async fn windows(
    server: &Server,
    application: &Application,
) -> Outcome<Option<ApplicationSyncWindowsResponse>> {
    let name = application::project(&application.spec).to_owned();
    let project = server.projects().get(ProjectQuery { name: name.clone() }).await?.into_inner();
    if project.spec.sync_windows.is_empty() {
        return Ok(None);
    }
    let query = ApplicationSyncWindowsQuery {
        name: application.metadata.name.clone(),
        app_namespace: Some(application.metadata.namespace.clone()),
        project: Some(name),
    };
    Ok(Some(server.applications().get_application_sync_windows(query).await?.into_inner()))
}
