//! `argocd appset create`.

use api::v1alpha1::ApplicationSet;
use tonic::Code;
use wire::applicationset::{ApplicationSetCreateRequest, ApplicationSetGetQuery, ApplicationSetWatchQuery};

use crate::command::{Command, Running, switch};
use crate::commands::output;
use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd appset create FILE\n  argocd appset create --dry-run FILE",
    flags: &[&[
        super::NAMESPACE,
        switch("dry-run", "Only check what would be created"),
        output("wide", "Output format. One of: json|yaml|wide"),
        switch("upsert", "Replace an ApplicationSet that exists and is different"),
        switch("wait", "Wait until its Applications are up to date"),
    ]],
    run: Some(start),
    ..Command::new("create", "", "Create one or more ApplicationSets")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let file = session.first_argument()?;
    let sets = super::described(session, &file).await?;
    if sets.is_empty() {
        session.print("No ApplicationSets found while parsing the input file");
        return Err(Failure::Exit(1));
    }
    let server = session.server().await?;
    for set in sets {
        create(session, &server, set).await?;
    }
    Ok(())
}

async fn create(session: &mut Session<'_>, server: &Server, set: ApplicationSet) -> Outcome {
    let query = ApplicationSetGetQuery {
        name: set.metadata.name.clone(),
        appset_namespace: set.metadata.namespace.clone(),
    };
    let existing = match server.application_sets().get(query).await {
        Ok(answer) => Some(answer.into_inner()),
        Err(status) if status.code() == Code::NotFound => None,
        Err(status) => return Err(status.into()),
    };
    let (upsert, dry_run) = (session.is("upsert"), session.is("dry-run"));
    let request = ApplicationSetCreateRequest { applicationset: Some(set), upsert, dry_run };
    let created = server.application_sets().create(request).await?.into_inner();
    let action = match existing {
        None => "created",
        Some(existing) if !upsert || same(&existing, &created) => "unchanged",
        Some(_) => "updated",
    };
    let name = created.metadata.name.clone();
    let pretended = if dry_run { " (dry-run)" } else { "" };
    session.warn_plainly(&format!("ApplicationSet '{name}' {action}{pretended}\n"));
    super::show(session, &created)?;
    if session.is("wait") && !dry_run {
        wait(server, &created).await?;
        session.warn_plainly(&format!("ApplicationSet '{name}' resources are up to date\n"));
    }
    Ok(())
}

fn same(one: &ApplicationSet, other: &ApplicationSet) -> bool {
    one.spec == other.spec
        && one.metadata.labels == other.metadata.labels
        && one.metadata.annotations == other.metadata.annotations
        && one.metadata.finalizers == other.metadata.finalizers
}

/// Until the controller says that the Applications are as the set wants them.
async fn wait(server: &Server, set: &ApplicationSet) -> Outcome {
    let query = ApplicationSetWatchQuery {
        name: set.metadata.name.clone(),
        app_set_namespace: set.metadata.namespace.clone(),
        ..ApplicationSetWatchQuery::default()
    };
    let mut events = server.application_sets().watch(query).await?.into_inner();
    while let Some(event) = events.message().await? {
        let holds = |kind: &str| {
            let mut conditions = event.application_set.status.conditions.iter();
            conditions.any(|condition| condition.r#type == kind && condition.status == "True")
        };
        if event.r#type == "DELETED" {
            break;
        }
        if holds("ResourcesUpToDate") {
            return Ok(());
        }
    }
    Err(Failure::generic(format!("ApplicationSet '{}' is gone or no longer told of", set.metadata.name)))
}
