//! `argocd app remove-source`.

use wire::application::ApplicationUpdateSpecRequest;

use super::sources::named;
use crate::command::{Command, Running, int, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app remove-source my-app --source-position 1",
    flags: &[&[
        super::NAMESPACE,
        text("source-name", "Name of the source"),
        int("source-position", "Position of the source, from 1").or("-1"),
    ]],
    run: Some(start),
    ..Command::new("remove-source", "APPNAME", "Remove a source from multiple sources application.")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.only_argument()?);
    let position = session.matches.number("source-position");
    if session.matches.text("source-name").is_empty() && position <= 0 {
        return Err(Failure::generic("Value of source-position must be greater than 0"));
    }
    let server = session.server().await?;
    let mut application = super::application(&server, &name, &namespace, None).await?;
    let named = named(session, &application.spec.sources)?;
    if !application.spec.has_several_sources() {
        return Err(Failure::generic("Application does not have multiple sources configured"));
    }
    let sources = &mut application.spec.sources;
    if sources.len() == 1 {
        return Err(Failure::generic("Cannot remove the only source remaining in the app"));
    }
    let index = named.unwrap_or_else(|| usize::try_from(position).unwrap_or(usize::MAX).saturating_sub(1));
    if index >= sources.len() {
        return Err(Failure::generic(format!("Application does not have source at {position}\n")));
    }
    sources.remove(index);
    if !session.confirm("Are you sure you want to delete the source? [y/n]")? {
        session.line("The command to delete the source was cancelled");
        return Ok(());
    }
    let name = application.metadata.name.clone();
    let request = ApplicationUpdateSpecRequest {
        name: name.clone(),
        spec: application.spec,
        validate: None,
        app_namespace: Some(namespace),
        project: None,
    };
    server.applications().update_spec(request).await?;
    session.line(&format!("Application '{name}' updated successfully"));
    Ok(())
}
