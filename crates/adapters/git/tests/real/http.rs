//! Repositories behind `git http-backend`: credentials, trust, redirects, and that no message tells a secret.

use std::time::Duration;

use crate::support::{
    Gate, Server, Source, client_certificate, free_port, head, repositories, repositories_with, run,
};
use git::{Cause, Freshness, GitError, Options, Repositories, Repository};
use object::Secret;
use source_tree::{Tree, TreePath};
use testkit::proxy::Proxy;

const CANARY: &str = "canary-7Fq2/x+y=";

struct Site {
    root: tempfile::TempDir,
    cache: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let (source, root) = (Source::new(), tempfile::tempdir().unwrap());
        let bare = root.path().join("apps.git");
        run(
            root.path(),
            &["clone", "-q", "--bare", source.folder.path().to_str().unwrap(), bare.to_str().unwrap()],
        );
        Self { root, cache: tempfile::tempdir().unwrap() }
    }

    fn serve(&self, gate: Gate, tls: bool) -> Server {
        Server::start(self.root.path(), gate, tls)
    }

    fn repositories(&self) -> Repositories {
        repositories(self.cache.path()).0
    }
}

fn basic() -> Gate {
    Gate { basic: Some(("ann".to_owned(), CANARY.to_owned())), ..Gate::default() }
}

fn with_password(url: String, password: &str) -> Repository {
    Repository { url, username: "ann".to_owned(), password: Secret::from(password), ..Repository::default() }
}

async fn reads(repositories: &Repositories, repository: &Repository) -> Result<(), GitError> {
    let revision = head(repositories, repository).await?;
    let tree = repositories.tree(repository, &revision).await?;
    let content = tree.read(&TreePath::parse("app/a.yaml").unwrap()).unwrap();
    assert_eq!(&content[..], b"a: 1\n");
    Ok(())
}

fn assert_no_secret(error: &GitError) {
    let texts = [error.to_string(), format!("{error:?}"), format!("{:?}", error.cause())];
    for text in texts {
        assert!(!text.contains("canary") && !text.contains("7Fq2"), "{text}");
    }
}

#[tokio::test]
async fn open_repositories_and_what_is_not_there() {
    let site = Site::new();
    let server = site.serve(Gate::default(), false);
    let repositories = site.repositories();
    let repository = Repository { url: server.url("apps.git"), ..Repository::default() };
    reads(&repositories, &repository).await.unwrap();
    let missing = Repository { url: server.url("none.git"), ..Repository::default() };
    let error = head(&repositories, &missing).await.unwrap_err();
    assert!(error.to_string().starts_with("failed to list refs: repository not found: "), "{error}");
    let port = free_port();
    let dead = Repository { url: format!("http://127.0.0.1:{port}/x.git"), ..Repository::default() };
    let error = head(&repositories, &dead).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "failed to list refs: Get \"http://127.0.0.1:{port}/x.git/info/refs?service=git-upload-pack\": \
             dial tcp 127.0.0.1:{port}: connect: connection refused"
        )
    );
    assert!(error.retryable());
}

#[tokio::test]
async fn passwords_are_asked_for_and_kept_to_themselves() {
    let site = Site::new();
    let server = site.serve(basic(), false);
    let repositories = site.repositories();
    let url = server.url("apps.git");
    let none = Repository { url: url.clone(), ..Repository::default() };
    let wrong = with_password(url.clone(), "canary-wrong-7Fq2");
    for refused in [&none, &wrong] {
        let error = head(&repositories, refused).await.unwrap_err();
        assert!(error.to_string().starts_with("failed to list refs: authentication required: "), "{error}");
        assert!(matches!(error.cause(), Some(Cause::AuthenticationRequired(_))));
        assert!(!error.retryable());
        assert_no_secret(&error);
    }
    let right = with_password(url.clone(), CANARY);
    reads(&repositories, &right).await.unwrap();
    assert!(!format!("{right:?}").contains("canary"));

    // The objects are here now. Who was not let in reads none of them, not even by the commit's id.
    let revision = head(&repositories, &right).await.unwrap();
    for refused in [&none, &wrong] {
        let pinned =
            repositories.resolve(refused, revision.commit.as_str(), Freshness::Cached).await.unwrap();
        let error = repositories.tree(refused, &pinned).await.unwrap_err();
        assert!(matches!(error.cause(), Some(Cause::AuthenticationRequired(_))), "{error}");
        assert!(repositories.metadata(refused, &pinned).await.is_err());
        assert!(repositories.fetch(refused, &pinned).await.is_err());
    }

    let encoded = "canary-7Fq2%2Fx%2By%3D";
    let inside =
        Repository { url: url.replace("://", &format!("://ann:{encoded}@")), ..Repository::default() };
    reads(&repositories, &inside).await.unwrap();
    assert!(!format!("{inside:?}").contains("canary"));
    let missing = with_password(inside.url.replace("apps", "none"), "");
    assert_no_secret(&head(&repositories, &missing).await.unwrap_err());
    for file in crate::support::files(site.cache.path()) {
        let content = String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned();
        assert!(
            !content.contains("7Fq2") && !file.display().to_string().contains("7Fq2"),
            "{}",
            file.display()
        );
    }

    let first = Repository { force_basic_auth: true, ..right };
    let before = server.seen.lock().unwrap().len();
    head(&repositories, &first).await.unwrap();
    assert!(server.seen.lock().unwrap()[before..].iter().all(|line| line.contains(" Basic ")));
}

