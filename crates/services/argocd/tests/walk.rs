//! The walk of a new user, against a real control plane and a real repository: everything in one process, driven
//! by the command line. Push, see it live; break it, see it healed; delete, and nothing else goes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use testkit::control_plane::{ControlPlane, Options};
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use testkit::sink::{Answer, HttpSink};
use testkit::smtp::{self, Encryption, SmtpSink};

const LIMIT: Duration = Duration::from_secs(90);
const BINARY: &str = env!("CARGO_BIN_EXE_argocd");

fn config_map(value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  value: {value}\n")
}

struct Walk {
    cluster: ControlPlane,
    home: tempfile::TempDir,
    server: Child,
    port: u16,
}

impl Drop for Walk {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

fn serve(kubeconfig: &Path, home: &Path, port: u16, more: &[&str]) -> Child {
    let log = std::fs::File::options().create(true).append(true).open(home.join("argocd.log")).unwrap();
    Command::new(BINARY)
        .args(["--port", &port.to_string(), "--metrics-port", "0", "--address", "127.0.0.1"])
        .args(["--namespace", "argocd", "--logformat", "text", "--kubeconfig"])
        .arg(kubeconfig)
        .args(more)
        .env("ARGOCD_BINARY_NAME", "argocd-standalone")
        .env("ARGOCD_STANDALONE_INSTALL", "true")
        .env("ARGOCD_STANDALONE_PASSWORD_FILE", home.join("password"))
        .env("ARGOCD_RS_MIRRORS", home.join("mirrors"))
        .stdin(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}

impl Walk {
    fn start() -> Self {
        Self::start_with(&[], "--insecure")
    }

    fn start_with(more: &[&str], how_to_log_in: &str) -> Self {
        let cluster = ControlPlane::start(&Options::default()).unwrap();
        let home = tempfile::tempdir().unwrap();
        let port = testkit::free_port().unwrap();
        let server = serve(&cluster.kubeconfig_path, home.path(), port, more);
        let walk = Self { cluster, home, server, port };
        walk.until("the server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        let password = std::fs::read_to_string(walk.home.path().join("password")).unwrap();
        let address = format!("localhost:{port}");
        walk.cli(&["login", &address, how_to_log_in, "--username", "admin", "--password", &password])
            .unwrap();
        walk
    }

    fn until<T>(&self, what: &str, probe: impl FnMut() -> Option<T>) -> T {
        let found = testkit::poll(LIMIT, probe);
        found.unwrap_or_else(|| panic!("waited for: {what}\n{}", self.log()))
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.home.path().join("argocd.log")).unwrap_or_default()
    }

    /// Standard output, or standard error of a call that failed.
    fn cli(&self, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(BINARY)
            .args(arguments)
            .env("ARGOCD_CONFIG_DIR", self.home.path().join("config"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn create(&self, name: &str, repository: &GitRepo, path: &str, more: &[&str]) -> Result<String, String> {
        let url = repository.url();
        let mut arguments =
            vec!["app", "create", name, "--repo", &url, "--path", path, "--dest-namespace", "default"];
        arguments.extend(["--dest-server", "https://kubernetes.default.svc"]);
        arguments.extend(more);
        self.cli(&arguments)
    }

    fn get(&self, name: &str) -> String {
        self.cli(&["app", "get", name, "--refresh"]).unwrap_or_else(|error| error)
    }

    fn restart(&mut self) {
        // SIGKILL: nothing is put in order.
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        let kubeconfig: PathBuf = self.cluster.kubeconfig_path.clone();
        self.server = serve(&kubeconfig, self.home.path(), self.port, &[]);
        let port = self.port;
        self.until("the server listens again", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    }
}

#[test]
fn what_is_pushed_becomes_live() {
    let mut walk = Walk::start();
    let mut repository = GitRepo::from_files("walk", &[("app/settings.yaml", &config_map("one"))]).unwrap();
    walk.create("walk", &repository, "app", &[]).unwrap();
    assert!(walk.get("walk").contains("OutOfSync"), "{}", walk.get("walk"));
    let synced = walk.cli(&["app", "sync", "walk", "--timeout", "60"]).unwrap();
    assert!(synced.contains("configmap/settings created"), "{synced}");
    walk.cli(&["app", "wait", "walk", "--sync", "--health", "--timeout", "60"]).unwrap();

    repository.change("app/settings.yaml", &config_map("two")).unwrap();
    walk.until("the push shows", || walk.get("walk").contains("OutOfSync").then_some(()));
    let difference = walk.cli(&["app", "diff", "walk", "--exit-code=false"]).unwrap();
    assert!(difference.contains("value: two"), "{difference}");
    walk.restart();
    walk.cli(&["app", "set", "walk", "--sync-policy", "automated", "--self-heal"]).unwrap();
    walk.until("the push is live", || walk.get("walk").contains("Synced to").then_some(()));

    let broken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n bad\n";
    repository.change("app/settings.yaml", broken).unwrap();
    walk.until("the broken file is told", || walk.get("walk").contains("ComparisonError").then_some(()));
    let told = walk.get("walk");
    assert!(told.contains("settings.yaml") && told.contains("Unknown"), "{told}");

    walk.cli(&["app", "delete", "walk", "--yes"]).unwrap();
    walk.until("the application is gone", || {
        let listed = walk.cli(&["app", "list", "--output", "name"]).ok()?;
        (!listed.contains("walk")).then_some(())
    });
}

/// Posts a push as GitHub tells it; the status and text of the answer.
fn tell_of_push(port: u16, url: &str) -> String {
    let page = url.trim_end_matches(".git");
    let body = format!(
        r#"{{"ref":"refs/heads/main","before":"{}","after":"{}","repository":{{"html_url":"{page}","default_branch":"main"}},"commits":[{{"added":[],"modified":["app/settings.yaml"],"removed":[]}}]}}"#,
        "1".repeat(40),
        "2".repeat(40)
    );
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /api/webhook HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\nX-GitHub-Event: push\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_push_that_is_told_is_live_without_anybody_asking() {
    let walk = Walk::start_with(&["--insecure"], "--plaintext");
    let mut repository = GitRepo::from_files(
        "told",
        &[("app/settings.yaml", &config_map("one")), ("apart/settings.yaml", &config_map("apart"))],
    )
    .unwrap();
    let served = GitHttp::serve(&repository.root(), &git_http::Options::default()).unwrap();
    let url = served.url("told.git");
    let create = |name: &str, path: &str, namespace: &str| {
        let arguments =
            ["app", "create", name, "--repo", &url, "--path", path, "--dest-namespace", namespace];
        let server = ["--dest-server", "https://kubernetes.default.svc", "--sync-policy", "automated"];
        walk.cli(&[&arguments[..], &server[..]].concat()).unwrap();
        walk.until("the first state is live", || {
            walk.cli(&["app", "get", name]).ok()?.contains("Synced to").then_some(())
        });
    };
    create("told", "app", "default");
    create("apart", "apart", "kube-public");
    let commit = repository.change("app/settings.yaml", &config_map("two")).unwrap();
    // Nobody looks before three minutes are over, but for the one who is told.
    let answer = tell_of_push(walk.port, &url);
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    walk.until("the push is live", || {
        let shown = walk.cli(&["app", "get", "told", "--output", "json"]).ok()?;
        let synced = shown.contains("\"status\": \"Synced\"");
        (synced && shown.contains(&format!("\"revision\": \"{commit}\""))).then_some(())
    });
    // What the other one read is as it was: it was not looked at.
    let log = walk.log();
    assert!(log.contains("asked to refresh") && log.contains("applications=1"), "{log}");
}

#[test]
fn what_cannot_work_is_refused_with_its_reason() {
    let walk = Walk::start();
    let repository = GitRepo::from_files("bad", &[("app/settings.yaml", &config_map("one"))]).unwrap();
    let error = walk.create("nowhere", &repository, "nope", &[]).unwrap_err();
    assert!(error.contains("nope: app path does not exist"), "{error}");
    let error = walk.create("revision", &repository, "app", &["--revision", "none"]).unwrap_err();
    assert!(error.contains("unable to resolve 'none' to a commit SHA"), "{error}");
    let error = walk.create("project", &repository, "app", &["--project", "none"]).unwrap_err();
    assert!(error.contains("none"), "{error}");
    let listed = walk.cli(&["app", "list", "--output", "name"]).unwrap();
    assert_eq!(listed.trim(), "", "{listed}");
}

/// Tells of each push as a Git server does: by a hook that runs when one was received.
fn hook(repository: &GitRepo, port: u16, url: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let page = url.trim_end_matches(".git");
    let script = format!(
        r#"#!/bin/bash
while read -r before after ref; do
    files=$(git diff --name-only "$before" "$after" | sed 's/.*/"&"/' | paste -sd,)
    body='{{"ref":"'$ref'","before":"'$before'","after":"'$after'","repository":{{"html_url":"{page}","default_branch":"main"}},'
    body+='"commits":[{{"added":[],"modified":['$files'],"removed":[]}}]}}'
    exec 3<>/dev/tcp/127.0.0.1/{port}
    printf 'POST /api/webhook HTTP/1.0
Host: localhost
Content-Type: application/json
X-GitHub-Event: push
Content-Length: %d

%s' "${{#body}}" "$body" >&3
    cat <&3 > received
done
"#
    );
    let path = repository.bare_path().join("hooks/post-receive");
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

const SLACK_TOKEN: &str = "xoxb-canary-of-the-test";
const MAIL_PASSWORD: &str = "mail-canary-of-the-test";

/// Notifications by Slack and by mail, of every revision that was deployed.
fn notifications(slack: &HttpSink, mail: &SmtpSink) -> [serde_json::Value; 2] {
    let secret = serde_json::json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "argocd-notifications-secret", "namespace": "argocd"},
        "stringData": {"slack-token": SLACK_TOKEN, "mail-password": MAIL_PASSWORD},
    });
    let settings = serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "argocd-notifications-cm", "namespace": "argocd"},
        "data": {
            "service.slack": format!("apiURL: {}/api/\ntoken: $slack-token\n", slack.url()),
            "service.email": format!(
                "host: localhost\nport: {}\nfrom: argo@example.com\nusername: mu\npassword: $mail-password\n\
                 insecure_skip_verify: true\n",
                mail.port
            ),
            "subscriptions": "- recipients: [\"slack:builds\", \"email:team@example.com\"]\n  triggers: [on-deployed]\n",
            "trigger.on-deployed": "- when: app.status.operationState != nil and \
                app.status.operationState.phase in ['Succeeded'] and app.status.health.status == 'Healthy'\n  \
                oncePer: app.status.operationState?.syncResult?.revision\n  send: [deployed]\n",
            "template.deployed": "message: |\n  {{.app.metadata.name}} runs {{.app.status.sync.revision}}: \
                {{(call .repo.GetCommitMetadata .app.status.sync.revision).Message}}\n\
                email:\n  subject: deployed {{.app.metadata.name}}\n",
        },
    });
    [secret, settings]
}

fn apply(kubeconfig: &Path, objects: impl IntoIterator<Item = serde_json::Value>) {
    use kubernetes::{Access, ApplyOptions, Cluster, Connection, Method};
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let access = Access::Kubeconfig { path: Some(kubeconfig.into()), context: None };
        let cluster = Cluster::connect(&Connection::new(access)).await.unwrap();
        let options = ApplyOptions {
            method: Method::ServerSide,
            field_manager: "test".into(),
            ..ApplyOptions::default()
        };
        for object in objects {
            let object = object::Object::from_value(object).unwrap();
            let resource = cluster.resource(&object.gvk()).await.unwrap();
            cluster.apply(&resource, &object, &options).await.unwrap();
        }
    });
}

