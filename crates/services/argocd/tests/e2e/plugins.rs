//! Config management plugins: sidecars as processes of their own, and applications that go through them.

use crate::installation::{Installation, LIMIT, NAMESPACE, binary, condition, installation, sync_status};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::Command;
use testkit::git_http::{self, GitHttp};
use testkit::git_repo::GitRepo;
use testkit::process::Process;

/// A sidecar. Dropped, it is gone with its socket.
pub struct Sidecar {
    process: Process,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Drop for Sidecar {
    fn drop(&mut self) {
        self.process.terminate(LIMIT);
        // It takes its socket away itself, unless it had to be killed.
        std::fs::remove_file(&self.socket).ok();
    }
}

impl Sidecar {
    pub fn start(installation: &Installation, name: &str, spec: &str) -> Self {
        Self::start_as(installation, name, name, spec)
    }

    fn start_as(installation: &Installation, name: &str, full_name: &str, spec: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: ConfigManagementPlugin\nmetadata:\n  name: {name}\nspec:\n{spec}"
        );
        std::fs::write(folder.path().join("plugin.yaml"), text).unwrap();
        // Git in a plugin asks a program of this name.
        std::os::unix::fs::symlink(binary(), folder.path().join("argocd")).unwrap();
        let path = std::env::var("PATH").unwrap();
        let mut command = Command::new(binary());
        command
            .args(["--config-dir-path", folder.path().to_str().unwrap(), "--loglevel", "debug"])
            .env("ARGOCD_BINARY_NAME", "argocd-cmp-server")
            .env("ARGOCD_PLUGINSOCKFILEPATH", installation.plugin_sockets())
            .env("ARGOCD_CMP_WORKDIR", folder.path())
            .env("ARGOCD_EXEC_TIMEOUT", "10s")
            .env("PATH", format!("{}:{path}", folder.path().display()));
        let process = Process::start(command, &folder.path().join("log")).unwrap();
        let socket = installation.plugin_sockets().join(format!("{full_name}.sock"));
        let sidecar = Self { process, socket, _folder: folder };
        let there = testkit::poll(LIMIT, || sidecar.socket.exists().then_some(()));
        assert!(there.is_some(), "{name} does not listen\n{}", sidecar.process.log());
        sidecar
    }
}

fn declare(installation: &Installation, name: &str, url: &str, path: &str, plugin: Option<Value>) {
    let mut source = json!({"repoURL": url, "path": path, "targetRevision": "HEAD"});
    if let Some(plugin) = plugin {
        source["plugin"] = plugin;
    }
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "project": "default", "source": source,
            "destination": {"server": "https://kubernetes.default.svc", "namespace": name},
            "syncPolicy": {"automated": {"prune": true}, "syncOptions": ["CreateNamespace=true"]},
        },
    });
    installation.kube.create(application).unwrap();
}

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: NAME\ndata:\n  value: \"VALUE\"\n";
/// Puts words into a template and says what it is called in.
const GENERATE: &str = "  generate:\n    command: [sh, -c]\n    args: ['sed \"s/NAME/$ARGOCD_APP_NAME$PARAM_SUFFIX/; s/VALUE/$ARGOCD_ENV_WORD $(cat ../shared/word)/\" map.template']\n";

