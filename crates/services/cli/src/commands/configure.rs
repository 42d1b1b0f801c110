//! `argocd configure`: settings of the CLI itself.

use crate::command::{Command, Running, switch};
use crate::config;
use crate::failure::Outcome;
use crate::options::KUBERNETES;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    details: "\nExamples:\n  argocd configure --prompts-enabled\n  argocd configure --prompts-enabled=false",
    flags: &[&[switch("prompts-enabled", "Ask before commands that delete")]],
    inherited: &[KUBERNETES],
    run: Some(start),
    ..Command::new("configure", "", "Manage local configuration")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session) })
}

fn run(session: &mut Session<'_>) -> Outcome {
    let path = config::path(session.matches.text("config"), session.environment);
    let mut config = config::load(&path)?.unwrap_or_default();
    if session.matches.changed("prompts-enabled") {
        config.prompts_enabled = session.is("prompts-enabled");
    }
    config::write(&path, &config)?;
    let enabled = config.prompts_enabled;
    session.print(&format!(
        "Successfully updated the following configuration settings:\nprompts-enabled: {enabled}\n"
    ));
    Ok(())
}
