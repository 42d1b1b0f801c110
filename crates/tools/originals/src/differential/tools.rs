//! The original tools, built by name and version, called as a user would.

use crate::files::Files;
use anyhow::{Context, Result};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The program that a family needs, built when it is not there yet.
pub(crate) fn build(family: &str) -> Result<PathBuf> {
    Ok(match family {
        "templates" => testkit::go_tools::template_recorder()?,
        "kustomize" => testkit::go_tools::kustomize()?,
        "health" | "actions" => testkit::go_tools::argo_cd_scripts()?,
        "jsonnet" => testkit::go_tools::jsonnet()?,
        _ => testkit::go_tools::helm()?,
    })
}

/// What stands for an answer when the original crashes: there is nothing to compare with.
pub(crate) const ENDED: &str = "the original ended without an answer";

/// One worker's way to the tool of its family: a folder of its own, and the recorder where one is used.
pub(crate) struct Tools {
    program: PathBuf,
    /// Where another program lies that this one starts.
    path: Option<PathBuf>,
    folder: tempfile::TempDir,
    recorder: Option<Recorder>,
}

struct Recorder {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Whether it had ended already is nobody's business.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Tools {
    pub(crate) fn new(family: &str) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("differential-").tempdir()?;
        let helm = (family == "kustomize").then(testkit::go_tools::helm).transpose()?;
        let path = helm.and_then(|helm| helm.parent().map(Path::to_owned));
        Ok(Self { program: build(family)?, path, folder, recorder: None })
    }

    /// Where the input of the next call lies.
    pub(crate) fn folder(&self) -> PathBuf {
        self.folder.path().join("input")
    }

    /// Writes the files and runs the tool among them: its output, or what it complains of.
    pub(crate) fn run(&self, files: &Files, arguments: &[&str]) -> Result<Result<String, String>> {
        files.write(&self.folder())?;
        self.run_in(&self.folder(), arguments)
    }

    /// Runs the tool in a folder.
    pub(crate) fn run_in(&self, folder: &Path, arguments: &[&str]) -> Result<Result<String, String>> {
        let home = self.folder.path();
        // Kustomize starts Helm for charts.
        let path = self.path.iter().map(PathBuf::as_path).chain([Path::new("/usr/bin"), Path::new("/bin")]);
        let output = Command::new(&self.program)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", home)
            .env("PATH", std::env::join_paths(path)?)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("start {}", self.program.display()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ok(if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) })
    }

    /// Asks the recorder for its answer to one template.
    pub(crate) fn ask(&mut self, line: &Value) -> Result<Result<String, String>> {
        if self.recorder.is_none() {
            let mut child = Command::new(&self.program)
                .current_dir(self.folder.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .with_context(|| format!("start {}", self.program.display()))?;
            let input = child.stdin.take().context("the recorder has an input")?;
            let output = BufReader::new(child.stdout.take().context("the recorder has an output")?);
            self.recorder = Some(Recorder { child, input, output });
        }
        let recorder = self.recorder.as_mut().context("the recorder was started above")?;
        writeln!(recorder.input, "{line}").context("ask the recorder")?;
        let mut answer = String::new();
        recorder.output.read_line(&mut answer).context("read the recorder's answer")?;
        if answer.is_empty() {
            self.recorder = None;
            return Ok(Err(ENDED.to_owned()));
        }
        let answer: Value = serde_json::from_str(&answer).context("read the recorder's answer")?;
        Ok(match (answer["expected"].as_str(), answer["error"].as_str()) {
            (Some(text), _) => Ok(text.to_owned()),
            (None, error) => Err(error.unwrap_or_default().to_owned()),
        })
    }
}
