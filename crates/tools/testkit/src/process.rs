//! A program under test: killed at will, asked to stop at will, and gone when we are.

use std::fs::File;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use crate::error::Error;
use crate::wait::poll;

/// `$1` is the process. A line on standard input says that it ended; the end of it, that we did.
const GUARD: &str = "trap '' HUP INT TERM; read -r _ || kill -s KILL \"$1\"";

/// A running program whose output goes to a file. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    guard: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command; what it says on either stream is appended to the file `log`.
    pub fn start(mut command: Command, log: &Path) -> Result<Self, Error> {
        let tried = format!("start {}", command.get_program().display());
        let open = || {
            let opened = File::options().create(true).append(true).open(log);
            opened.map_err(Error::tried(format!("open {}", log.display())))
        };
        command.stdin(Stdio::null()).stdout(open()?).stderr(open()?);
        let child = command.spawn().map_err(Error::tried(tried))?;
        let guard = Command::new("/bin/sh")
            .args(["-c", GUARD, "guard", &child.id().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Error::tried("start a guard"))?;
        Ok(Self { child, guard, log: log.to_owned() })
    }

    /// The process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.child.wait()
    }

    /// Everything it said, and what others said in the same file.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Kills it: nothing is put in order.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Asks it to stop (SIGTERM) and waits; `None` when it did not end in time.
    pub fn terminate(&mut self, limit: Duration) -> Option<ExitStatus> {
        let _ = Command::new("kill").args(["-s", "TERM", &self.id().to_string()]).status();
        poll(limit, || self.child.try_wait().ok().flatten())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if let Some(mut stdin) = self.guard.stdin.take() {
            let _ = stdin.write_all(b"ended\n");
        }
        let _ = self.guard.wait();
    }
}
