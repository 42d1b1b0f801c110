//! Remotes that are reached through a program: `ssh`, or `git upload-pack` for a folder of this machine.

use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use gix::protocol::transport::{
    Protocol,
    client::git::{ConnectMode, blocking_io::Connection},
};

use crate::{
    Cause, Repository,
    interrupt::{Interrupt, end},
    socks::Relay,
    transport::Settings,
};

/// What a program may say on its error output before the rest is dropped.
const LONGEST_COMPLAINT: u64 = 16 * 1024;

/// How often a program that says little is looked at.
const WAIT_PAUSE: Duration = Duration::from_millis(20);

/// Settings of the caller's own Git that must not reach ours.
const UNWANTED: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
];

/// A running program that speaks Git's protocol. Dropping it ends the program and removes its key file.
pub(crate) struct Program {
    child: Arc<Mutex<Child>>,
    complaints: Option<JoinHandle<String>>,
    _needs: Option<Needs>,
}

/// What `ssh` needs while it runs: files with keys, and the way through a proxy.
struct Needs {
    _files: tempfile::TempDir,
    _relay: Option<Relay>,
}

pub(crate) type Stream = Connection<ChildStdout, ChildStdin>;

/// Serves a folder of this machine.
pub(crate) fn local(path: &Path, interrupt: &Interrupt) -> Result<(Program, Stream), Cause> {
    let mut command = Command::new("git");
    command.arg("upload-pack").arg(path);
    spawn(command, "git", &path.display().to_string(), None, interrupt)
}

/// Runs `git-upload-pack` on another machine.
pub(crate) fn ssh(
    repository: &Repository,
    address: (&str, &str, Option<u16>, &str),
    key_folder: &Path,
    connect_timeout: Duration,
    interrupt: &Interrupt,
) -> Result<(Program, Stream), Cause> {
    let path = address.3;
    let remote = format!("git-upload-pack '{}'", path.replace('\'', r"'\''"));
    let (command, needs) = ssh_command(repository, address, &remote, key_folder, connect_timeout)?;
    spawn(command, "ssh", path, Some(needs), interrupt)
}

/// Asks another machine where content kept in Git LFS is and what to say there.
pub(crate) fn lfs_authenticate(
    repository: &Repository,
    address: (&str, &str, Option<u16>, &str),
    settings: &Settings,
) -> Result<Vec<u8>, Cause> {
    let remote = format!("git-lfs-authenticate '{}' download", address.3.replace('\'', r"'\''"));
    let timeout = settings.request_timeout;
    let (mut command, _needs) = ssh_command(repository, address, &remote, &settings.key_folder, timeout)?;
    for name in UNWANTED {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started("ssh", &error))?;
    let reader = |stream: Option<Box<dyn Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            // What was read before an error is what there is.
            stream.map(|stream| stream.take(LONGEST_COMPLAINT).read_to_end(&mut text).ok());
            text
        })
    };
    let said = reader(child.stdout.take().map(|stream| Box::new(stream) as _));
    let complained = reader(child.stderr.take().map(|stream| Box::new(stream) as _));
    let deadline = std::time::Instant::now() + timeout;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Ok(status),
            Ok(None) if std::time::Instant::now() >= deadline => break Err(Cause::DeadlineExceeded(timeout)),
            Ok(None) => std::thread::sleep(WAIT_PAUSE),
            Err(error) => break Err(Cause::Other(error.to_string())),
        }
    };
    if status.is_err() {
        // Both fail only when it is gone already.
        child.kill().ok();
        child.wait().ok();
    }
    let (said, complained) = (said.join().unwrap_or_default(), complained.join().unwrap_or_default());
    match status? {
        status if status.success() => Ok(said),
        _ => Err(Cause::Other(String::from_utf8_lossy(&complained).trim().to_owned())),
    }
}

