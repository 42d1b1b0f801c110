//! Editing a text in the user's editor until it is taken: what is refused comes back with the reason on top.

use std::process::Command as Process;

use serde::de::DeserializeOwned;

use crate::failure::{Failure, Outcome};
use crate::options;
use crate::session::Session;

/// A text that is being edited.
pub(crate) struct Editing {
    original: String,
    text: String,
    complaint: String,
}

/// What was saved, without comment lines.
pub(crate) struct Edited(String);

impl Edited {
    /// The text as what it describes.
    pub(crate) fn parsed<T: DeserializeOwned>(&self, what: &str) -> Result<T, String> {
        let value = object::yaml::decode(self.0.as_bytes())
            .map_err(|error| format!("error converting YAML to JSON: {error}"))?;
        serde_json::from_value(value)
            .map_err(|error| format!("error unmarshaling input into {what}: {error}"))
    }
}

impl Editing {
    /// Begins with a text.
    pub(crate) fn new(original: String) -> Self {
        Self { text: original.clone(), original, complaint: String::new() }
    }

    /// Opens the editor. Saving nothing new ends it.
    pub(crate) fn next(&mut self, session: &Session<'_>) -> Outcome<Edited> {
        let edited = edited(session, &format!("{}{}", self.complaint, self.text))?;
        let again = edited == self.text && !self.complaint.is_empty();
        if edited == self.original || edited.trim().is_empty() || again {
            return Err(Failure::generic("edit cancelled, no valid changes were saved"));
        }
        Ok(Edited(edited))
    }

    /// Notes why what was saved was not taken.
    pub(crate) fn refused(&mut self, edited: &Edited, reason: &str) {
        self.complaint = reason.lines().map(|line| format!("# {line}\n")).collect();
        self.text.clone_from(&edited.0);
    }
}

/// Shows the text in the editor and returns what was saved, without comment lines.
fn edited(session: &Session<'_>, text: &str) -> Outcome<String> {
    let editor = session.environment.variable("EDITOR").unwrap_or("vi");
    let words = options::words(editor).map_err(Failure::generic)?;
    let (program, arguments) = words.split_first().ok_or_else(|| Failure::generic("EDITOR is empty"))?;
    let file = tempfile::Builder::new().prefix("argocd-").suffix("-edit.yaml").tempfile()?;
    std::fs::write(file.path(), text)?;
    let status = Process::new(program).args(arguments).arg(file.path()).status()?;
    if !status.success() {
        return Err(Failure::generic(format!("{program} ended with {status}")));
    }
    let saved = std::fs::read_to_string(file.path())?;
    Ok(saved.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect())
}
