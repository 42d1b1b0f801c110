//! `argocd admin settings`: what was written in `argocd-cm`, `argocd-secret` and `argocd-rbac-cm`, tried before it
//! counts.

mod actions;
mod health;
mod ignored;
mod policy;
mod rbac;
mod source;
mod validate;

use crate::command::{Command, Flag, switch, text};
use crate::options::KUBERNETES;

/// Where the settings are.
const SOURCE: &[Flag] = &[
    text("argocd-cm-path", "File with argocd-cm"),
    text("argocd-secret-path", "File with argocd-secret"),
    switch("load-cluster-settings", "Read from the cluster what no file is given for"),
];

pub(crate) static COMMAND: Command = Command {
    inherited: &[SOURCE, KUBERNETES],
    commands: &[&rbac::COMMAND, &OVERRIDES, &validate::COMMAND],
    ..Command::new("settings", "", "Provides set of commands for settings validation and troubleshooting")
};

static OVERRIDES: Command = Command {
    commands: &[&health::COMMAND, &ignored::DIFFERENCES, &ignored::UPDATES, &actions::LIST, &actions::RUN],
    ..Command::new("resource-overrides", "", "Troubleshoot resource overrides")
};
