//! Plugins as the repo-server sees them: real commands, a real socket, files of a tree.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use boot::stop::Stop;
use cmp_server::{Configuration, Options, PluginServer};
use plugin::{Files, PluginError, Plugins, Variable};
use source_tree::{MemoryTree, TreePath};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(30);

struct Place {
    folder: tempfile::TempDir,
    stop: Stop,
    plugins: Plugins,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.stop.ask();
    }
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("sockets")).unwrap();
        let options = plugin::Options { folder: folder.path().join("sockets"), ..Default::default() };
        Self { folder, stop: Stop::new(), plugins: Plugins::new(options) }
    }

    fn work(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.folder.path().join("sockets").join(format!("{name}.sock"))
    }

    /// Starts a plugin; its socket is there afterwards.
    async fn start(&self, name: &str, spec: &str) {
        self.start_with(name, spec, |options| options).await;
    }

    async fn start_with(&self, name: &str, spec: &str, change: impl FnOnce(Options) -> Options) {
        let text = format!("kind: ConfigManagementPlugin\nmetadata: {{name: {name}}}\nspec:\n{spec}");
        let configuration = Configuration::parse(text.as_bytes(), "plugin.yaml").unwrap();
        let options = change(Options {
            work_folder: self.work(name),
            timeout: LIMIT,
            grace: Duration::from_secs(5),
            output: 1 << 20,
        });
        let server = PluginServer::new(configuration, options).unwrap();
        let (socket, stop) = (self.socket(name), self.stop.part());
        tokio::spawn(async move {
            transport::serve_unix(&socket, cmp_server::router(server), stop.asked()).await.unwrap();
        });
        until("the socket", || self.socket(name).exists()).await;
    }

    /// No files of any call are left.
    async fn is_clean(&self, name: &str) {
        let work = self.work(name);
        until("the files to be gone", || std::fs::read_dir(&work).unwrap().next().is_none()).await;
    }

    async fn manifests(&self, name: &str, files: &Files) -> Result<Vec<String>, PluginError> {
        self.plugins.find(name, files, &[]).await?.manifests(files, &[]).await
    }

    async fn fails(&self, name: &str, files: &Files) -> String {
        self.manifests(name, files).await.unwrap_err().to_string()
    }
}

async fn until(what: &str, mut is: impl FnMut() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is() {
        assert!(Instant::now() < deadline, "waited for {what}");
        tokio::task::yield_now().await;
    }
}

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn files(folder: &str) -> Files {
    let tree = MemoryTree::builder()
        .file(path("app/a.yaml"), "a: 1\n")
        .file(path("app/deep/er/Plugfile"), "x\n")
        .executable(path("app/run.sh"), "#!/bin/sh\necho ran: well\n")
        .file(path("shared/b.yaml"), "b: 2\n")
        .link(path("app/linked.yaml"), "../shared/b.yaml")
        .build()
        .unwrap();
    Files { tree: Arc::new(tree), path: path(folder), include: Vec::new() }
}

fn variable(name: &str, value: &str) -> Variable {
    (name.to_owned(), value.to_owned())
}

