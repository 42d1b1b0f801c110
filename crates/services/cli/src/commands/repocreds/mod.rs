//! `argocd repocreds`: credential templates.

mod add;
mod list;
mod rm;

use crate::command::Command;
use crate::options::KUBERNETES;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&add::COMMAND, &list::COMMAND, &rm::COMMAND],
    ..Command::new("repocreds", "", "Manage credential templates for repositories")
};
