//! `argocd account session-token`.

use serde::Serialize;

use crate::command::{Command, Running, text};
use crate::connection::Target;
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    flags: &[&[text("output", "Output format. One of: json|yaml; the token alone by default").short('o')]],
    run: Some(start),
    ..Command::new("session-token", "", "Print the token of the current session")
};

#[derive(Serialize)]
struct Told<'t> {
    token: &'t str,
}

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session).await })
}

/// The server is not asked: it is the token that calls would be made with.
async fn run(session: &mut Session<'_>) -> Outcome {
    let target = Target::resolve(session).await?;
    if target.token.is_empty() {
        return Err(Failure::generic("not logged in: there is no token"));
    }
    match session.text("output").as_str() {
        "" => session.line(&target.token),
        format => session.print_document(&Told { token: &target.token }, format)?,
    }
    Ok(())
}
