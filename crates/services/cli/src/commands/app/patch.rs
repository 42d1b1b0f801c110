//! `argocd app patch`.

use wire::application::ApplicationPatchRequest;

use crate::command::{Command, Running, text};
use crate::failure::Outcome;
use crate::output::documents;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app patch my-app --patch '[{\"op\": \"replace\", \"path\": \"/spec/source/path\", \
              \"value\": \"other\"}]'\n  argocd app patch my-app --type merge --patch '{\"spec\": {\"source\": \
              {\"targetRevision\": \"main\"}}}'",
    flags: &[&[
        super::NAMESPACE,
        text("patch", "The patch"),
        text("type", "The type of patch; one of [json merge]").or("json"),
    ]],
    run: Some(start),
    ..Command::new("patch", "APPNAME", "Patch application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let request = ApplicationPatchRequest {
        name,
        patch: session.text("patch"),
        patch_type: session.text("type"),
        app_namespace: Some(namespace),
        project: None,
    };
    let application = server.applications().patch(request).await?.into_inner();
    session.line(&documents::yaml(&application));
    Ok(())
}
