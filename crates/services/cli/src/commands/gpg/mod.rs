//! `argocd gpg`: public keys that signatures of commits are verified with.

mod add;
mod get;
mod list;
mod rm;

use crate::command::Command;
use crate::failure::{Failure, Outcome};
use crate::options::KUBERNETES;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&add::COMMAND, &get::COMMAND, &list::COMMAND, &rm::COMMAND],
    ..Command::new("gpg", "", "Manage GPG keys used for signature verification")
};

fn key_id(session: &Session<'_>) -> Outcome<String> {
    match session.arguments() {
        [id] => Ok(id.clone()),
        _ => Err(Failure::generic("Missing KEYID argument")),
    }
}
