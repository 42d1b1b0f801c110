//! `argocd cluster`: destination clusters.

mod add;
mod described;
mod get;
mod list;
mod rm;
mod rotate_auth;
mod service_account;
mod set;

pub(super) use described::{CLUSTER, choose, cluster, connect, endpoint};
pub(super) use service_account::{ACCOUNT, Manager};

use crate::command::Command;
use crate::options::KUBERNETES;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[
        &add::COMMAND,
        &get::COMMAND,
        &list::COMMAND,
        &rm::COMMAND,
        &rotate_auth::COMMAND,
        &set::COMMAND,
    ],
    ..Command::new("cluster", "", "Manage cluster credentials")
};
