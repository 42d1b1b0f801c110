//! The ways a registered cluster says who asks, and how it is reached: each as the other side sees it.

use api::v1alpha1::{AWSAuthConfig, ClusterConfig, ExecProviderConfig};
use kubernetes::{Access, Cluster, Connection, Error};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use testkit::control_plane::{ControlPlane, Options};
use testkit::sink::{Answer, HttpSink};

const VERSION: &str = r#"{"major":"1","minor":"36","gitVersion":"v1.36.0","platform":"linux/amd64"}"#;
/// Where a test starts itself again, with another environment, the server it is to ask.
const AGAIN: &str = "KUBERNETES_TEST_SERVER";

fn sink() -> HttpSink {
    let sink = HttpSink::start().expect("listens");
    sink.answer("GET /version", [Answer::new(200, VERSION)]);
    sink
}

async fn ask(server: &str, config: ClusterConfig) -> Result<(), Error> {
    let access = Access::Server { server: server.to_owned(), config: Box::new(config) };
    let mut connection = Connection::new(access);
    connection.limits.retries = 0;
    let cluster = Cluster::connect(&connection).await?;
    cluster.version().await.map(|_| ())
}

/// The `Authorization` that a configuration sends.
async fn authorization(config: ClusterConfig) -> Option<String> {
    let sink = sink();
    ask(&sink.url(), config).await.expect("answered");
    let requests = sink.requests();
    requests.first().expect("asked").header("authorization").map(str::to_owned)
}

/// A program that prints a token, as the shell understands it, in the form of credential plugins.
fn plugin(folder: &Path, name: &str, token: &str) -> String {
    let program = folder.join(name);
    let answer = format!(
        r#"{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{{"token":"{token}"}}}}"#
    );
    std::fs::write(&program, format!("#!/bin/sh\ncat <<END\n{answer}\nEND\n")).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("may be run");
    program.display().to_string()
}

#[tokio::test]
async fn a_token_and_a_password_are_sent_as_such() {
    assert_eq!(authorization(ClusterConfig::default()).await, None);
    let token = ClusterConfig { bearer_token: "the-token".into(), ..ClusterConfig::default() };
    assert_eq!(authorization(token).await.as_deref(), Some("Bearer the-token"));
    let password =
        ClusterConfig { username: "me".into(), password: "secret".into(), ..ClusterConfig::default() };
    assert_eq!(authorization(password).await.as_deref(), Some("Basic bWU6c2VjcmV0"));
}

#[tokio::test]
async fn a_program_prints_the_token_and_is_given_its_arguments_and_variables() {
    let folder = tempfile::tempdir().expect("a folder");
    let provider = |command: String| ExecProviderConfig {
        command,
        args: vec!["first".into()],
        env: [("WHO".to_owned(), "me".to_owned())].into(),
        api_version: "client.authentication.k8s.io/v1beta1".into(),
        install_hint: "get it from the shelf".into(),
        ..ExecProviderConfig::default()
    };
    let with = |command: String| ClusterConfig {
        exec_provider_config: Some(provider(command)),
        ..ClusterConfig::default()
    };
    let command = plugin(folder.path(), "plugin", "$1-$WHO");
    assert_eq!(authorization(with(command)).await.as_deref(), Some("Bearer first-me"));
    let sink = sink();
    let missing = folder.path().join("missing").display().to_string();
    ask(&sink.url(), with(missing)).await.expect_err("there is no such program");
    assert_eq!(sink.requests(), [], "nothing is asked as nobody");
}

