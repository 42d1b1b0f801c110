//! Chromium, a real browser, behind its driver, which speaks WebDriver on a loopback port.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::error::Error;
use crate::process::Process;
use crate::wait::{free_port, poll};

const START_LIMIT: Duration = Duration::from_secs(30);
/// How long browsers may take to close.
const END_LIMIT: Duration = Duration::from_secs(10);

/// A running `chromedriver`. Dropping it closes its browsers.
#[derive(Debug)]
pub struct Driver {
    process: Process,
    port: u16,
    folder: TempDir,
}

impl Driver {
    /// Starts the driver, Debian's package `chromium-driver`, and waits until it listens.
    pub fn start() -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("argocd-rs-chromium-")
            .tempdir()
            .map_err(Error::tried("make a folder for Chromium"))?;
        let port = free_port().map_err(Error::tried("find a free port"))?;
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("HOME", folder.path());
        let mut process = Process::start(command, &folder.path().join("log"))?;
        let listens = poll(START_LIMIT, || {
            let listens = TcpStream::connect(("127.0.0.1", port)).is_ok();
            (listens || !process.alive()).then_some(listens)
        });
        match listens {
            Some(true) => Ok(Self { process, port, folder }),
            Some(false) => Err(Error::Failed { program: "chromedriver".into(), output: process.log() }),
            None => Err(Error::NotReady {
                part: "chromedriver",
                seconds: START_LIMIT.as_secs(),
                last: process.log(),
            }),
        }
    }

    /// Where it speaks WebDriver.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The capabilities of a session: a browser without a window, with a profile of its own. Root has no sandbox.
    #[must_use]
    pub fn capabilities(&self) -> Value {
        let profile = self.folder.path().join("profile");
        json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                "--disable-background-networking", "--no-first-run", "--lang=en",
                format!("--user-data-dir={}", profile.display()),
            ]},
        })
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Ok(mut connection) = TcpStream::connect(("127.0.0.1", self.port)) {
            // A driver that does not answer is killed below.
            let _ = connection.set_read_timeout(Some(END_LIMIT));
            let _ = connection.write_all(b"GET /shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n");
            let _ = connection.read(&mut [0]);
        }
        let _ = poll(END_LIMIT, || (!self.process.alive()).then_some(()));
    }
}
