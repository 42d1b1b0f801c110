//! Repositories over a real sshd: keys, known hosts, and that nothing is left behind.

use std::{
    fs,
    time::{Duration, Instant},
};

use crate::support::{Source, free_port, head, repositories, repositories_with};
use git::{Cause, Options, Repository};
use object::Secret;
use source_tree::{Tree, TreePath};
use testkit::proxy::Proxy;
use testkit::sshd::{Key, Sshd};

/// A repository of this machine as the server gives it to who has the key.
pub fn repository(server: &Sshd, source: &Source) -> Repository {
    Repository {
        url: server.url(source.folder.path()),
        // Keys pasted into a form lose their last line end.
        ssh_private_key: Secret::from(server.private_key(Key::User).unwrap().trim_end()),
        known_hosts: server.known_hosts(Key::Host).unwrap(),
        ..Repository::default()
    }
}

fn keys_left() -> usize {
    let folders = fs::read_dir("/dev/shm").unwrap().flatten();
    folders.filter(|entry| entry.file_name().to_string_lossy().starts_with("argocd-ssh-")).count()
}

#[tokio::test]
async fn keys_and_hosts_are_verified_and_nothing_stays_behind() {
    let (daemon, source, cache) = (Sshd::start("").unwrap(), Source::new(), tempfile::tempdir().unwrap());
    let (repositories, _) = repositories(cache.path());
    let good = repository(&daemon, &source);
    let revision = head(&repositories, &good).await.unwrap();
    let tree = repositories.tree(&good, &revision).await.unwrap();
    assert_eq!(&tree.read(&TreePath::parse("app/a.yaml").unwrap()).unwrap()[..], b"a: 1\n");

    for (known_hosts, expected) in [
        (String::new(), "failed to list refs: ssh: handshake failed: knownhosts: key is unknown"),
        (
            daemon.known_hosts(Key::OtherHost).unwrap(),
            "failed to list refs: ssh: handshake failed: knownhosts: key mismatch",
        ),
    ] {
        let repository = Repository { known_hosts, ..good.clone() };
        let error = head(&repositories, &repository).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error.cause(), Some(Cause::Untrusted(_))));
        assert!(repositories.tree(&repository, &revision).await.is_err());
        let trusting = Repository { insecure_ignore_host_key: true, ..repository };
        head(&repositories, &trusting).await.unwrap();
    }

    let key = daemon.private_key(Key::Stranger).unwrap();
    let stranger = Repository { ssh_private_key: Secret::from(key.clone()), ..good.clone() };
    let error = head(&repositories, &stranger).await.unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::AuthenticationRequired(_))), "{error}");
    let secret = key.lines().nth(2).unwrap();
    assert!(!format!("{error} {error:?} {stranger:?}").contains(secret));
    assert!(repositories.tree(&stranger, &revision).await.is_err(), "who is not let in reads no mirror");

    let missing = Repository { url: format!("{}-none", good.url), ..good.clone() };
    let error = head(&repositories, &missing).await.unwrap_err();
    assert!(error.to_string().starts_with("failed to list refs: repository not found"), "{error}");
    let dead =
        Repository { url: good.url.replace(&daemon.port.to_string(), &free_port().to_string()), ..good };
    let error = head(&repositories, &dead).await.unwrap_err();
    assert!(error.retryable(), "{error}");

    // Who never answers is given up, and so is the program that waits for them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let limit = Duration::from_millis(300);
    let (hasty, _) =
        repositories_with(cache.path(), Options { request_timeout: limit, ..Options::default() });
    let port = silent.local_addr().unwrap().port();
    let waiting = Repository { url: format!("ssh://ann@127.0.0.1:{port}/x"), ..dead };
    let error = head(&hasty, &waiting).await.unwrap_err();
    assert_eq!(error.cause(), Some(&Cause::DeadlineExceeded(limit)));
    let deadline = Instant::now() + Duration::from_secs(10);
    while keys_left() > 0 {
        assert!(Instant::now() < deadline, "a key file stays behind");
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_key_opens_what_the_repository_leads_to_on_its_host() {
    let (daemon, source, base) = (Sshd::start("").unwrap(), Source::new(), Source::new());
    base.commit(&[("base.yaml", "base: 1\n")], "a base");
    let cache = tempfile::tempdir().unwrap();
    let (repositories, _) = repositories(cache.path());
    let own = repository(&daemon, &source);
    let there = own.leading_to(&repository(&daemon, &base).url, |_| String::new()).unwrap();
    let revision = head(&repositories, &there).await.unwrap();
    let tree = repositories.tree(&there, &revision).await.unwrap();
    assert_eq!(&tree.read(&TreePath::parse("base.yaml").unwrap()).unwrap()[..], b"base: 1\n");
}

#[tokio::test]
async fn a_socks_proxy_leads_to_the_remote() {
    let (daemon, source, cache) = (Sshd::start("").unwrap(), Source::new(), tempfile::tempdir().unwrap());
    let (repositories, _) = repositories(cache.path());
    let direct = repository(&daemon, &source);
    let proxy = Proxy::serve(Some(("ann", "open-sesame"))).unwrap();
    // A name that only the proxy knows.
    let through = Repository {
        url: direct.url.replace("127.0.0.1", "git.example"),
        known_hosts: direct.known_hosts.replace("127.0.0.1", "git.example"),
        proxy: Secret::from(proxy.url("socks5")),
        ..direct.clone()
    };
    let revision = head(&repositories, &through).await.unwrap();
    let tree = repositories.tree(&through, &revision).await.unwrap();
    assert_eq!(&tree.read(&TreePath::parse("app/a.yaml").unwrap()).unwrap()[..], b"a: 1\n");
    let led = proxy.led();
    assert!(
        !led.is_empty() && led.iter().all(|to| *to == format!("SOCKS git.example:{}", daemon.port)),
        "{led:?}"
    );

    let unknown = Repository { known_hosts: daemon.known_hosts(Key::Host).unwrap(), ..through.clone() };
    let error = head(&repositories, &unknown).await.unwrap_err();
    assert!(matches!(error.cause(), Some(Cause::Untrusted(_))), "{error}");
    let stranger = proxy.url("socks5").replace("open-sesame", "wrong-word");
    let refused = Repository { proxy: Secret::from(stranger), ..through.clone() };
    let error = head(&repositories, &refused).await.unwrap_err();
    assert!(error.to_string().ends_with("user and password are refused") && error.retryable(), "{error}");
    assert!(!error.to_string().contains("wrong-word"), "{error}");
    let http = Repository { proxy: Secret::from(proxy.url("http")), ..through };
    let error = head(&repositories, &http).await.unwrap_err();
    assert!(
        error.to_string().contains("unsafe proxy URL rejected: invalid proxy scheme \"http\""),
        "{error}"
    );
    assert!(!error.to_string().contains("open-sesame"), "{error}");
}
