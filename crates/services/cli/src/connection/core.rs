//! `--core`: an API server of our own for the length of one call, with the rights of the caller's kubeconfig. It
//! listens on this machine only and knows one token, which only this call has.

use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use object::GroupVersionKind;

use super::{Target, cluster};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const REPO_SERVER_PORT: u16 = 8081;
const REDIS_PORT: u16 = 6379;
/// How long the server may take to listen.
const START: Duration = Duration::from_secs(20);
const TOKEN_BYTES: usize = 32;
/// What is shown of a server that did not start.
const LAST_WORDS: u64 = 4096;

/// A server that ends with this.
pub(crate) struct LocalServer(Child);

impl Drop for LocalServer {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a server; the target is how it is reached.
pub(crate) async fn start(session: &mut Session<'_>) -> Outcome<Target> {
    let context = session.text("kube-context");
    let connected = cluster::connect(session.environment, "", &context).await;
    let cluster = connected.map_err(|error| Failure::fatal(error.message()))?;
    let namespace = cluster.default_namespace().to_owned();
    let repo_server = session.text("repo-server-name");
    let repo_server = cluster::forward(&cluster, &namespace, &[&repo_server], REPO_SERVER_PORT).await;
    let repo_server = repo_server.map_err(Failure::fatal)?;
    let (proxy, redis) = (session.text("redis-haproxy-name"), session.text("redis-name"));
    let redis = cluster::forward(&cluster, &namespace, &[&proxy, &redis], REDIS_PORT).await;
    let redis = redis.map_err(Failure::fatal)?;
    let secret = GroupVersionKind::new("", "v1", "Secret");
    let secret = cluster.find_kind(&secret, &namespace, "argocd-redis").await;
    let secret = secret.map_err(|error| Failure::fatal(error.message()))?;
    let password =
        secret.map(|secret| STANDARD.decode(secret.text_at(&["data", "auth"])).unwrap_or_default());
    let port = free_port()?;
    let token = URL_SAFE_NO_PAD.encode(rand::random::<[u8; TOKEN_BYTES]>());
    let mut command = Command::new(session.environment.program()?);
    command
        .args(["--address", "127.0.0.1", "--port", &port.to_string(), "--metrics-port", "0", "--insecure"])
        .args(["--loglevel", "error", "--namespace", &namespace, "--context", &context])
        .args([
            "--redis",
            &format!("127.0.0.1:{redis}"),
            "--redis-compress",
            session.matches.text("redis-compress"),
        ])
        .args(["--repo-server", &format!("127.0.0.1:{repo_server}")])
        .env("ARGOCD_BINARY_NAME", "argocd-server")
        .env("ARGOCD_FAKE_IN_CLUSTER", "true")
        .env("ARGOCD_SERVER_LOCAL_TOKEN", &token)
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    if let Some(password) = password {
        command.env("REDIS_PASSWORD", String::from_utf8_lossy(&password).into_owned());
    }
    let log = tempfile::tempfile()
        .map_err(|error| Failure::generic(format!("make a file for the log: {error}")))?;
    let errors = log.try_clone().map_err(Failure::from)?;
    let child = command.stderr(errors).spawn();
    let child =
        child.map_err(|error| Failure::generic(format!("start the API server of --core: {error}")))?;
    let mut server = LocalServer(child);
    listens(&mut server, port, log).await?;
    session.local_server = Some(server);
    Ok(Target { address: format!("127.0.0.1:{port}"), token, plain_text: true, ..Target::default() })
}

/// A port nobody has. Somebody may take it before the server does, which then says so.
fn free_port() -> Outcome<u16> {
    let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
    Ok(port.map_err(Failure::from)?.port())
}

async fn listens(server: &mut LocalServer, port: u16, mut log: std::fs::File) -> Outcome {
    let began = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = server.0.try_wait().map_err(Failure::from)?.is_some();
        if ended || began.elapsed() > START {
            let mut text = String::new();
            std::io::Seek::rewind(&mut log).ok();
            log.by_ref().take(LAST_WORDS).read_to_string(&mut text).ok();
            let why = if ended { "ended" } else { "does not listen" };
            return Err(Failure::fatal(format!("the API server of --core {why}: {}", text.trim())));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
