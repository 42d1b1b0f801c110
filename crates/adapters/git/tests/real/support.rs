//! Real parts: repositories made with the git program, and an HTTP server in front of `git http-backend`.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::Engine as _;
use git::{Freshness, GitError, Observer, Options, Repositories, Repository, RequestKind, ResolvedRevision};

pub struct Source {
    pub folder: tempfile::TempDir,
}

pub fn run(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "Ann Author")
        .env("GIT_AUTHOR_EMAIL", "ann@example.org")
        .env("GIT_AUTHOR_DATE", "2024-05-06T07:08:09+02:00")
        .env("GIT_COMMITTER_NAME", "Carl")
        .env("GIT_COMMITTER_EMAIL", "carl@example.org")
        .output()
        .expect("the git program is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl Source {
    /// A repository with one commit on `main` that holds `app/a.yaml`.
    pub fn new() -> Self {
        let source = Self { folder: tempfile::tempdir().unwrap() };
        source.git(&["init", "-q", "-b", "main"]);
        source.commit(&[("app/a.yaml", "a: 1\n")], "first");
        source
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        run(self.folder.path(), arguments)
    }

    pub fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (name, content) in files {
            let path = self.folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn url(&self) -> String {
        format!("file://{}", self.folder.path().display())
    }

    pub fn repository(&self) -> Repository {
        Repository { url: self.url(), ..Repository::default() }
    }
}

#[derive(Default)]
pub struct Counts {
    pub listings: AtomicUsize,
    pub fetches: AtomicUsize,
}

impl Counts {
    pub fn now(&self) -> (usize, usize) {
        (self.listings.load(Ordering::SeqCst), self.fetches.load(Ordering::SeqCst))
    }
}

pub fn repositories(cache: &Path) -> (Repositories, Arc<Counts>) {
    repositories_with(cache, Options::default())
}

pub fn repositories_with(cache: &Path, mut options: Options) -> (Repositories, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let seen = counts.clone();
    let observer: Observer = Arc::new(move |report| {
        let counter = match report.kind {
            RequestKind::LsRemote => &seen.listings,
            RequestKind::Fetch => &seen.fetches,
        };
        counter.fetch_add(1, Ordering::SeqCst);
    });
    options.observer = Some(observer);
    let repositories = Repositories::new(cache, options).unwrap();
    (repositories, counts)
}

pub async fn head(
    repositories: &Repositories,
    repository: &Repository,
) -> Result<ResolvedRevision, GitError> {
    repositories.resolve(repository, "HEAD", Freshness::Now).await
}

/// A request as a route sees it.
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

/// Answers a request in the place of git: a status and a body.
pub type Route = Arc<dyn Fn(&Seen) -> Option<(u16, Vec<u8>)> + Send + Sync>;

/// What the server wants of a request before it answers.
#[derive(Clone, Default)]
pub struct Gate {
    /// Asked before anything else.
    pub route: Option<Route>,
    /// Over TLS, clients need a certificate of this authority, PEM.
    pub client_authority: Option<String>,
    pub basic: Option<(String, String)>,
    pub bearer: Option<String>,
    pub redirect_to: Option<String>,
    pub status: Option<u16>,
}

pub struct Server {
    pub address: SocketAddr,
    pub tls_certificate: Option<String>,
    pub seen: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn url(&self, name: &str) -> String {
        let scheme = if self.tls_certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://{}/{name}", self.address)
    }

    pub fn start(root: &Path, gate: Gate, tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (config, tls_certificate) = if tls {
            let (config, pem) = tls_config(gate.client_authority.as_deref());
            (Some(config), Some(pem))
        } else {
            (None, None)
        };
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (root.to_owned(), seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, gate, config, log) = (root.clone(), gate.clone(), config.clone(), log.clone());
                std::thread::spawn(move || match config {
                    None => serve(stream, &root, &gate, &log),
                    Some(config) => {
                        let connection = rustls::ServerConnection::new(config).unwrap();
                        serve(rustls::StreamOwned::new(connection, stream), &root, &gate, &log);
                    }
                });
            }
        });
        Self { address, tls_certificate, seen }
    }
}

