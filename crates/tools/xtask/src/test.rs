//! `cargo xtask test`: the whole gate, in the order in which failures are cheapest to learn of.

use crate::run::{cargo, step};
use crate::{prerequisites, tidy};
use anyhow::{Context, Result};
use std::thread;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    prerequisites::test()?;
    let cargo = cargo();
    step("format", &cargo, &["fmt", "--all", "--check"])?;
    tidy::run()?;
    // The control plane is Go and takes minutes the first time: it builds beside the Rust of the tests.
    let control_plane = thread::spawn(testkit::control_plane::binary);
    step("lints", &cargo, &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])?;
    step("build", &cargo, &["build", "--workspace", "--tests", "--bins", "--quiet"])?;
    eprintln!("==> control plane");
    let built = control_plane.join().map_err(|_| anyhow::anyhow!("the control plane's build panicked"))?;
    built.context("build the local control plane")?;
    let mut tests = vec!["test", "--workspace", "--no-fail-fast"];
    tests.extend(arguments.iter().map(String::as_str));
    step("tests", &cargo, &tests)
}
