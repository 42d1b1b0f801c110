//! `argocd app patch-resource`.

use wire::application::ApplicationResourcePatchRequest;

use super::actions::chosen;
use crate::command::{Command, Running, switch, text};
use crate::failure::Outcome;
use crate::log::Level;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        switch("all", "Patch every resource that matches"),
        super::NAMESPACE,
        text("group", "Group"),
        text("kind", "Kind").required(),
        text("namespace", "Namespace"),
        text("patch", "Patch").required(),
        text(
            "patch-type",
            "application/json-patch+json, application/merge-patch+json or application/strategic-merge-patch+json",
        )
        .or("application/merge-patch+json"),
        text("project", "The project of the application"),
        text("resource-name", "Name of resource"),
    ]],
    run: Some(start),
    ..Command::new("patch-resource", "APPNAME", "Patch resource in an application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    for live in chosen::live(session, &server, &name, &namespace, session.is("all")).await? {
        let request = ApplicationResourcePatchRequest {
            name: name.clone(),
            app_namespace: Some(namespace.clone()),
            namespace: Some(live.namespace),
            resource_name: live.name.clone(),
            version: live.version,
            group: Some(live.group),
            kind: live.kind,
            patch: session.text("patch"),
            patch_type: session.text("patch-type"),
            project: Some(session.text("project")).filter(|project| !project.is_empty()),
        };
        server.applications().patch_resource(request).await?;
        session.log(Level::Info, &format!("Resource '{}' patched", live.name));
    }
    Ok(())
}
