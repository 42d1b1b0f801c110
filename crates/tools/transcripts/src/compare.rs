//! Whether an answer is the recorded one.

use serde_json::Value;

use crate::exchange::Response;
use crate::json::comparable;
use crate::normal::Replacements;
use crate::places::differing_places;
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

/// The first difference of two calls of a gRPC client that prints messages as JSON between lines of text.
///
/// # Errors
/// The first difference.
pub fn compare_calls(
    recorded: &Answer,
    answered: &Answer,
    replacements: &Replacements,
) -> Result<(), Mismatch> {
    let form = |text: &str| messages(&replacements.normal(text));
    let form = |answer: &Answer| Answer {
        output: form(&answer.output),
        errors: form(&answer.errors),
        ..answer.clone()
    };
    let (one, other) = (form(recorded), form(answered));
    let differs = [
        ("standard output", &one.output, &other.output),
        ("standard error", &one.errors, &other.errors),
        ("exit code", &format!("{:?}", one.exit), &format!("{:?}", other.exit)),
    ];
    match differs.into_iter().find(|(_, one, other)| one != other) {
        None => Ok(()),
        Some((part, one, other)) => Err(Mismatch {
            part,
            recorded: one.clone(),
            answered: format!("{other}\n{}", other_part(part, &answered.errors)),
        }),
    }
}

/// What explains a difference elsewhere.
fn other_part<'text>(part: &str, errors: &'text str) -> &'text str {
    if part == "standard error" { "" } else { errors }
}

/// Lines of text as they are, messages as JSON that can be compared. When an answer was sent is not compared, and what
/// the client says of the method's description was not recorded.
fn messages(text: &str) -> String {
    let (mut whole, mut message): (Vec<String>, Option<String>) = (Vec::new(), None);
    let (before, rest) = text.split_once("\nResolved method descriptor:\n").unwrap_or((text, ""));
    let after =
        rest.split_once("\n\nRequest metadata").map(|(_, after)| format!("\nRequest metadata{after}"));
    let text = format!("{before}{}", after.unwrap_or_default());
    for line in text.lines() {
        if line == "{" {
            message = Some(String::new());
        }
        match &mut message {
            Some(json) => {
                json.push_str(line);
                json.push('\n');
                if line == "}" {
                    whole.push(shape(json));
                    message = None;
                }
            }
            None if TRAVEL.iter().any(|name| line.starts_with(name)) => {}
            None => whole.push(
                line.split_once(UNMARSHALLING)
                    .map_or_else(|| line.to_owned(), |(before, _)| format!("{before}{UNMARSHALLING}")),
            ),
        }
    }
    whole.extend(message);
    whole.join("\n")
}

/// Headers that were not recorded, and the one that ours adds.
const TRAVEL: [&str; 3] = ["date: ", "content-length: ", "rbac-line: "];
/// What comes after is in the words of a library.
const UNMARSHALLING: &str = "grpc: error unmarshalling request: ";

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

/// The first difference of an exchange: the status, the headers the recording has, the body.
///
/// # Errors
/// The first difference.
pub fn compare_responses(
    recorded: &Response,
    answered: &Response,
    replacements: &Replacements,
) -> Result<(), Mismatch> {
    // The recorder gave up before the first byte: a stream whose head ours sends at once is as silent.
    if recorded.status == 0 {
        let silent = answered.body.is_empty();
        let mismatch =
            Mismatch { part: "body", recorded: "<silence>".into(), answered: answered.body.clone() };
        return if silent { Ok(()) } else { Err(mismatch) };
    }
    if recorded.status != answered.status {
        return Err(Mismatch {
            part: "status",
            recorded: format!("{} {}", recorded.status, replacements.normal(&recorded.body)),
            answered: format!("{} {}", answered.status, replacements.normal(&answered.body)),
        });
    }
    let (one, other) = (headers(&recorded.headers, replacements), headers(&answered.headers, replacements));
    let missing: Vec<_> =
        one.iter().filter(|line| !other.iter().any(|other| says(other, line))).cloned().collect();
    if !missing.is_empty() {
        return Err(Mismatch { part: "headers", recorded: missing.join("\n"), answered: other.join("\n") });
    }
    if recorded.cut {
        return Ok(());
    }
    let body = |text: &str| {
        let lines = text.trim_end().lines().map(|line| shape(&replacements.normal(line)));
        lines.collect::<Vec<_>>().join("\n")
    };
    let whole = |text: &str| match serde_json::from_str::<Value>(&quoted(&replacements.normal(text))) {
        Ok(_) => shape(&replacements.normal(text)),
        Err(_) => body(text),
    };
    let (one, other) = (whole(&recorded.body), whole(&answered.body));
    if one != other {
        return Err(Mismatch { part: "body", recorded: one, answered: other });
    }
    Ok(())
}

/// Compares two objects as they are stored.
///
/// # Errors
/// Every place in which they differ.
pub fn compare_objects(
    recorded: &Value,
    answered: &Value,
    replacements: &Replacements,
) -> Result<(), Vec<String>> {
    let normal = |value: &Value| comparable(&normal_value(value, replacements));
    let places = differing_places(&normal(recorded), &normal(answered));
    if places.is_empty() { Ok(()) } else { Err(places) }
}

/// The value with every text as it is compared; a number that is a time is one.
fn normal_value(value: &Value, replacements: &Replacements) -> Value {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.clone(), normal_value(value, replacements)));
            Value::Object(fields.collect())
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| normal_value(item, replacements)).collect())
        }
        Value::String(text) => Value::from(replacements.normal(text)),
        Value::Number(number) if number.as_i64().is_some_and(|number| EPOCHS.contains(&number)) => {
            Value::from("<epoch>")
        }
        other => other.clone(),
    }
}

