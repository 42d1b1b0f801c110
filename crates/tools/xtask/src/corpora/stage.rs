//! What the recordings were made against, built again: a control plane, repositories, the server, a user's folders.

use super::http::Kubernetes;
use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use testkit::control_plane::{self, ControlPlane};
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use testkit::sink::{Answer as Told, HttpSink};
use transcripts::{Answer, Call, Replacements};

pub(super) const NAMESPACE: &str = "argocd";
/// How long a call may take that the recorder did not end.
const CALL_LIMIT: Duration = Duration::from_secs(90);
const READY: Duration = Duration::from_secs(90);
/// Namespaces that the recorder had made before.
const NAMESPACES: &[&str] =
    &["gb", "hw", "hf", "hs", "ba", "rp", "ex", "sec", "cj", "ms", "hist", "orp", "dh", "del1"];
/// A certificate of a server that is not there.
pub(super) const PEM: &str = include_str!("../../corpora/git.example.pem");
/// The key of the fixtures.
const PUBLIC_KEY: &str = include_str!("../../corpora/key.asc");
const KEY_ID: &str = "FA1AA40D7BE828FA";
const FINGERPRINT: &str = "EEFCABBF9524475B04854527FA1AA40D7BE828FA";
const MESSAGES: &[&str] = &["first", "second: change configmap", "third: add extra", "fourth: remove extra"];

pub(super) struct Stage {
    pub(super) kubernetes: Kubernetes,
    pub(super) known: Vec<(String, String)>,
    pub(super) corpora: PathBuf,
    apps: GitRepo,
    _repositories: [GitRepo; 2],
    plane: ControlPlane,
    /// The cluster that recordings call the second.
    second: ControlPlane,
    _servers: Vec<GitHttp>,
    _served: TempDir,
    home: TempDir,
    binary: PathBuf,
    /// What is called as the command line, where it is not ours.
    pub(super) client: Option<PathBuf>,
    ports: [u16; 2],
    server: Option<Child>,
    repo_server: Option<Child>,
    sink: Option<HttpSink>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop();
        ended(&mut self.repo_server);
    }
}

/// Ends a program.
fn ended(program: &mut Option<Child>) {
    if let Some(mut program) = program.take() {
        // It may have ended by itself.
        program.kill().ok();
        program.wait().ok();
    }
}

impl Stage {
    pub(super) fn build(corpora: &Path, binary: PathBuf) -> Result<Self> {
        let plane = ControlPlane::start(&control_plane::Options::default())?;
        let second = ControlPlane::start(&control_plane::Options::default())?;
        let kubernetes = Kubernetes::of(&plane)?;
        let served = tempfile::tempdir()?;
        let apps = repository(&served, "apps", &corpora.join("fixtures/apps"))?;
        let values = repository(&served, "values", &corpora.join("fixtures/values"))?;
        let secret = repository(&served, "secret", &corpora.join("fixtures/values"))?;
        let open = GitHttp::serve(served.path(), &git_http::Options::default())?;
        let basic_auth = Some(("bob".to_owned(), "secret".to_owned()));
        let closed = GitHttp::serve(served.path(), &git_http::Options { basic_auth, tls: false })?;
        let sealed = GitHttp::serve(served.path(), &git_http::Options { basic_auth: None, tls: true })?;
        let ports = [testkit::free_port()?, testkit::free_port()?];
        let charts = charts(&served, &corpora.join("fixtures/apps/helm-guestbook"))?;
        let helm = charts.url("helm");
        let address = |server: &GitHttp| server.url("").trim_end_matches('/').to_owned();
        let home = tempfile::tempdir()?;
        let pair = |name: &str, value: String| (name.to_owned(), value);
        let known = vec![
            pair("<server>", format!("localhost:{}", ports[0])),
            pair("<tlsserver>", format!("localhost:{}", ports[1])),
            pair("<repo>", address(&open)),
            pair("<privrepo>", address(&closed)),
            pair("<tlsrepo>", address(&sealed)),
            pair("<helmrepo>", helm),
            pair("<home>", home.path().display().to_string()),
            pair("<dir>", home.path().join("dir").display().to_string()),
            pair("<cluster1>", bare(&plane)),
            pair("<cluster2>", bare(&second)),
            pair("<githost>", address(&open).trim_start_matches("http://").to_owned()),
            pair("<pem>", PEM.trim_end().to_owned()),
            pair("<pgp>", PUBLIC_KEY.trim_end().to_owned()),
            pair("<pgp>", PUBLIC_KEY.trim_end().replace('\n', "\\n")),
            pair("<keyid>", KEY_ID.to_owned()),
            pair("<fingerprint>", FINGERPRINT.to_owned()),
            pair("<sha:values-1>", values.head()?),
            pair("<token>", super::rest::FOREIGN.to_owned()),
            // What stands for the recorder's build in ours.
            pair("go1.26.8", concat!("rust", env!("CARGO_PKG_RUST_VERSION")).to_owned()),
            pair("Compiler: gc", "Compiler: rustc".to_owned()),
            pair("podsim-0", "node-1".to_owned()),
            // The control plane is built without the version stamped in.
            pair("v1.36.3", "v0.0.0".to_owned()),
            pair("\"Compiler\": \"gc\"", "\"Compiler\": \"rustc\"".to_owned()),
            pair("\"Compiler\":\"gc\"", "\"Compiler\":\"rustc\"".to_owned()),
        ];
        let _servers = vec![open, closed, sealed, charts];
        let corpora = corpora.to_owned();
        let mut stage = Self {
            kubernetes,
            known,
            corpora,
            apps,
            _repositories: [values, secret],
            plane,
            second,
            _servers,
            _served: served,
            home,
            binary,
            client: None,
            ports,
            server: None,
            repo_server: None,
            sink: None,
        };
        stage.commit(1)?;
        stage.furnish()?;
        Ok(stage)
    }

