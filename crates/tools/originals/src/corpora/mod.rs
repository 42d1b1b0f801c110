//! The recorded answers of the original tools, all kinds that are files: a case is read, ours is asked, the answers
//! are compared as the corpora's README says.

mod actions;
mod charts;
mod differences;
mod health;
mod jsonnet;
mod kustomizations;
mod templates;

use crate::answer::Answer;
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

/// One case: its name, and what to do.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) check: Box<dyn FnOnce() -> Result<Answer> + Send>,
}

/// A kind of cases: its folder, and how its cases are found.
type Kind = (&'static str, fn(&Path) -> Result<Vec<Case>>);

const KINDS: [Kind; 7] = [
    ("helm", charts::cases),
    ("gotemplate", templates::cases),
    ("kustomize", kustomizations::cases),
    ("jsonnet", jsonnet::cases),
    ("health", health::cases),
    ("actions", actions::cases),
    ("diff", differences::cases),
];
/// What is known to differ, with its cause.
const KNOWN: &str = include_str!("../../known.txt");

/// Of a difference, so many lines are shown.
const SHOWN_LINES: usize = 12;

struct Wanted {
    folder: PathBuf,
    kinds: Vec<String>,
    filter: String,
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut wanted = Self { folder: folder(), kinds: Vec::new(), filter: String::new() };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().with_context(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--corpora" => wanted.folder = value()?.into(),
                "--filter" => wanted.filter = value()?,
                kind if KINDS.iter().any(|(known, _)| known == &kind) => wanted.kinds.push(kind.to_owned()),
                other => bail!(
                    "corpora knows no {other:?}: {}, --corpora FOLDER and --filter TEXT are what it takes",
                    KINDS.map(|(name, _)| name).join(", ")
                ),
            }
        }
        Ok(wanted)
    }

    fn asks_for(&self, kind: &str) -> bool {
        self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind)
    }
}

/// Compares all kinds that are asked for and tells how many agree; fails when something differs that is not known to.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    if !wanted.folder.is_dir() {
        crate::say(&format!("no corpora at {}: nothing compared", wanted.folder.display()));
        return Ok(());
    }
    let mut table = String::new();
    writeln!(
        table,
        "{:<12}{:>7}{:>11}{:>11}{:>18}{:>17}{:>9}",
        "kind", "equal", "(to the byte)", "different", "wrongly accepted", "wrongly refused", "seconds"
    )?;
    let mut unknown = 0;
    for (kind, find) in KINDS {
        let folder = wanted.folder.join(kind);
        if !wanted.asks_for(kind) || !folder.is_dir() {
            continue;
        }
        let mut cases = find(&folder).with_context(|| format!("read the cases in {}", folder.display()))?;
        cases.retain(|case| case.name.contains(&wanted.filter));
        let began = std::time::Instant::now();
        let answers = compared(cases)?;
        let seconds = began.elapsed().as_secs_f64();
        unknown += told(kind, &answers, wanted.filter.is_empty());
        let count = |wanted: fn(&Answer) -> bool| answers.values().filter(|answer| wanted(answer)).count();
        writeln!(
            table,
            "{kind:<12}{:>7}{:>13}{:>11}{:>18}{:>17}{seconds:>9.1}",
            count(|answer| matches!(answer, Answer::Equal { .. })),
            count(|answer| matches!(answer, Answer::Equal { exactly: true })),
            count(|answer| matches!(answer, Answer::Different(_))),
            count(|answer| matches!(answer, Answer::WronglyAccepted(_))),
            count(|answer| matches!(answer, Answer::WronglyRefused(_))),
        )?;
    }
    crate::print(&table);
    if unknown > 0 {
        bail!("{unknown} cases are not as crates/tools/originals/known.txt says");
    }
    Ok(())
}

/// Where the corpora are, when nobody says it.
pub(crate) fn folder() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/corpora");
    std::env::var_os("ARGOCD_CORPORA").map_or(beside, PathBuf::from)
}

/// All answers, by name.
fn compared(cases: Vec<Case>) -> Result<BTreeMap<String, Answer>> {
    let queue = Mutex::new(cases);
    let answers = Mutex::new(BTreeMap::new());
    let work = || -> Result<()> {
        loop {
            let next = queue.lock().expect("no case breaks in the lock").pop();
            let Some(Case { name, check }) = next else { return Ok(()) };
            let answer = check().with_context(|| format!("case {name}"))?;
            answers.lock().expect("no case breaks in the lock").insert(name, answer);
        }
    };
    thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..count)
            .map(|_| thread::Builder::new().stack_size(crate::STACK_BYTES).spawn_scoped(scope, work));
        let threads = threads.collect::<std::io::Result<Vec<_>>>()?;
        threads.into_iter().try_for_each(|thread| {
            thread.join().map_err(|_| anyhow::anyhow!("a case ended with a panic, told above"))?
        })
    })?;
    Ok(answers.into_inner().expect("no case breaks in the lock"))
}

/// Tells what is not equal; answers how much of it is not on the list.
fn told(kind: &str, answers: &BTreeMap<String, Answer>, all: bool) -> usize {
    let known: Vec<&str> = KNOWN
        .lines()
        .filter_map(|line| line.split('#').next().unwrap_or_default().trim().strip_prefix(kind))
        .filter(|rest| rest.starts_with(' '))
        .map(str::trim)
        .collect();
    let mut unknown = 0;
    for (name, answer) in answers {
        let listed = known.contains(&name.as_str());
        match answer.problem() {
            Some(_) if listed => crate::say(&format!("{kind} {name}: differs, as is known")),
            Some(problem) => {
                unknown += 1;
                let shown: Vec<&str> = problem.lines().take(SHOWN_LINES).collect();
                crate::say(&format!("{kind} {name}: {}", shown.join("\n    ")));
            }
            None if listed => {
                unknown += 1;
                crate::say(&format!("{kind} {name}: is equal now; take it off known.txt"));
            }
            None => {}
        }
    }
    for name in known.iter().filter(|name| all && !answers.contains_key(**name)) {
        crate::say(&format!("{kind} {name}: known.txt names it, and there is no such case here"));
    }
    unknown
}

/// The folders in a folder, by name.
pub(crate) fn folders(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let Some(name) = path.file_name().filter(|_| path.is_dir()) {
            found.push((name.to_string_lossy().into_owned(), path));
        }
    }
    found.sort();
    Ok(found)
}

/// The YAML files below a folder, with their paths in it.
pub(crate) fn yaml_files(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut below = vec![folder.to_owned()];
    while let Some(next) = below.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                below.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}