/// Seconds since 1970 that the patterns take for a time, too.
const EPOCHS: std::ops::Range<i64> = 1_700_000_000..1_900_000_000;

/// Whether one header says what another does. A cookie may have more attributes than the recorded one; names of headers
/// come in any order, and ours may be more.
fn says(answered: &str, recorded: &str) -> bool {
    let parts = |line: &str| line.split("; ").map(str::to_ascii_lowercase).collect::<Vec<_>>();
    match recorded.strip_prefix("set-cookie: ") {
        Some(_) => {
            let answered = parts(answered);
            parts(recorded).iter().all(|part| answered.contains(part))
        }
        None if recorded.starts_with("access-control-expose-headers: ") => {
            let names = |line: &str| {
                let list = line.split_once(": ").map_or("", |(_, list)| list);
                list.split(", ").map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
            };
            answered.starts_with("access-control-expose-headers: ")
                && names(answered).is_superset(&names(recorded))
        }
        None if recorded.contains(UNMARSHALLING) => {
            let before = |line: &str| line.split_once(UNMARSHALLING).map(|(before, _)| before.to_owned());
            before(answered) == before(recorded)
        }
        None => answered == recorded,
    }
}

/// Headers that say something about the answer, not about how it travels.
fn headers(headers: &[(String, String)], replacements: &Replacements) -> Vec<String> {
    let told = headers.iter().filter(|(name, _)| {
        let name = name.to_ascii_lowercase();
        !["transfer-encoding", "date", "content-length", "connection", "trailer"].contains(&name.as_str())
    });
    let lines =
        told.map(|(name, value)| replacements.normal(&format!("{}: {value}", name.to_ascii_lowercase())));
    lines.collect()
}

/// JSON whose numbers the recorder replaced is JSON again.
fn quoted(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["epoch", "n", "duration"] {
        for before in [":", ": "] {
            text = text.replace(&format!("\"{before}<{name}>"), &format!("\"{before}\"#<{name}>\""));
        }
    }
    text
}

/// The text as it is compared.
fn shape(text: &str) -> String {
    if let Ok(value) = serde_json::from_str::<Value>(&quoted(text)) {
        return serde_json::to_string_pretty(&comparable(&value)).unwrap_or_default();
    }
    let mut lines: Vec<String> = Vec::new();
    let mut waiting = false;
    let mut table: Option<Table> = None;
    for line in without_noise(text) {
        let line = blanks_collapsed(line);
        if line.starts_with("TIMESTAMP ") {
            waiting = true;
            continue;
        }
        if waiting && line.starts_with("<time> ") {
            continue;
        }
        let header = TABLES.iter().any(|start| line.starts_with(start));
        if line.is_empty() || header {
            sort(&mut lines, table.take());
        }
        let line = match &table {
            Some(table) => table.row(&line),
            None => line,
        };
        if header {
            table = Some(Table { from: lines.len() + 1, ages: line.contains(" AGE") });
        }
        lines.push(line);
    }
    sort(&mut lines, table);
    // What a sync leaves behind is well a moment earlier or later.
    let text = lines.join("\n");
    // Which of two threads of the original ends first decides where this stands, and whether.
    let text = text.replace("The command timed out waiting for the conditions to be met.\n\n", "");
    let text = text.trim_matches('\n').to_owned();
    if waiting { text.replace("Progressing", "Healthy") } else { text }
}

/// How tables begin whose rows come in the order of what happened, or in any.
const TABLES: &[&str] = &["GROUP KIND NAMESPACE", "KIND/NAME STATUS", "FIELD RESOURCE NAME", "ID ISSUED AT"];

/// A table under way.
struct Table {
    from: usize,
    ages: bool,
}

impl Table {
    fn row(&self, line: &str) -> String {
        let line = line.replace("└─", "├─");
        if !self.ages {
            return line;
        }
        let words = line.split(' ').map(|word| if is_age(word) { "<age>" } else { word });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn is_age(word: &str) -> bool {
    let letters = word.trim_matches(|letter: char| letter.is_ascii_digit());
    word.starts_with(|letter: char| letter.is_ascii_digit())
        && word.ends_with(['s', 'm', 'h', 'd'])
        && letters.chars().all(|letter| letter.is_ascii_digit() || "smhd".contains(letter))
}

/// What the original says of its own informers and of settings it reads.
const INSIDE: [&str; 5] = [
    "Starting configmap/secret informers",
    "Configmap/secret informer synced",
    "Cluster cache informer synced",
    "Ignore status for all objects",
    "Using diffing customizations to ignore resource updates",
];

/// The lines without who wrote which field, and without what a refresh of the original leaves behind.
fn without_noise(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut left_out: Option<usize> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if let Some(outer) = left_out {
            if indent > outer || (indent == outer && line.trim_start().starts_with("- ")) {
                continue;
            }
            left_out = None;
        }
        let word = line.trim_start();
        if word.starts_with("{\"level\":\"info\"") && INSIDE.iter().any(|text| word.contains(text)) {
            continue;
        }
        if word == "managedFields:" {
            left_out = Some(indent);
            continue;
        }
        if !word.starts_with("argocd.argoproj.io/hydrate: ")
            && !word.starts_with("argocd.argoproj.io/hydrate-timestamp: ")
        {
            kept.push(line);
        }
    }
    kept
}

/// Rows of results come in the order of what happened, nodes of a tree in any: both are sets.
fn sort(lines: &mut [String], table: Option<Table>) {
    if let Some(table) = table {
        lines[table.from..].sort();
    }
}

fn blanks_collapsed(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    let mut text = String::from(if indent > 0 { " " } else { "" });
    text.push_str(&line.split_whitespace().collect::<Vec<_>>().join(" "));
    text
}
