//! The command tree. A new command is a new file and one entry in its group's list.

mod account;
mod admin;
mod app;
mod appset;
mod cert;
mod cluster;
mod completion;
mod configure;
mod context;
mod gpg;
pub(crate) mod login;
mod logout;
mod proj;
mod relogin;
mod render;
mod repo;
mod repocreds;
mod version;

use crate::command::{Command, Flag, text};
use crate::options::GLOBAL;

/// `argocd` itself.
pub(crate) static ROOT: Command = Command {
    inherited: &[GLOBAL],
    commands: &[
        &account::COMMAND,
        &admin::COMMAND,
        &app::COMMAND,
        &appset::COMMAND,
        &cert::COMMAND,
        &cluster::COMMAND,
        &completion::COMMAND,
        &configure::COMMAND,
        &context::COMMAND,
        &gpg::COMMAND,
        &login::COMMAND,
        &logout::COMMAND,
        &proj::COMMAND,
        &relogin::COMMAND,
        &render::COMMAND,
        &repo::COMMAND,
        &repocreds::COMMAND,
        &version::COMMAND,
    ],
    ..Command::new("argocd", "", "argocd controls a Argo CD server")
};

/// The flag with which most commands choose their format.
pub(crate) const fn output(default: &'static str, help: &'static str) -> Flag {
    text("output", help).short('o').or(default)
}
