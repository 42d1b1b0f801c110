//! The files: `# note`, `$ argocd …`, `env:`, `--- stdin`, `exit:`, `--- stdout`, `--- stderr`.

/// One recorded call of the CLI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What the recorder noted.
    pub note: String,
    /// The call.
    pub call: Call,
    /// What came of it.
    pub answer: Answer,
}

/// What was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The words after the program's name, as a shell splits them. Placeholders are still in them.
    pub words: Vec<String>,
    /// Environment variables beside the usual ones.
    pub variables: Vec<(String, String)>,
    /// Standard input.
    pub input: String,
}

/// What a call printed, and its exit code; none when the recorder ended it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The exit code.
    pub exit: Option<i32>,
    /// Standard output.
    pub output: String,
    /// Standard error.
    pub errors: String,
}

/// Why a file is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl std::fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// Who was called.
const PROGRAMS: [&str; 2] = ["$ argocd", "$ grpcurl"];
/// Marks output that does not end with a line end.
const NO_NEWLINE: &str = "<no-newline>\n";

impl Record {
    /// Reads one file.
    ///
    /// # Errors
    /// When it has no command, or words that a shell could not split.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut note = String::new();
        let mut call = None;
        let mut variables = Vec::new();
        let mut exit = None;
        let mut rest = text;
        let mut sections: [String; 3] = Default::default();
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            if let Some(title) = line.strip_prefix("--- ") {
                let index = match title {
                    "stdin" => 0,
                    "stdout" => 1,
                    "stderr" => 2,
                    other => return Err(Malformed(format!("unknown section {other:?}"))),
                };
                let end = section_end(rest, index);
                sections[index] = rest[..end].to_owned();
                rest = &rest[end..];
            } else if let Some(command) = PROGRAMS.iter().find_map(|program| line.strip_prefix(program)) {
                call = Some(split(command)?);
            } else if let Some(code) = line.strip_prefix("exit: ") {
                exit = code.parse().ok();
            } else if let Some(variable) = line.strip_prefix("env: ") {
                let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
                variables.push((name.to_owned(), value.to_owned()));
            } else if let Some(words) = line.strip_prefix("# ") {
                note.push_str(words);
            }
        }
        let words = call.ok_or_else(|| Malformed("no line `$ argocd …` or `$ grpcurl …`".into()))?;
        let [input, output, errors] = sections.map(|section| section.replace(NO_NEWLINE, ""));
        Ok(Self { note, call: Call { words, variables, input }, answer: Answer { exit, output, errors } })
    }
}

/// Where a section ends: at the line that must come next.
fn section_end(rest: &str, index: usize) -> usize {
    let marker = match index {
        0 => "exit: ",
        1 => "--- stderr\n",
        _ => return rest.len(),
    };
    if rest.starts_with(marker) {
        return 0;
    }
    rest.find(&format!("\n{marker}")).map_or(rest.len(), |position| position + 1)
}

/// Splits as a shell does; placeholders such as `<repo>` stay.
fn split(text: &str) -> Result<Vec<String>, Malformed> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(open), c) if c == open => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().extend(letters.next()),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, c @ ('"' | '\'')) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        return Err(Malformed(format!("a quote is not closed in {text:?}")));
    }
    words.extend(word);
    Ok(words)
}
