//! `argocd admin proj`: manifests of projects, without a server.

use super::spec::{INLINE, print};
use crate::command::{Command, Running, text};
use crate::commands::proj::{create, flags};
use crate::failure::Outcome;
use crate::session::Session;

pub(crate) static COMMAND: Command =
    Command { commands: &[&GENERATE], ..Command::new("proj", "", "Manage projects configuration") };

static GENERATE: Command = Command {
    details: "\nExamples:\n  argocd admin proj generate-spec my-project --dest https://kubernetes.default.svc,default",
    flags: &[
        flags::FLAGS,
        INLINE,
        &[text("file", "File or URL of a manifest of the project; - is standard input").short('f')],
    ],
    run: Some(start),
    ..Command::new("generate-spec", "PROJECT", "Generate declarative config for a project")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let project = create::described(session).await?;
    print(session, &[project])
}
