//! `argocd admin`: what administrators do with access to Kubernetes.

mod app;
mod backup;
mod cluster;
mod export;
mod hub;
mod import;
mod initial_password;
mod notifications;
mod proj;
mod redis_password;
mod repo;
mod secret;
mod settings;
mod spec;

use crate::command::{Command, Flag, text};

/// The original's administrators' commands have flags of their own for what all commands have.
const LOG: &[Flag] = &[
    text("logformat", "Shape of log lines: json or text").or("json"),
    text("loglevel", "Least important level that is logged: debug, info, warn or error").or("info"),
];

pub(crate) static COMMAND: Command = Command {
    inherited: &[LOG],
    commands: &[
        &app::COMMAND,
        &cluster::COMMAND,
        &export::COMMAND,
        &import::COMMAND,
        &initial_password::COMMAND,
        &notifications::COMMAND,
        &proj::COMMAND,
        &redis_password::COMMAND,
        &repo::COMMAND,
        &settings::COMMAND,
    ],
    ..Command::new(
        "admin",
        "",
        "Contains a set of commands useful for Argo CD administrators and requires direct Kubernetes access",
    )
};
