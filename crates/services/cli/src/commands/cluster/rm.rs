//! `argocd cluster rm`.

use super::described::{connect, endpoint};
use super::get::query;
use super::service_account::Manager;
use crate::command::{Command, Running, switch};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd cluster rm https://12.34.567.89\n  argocd cluster rm cluster-name",
    flags: &[&[switch("yes", "Turn off prompting to confirm remove of cluster resources").short('y')]],
    run: Some(start),
    ..Command::new("rm", "SERVER/NAME", "Remove cluster credentials")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let names = session.arguments().to_vec();
    if names.is_empty() {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    for name in names {
        // Its name is the context with which its account is removed; and nobody is asked about what is not there.
        let asked = server.clusters().get(query(&name)).await;
        let question = format!(
            "Are you sure you want to remove '{name}'? Any Apps deploying to this cluster will go to health status \
             Unknown.[y/n] "
        );
        if !session.is("yes") && !session.confirm(&question)? {
            session.line(&format!("The command to remove '{name}' was cancelled."));
            continue;
        }
        let found = asked?.into_inner();
        server.clusters().delete(query(&name)).await?;
        session.line(&format!("Cluster '{name}' removed"));
        let there = endpoint(session, &found.name)?;
        let connected = connect(&there, &found.name).await?;
        Manager { cluster: &connected, namespace: "kube-system".into() }.uninstall(session).await?;
    }
    Ok(())
}
