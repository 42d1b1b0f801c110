//! `argocd app delete-resource`.

use wire::application::ApplicationResourceDeleteRequest;

use super::actions::chosen;
use crate::command::{Command, Running, switch, text};
use crate::failure::Outcome;
use crate::log::Level;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        switch("all", "Delete every resource that matches"),
        super::NAMESPACE,
        switch("force", "Do not wait for the resource to end"),
        text("group", "Group"),
        text("kind", "Kind").required(),
        text("namespace", "Namespace"),
        switch("orphan", "Keep what the resource owns"),
        text("project", "The project of the application"),
        text("resource-name", "Name of resource"),
    ]],
    run: Some(start),
    ..Command::new("delete-resource", "APPNAME", "Delete resource in an application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    for live in chosen::live(session, &server, &name, &namespace, session.is("all")).await? {
        let text = format!("{}/{} {}/{}", live.group, live.kind, live.namespace, live.name);
        if !session.confirm(&format!("Are you sure you want to delete {text} ? [y/n]"))? {
            session.line(&format!("The command to delete {text} was cancelled."));
            continue;
        }
        let request = ApplicationResourceDeleteRequest {
            name: name.clone(),
            app_namespace: Some(namespace.clone()),
            namespace: Some(live.namespace),
            resource_name: live.name.clone(),
            version: live.version,
            group: Some(live.group),
            kind: live.kind,
            force: Some(session.is("force")),
            orphan: Some(session.is("orphan")),
            project: Some(session.text("project")).filter(|project| !project.is_empty()),
        };
        server.applications().delete_resource(request).await?;
        session.log(Level::Info, &format!("Resource '{}' deleted", live.name));
    }
    Ok(())
}
