//! `argocd app actions`: what can be done to a resource besides syncing it.

#[path = "chosen.rs"]
pub(super) mod chosen;
#[path = "actions_list.rs"]
mod list;
#[path = "actions_run.rs"]
mod run;

use crate::command::Command;

pub(crate) static COMMAND: Command = Command {
    commands: &[&list::COMMAND, &run::COMMAND],
    ..Command::new("actions", "", "Manage Resource actions")
};