/// The program of Amazon's clusters is found by its name alone, so this test starts itself with another `PATH`.
#[tokio::test]
async fn amazons_clusters_are_asked_with_the_token_of_our_own_program() {
    let aws = AWSAuthConfig {
        cluster_name: "prod".into(),
        role_arn: "arn:aws:iam::1:role/r".into(),
        profile: "p".into(),
    };
    if let Ok(server) = std::env::var(AGAIN) {
        let config = ClusterConfig { aws_auth_config: Some(aws), ..ClusterConfig::default() };
        ask(&server, config).await.expect("answered");
        return;
    }
    let (sink, folder) = (sink(), tempfile::tempdir().expect("a folder"));
    plugin(folder.path(), "argocd-k8s-auth", r#"$(echo "$@" | tr " " ,)"#);
    let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").expect("a path"));
    let ended = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "amazons_clusters_are_asked_with_the_token_of_our_own_program"])
        .env("PATH", path)
        .env(AGAIN, sink.url())
        .output()
        .expect("started");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    let requests = sink.requests();
    let token = "Bearer aws,--cluster-name,prod,--role-arn,arn:aws:iam::1:role/r,--profile,p";
    assert_eq!(requests.first().expect("asked").header("authorization"), Some(token));
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_cluster_with_its_own_password_and_no_other_is() {
    let proxy = HttpSink::start().expect("listens");
    proxy.answer("CONNECT", [Answer::new(403, "no")]);
    let url = proxy.url().replace("http://", "http://user:hunter2@");
    let config =
        ClusterConfig { proxy_url: url, bearer_token: "the-token".into(), ..ClusterConfig::default() };
    let error = ask("https://cluster.invalid:6443", config).await.expect_err("the proxy refuses");
    let requests = proxy.requests();
    let asked = requests.first().expect("the proxy was asked");
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("CONNECT", "cluster.invalid:6443"));
    assert_eq!(asked.header("proxy-authorization"), Some("Basic dXNlcjpodW50ZXIy"));
    assert_eq!(asked.header("authorization"), None, "the token is the cluster's");
    assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("the-token"), "{error}");
    let broken = ClusterConfig { proxy_url: "http://user:hunter2@[".into(), ..ClusterConfig::default() };
    let error = ask("https://cluster.invalid:6443", broken).await.expect_err("no address");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn compression_is_not_asked_for_where_it_is_switched_off() {
    for (disable_compression, sent) in [(false, Some("gzip")), (true, None)] {
        let sink = sink();
        let config = ClusterConfig { disable_compression, ..ClusterConfig::default() };
        ask(&sink.url(), config).await.expect("answered");
        let requests = sink.requests();
        assert_eq!(requests.first().expect("asked").header("accept-encoding"), sent);
    }
}

fn plane() -> &'static ControlPlane {
    static PLANE: OnceLock<ControlPlane> = OnceLock::new();
    PLANE.get_or_init(|| ControlPlane::start(&Options::default()).expect("the control plane starts"))
}

#[tokio::test]
async fn a_certificate_is_checked_for_the_name_that_is_given_or_not_at_all_where_that_is_asked() {
    let plane = plane();
    let read = |path: &Path| std::fs::read(path).expect("a file of the control plane");
    let mut config = ClusterConfig::default();
    config.tls_client_config.cert_data = read(&plane.client_certificate_path);
    config.tls_client_config.key_data = read(&plane.client_key_path);
    let mut insecure = config.clone();
    insecure.tls_client_config.insecure = true;
    ask(&plane.server_url, insecure.clone()).await.expect("nothing is checked");
    ask(&plane.server_url, config.clone()).await.expect_err("nobody vouches for it");

    let authority = read(&plane.certificate_authority_path);
    insecure.tls_client_config.ca_data.clone_from(&authority);
    let error = ask(&plane.server_url, insecure).await.expect_err("one excludes the other");
    assert!(error.to_string().contains("with the insecure flag is not allowed"), "{error}");

    config.tls_client_config.ca_data = authority;
    config.tls_client_config.server_name = "kubernetes.default.svc".into();
    ask(&plane.server_url, config.clone()).await.expect("one of its names");
    config.tls_client_config.server_name = "elsewhere.example".into();
    ask(&plane.server_url, config).await.expect_err("not its name");
}
