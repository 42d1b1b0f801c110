//! `argocd cluster`: destination clusters.

mod get;
mod list;

use crate::command::Command;
use crate::options::KUBERNETES;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&get::COMMAND, &list::COMMAND],
    ..Command::new("cluster", "", "Manage cluster credentials")
};
