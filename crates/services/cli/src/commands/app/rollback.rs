//! `argocd app rollback`.

use api::v1alpha1::{Application, RevisionHistory};
use wire::application::ApplicationRollbackRequest;

use super::watch::{self, Conditions, Wait};
use crate::command::{Command, Running, switch, uint};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::output::application;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[
        super::NAMESPACE,
        output("wide", "Output format. One of: json|yaml|wide|tree|tree=detailed"),
        switch("prune", "Allow deleting unexpected resources"),
        uint("timeout", "Give up waiting after so many seconds"),
    ]],
    run: Some(start),
    ..Command::new(
        "rollback",
        "APPNAME [ID]",
        "Rollback application to a previous deployed version by History ID, omitted will Rollback to the previous version",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.first_argument()?);
    let id = match session.arguments().get(1) {
        None => None,
        Some(text) => Some(
            text.parse::<i64>()
                .map_err(|_| Failure::generic(format!("strconv.Atoi: parsing \"{text}\": invalid syntax")))?,
        ),
    };
    let server = session.server().await?;
    let found = super::application(&server, &name, &namespace, None).await?;
    let entry = entry(&found, id.filter(|id| *id != -1))?;
    let request = ApplicationRollbackRequest {
        name,
        app_namespace: Some(namespace),
        id: entry.id,
        prune: Some(session.is("prune")),
        dry_run: None,
        project: None,
    };
    server.applications().rollback(request).await?;
    let wait = Wait {
        conditions: Conditions { operation: true, ..Conditions::default() },
        selectors: &[],
        seconds: u64::try_from(session.matches.number("timeout")).unwrap_or(0),
        format: session.text("output"),
    };
    Box::pin(watch::wait(session, &server, &application::qualified_name(&found), &wait)).await?;
    Ok(())
}

/// The deployment with the id; without one, the deployment before the last.
fn entry(application: &Application, id: Option<i64>) -> Outcome<&RevisionHistory> {
    let (name, history) = (&application.metadata.name, &application.status.history);
    match id {
        None => history.iter().rev().nth(1).ok_or_else(|| {
            Failure::generic(format!("application '{name}' should have at least two successful deployments"))
        }),
        Some(id) => history.iter().find(|entry| entry.id == id).ok_or_else(|| {
            Failure::generic(format!("application '{name}' does not have deployment id '{id}' in history"))
        }),
    }
}
