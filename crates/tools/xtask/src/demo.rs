//! `cargo xtask demo`: a cluster, everything in one process, an application in it, and what to try next.

use crate::prerequisites;
use crate::run::{built, cargo, step};
use anyhow::{Context, Result, bail};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::control_plane::{self, ControlPlane};
use testkit::git_repo::GitRepo;
use testkit::process::Process;

const DEPLOYMENT: &str = include_str!("../demo/deployment.yaml");
const SERVICE: &str = include_str!("../demo/service.yaml");
const NAMESPACE: &str = "argocd";
/// How long the server may take to answer.
const READY: Duration = Duration::from_secs(90);
/// Removes folders when we are gone, Ctrl-C included, which lets nobody clean up.
const SWEEP: &str = "trap '' HUP INT TERM; while read -r _; do :; done; rm -rf -- \"$@\"";

/// What the user asked for.
#[derive(Default)]
struct Wanted {
    context: Option<String>,
    kubeconfig: Option<PathBuf>,
    port: Option<u16>,
    namespace: Option<String>,
    binary: Option<PathBuf>,
    once: bool,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let wanted = Wanted::parse(arguments)?;
    prerequisites::demo()?;
    let binary = match &wanted.binary {
        Some(binary) => binary.clone(),
        None => {
            step("build argocd", &cargo(), &["build", "--package", "argocd", "--quiet"])?;
            built("debug", "argocd")?
        }
    };
    let cluster = Cluster::start(&wanted)?;
    eprintln!("==> a Git repository with the guestbook");
    let repository = GitRepo::from_files(
        "guestbook",
        &[("guestbook/deployment.yaml", DEPLOYMENT), ("guestbook/service.yaml", SERVICE)],
    )?;
    let home = tempfile::tempdir().context("make a folder for the demo's own files")?;
    let _sweeper = sweep(&[home.path(), repository.folder()])?;
    let port = wanted.port.unwrap_or(8080);
    let namespace = wanted.namespace.clone().unwrap_or_else(|| NAMESPACE.into());
    let home_path = home.path().to_owned();
    let mut demo = Demo { binary, cluster, repository, home: home_path, port, namespace, server: None };
    demo.serve()?;
    demo.guestbook()?;
    demo.tell()?;
    if !wanted.once {
        // Ctrl-C ends the whole process group; the control plane ends when we do.
        demo.wait()?;
    }
    Ok(())
}

impl Wanted {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut wanted = Self::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().cloned().with_context(|| format!("{argument} wants a value"));
            match argument.as_str() {
                "--context" => wanted.context = Some(value()?),
                "--kubeconfig" => wanted.kubeconfig = Some(value()?.into()),
                "--port" => wanted.port = Some(value()?.parse().context("--port wants a number")?),
                "--namespace" => wanted.namespace = Some(value()?),
                "--binary" => wanted.binary = Some(value()?.into()),
                "--once" => wanted.once = true,
                other => bail!(
                    "demo knows no {other:?}: --context, --kubeconfig, --namespace, --port, --binary and --once are what it takes"
                ),
            }
        }
        Ok(wanted)
    }
}

/// The cluster the demo runs in.
struct Cluster {
    kubeconfig: Option<PathBuf>,
    context: Option<String>,
    /// Held for as long as the demo runs.
    _own: Option<ControlPlane>,
}

impl Cluster {
    fn start(wanted: &Wanted) -> Result<Self> {
        if wanted.context.is_some() || wanted.kubeconfig.is_some() {
            let (kubeconfig, context) = (wanted.kubeconfig.clone(), wanted.context.clone());
            return Ok(Self { kubeconfig, context, _own: None });
        }
        eprintln!(
            "==> a local Kubernetes control plane (the first time it is built, which takes about ten minutes)"
        );
        let own = ControlPlane::start(&control_plane::Options::default())?;
        Ok(Self { kubeconfig: Some(own.kubeconfig_path.clone()), context: None, _own: Some(own) })
    }
}

struct Demo {
    binary: PathBuf,
    cluster: Cluster,
    repository: GitRepo,
    home: PathBuf,
    port: u16,
    namespace: String,
    server: Option<Process>,
}

/// Starts what sweeps up after us; it waits for the end of its input.
fn sweep(folders: &[&Path]) -> Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", SWEEP, "sweep"])
        .args(folders)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .context("start what sweeps up after the demo")
}

