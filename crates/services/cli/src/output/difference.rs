//! The difference of two objects as text: by `$KUBECTL_EXTERNAL_DIFF`, else in the format of plain `diff`.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::process::Command;

use serde_json::Value;
use similar::{ChangeTag, DiffTag, TextDiff};

use crate::failure::{Failure, Outcome};
use crate::options;
use crate::session::Session;

impl Session<'_> {
    /// Prints how `target` differs from `live`; an object that is not there has no text.
    pub(crate) fn print_difference(
        &mut self,
        name: &str,
        live: Option<&Value>,
        target: Option<&Value>,
    ) -> Outcome {
        let text = |object: Option<&Value>| object.map(object::yaml::encode).unwrap_or_default();
        let (live, target) = (text(live), text(target));
        match self.environment.variable("KUBECTL_EXTERNAL_DIFF") {
            None => self.print(&plain(&live, &target)),
            Some(tool) => {
                let words = options::words(tool).map_err(Failure::generic)?;
                let output = external(&words, name, &live, &target)?;
                self.print(&output);
            }
        }
        Ok(())
    }
}

/// Runs the user's tool on two files that only the user can read.
fn external(words: &[String], name: &str, live: &str, target: &str) -> Outcome<String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(plain(live, target)) };
    let folder = tempfile::Builder::new().prefix("argocd-diff").tempdir()?;
    let file_name = name.replace('/', "_");
    let (live_file, target_file) =
        (folder.path().join(format!("{file_name}-live.yaml")), folder.path().join(&file_name));
    for (file, text) in [(&live_file, live), (&target_file, target)] {
        let mut options = fs::OpenOptions::new();
        let mut opened = options.write(true).create_new(true).mode(0o600).open(file)?;
        std::io::Write::write_all(&mut opened, text.as_bytes())?;
    }
    let run = Command::new(program).args(arguments).arg(&live_file).arg(&target_file).output();
    let run = run.map_err(|error| {
        Failure::generic(format!("KUBECTL_EXTERNAL_DIFF: {program}: {}", crate::failure::io_error(&error)))
    })?;
    Ok(String::from_utf8_lossy(&run.stdout).into_owned())
}

/// The format of `diff` without options.
fn plain(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    let mut text = String::new();
    for change in diff.ops() {
        let verb = match change.tag() {
            DiffTag::Equal => continue,
            DiffTag::Delete => 'd',
            DiffTag::Insert => 'a',
            DiffTag::Replace => 'c',
        };
        let _ = writeln!(text, "{}{verb}{}", range(&change.old_range()), range(&change.new_range()));
        let lines: Vec<_> = diff.iter_changes(change).collect();
        for line in lines.iter().filter(|line| line.tag() == ChangeTag::Delete) {
            let _ = write!(text, "< {}", line.value());
        }
        if verb == 'c' {
            text += "---\n";
        }
        for line in lines.iter().filter(|line| line.tag() == ChangeTag::Insert) {
            let _ = write!(text, "> {}", line.value());
        }
    }
    text
}

/// Lines counted from one; an empty range is named by the line before it.
fn range(lines: &std::ops::Range<usize>) -> String {
    match lines.len() {
        0 => lines.start.to_string(),
        1 => lines.end.to_string(),
        _ => format!("{},{}", lines.start + 1, lines.end),
    }
}
