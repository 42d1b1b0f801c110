//! One command of the plugin: in a process group of its own, with limits of time and output, and gone with
//! everything it started when the call is over.

use crate::configuration::Command;
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, waitpgid};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStderr, ChildStdout};

/// What is kept of a command's error output. It travels in a header, which has a limit itself.
const MOST_COMPLAINT: usize = 4 * 1024;
/// What leaves the group may still hold the output open; it is waited for no longer.
const DRAIN: Duration = Duration::from_secs(1);
/// Values of variables that are called so are masked in what a command says.
const SECRET_NAMES: [&str; 8] =
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "NONCE", "PRIVATE_KEY", "API_KEY", "CREDENTIAL"];
/// Shorter values would mask half the text.
const SHORTEST_SECRET: usize = 6;

/// What a command may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Until it is asked to end.
    pub(crate) timeout: Duration,
    /// From then until it is killed.
    pub(crate) grace: Duration,
    /// Bytes of its output.
    pub(crate) output: usize,
}

/// Why a command gave nothing. The words are the original's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("Command is empty")]
    Empty,
    #[error("exec: {0:?}: executable file not found in $PATH")]
    NotFound(String),
    #[error("fork/exec {program}: {error}")]
    NotStarted { program: String, error: std::io::Error },
    #[error("`{line}` failed {cause}{}", after(.complaint))]
    Failed { line: String, cause: String, complaint: String },
    #[error("`{line}` failed: its output is no text")]
    NoText { line: String },
}

fn after(complaint: &str) -> String {
    if complaint.is_empty() { String::new() } else { format!(": {complaint}") }
}

/// Runs a command in a folder; its output without the last line end comes back. Variables stand beside those this
/// process has.
pub(crate) async fn run(
    command: &Command,
    folder: &Path,
    environment: &[(String, String)],
    limits: Limits,
) -> Result<String, CommandError> {
    let words = command.words();
    let Some((program, arguments)) = words.split_first() else { return Err(CommandError::Empty) };
    let line = words.join(" ");
    let mut process = tokio::process::Command::new(program);
    process.args(arguments).current_dir(folder).process_group(0);
    process.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    process.envs(environment.iter().map(|(name, value)| (name, value)));
    let mut child = process.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound if !program.contains('/') => CommandError::NotFound(program.to_string()),
        _ => CommandError::NotStarted { program: program.to_string(), error },
    })?;
    tracing::info!(command = line, "run");
    let group = Group::of(&child);
    let pipes = (child.stdout.take(), child.stderr.take());
    let failed =
        |cause: String, complaint: String| CommandError::Failed { line: line.clone(), cause, complaint };
    let (Some(output), Some(errors)) = pipes else {
        return Err(failed("without pipes".into(), String::new()));
    };
    let outcome = attend(&mut child, &group, output, errors, limits).await;
    drop(group);
    let masked = |complaint: Vec<u8>| mask(&complaint, environment);
    match outcome {
        Outcome::Ended { status, output, complaint } if status.success() => {
            if !complaint.is_empty() {
                tracing::debug!(command = line, said = masked(complaint), "the command ended well");
            }
            let mut text =
                String::from_utf8(output).map_err(|_| CommandError::NoText { line: line.clone() })?;
            if text.ends_with('\n') {
                text.pop();
            }
            Ok(text)
        }
        Outcome::Ended { status, complaint, .. } => Err(failed(exit(status), masked(complaint))),
        Outcome::TooLong => Err(failed(format!("timeout after {}", shown(limits.timeout)), String::new())),
        Outcome::TooMuch => Err(failed(format!("output larger than {} bytes", limits.output), String::new())),
        Outcome::Lost(error) => Err(failed(error.to_string(), String::new())),
    }
}

enum Outcome {
    Ended { status: ExitStatus, output: Vec<u8>, complaint: Vec<u8> },
    TooLong,
    TooMuch,
    Lost(std::io::Error),
}