impl Demo {
    fn serve(&mut self) -> Result<()> {
        eprintln!("==> argocd: api-server, repo-server and application-controller in one process");
        let log = self.home.join("argocd.log");
        let mut command = Command::new(&self.binary);
        command
            .args(["--port", &self.port.to_string(), "--metrics-port", "0", "--address", "127.0.0.1"])
            .args(["--namespace", &self.namespace, "--logformat", "text"])
            .env("ARGOCD_BINARY_NAME", "argocd-standalone")
            .env("ARGOCD_STANDALONE_INSTALL", "true")
            .env("ARGOCD_STANDALONE_PASSWORD_FILE", self.home.join("password"))
            .env("ARGOCD_RS_MIRRORS", self.home.join("mirrors"));
        if let Some(context) = &self.cluster.context {
            command.args(["--context", context]);
        }
        if let Some(kubeconfig) = &self.cluster.kubeconfig {
            command.arg("--kubeconfig").arg(kubeconfig);
        }
        let mut server = Process::start(command, &log)?;
        let began = Instant::now();
        // Its own word for it: somebody else may listen on the port, and would answer.
        let ready = testkit::poll(READY, || match server.log().contains("argocd-standalone is listening") {
            true => Some(true),
            false => (!server.alive()).then_some(false),
        });
        if ready != Some(true) {
            let text = server.log();
            let hint = if text.contains("Address already in use") {
                "\nchoose another port with --port"
            } else {
                ""
            };
            bail!("argocd did not start:\n{text}{hint}");
        }
        self.server = Some(server);
        eprintln!("    ready after {:.1} s", began.elapsed().as_secs_f64());
        Ok(())
    }

    fn guestbook(&self) -> Result<()> {
        let password = self.password()?;
        let server = format!("localhost:{}", self.port);
        self.cli(&["login", &server, "--insecure", "--username", "admin", "--password", &password])?;
        let repository = self.repository.url();
        self.cli(&[
            "app",
            "create",
            "guestbook",
            "--repo",
            &repository,
            "--path",
            "guestbook",
            "--dest-server",
            "https://kubernetes.default.svc",
            "--dest-namespace",
            "default",
            "--upsert",
        ])?;
        self.cli(&["app", "sync", "guestbook", "--timeout", "120"])?;
        self.cli(&["app", "wait", "guestbook", "--sync", "--health", "--timeout", "120"])
    }

    /// The server wrote it for us, readable by nobody else.
    fn password(&self) -> Result<String> {
        let file = self.home.join("password");
        let text =
            testkit::poll(READY, || std::fs::read_to_string(&file).ok().filter(|text| !text.is_empty()));
        text.context("the admin password was changed from the generated one: the demo cannot log in")
    }

    fn cli(&self, arguments: &[&str]) -> Result<()> {
        // What follows --password is not shown.
        let secret = arguments.iter().position(|word| *word == "--password").map(|at| at + 1);
        let words = arguments.iter().enumerate();
        let shown: Vec<&str> = words.map(|(at, word)| if secret == Some(at) { "…" } else { word }).collect();
        eprintln!("$ argocd {}", shown.join(" "));
        let status = self.command(arguments).status().context("start argocd")?;
        if !status.success() {
            let log = std::fs::read_to_string(self.home.join("argocd.log")).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(20).collect();
            bail!(
                "argocd {} ended with {status}; the server's last words, newest first:\n{}",
                arguments[0],
                tail.join("\n")
            );
        }
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("ARGOCD_CONFIG_DIR", self.home.join("config")).stdin(Stdio::null());
        command
    }

    fn tell(&self) -> Result<()> {
        let password = self.password()?;
        println!(
            "\nArgo CD is running.\n  URL       https://localhost:{}\n  user      admin\n  password  {password}\n  repository {}\n",
            self.port,
            self.repository.url(),
        );
        println!("Try in a second terminal, with `alias argocd={}`:", self.binary.display());
        println!("  argocd login localhost:{} --insecure --username admin --password {password}", self.port);
        println!("  argocd app get guestbook");
        println!("  argocd app set guestbook --sync-policy automated --self-heal");
        println!(
            "  (clone the repository, change guestbook/deployment.yaml, push) argocd app get guestbook --refresh"
        );
        println!("  argocd app delete guestbook\n\nCtrl-C ends everything.");
        Ok(())
    }

    fn wait(&mut self) -> Result<()> {
        let Some(server) = &mut self.server else { return Ok(()) };
        let status = server.wait().context("wait for argocd")?;
        let text = server.log();
        let tail: Vec<&str> = text.lines().rev().take(20).collect();
        bail!("argocd ended with {status}; its last words, newest first:\n{}", tail.join("\n"))
    }
}
