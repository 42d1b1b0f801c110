//! Running other programs, with a line that says so.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).map(Path::to_owned).unwrap_or_default()
}

/// Runs a program in the project's root; its output goes to the user.
pub(crate) fn step(title: &str, program: &str, arguments: &[&str]) -> Result<()> {
    eprintln!("==> {title}");
    let started = Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("start {program}"))?;
    if !status.success() {
        bail!("{title}: {program} {} ended with {status}", arguments.join(" "));
    }
    eprintln!("    {title}: {:.0} s", started.elapsed().as_secs_f64());
    Ok(())
}

/// The cargo that runs us.
pub(crate) fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A program that was just built, by the folder of its profile.
pub(crate) fn built(profile: &str, name: &str) -> Result<PathBuf> {
    let binary = target().join(profile).join(name);
    if !binary.is_file() {
        bail!("{} is not there although it was built", binary.display());
    }
    Ok(binary)
}

/// A program's standard output, or nothing when it cannot be started or fails.
pub(crate) fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output =
        Command::new(program).args(arguments).current_dir(root()).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
