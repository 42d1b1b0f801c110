//! Repositories over SSH, through the real `sshd`: a host key, a key that opens, and strangers to both.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::error::Error;
use crate::leash::Leash;
use crate::wait::{free_port, poll};

const PROGRAM: &str = "/usr/sbin/sshd";
const START_LIMIT: Duration = Duration::from_secs(10);
/// A free port may be taken before the server is there.
const ATTEMPTS: usize = 5;

/// A key pair of the server's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// What the server shows.
    Host,
    /// A host key that is not the server's.
    OtherHost,
    /// Opens the server.
    User,
    /// Does not.
    Stranger,
}

/// A running server that whoever runs the test may enter. Dropping it kills it.
#[derive(Debug)]
pub struct Sshd {
    _leash: Leash,
    folder: TempDir,
    user: String,
    /// The loopback port.
    pub port: u16,
}

impl Key {
    const ALL: [Self; 4] = [Self::Host, Self::OtherHost, Self::User, Self::Stranger];

    fn file(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::OtherHost => "other_host",
            Self::User => "user",
            Self::Stranger => "stranger",
        }
    }
}

impl Sshd {
    /// Starts a server on a free port, with more lines of configuration.
    pub fn start(more: &str) -> Result<Self, Error> {
        if !Path::new(PROGRAM).exists() {
            let hint = "install the Debian package openssh-server (apt-get install openssh-server)";
            return Err(Error::Missing { program: "sshd", hint });
        }
        let folder = tempfile::Builder::new().prefix("argocd-rs-sshd-").tempdir();
        let folder = folder.map_err(Error::tried("make a folder for an SSH server"))?;
        for key in Key::ALL {
            generate(&folder.path().join(key.file()))?;
        }
        let authorized = folder.path().join("authorized_keys");
        let kept = || Error::tried("let a key in");
        fs::copy(folder.path().join("user.pub"), &authorized).map_err(kept())?;
        fs::set_permissions(&authorized, fs::Permissions::from_mode(0o600)).map_err(kept())?;
        // As root, sshd wants this folder even when it separates nothing; others do without.
        fs::create_dir_all("/run/sshd").ok();
        let user = Command::new("id").arg("-un").output().map_err(Error::tried("run id"))?.stdout;
        let user = String::from_utf8_lossy(&user).trim().to_owned();
        for attempt in 1.. {
            let port = free_port().map_err(Error::tried("find a free port"))?;
            let at = |name: &str| folder.path().join(name).display().to_string();
            let config = format!(
                "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile {}\nUsePAM no\n\
                 StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nAcceptEnv GIT_PROTOCOL\n{more}\n",
                at("host"),
                at("authorized_keys"),
                at("pid")
            );
            fs::write(at("config"), config).map_err(Error::tried("write an SSH server's settings"))?;
            let arguments = ["-D", "-e", "-f", &at("config")].map(str::to_owned);
            let log = folder.path().join("log");
            let leash = Leash::start(PROGRAM, &arguments, &log)?;
            let ready = poll(START_LIMIT, || {
                if !leash.alive() {
                    return Some(false);
                }
                TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(|_| true)
            });
            let said = || fs::read_to_string(&log).unwrap_or_default();
            match ready {
                Some(true) => return Ok(Self { _leash: leash, folder, user, port }),
                Some(false) if attempt < ATTEMPTS => {}
                Some(false) => return Err(Error::Failed { program: PROGRAM.to_owned(), output: said() }),
                None => {
                    let seconds = START_LIMIT.as_secs();
                    return Err(Error::NotReady { part: "the SSH server", seconds, last: said() });
                }
            }
        }
        unreachable!("the attempts end with an answer")
    }

    /// The address of a folder of this machine.
    #[must_use]
    pub fn url(&self, folder: &Path) -> String {
        format!("ssh://{}@127.0.0.1:{}{}", self.user, self.port, folder.display())
    }

    /// A private key, as OpenSSH keeps it.
    pub fn private_key(&self, key: Key) -> Result<String, Error> {
        self.text(key.file())
    }

    /// The line of `known_hosts` that says the server has this key.
    pub fn known_hosts(&self, key: Key) -> Result<String, Error> {
        let text = self.text(&format!("{}.pub", key.file()))?;
        let words: Vec<&str> = text.split(' ').take(2).collect();
        Ok(format!("[127.0.0.1]:{} {}", self.port, words.join(" ")))
    }

    fn text(&self, name: &str) -> Result<String, Error> {
        fs::read_to_string(self.folder.path().join(name)).map_err(Error::tried(format!("read {name}")))
    }
}

fn generate(file: &Path) -> Result<(), Error> {
    let arguments = ["-q", "-t", "ed25519", "-N", "", "-f"];
    let made = Command::new("ssh-keygen").args(arguments).arg(file).output();
    let output = made.map_err(Error::tried("run ssh-keygen"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(Error::Failed { program: "ssh-keygen".to_owned(), output: said })
}
