//! `argocd account bcrypt`: the hash of a password.

use crate::command::{Command, Running, text};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd account bcrypt --password YOUR_PASSWORD",
    flags: &[&[text("password", "The password; asked for when not given")]],
    run: Some(start),
    ..Command::new("bcrypt", "", "Generate bcrypt hash for any password")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session) })
}

fn run(session: &mut Session<'_>) -> Outcome {
    let password = match session.text("password") {
        empty if empty.is_empty() => session.read_password("Password: ")?,
        given => given,
    };
    let hash = bcrypt::hash(password, 10).map_err(|error| Failure::generic(error.to_string()))?;
    // Go writes the older prefix of the same algorithm.
    session.print(&hash.replacen("$2b$", "$2a$", 1));
    Ok(())
}
