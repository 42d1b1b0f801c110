//! Real Git repositories with the same commit ids on every machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::error::Error;

/// The time of the first commit; each further one is a minute later.
const FIRST_COMMIT: u64 = 1_767_225_600; // 2026-01-01T00:00:00Z
const MINUTE: u64 = 60;
const AUTHOR: &str = "Test Author";
const ADDRESS: &str = "author@example.com";

/// A work tree with a bare repository to push to. Dropping it removes both.
#[derive(Debug)]
pub struct GitRepo {
    folder: TempDir,
    name: String,
    commits: u64,
}

impl GitRepo {
    /// An empty repository with the branch `main`; the bare one is `<root>/<name>.git`.
    pub fn create(name: &str) -> Result<Self, Error> {
        let folder = tempfile::Builder::new()
            .prefix("argocd-rs-git-")
            .tempdir()
            .map_err(Error::tried("make a folder for a repository"))?;
        let repo = Self { folder, name: name.to_owned(), commits: 0 };
        fs::create_dir_all(repo.root()).map_err(Error::tried("make a folder for a repository"))?;
        let bare = repo.bare_path().display().to_string();
        let work = repo.work_path().display().to_string();
        repo.run(repo.folder.path(), &["init", "-q", "--bare", "-b", "main", &bare])?;
        repo.run(repo.folder.path(), &["init", "-q", "-b", "main", &work])?;
        repo.git(&["remote", "add", "origin", &bare])?;
        // Servers read the bare one and may be asked for any commit.
        repo.run(&repo.bare_path(), &["config", "uploadpack.allowAnySHA1InWant", "true"])?;
        Ok(repo)
    }

    /// A repository whose first commit, pushed to `main`, holds a folder's files.
    pub fn from_folder(name: &str, folder: &Path) -> Result<Self, Error> {
        let mut repo = Self::create(name)?;
        repo.copy(folder, "")?;
        repo.commit("first")?;
        repo.push()?;
        Ok(repo)
    }

    /// A repository whose first commit, pushed to `main`, holds these files.
    pub fn from_files(name: &str, files: &[(&str, &str)]) -> Result<Self, Error> {
        let mut repo = Self::create(name)?;
        for (path, text) in files {
            repo.write(path, text)?;
        }
        repo.commit("first")?;
        repo.push()?;
        Ok(repo)
    }

    /// Everything there is of it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that holds the bare repository and nothing else: what a server serves.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.folder.path().join("served")
    }

    /// The bare repository.
    #[must_use]
    pub fn bare_path(&self) -> PathBuf {
        self.root().join(format!("{}.git", self.name))
    }

    /// The work tree.
    #[must_use]
    pub fn work_path(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// The bare repository as a `file://` address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("file://{}", self.bare_path().display())
    }

    /// Writes a file of the work tree.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) -> Result<(), Error> {
        let target = self.work_path().join(path);
        let tried = || Error::tried(format!("write {}", target.display()));
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(tried())?;
        }
        fs::write(&target, text).map_err(tried())
    }

    /// Removes a file or folder of the work tree.
    pub fn remove(&self, path: &str) -> Result<(), Error> {
        let target = self.work_path().join(path);
        let removed = if target.is_dir() { fs::remove_dir_all(&target) } else { fs::remove_file(&target) };
        removed.map_err(Error::tried(format!("remove {}", target.display())))
    }

    /// Copies a folder's files into a folder of the work tree. Symbolic links stay links.
    pub fn copy(&self, from: &Path, into: &str) -> Result<(), Error> {
        copy_tree(from, &self.work_path().join(into))
            .map_err(Error::tried(format!("copy {}", from.display())))
    }

    /// Commits the work tree as it is, also when nothing changed, and returns the commit's id.
    pub fn commit(&mut self, message: &str) -> Result<String, Error> {
        self.git(&["add", "-A", "."])?;
        self.git(&["commit", "-q", "--allow-empty", "-m", message])?;
        self.commits += 1;
        self.head()
    }

    /// The id of the commit that is checked out.
    pub fn head(&self) -> Result<String, Error> {
        Ok(self.git(&["rev-parse", "HEAD"])?.trim().to_owned())
    }

    /// Checks a branch out, made from where we are when it is new.
    pub fn branch(&self, name: &str) -> Result<(), Error> {
        let known = self.git(&["rev-parse", "-q", "--verify", &format!("refs/heads/{name}")]).is_ok();
        let arguments: &[&str] =
            if known { &["checkout", "-q", name] } else { &["checkout", "-q", "-b", name] };
        self.git(arguments).map(drop)
    }

    /// Puts a tag on the commit that is checked out, annotated when there is a message.
    pub fn tag(&self, name: &str, message: Option<&str>) -> Result<(), Error> {
        match message {
            Some(message) => self.git(&["tag", "-f", "-a", "-m", message, name]),
            None => self.git(&["tag", "-f", name]),
        }
        .map(drop)
    }

    /// Pushes every branch and tag to the bare repository, by force.
    pub fn push(&self) -> Result<(), Error> {
        self.git(&["push", "-q", "-f", "--all", "origin"])?;
        self.git(&["push", "-q", "-f", "--tags", "origin"]).map(drop)
    }

    /// Writes one file, commits and pushes; returns the commit's id.
    pub fn change(&mut self, path: &str, text: &str) -> Result<String, Error> {
        self.write(path, text)?;
        let id = self.commit(&format!("change {path}"))?;
        self.push()?;
        Ok(id)
    }

    /// Runs git in the work tree and returns what it said.
    pub fn git(&self, arguments: &[&str]) -> Result<String, Error> {
        self.run(&self.work_path(), arguments)
    }

    fn run(&self, folder: &Path, arguments: &[&str]) -> Result<String, Error> {
        let date = format!("{} +0000", FIRST_COMMIT + self.commits * MINUTE);
        let output = git_command(self.folder.path())
            .args(["-c", "commit.gpgSign=false", "-c", "core.autocrlf=false", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(folder)
            .env("GIT_AUTHOR_NAME", AUTHOR)
            .env("GIT_AUTHOR_EMAIL", ADDRESS)
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_NAME", AUTHOR)
            .env("GIT_COMMITTER_EMAIL", ADDRESS)
            .env("GIT_COMMITTER_DATE", &date)
            .output()
            .map_err(missing_git)?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Failed { program: format!("git {}", arguments.join(" ")), output: said })
    }
}

/// Git without the settings of the person or the machine, and without their surroundings.
pub(crate) fn git_command(home: &Path) -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", home)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null());
    command
}

pub(crate) fn missing_git(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::Missing {
            program: "git",
            hint: "install the Debian package git (apt-get install git)",
        };
    }
    Error::System { tried: "run git".into(), source: error }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_name() == ".git" {
            continue;
        }
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_tree(&source, &target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
