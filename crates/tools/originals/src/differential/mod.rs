//! The original tools and ours over the same random input, under a seed. What differs is made smaller, told, and kept
//! as a folder that can be moved to a crate's `cases/`.

mod actions;
mod chance;
mod charts;
mod health;
mod jsonnet;
mod kustomizations;
mod published;
mod scripts;
mod shrink;
mod templates;
mod tools;
mod trees;

use crate::answer::Answer;
use crate::files::Files;
use anyhow::{Context, Result, bail};
use chance::Chance;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
pub(crate) use tools::Tools;

/// One input: files, and what the command is told besides.
#[derive(Clone, Debug, Default)]
pub(crate) struct Input {
    pub(crate) files: Files,
    pub(crate) arguments: Vec<String>,
}

/// What is compared: how an input is made, what each side makes of it, and when two outputs are the same.
pub(crate) struct Family {
    pub(crate) name: &'static str,
    about: &'static str,
    make: fn(&mut Chance, &Corpora) -> Result<Input>,
    /// Inputs of the original's own, which `--unchanged` takes as they are.
    unchanged: fn() -> Result<Vec<Input>>,
    ours: fn(&Input) -> Result<String, String>,
    theirs: fn(&mut Tools, &Input) -> Result<Result<String, String>>,
    compare: fn(&str, &str) -> Result<Answer>,
}

const FAMILIES: [Family; 7] = [
    Family {
        name: "templates",
        about: "random expressions over random values, by Helm's engine",
        make: templates::make,
        unchanged: none,
        ours: templates::ours,
        theirs: templates::theirs,
        compare: same_text,
    },
    Family {
        name: "helm",
        about: "random charts with subcharts, by `helm template`",
        make: charts::make,
        unchanged: none,
        ours: charts::ours,
        theirs: charts::theirs,
        compare: same_documents,
    },
    Family {
        name: "published",
        about: "the corpora's charts with random values, by `helm template`",
        make: published::make,
        unchanged: none,
        ours: charts::ours,
        theirs: charts::theirs,
        compare: same_documents,
    },
    Family {
        name: "kustomize",
        about: "random kustomizations, and crossings of the corpora's, by `kustomize build`",
        make: kustomizations::make,
        unchanged: none,
        ours: kustomizations::ours,
        theirs: kustomizations::theirs,
        compare: same_documents,
    },
    Family {
        name: "health",
        about: "objects of every kind that has a script in the original, changed at random, by that script",
        make: health::make,
        unchanged: health::unchanged,
        ours: health::ours,
        theirs: health::theirs,
        compare: health::compare,
    },
    Family {
        name: "actions",
        about: "the same of every kind that has actions, and what is done to it, by the scripts of those",
        make: actions::make,
        unchanged: actions::unchanged,
        ours: actions::ours,
        theirs: actions::theirs,
        compare: actions::compare,
    },
    Family {
        name: "jsonnet",
        about: "random Jsonnet, by go-jsonnet",
        make: jsonnet::make,
        unchanged: none,
        ours: jsonnet::ours,
        theirs: jsonnet::theirs,
        compare: same_text,
    },
];

fn none() -> Result<Vec<Input>> {
    Ok(Vec::new())
}

fn same_text(ours: &str, theirs: &str) -> Result<Answer> {
    Ok(Answer::of_texts(ours, theirs))
}

fn same_documents(ours: &str, theirs: &str) -> Result<Answer> {
    Answer::of_manifests(ours, theirs)
}

/// What generators may build on.
pub(crate) struct Corpora(pub(crate) PathBuf);

struct Wanted {
    families: Vec<String>,
    seed: u64,
    count: u64,
    found: PathBuf,
    show: bool,
    refusals: bool,
    unchanged: bool,
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self> {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
        let found = target.join("differential");
        let mut wanted = Self {
            families: Vec::new(),
            seed: 0,
            count: 200,
            found,
            show: false,
            refusals: false,
            unchanged: false,
        };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().with_context(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--seed" => wanted.seed = value()?.parse().context("--seed wants a number")?,
                "--count" => wanted.count = value()?.parse().context("--count wants a number")?,
                "--found" => wanted.found = value()?.into(),
                "--refusals" => wanted.refusals = true,
                "--unchanged" => wanted.unchanged = true,
                "--show" => wanted.show = true,
                name if FAMILIES.iter().any(|family| family.name == name) => {
                    wanted.families.push(name.to_owned());
                }
                other => {
                    let known = FAMILIES.iter().map(|family| format!("  {}  {}", family.name, family.about));
                    bail!(
                        "differential knows no {other:?}: --seed N, --count N, --found FOLDER, --show, --refusals, --unchanged, and these are what it takes:\n{}",
                        known.collect::<Vec<_>>().join("\n")
                    );
                }
            }
        }
        Ok(wanted)
    }
}