#[tokio::test]
async fn commands_run_among_the_files_of_a_call_and_leave_nothing() {
    let place = Place::new();
    place
        .start(
            "shell",
            "  init: {command: [sh, -c, 'echo \"c: $ARGOCD_ENV_WORD\" > c.yaml']}\n  generate: {command: [sh, -c], args: ['cat a.yaml; for f in linked c; do echo ---; cat $f.yaml; done; echo ---; echo \"run: $(test -x run.sh && echo is || echo not)\"; echo \"home: ${HOME:+set}\"']}\n",
        )
        .await;
    let files = files("app");
    let environment = [variable("ARGOCD_ENV_WORD", "hello")];
    let plugin = place.plugins.find("shell", &files, &environment).await.unwrap();
    assert!(!plugin.provides_git_credentials());
    let manifests = plugin.manifests(&files, &environment).await.unwrap();
    assert_eq!(manifests, [r#"{"a":1}"#, r#"{"b":2}"#, r#"{"c":"hello"}"#, r#"{"home":"set","run":"not"}"#]);
    // The next call sees the files as they were.
    assert_eq!(plugin.manifests(&files, &[]).await.unwrap()[2], r#"{"c":null}"#);
    place.is_clean("shell").await;

    place.start("modes", "  preserveFileMode: true\n  generate: {command: [./run.sh]}\n").await;
    assert_eq!(place.manifests("modes", &files).await.unwrap(), [r#"{"ran":"well"}"#]);
}

#[tokio::test]
async fn a_folder_finds_its_plugin() {
    let place = Place::new();
    let cat = "  generate: {command: [echo, 'by: it']}\n";
    place.start("quiet", cat).await;
    let (app, other) = (files("app"), files("shared"));
    let discovered = async |files: &Files| {
        place.plugins.discover(files, &[]).await.unwrap().map(|plugin| plugin.name().to_owned())
    };
    assert_eq!(discovered(&app).await, None, "without discovery a plugin has to be named");
    place.start("file", &format!("{cat}  discover: {{fileName: './r*.sh'}}\n")).await;
    for (name, discover) in [
        ("glob", "{find: {glob: '**/Plugfile'}}"),
        ("command", "{find: {command: [sh, -c, 'test -n \"$WANTED\" && ls b.yaml; true']}}"),
    ] {
        place.start(name, &format!("{cat}  discover: {discover}\n")).await;
        let plugin = async |files: &Files, environment: &[Variable]| {
            place.plugins.find(name, files, environment).await.map(|plugin| plugin.name().to_owned())
        };
        let missing =
            format!("couldn't find cmp-server plugin with name {name:?} supporting the given repository");
        let (its, environment, not_its) = if name == "glob" {
            (&app, vec![], &other)
        } else {
            (&other, vec![variable("WANTED", "1")], &app)
        };
        assert_eq!(plugin(its, &environment).await.unwrap(), name);
        assert_eq!(plugin(not_its, &environment).await.unwrap_err().to_string(), missing);
    }
    assert_eq!(discovered(&app).await.as_deref(), Some("file"));
    assert_eq!(discovered(&other).await, None);
    assert_eq!(
        place.plugins.find("", &other, &[]).await.unwrap_err().to_string(),
        "could not find plugin supporting the given repository"
    );
    for name in ["nobody", "../shell", "", "."] {
        let error = place.plugins.find(name, &other, &[]).await.unwrap_err();
        assert!(!error.retryable(), "{error}");
    }
    assert_eq!(place.manifests("quiet", &other).await.unwrap(), [r#"{"by":"it"}"#]);

    // One that is gone could have wanted the folder: without its answer nobody knows what the folder is.
    std::os::unix::net::UnixListener::bind(place.socket("aaa")).unwrap();
    let error = place.plugins.discover(&other, &[]).await.unwrap_err();
    assert!(error.to_string().starts_with("ask plugin \"aaa\" whether it supports"), "{error}");
    assert!(error.to_string().contains("refused") && error.retryable(), "{error}");
    let error = place.plugins.find("aaa", &other, &[]).await.unwrap_err();
    assert!(error.to_string().contains("supporting the given repository: ") && error.retryable(), "{error}");
}

#[tokio::test]
async fn mistakes_are_told() {
    let place = Place::new();
    let generate = |script: &str| format!("  generate: {{command: [sh, -c, {script:?}]}}\n");
    place.start("exit", &generate("echo out; echo cannot use $ARGOCD_ENV_TOKEN >&2; exit 3")).await;
    let files = files("app");
    let environment = [variable("ARGOCD_ENV_TOKEN", "hunter2hunter2")];
    let plugin = place.plugins.find("exit", &files, &[]).await.unwrap();
    let error = plugin.manifests(&files, &environment).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "error generating manifests in cmp: rpc error: code = Unknown desc = error generating manifests: `sh -c echo out; echo cannot use $ARGOCD_ENV_TOKEN >&2; exit 3` failed exit status 3: cannot use ******"
    );
    assert!(!error.retryable());

    let prefix =
        "error generating manifests in cmp: rpc error: code = Unknown desc = error generating manifests: ";
    place.start("none", "  generate: {command: [no-such-program]}\n").await;
    let found = place.fails("none", &files).await;
    assert_eq!(found, format!("{prefix}exec: \"no-such-program\": executable file not found in $PATH"));
    place.start("yaml", &generate("echo 'a: ['")).await;
    let found = place.fails("yaml", &files).await;
    assert!(found.starts_with(&format!("{prefix}failed to unmarshal manifest: ")), "{found}");
    place.start("much", &generate("while :; do echo '# aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; done")).await;
    let found = place.fails("much", &files).await;
    assert!(found.ends_with("failed output larger than 1048576 bytes"), "{found}");
    place
        .start("init", &format!("{}  init: {{command: [sh, -c, 'exit 9']}}\n", generate("echo 'a: 1'")))
        .await;
    let found = place.fails("init", &files).await;
    assert_eq!(found, format!("{prefix}`sh -c exit 9` failed exit status 9"));
    place.start("long", &generate("yes complaint | head -c 100000 >&2; echo the end >&2; exit 1")).await;
    let found = place.fails("long", &files).await;
    assert!(found.ends_with("complaint\nthe end") && found.len() < 8000, "{} {found:.300}", found.len());
    for name in ["exit", "yaml", "much", "init", "long"] {
        place.is_clean(name).await;
    }

    let tree = MemoryTree::builder().file(path("app/a.yaml"), "").link(path("app/out"), "../../etc/passwd");
    let out = Files { tree: Arc::new(tree.build().unwrap()), ..files.clone() };
    let found = place.fails("exit", &out).await;
    assert_eq!(found, "repository contains out-of-bounds symlinks. file: app/out");
    let absent = Files { path: path("absent"), ..files };
    let found = place.fails("exit", &absent).await;
    assert!(found.contains("absent: No such file or directory"), "{found}");
}

/// The number that a script wrote into a file.
fn written(file: &Path) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.ends_with('\n').then(|| text.trim().to_owned())
}

fn runs(process: &str) -> bool {
    // A process that ended and was not waited for yet does not run.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}

#[tokio::test]
async fn what_takes_too_long_ends_with_everything_it_started() {
    let place = Place::new();
    let pid = place.folder.path().join("pid");
    let script = format!("sh -c 'echo $$ > {0}.new; mv {0}.new {0}; exec sleep 600' & wait", pid.display());
    let spec = format!("  generate: {{command: [sh, -c, {script:?}]}}\n");
    place
        .start_with("slow", &spec, |options| Options { timeout: Duration::from_millis(1500), ..options })
        .await;
    let files = files("app");
    let found = place.fails("slow", &files).await;
    assert!(found.ends_with("` failed timeout after 1.5s"), "{found}");
    let process = written(&pid).expect("the child was started");
    until("the child to end", || !runs(&process)).await;
    place.is_clean("slow").await;

    // Nobody waits any more: nothing goes on either.
    std::fs::remove_file(&pid).unwrap();
    place.start("patient", &spec).await;
    let plugin = place.plugins.find("patient", &files, &[]).await.unwrap();
    let wanted = files.clone();
    let call = tokio::spawn(async move { plugin.manifests(&wanted, &[]).await });
    until("the child", || written(&pid).is_some()).await;
    let process = written(&pid).unwrap();
    assert!(runs(&process));
    call.abort();
    until("the child to end", || !runs(&process)).await;
    place.is_clean("patient").await;

    // One that ignores being asked, and one that leaves something behind.
    let script = "trap '' TERM; while :; do sleep 1; done";
    place
        .start_with("deaf", &format!("  generate: {{command: [sh, -c, {script:?}]}}\n"), |options| Options {
            timeout: Duration::from_millis(300),
            grace: Duration::from_millis(300),
            ..options
        })
        .await;
    assert!(place.fails("deaf", &files).await.ends_with("timeout after 300ms"));
    place.start("behind", "  generate: {command: [sh, -c, 'sleep 600 & echo \"a: 1\"']}\n").await;
    let began = Instant::now();
    assert_eq!(place.manifests("behind", &files).await.unwrap(), [r#"{"a":1}"#]);
    assert!(began.elapsed() < LIMIT);
}

#[tokio::test]
async fn parameters_are_announced() {
    let place = Place::new();
    let fixed = "  generate: {command: ['true']}\n  parameters:\n    static: [{name: images, collectionType: map, map: {a: b}}]\n";
    place.start("fixed", fixed).await;
    let dynamic = format!(
        "{fixed}    dynamic: {{command: [sh, -c, 'echo \"[{{\\\"name\\\": \\\"$ARGOCD_ENV_WORD\\\", \\\"itemType\\\": \\\"number\\\"}}]\"']}}\n"
    );
    place.start("dynamic", &dynamic).await;
    place.start("broken", &format!("{fixed}    dynamic: {{command: [echo, text]}}\n")).await;
    let files = files("app");
    let environment = [variable("ARGOCD_ENV_WORD", "replicas")];
    let announced = async |name: &str| {
        let plugin = place.plugins.find(name, &files, &[]).await.unwrap();
        plugin.parameters(&files, &environment).await
    };
    let names = |found: Vec<wire::repository::ParameterAnnouncement>| -> Vec<String> {
        found.into_iter().map(|announcement| announcement.name).collect()
    };
    assert_eq!(names(announced("fixed").await.unwrap()), ["images"]);
    let found = announced("dynamic").await.unwrap();
    assert_eq!(found[0].item_type, "number");
    assert_eq!(names(found), ["replicas", "images"], "what is written down comes last and wins");
    let error = announced("broken").await.unwrap_err().to_string();
    assert!(error.contains("error unmarshaling dynamic parameter output"), "{error}");
}

#[tokio::test]
async fn it_says_how_it_is_and_takes_the_socket_away() {
    let place = Place::new();
    place.start("well", "  generate: {command: ['true']}\n").await;
    let channel = transport::connect_unix(&place.socket("well")).unwrap();
    let mut health = wire::health::health_client::HealthClient::new(channel.clone());
    let answer = health.check(wire::health::HealthCheckRequest::default()).await.unwrap();
    assert_eq!(answer.into_inner().status, 1, "SERVING");
    let mut versions = wire::version::version_service_client::VersionServiceClient::new(channel);
    assert!(versions.version(()).await.unwrap().into_inner().version.starts_with('v'));
    place.stop.ask();
    until("the socket to be gone", || !place.socket("well").exists()).await;
}