    /// The user's folder and the cluster's settings.
    fn furnish(&mut self) -> Result<()> {
        let fixtures = self.corpora.join("fixtures");
        let folder = self.folder();
        fs::create_dir_all(&folder)?;
        copy(&fixtures.join("apps"), &folder.join("apps"))?;
        for entry in fs::read_dir(&fixtures)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "yaml" || extension == "csv") {
                let text = self.replacements().concrete(&fs::read_to_string(&path)?);
                fs::write(folder.join(path.file_name().unwrap_or_default()), text)?;
            }
        }
        let kubeconfig = self.plane.kubeconfig()?;
        fs::write(folder.join("kubeconfig"), kubeconfig)?;
        fs::write(folder.join("kubeconfig2"), kubeconfigs(&self.plane, &self.second)?.to_string())?;
        fs::write(folder.join("key.asc"), PUBLIC_KEY)?;
        fs::write(folder.join("junk.asc"), "junk\n")?;
        let certificates = self.home.path().join("dir/nginx");
        fs::create_dir_all(&certificates)?;
        fs::write(certificates.join("c.pem"), PEM)?;
        self.namespace(NAMESPACE)?;
        for name in NAMESPACES {
            self.namespace(name)?;
        }
        Ok(())
    }

    /// Where the commands run.
    pub(super) fn folder(&self) -> PathBuf {
        self.home.path().join("work")
    }

    pub(super) fn replacements(&self) -> Replacements {
        let known: Vec<(&str, &str)> =
            self.known.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Replacements::new(&known)
    }

    pub(super) fn know(&mut self, name: &str, value: String) {
        self.known.retain(|(known, _)| known != name);
        self.known.push((name.to_owned(), value));
    }

    /// Pushes the state `apps-N` of the fixtures.
    pub(super) fn commit(&mut self, number: usize) -> Result<()> {
        if number > 1 {
            let patch = self.corpora.join(format!("fixtures/apps-commit-{number}.patch"));
            self.apps.git(&["apply", &patch.display().to_string()])?;
            self.apps.git(&["add", "-A", "."])?;
            let message = MESSAGES[number - 1];
            let author = "--author=Fixture <fixture@example.com>";
            self.apps.git(&["commit", "-q", author, "-m", message])?;
            // The user works in a clone.
            let local = self.folder().join("apps/secret");
            fs::remove_dir_all(&local)?;
            copy(&self.apps.work_path().join("secret"), &local)?;
        } else {
            self.apps.tag("v1.0", None)?;
        }
        self.apps.push()?;
        let head = self.apps.head()?;
        self.know(&format!("<sha7:apps-{number}>"), head[..7].to_owned());
        self.know(&format!("<sha:apps-{number}>"), head);
        Ok(())
    }

    pub(super) fn serve(&mut self, tls: bool) -> Result<()> {
        self.stop();
        let port = self.ports[usize::from(tls)];
        let log = self.log_path();
        let file = fs::File::options().create(true).append(true).open(&log)?;
        let mut command = Command::new(&self.binary);
        command
            .args(["--port", &port.to_string(), "--metrics-port", "0", "--address", "127.0.0.1"])
            .args(["--namespace", NAMESPACE, "--logformat", "text", "--kubeconfig"])
            .arg(&self.plane.kubeconfig_path)
            .env("ARGOCD_BINARY_NAME", "argocd-standalone")
            .env("ARGOCD_STANDALONE_INSTALL", "true")
            .env("ARGOCD_RS_MIRRORS", self.home.path().join("mirrors"))
            .stdin(Stdio::null())
            .stderr(file);
        if !tls {
            command.arg("--insecure");
        }
        self.server = Some(command.spawn().context("start argocd")?);
        let ready = testkit::poll(READY, || {
            let ended = self.server.as_mut().is_some_and(|server| matches!(server.try_wait(), Ok(Some(_))));
            (ended || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).then_some(!ended)
        });
        if ready != Some(true) {
            bail!("argocd did not start:\n{}", fs::read_to_string(&log).unwrap_or_default());
        }
        Ok(())
    }

    /// Somebody who takes every notification, once.
    pub(super) fn listen(&mut self) -> Result<()> {
        if self.sink.is_none() {
            let sink = HttpSink::start()?;
            let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
            sink.answer("", [Told { headers, ..Told::new(200, "{}") }]);
            self.know("<sink>", sink.url().trim_start_matches("http://").to_owned());
            self.sink = Some(sink);
        }
        Ok(())
    }

    /// A repo-server of its own, once.
    pub(super) fn serve_repositories(&mut self) -> Result<()> {
        if self.repo_server.is_some() {
            return Ok(());
        }
        let port = testkit::free_port()?;
        let file = fs::File::options().create(true).append(true).open(self.log_path())?;
        let mut command = Command::new(&self.binary);
        command
            .args(["--port", &port.to_string(), "--metrics-port", "0", "--address", "127.0.0.1"])
            .env("ARGOCD_BINARY_NAME", "argocd-repo-server")
            .env("ARGOCD_RS_MIRRORS", self.home.path().join("mirrors-of-repo-server"))
            .stdin(Stdio::null())
            .stderr(file);
        self.repo_server = Some(command.spawn().context("start the repo-server")?);
        let listens = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok().then_some(());
        testkit::poll(READY, listens).context("the repo-server did not start")?;
        self.know("<repo-server>", format!("localhost:{port}"));
        Ok(())
    }

    pub(super) fn stop(&mut self) {
        ended(&mut self.server);
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.home.path().join("argocd.log")
    }

    pub(super) fn server_address(&self) -> String {
        format!("127.0.0.1:{}", self.ports[0])
    }

    /// Runs one call of the command line, until it ends or until the recorder ended it.
    pub(super) fn call(&self, call: &Call, recorder: Option<Duration>) -> Result<Answer> {
        let limit = recorder.unwrap_or(CALL_LIMIT);
        let replacements = self.replacements();
        let home = self.home.path().display().to_string();
        let concrete = |text: &str| replacements.concrete(text).replace("$HOME", &home);
        let files = ["stdin", "stdout", "stderr"].map(|name| self.home.path().join(name));
        fs::write(&files[0], concrete(&call.input))?;
        let mut command = Command::new(self.client.as_ref().unwrap_or(&self.binary));
        command
            .args(call.words.iter().map(|word| concrete(word)))
            .current_dir(self.folder())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("KUBECONFIG", self.folder().join("kubeconfig"))
            .envs(call.variables.iter().map(|(name, value)| (name, concrete(value))))
            .stdin(fs::File::open(&files[0])?)
            .stdout(fs::File::create(&files[1])?)
            .stderr(fs::File::create(&files[2])?);
        let mut child = command.spawn().context("start argocd")?;
        let began = Instant::now();
        let ended = testkit::poll(limit, || child.try_wait().ok().flatten());
        if ended.is_none() {
            child.kill().ok();
            child.wait().ok();
        }
        let text = |path: &Path| fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut errors = text(&files[2])?;
        if ended.is_none() && recorder.is_none() {
            errors.push_str(&format!("<ended after {} s>\n", began.elapsed().as_secs()));
        }
        Ok(Answer { exit: ended.and_then(|status| status.code()), output: text(&files[1])?, errors })
    }

    pub(super) fn namespace(&self, name: &str) -> Result<()> {
        self.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}))
    }

    /// Server-side apply of one object.
    pub(super) fn apply(&self, object: &Value) -> Result<()> {
        let path = format!("{}?fieldManager=recorder&force=true", path(object)?);
        let body = self.replacements().concrete(&object.to_string());
        self.kubernetes.call("PATCH", &path, "application/apply-patch+yaml", &body).map(drop)
    }

    pub(super) fn merge(&self, path: &str, patch: &str) -> Result<()> {
        self.kubernetes.call("PATCH", path, "application/merge-patch+json", patch).map(drop)
    }

    /// The command line's configuration file.
    pub(super) fn config(&self) -> PathBuf {
        self.home.path().join(".config/argocd/config")
    }

    /// Adds the context `tok` of the second cluster, whose user has a token.
    pub(super) fn token_context(&self) -> Result<()> {
        let there = Kubernetes::of(&self.second)?;
        let post = |path: &str, object: Value| {
            there.call("POST", path, "application/json", &object.to_string()).map(drop)
        };
        let metadata = json!({"name": "recorder", "namespace": "kube-system"});
        post("/api/v1/namespaces/kube-system/serviceaccounts", json!({"metadata": metadata}))?;
        post(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            json!({
                "metadata": {"name": "recorder"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"kind": "ServiceAccount", "name": "recorder", "namespace": "kube-system"}],
            }),
        )?;
        let path = "/api/v1/namespaces/kube-system/serviceaccounts/recorder/token";
        let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
        let answer = there.call("POST", path, "application/json", &request.to_string())?;
        let answer: Value = serde_json::from_str(&answer)?;
        let token = answer.pointer("/status/token").context("the second cluster gave no token")?;
        let path = self.folder().join("kubeconfig2");
        let mut config: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
        let mut add = |list: &str, entry: Value| {
            config[list].as_array_mut().context("a list").map(|list| list.push(entry))
        };
        add("users", json!({"name": "tok", "user": {"token": token}}))?;
        add("contexts", json!({"name": "tok", "context": {"cluster": "two", "user": "tok"}}))?;
        Ok(fs::write(&path, config.to_string())?)
    }

    /// What the recorder had of the second cluster's administrator: certificate, key and authority.
    pub(super) fn second_credentials(&self) -> Result<[(&'static str, String); 3]> {
        let data = |path: &Path| -> Result<String> { Ok(STANDARD.encode(fs::read(path)?)) };
        Ok([
            ("certData", data(&self.second.client_certificate_path)?),
            ("keyData", data(&self.second.client_key_path)?),
            ("caData", data(&self.second.certificate_authority_path)?),
        ])
    }

    /// The user's home.
    pub(super) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Stays until the server ends or Ctrl-C comes.
    pub(super) fn wait(&mut self) {
        println!("still running; Ctrl-C ends it");
        println!("  server      {}", self.server_address());
        println!("  kubeconfig  {}", self.plane.kubeconfig_path.display());
        println!("  log         {}", self.log_path().display());
        println!("  home        {}", self.home.path().display());
        if let Some(server) = &mut self.server {
            server.wait().ok();
        }
    }
}

