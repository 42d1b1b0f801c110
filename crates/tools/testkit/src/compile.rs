//! Programs that are built once and kept outside the work tree: the Go modules of `e2e`, and published Go
//! programs by name and version.

use std::env;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::error::Error;

const PROGRESS_PERIOD: Duration = Duration::from_secs(20);
/// How much of the compiler's output an error carries.
const OUTPUT_LINES: usize = 30;

/// A program of a Go module of this repository.
pub(crate) struct Program {
    /// The module's folder.
    pub(crate) module: &'static str,
    /// The binary's name.
    pub(crate) name: &'static str,
    /// What it is called in messages.
    pub(crate) title: &'static str,
    /// The package to build: `.`, or one of a module that ours names with its version.
    pub(crate) package: &'static str,
    /// About how many minutes the first build takes on two cores.
    pub(crate) minutes: u32,
}

/// The path of a program's binary, which is built when there is none for these sources and this version of Go.
/// Progress goes to standard error. Two who ask at once build once.
pub(crate) fn binary(program: &Program) -> Result<PathBuf, Error> {
    let Program { module, name, title, package, minutes } = program;
    let module = folder(module);
    let version = go_version(&module)?;
    let folder = cache()?.join(name).join(fingerprint(&module, &version)?);
    once(&folder, name, title, |partial| {
        let what = format!("{title} with {version}, about {minutes} minutes the first time");
        let mut build = Command::new("go");
        build
            .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o"])
            .arg(partial)
            .arg(package)
            .current_dir(&module);
        compile(build, &what, title)
    })
}

/// Where the sources of a module lie that a program's module names.
pub(crate) fn module(program: &Program, path: &str) -> Result<PathBuf, Error> {
    let folder = folder(program.module);
    go_version(&folder)?;
    download(&folder, path, "Dir").map(PathBuf::from)
}

/// What Go tells of a module it has fetched: `Dir` is its unpacked folder, `Zip` the archive.
fn download(folder: &Path, module: &str, field: &str) -> Result<String, Error> {
    let mut command = Command::new("go");
    command.args(["mod", "download", "-json", module]).current_dir(folder);
    let output = command.output().map_err(Error::tried(format!("run go in {}", folder.display())))?;
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let found = told.get(field).and_then(serde_json::Value::as_str);
    found.map(str::to_owned).ok_or_else(|| Error::Failed {
        program: format!("go mod download {module}"),
        output: told
            .get("Error")
            .map_or_else(|| String::from_utf8_lossy(&output.stderr).trim().to_owned(), ToString::to_string),
    })
}

/// Where a published module's sources lie, unpacked without a look at the version of Go it asks for.
pub(crate) fn sources(path: &str, version: &str, name: &'static str) -> Result<PathBuf, Error> {
    let folder = cache()?.join(name).join(version);
    go_version(Path::new("."))?;
    let unpacked = once(&folder, "sources", name, |partial| {
        fs::create_dir_all(partial).map_err(Error::tried(format!("create {}", partial.display())))?;
        let archive = download(&folder, &format!("{path}@{version}"), "Zip")?;
        let mut unpack = Command::new("python3");
        unpack.args(["-m", "zipfile", "-e", &archive]).arg(partial);
        let output = unpack.output().map_err(Error::tried("run python3 -m zipfile"))?;
        if output.status.success() {
            return Ok(());
        }
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Failed { program: format!("python3 -m zipfile -e {archive}"), output })
    })?;
    Ok(unpacked.join(format!("{path}@{version}")))
}

/// A folder of this repository.
fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(path)
}

/// The path of a published Go program, built when this version of it is not there yet.
pub(crate) fn published(package: &str, version: &str, name: &'static str) -> Result<PathBuf, Error> {
    let cache = cache()?;
    go_version(Path::new("."))?;
    let folder = cache.join(name).join(version);
    once(&folder, name, name, |partial| {
        let bin = folder.join("bin");
        let mut build = Command::new("go");
        build
            .args(["install", "-trimpath", "-ldflags", "-s -w"])
            .arg(format!("{package}@{version}"))
            .env("GOBIN", &bin)
            .current_dir(&folder);
        compile(build, &format!("{name} {version}, a few minutes the first time"), name)?;
        let is_version = |part: &str| part.strip_prefix('v').is_some_and(|rest| rest.parse::<u32>().is_ok());
        let built = package.rsplit('/').find(|part| !is_version(part)).unwrap_or(package);
        fs::rename(bin.join(built), partial).map_err(Error::tried(format!("keep {name}")))
    })
}

