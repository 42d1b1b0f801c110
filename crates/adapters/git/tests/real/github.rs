//! GitHub Apps, against a server that answers as GitHub does.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use git::{Cause, GitHubApp, Repositories, Repository};
use jiff::{Timestamp, ToSpan};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use object::Secret;
use serde_json::Value;

use crate::support::{Gate, Seen, Server, Source, head, repositories, run};

const APP: i64 = 7;

struct Site {
    root: tempfile::TempDir,
    private_key: String,
    public_key: DecodingKey,
    /// How many tokens were given out; the last one opens the door.
    given: Arc<AtomicUsize>,
    /// How long they are good for.
    lasts: Arc<Mutex<i64>>,
    cache: tempfile::TempDir,
}

/// An RSA key, as GitHub gives them, and what verifies its signatures.
pub fn key(folder: &Path) -> (String, DecodingKey) {
    let file = folder.join("app.pem");
    let keygen = |arguments: &[&str]| {
        let output = Command::new("ssh-keygen").args(arguments).arg("-f").arg(&file).output();
        let output = output.expect("ssh-keygen is missing: install openssh-client");
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    keygen(&["-q", "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]);
    let public = keygen(&["-e", "-m", "PEM"]);
    let body: String = public.lines().filter(|line| !line.starts_with("-----")).collect();
    (std::fs::read_to_string(&file).unwrap(), DecodingKey::from_rsa_der(&STANDARD.decode(body).unwrap()))
}

impl Site {
    fn new() -> Self {
        let (source, root) = (Source::new(), tempfile::tempdir().unwrap());
        let bare = root.path().join("acme/apps.git");
        run(
            root.path(),
            &["clone", "-q", "--bare", source.folder.path().to_str().unwrap(), bare.to_str().unwrap()],
        );
        let (private_key, public_key) = key(root.path());
        let cache = tempfile::tempdir().unwrap();
        Self {
            root,
            private_key,
            public_key,
            given: Arc::default(),
            lasts: Arc::new(Mutex::new(3600)),
            cache,
        }
    }

    fn serve(&self) -> Server {
        let (key, given, lasts) = (self.public_key.clone(), self.given.clone(), self.lasts.clone());
        let route = move |seen: &Seen| {
            let authorization = seen.headers.get("authorization").cloned().unwrap_or_default();
            if !seen.target.starts_with("/api/v3/") {
                let pair = STANDARD.encode(format!("x-access-token:token-{}", given.load(Ordering::SeqCst)));
                let refused = authorization != format!("Basic {pair}");
                return refused.then(|| (401, Vec::new()));
            }
            let word = authorization.strip_prefix("Bearer ").unwrap_or_default();
            let claims = decode::<Value>(word, &key, &Validation::new(Algorithm::RS256));
            let Ok(claims) = claims.map(|token| token.claims) else { return Some((401, b"{}".to_vec())) };
            assert_eq!(claims["iss"], APP.to_string());
            let (from, to) = (claims["iat"].as_i64().unwrap(), claims["exp"].as_i64().unwrap());
            assert!(
                from <= Timestamp::now().as_second() && to - from <= 600,
                "GitHub takes ten minutes at most"
            );
            Some(match (seen.method.as_str(), seen.target.as_str()) {
                ("POST", "/api/v3/app/installations/42/access_tokens") => {
                    let number = given.fetch_add(1, Ordering::SeqCst) + 1;
                    let end = Timestamp::now() + lasts.lock().unwrap().seconds();
                    (201, format!(r#"{{"token":"token-{number}","expires_at":"{end}"}}"#).into_bytes())
                }
                ("GET", "/api/v3/app/installations?per_page=100&page=1") => {
                    (200, br#"[{"id":41,"account":{"login":"other"}}]"#.to_vec())
                }
                ("GET", "/api/v3/app/installations?per_page=100&page=2") => {
                    (200, br#"[{"id":42,"account":{"login":"Acme"}}]"#.to_vec())
                }
                ("GET", _) => (200, b"[]".to_vec()),
                _ => (404, b"{}".to_vec()),
            })
        };
        Server::start(self.root.path(), Gate { route: Some(Arc::new(route)), ..Gate::default() }, false)
    }

    fn repository(&self, server: &Server, installation: i64) -> Repository {
        Repository {
            url: server.url("acme/apps.git"),
            github_app: GitHubApp {
                id: APP,
                installation,
                private_key: Secret::from(self.private_key.clone()),
                base_url: server.url("api/v3/"),
            },
            ..Repository::default()
        }
    }

    fn repositories(&self) -> Repositories {
        repositories(self.cache.path()).0
    }

    fn given(&self) -> usize {
        self.given.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_token_is_asked_for_and_kept_until_shortly_before_its_end() {
    let site = Site::new();
    let (server, repositories) = (site.serve(), site.repositories());
    let repository = site.repository(&server, 42);
    for _ in 0..3 {
        let revision = head(&repositories, &repository).await.unwrap();
        repositories.tree(&repository, &revision).await.unwrap();
    }
    assert_eq!(site.given(), 1);
    // One that is taken back is refused once.
    site.given.store(10, Ordering::SeqCst);
    let error = head(&repositories, &repository).await.unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::AuthenticationRequired(_))), "{error}");
    head(&repositories, &repository).await.unwrap();
    assert_eq!(site.given(), 11);

    // One that ends soon is not kept.
    *site.lasts.lock().unwrap() = 30;
    let other = site.repositories();
    head(&other, &repository).await.unwrap();
    head(&other, &repository).await.unwrap();
    assert_eq!(site.given(), 13);
}

#[tokio::test]
async fn the_installation_is_found_by_the_owner() {
    let site = Site::new();
    let (server, repositories) = (site.serve(), site.repositories());
    head(&repositories, &site.repository(&server, 0)).await.unwrap();
    let stranger = Repository { url: server.url("stranger/apps.git"), ..site.repository(&server, 0) };
    let error = head(&repositories, &stranger).await.unwrap_err();
    assert!(error.to_string().contains("it is not installed for \"stranger\""), "{error}");
}

#[tokio::test]
async fn what_github_refuses_is_told_without_the_key() {
    let site = Site::new();
    let (server, repositories) = (site.serve(), site.repositories());
    let unknown = site.repository(&server, 43);
    let error = head(&repositories, &unknown).await.unwrap_err();
    assert!(error.to_string().contains("/api/v3/app/installations/43/access_tokens: status 404"), "{error}");
    assert!(!error.retryable());
    let folder = tempfile::tempdir().unwrap();
    let mut other = site.repository(&server, 42);
    other.github_app.private_key = Secret::from(key(folder.path()).0);
    let error = head(&repositories, &other).await.unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::AuthenticationRequired(_))), "{error}");
    let mut broken = site.repository(&server, 42);
    broken.github_app.private_key = Secret::from("-----BEGIN canary-7Fq2");
    let error = head(&repositories, &broken).await.unwrap_err();
    assert!(error.to_string().contains("its private key cannot be read"), "{error}");
    assert!(!format!("{error} {error:?} {broken:?}").contains("canary"));
    assert_eq!(site.given(), 0);
}