/// A chart repository with two versions of one chart, at `helm`.
fn charts(served: &TempDir, chart: &Path) -> Result<GitHttp> {
    let folder = served.path().join("charts/helm");
    let work = served.path().join("charts/work");
    fs::create_dir_all(&folder)?;
    copy(chart, &work.join("helm-guestbook"))?;
    let mut entries = Vec::new();
    for version in ["0.2.0", "0.1.0"] {
        let path = work.join("helm-guestbook/Chart.yaml");
        let mut metadata: Value = object::yaml::decode(fs::read_to_string(&path)?.as_bytes())?;
        metadata["version"] = version.into();
        fs::write(&path, metadata.to_string())?;
        let name = format!("helm-guestbook-{version}.tgz");
        let packed = Command::new("tar")
            .args(["-C", &work.display().to_string(), "-czf", &folder.join(&name).display().to_string()])
            .arg("helm-guestbook")
            .status()
            .context("start tar")?;
        if !packed.success() {
            bail!("tar could not pack {name}");
        }
        metadata["urls"] = json!([name]);
        entries.push(metadata);
    }
    let index = json!({"apiVersion": "v1", "entries": {"helm-guestbook": entries}});
    fs::write(folder.join("index.yaml"), index.to_string())?;
    Ok(GitHttp::serve_files(&served.path().join("charts"), &git_http::Options::default())?)
}