#[test]
fn a_push_is_told_by_slack_and_by_mail_once() {
    let walk = Walk::start_with(&["--insecure"], "--plaintext");
    let slack = HttpSink::start().unwrap();
    slack.answer("POST /api/", [Answer::new(200, r#"{"ok": true, "ts": "1.1", "channel": "C1"}"#)]);
    let login = Some(("mu".to_owned(), MAIL_PASSWORD.to_owned()));
    let mail = SmtpSink::start(smtp::Options { encryption: Encryption::StartTls, login }).unwrap();
    apply(&walk.cluster.kubeconfig_path, notifications(&slack, &mail));
    let mut repository = GitRepo::from_files("told", &[("app/settings.yaml", &config_map("one"))]).unwrap();
    let served = GitHttp::serve(&repository.root(), &git_http::Options::default()).unwrap();
    let url = served.url("told.git");
    let first = repository.head().unwrap();
    let create = ["app", "create", "told", "--repo", &url, "--path", "app", "--dest-namespace", "default"];
    let server = ["--dest-server", "https://kubernetes.default.svc", "--sync-policy", "automated"];
    walk.cli(&[&create[..], &server[..]].concat()).unwrap();
    let told = |revision: &str| {
        let posts = slack
            .requests()
            .into_iter()
            .filter(|request| request.body.contains(revision))
            .collect::<Vec<_>>();
        let mails = mail.mails().into_iter().filter(|mail| mail.data.replace("=\n", "").contains(revision));
        (posts, mails.collect::<Vec<_>>())
    };
    walk.until("the first revision is told", || {
        let (posts, mails) = told(&first);
        (!posts.is_empty() && !mails.is_empty()).then_some(())
    });
    hook(&repository, walk.port, &url);
    let began = std::time::Instant::now();
    let second = repository.change("app/settings.yaml", &config_map("two")).unwrap();
    let answer = std::fs::read_to_string(repository.bare_path().join("received")).unwrap();
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let (posts, mails) = walk.until("the push is told", || {
        let (posts, mails) = told(&second);
        (!posts.is_empty() && !mails.is_empty()).then_some((posts, mails))
    });
    println!("from the push to both messages: {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(posts[0].target, "/api/chat.postMessage");
    assert!(
        posts[0].body.contains("channel=builds") && posts[0].body.contains(SLACK_TOKEN),
        "{}",
        posts[0].body
    );
    assert!(mails[0].encrypted && mails[0].to == ["team@example.com"], "{:?}", mails[0]);
    assert!(mails[0].data.contains("Subject: deployed told"), "{}", mails[0].data);
    walk.until("both are written down", || {
        let shown = walk.cli(&["app", "get", "told", "--output", "json"]).ok()?;
        let noted = shown.lines().find(|line| line.contains("notified.notifications.argoproj.io"))?;
        (noted.matches(&second).count() == 2 && noted.matches(&first).count() == 2).then_some(())
    });
    assert_eq!((slack.requests().len(), mail.mails().len()), (2, 2), "each revision once");
    let log = walk.log();
    assert!(!log.contains(SLACK_TOKEN) && !log.contains(MAIL_PASSWORD), "no secret in the log");
}