/// A certificate for clients with its key, and the authority it is of.
pub fn client_certificate() -> (String, String, String) {
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let authority_pem = authority.self_signed(&authority_key).unwrap().pem();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let leaf = rcgen::CertificateParams::new(vec!["client".to_owned()]).unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    (leaf.signed_by(&key, &issuer).unwrap().pem(), key.serialize_pem(), authority_pem)
}

fn tls_config(client_authority: Option<&str>) -> (Arc<rustls::ServerConfig>, String) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let builder = rustls::ServerConfig::builder();
    let builder = match client_authority {
        None => builder.with_no_client_auth(),
        Some(pem) => {
            use rustls::pki_types::{CertificateDer, pem::PemObject};
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
            let verifier = rustls::server::WebPkiClientVerifier::builder(Arc::new(roots)).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let config = builder.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    (Arc::new(config), made.cert.pem())
}

fn serve(stream: impl Read + Write, root: &Path, gate: &Gate, log: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    if stream.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or("").to_owned(), words.next().unwrap_or("").to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        if stream.read_line(&mut header).unwrap_or(0) == 0 || header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let body = body(&mut stream, &headers);
    let given = headers.get("authorization").cloned().unwrap_or_default();
    log.lock().unwrap().push(format!("{method} {target} {given}"));
    let seen = Seen { method, target, headers, body };
    let routed = gate.route.as_ref().and_then(|route| route(&seen)).map(|(status, body)| {
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.into_bytes(), body].concat()
    });
    let Seen { method, target, headers, body } = seen;
    let answer = routed
        .or_else(|| refusal(gate, &given, &target))
        .unwrap_or_else(|| backend(root, &method, &target, &headers, &body));
    let stream = stream.get_mut();
    stream.write_all(&answer).ok();
    stream.flush().ok();
}

fn body(stream: &mut impl BufRead, headers: &HashMap<String, String>) -> Vec<u8> {
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length").and_then(|length| length.parse().ok()) {
        stream.take(length).read_to_end(&mut body).ok();
    } else if headers.get("transfer-encoding").is_some_and(|encoding| encoding == "chunked") {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).ok();
            let size = u64::from_str_radix(size.trim(), 16).unwrap_or(0);
            stream.take(size).read_to_end(&mut body).ok();
            stream.read_line(&mut String::new()).ok();
            if size == 0 {
                break;
            }
        }
    }
    body
}

fn refusal(gate: &Gate, given: &str, target: &str) -> Option<Vec<u8>> {
    let simple = |status: &str, header: &str| {
        format!("HTTP/1.1 {status}\r\n{header}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    };
    if let Some(status) = gate.status {
        return Some(simple(&format!("{status} No"), ""));
    }
    if let Some(to) = &gate.redirect_to {
        return Some(simple("302 Found", &format!("Location: {to}{target}\r\n")));
    }
    let basic = gate.basic.as_ref().map(|(user, password)| {
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        format!("Basic {pair}")
    });
    let wanted = basic.or_else(|| gate.bearer.as_ref().map(|token| format!("Bearer {token}")))?;
    (given != wanted).then(|| simple("401 Unauthorized", "WWW-Authenticate: Basic realm=\"git\"\r\n"))
}

fn backend(
    root: &Path,
    method: &str,
    target: &str,
    headers: &HashMap<String, String>,
    body: &[u8],
) -> Vec<u8> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name: &str| headers.get(name).cloned().unwrap_or_default();
    let mut child = Command::new("git")
        .arg("http-backend")
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap())
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", method)
        .env("CONTENT_TYPE", header("content-type"))
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git http-backend is installed");
    let mut input = child.stdin.take().unwrap();
    let body = body.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&body).ok());
    let output = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    let split = output.windows(4).position(|window| window == b"\r\n\r\n").map_or(output.len(), |at| at + 4);
    let (head, content) = output.split_at(split);
    let head = String::from_utf8_lossy(head).trim_end().to_owned();
    let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK").to_owned();
    let others: Vec<&str> = head.lines().filter(|line| !line.starts_with("Status: ")).collect();
    let mut answer =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", content.len());
    for line in others {
        answer.push_str(line);
        answer.push_str("\r\n");
    }
    answer.push_str("\r\n");
    let mut answer = answer.into_bytes();
    answer.extend_from_slice(content);
    answer
}

/// A port nothing listens on.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// All files under a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| if entry.path().is_dir() { files(&entry.path()) } else { vec![entry.path()] })
        .collect()
}