fn bare(plane: &ControlPlane) -> String {
    plane.server_url.trim_end_matches('/').to_owned()
}

/// Contexts of both clusters and of one that is not there.
fn kubeconfigs(plane: &ControlPlane, second: &ControlPlane) -> Result<Value> {
    let data = |path: &Path| -> Result<String> { Ok(STANDARD.encode(fs::read(path)?)) };
    let (mut clusters, mut users, mut contexts) = (Vec::new(), Vec::new(), Vec::new());
    for (name, plane) in [("tr1", plane), ("two", second)] {
        let authority = data(&plane.certificate_authority_path)?;
        clusters.push(json!({"name": name, "cluster": {
            "server": bare(plane), "certificate-authority-data": authority,
        }}));
        users.push(json!({"name": name, "user": {
            "client-certificate-data": data(&plane.client_certificate_path)?,
            "client-key-data": data(&plane.client_key_path)?,
        }}));
        contexts.push(json!({"name": name, "context": {"cluster": name, "user": name}}));
    }
    clusters.push(json!({"name": "dead", "cluster": {"server": "https://127.0.0.1:1"}}));
    contexts.push(json!({"name": "dead", "context": {"cluster": "dead", "user": "two"}}));
    Ok(json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "tr1",
        "clusters": clusters, "users": users, "contexts": contexts,
    }))
}

