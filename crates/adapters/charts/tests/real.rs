//! Chart repositories served from real files: what is fetched, who is let in, and what reaches whom.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use archive::Packer;
use charts::{ChartError, Freshness, Options, Place, Repositories, Repository};
use download::Access;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use testkit::git_http::{self, GitHttp};
use testkit::proxy::Proxy;

fn chart(version: &str) -> Vec<u8> {
    let mut packer = Packer::new(Vec::new());
    let metadata = format!("apiVersion: v2\nname: db\nversion: {version}\n");
    packer.file("db/Chart.yaml", metadata.as_bytes(), false).unwrap();
    packer.finish().unwrap()
}

/// A repository of charts `db` that are said to lie below `base`.
fn folder(base: &str, versions: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), base, versions);
    folder
}

fn write(folder: &Path, base: &str, versions: &[&str]) {
    let mut index = "apiVersion: v1\nentries:\n  db:\n".to_owned();
    for version in versions {
        fs::write(folder.join(format!("db-{version}.tgz")), chart(version)).unwrap();
        index.push_str(&format!("  - version: {version}\n    urls: ['{base}db-{version}.tgz']\n"));
    }
    fs::write(folder.join("index.yaml"), index).unwrap();
}

fn repository(server: &GitHttp, access: Access) -> Repository {
    Repository { url: server.url(""), access }
}

fn user() -> Access {
    Access { username: "user".into(), password: "open-sesame".to_owned().into(), ..Access::default() }
}

fn locked() -> git_http::Options {
    git_http::Options { basic_auth: Some(("user".into(), "open-sesame".into())), tls: false }
}

async fn fetched(
    repositories: &Repositories,
    repository: &Repository,
    version: &str,
) -> Result<Vec<u8>, ChartError> {
    match repositories.chart(repository, "db", version, false, Freshness::Cached).await? {
        Place::Chart(packed) => Ok(packed.to_vec()),
        Place::Registry(address) => panic!("{address}"),
    }
}

#[tokio::test]
async fn charts_are_resolved_and_fetched_once() {
    let folder = folder("", &["1.0.0", "1.2.0", "2.0.0"]);
    let server = GitHttp::serve_files(folder.path(), &git_http::Options::default()).unwrap();
    let repository = repository(&server, Access::default());
    let repositories = Repositories::new(Options::default());
    let resolved = repositories.resolve(&repository, "db", "1.x", Freshness::Cached).await.unwrap();
    assert_eq!(resolved, "1.2.0");
    for _ in 0..3 {
        assert_eq!(fetched(&repositories, &repository, &resolved).await.unwrap(), chart("1.2.0"));
    }
    assert_eq!(server.requests(), ["GET /index.yaml", "GET /db-1.2.0.tgz"]);
    // What came since is found when it is asked for by name, and by constraint when asked anew.
    write(folder.path(), "", &["1.0.0", "1.2.0", "1.3.0", "2.0.0"]);
    assert_eq!(fetched(&repositories, &repository, "1.3.0").await.unwrap(), chart("1.3.0"));
    let anew = repositories.resolve(&repository, "db", "1.x", Freshness::Now).await.unwrap();
    assert_eq!(anew, "1.3.0");
    let missing = fetched(&repositories, &repository, "9.9.9").await.unwrap_err();
    let shown = server.url("");
    let shown = shown.trim_end_matches('/');
    assert_eq!(
        missing.to_string(),
        format!("chart \"db\" version \"9.9.9\" not found in {shown} repository")
    );
}

