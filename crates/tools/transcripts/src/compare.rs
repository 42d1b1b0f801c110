//! Whether an answer is the recorded one.

use serde_json::Value;

use crate::normal::Replacements;
use crate::record::Answer;

/// The first difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Exit code, standard output or standard error.
    pub part: &'static str,
    /// What was recorded, normalised.
    pub recorded: String,
    /// What was answered, normalised.
    pub answered: String,
}

/// The lines around the first difference.
impl std::fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (one, other): (Vec<_>, Vec<_>) =
            (self.recorded.lines().collect(), self.answered.lines().collect());
        let first = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
        let around = |lines: &[&str]| {
            lines.iter().skip(first.saturating_sub(2)).take(8).copied().collect::<Vec<_>>().join("\n")
        };
        let (line, recorded, answered) = (first + 1, around(&one), around(&other));
        write!(formatter, "{} from line {line} on\nrecorded:\n{recorded}\nanswered:\n{answered}", self.part)
    }
}

/// Compares an answer with the recorded one: exit codes, JSON as values, other text with runs of blanks collapsed,
/// of the lines shown while waiting only that there are some, of usage output only that it is there.
///
/// # Errors
/// The first difference.
pub fn compare(recorded: &Answer, answered: &Answer, replacements: &Replacements) -> Result<(), Mismatch> {
    if recorded.exit.is_some() && recorded.exit != answered.exit {
        return Err(Mismatch {
            part: "exit code",
            recorded: format!("{:?}", recorded.exit),
            answered: format!("{:?}\n{}{}", answered.exit, answered.output, answered.errors),
        });
    }
    for (part, one, other) in [
        ("standard output", &recorded.output, &answered.output),
        ("standard error", &recorded.errors, &answered.errors),
    ] {
        let (one, other) = (shape(&replacements.normal(one)), shape(&replacements.normal(other)));
        if !same(&one, &other) {
            return Err(Mismatch { part, recorded: one, answered: other });
        }
    }
    Ok(())
}

fn same(recorded: &str, answered: &str) -> bool {
    if let Some((before, rest)) = recorded.split_once("<help text of \"")
        && let Some((command, after)) = rest.split_once("\">")
    {
        let usage = format!("\nUsage:\n {command}");
        return answered.starts_with(before)
            && answered.ends_with(after.trim_end())
            && answered.contains(&usage);
    }
    recorded == answered
}

/// The text as it is compared.
fn shape(text: &str) -> String {
    if let Ok(value) = serde_json::from_str::<Value>(text) {
        return serde_json::to_string_pretty(&value).unwrap_or_default();
    }
    let mut lines: Vec<String> = Vec::new();
    let mut waiting = false;
    for line in text.lines() {
        let line = blanks_collapsed(line);
        if line.starts_with("TIMESTAMP ") {
            waiting = true;
        } else if waiting && line.starts_with("<time> ") {
            continue;
        } else {
            waiting = false;
        }
        lines.push(line);
    }
    lines.join("\n")
}

fn blanks_collapsed(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut text = String::from(if indent > 0 { " " } else { "" });
    text.push_str(&line.split_whitespace().collect::<Vec<_>>().join(" "));
    text
}
