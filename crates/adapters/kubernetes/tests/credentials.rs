//! The ways a registered cluster says who asks, and how it is reached: each as the other side sees it.

use api::k8s::runtime::RawExtension;
use api::v1alpha1::{AWSAuthConfig, ClusterConfig, ExecProviderConfig};
use kubernetes::{Access, Cluster, Connection, Error};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
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

async fn connect(server: &str, config: ClusterConfig) -> Result<Cluster, Error> {
    let access = Access::Server { server: server.to_owned(), config: Box::new(config) };
    let mut connection = Connection::new(access);
    connection.limits.retries = 0;
    connection.limits.answer_timeout = Duration::from_secs(10);
    Cluster::connect(&connection).await
}

async fn ask(server: &str, config: ClusterConfig) -> Result<(), Error> {
    connect(server, config).await?.version().await.map(|_| ())
}

/// The `Authorization` that a configuration sends.
async fn authorization(config: ClusterConfig) -> Option<String> {
    let sink = sink();
    ask(&sink.url(), config).await.expect("answered");
    let requests = sink.requests();
    requests.first().expect("asked").header("authorization").map(str::to_owned)
}

/// A program of a shell's lines.
fn program(folder: &Path, name: &str, lines: &str) -> String {
    let program = folder.join(name);
    std::fs::write(&program, format!("#!/bin/sh\n{lines}\n")).expect("written");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).expect("may be run");
    program.display().to_string()
}

/// The line that prints a status, as the shell understands it, in the form of credential plugins.
fn printing(status: &str) -> String {
    let form = r#""kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1""#;
    format!("cat <<END\n{{{form},\"status\":{status}}}\nEND")
}

