//! `argocd app confirm-deletion`: allows a deletion that waits for a person.

use api::names::DELETION_APPROVED;
use jiff::Timestamp;
use wire::application::{ApplicationQuery, ApplicationUpdateRequest};

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
    let query = ApplicationQuery {
        name: Some(name.clone()),
        app_namespace: Some(namespace),
        ..ApplicationQuery::default()
    };
    let mut application = server.applications().get(query).await?.into_inner();
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    application.metadata.annotations.insert(DELETION_APPROVED.into(), now);
    let request = ApplicationUpdateRequest {
        project: Some(application.spec.project.clone()),
        application,
        // What is to go may have no sources any more.
        validate: Some(false),
    };
    server.applications().update(request).await?;
    session.line(&format!("Application '{name}' updated successfully"));
    Ok(())
}
