//! A child process that does not outlive us, however we end.
//!
//! A small shell starts the program and waits for its own standard input to end. We hold the other
//! end, so it ends when we let go and also when we are killed. The kernel's parent-death signal
//! would not do: it follows the thread that started the child, and tests come and go on threads.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::error::Error;

/// `$1` is the log, the rest the command line.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
log=$1
shift
"$@" </dev/null >>"$log" 2>&1 &
child=$!
echo "$child"
exec >&- 2>&-
while read -r _; do :; done
kill -s KILL "$child"
wait "$child"
"#;

/// The child on its leash. Dropping it kills the child and waits until it is gone.
#[derive(Debug)]
pub(crate) struct Leash {
    shell: Child,
    /// The process id of the program itself.
    pub(crate) pid: u32,
}

impl Leash {
    /// Starts `program`; its output is appended to the file `log`.
    pub(crate) fn start(program: &str, arguments: &[String], log: &Path) -> Result<Self, Error> {
        let tried = format!("start {program}");
        let mut shell = Command::new("/bin/sh")
            .args(["-c", SCRIPT, "leash"])
            .arg(log)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(Error::tried(tried.clone()))?;
        let mut line = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout.take(32)).read_line(&mut line).map_err(Error::tried(tried.clone()))?;
        }
        let Ok(pid) = line.trim().parse() else {
            drop(shell.stdin.take());
            let _ = shell.wait();
            return Err(Error::Failed { program: tried, output: "the shell named no process".into() });
        };
        Ok(Self { shell, pid })
    }

    /// Whether the program still runs.
    pub(crate) fn alive(&self) -> bool {
        // A child that ended stays a zombie of the shell until the leash is dropped.
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/stat", self.pid)) else {
            return false;
        };
        let state = status.rsplit_once(')').map_or("", |(_, rest)| rest.trim_start());
        !state.starts_with(['Z', 'X'])
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}
