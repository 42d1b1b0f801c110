//! `argocd admin app`: manifests of applications, without a server.

use super::spec::{INLINE, print};
use crate::command::{Command, Running, array, switch, text};
use crate::commands::app::{create, spec};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command =
    Command { commands: &[&GENERATE], ..Command::new("app", "", "Manage applications configuration") };

static GENERATE: Command = Command {
    details: "\nExamples:\n  argocd admin app generate-spec guestbook --repo https://github.com/argoproj/argocd-example-apps.git \\\n    \
              --path guestbook --dest-namespace default --dest-server https://kubernetes.default.svc",
    flags: &[
        spec::FLAGS,
        INLINE,
        &[
            array("annotations", "An annotation of the application, as key=value"),
            text("file", "File or URL of manifests of applications; - is standard input").short('f'),
            array("label", "A label of the application, as key=value").short('l'),
            text("name", "Name of the application"),
            switch("set-finalizer", "Delete the application's objects with it"),
        ],
    ],
    run: Some(start),
    ..Command::new("generate-spec", "APPNAME", "Generate declarative config for an application")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let applications = create::described(session).await?;
    // A name that is given nowhere is a question.
    if applications.is_empty() || applications.iter().any(|one| one.metadata.name.is_empty()) {
        return Err(Failure::usage());
    }
    print(session, &applications)
}
