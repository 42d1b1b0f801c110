//! An installation to test against: a control plane, Redis, and the components as processes of their own, started
//! as published manifests start them.

use crate::kube::{self, Kube};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use testkit::control_plane::{ControlPlane, Options};
use testkit::git_repo::GitRepo;
use testkit::process::Process;
use testkit::redis::Redis;

/// A wait that is over sooner in every case but failure.
pub const LIMIT: Duration = Duration::from_secs(90);
pub const NAMESPACE: &str = "argocd";
pub const REDIS_PASSWORD: &str = "redis-password-of-the-test";

/// The program under test: the one that was built with the tests, or another that is to pass them.
pub fn binary() -> PathBuf {
    std::env::var_os("ARGOCD_E2E_BINARY").map_or_else(|| env!("CARGO_BIN_EXE_argocd").into(), PathBuf::from)
}

/// A ConfigMap's text.
pub fn config_map(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: {value:?}\n")
}

/// A component, by what its binary is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    RepoServer,
    Server,
    Controller,
    /// Runs only where a test starts it.
    Notifications,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::RepoServer, Self::Server, Self::Controller];

    pub fn name(self) -> &'static str {
        match self {
            Self::RepoServer => "argocd-repo-server",
            Self::Server => "argocd-server",
            Self::Controller => "argocd-application-controller",
            Self::Notifications => "argocd-notifications",
        }
    }
}

/// Where a component listens.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    pub port: u16,
    pub metrics: u16,
}

pub struct Installation {
    pub kube: Kube,
    pub redis: Redis,
    pub ports: BTreeMap<Part, Ports>,
    parts: BTreeMap<Part, Process>,
    /// Environment all components get beside their own.
    pub environment: BTreeMap<String, String>,
    pub home: tempfile::TempDir,
    cluster: ControlPlane,
}

/// The one installation of this test program, everything running. Tests take turns.
pub fn installation() -> MutexGuard<'static, Installation> {
    static SHARED: OnceLock<Mutex<Installation>> = OnceLock::new();
    let shared = SHARED.get_or_init(|| Mutex::new(Installation::start()));
    let mut installation = shared.lock().unwrap_or_else(PoisonError::into_inner);
    installation.heal();
    installation
}

/// Runs a command: standard output, or both streams of one that failed.
pub fn said(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, error) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() { Ok(said) } else { Err(format!("{said}{error}")) }
}

impl Installation {
    fn start() -> Self {
        let cluster = ControlPlane::start(&Options::default()).unwrap();
        let kube = Kube::connect(&cluster.kubeconfig_path);
        let redis = Redis::start_with_password(REDIS_PASSWORD).unwrap();
        let home = tempfile::tempdir().unwrap();
        let free = || testkit::free_port().unwrap();
        for folder in ["plugins", "gpg", "tls", "ssh"] {
            std::fs::create_dir(home.path().join(folder)).unwrap();
        }
        let every = Part::ALL.into_iter().chain([Part::Notifications]);
        let ports = every.map(|part| (part, Ports { port: free(), metrics: free() })).collect();
        let (parts, environment) = (BTreeMap::new(), BTreeMap::new());
        let mut installation = Self { kube, redis, ports, parts, environment, home, cluster };
        installation.install();
        installation.heal();
        installation
    }

