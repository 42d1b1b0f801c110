//! `cargo xtask fuzz`: one reader of outside input under libFuzzer, with coverage, on the pinned toolchain. The
//! instrumentation is LLVM's own pass, for which no nightly is needed.

use crate::run::{cargo, output, root, target};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a run takes when nothing is said.
const SECONDS: u64 = 60;
/// An input that takes longer, or more memory, is a finding.
const SLOWEST_SECONDS: u64 = 10;
const MOST_MEGABYTES: u64 = 2048;
const LARGEST_BYTES: u64 = 16 << 10;

/// Counters and compared values for every edge, which libFuzzer reads.
const COVERAGE: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Cdebug-assertions",
    // Else the linker takes the tables away that only the runtime's names refer to.
    "-Clink-arg=-Wl,-z,nostart-stop-gc",
];

struct Wanted {
    target: Option<String>,
    seconds: u64,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    let known = targets()?;
    let Some(name) = wanted.target else {
        eprintln!("{}", known.join("\n"));
        return Ok(());
    };
    if !known.contains(&name) {
        bail!("there is no fuzz target {name:?}; these are there: {}", known.join(", "));
    }
    let folder = target_folder();
    let driver = build(&folder)?;
    fuzz(&driver, &folder, &name, wanted.seconds)
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut wanted = Self { target: None, seconds: SECONDS };
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--seconds" => {
                    let value = rest.next().context("--seconds wants a number")?;
                    wanted.seconds = value.parse().with_context(|| format!("--seconds {value}"))?;
                }
                name if !name.starts_with('-') && wanted.target.is_none() => {
                    wanted.target = Some(name.to_owned());
                }
                other => bail!("fuzz knows no {other:?}: a target and --seconds N are what it takes"),
            }
        }
        Ok(wanted)
    }
}

/// The names of the targets: each has a folder of seeds, which a test demands.
fn targets() -> Result<Vec<String>> {
    let seeds = fuzz_crate().join("seeds");
    let entries = fs::read_dir(&seeds).with_context(|| format!("list {}", seeds.display()))?;
    let mut names = entries
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}

fn fuzz_crate() -> PathBuf {
    root().join("crates/tools/fuzz")
}

/// Instrumented builds have a folder of their own: they share nothing with others.
fn target_folder() -> PathBuf {
    target().join("fuzz")
}

fn build(folder: &Path) -> Result<PathBuf> {
    let told = output("rustc", &["-vV"]).context("ask rustc for its host")?;
    let host =
        told.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc -vV names no host")?;
    eprintln!("==> build the driver for {host}, with coverage");
    // With a target named, build scripts and macros are built without the flags.
    let status = Command::new(cargo())
        .args([
            "build",
            "--package",
            "fuzz",
            "--bin",
            "driver",
            "--features",
            "driver",
            "--profile",
            "measure",
        ])
        .args(["--quiet", "--target", host, "--target-dir"])
        .arg(folder)
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"))
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .context("start cargo")?;
    if !status.success() {
        bail!("the driver could not be built");
    }
    Ok(folder.join(host).join("measure/driver"))
}

fn fuzz(driver: &Path, folder: &Path, name: &str, seconds: u64) -> Result<()> {
    let corpus = folder.join("corpus").join(name);
    let found = fuzz_crate().join("found").join(name);
    for path in [&corpus, &found] {
        fs::create_dir_all(path).with_context(|| format!("create {}", path.display()))?;
    }
    eprintln!("==> fuzz {name} for {seconds} s");
    let status = Command::new(driver)
        .env("FUZZ_TARGET", name)
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={SLOWEST_SECONDS}"))
        .arg(format!("-rss_limit_mb={MOST_MEGABYTES}"))
        .arg(format!("-max_len={LARGEST_BYTES}"))
        .args(["-print_final_stats=1", "-use_value_profile=1"])
        .arg(format!("-artifact_prefix={}/", found.display()))
        .arg(&corpus)
        .args([fuzz_crate().join("seeds").join(name), found.clone()])
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("start {}", driver.display()))?;
    // An empty folder is none of the repository's.
    let _ = fs::remove_dir(&found);
    if !status.success() {
        bail!("{name}: something was found; the input lies in {}", found.display());
    }
    Ok(())
}