/// Compares so many inputs of every family that is asked for.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    let corpora = Corpora(crate::corpora::folder());
    let mut found = 0;
    for family in FAMILIES
        .iter()
        .filter(|family| wanted.families.is_empty() || wanted.families.iter().any(|name| name == family.name))
    {
        if wanted.show {
            let input = (family.make)(&mut Chance::new(wanted.seed), &corpora)?;
            crate::print(&shown(&input));
            continue;
        }
        let which = if wanted.unchanged {
            "unchanged".to_owned()
        } else {
            format!("seeds {} to {}", wanted.seed, wanted.seed + wanted.count)
        };
        crate::say(&format!("==> {}: {}, {which}", family.name, family.about));
        found += compare(family, &wanted, &corpora)?;
    }
    if found > 0 {
        bail!("{found} inputs come out otherwise; they lie in {}", wanted.found.display());
    }
    Ok(())
}

/// Compares the inputs of one family; answers how many differ.
fn compare(family: &'static Family, wanted: &Wanted, corpora: &Corpora) -> Result<usize> {
    let tally: Mutex<BTreeMap<&str, usize>> = Mutex::default();
    let count = |what: &'static str| {
        *tally.lock().expect("nothing breaks in the lock").entry(what).or_default() += 1;
    };
    // The first worker builds what is missing before the others ask for it.
    tools::build(family.name)?;
    let own = if wanted.unchanged { (family.unchanged)()? } else { Vec::new() };
    let (first, end) =
        if wanted.unchanged { (0, own.len() as u64) } else { (wanted.seed, wanted.seed + wanted.count) };
    let next = AtomicU64::new(first);
    let work = || -> Result<()> {
        let mut tools = Tools::new(family.name)?;
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return Ok(());
            }
            let input = match usize::try_from(seed).ok().and_then(|at| own.get(at)) {
                Some(input) => input.clone(),
                None => (family.make)(&mut Chance::new(seed), corpora)?,
            };
            let (answer, refused) = answer(family, &input, &mut tools)?;
            match answer.problem() {
                None if refused.is_none() => count("accepted by both, equal"),
                None => {
                    count("refused by both");
                    if wanted.refusals {
                        crate::say(&format!("seed {seed}: {}", refused.unwrap_or_default().trim()));
                    }
                }
                Some(_) => {
                    count("otherwise");
                    let (input, answer) = shrink::shrink(family, input, answer, &mut tools)?;
                    keep(family, seed, &input, &answer, &wanted.found)?;
                }
            }
        }
    };
    thread::scope(|scope| {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads = (0..threads)
            .map(|_| thread::Builder::new().stack_size(crate::STACK_BYTES).spawn_scoped(scope, work))
            .collect::<std::io::Result<Vec<_>>>()?;
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().map_err(|_| anyhow::anyhow!("ours ended with a panic"))?)
    })?;
    let tally = tally.into_inner().expect("nothing breaks in the lock");
    for (what, count) in &tally {
        crate::say(&format!("{count:>8} {what}"));
    }
    Ok(tally.get("otherwise").copied().unwrap_or_default())
}

/// How ours compares, and why the original refuses.
fn answer(family: &Family, input: &Input, tools: &mut Tools) -> Result<(Answer, Option<String>)> {
    let theirs = (family.theirs)(tools, input)?;
    let ours = (family.ours)(input);
    let refused = theirs.as_ref().err().cloned();
    let answer = match (ours, theirs) {
        (Ok(ours), Ok(first)) => match (family.compare)(&ours, &first)? {
            // Where the original says something else every time, ours may say anything.
            Answer::Different(told) => match (family.theirs)(tools, input)? {
                Ok(again) if Answer::varies(&ours, &first, &again) => Answer::Equal { exactly: false },
                _ => Answer::Different(told),
            },
            equal => equal,
        },
        (_, Err(theirs)) if theirs == tools::ENDED || theirs.starts_with("INTERNAL ERROR") => {
            Answer::Equal { exactly: false }
        }
        (Ok(_), Err(theirs)) => Answer::WronglyAccepted(theirs),
        (Err(ours), Ok(_)) => Answer::WronglyRefused(ours),
        (Err(ours), Err(theirs)) => Answer::of_errors(&ours, &theirs),
    };
    Ok((answer, refused))
}

fn keep(family: &Family, seed: u64, input: &Input, answer: &Answer, found: &Path) -> Result<()> {
    let folder = found.join(family.name).join(seed.to_string());
    let problem = answer.problem().unwrap_or_default();
    input.files.write(&folder)?;
    std::fs::write(folder.join("ARGUMENTS"), input.arguments.join("\n"))?;
    std::fs::write(folder.join("PROBLEM"), &problem)?;
    crate::say(&format!("{} seed {seed}: {problem}\n{}", family.name, shown(input)));
    Ok(())
}

/// An input as one text.
fn shown(input: &Input) -> String {
    let mut text = format!("    {}\n", input.arguments.join(" "));
    let total: usize = input.files.0.values().map(Vec::len).sum();
    for (path, content) in &input.files.0 {
        if total > SHOWN_BYTES && !path.starts_with("values") {
            continue;
        }
        text.push_str(&format!("    -- {path} --\n"));
        for line in String::from_utf8_lossy(content).lines() {
            text.push_str(&format!("    {line}\n"));
        }
    }
    text
}

/// Of larger inputs, only what was made at random is shown.
const SHOWN_BYTES: usize = 20_000;
