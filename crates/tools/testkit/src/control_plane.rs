//! A whole Kubernetes control plane, ready in a few seconds and gone without a trace.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::Value;

use crate::compile::{self, Program};
use crate::error::Error;
use crate::wait::poll;

/// How long an orderly end may take before it is forced.
const STOP_LIMIT: Duration = Duration::from_secs(15);
const ERROR_LIMIT: u64 = 16 << 10;
const PROGRAM: Program = Program {
    module: "e2e/controlplane",
    name: "controlplane",
    title: "the control plane",
    package: ".",
    minutes: 10,
};

/// The control plane's program, built first when there is none yet (see the README).
pub fn binary() -> Result<PathBuf, Error> {
    compile::binary(&PROGRAM)
}

/// How a control plane is to be. The default serves most tests.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many nodes to pretend.
    pub nodes: u32,
    /// More flags for the apiserver, such as `--feature-gates=…`.
    pub api_server_flags: Vec<String>,
    /// Where to keep the components' logs; by default they go with everything else.
    pub log_dir: Option<PathBuf>,
    /// How long the start may take.
    pub start_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { nodes: 1, api_server_flags: Vec::new(), log_dir: None, start_limit: Duration::from_secs(120) }
    }
}

/// A running control plane. Dropping it ends it and waits until nothing of it is left; it also ends
/// when this process is killed.
#[derive(Debug)]
pub struct ControlPlane {
    child: Child,
    errors: Option<JoinHandle<String>>,
    /// A kubeconfig whose user may do everything.
    pub kubeconfig_path: PathBuf,
    /// Where the apiserver listens, as `https://127.0.0.1:…`.
    pub server_url: String,
    /// The authority that signed the apiserver's certificate, as PEM.
    pub certificate_authority_path: PathBuf,
    /// The administrator's client certificate, as PEM; the kubeconfig holds it, too.
    pub client_certificate_path: PathBuf,
    /// The key of the client certificate, as PEM.
    pub client_key_path: PathBuf,
    /// The folder that everything is in.
    pub data_dir: PathBuf,
    /// Where the components log.
    pub log_dir: PathBuf,
    /// How long the start took.
    pub start_time: Duration,
}

impl ControlPlane {
    /// Starts a control plane and returns when a pod could run.
    pub fn start(options: &Options) -> Result<Self, Error> {
        let mut command = Command::new(binary()?);
        command.arg("up").arg(format!("-nodes={}", options.nodes));
        command.arg(format!("-start-limit={}s", options.start_limit.as_secs().max(1)));
        for flag in &options.api_server_flags {
            command.arg(format!("-apiserver-flag={flag}"));
        }
        if let Some(folder) = &options.log_dir {
            command.arg("-log-dir").arg(folder);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .map_err(Error::tried("start the control plane"))?;
        let errors = child.stderr.take().map(|stderr| thread::spawn(move || first_words(stderr)));
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // The program keeps its own time and ends when it is over, which ends the line.
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        let mut plane = Self {
            child,
            errors,
            kubeconfig_path: PathBuf::new(),
            server_url: String::new(),
            certificate_authority_path: PathBuf::new(),
            client_certificate_path: PathBuf::new(),
            client_key_path: PathBuf::new(),
            data_dir: PathBuf::new(),
            log_dir: PathBuf::new(),
            start_time: Duration::ZERO,
        };
        if plane.read(&line).is_none() {
            let output = plane.end();
            return Err(Error::Failed { program: "start the control plane".into(), output });
        }
        Ok(plane)
    }

    /// The kubeconfig's text.
    pub fn kubeconfig(&self) -> Result<String, Error> {
        let path = &self.kubeconfig_path;
        fs::read_to_string(path).map_err(Error::tried(format!("read {}", path.display())))
    }

    /// The process that holds the control plane together.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it now, as dropping does, and returns what it had to complain about.
    pub fn stop(mut self) -> String {
        self.end()
    }

    fn read(&mut self, line: &str) -> Option<()> {
        let said: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| said.get(name)?.as_str();
        self.kubeconfig_path = text("kubeconfig")?.into();
        self.server_url = text("server")?.into();
        self.certificate_authority_path = text("certificate_authority")?.into();
        let certificates = self.certificate_authority_path.parent().unwrap_or(Path::new("/"));
        self.client_certificate_path = certificates.join("kubernetes-admin.crt");
        self.client_key_path = certificates.join("kubernetes-admin.key");
        self.data_dir = text("data_directory")?.into();
        self.log_dir = text("logs")?.into();
        self.start_time = Duration::from_millis(said.get("ready_ms")?.as_u64()?);
        Some(())
    }

    fn end(&mut self) -> String {
        drop(self.child.stdin.take());
        if poll(STOP_LIMIT, || self.child.try_wait().ok().flatten()).is_none() {
            // Its guard still cleans up after it.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        self.errors.take().and_then(|thread| thread.join().ok()).unwrap_or_default()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.end();
    }
}

/// Reads to the end and keeps the start: the first complaint is the cause.
fn first_words(mut stream: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = stream.by_ref().take(ERROR_LIMIT).read_to_end(&mut kept);
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
    String::from_utf8_lossy(&kept).trim().to_owned()
}