/// The path of a program of a published module that `go install` refuses, for the replacements its `go.mod` makes: it
/// is built where it was unpacked.
pub(crate) fn unpacked(
    path: &str,
    version: &str,
    name: &'static str,
    package: &str,
) -> Result<PathBuf, Error> {
    let sources = sources(path, version, name)?;
    let folder = cache()?.join(name).join(version);
    once(&folder, name, name, |partial| {
        let mut build = Command::new("go");
        build
            .args(["build", "-mod=mod", "-buildvcs=false", "-trimpath", "-ldflags", "-s -w", "-o"])
            .arg(partial)
            .arg(package)
            .env("CGO_ENABLED", "0")
            .current_dir(&sources);
        compile(build, &format!("{name} {version}, about 20 minutes the first time"), name)
    })
}

/// The program of that name in a folder, made when it is not there. Two who ask at once make it once.
fn once(
    folder: &Path,
    name: &str,
    what: &str,
    make: impl FnOnce(&Path) -> Result<(), Error>,
) -> Result<PathBuf, Error> {
    let binary = folder.join(name);
    if binary.exists() {
        return Ok(binary);
    }
    let at = |what: &str| format!("{what} {}", folder.display());
    fs::create_dir_all(folder).map_err(Error::tried(at("create")))?;
    let lock = File::create(folder.join("lock")).map_err(Error::tried(at("lock")))?;
    if lock.try_lock().is_err() {
        say(&format!("waiting for another build of {what}"));
        lock.lock().map_err(Error::tried(at("lock")))?;
    }
    if binary.exists() {
        return Ok(binary);
    }
    let partial = folder.join(format!("{name}.partial"));
    make(&partial)?;
    fs::rename(&partial, &binary).map_err(Error::tried(at("finish")))?;
    Ok(binary)
}

fn go_version(module: &Path) -> Result<String, Error> {
    let output = match Command::new("go").arg("version").current_dir(module).output() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && module.is_dir() => {
            return Err(Error::Missing {
                program: "Go",
                hint: "the control plane in e2e/controlplane is built with Go 1.26 or newer, from https://go.dev/dl",
            });
        }
        other => other.map_err(Error::tried(format!("run go in {}", module.display())))?,
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::Failed { program: "go version".into(), output: said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn cache() -> Result<PathBuf, Error> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("ARGOCD_RS_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|path| path.join("argocd-rs")))
        .or_else(|| set("HOME").map(|path| path.join(".cache/argocd-rs")))
        .ok_or_else(|| Error::System {
            tried: "find a cache folder (ARGOCD_RS_CACHE, XDG_CACHE_HOME or HOME)".into(),
            source: io::ErrorKind::NotFound.into(),
        })
}

/// Names the build: what goes in, and what makes it.
fn fingerprint(module: &Path, version: &str) -> Result<String, Error> {
    let mut sources = Vec::new();
    collect(module, &mut sources).map_err(Error::tried(format!("list {}", module.display())))?;
    sources.sort();
    let mut hash = Sha256::new();
    hash.update(version);
    for path in sources {
        let text = fs::read(&path).map_err(Error::tried(format!("read {}", path.display())))?;
        let name = path.strip_prefix(module).unwrap_or(&path);
        hash.update(format!("\n{} {}\n", name.display(), text.len()));
        hash.update(text);
    }
    Ok(hash.finalize()[..10].iter().map(|byte| format!("{byte:02x}")).collect())
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() {
            collect(&path, into)?;
        } else if (name.ends_with(".go") && !name.ends_with("_test.go"))
            || name == "go.mod"
            || name == "go.sum"
        {
            into.push(path);
        }
    }
    Ok(())
}

fn compile(mut build: Command, announced: &str, what: &str) -> Result<(), Error> {
    say(&format!("building {announced}"));
    let started = Instant::now();
    let mut build = build
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Error::tried("run go build"))?;
    let (sender, lines) = mpsc::channel();
    if let Some(stderr) = build.stderr.take() {
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
    }
    let mut said = Vec::new();
    let mut downloads = 0_u32;
    loop {
        match lines.recv_timeout(PROGRESS_PERIOD) {
            Ok(line) if line.starts_with("go: downloading") => downloads += 1,
            Ok(line) if said.len() < OUTPUT_LINES => said.push(line),
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => say(&format!(
                "still building {what}: {} s, {downloads} modules downloaded",
                started.elapsed().as_secs()
            )),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = build.wait().map_err(Error::tried("run go build"))?;
    if !status.success() {
        return Err(Error::Failed { program: "go build".into(), output: said.join("\n") });
    }
    say(&format!("built {what} in {} s", started.elapsed().as_secs()));
    Ok(())
}

fn say(text: &str) {
    // Progress nobody can read is no reason to fail.
    let _ = writeln!(io::stderr(), "testkit: {text}");
}