/// The path of an object of the few kinds that are made or read from outside.
pub(super) fn path(object: &Value) -> Result<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, name) = (text("/apiVersion"), text("/metadata/name"));
    let group = if version.contains('/') { format!("/apis/{version}") } else { format!("/api/{version}") };
    let kind = text("/kind");
    if kind == "Namespace" {
        return Ok(format!("{group}/namespaces/{name}"));
    }
    if kind == "ClusterRole" {
        return Ok(format!("{group}/clusterroles/{name}"));
    }
    let plural = match kind {
        "ConfigMap" => "configmaps",
        "Secret" => "secrets",
        "AppProject" => "appprojects",
        "Application" => "applications",
        "Deployment" => "deployments",
        "Service" => "services",
        "Job" => "jobs",
        other => bail!("no path is known for {other}"),
    };
    let namespace = Some(text("/metadata/namespace")).filter(|name| !name.is_empty()).unwrap_or(NAMESPACE);
    Ok(format!("{group}/namespaces/{namespace}/{plural}/{name}"))
}

/// A repository with the branch `master`, linked where the servers look for it.
fn repository(served: &TempDir, name: &str, files: &Path) -> Result<GitRepo> {
    let mut repository = GitRepo::create(name)?;
    repository.git(&["checkout", "-q", "-b", "master"])?;
    repository.copy(files, "")?;
    repository.commit(MESSAGES[0])?;
    repository.push()?;
    let bare = repository.bare_path();
    let folder = format!("--git-dir={}", bare.display());
    repository.git(&[&folder, "symbolic-ref", "HEAD", "refs/heads/master"])?;
    std::os::unix::fs::symlink(&bare, served.path().join(format!("{name}.git")))?;
    Ok(repository)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