#[tokio::test]
async fn credentials_open_the_door_and_nobody_else_comes_in_behind() {
    let folder = folder("", &["1.0.0"]);
    let server = GitHttp::serve_files(folder.path(), &locked()).unwrap();
    let repositories = Repositories::new(Options::default());
    let mine = repository(&server, user());
    assert_eq!(fetched(&repositories, &mine, "1.0.0").await.unwrap(), chart("1.0.0"));
    for other in [Access::default(), Access { password: "wrong-password".to_owned().into(), ..user() }] {
        let theirs = repository(&server, other);
        let refused = fetched(&repositories, &theirs, "1.0.0").await.unwrap_err();
        assert_eq!(refused.to_string(), "error loading repo index: failed to get index: 401 Unauthorized");
        let refused = repositories.resolve(&theirs, "db", "1.0.0", Freshness::Cached).await.unwrap_err();
        assert!(!refused.to_string().contains("password"), "{refused}");
    }
    // In an address they count, too, and are not shown.
    let url = server.url("").replace("http://", "http://user:open-sesame@");
    let named = Repository { url, access: Access::default() };
    assert_eq!(fetched(&repositories, &named, "1.0.0").await.unwrap(), chart("1.0.0"));
    let shown = fetched(&repositories, &named, "7.0.0").await.unwrap_err().to_string();
    assert!(!shown.contains("sesame") && !format!("{named:?}").contains("sesame"), "{shown}");
    // A version that is written out needs no more once these credentials were let in.
    server.set_failing(true);
    let known = repositories.resolve(&mine, "db", "1.0.0", Freshness::Cached).await;
    assert_eq!(known.unwrap(), "1.0.0");
}

#[tokio::test]
async fn credentials_go_to_their_own_host_unless_one_says_so() {
    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("db-1.0.0.tgz"), chart("1.0.0")).unwrap();
    fs::write(elsewhere.path().join("db-2.0.0.tgz"), chart("2.0.0")).unwrap();
    let other = GitHttp::serve_files(elsewhere.path(), &git_http::Options::default()).unwrap();
    let folder = folder(&other.url(""), &["1.0.0"]);
    let server = GitHttp::serve_files(folder.path(), &locked()).unwrap();
    let repositories = Repositories::new(Options::default());
    let mine = repository(&server, user());
    assert_eq!(fetched(&repositories, &mine, "1.0.0").await.unwrap(), chart("1.0.0"));
    assert_eq!(other.requests().len(), 1);
    assert_eq!(other.authorized(), Vec::<String>::new());
    let passed = Repositories::new(Options::default());
    passed.chart(&mine, "db", "1.0.0", true, Freshness::Cached).await.unwrap();
    assert_eq!(other.authorized(), ["GET /db-1.0.0.tgz"]);
    // A redirect takes nothing along.
    write(folder.path(), "", &["2.0.0"]);
    fs::remove_file(folder.path().join("db-2.0.0.tgz")).unwrap();
    fs::write(folder.path().join("db-2.0.0.tgz.redirect"), other.url("db-2.0.0.tgz")).unwrap();
    assert_eq!(fetched(&repositories, &mine, "2.0.0").await.unwrap(), chart("2.0.0"));
    assert_eq!(other.authorized(), ["GET /db-1.0.0.tgz"]);
    // Nor does one lead to where clouds keep their secrets.
    fs::write(folder.path().join("db-2.0.0.tgz.redirect"), "http://169.254.169.254/latest").unwrap();
    let anew = repositories.chart(&mine, "db", "2.0.0", false, Freshness::Now).await.unwrap_err();
    assert!(anew.to_string().contains("link-local"), "{anew}");
}

#[tokio::test]
async fn certificates_are_verified() {
    let folder = folder("", &["1.0.0"]);
    let options = git_http::Options { basic_auth: None, tls: true };
    let server = GitHttp::serve_files(folder.path(), &options).unwrap();
    let repositories = Repositories::new(Options::default());
    let of = |access: Access| repository(&server, access);
    let unknown = fetched(&repositories, &of(Access::default()), "1.0.0").await.unwrap_err();
    assert!(unknown.to_string().contains("certificate"), "{unknown}");
    let trusting = Access {
        certificate_authorities: server.certificate_authority().unwrap().to_owned(),
        ..Access::default()
    };
    assert_eq!(fetched(&repositories, &of(trusting), "1.0.0").await.unwrap(), chart("1.0.0"));
    let careless = Access { insecure: true, ..Access::default() };
    assert_eq!(fetched(&repositories, &of(careless), "1.0.0").await.unwrap(), chart("1.0.0"));
    let broken = Access { certificate_authorities: "no certificate".into(), ..Access::default() };
    assert!(fetched(&repositories, &of(broken), "1.0.0").await.is_err());
}

