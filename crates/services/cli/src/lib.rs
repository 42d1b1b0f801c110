//! The `argocd` command line: what people and scripts type. Commands are constants in `commands`, one file each;
//! everything a command needs of the world comes in through `Environment`, so that a test is a call of `run`.

mod command;
mod commands;
mod config;
mod connection;
mod duration;
mod editor;
mod environment;
mod failure;
mod folder;
mod help;
mod log;
mod manifests;
mod options;
mod output;
mod parse;
mod plugin;
mod session;
mod sso;
#[cfg(test)]
mod surface;

use std::io::Write;

pub use environment::Environment;

use crate::failure::Failure;
use crate::log::{Format, Level};
use crate::parse::{Matches, Misused};
use crate::session::Session;

/// The version the CLI reports and sends.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Runs one command line (without the program's name) and returns the exit code.
pub fn run(words: &[String], environment: &mut Environment) -> i32 {
    let defaults = match options::from_variable(environment.variable("ARGOCD_OPTS").unwrap_or_default()) {
        Ok(defaults) => defaults,
        Err(message) => {
            log::line(environment, Format::Text, Level::Fatal, &message);
            return 1;
        }
    };
    let matches = match parse::parse(&commands::ROOT, words, &defaults) {
        Ok(matches) => matches,
        Err(misused) => return misuse(&misused, words, environment),
    };
    let help = help::text(&matches.path);
    if matches.help {
        let _ = environment.output.write_all(help.as_bytes());
        return 0;
    }
    let outcome = prepare(matches, environment).and_then(|mut session| {
        let Some(command) = session.matches.command().run else {
            // A group alone is a question; with a word it does not know, a mistake.
            let asked = session.matches.path.len() == 1 || session.arguments().is_empty();
            session.print(&help);
            return Err((
                Failure::Exit(if asked && session.matches.path.len() == 1 { 0 } else { 1 }),
                session.format,
            ));
        };
        let format = session.format;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| (Failure::from(error), format))?;
        let result = runtime.block_on(command(&mut session));
        // A resolver thread that still waits must not keep the user waiting.
        runtime.shutdown_background();
        result.map_err(|failure| (failure, format))
    });
    match outcome {
        Ok(()) => 0,
        Err((failure, format)) => end(failure, format, &help, environment),
    }
}

/// Applies the flags that concern the call itself.
fn prepare(matches: Matches, environment: &mut Environment) -> Result<Session<'_>, (Failure, Format)> {
    let format = match matches.text("logformat").to_ascii_lowercase().as_str() {
        "json" => Format::Json,
        "text" => Format::Text,
        other => {
            let message = format!("Unknown log format '{other}'");
            return Err((Failure::fatal(message), Format::Text));
        }
    };
    let wanted = matches.text("loglevel").to_owned();
    let Some(level) = Level::named(&wanted) else {
        return Err((Failure::generic(format!("not a valid logrus Level: {wanted:?}")), format));
    };
    Ok(Session { environment, matches, format, level, local_server: None })
}

fn misuse(misused: &Misused, words: &[String], environment: &mut Environment) -> i32 {
    match misused {
        Misused::Flag(message) => {
            let _ = writeln!(environment.output, "Error: {message}");
        }
        Misused::UnknownCommand(word) => {
            match plugin::run(words, environment) {
                Ok(code) => return code,
                Err(message) => log::line(environment, Format::Text, Level::Warning, &message),
            }
            let _ = writeln!(
                environment.output,
                "Error: unknown command {word:?} for \"argocd\"\nRun 'argocd --help' for usage."
            );
        }
    }
    1
}

fn end(failure: Failure, format: Format, help: &str, environment: &mut Environment) -> i32 {
    match failure {
        Failure::Fatal { message, code } => {
            let _ = environment.output.flush();
            log::line(environment, format, Level::Fatal, &message);
            code
        }
        Failure::Usage { code } => {
            let _ = environment.output.write_all(help.as_bytes());
            code
        }
        Failure::Told(message) => {
            let _ = writeln!(environment.output, "Error: {message}");
            1
        }
        Failure::Exit(code) => code,
    }
}
