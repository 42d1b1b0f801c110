//! `argocd proj role`: what users and tokens of a project may do.

mod create;
mod create_token;
mod delete;
mod delete_token;
mod get;
mod group;
mod list;
mod list_tokens;
mod policy;

use api::v1alpha1::{AppProject, ProjectRole};

use crate::command::Command;
use crate::failure::{Failure, Outcome};

pub(crate) static COMMAND: Command = Command {
    commands: &[
        &group::ADD,
        &policy::ADD,
        &create_token::COMMAND,
        &create::COMMAND,
        &delete_token::COMMAND,
        &delete::COMMAND,
        &get::COMMAND,
        &list_tokens::COMMAND,
        &list::COMMAND,
        &group::REMOVE,
        &policy::REMOVE,
    ],
    ..Command::new("role", "", "Manage a project's roles")
};

/// A role of a project.
fn role<'p>(project: &'p mut AppProject, name: &str) -> Outcome<&'p mut ProjectRole> {
    let of = project.metadata.name.clone();
    let missing = || Failure::generic(format!("role '{name}' does not exist in project '{of}'"));
    project.spec.roles.iter_mut().find(|role| role.name == name).ok_or_else(missing)
}
