//! `argocd app logs`.

use tonic::Code;
use wire::application::ApplicationPodLogsQuery;

use crate::command::{Command, Running, int, switch, text};
use crate::failure::{Failure, Outcome, rpc_error};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd app logs my-app\n  argocd app logs my-app -f --tail 100\n  \
              argocd app logs my-app --kind Deployment --name web -c main",
    flags: &[&[
        super::NAMESPACE,
        text("container", "Name of the container").short('c'),
        text("filter", "Only lines with this text; with ! before it, lines without"),
        switch("follow", "Wait for more lines").short('f'),
        text("group", "Resource group"),
        text("kind", "Resource kind"),
        switch("match-case", "The filter tells capitals from small letters").short('m'),
        text("name", "Resource name"),
        text("namespace", "Resource namespace"),
        switch("previous", "Lines of the container that ran before").short('p'),
        int("since-seconds", "Only lines of the last so many seconds"),
        int("tail", "Only the last so many lines"),
        text("until-time", "Only lines until this time"),
    ]],
    run: Some(start),
    ..Command::new("logs", "APPNAME", "Get logs of application pods")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let (name, namespace) = session.application(&session.first_argument()?);
    let server = session.server().await?;
    let mut query = query(session, name, namespace);
    loop {
        let stream = server.applications().pod_logs(query.clone()).await;
        let mut stream = match stream {
            Ok(stream) => stream.into_inner(),
            Err(status) => return Err(broken(&rpc_error(&status))),
        };
        loop {
            match stream.message().await {
                Ok(None) => return Ok(()),
                Ok(Some(entry)) if entry.last => return Ok(()),
                Ok(Some(entry)) => session.line(&entry.content),
                // The server went away while lines were waited for: go on where it stopped.
                Err(status) if status.code() == Code::Unavailable && session.is("follow") => {
                    query.since_seconds = Some(1);
                    break;
                }
                Err(status) => return Err(broken(&rpc_error(&status))),
            }
        }
    }
}

fn broken(reason: &str) -> Failure {
    Failure::fatal(format!("stream read failed: {reason}"))
}

fn query(session: &Session<'_>, name: String, namespace: String) -> ApplicationPodLogsQuery {
    ApplicationPodLogsQuery {
        name,
        app_namespace: Some(namespace),
        group: Some(session.text("group")),
        namespace: Some(session.text("namespace")),
        kind: Some(session.text("kind")),
        resource_name: Some(session.text("name")),
        follow: Some(session.is("follow")),
        tail_lines: Some(session.matches.number("tail")),
        since_seconds: Some(session.matches.number("since-seconds")),
        until_time: Some(session.text("until-time")),
        filter: Some(session.text("filter")),
        match_case: Some(session.is("match-case")),
        container: Some(session.text("container")),
        previous: Some(session.is("previous")),
        ..ApplicationPodLogsQuery::default()
    }
}
