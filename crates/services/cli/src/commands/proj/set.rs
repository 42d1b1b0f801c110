//! `argocd proj set`.

use super::{flags, project, update};
use crate::command::{Command, Running};
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[flags::FLAGS],
    run: Some(start),
    ..Command::new("set", "PROJECT", "Set project parameters")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

async fn run(session: &mut Session<'_>) -> Outcome {
    let name = session.first_argument()?;
    let server = session.server().await?;
    let mut found = project(&server, &name).await?;
    if flags::apply(session, &mut found.spec)? == 0 {
        session.log(Level::Error, "Please set at least one option to update");
        return Err(Failure::usage());
    }
    update(&server, found).await
}