#[tokio::test]
async fn bearer_tokens_go_out_as_a_header() {
    let site = Site::new();
    let server = site.serve(Gate { bearer: Some(CANARY.to_owned()), ..Gate::default() }, false);
    let repositories = site.repositories();
    let url = server.url("apps.git");
    let right = Repository { url: url.clone(), bearer_token: Secret::from(CANARY), ..Repository::default() };
    reads(&repositories, &right).await.unwrap();
    let wrong = Repository { url, bearer_token: Secret::from("canary-other"), ..Repository::default() };
    let error = head(&repositories, &wrong).await.unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::AuthenticationRequired(_))), "{error}");
    assert_no_secret(&error);
}

#[tokio::test]
async fn certificates_are_verified_unless_told_otherwise() {
    let site = Site::new();
    let server = site.serve(basic(), true);
    let repositories = site.repositories();
    let plain = with_password(server.url("apps.git"), CANARY);
    let error = head(&repositories, &plain).await.unwrap_err();
    assert!(error.to_string().contains("tls: failed to verify certificate: x509: "), "{error}");
    assert!(matches!(error.cause(), Some(Cause::Untrusted(_))));
    assert!(!error.retryable());
    assert_no_secret(&error);
    let trusting = Repository {
        certificate_authorities: server.tls_certificate.clone().unwrap(),
        ..with_password(server.url("apps.git"), CANARY)
    };
    reads(&repositories, &trusting).await.unwrap();
    reads(&repositories, &Repository { insecure: true, ..plain }).await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_opens_the_door() {
    let site = Site::new();
    let (certificate, key, authority) = client_certificate();
    let server = site.serve(Gate { client_authority: Some(authority), ..Gate::default() }, true);
    let repositories = site.repositories();
    let without = Repository {
        url: server.url("apps.git"),
        certificate_authorities: server.tls_certificate.clone().unwrap(),
        ..Repository::default()
    };
    let with = Repository {
        tls_client_certificate: certificate,
        tls_client_key: Secret::from(key.clone()),
        ..without.clone()
    };
    reads(&repositories, &with).await.unwrap();
    assert!(head(&repositories, &without).await.is_err());
    let (stranger, stranger_key, _) = client_certificate();
    let other =
        Repository { tls_client_certificate: stranger, tls_client_key: stranger_key.into(), ..with.clone() };
    assert!(head(&repositories, &other).await.is_err());
    let broken = Repository { tls_client_key: Secret::from("canary-7Fq2 is no key"), ..with };
    assert_no_secret(&head(&repositories, &broken).await.unwrap_err());
}

#[tokio::test]
async fn a_redirect_takes_no_credentials_to_another_host() {
    let site = Site::new();
    let repositories = site.repositories();
    for tls in [false, true] {
        let elsewhere = site.serve(basic(), tls);
        let to = elsewhere.url("").trim_end_matches('/').to_owned();
        let server = site.serve(Gate { redirect_to: Some(to), ..Gate::default() }, tls);
        let repository = Repository { insecure: true, ..with_password(server.url("apps.git"), CANARY) };
        let error = head(&repositories, &repository).await.unwrap_err();
        assert_no_secret(&error);
        let forced = Repository { force_basic_auth: true, ..repository };
        assert!(head(&repositories, &forced).await.is_err());
        let token = Repository { bearer_token: Secret::from(CANARY), ..forced };
        assert!(head(&repositories, &token).await.is_err());
        let seen = elsewhere.seen.lock().unwrap();
        assert!(seen.iter().all(|line| !line.contains("Basic") && !line.contains("Bearer")), "{seen:?}");
        assert_eq!(seen.is_empty(), !tls, "the redirect was followed where the password waits for a refusal");
    }

    // To the same content without a door it may lead.
    let open = site.serve(Gate::default(), false);
    let lead = Gate { redirect_to: Some(format!("http://{}", open.address)), ..Gate::default() };
    let server = site.serve(lead, false);
    reads(&repositories, &Repository { url: server.url("apps.git"), ..Repository::default() }).await.unwrap();
}

#[tokio::test]
async fn a_silent_server_is_given_up_and_a_failing_one_is_asked_again() {
    let cache = tempfile::tempdir().unwrap();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let limit = Duration::from_millis(300);
    let options = Options { request_timeout: limit, ..Options::default() };
    let (repositories, _) = repositories_with(cache.path(), options);
    let url = format!("http://{}/x.git", silent.local_addr().unwrap());
    let error = head(&repositories, &Repository { url, ..Repository::default() }).await.unwrap_err();
    assert!(error.retryable(), "{error}");
    assert!(matches!(error.cause(), Some(Cause::DeadlineExceeded(_) | Cause::Unreachable(_))), "{error:?}");

    let site = Site::new();
    let server = site.serve(Gate { status: Some(503), ..Gate::default() }, false);
    let options = Options { attempts: 3, retry_delay: Duration::from_millis(1), ..Options::default() };
    let (repositories, counts) = repositories_with(site.cache.path(), options);
    let repository = Repository { url: server.url("apps.git"), ..Repository::default() };
    let error = head(&repositories, &repository).await.unwrap_err();
    assert!(error.to_string().ends_with("status 503"), "{error}");
    assert_eq!(counts.now().0, 3);
    let server = site.serve(Gate { status: Some(403), ..Gate::default() }, false);
    let repository = Repository { url: server.url("apps.git"), ..Repository::default() };
    let error = head(&repositories, &repository).await.unwrap_err();
    assert!(error.to_string().starts_with("failed to list refs: authorization failed"), "{error}");
    assert_eq!(counts.now().0, 4, "a refusal is not asked again");
}

#[tokio::test]
async fn a_proxy_leads_to_the_remote_unless_it_is_excepted() {
    let site = Site::new();
    for tls in [false, true] {
        let server = site.serve(basic(), tls);
        let port = server.address.port();
        let proxy = Proxy::serve(Some(("bob", "open-sesame"))).unwrap();
        let through = Repository {
            proxy: Secret::from(proxy.url("http")),
            certificate_authorities: server.tls_certificate.clone().unwrap_or_default(),
            ..with_password(server.url("apps.git"), CANARY)
        };
        reads(&site.repositories(), &through).await.unwrap();
        let led = proxy.led();
        let method = if tls { "CONNECT" } else { "GET" };
        assert_eq!(led.first(), Some(&format!("{method} 127.0.0.1:{port}")), "{led:?}");
        assert!(!server.seen.lock().unwrap().is_empty());

        let before = led.len();
        let excepted = Repository { no_proxy: "example.org,127.0.0.1".into(), ..through.clone() };
        reads(&site.repositories(), &excepted).await.unwrap();
        assert_eq!(proxy.led().len(), before, "the proxy is not asked for what is excepted");
        let other = Repository { no_proxy: "example.org".into(), ..through.clone() };
        head(&site.repositories(), &other).await.unwrap();
        assert!(proxy.led().len() > before);

        let stranger = proxy.url("http").replace("open-sesame", "wrong-word");
        let refused = Repository { proxy: Secret::from(stranger), ..through };
        let error = head(&site.repositories(), &refused).await.unwrap_err();
        assert_eq!(proxy.led().last().map(String::as_str), Some("refused"));
        assert!(!format!("{error} {error:?}").contains("wrong-word"), "{error}");
        assert_no_secret(&error);
    }
}
