//! Dex, a real identity provider, with people who have passwords.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::compile::{self, Program};
use crate::error::Error;
use crate::process::Process;
use crate::wait::poll;

const PROGRAM: Program = Program {
    module: "e2e/dex",
    name: "dex",
    title: "Dex",
    package: "github.com/dexidp/dex/cmd/dex",
    minutes: 5,
};
const START_LIMIT: Duration = Duration::from_secs(30);
/// bcrypt of `PASSWORD`, cost 10.
const HASH: &str = "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W";

/// The password of everybody.
pub const PASSWORD: &str = "password";

/// Dex's program, built first when there is none yet.
pub fn binary() -> Result<PathBuf, Error> {
    compile::binary(&PROGRAM)
}

/// Somebody who can log in.
#[must_use]
pub fn person(email: &str, name: &str, id: &str) -> Value {
    json!({"email": email, "hash": HASH, "username": name, "userID": id})
}

/// A running Dex. Dropping it kills it.
#[derive(Debug)]
pub struct Dex {
    process: Process,
    _folder: TempDir,
}

impl Dex {
    /// Starts Dex with a configuration and waits until it listens on a loopback port.
    pub fn start(config: &Value, port: u16) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("argocd-rs-dex-")
            .tempdir()
            .map_err(Error::tried("make a folder for Dex"))?;
        // YAML is JSON's superset.
        let file = folder.path().join("config.yaml");
        std::fs::write(&file, config.to_string()).map_err(Error::tried("write Dex's configuration"))?;
        let mut command = Command::new(binary()?);
        command.arg("serve").arg(&file);
        let mut process = Process::start(command, &folder.path().join("log"))?;
        let listens = poll(START_LIMIT, || {
            if !process.alive() {
                return Some(false);
            }
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(true)
        });
        match listens {
            Some(true) => Ok(Self { process, _folder: folder }),
            Some(false) => Err(Error::Failed { program: "dex serve".into(), output: process.log() }),
            None => Err(Error::NotReady { part: "Dex", seconds: START_LIMIT.as_secs(), last: process.log() }),
        }
    }

    /// Everything it said.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.log()
    }
}
