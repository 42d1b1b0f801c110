//! What a call of the CLI sees of the world around it, as a value: tests give another.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;

use jiff::Zoned;

/// Variables, streams and clock of one call.
pub struct Environment {
    /// Environment variables.
    pub variables: BTreeMap<String, String>,
    /// Standard input.
    pub input: Box<dyn BufRead>,
    /// Standard output.
    pub output: Box<dyn Write>,
    /// Standard error.
    pub errors: Box<dyn Write>,
    /// Whether standard output is a terminal.
    pub interactive: bool,
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self {
            variables: std::env::vars().collect(),
            input: Box::new(io::BufReader::new(io::stdin())),
            output: Box::new(io::stdout()),
            errors: Box::new(io::stderr()),
            interactive: io::stdout().is_terminal(),
        }
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The time on the user's clock.
    pub(crate) fn now(&self) -> Zoned {
        Zoned::now()
    }

    /// The program itself, for what it starts.
    pub(crate) fn program(&self) -> io::Result<PathBuf> {
        std::env::current_exe()
    }

    /// The user's home folder.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    /// The folder of the configuration file.
    pub(crate) fn config_folder(&self) -> PathBuf {
        if let Some(folder) = self.variable("ARGOCD_CONFIG_DIR") {
            return PathBuf::from(folder);
        }
        let home = self.home().unwrap_or_default();
        let legacy = home.join(".argocd");
        if legacy.is_dir() {
            return legacy;
        }
        self.variable("XDG_CONFIG_HOME").map_or_else(|| home.join(".config"), PathBuf::from).join("argocd")
    }
}

/// While this lives, the terminal does not show what is typed.
pub(crate) struct Hidden;

impl Hidden {
    /// Hides typing when there is somebody to see it.
    pub(crate) fn start(interactive: bool) -> Option<Self> {
        (interactive && io::stdin().is_terminal() && stty("-echo")).then(|| Self)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        stty("echo");
    }
}

/// The terminal's settings are changed by the tool made for it: no unsafe code here.
fn stty(setting: &str) -> bool {
    std::process::Command::new("stty").arg(setting).status().is_ok_and(|status| status.success())
}