#[test]
fn applications_go_through_a_plugin() {
    let installation = installation();
    let files = [("app/map.template", MAP), ("shared/word", "one"), ("app/Plugfile", "")];
    let mut repository = GitRepo::from_files("plugged", &files).unwrap();
    let discover = format!("{GENERATE}  discover:\n    fileName: ./Plug*\n");
    let _discovering = Sidecar::start(&installation, "discovering", &discover);
    let url = repository.url();
    declare(&installation, "discovered", &url, "app", None);
    {
        let named = format!("  version: v1.0\n{GENERATE}");
        // The version is part of the name that applications say, and of the socket's.
        let _named = Sidecar::start_as(&installation, "named", "named-v1.0", &named);
        let plugin = json!({
            "name": "named-v1.0",
            "env": [{"name": "WORD", "value": "for ${ARGOCD_APP_SOURCE_PATH}"}],
            "parameters": [{"name": "suffix", "string": "-x"}],
        });
        declare(&installation, "named", &url, "app", Some(plugin));
        for name in ["discovered", "named"] {
            installation.until_synced(name);
            assert_eq!(installation.application(name)["status"]["sourceType"], "Plugin");
        }
    }
    assert_eq!(installation.value("discovered", "discovered").as_deref(), Some(" one"));
    assert_eq!(installation.value("named", "named-x").as_deref(), Some("for app one"));
    // A change of a file that only the plugin reads.
    repository.change("shared/word", "two").unwrap();
    installation.succeed(&["app", "get", "discovered", "--refresh"]);
    installation.until_application("discovered", "the change is live", |application| {
        sync_status(application) == "Synced"
            && installation.value("discovered", "discovered").as_deref() == Some(" two")
    });
    // The other one's plugin is gone: nothing is known of the new commit, and what is live stays.
    installation.succeed(&["app", "get", "named", "--refresh"]);
    installation.until_application("named", "Unknown", |application| sync_status(application) == "Unknown");
    let told = condition(&installation.application("named"), "ComparisonError");
    assert!(
        told.ends_with("plugin sidecar failed. couldn't find cmp-server plugin with name \"named-v1.0\" supporting the given repository"),
        "{told}"
    );
    assert_eq!(installation.value("named", "named-x").as_deref(), Some("for app one"));
    for name in ["discovered", "named"] {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
}

#[test]
fn mistakes_of_plugins_are_told() {
    let installation = installation();
    let repository = GitRepo::from_files("mistaken", &[("app/a.yaml", "a: 1\n")]).unwrap();
    let outside = GitRepo::from_files("outside", &[("app/a.yaml", "a: 1\n")]).unwrap();
    std::os::unix::fs::symlink("../../etc/passwd", outside.work_path().join("app/out")).unwrap();
    let mut outside = outside;
    outside.commit("a link").unwrap();
    outside.push().unwrap();
    let script = |text: &str| format!("  generate:\n    command: [sh, -c]\n    args: [{text:?}]\n");
    let cases = [
        ("failing", script("echo the reason >&2; exit 4"), "failed exit status 4: the reason"),
        ("slow", script("sleep 600"), "`sh -c sleep 600` failed timeout after 10s"),
        ("unreadable", script("echo 'a: ['"), "failed to unmarshal manifest: error converting YAML to JSON"),
        ("textual", script("echo hello"), "failed to convert CMP manifests to unstructured objects: "),
    ];
    let sidecars: Vec<Sidecar> =
        cases.iter().map(|(name, spec, _)| Sidecar::start(&installation, name, spec)).collect();
    for (name, _, _) in &cases {
        declare(&installation, name, &repository.url(), "app", Some(json!({"name": name})));
    }
    declare(&installation, "leaving", &outside.url(), "app", Some(json!({"name": "failing"})));
    let expected = cases.iter().map(|(name, _, text)| (*name, *text));
    let link = ("leaving", "repository contains out-of-bounds symlinks. file: app/out");
    for (name, text) in expected.chain([link]) {
        installation.until_application(name, text, |application| {
            let told = condition(application, "ComparisonError");
            sync_status(application) == "Unknown"
                && told.contains("plugin sidecar failed. ")
                && told.contains(text)
        });
    }
    // The command line says it, too.
    let said = installation.cli(&["app", "get", "failing", "--hard-refresh"]).unwrap();
    assert!(said.contains("the reason"), "{said}");
    drop(sidecars);
    for (name, _, _) in &cases {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
    installation.succeed(&["app", "delete", "leaving", "--yes"]);
}

#[test]
fn a_plugin_may_be_given_the_repositorys_credentials() {
    let installation = installation();
    let repository = GitRepo::from_files("lent", &[("app/a.yaml", "a: 1\n")]).unwrap();
    let let_in = ("ann".to_owned(), "password-of-the-test".to_owned());
    let options = git_http::Options { basic_auth: Some(let_in), ..git_http::Options::default() };
    let server = GitHttp::serve(&repository.root(), &options).unwrap();
    let url = server.url("lent.git");
    installation.kube.apply(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {
            "name": "repo-lent", "namespace": NAMESPACE,
            "labels": {"argocd.argoproj.io/secret-type": "repository"},
        },
        "stringData": {"type": "git", "url": url, "username": "ann", "password": "password-of-the-test"},
    }));
    let script = "set -e; git ls-remote $ARGOCD_APP_SOURCE_REPO_URL HEAD > refs; printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: lent}\\ndata: {value: \"%s\"}\\n' $(cut -f1 refs)";
    let spec = format!("  generate:\n    command: [sh, -c]\n    args: [{script:?}]\n");
    let _alone = Sidecar::start(&installation, "alone", &spec);
    let _trusted = Sidecar::start(&installation, "trusted", &format!("{spec}  provideGitCreds: true\n"));
    declare(&installation, "lent", &url, "app", Some(json!({"name": "trusted"})));
    declare(&installation, "kept", &url, "app", Some(json!({"name": "alone"})));
    installation.until_synced("lent");
    assert_eq!(installation.value("lent", "lent"), Some(repository.head().unwrap()));
    installation.until_application("kept", "refused", |application| {
        condition(application, "ComparisonError")
            .contains("plugin sidecar failed. error generating manifests in cmp: ")
    });
    let objects =
        installation.application("kept").to_string() + &installation.application("lent").to_string();
    assert!(!objects.contains("password-of-the-test"));
    for name in ["lent", "kept"] {
        installation.succeed(&["app", "delete", name, "--yes"]);
    }
    installation.kube.delete("v1", "Secret", NAMESPACE, "repo-lent");
}
