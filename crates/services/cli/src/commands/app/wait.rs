//! `argocd app wait`.

use wire::application::ApplicationQuery;

use super::watch::{self, Conditions, Wait};
use crate::command::{Command, Running, array, switch, text, uint};
use crate::commands::output;
use crate::failure::{Failure, Outcome};
use crate::output::{application, states};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app wait my-app\n  argocd app wait my-app --resource apps:Deployment:my-service\n  \
              argocd app wait -l app.kubernetes.io/instance=my-app",
    flags: &[&[
        super::NAMESPACE,
        switch("degraded", "Wait for degraded"),
        switch("delete", "Wait for delete"),
        switch("health", "Wait for health"),
        switch("hydrated", "Wait for hydration operations"),
        switch("operation", "Wait for pending operations"),
        output("wide", "Output format. One of: json|yaml|wide|tree|tree=detailed"),
        array("resource", "Wait for this resource only, as [!]GROUP:KIND:NAME; * matches all"),
        text("selector", "Wait for applications whose labels match").short('l'),
        switch("suspended", "Wait for suspended"),
        switch("sync", "Wait for sync"),
        uint("timeout", "Give up after so many seconds"),
    ]],
    run: Some(start),
    ..Command::new(
        "wait",
        "[APPNAME.. | -l selector]",
        "Wait for an application to reach a synced and healthy state",
    )
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let selector = session.text("selector");
    let mut names = session.arguments().to_vec();
    if names.is_empty() && selector.is_empty() {
        return Err(Failure::usage());
    }
    let selectors = states::selectors(session.matches.list("resource")).map_err(Failure::generic)?;
    let server = session.server().await?;
    if !selector.is_empty() {
        let query = ApplicationQuery { selector: Some(selector), ..ApplicationQuery::default() };
        let found = server.applications().list(query).await?.into_inner().items;
        names.extend(found.iter().map(application::qualified_name));
    }
    let wait = Wait {
        conditions: conditions(session),
        selectors: &selectors,
        seconds: u64::try_from(session.matches.number("timeout")).unwrap_or(0),
        format: session.text("output"),
    };
    for name in names {
        Box::pin(watch::wait(session, &server, &name, &wait)).await?;
    }
    Ok(())
}

fn conditions(session: &Session<'_>) -> Conditions {
    let given = Conditions {
        sync: session.is("sync"),
        health: session.is("health"),
        operation: session.is("operation"),
        suspended: session.is("suspended"),
        degraded: session.is("degraded"),
        delete: session.is("delete"),
        hydrated: session.is("hydrated"),
    };
    if given == Conditions::default() {
        return Conditions { sync: true, health: true, operation: true, ..given };
    }
    given
}
