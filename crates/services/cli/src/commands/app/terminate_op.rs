//! `argocd app terminate-op`.

use wire::application::OperationTerminateRequest;

use crate::command::{Command, Running};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[super::NAMESPACE]],
    run: Some(start),
    ..Command::new("terminate-op", "APPNAME", "Terminate running operation of an application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let server = session.server().await?;
    let request =
        OperationTerminateRequest { name: name.clone(), app_namespace: Some(namespace), project: None };
    server.applications().terminate_operation(request).await?;
    session.line(&format!("Application '{name}' operation terminating"));
    Ok(())
}