/// Reads what the command says until it ends, or until it took too long or said too much.
async fn attend(
    child: &mut Child,
    group: &Group,
    output: ChildStdout,
    errors: ChildStderr,
    limits: Limits,
) -> Outcome {
    let complaining = tokio::spawn(tail(errors, MOST_COMPLAINT));
    // A command that says more than is taken does not get rid of the rest, and does not end.
    let reading = tokio::spawn(all(output, limits.output));
    let reading = async { reading.await.unwrap_or_default() };
    tokio::pin!(reading);
    let mut read = None;
    let deadline = tokio::time::sleep(limits.timeout);
    tokio::pin!(deadline);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            said = &mut reading, if read.is_none() => {
                if said.len() > limits.output {
                    group.signal(Signal::KILL);
                    child.wait().await.ok();
                    return Outcome::TooMuch;
                }
                read = Some(said);
            }
            () = &mut deadline => {
                group.signal(Signal::TERM);
                if tokio::time::timeout(limits.grace, child.wait()).await.is_err() {
                    group.signal(Signal::KILL);
                    child.wait().await.ok();
                }
                return Outcome::TooLong;
            }
        }
    };
    // What it left running in the background would hold the pipes open.
    group.signal(Signal::KILL);
    let output = match read {
        Some(output) => output,
        None => tokio::time::timeout(DRAIN, reading).await.unwrap_or_default(),
    };
    let complaint = tokio::time::timeout(DRAIN, complaining).await;
    let complaint = complaint.ok().and_then(Result::ok).unwrap_or_default();
    match status {
        Ok(_) if output.len() > limits.output => Outcome::TooMuch,
        Ok(status) => Outcome::Ended { status, output, complaint },
        Err(error) => Outcome::Lost(error),
    }
}

/// Everything, up to one byte more than the limit.
async fn all(reader: impl AsyncRead + Unpin, limit: usize) -> Vec<u8> {
    let mut text = Vec::new();
    // What was read before an error is what there is.
    reader.take(limit as u64 + 1).read_to_end(&mut text).await.ok();
    text
}

/// The end of what is said: that is where a failure is told.
async fn tail(mut reader: impl AsyncRead + Unpin, limit: usize) -> Vec<u8> {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = reader.read(&mut buffer).await {
        text.extend_from_slice(&buffer[..length]);
        if text.len() > 2 * limit {
            text.drain(..text.len() - limit);
        }
    }
    if text.len() > limit {
        text.drain(..text.len() - limit);
    }
    text
}

/// Text that is fit to be shown.
fn mask(complaint: &[u8], environment: &[(String, String)]) -> String {
    let mut text = String::from_utf8_lossy(complaint).trim().to_owned();
    let own: Vec<(String, String)> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    for (name, value) in environment.iter().chain(&own) {
        let name = name.to_ascii_uppercase();
        if value.len() >= SHORTEST_SECRET && SECRET_NAMES.iter().any(|part| name.contains(part)) {
            text = text.replace(value.as_str(), "******");
        }
    }
    text
}

/// The process group of a command. Dropped, everything in it is killed.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.0 {
            // It fails only when nobody is left.
            kill_process_group(group, signal).ok();
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        // As process 1 of a container we inherit what its parents left; nobody else would take it away.
        if std::process::id() == 1
            && let Some(group) = self.0
        {
            while let Ok(Some(_)) = waitpgid(group, WaitOptions::NOHANG) {}
        }
    }
}

/// As Go says it.
fn exit(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(9)) => "signal: killed".to_owned(),
        (None, Some(15)) => "signal: terminated".to_owned(),
        (None, Some(number)) => format!("signal: {number}"),
        (None, None) => "without a status".to_owned(),
    }
}

/// As Go prints a duration: `1m30s`, `1.5s`, `300ms`.
fn shown(duration: Duration) -> String {
    let (seconds, thousandths) = (duration.as_secs(), duration.subsec_millis());
    if seconds == 0 {
        return format!("{thousandths}ms");
    }
    let fraction = format!(".{thousandths:03}").trim_end_matches('0').trim_end_matches('.').to_owned();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}{fraction}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}{fraction}s"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::{mask, shown};
    use std::time::Duration;

    #[test]
    fn durations_print_as_in_go() {
        for (thousandths, expected) in
            [(300, "300ms"), (1000, "1s"), (1500, "1.5s"), (90_000, "1m30s"), (3_600_000, "1h0m0s")]
        {
            assert_eq!(shown(Duration::from_millis(thousandths)), expected);
        }
    }

    #[test]
    fn secrets_are_masked() {
        let environment = [
            ("ARGOCD_ENV_API_TOKEN".to_owned(), "hunter2hunter2".to_owned()),
            ("ARGOCD_APP_NAME".to_owned(), "guestbook".to_owned()),
        ];
        assert_eq!(
            mask(b"  guestbook: cannot use hunter2hunter2\n", &environment),
            "guestbook: cannot use ******"
        );
    }
}
