//! Builds every case of a corpus and says how many come out as the original's, and how long one build takes.
//!
//! `cargo run --release -p kustomize --example corpus -- FOLDER [NAME]`

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a tool that reads files and takes time"
)]
#![expect(clippy::print_stdout, reason = "it prints its answer")]

use kustomize::{Options, Seams, build};
use serde_json::Value;
use source_tree::{MemoryTree, TreePath};
use std::path::Path;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("usage: corpus FOLDER [NAME]")?;
    let only = arguments.next();
    let mut names: Vec<String> = std::fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, Failure>>()?;
    names.sort();
    let mut figures: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    let mut times = Vec::new();
    for name in names.iter().filter(|name| only.as_ref().is_none_or(|only| name.contains(only.as_str()))) {
        let case = Path::new(&folder).join(name);
        if !case.join("case.yaml").exists() {
            continue;
        }
        let (verdict, detail, micros) = run(&case, only.is_some())?;
        *figures.entry(verdict).or_default() += 1;
        times.push(micros);
        if only.is_some() || !matches!(verdict, "equal" | "both fail, same text" | "needs helm") {
            println!("{verdict}: {name}\n{detail}");
        }
    }
    for (verdict, count) in figures {
        println!("{count:5} {verdict}");
    }
    times.sort_unstable();
    if let Some(median) = times.get(times.len() / 2) {
        println!("median {median} µs, sum {} µs", times.iter().sum::<u128>());
    }
    Ok(())
}

fn run(case: &Path, verbose: bool) -> Result<(&'static str, String, u128), Failure> {
    let description = object::yaml::decode(&std::fs::read(case.join("case.yaml"))?)?;
    let target = description.get("target").and_then(Value::as_str).unwrap_or("input");
    let flags: Vec<&str> = description
        .get("buildOptions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let options = Options::parse(&flags.join(" "))?;
    let mut builder = MemoryTree::builder();
    for (path, content) in files(case, Path::new("input"))? {
        builder = builder.file(TreePath::parse(&path)?, content);
    }
    let tree = builder.build().map_err(|error| error.to_string())?;
    let start = Instant::now();
    let built = build(&tree, &TreePath::parse(target)?, &options, Seams::offline());
    let text = built.as_ref().map(kustomize::Built::to_yaml);
    let micros = start.elapsed().as_micros();
    let expected = std::fs::read_to_string(case.join("expected.yaml")).ok();
    let error = std::fs::read_to_string(case.join("expected-error.txt")).ok();
    let verdict = match (&text, &expected, error) {
        (Err(error), Some(_), _) if description.get("needsHelm").is_some() => {
            ("needs helm", error.to_string())
        }
        (Err(error), Some(_), _) => ("wrongly refused", error.to_string()),
        (Ok(_), None, error) => ("wrongly accepted", error.unwrap_or_default()),
        (Err(found), None, wanted) => {
            let wanted = wanted.unwrap_or_default();
            let first = wanted.lines().next().unwrap_or_default().trim_start_matches("Error: ");
            let same = found.to_string().lines().next().unwrap_or_default() == first;
            let verdict = if same { "both fail, same text" } else { "both fail" };
            (verdict, format!("  found:  {found}\n  wanted: {wanted}"))
        }
        (Ok(text), Some(expected), _) if text == expected => ("equal", String::new()),
        (Ok(text), Some(expected), _) => ("different", difference(text, expected, verbose)),
    };
    Ok((verdict.0, verdict.1, micros))
}

fn difference(found: &str, expected: &str, verbose: bool) -> String {
    let mut text = String::new();
    let most = if verbose { 400 } else { 12 };
    let (found, expected): (Vec<_>, Vec<_>) = (found.lines().collect(), expected.lines().collect());
    let at = found
        .iter()
        .zip(&expected)
        .position(|(left, right)| left != right)
        .unwrap_or(found.len().min(expected.len()));
    let from = at.saturating_sub(3);
    for line in expected.iter().skip(from).take(most / 2) {
        text.push_str(&format!("  wanted {line}\n"));
    }
    for line in found.iter().skip(from).take(most / 2) {
        text.push_str(&format!("  found  {line}\n"));
    }
    text
}

fn files(root: &Path, folder: &Path) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            found.extend(files(root, &path)?);
        } else if let Ok(content) = std::fs::read(root.join(&path)) {
            found.push((path.to_string_lossy().into_owned(), content));
        }
    }
    Ok(found)
}
