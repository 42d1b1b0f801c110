//! `argocd account can-i`: whether the caller is allowed something.

use wire::account::CanIRequest;

use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd account can-i sync applications '*'\n  \
              argocd account can-i get clusters 'https://kubernetes.default.svc'",
    run: Some(start),
    ..Command::new("can-i", "ACTION RESOURCE SUBRESOURCE", "Can I")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let [action, resource, subresource] = session.arguments() else { return Err(Failure::usage()) };
    let request =
        CanIRequest { action: action.clone(), resource: resource.clone(), subresource: subresource.clone() };
    let server = session.server().await?;
    let answer = server.accounts().can_i(request).await?.into_inner();
    session.line(&answer.value);
    Ok(())
}
