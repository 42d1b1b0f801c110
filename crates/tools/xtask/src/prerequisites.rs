//! What must be on the machine: Rust, Go, Node and git are the user's to install, the rest is installed here
//! where that is possible, and named where not.

use crate::run::{output, step};
use anyhow::{Result, bail};

/// A program the user must have.
struct Program {
    name: &'static str,
    version: &'static str,
    advice: &'static str,
}

const GO: Program = Program {
    name: "go",
    version: "version",
    advice: "Go 1.26 or newer (it builds the local Kubernetes control plane)",
};
const GIT: Program = Program { name: "git", version: "--version", advice: "git 2.30 or newer" };

const REDIS: (&str, &str) = ("redis-server", "redis-server");
/// What Debian calls the servers that the tests start, and the program that shows one is there.
const PACKAGES: [(&str, &str); 5] = [
    REDIS,
    ("openssh-server", "/usr/sbin/sshd"),
    ("gnupg", "gpg"),
    ("chromium", "chromium"),
    ("chromium-driver", "chromedriver"),
];

/// Checks what the demo needs.
pub(crate) fn demo() -> Result<()> {
    present(&[GIT, GO])
}

/// Checks what measurements need, and installs what Debian has.
pub(crate) fn bench() -> Result<()> {
    present(&[GIT, GO])?;
    install(&[REDIS])
}

/// Checks what the tests need, and installs what Debian has.
pub(crate) fn test() -> Result<()> {
    present(&[GIT, GO])?;
    install(&PACKAGES)
}

fn install(packages: &[(&'static str, &str)]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|(_, program)| output("sh", &["-c", &format!("command -v {program}")]).is_none())
        .map(|(package, _)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let root = output("id", &["-u"]).is_some_and(|id| id.trim() == "0");
    if !root || output("sh", &["-c", "command -v apt-get"]).is_none() {
        bail!(
            "{} must be there: install the Debian packages of these names, or their like",
            missing.join(" and ")
        );
    }
    step("update the package lists", "apt-get", &["-qq", "update"])?;
    let mut arguments = vec!["-qq", "install", "--yes", "--no-install-recommends"];
    arguments.extend(&missing);
    step(&format!("install {}", missing.join(" and ")), "env", &{
        let mut all = vec!["DEBIAN_FRONTEND=noninteractive", "apt-get"];
        all.extend(&arguments);
        all
    })
}

fn present(programs: &[Program]) -> Result<()> {
    for program in programs {
        if output(program.name, &[program.version]).is_none() {
            bail!("{} is not on the PATH: install {}", program.name, program.advice);
        }
    }
    Ok(())
}
