//! `argocd appset delete`.

use tonic::Code;
use wire::applicationset::{ApplicationSetDeleteRequest, ApplicationSetWatchQuery};

use crate::command::{Command, Running, switch};
use crate::connection::Server;
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd appset delete APPSETNAME (APPSETNAME...)",
    flags: &[&[
        super::NAMESPACE,
        switch("wait", "Wait until it is gone"),
        switch("yes", "Do not ask").short('y'),
    ]],
    run: Some(start),
    ..Command::new("delete", "", "Delete one or more ApplicationSets")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    session.first_argument()?;
    let names = session.arguments().to_vec();
    let server = session.server().await?;
    let mut all = !session.environment.interactive || session.is("yes");
    let several = names.len() > 1;
    for name in names {
        if all || agreed(session, &name, several, &mut all)? {
            delete(session, &server, &name).await?;
            session.line(&format!("applicationset '{name}' deleted"));
        } else {
            session.line(&format!("The command to delete '{name}' was cancelled."));
        }
    }
    Ok(())
}

fn agreed(session: &mut Session<'_>, name: &str, several: bool, all: &mut bool) -> Outcome<bool> {
    let question = format!("Are you sure you want to delete '{name}' and all its Applications?");
    session.confirm_each(
        &question,
        several.then_some("delete all specified ApplicationSets and their Applications"),
        all,
    )
}

async fn delete(session: &Session<'_>, server: &Server, argument: &str) -> Outcome {
    let (name, namespace) = session.application_set(argument);
    // Watching begins before the deletion, so that its end cannot be missed.
    let events = if session.is("wait") {
        let query = ApplicationSetWatchQuery {
            name: name.clone(),
            app_set_namespace: namespace.clone(),
            ..ApplicationSetWatchQuery::default()
        };
        Some(server.application_sets().watch(query).await?.into_inner())
    } else {
        None
    };
    let request = ApplicationSetDeleteRequest { name, appset_namespace: namespace };
    server.application_sets().delete(request).await?;
    let Some(mut events) = events else { return Ok(()) };
    loop {
        match events.message().await {
            Ok(Some(event)) if event.r#type != "DELETED" => {}
            Ok(_) => return Ok(()),
            Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => return Ok(()),
            Err(status) => return Err(status.into()),
        }
    }
}
