//! `argocd context`: shows, switches and deletes contexts.

use std::fs;
use std::path::PathBuf;

use crate::command::{Command, Running, switch};
use crate::config::{self, Config};
use crate::failure::{Failure, Outcome};
use crate::output::table::Table;
use crate::session::Session;

pub(crate) static COMMAND: Command = Command {
    aliases: &["ctx"],
    details: "\nExamples:\n  argocd context\n  argocd context cd.argoproj.io\n  argocd context -\n  \
              argocd context cd.argoproj.io --delete",
    flags: &[&[switch("delete", "Delete the context instead of switching to it")]],
    run: Some(start),
    ..Command::new("context", "[CONTEXT]", "Switch between contexts")
};

fn start<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session) })
}

fn run(session: &mut Session<'_>) -> Outcome {
    let path = config::path(session.matches.text("config"), session.environment);
    let Some(config) = config::load(&path)? else { return none_found(session) };
    if session.is("delete") {
        let name = session.first_argument()?;
        return delete(session, config, &name, &path);
    }
    let Some(name) = session.arguments().first().cloned() else { return show(session, &config) };
    switch_to(session, config, name, &path)
}

fn none_found(session: &mut Session<'_>) -> Outcome {
    session.line("No local configuration found");
    Err(Failure::Exit(1))
}

fn show(session: &mut Session<'_>, config: &Config) -> Outcome {
    let mut table = Table::new();
    table.row(&["CURRENT", "NAME", "SERVER"]);
    for context in &config.contexts {
        let current = if context.name == config.current_context { "*" } else { " " };
        match config.resolve(&context.name) {
            Ok(Some(resolved)) => {
                let root = resolved.server.grpc_web_root_path.trim_matches('/').to_owned();
                let server = if root.is_empty() {
                    context.server.clone()
                } else {
                    format!("{}/{root}", context.server)
                };
                table.row(&[current, &context.name, &server]);
            }
            Ok(None) => {}
            Err(message) => session.log(crate::log::Level::Warning, &message),
        }
    }
    session.print(&table.finish());
    Ok(())
}

fn switch_to(session: &mut Session<'_>, mut config: Config, name: String, path: &std::path::Path) -> Outcome {
    let previous = previous_file(path);
    let name = if name == "-" {
        let remembered = fs::read_to_string(&previous).map_err(|error| {
            Failure::generic(format!("open {}: {}", previous.display(), crate::failure::io_error(&error)))
        })?;
        remembered.trim().to_owned()
    } else {
        name
    };
    if config.current_context == name {
        session.line(&format!("Already at context '{name}'"));
        return Ok(());
    }
    if let Err(message) = config.resolve(&name) {
        return Err(Failure::fatal(message));
    }
    let left = std::mem::replace(&mut config.current_context, name.clone());
    config::write(path, &config)?;
    fs::write(previous, left)?;
    session.line(&format!("Switched to context '{name}'"));
    Ok(())
}

/// Where the context before the current one is remembered.
fn previous_file(path: &std::path::Path) -> PathBuf {
    path.parent().unwrap_or(std::path::Path::new("")).join(".prev-ctx")
}

fn delete(session: &mut Session<'_>, mut config: Config, name: &str, path: &std::path::Path) -> Outcome {
    let Some(position) = config.contexts.iter().position(|context| context.name == name) else {
        return Err(Failure::generic(format!("context {name} does not exist")));
    };
    let removed = config.contexts.remove(position);
    config.users.retain(|user| user.name != removed.user);
    // As the original does, even when another context has the same server.
    config.servers.retain(|server| server.server != removed.server);
    if config.servers.is_empty() {
        fs::remove_file(path)?;
    } else {
        if config.current_context == name {
            config.current_context.clear();
        }
        config::write(path, &config)?;
    }
    session.line(&format!("Context '{name}' deleted"));
    Ok(())
}
