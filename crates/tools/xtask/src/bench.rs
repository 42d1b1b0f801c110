//! `cargo xtask bench`: how fast and how small the system is on this machine, beside its budgets. Real parts, real
//! repositories, no assertions: a figure is shown, and somebody judges it.

mod api;
mod clusters;
mod figure;
mod hub;
mod many;
mod process;
mod push;
mod render;
mod unmanaged;
mod webhook;

use crate::prerequisites;
use crate::run::{built, cargo, step};
use anyhow::{Context, Result, bail};
use figure::Figure;
use std::path::PathBuf;

/// The profile that is measured: optimised, and built again in seconds.
const PROFILE: &str = "measure";

/// A measurement: its name, what it measures, and the measuring.
type Bench = (&'static str, &'static str, fn(&Setting) -> Result<Vec<Figure>>);

const BENCHES: [Bench; 8] = [
    ("push", "from a push to the change in the cluster", push::run),
    ("answers", "how long the sender of a webhook waits for its answer", webhook::answers),
    ("webhook", "a push that is told: the change in the cluster, healthy", webhook::run),
    ("many", "many applications: first sync, refreshes, memory, a restart", many::run),
    ("clusters", "many applications over many clusters, far more objects that nobody manages", clusters::run),
    ("api", "what clients wait for: lists, pages, single applications, watches, permissions", api::run),
    (
        "render",
        "charts and kustomizations beside the original tools; a commit that touches three of many",
        render::run,
    ),
    ("unmanaged", "objects that no application manages", unmanaged::run),
];

/// What every measurement is given.
pub(crate) struct Setting {
    /// The program that is measured.
    pub(crate) binary: PathBuf,
    /// Fewer of everything.
    pub(crate) quick: bool,
}

impl Setting {
    /// A count, or a smaller one when it is to go quickly.
    fn count(&self, full: usize, quick: usize) -> usize {
        if self.quick { quick } else { full }
    }
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (mut quick, mut given, mut names) = (false, None, Vec::new());
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--quick" => quick = true,
            "--binary" => given = Some(PathBuf::from(arguments.next().context("--binary takes a path")?)),
            name => names.push(name),
        }
    }
    if let Some(unknown) = names.iter().find(|name| !BENCHES.iter().any(|(known, ..)| known == *name)) {
        let known: Vec<String> = BENCHES.iter().map(|(name, what, _)| format!("  {name}  {what}")).collect();
        bail!(
            "bench knows no {unknown:?}; --quick, --binary PATH, and these, are what it takes:\n{}",
            known.join("\n")
        );
    }
    prerequisites::bench()?;
    let binary = match given {
        Some(binary) if binary.is_file() => binary,
        Some(missing) => bail!("there is no program at {} to measure", missing.display()),
        None => build()?,
    };
    let setting = Setting { binary, quick };
    let mut figures = Vec::new();
    for (name, what, measure) in BENCHES {
        if names.is_empty() || names.contains(&name) {
            eprintln!("==> {name}: {what}");
            figures.extend(measure(&setting)?);
        }
    }
    print!("{}", figure::table(&figures));
    Ok(())
}

/// The program as it is measured, built now. Gives its place.
fn build() -> Result<PathBuf> {
    step("build argocd", &cargo(), &["build", "--package", "argocd", "--profile", PROFILE, "--quiet"])?;
    built(PROFILE, "argocd")
}