fn ssh_command(
    repository: &Repository,
    address: (&str, &str, Option<u16>, &str),
    remote: &str,
    key_folder: &Path,
    connect_timeout: Duration,
) -> Result<(Command, Needs), Cause> {
    let (user, host, port, _) = address;
    let private = fs::Permissions::from_mode(0o700);
    let files = tempfile::Builder::new()
        .prefix("argocd-ssh-")
        .permissions(private)
        .tempdir_in(key_folder)
        .map_err(not_written)?;
    let mut command = Command::new("ssh");
    for option in ssh_options(repository, files.path(), connect_timeout)? {
        command.arg("-o").arg(option);
    }
    if !repository.ssh_private_key.is_empty() {
        let key = files.path().join("key");
        write_private(&key, &with_line_ends(repository.ssh_private_key.reveal()))?;
        command.arg("-i").arg(key).args(["-o", "IdentitiesOnly=yes"]);
    }
    let relay = if repository.proxy.is_empty() {
        None
    } else {
        let there = port.unwrap_or(22);
        Some(Relay::to(repository.proxy.reveal(), host, there, connect_timeout)?)
    };
    if let Some(relay) = &relay {
        // The host key is still the remote's, as known hosts name it.
        let alias = port.filter(|port| *port != 22).map(|port| format!("[{host}]:{port}"));
        let alias = alias.unwrap_or_else(|| host.to_owned());
        command.args(["-o", "HostName=127.0.0.1", "-o", "CheckHostIP=no", "-o"]);
        command.arg(format!("HostKeyAlias={alias}")).arg("-p").arg(relay.port.to_string());
    } else if let Some(port) = port {
        command.arg("-p").arg(port.to_string());
    }
    if !user.is_empty() {
        command.arg("-l").arg(user);
    }
    command.arg("--").arg(host).arg(remote);
    Ok((command, Needs { _files: files, _relay: relay }))
}

fn not_started(program: &'static str, error: &std::io::Error) -> Cause {
    match error.kind() {
        std::io::ErrorKind::NotFound => Cause::MissingProgram(program),
        _ => Cause::Other(format!("start {program}: {error}")),
    }
}

fn ssh_options(repository: &Repository, files: &Path, timeout: Duration) -> Result<Vec<String>, Cause> {
    let mut options = vec![
        "BatchMode=yes".to_owned(),
        "SendEnv=GIT_PROTOCOL".to_owned(),
        "ServerAliveInterval=15".to_owned(),
        "ServerAliveCountMax=2".to_owned(),
        format!("ConnectTimeout={}", timeout.as_secs().max(1)),
        "ForwardAgent=no".to_owned(),
        "ForwardX11=no".to_owned(),
        "LogLevel=ERROR".to_owned(),
        "GlobalKnownHostsFile=/dev/null".to_owned(),
    ];
    if repository.insecure || repository.insecure_ignore_host_key {
        options.extend(["StrictHostKeyChecking=no".to_owned(), "UserKnownHostsFile=/dev/null".to_owned()]);
    } else {
        let known_hosts = files.join("known_hosts");
        write_private(&known_hosts, &with_line_ends(&repository.known_hosts))?;
        options.push("StrictHostKeyChecking=yes".to_owned());
        options.push(format!("UserKnownHostsFile={}", known_hosts.display()));
    }
    Ok(options)
}

fn spawn(
    mut command: Command,
    program: &'static str,
    path: &str,
    needs: Option<Needs>,
    interrupt: &Interrupt,
) -> Result<(Program, Stream), Cause> {
    for name in UNWANTED {
        command.env_remove(name);
    }
    command.env("GIT_PROTOCOL", "version=2").env("LC_ALL", "C");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let child = Arc::new(Mutex::new(child));
    let mut program = Program { child: child.clone(), complaints: None, _needs: needs };
    let (Some(input), Some(output), Some(errors)) = pipes else {
        return Err(Cause::Other("the program has no pipes".to_owned()));
    };
    program.complaints = Some(std::thread::spawn(move || {
        let mut text = Vec::new();
        let mut errors = errors;
        (&mut errors).take(LONGEST_COMPLAINT).read_to_end(&mut text).ok();
        std::io::copy(&mut errors, &mut std::io::sink()).ok();
        String::from_utf8_lossy(&text).into_owned()
    }));
    interrupt.watch(&child);
    let stream =
        Connection::new(output, input, Protocol::V2, path, None::<(String, _)>, ConnectMode::Process, false);
    Ok((program, stream))
}

impl Program {
    /// Ends the program and gives what it said on its error output.
    pub(crate) fn complaints(mut self) -> String {
        end(&self.child);
        self.complaints.take().and_then(|reader| reader.join().ok()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        end(&self.child);
        if let Some(reader) = self.complaints.take() {
            reader.join().ok();
        }
    }
}

/// Where private keys lie while `ssh` runs: in memory where the system has such a folder.
pub(crate) fn key_folder(fallback: &Path) -> PathBuf {
    let in_memory = Path::new("/dev/shm");
    if tempfile::tempfile_in(in_memory).is_ok() { in_memory.to_owned() } else { fallback.to_owned() }
}

fn write_private(path: &Path, text: &str) -> Result<(), Cause> {
    let mut file =
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(not_written)?;
    file.write_all(text.as_bytes()).map_err(not_written)
}

/// Keys pasted into a form lose their last line end or gain carriage returns; ssh refuses both.
fn with_line_ends(text: &str) -> String {
    let mut text = text.replace("\r\n", "\n");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn not_written(error: impl std::fmt::Display) -> Cause {
    Cause::Other(format!("write ssh files: {error}"))
}