#[tokio::test]
async fn what_is_too_large_is_not_taken() {
    let folder = folder("", &["1.0.0"]);
    let server = GitHttp::serve_files(folder.path(), &git_http::Options::default()).unwrap();
    let repository = repository(&server, Access::default());
    let small = Repositories::new(Options { index_bytes: 20, ..Options::default() });
    let refused = small.index(&repository, Freshness::Cached).await.unwrap_err();
    assert!(refused.to_string().contains("larger than the limit of 20 bytes"), "{refused}");
    let small = Repositories::new(Options { chart_bytes: 20, ..Options::default() });
    let refused = fetched(&small, &repository, "1.0.0").await.unwrap_err();
    assert!(refused.to_string().ends_with("larger than the limit of 20 bytes"), "{refused}");
}

#[tokio::test]
async fn addresses_that_are_none_are_told() {
    let repositories = Repositories::new(Options::default());
    for (url, told) in [
        ("ftp://charts.example", "its scheme is neither http nor https"),
        ("charts.example", "relative URL without a base"),
        ("http://169.254.169.254/", "link-local"),
    ] {
        let repository = Repository { url: url.into(), access: Access::default() };
        let error = repositories.index(&repository, Freshness::Cached).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.yaml"), "entries:\n  db:\n  - {version: 1.0.0, urls: ['oci://registry.example/db:1.0.0']}\n  - {version: 2.0.0, urls: ['file:///etc/passwd']}\n").unwrap();
    let server = GitHttp::serve_files(folder.path(), &git_http::Options::default()).unwrap();
    let repository = repository(&server, Access::default());
    let place = repositories.chart(&repository, "db", "1.0.0", false, Freshness::Cached).await.unwrap();
    assert_eq!(place, Place::Registry("oci://registry.example/db:1.0.0".into()));
    let refused = repositories.chart(&repository, "db", "2.0.0", false, Freshness::Cached).await.unwrap_err();
    assert!(refused.to_string().ends_with("charts are not fetched by file"), "{refused}");
}

#[tokio::test]
async fn a_proxy_leads_to_charts_unless_they_are_excepted() {
    let folder = folder("", &["1.0.0"]);
    for tls in [false, true] {
        let server = GitHttp::serve_files(folder.path(), &git_http::Options { tls, ..locked() }).unwrap();
        let authority = server.certificate_authority().unwrap_or_default().to_owned();
        let proxy = Proxy::serve(Some(("bob", "way-out"))).unwrap();
        let access = Access { proxy: proxy.url("http").into(), certificate_authorities: authority, ..user() };
        let through = repository(&server, access.clone());
        fetched(&Repositories::new(Options::default()), &through, "1.0.0").await.unwrap();
        let method = if tls { "CONNECT" } else { "GET" };
        let led = proxy.led();
        assert_eq!(led.first(), Some(&format!("{method} 127.0.0.1:{}", server.port)), "{led:?}");
        let excepted = repository(&server, Access { no_proxy: "127.0.0.1".into(), ..access.clone() });
        fetched(&Repositories::new(Options::default()), &excepted, "1.0.0").await.unwrap();
        assert_eq!(proxy.led(), led);
        let stranger = proxy.url("http").replace("way-out", "wrong-word");
        let refused = repository(&server, Access { proxy: stranger.into(), ..access });
        let error = fetched(&Repositories::new(Options::default()), &refused, "1.0.0").await.unwrap_err();
        assert_eq!(proxy.led().last().map(String::as_str), Some("refused"));
        assert!(!error.to_string().contains("wrong-word"), "{error}");
    }
}
