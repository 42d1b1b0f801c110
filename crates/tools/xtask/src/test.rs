//! `cargo xtask test`: the whole gate, in the order in which failures are cheapest to learn of.

use crate::run::{cargo, step};
use crate::{originals, prerequisites, tidy};
use anyhow::{Context, Result};
use std::thread;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    prerequisites::test()?;
    let cargo = cargo();
    step("format", &cargo, &["fmt", "--all", "--check"])?;
    tidy::run()?;
    // What is Go takes minutes the first time: it builds beside the Rust of the tests.
    let servers = thread::spawn(|| {
        testkit::control_plane::binary()?;
        testkit::registry::binary()?;
        testkit::dex::binary()?;
        testkit::rollouts::binary()
    });
    step("lints", &cargo, &["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"])?;
    step("build", &cargo, &["build", "--workspace", "--tests", "--bins", "--quiet"])?;
    eprintln!("==> control plane, registry, identity provider and Argo Rollouts");
    let built = servers.join().map_err(|_| anyhow::anyhow!("the servers' build panicked"))?;
    built.context("build the servers that the tests use")?;
    originals::recorded()?;
    let mut tests = vec!["test", "--workspace", "--no-fail-fast"];
    tests.extend(arguments.iter().map(String::as_str));
    step("tests", &cargo, &tests)
}