    /// What manifests install before the components start.
    fn install(&self) {
        self.kube.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}));
        for crd in api::crd::all() {
            self.kube.apply(crd);
        }
        let labels = json!({"app.kubernetes.io/part-of": "argocd"});
        for (kind, name) in [
            ("ConfigMap", "argocd-cm"),
            ("ConfigMap", "argocd-rbac-cm"),
            ("ConfigMap", "argocd-cmd-params-cm"),
            ("ConfigMap", "argocd-tls-certs-cm"),
            ("ConfigMap", "argocd-ssh-known-hosts-cm"),
            ("Secret", "argocd-secret"),
        ] {
            self.kube.apply(json!({
                "apiVersion": "v1", "kind": kind,
                "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
            }));
        }
        for plural in ["applications", "appprojects", "applicationsets"] {
            let path = format!("/apis/{}/{plural}?limit=1", api::API_VERSION);
            testkit::poll(LIMIT, || self.kube.raw(&path).ok()).expect("the CRDs are served");
        }
    }

    /// Starts what does not run, and logs in.
    pub fn heal(&mut self) {
        if self.redis.command(&["PING"]).is_err() {
            self.redis.restart().unwrap();
        }
        for part in Part::ALL {
            if !self.parts.get_mut(&part).is_some_and(Process::alive) {
                self.run(part);
            }
        }
        if !self.home.path().join("config/config").exists() {
            self.login();
        }
    }

    /// What the server generated.
    pub fn admin_password(&self) -> String {
        let secret = self.until("the generated password", || {
            self.kube.find("v1", "Secret", NAMESPACE, "argocd-initial-admin-secret")
        });
        kube::decoded(secret["data"]["password"].as_str().unwrap())
    }

    pub fn login(&self) {
        let password = self.admin_password();
        let server = self.server();
        self.until("the server lets us in", || {
            let login = ["login", &server, "--insecure", "--username", "admin", "--password", &password];
            self.cli(&login).ok()
        });
    }

    /// The address of the api-server, for the command line.
    pub fn server(&self) -> String {
        format!("localhost:{}", self.ports[&Part::Server].port)
    }

    pub fn log_path(&self, part: Part) -> PathBuf {
        self.home.path().join(format!("{}.log", part.name()))
    }

    /// Where the sidecars of plugins have their sockets.
    pub fn plugin_sockets(&self) -> PathBuf {
        self.home.path().join("plugins")
    }

    /// Where `argocd-gpg-keys-cm` is mounted.
    pub fn public_keys(&self) -> PathBuf {
        self.home.path().join("gpg")
    }

    /// What a kubelet does with the ConfigMaps of certificates and host keys, which are mounted in repo-servers.
    pub fn mount_trusted(&self) {
        for (name, folder) in [("argocd-tls-certs-cm", "tls"), ("argocd-ssh-known-hosts-cm", "ssh")] {
            let folder = self.home.path().join(folder);
            for entry in std::fs::read_dir(&folder).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
            let found = self.kube.find("v1", "ConfigMap", NAMESPACE, name).unwrap();
            for (file, text) in found["data"].as_object().into_iter().flatten() {
                std::fs::write(folder.join(file), text.as_str().unwrap()).unwrap();
            }
        }
    }

    /// How to reach the cluster with all rights.
    pub fn kubeconfig(&self) -> &std::path::Path {
        &self.cluster.kubeconfig_path
    }

    /// What a component said so far, over all its lives.
    pub fn log(&self, part: Part) -> String {
        std::fs::read_to_string(self.log_path(part)).unwrap_or_default()
    }

    /// Starts a component and waits until it answers.
    pub fn run(&mut self, part: Part) {
        self.launch(part);
        let port = match part {
            Part::Controller | Part::Notifications => self.ports[&part].metrics,
            _ => self.ports[&part].port,
        };
        self.until(&format!("{} listens", part.name()), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
    }

    /// Starts a component.
    pub fn launch(&mut self, part: Part) {
        let process = Process::start(self.command(part), &self.log_path(part)).unwrap();
        self.parts.insert(part, process);
    }

    /// Another replica of a component, with its own log.
    pub fn replica(&self, part: Part, log: &std::path::Path) -> Process {
        let metrics = testkit::free_port().unwrap();
        let command = self.command_at(part, Ports { port: 0, metrics });
        Process::start(command, log).unwrap()
    }

    /// Another api-server, without TLS.
    pub fn server_command(&self, port: u16) -> Command {
        let mut command = self.command_at(Part::Server, Ports { port, metrics: 0 });
        command.arg("--insecure");
        command
    }

    /// The kubeconfig with a current namespace.
    pub fn kubeconfig_in(&self, namespace: &str) -> String {
        let text = self.cluster.kubeconfig().unwrap();
        let changed = text.replacen("- context:\n", &format!("- context:\n    namespace: {namespace}\n"), 1);
        assert_ne!(text, changed, "a context is found");
        changed
    }

    pub fn redis_password(&self) -> &'static str {
        REDIS_PASSWORD
    }

    fn command(&self, part: Part) -> Command {
        self.command_at(part, self.ports[&part])
    }

    fn command_at(&self, part: Part, own: Ports) -> Command {
        let repo_server = format!("localhost:{}", self.ports[&Part::RepoServer].port);
        let mut command = Command::new(binary());
        let mut say = |flag: &str, value: &str| {
            command.args([flag, value]);
        };
        if part != Part::Notifications {
            say("--redis", &self.redis.address());
        }
        say("--metrics-port", &own.metrics.to_string());
        match part {
            Part::RepoServer => {
                say("--port", &own.port.to_string());
                say("--address", "127.0.0.1");
            }
            Part::Server => {
                say("--port", &own.port.to_string());
                say("--address", "127.0.0.1");
                say("--repo-server", &repo_server);
                say("--dex-server", "http://localhost:5556");
                say("--staticassets", "/shared/app");
            }
            Part::Controller => {
                say("--repo-server", &repo_server);
                say("--status-processors", "20");
            }
            Part::Notifications => {
                say("--argocd-repo-server", &repo_server);
                say("--processors-count", "4");
            }
        }
        if part != Part::RepoServer {
            say("--namespace", NAMESPACE);
        }
        let kubeconfig = if part == Part::RepoServer { "" } else { path(&self.cluster.kubeconfig_path) };
        command
            .env("ARGOCD_BINARY_NAME", part.name())
            .env("ARGOCD_FAKE_IN_CLUSTER", "true")
            .env("KUBECONFIG", kubeconfig)
            .env("REDIS_PASSWORD", REDIS_PASSWORD)
            .env("HOSTNAME", format!("{}-0", part.name()))
            .env("ARGOCD_RS_MIRRORS", self.home.path().join("mirrors"))
            .env("ARGOCD_PLUGINSOCKFILEPATH", self.plugin_sockets())
            .env("ARGOCD_GPG_DATA_PATH", self.public_keys())
            .env("ARGOCD_TLS_DATA_PATH", self.home.path().join("tls"))
            .env("ARGOCD_SSH_DATA_PATH", self.home.path().join("ssh"))
            .env("ARGOCD_ASK_PASS_SOCK", self.home.path().join("ask-pass.sock"))
            // As a manifest gives a key that its ConfigMap does not have, and ones that it has.
            .env("ARGOCD_SERVER_ROOTPATH", "")
            .env("ARGOCD_RECONCILIATION_TIMEOUT", "20s")
            .env("ARGOCD_RECONCILIATION_JITTER", "0s")
            .env("ARGOCD_HARD_RECONCILIATION_TIMEOUT", "0s")
            .env("ARGOCD_GIT_REQUEST_TIMEOUT", "10s")
            .env("ARGOCD_DEFAULT_CACHE_EXPIRATION", "24h")
            .envs(&self.environment);
        command
    }

    /// SIGKILL.
    pub fn kill(&mut self, part: Part) {
        if let Some(process) = self.parts.get_mut(&part) {
            process.kill();
        }
        self.parts.remove(&part);
    }

    /// The process id of a component that runs.
    pub fn id(&self, part: Part) -> u32 {
        self.parts[&part].id()
    }

    /// Whether a component runs.
    pub fn runs(&mut self, part: Part) -> bool {
        self.parts.get_mut(&part).is_some_and(Process::alive)
    }

    /// SIGTERM; the exit code, and how long that took.
    pub fn terminate(&mut self, part: Part) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let status = self.parts.get_mut(&part).unwrap().terminate(LIMIT);
        let took = began.elapsed();
        self.parts.remove(&part);
        (status.and_then(|status| status.code()), took)
    }

    /// Waits for something; tells what the components said when it does not come.
    pub fn until<T>(&self, what: &str, probe: impl FnMut() -> Option<T>) -> T {
        testkit::poll(LIMIT, probe).unwrap_or_else(|| panic!("waited for: {what}\n{}", self.last_words()))
    }

    /// The ends of all logs.
    pub fn last_words(&self) -> String {
        let mut text = String::new();
        for part in Part::ALL {
            let log = self.log(part);
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines.iter().skip(lines.len().saturating_sub(40)).copied();
            text.push_str(&format!("--- {}\n{}\n", part.name(), tail.collect::<Vec<_>>().join("\n")));
        }
        text
    }

    /// Runs the command line: standard output, or both streams of a call that failed.
    pub fn cli(&self, arguments: &[&str]) -> Result<String, String> {
        let config = self.home.path().join("config");
        said(Command::new(binary()).args(arguments).env("ARGOCD_CONFIG_DIR", config))
    }

    /// Runs the command line, which must succeed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        self.cli(arguments).unwrap_or_else(|error| panic!("{arguments:?}: {error}\n{}", self.last_words()))
    }

    /// Creates an application in a namespace of its own name, which is made.
    pub fn create(&self, name: &str, repository: &GitRepo, path: &str, more: &[&str]) {
        let arguments = self.creation(name, &repository.url(), path, more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.succeed(&arguments);
    }

    /// The command line that creates an application in a namespace of its own name, which is made.
    pub fn creation(&self, name: &str, url: &str, path: &str, more: &[&str]) -> Vec<String> {
        self.kube.apply(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}));
        let server = "https://kubernetes.default.svc";
        let words = ["app", "create", name, "--repo", url, "--path", path, "--dest-namespace", name];
        let words = words.into_iter().chain(["--dest-server", server]).chain(more.iter().copied());
        words.map(str::to_owned).collect()
    }

    /// An Application as it is stored.
    pub fn application(&self, name: &str) -> serde_json::Value {
        let found = self.kube.find("argoproj.io/v1alpha1", "Application", NAMESPACE, name);
        found.unwrap_or_else(|| panic!("there is no application {name}"))
    }

    /// Waits until an Application is as it should be.
    pub fn until_application(&self, name: &str, what: &str, is: impl Fn(&serde_json::Value) -> bool) {
        let mut last = serde_json::Value::Null;
        let found = testkit::poll(LIMIT, || {
            last = self.application(name);
            is(&last).then_some(())
        });
        let status = &last["status"];
        assert!(found.is_some(), "waited for {name}: {what}\n{status:#}\n{}", self.last_words());
    }

    pub fn until_synced(&self, name: &str) {
        self.until_application(name, "Synced and Healthy", |application| {
            sync_status(application) == "Synced" && application["status"]["health"]["status"] == "Healthy"
        });
    }

    /// The value a ConfigMap of an application's namespace holds.
    pub fn value(&self, namespace: &str, name: &str) -> Option<String> {
        let found = self.kube.find("v1", "ConfigMap", namespace, name)?;
        found["data"]["value"].as_str().map(str::to_owned)
    }

    /// Changes one key of a ConfigMap of the installation; nothing takes it away.
    pub fn set(&self, name: &str, key: &str, value: Option<&str>) {
        self.kube.merge("v1", "ConfigMap", NAMESPACE, name, json!({"data": {key: value}}));
    }
}

pub fn sync_status(application: &serde_json::Value) -> &str {
    application["status"]["sync"]["status"].as_str().unwrap_or_default()
}

/// The message of a condition; empty when there is none of that type.
pub fn condition(application: &serde_json::Value, kind: &str) -> String {
    let conditions = application["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let found = conditions.find(|condition| condition["type"] == kind);
    found.and_then(|condition| condition["message"].as_str()).unwrap_or_default().to_owned()
}

fn path(path: &std::path::Path) -> &str {
    path.to_str().unwrap()
}
