//! `argocd admin notifications`: what is configured, what it would say, and saying it.

mod preview;
mod setup;
mod template;
mod trigger;

use crate::command::{Command, Flag, switch, text};
use crate::options::KUBERNETES;

const SETTINGS: &[Flag] = &[
    text("argocd-repo-server", "Address of the repo-server").or("argocd-repo-server:8081"),
    switch("argocd-repo-server-plaintext", "Do not use TLS to reach the repo-server"),
    switch("argocd-repo-server-strict-tls", "Deprecated: use --repo-server-ca-cert-path"),
    text("config-map", "File with argocd-notifications-cm; `-` for standard input"),
    text("repo-server-ca-cert-path", "Certificate authority of the repo-server"),
    text("repo-server-client-cert-key-path", "Key of the certificate shown to the repo-server")
        .or("/app/config/reposerver/mtls/client.key"),
    text("repo-server-client-cert-path", "Certificate shown to the repo-server")
        .or("/app/config/reposerver/mtls/client.crt"),
    text("secret", "File with argocd-notifications-secret; `:empty` for none"),
];

/// Output formats of both lists.
const OUTPUT: &[Flag] = &[text("output", "Output format. One of: json|yaml|wide|name").or("wide").short('o')];

pub(crate) static COMMAND: Command = Command {
    inherited: &[SETTINGS, KUBERNETES],
    commands: &[&preview::COMMAND, &template::COMMAND, &trigger::COMMAND],
    ..Command::new(
        "notifications",
        "",
        "Set of CLI commands that helps manage notifications settings: look at them, try them, send one",
    )
};
