//! `argocd admin cluster`: what is registered of clusters, and what the controllers keep of them.

mod generate;
mod kubeconfig;
mod modes;
mod namespaces;
mod registered;
mod stats;

use crate::command::Command;

pub(crate) static COMMAND: Command = Command {
    commands: &[
        &generate::COMMAND,
        &kubeconfig::COMMAND,
        &namespaces::COMMAND,
        &stats::SHARDS,
        &stats::COMMAND,
    ],
    ..Command::new("cluster", "", "Manage clusters configuration")
};
