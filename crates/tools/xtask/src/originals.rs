//! What `crates/tools/originals` does: it is built when it is asked for, so that this program stays small.

use crate::corpora as transcripts;
use crate::run::{built, cargo, root, step};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The kinds of corpora that are files.
const FILES: [&str; 7] = ["helm", "gotemplate", "kustomize", "jsonnet", "health", "actions", "diff"];

/// `cargo xtask corpora`: the kinds that are named, or all.
pub(crate) fn corpora(arguments: &[String]) -> Result<()> {
    let is_file = |argument: &str| FILES.contains(&argument) || argument == "files";
    let rest: Vec<String> = arguments
        .iter()
        .filter(|argument| *argument != "transcripts" && *argument != "files")
        .cloned()
        .collect();
    let named = |wanted: &dyn Fn(&str) -> bool| arguments.iter().any(|argument| wanted(argument));
    let files = named(&is_file);
    let conversations = named(&|argument| argument == "transcripts");
    if files || !conversations {
        // Options that only conversations have say that those are meant.
        let theirs =
            |argument: &str| argument.starts_with('-') && !["--corpora", "--filter"].contains(&argument);
        if files || !named(&theirs) {
            step("build originals", &cargo(), &["build", "--workspace", "--bin", "originals", "--quiet"])?;
            run(&built("debug", "originals")?, "corpora", &rest)?;
        }
    }
    if conversations || !files {
        transcripts::run(&rest.into_iter().filter(|argument| !is_file(argument)).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// The gate's part: everything that is files, with what has been built already.
pub(crate) fn recorded() -> Result<()> {
    run(&built("debug", "originals")?, "corpora", &[])
}

/// `cargo xtask differential`: the original tools and ours over random input.
pub(crate) fn differential(arguments: &[String]) -> Result<()> {
    step("build originals", &cargo(), &["build", "--workspace", "--bin", "originals", "--quiet"])?;
    run(&built("debug", "originals")?, "differential", arguments)
}

/// The figures of rendering, one a line, by the profile that is measured.
pub(crate) fn bench(quick: bool) -> Result<String> {
    step(
        "build originals",
        &cargo(),
        &["build", "--package", "originals", "--profile", "measure", "--quiet"],
    )?;
    let mut command = Command::new(built("measure", "originals")?);
    command.arg("bench").args(quick.then_some("--quick")).stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().context("start originals")?;
    if !output.status.success() {
        bail!("originals bench ended with {}", output.status);
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Where the corpora are, when nobody says it.
pub(crate) fn corpora_folder() -> PathBuf {
    std::env::var_os("ARGOCD_CORPORA").map_or_else(|| root().join("../shared/corpora"), PathBuf::from)
}

fn run(binary: &Path, command: &str, arguments: &[String]) -> Result<()> {
    let program = binary.to_str().context("the program's path is text")?;
    let mut all = vec![command];
    all.extend(arguments.iter().map(String::as_str));
    step(command, program, &all)
}
