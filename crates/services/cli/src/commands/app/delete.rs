//! `argocd app delete`.

use tonic::Code;
use wire::application::{ApplicationDeleteRequest, ApplicationQuery};

use super::watch::Events;
use crate::command::{Command, Running, switch, text};
use crate::connection::Server;
use crate::failure::{Failure, Outcome};
use crate::output::application;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app delete my-app\n  argocd app delete my-app other-app\n  \
              argocd app delete -l app.kubernetes.io/instance=my-app",
    flags: &[&[
        super::NAMESPACE,
        switch("cascade", "Delete the resources of the application too").or("true"),
        text("propagation-policy", "How resources are deleted. One of: foreground|background")
            .short('p')
            .or("foreground"),
        text("selector", "Delete applications whose labels match").short('l'),
        switch("wait", "Wait until the application is gone"),
        switch("yes", "Do not ask").short('y'),
    ]],
    run: Some(start),
    ..Command::new("delete", "APPNAME", "Delete an application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let mut names = session.arguments().to_vec();
    let selector = session.text("selector");
    if names.is_empty() && selector.is_empty() {
        return Err(Failure::usage());
    }
    let server = session.server().await?;
    if !selector.is_empty() {
        let query = ApplicationQuery { selector: Some(selector.clone()), ..ApplicationQuery::default() };
        let found = server.applications().list(query).await?.into_inner().items;
        if found.is_empty() {
            return Err(Failure::generic(format!("no apps match selector {selector}")));
        }
        names = found.iter().map(application::qualified_name).collect();
    }
    let mut all = !(session.is("cascade") && session.environment.interactive && !session.is("yes"));
    let several = names.len() > 1;
    for name in names {
        if all || agreed(session, &name, several, &mut all)? {
            delete(session, &server, &name).await?;
            session.line(&format!("application '{name}' deleted"));
        } else {
            session.line(&format!("The command to delete '{name}' was cancelled."));
        }
    }
    Ok(())
}

fn agreed(session: &mut Session<'_>, name: &str, several: bool, all: &mut bool) -> Outcome<bool> {
    let question = format!("Are you sure you want to delete '{name}' and all its resources?");
    session.confirm_each(&question, several.then_some("delete all specified apps and their resources"), all)
}

async fn delete(session: &Session<'_>, server: &Server, argument: &str) -> Outcome {
    let (name, namespace) = session.application(argument);
    // Watching begins before the deletion, so that its end cannot be missed.
    let mut events = Events::new(server, &name, &namespace, "");
    if session.is("wait") {
        events.open().await?;
    }
    let given = |flag: &str| session.matches.changed(flag);
    let request = ApplicationDeleteRequest {
        name,
        app_namespace: Some(namespace),
        cascade: given("cascade").then(|| session.is("cascade")),
        propagation_policy: given("propagation-policy").then(|| session.text("propagation-policy")),
        project: None,
    };
    server.applications().delete(request).await?;
    while session.is("wait") {
        match events.next().await {
            Ok(event) if event.r#type == "DELETED" => break,
            Ok(_) => {}
            Err(status) if matches!(status.code(), Code::NotFound | Code::PermissionDenied) => break,
            Err(status) => return Err(status.into()),
        }
    }
    Ok(())
}
