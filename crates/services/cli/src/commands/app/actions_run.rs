//! `argocd app actions run`.

use tonic::Code;
use wire::application::{ResourceActionRunRequest, ResourceActionRunRequestV2};

use super::super::NAMESPACE;
use super::chosen;
use crate::command::{Command, Running, switch, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app actions run my-app restart --kind Deployment",
    flags: &[&[
        switch("all", "Run the action on every resource that matches"),
        NAMESPACE,
        text("group", "Group"),
        text("kind", "Kind").required(),
        text("namespace", "Namespace"),
        text("resource-name", "Name of resource"),
    ]],
    run: Some(start),
    ..Command::new(
        "run",
        "APPNAME ACTION",
        "Runs an available action on resource(s) matching the specified filters.",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [argument, action] = session.arguments() else { return Err(Failure::usage()) };
    let (argument, action) = (argument.clone(), action.clone());
    let (name, namespace) = session.application(&argument);
    let server = session.server().await?;
    for live in chosen::for_actions(session, &server, &name, &namespace, session.is("all")).await? {
        let request = ResourceActionRunRequestV2 {
            name: name.clone(),
            app_namespace: Some(namespace.clone()),
            namespace: Some(live.namespace.clone()),
            resource_name: live.name.clone(),
            version: live.version.clone(),
            group: Some(live.group.clone()),
            kind: live.kind.clone(),
            action: action.clone(),
            ..ResourceActionRunRequestV2::default()
        };
        match server.applications().run_resource_action_v2(request).await {
            Ok(_) => {}
            // A server of before 3.2 knows the older call only.
            Err(status) if status.code() == Code::Unimplemented => {
                let request = ResourceActionRunRequest {
                    name: name.clone(),
                    app_namespace: Some(namespace.clone()),
                    namespace: Some(live.namespace),
                    resource_name: live.name,
                    version: live.version,
                    group: Some(live.group),
                    kind: live.kind,
                    action: action.clone(),
                    project: None,
                };
                #[expect(deprecated, reason = "the only call older servers have")]
                server.applications().run_resource_action(request).await?;
            }
            Err(status) => return Err(status.into()),
        }
    }
    Ok(())
}
