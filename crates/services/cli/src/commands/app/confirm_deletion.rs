//! `argocd app confirm-deletion`: allows a deletion that waits for a person.

use jiff::Timestamp;
use wire::application::ApplicationPatchRequest;

use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[super::NAMESPACE]],
    run: Some(start),
    ..Command::new("confirm-deletion", "APPNAME", "Confirms deletion/pruning of an application resources")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let patch =
        serde_json::json!({"metadata": {"annotations": {"argocd.argoproj.io/deletion-approved": now}}});
    let request = ApplicationPatchRequest {
        name: name.clone(),
        patch: patch.to_string(),
        patch_type: "merge".into(),
        app_namespace: Some(namespace),
        project: None,
    };
    server.applications().patch(request).await?;
    session.line(&format!("Application '{name}' updated successfully"));
    Ok(())
}
