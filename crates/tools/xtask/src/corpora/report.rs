//! What came of it, for a reader and for the list of what passes.

use super::differing::Differing;
use super::moments::FOLDER;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Lines of a difference that are shown unless everything is asked for.
const SHORT: usize = 14;

pub(super) enum Outcome {
    Passed,
    /// With the difference.
    Failed(String),
}

pub(super) struct Report {
    verbose: bool,
    passing: BTreeSet<String>,
    /// Why ours does not hold some of the calls.
    reasons: BTreeMap<String, String>,
    results: BTreeMap<String, bool>,
    phases: Vec<(String, usize, usize)>,
}

/// Folders of calls that pass, or say why not.
const EXPLAINED: [&str; 2] = ["rest/", "grpc/"];

impl Report {
    pub(super) fn new(verbose: bool, passing: BTreeSet<String>, reasons: BTreeMap<String, String>) -> Self {
        Self { verbose, passing, reasons, results: BTreeMap::new(), phases: Vec::new() }
    }

    /// Whether the case is one that must pass.
    pub(super) fn known(&self, name: &str) -> bool {
        self.passing.contains(name)
    }

    pub(super) fn add(&mut self, name: &str, outcome: Outcome) {
        let passed = matches!(outcome, Outcome::Passed);
        let (folder, id) = name.split_once('/').unwrap_or(("", name));
        let phase = match folder {
            "rest" => format!("rest {}xxx", &id[..1]),
            "objects" | "grpc" => folder.to_owned(),
            _ => format!("cli  {}", &id[..2]),
        };
        let place = self.phases.iter().position(|(known, _, _)| *known == phase).unwrap_or_else(|| {
            self.phases.push((phase, 0, 0));
            self.phases.len() - 1
        });
        let (_, good, all) = &mut self.phases[place];
        *good += usize::from(passed);
        *all += 1;
        if let Outcome::Failed(difference) = outcome {
            let mark = if self.must_pass(name) { "LOST" } else { "differs" };
            println!("--- {mark}: {name}");
            if let Some(reason) = self.reasons.get(name) {
                println!("    {reason}");
            }
            let lines = difference.lines().take(if self.verbose { usize::MAX } else { SHORT });
            for line in lines {
                println!("    {line}");
            }
        }
        self.results.insert(name.to_owned(), passed);
    }

    /// The table at the end.
    pub(super) fn end(&self) {
        println!("\n{:<12} {:>7} {:>7}", "phase", "passed", "of");
        for (phase, good, all) in &self.phases {
            println!("{phase:<12} {good:>7} {all:>7}");
        }
        let (good, all) = (self.results.values().filter(|passed| **passed).count(), self.results.len());
        println!("{:<12} {good:>7} {all:>7}", "all");
        let lost: Vec<_> = self.lost_names().collect();
        if !lost.is_empty() {
            println!("\npassed before and no longer, or differ and nothing says why:");
            for name in lost {
                println!("  {name}");
            }
        }
    }

    /// Objects that passed but for what ours stores otherwise on purpose, and objects that are not looked at.
    pub(super) fn objects(&self, differing: &Differing, left_out: &[(String, &'static str)]) {
        let seen = self.results.keys().filter_map(|name| Some((name, name.strip_prefix(FOLDER)?)));
        let mut differ = seen.filter(|(_, file)| !differing.reasons(file).is_empty()).peekable();
        if differ.peek().is_some() {
            println!("\ncompared but for what differs on purpose:");
        }
        for (name, file) in differ {
            for reason in differing.reasons(file) {
                println!("  {name}: {reason} …");
            }
        }
        if self.results.keys().any(|name| name.starts_with(FOLDER)) {
            println!("\nnot looked at:");
            for (name, reason) in left_out {
                println!("  {name}: {reason}");
            }
        }
    }

    /// Whether it is wrong that a case differs.
    fn must_pass(&self, name: &str) -> bool {
        let explained = EXPLAINED.iter().any(|folder| name.starts_with(folder));
        self.known(name) || explained && !self.reasons.contains_key(name)
    }

    fn lost_names(&self) -> impl Iterator<Item = &String> {
        self.results.iter().filter(|(name, passed)| !**passed && self.must_pass(name)).map(|(name, _)| name)
    }

    /// How many that must pass did not.
    pub(super) fn lost(&self) -> usize {
        self.lost_names().count()
    }

    /// Writes the lists anew, that of the calls and that of the objects: what was replayed as it came out, the rest
    /// as it was.
    pub(super) fn bless(&self, paths: &[PathBuf; 2]) -> Result<()> {
        let mut names = self.passing.clone();
        for (name, passed) in &self.results {
            if *passed {
                names.insert(name.clone())
            } else {
                names.remove(name)
            };
        }
        for (path, objects) in paths.iter().zip([false, true]) {
            let what = if objects { "objects" } else { "conversations" };
            let mut text = format!(
                "# Recorded {what} that ours holds, word for word. `cargo xtask corpora --bless` writes this list.\n"
            );
            for name in names.iter().filter(|name| name.starts_with("objects/") == objects) {
                text.push_str(name);
                text.push('\n');
            }
            fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}
