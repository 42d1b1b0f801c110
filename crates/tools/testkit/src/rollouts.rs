//! The controller of Argo Rollouts, as released.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::compile::{self, Program};
use crate::error::Error;
use crate::process::Process;
use crate::wait::poll;

const MODULE: &str = "github.com/argoproj/argo-rollouts";
const PROGRAM: Program = Program {
    module: "e2e/rollouts",
    name: "rollouts",
    title: "Argo Rollouts",
    package: "github.com/argoproj/argo-rollouts/cmd/rollouts-controller",
    minutes: 4,
};
const START_LIMIT: Duration = Duration::from_secs(60);
/// No port: its two servers listen on every interface, and nobody here asks them anything.
const NOWHERE: &str = "-1";

/// The controller's program, built first when there is none yet.
pub fn binary() -> Result<PathBuf, Error> {
    compile::binary(&PROGRAM)
}

/// The CRDs that belong to it, as the texts of YAML files. They are in place before it starts.
pub fn crds() -> Result<Vec<String>, Error> {
    let folder = compile::module(&PROGRAM, MODULE)?.join("manifests/crds");
    let listed = std::fs::read_dir(&folder).map_err(Error::tried(format!("list {}", folder.display())))?;
    let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with("-crd.yaml"));
    paths.sort();
    let read = |path: PathBuf| {
        std::fs::read_to_string(&path).map_err(Error::tried(format!("read {}", path.display())))
    };
    paths.into_iter().map(read).collect()
}

/// A running controller. Dropping it kills it.
#[derive(Debug)]
pub struct Rollouts {
    process: Process,
    _folder: TempDir,
}

impl Rollouts {
    /// Starts the controller on a cluster and waits until it works.
    pub fn start(kubeconfig: &Path) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("argocd-rs-rollouts-")
            .tempdir()
            .map_err(Error::tried("make a folder for Argo Rollouts"))?;
        let mut command = Command::new(binary()?);
        command.arg("--kubeconfig").arg(kubeconfig);
        command.args(["--leader-elect=false", "--metricsPort", NOWHERE, "--healthzPort", NOWHERE]);
        let mut process = Process::start(command, &folder.path().join("log"))?;
        let works = poll(START_LIMIT, || {
            if !process.alive() {
                return Some(false);
            }
            process.log().contains("Started controller").then_some(true)
        });
        match works {
            Some(true) => Ok(Self { process, _folder: folder }),
            Some(false) => {
                Err(Error::Failed { program: "rollouts-controller".into(), output: process.log() })
            }
            None => Err(Error::NotReady {
                part: "Argo Rollouts",
                seconds: START_LIMIT.as_secs(),
                last: process.log(),
            }),
        }
    }

    /// Everything it said.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }
}
