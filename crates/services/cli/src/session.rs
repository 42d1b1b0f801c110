//! One call in progress: its flags, its streams, its log.

use std::io::{BufRead, Read, Write};

use crate::connection::core::LocalServer;
use crate::environment::Environment;
use crate::failure::{Failure, Outcome};
use crate::log::{self, Format, Level};
use crate::parse::Matches;

/// What is read of standard input at most.
const READ_LIMIT: usize = 16 << 20;

/// What a command works with.
pub(crate) struct Session<'e> {
    pub(crate) environment: &'e mut Environment,
    pub(crate) matches: Matches,
    pub(crate) format: Format,
    pub(crate) level: Level,
    /// The server of `--core`, which ends with the call.
    pub(crate) local_server: Option<LocalServer>,
}

impl Session<'_> {
    /// Writes text as it is. Nobody listening any more is no reason to stop.
    pub(crate) fn print(&mut self, text: &str) {
        let _ = self.environment.output.write_all(text.as_bytes());
        let _ = self.environment.output.flush();
    }

    /// Writes one line.
    pub(crate) fn line(&mut self, text: &str) {
        self.print(&format!("{text}\n"));
    }

    /// Writes plain text to standard error.
    pub(crate) fn warn_plainly(&mut self, text: &str) {
        let _ = self.environment.errors.write_all(text.as_bytes());
    }

    /// Logs, when the level is wanted.
    pub(crate) fn log(&mut self, level: Level, message: &str) {
        if level <= self.level {
            log::line(self.environment, self.format, level, message);
        }
    }

    /// The arguments.
    pub(crate) fn arguments(&self) -> &[String] {
        &self.matches.arguments
    }

    /// The only argument; anything else shows the help.
    pub(crate) fn only_argument(&self) -> Outcome<String> {
        match self.arguments() {
            [only] => Ok(only.clone()),
            _ => Err(Failure::usage()),
        }
    }

    /// The first argument; none shows the help.
    pub(crate) fn first_argument(&self) -> Outcome<String> {
        self.arguments().first().cloned().ok_or_else(Failure::usage)
    }

    /// The value of a flag.
    pub(crate) fn text(&self, flag: &str) -> String {
        self.matches.text(flag).to_owned()
    }

    /// Whether a switch is on.
    pub(crate) fn is(&self, flag: &str) -> bool {
        self.matches.is(flag)
    }

    /// One line of standard input, without its end.
    pub(crate) fn read_line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        match self.environment.input.read_line(&mut line) {
            Ok(0) => Err(Failure::generic("EOF")),
            Ok(_) => Ok(line.trim_end_matches(['\n', '\r']).to_owned()),
            Err(error) => Err(error.into()),
        }
    }

    /// All of standard input, up to a limit.
    pub(crate) fn read_all(&mut self) -> Outcome<String> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(READ_LIMIT).unwrap_or(u64::MAX);
        self.environment.input.by_ref().take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() > READ_LIMIT {
            return Err(Failure::generic(format!("standard input is longer than {READ_LIMIT} bytes")));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A secret, not shown while it is typed.
    pub(crate) fn read_password(&mut self, prompt: &str) -> Outcome<String> {
        self.print(prompt);
        let hidden = crate::environment::Hidden::start(self.environment.interactive);
        let line = self.read_line();
        if hidden.is_some() {
            self.print("\n");
        }
        line
    }

    /// Asks until the answer is yes or no.
    pub(crate) fn proceed(&mut self, question: &str) -> Outcome<bool> {
        loop {
            self.print(question);
            match self.read_line()?.trim().to_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => {}
            }
        }
    }

    /// Asks about one thing of several, or of only one, until the answer is one of those that are offered. `of_all` says
    /// what an answer for all of them does; `all` remembers it.
    pub(crate) fn confirm_each(
        &mut self,
        question: &str,
        of_all: Option<&str>,
        all: &mut bool,
    ) -> Outcome<bool> {
        let choices = match of_all {
            Some(what) => format!("[y/n/a] where 'a' is to {what} without prompting "),
            None => "[y/n] ".to_owned(),
        };
        loop {
            self.print(&format!("{question} {choices}"));
            match self.read_line()?.trim().to_lowercase().as_str() {
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                "a" | "all" if of_all.is_some() => {
                    *all = true;
                    return Ok(true);
                }
                _ => {}
            }
        }
    }

    /// Asks before something is deleted, when the user wants to be asked.
    pub(crate) fn confirm(&mut self, question: &str) -> Outcome<bool> {
        let wanted = if self.matches.changed("prompts-enabled") || self.is("prompts-enabled") {
            self.is("prompts-enabled")
        } else {
            let path = crate::config::path(self.matches.text("config"), self.environment);
            crate::config::load(&path)?.is_some_and(|config| config.prompts_enabled)
        };
        if wanted { self.proceed(question) } else { Ok(true) }
    }

    /// The name and namespace of an application given as `name` or `namespace/name`; `--app-namespace` is the default.
    pub(crate) fn application(&self, argument: &str) -> (String, String) {
        match argument.split_once('/') {
            Some((namespace, name)) => (name.to_owned(), namespace.to_owned()),
            None => (argument.to_owned(), self.text("app-namespace")),
        }
    }

    /// The same of an ApplicationSet; `--appset-namespace` is the default.
    pub(crate) fn application_set(&self, argument: &str) -> (String, String) {
        match argument.split_once('/') {
            Some((namespace, name)) => (name.to_owned(), namespace.to_owned()),
            None => (argument.to_owned(), self.text("appset-namespace")),
        }
    }
}
