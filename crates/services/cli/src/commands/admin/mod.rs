//! `argocd admin`: what administrators do with access to Kubernetes.

mod initial_password;

use crate::command::Command;
use crate::options::KUBERNETES;

pub(crate) static COMMAND: Command = Command {
    inherited: &[KUBERNETES],
    commands: &[&initial_password::COMMAND],
    ..Command::new(
        "admin",
        "",
        "Contains a set of commands useful for Argo CD administrators and requires direct Kubernetes access",
    )
};
