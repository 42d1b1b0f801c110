//! Rules about source files: size, documentation, names, words that must not be there.

use super::{EMPTY_NAMES, relative};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

const MOST_LINES: usize = 800;
const MOST_FUNCTION_LINES: usize = 100;

/// All complaints about the Rust files below the folders.
pub(super) fn complaints(folders: &[PathBuf]) -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in folders {
        collect(folder, &mut files)?;
    }
    files.sort();
    let mut complaints = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        complaints.extend(check(&relative(&file), &text));
    }
    Ok(complaints)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

fn check(path: &str, text: &str) -> Vec<String> {
    let mut complaints = Vec::new();
    // Lists of declarations may be longer: the API's messages are one.
    let declarations = path.starts_with("crates/core/api/src/");
    let lines = text.lines().count();
    if lines > MOST_LINES && !declarations {
        complaints.push(format!("{path}: {lines} lines; a file is one idea, {MOST_LINES} lines at the most"));
    }
    if !text.starts_with("//!") {
        complaints.push(format!("{path}: says nothing of what it is for: start it with `//!`"));
    }
    let stem =
        Path::new(path).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    if EMPTY_NAMES.contains(&stem.as_str()) {
        complaints.push(format!("{path}: {stem} names nothing"));
    }
    for (line, name, length) in functions(text) {
        if length > MOST_FUNCTION_LINES {
            complaints
                .push(format!("{path}:{line}: {name} has {length} lines; {MOST_FUNCTION_LINES} at the most"));
        }
    }
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        if code.starts_with("#[ignore") || code.starts_with("#[allow(") || code.starts_with("#![allow(") {
            complaints.push(format!(
                "{path}:{}: {code}: assert today's behaviour, or expect with a reason",
                number + 1
            ));
        }
    }
    complaints
}

/// Line, name and length of every function, by the indentation that rustfmt gives.
fn functions(text: &str) -> Vec<(usize, String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let Some(name) = function_name(code) else { continue };
        let indent = &line[..line.len() - code.len()];
        let end = lines[start..].iter().position(|line| *line == format!("{indent}}}"));
        if let Some(length) = end {
            found.push((start + 1, name, length + 1));
        }
    }
    found
}

fn function_name(code: &str) -> Option<String> {
    let mut words = code.split_whitespace();
    let mut word = words.next()?;
    while word.starts_with("pub") || matches!(word, "async" | "const" | "unsafe" | "extern" | "\"C\"") {
        word = words.next()?;
    }
    if word != "fn" || code.ends_with(';') || code.ends_with('}') {
        return None;
    }
    Some(words.next()?.split(['(', '<']).next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_long_function_is_named() {
        let body = "    let x = 1;\n".repeat(120);
        let text = format!("//! Doc.\n\nfn long() {{\n{body}}}\n");
        assert_eq!(
            check("crates/core/x/src/a.rs", &text),
            ["crates/core/x/src/a.rs:3: long has 122 lines; 100 at the most"]
        );
    }

    #[test]
    fn what_says_nothing_is_named() {
        let found = check("crates/core/x/src/util.rs", "fn a() {}\n#[ignore]\nfn b() {}\n");
        assert_eq!(found.len(), 3, "{found:?}");
    }
}