/// A program that prints a token, as the shell understands it.
fn plugin(folder: &Path, name: &str, token: &str) -> String {
    program(folder, name, &printing(&format!(r#"{{"token":"{token}"}}"#)))
}

/// A line that counts how often its program ran, in `$RUN`.
fn counting(folder: &Path) -> String {
    let count = folder.join("runs").display().to_string();
    format!("echo run >> {count}\nRUN=$(wc -l < {count} | tr -d ' ')")
}

fn by(command: String) -> ClusterConfig {
    let provider = ExecProviderConfig {
        command,
        api_version: "client.authentication.k8s.io/v1beta1".into(),
        ..ExecProviderConfig::default()
    };
    ClusterConfig { exec_provider_config: Some(provider), ..ClusterConfig::default() }
}

fn sent(sink: &HttpSink) -> Vec<String> {
    let requests = sink.requests();
    requests.iter().map(|asked| asked.header("authorization").unwrap_or_default().to_owned()).collect()
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

#[tokio::test]
async fn a_token_that_is_refused_is_printed_anew_once() {
    let (sink, folder) = (HttpSink::start().expect("listens"), tempfile::tempdir().expect("a folder"));
    let refused = || Answer::new(401, r#"{"kind":"Status","code":401,"message":"Unauthorized"}"#);
    sink.answer("GET /version", [Answer::new(200, VERSION), refused(), Answer::new(200, VERSION), refused()]);
    let lines = format!("{}\n{}", counting(folder.path()), printing(r#"{"token":"t$RUN"}"#));
    let cluster = connect(&sink.url(), by(program(folder.path(), "p", &lines))).await.expect("connected");
    cluster.version().await.expect("the first token counts");
    cluster.version().await.expect("the second token counts");
    assert_eq!(sent(&sink), ["Bearer t1", "Bearer t1", "Bearer t2"]);
    // A server that refuses whatever is printed does not have the program run on and on.
    let error = cluster.version().await.expect_err("refused");
    assert_eq!(error.code(), Some(401));
    assert_eq!(sent(&sink)[3..], ["Bearer t2"]);
}

#[tokio::test]
async fn a_token_counts_until_it_ends() {
    for (ends, runs) in
        [("2001-01-01T00:00:00Z", ["Bearer t2", "Bearer t3"]), ("2999-01-01T00:00:00Z", ["Bearer t1"; 2])]
    {
        let (sink, folder) = (sink(), tempfile::tempdir().expect("a folder"));
        sink.answer("GET /version", [Answer::new(200, VERSION), Answer::new(200, VERSION)]);
        let status = format!(r#"{{"token":"t$RUN","expirationTimestamp":"{ends}"}}"#);
        let lines = format!("{}\n{}", counting(folder.path()), printing(&status));
        let cluster = connect(&sink.url(), by(program(folder.path(), "p", &lines))).await.expect("connected");
        cluster.version().await.expect("answered");
        cluster.version().await.expect("answered");
        assert_eq!(sent(&sink), runs);
    }
}

#[tokio::test]
async fn a_program_is_told_of_its_cluster_where_that_is_asked() {
    let (sink, folder) = (sink(), tempfile::tempdir().expect("a folder"));
    let told = folder.path().join("told");
    let lines =
        format!("printf %s \"$KUBERNETES_EXEC_INFO\" > {}\n{}", told.display(), printing(r#"{"token":"t"}"#));
    let mut config = by(program(folder.path(), "p", &lines));
    let provider = config.exec_provider_config.as_mut().expect("a program");
    provider.provide_cluster_info = true;
    provider.config = Some(RawExtension::new(&json!({"clusterName": "prod"})));
    config.bearer_token = "not-this".into();
    ask(&sink.url(), config).await.expect("answered");
    assert_eq!(sent(&sink), ["Bearer t"]);
    let told: Value = serde_json::from_slice(&std::fs::read(told).expect("told")).expect("JSON");
    assert_eq!(told["kind"], "ExecCredential");
    assert_eq!(told["spec"]["interactive"], false);
    assert_eq!(told["spec"]["cluster"]["server"], sink.url());
    assert_eq!(told["spec"]["cluster"]["config"], json!({"clusterName": "prod"}));
}

#[tokio::test]
async fn a_program_that_fails_is_named_with_the_reason_and_with_none_of_its_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |name: &str, lines: &str| program(folder.path(), name, lines);
    let cases = [
        (of("fails", "echo canary-out; echo canary-err >&2; exit 3"), "failed with exit code 3"),
        (of("stopped", "echo canary-out; kill -9 $$"), "was stopped"),
        (of("talks", "echo canary-out"), "is no ExecCredential"),
        (of("nothing", &printing("{}")), "neither a token nor a certificate"),
        (of("half", &printing(r#"{"clientKeyData":"canary-key"}"#)), "but not both"),
        (
            of("timeless", &printing(r#"{"token":"canary-token","expirationTimestamp":"canary-time"}"#)),
            "is no time",
        ),
        (of("hangs", "sleep 60"), "printed nothing within 1 s"),
        (folder.path().join("missing").display().to_string(), "not found: get it from the shelf"),
    ];
    for (command, reason) in cases {
        let mut config = by(command.clone());
        config.exec_provider_config.as_mut().expect("a program").install_hint =
            "get it from the shelf".into();
        let access = Access::Server { server: "http://127.0.0.1:1".into(), config: Box::new(config) };
        let mut connection = Connection::new(access);
        connection.limits.answer_timeout = Duration::from_secs(1);
        let Err(error) = Cluster::connect(&connection).await else { panic!("{command} connects") };
        let text = error.to_string();
        assert!(text.contains(reason) && text.contains(&command), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[tokio::test]
async fn a_registration_of_the_own_cluster_changes_what_it_names() {
    let own = ClusterConfig { bearer_token: "own".into(), ..ClusterConfig::default() };
    let with = |change: fn(&mut ClusterConfig)| {
        let mut config = ClusterConfig::default();
        change(&mut config);
        config
    };
    let cases = [
        (with(|_| {}), "Bearer own"),
        (with(|config| config.tls_client_config.insecure = true), "Bearer own"),
        (with(|config| config.disable_compression = true), "Bearer own"),
        (with(|config| config.bearer_token = "other".into()), "Bearer other"),
        (
            with(|config| (config.username, config.password) = ("me".into(), "secret".into())),
            "Basic bWU6c2VjcmV0",
        ),
    ];
    for (registered, authorization) in cases {
        let sink = sink();
        let cluster = connect(&sink.url(), own.clone()).await.expect("connected");
        let registered = cluster.registered_as(&registered).await.expect("connected");
        assert_eq!(registered.server(), cluster.server());
        registered.version().await.expect("answered");
        assert_eq!(sent(&sink), [authorization]);
    }
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

#[tokio::test]
async fn a_program_may_print_a_certificate_with_its_key() {
    let (plane, folder) = (plane(), tempfile::tempdir().expect("a folder"));
    let pem =
        |path: &Path| serde_json::to_string(&std::fs::read_to_string(path).expect("a file")).expect("text");
    let status = format!(
        r#"{{"clientCertificateData":{},"clientKeyData":{}}}"#,
        pem(&plane.client_certificate_path),
        pem(&plane.client_key_path)
    );
    let file = folder.path().join("status");
    std::fs::write(&file, format!(r#"{{"kind":"ExecCredential","status":{status}}}"#)).expect("written");
    let mut config = by(program(folder.path(), "p", &format!("cat {}", file.display())));
    config.tls_client_config.ca_data = std::fs::read(&plane.certificate_authority_path).expect("a file");
    let cluster = connect(&plane.server_url, config).await.expect("connected");
    let review =
        kubernetes::Review { verb: "delete".into(), plural: "nodes".into(), ..kubernetes::Review::default() };
    assert!(cluster.may(&review).await.expect("answered"), "it is the administrator's");
}
