//! Running recorded calls.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Cursor, Write};
use std::rc::Rc;

use cli::Environment;
use tempfile::TempDir;
use transcripts::{Answer, Call, Record, Replacements, compare};

/// What stands for the recorder's build in ours.
const BUILD: &[(&str, &str)] =
    &[("go1.26.8", concat!("rust", env!("CARGO_PKG_RUST_VERSION"))), ("gc", "rustc")];

/// All records of a folder, in the order of their names.
pub fn records(folder: &str) -> Vec<(String, Record)> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .expect("the folder of cases")
        .map(|entry| entry.expect("an entry").path().display().to_string())
        .filter(|name| name.ends_with(".txt"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{folder} has no cases");
    let read = |name: String| {
        let text = fs::read_to_string(&name).expect("a case");
        let record = Record::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, record)
    };
    names.into_iter().map(read).collect()
}

/// Fails with all that failed.
pub fn failures(failed: &[String]) {
    assert!(failed.is_empty(), "{} cases failed\n{}", failed.len(), failed.join("\n"));
}

/// A user's home folder.
pub struct Home(TempDir);

impl Home {
    /// An empty one.
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// Where it is.
    pub fn path(&self) -> &str {
        self.0.path().to_str().expect("temporary folders have plain names")
    }

    /// Runs a record and compares; returns what is different.
    pub fn check(&self, name: &str, record: &Record, known: &[(&str, &str)]) -> Option<String> {
        let answer = self.run(&record.call, known);
        let known: Vec<_> = known.iter().copied().chain(BUILD.iter().copied()).collect();
        let difference = compare(&record.answer, &answer, &Replacements::new(&known)).err()?;
        Some(format!("=== {name}: {difference}"))
    }

    /// Runs a call.
    pub fn run(&self, call: &Call, known: &[(&str, &str)]) -> Answer {
        let replacements = Replacements::new(known);
        let words: Vec<_> = call.words.iter().map(|word| replacements.concrete(word)).collect();
        let mut variables = BTreeMap::from([("HOME".to_owned(), self.path().to_owned())]);
        for (name, value) in &call.variables {
            variables.insert(name.clone(), replacements.concrete(value));
        }
        let (output, errors) = (Kept::default(), Kept::default());
        let mut environment = Environment {
            variables,
            input: Box::new(Cursor::new(call.input.clone().into_bytes())),
            output: Box::new(output.clone()),
            errors: Box::new(errors.clone()),
            interactive: false,
        };
        let exit = cli::run(&words, &mut environment);
        Answer { exit: Some(exit), output: output.text(), errors: errors.text() }
    }
}

/// A stream whose bytes can be read afterwards.
#[derive(Clone, Default)]
struct Kept(Rc<RefCell<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.borrow()).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
