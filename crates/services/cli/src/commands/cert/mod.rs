//! `argocd cert`: host keys and TLS certificates of repository servers.

mod add_ssh;
mod add_tls;
mod list;
mod rm;

use crate::command::{Command, Flag, switch, text};
use crate::failure::{Failure, Outcome, io_error};
use crate::options::KUBERNETES;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&add_ssh::COMMAND, &add_tls::COMMAND, &list::COMMAND, &rm::COMMAND],
    ..Command::new("cert", "", "Manage repository certificates and SSH known hosts entries")
};

const FROM: Flag = text("from", "Read from this file instead of standard input");
const UPSERT: Flag = switch("upsert", "Replace what is there already and differs");

/// What the file of `--from` holds, or standard input; what is read is said.
fn given(session: &mut Session<'_>, what: &str, typed: &str) -> Outcome<String> {
    let path = session.text("from");
    if path.is_empty() {
        session.line(&format!("Enter {typed}. Press CTRL-D when finished."));
        return session.read_all();
    }
    session.line(&format!("Reading {what} '{path}'"));
    std::fs::read_to_string(&path)
        .map_err(|error| Failure::generic(format!("open {path}: {}", io_error(&error))))
}
