//! Repositories and the server that serves them, seen by the real git.

use std::path::Path;
use std::process::{Command, Output};

use testkit::git_http::{GitHttp, Options};
use testkit::git_repo::GitRepo;

const FILES: &[(&str, &str)] = &[("app/a.yaml", "a: 1\n"), ("README.md", "hello\n")];

#[expect(clippy::unwrap_used, reason = "a test without git is a failed test")]
fn git(folder: &Path, arguments: &[&str]) -> Output {
    Command::new("git")
        .args(arguments)
        .current_dir(folder)
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_SSL_CAINFO") // wins over any setting
        .output()
        .unwrap()
}

#[test]
fn the_same_files_give_the_same_commits() {
    let mut one = GitRepo::from_files("apps", FILES).unwrap();
    let mut other = GitRepo::from_files("elsewhere", FILES).unwrap();
    assert_eq!(one.head().unwrap(), "f6cc56ce248ea03bcc3eb32e190f23682cbdd397");
    let changed = one.change("app/a.yaml", "a: 2\n").unwrap();
    assert_eq!(changed, other.change("app/a.yaml", "a: 2\n").unwrap());
    assert_ne!(changed, other.change("app/a.yaml", "a: 3\n").unwrap());
}

#[test]
fn branches_and_tags_reach_the_bare_repository() {
    let mut repo = GitRepo::from_files("apps", FILES).unwrap();
    repo.tag("v1.0", Some("one")).unwrap();
    repo.branch("feature").unwrap();
    let id = repo.change("b", "b").unwrap();
    let listed = git(repo.work_path().as_path(), &["ls-remote", &repo.url()]);
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains(&format!("{id}\trefs/heads/feature")), "{listed}");
    assert!(listed.contains("refs/tags/v1.0^{}"), "{listed}");
}

#[test]
fn a_folder_becomes_a_repository() {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let repo = GitRepo::from_folder("src", &from).unwrap();
    let listed = repo.git(&["ls-tree", "-r", "--name-only", "HEAD"]).unwrap();
    assert!(listed.contains("lib.rs\n") && listed.contains("bin/control-plane.rs"), "{listed}");
}

#[test]
fn http_serves_clones_and_refuses_pushes() {
    let repo = GitRepo::from_files("apps", FILES).unwrap();
    let server = GitHttp::serve(&repo.root(), &Options::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let cloned = git(folder.path(), &["clone", "-q", &server.url("apps.git"), "copy"]);
    assert!(cloned.status.success(), "{cloned:?}");
    assert_eq!(std::fs::read_to_string(folder.path().join("copy/app/a.yaml")).unwrap(), "a: 1\n");
    assert_eq!(server.requests()[0], "GET /apps.git/info/refs?service=git-upload-pack");
    let pushed = git(&folder.path().join("copy"), &["push", "origin", "HEAD:refs/heads/new"]);
    assert!(!pushed.status.success(), "{pushed:?}");
    server.set_failing(true);
    let listed = git(folder.path(), &["ls-remote", &server.url("apps.git")]);
    assert!(String::from_utf8_lossy(&listed.stderr).contains("503"), "{listed:?}");
}

#[test]
fn https_asks_for_the_password_and_shows_its_certificate() {
    let repo = GitRepo::from_files("apps", FILES).unwrap();
    let options = Options { basic_auth: Some(("bob".into(), "secret".into())), tls: true };
    let server = GitHttp::serve(&repo.root(), &options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("ca.pem");
    std::fs::write(&authority, server.certificate_authority().unwrap()).unwrap();
    let trusting = format!("http.sslCAInfo={}", authority.display());
    let url = server.url("apps.git");
    let clone = |url: &str, arguments: &[&str]| {
        let line: Vec<&str> = arguments.iter().copied().chain(["clone", "-q", url, "copy"]).collect();
        git(folder.path(), &line)
    };
    let untrusted = clone(&url, &[]);
    assert!(String::from_utf8_lossy(&untrusted.stderr).contains("certificate"), "{untrusted:?}");
    let unknown = clone(&url, &["-c", &trusting]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("could not read Username"), "{unknown:?}");
    let wrong = clone(&url.replace("https://", "https://bob:wrong@"), &["-c", &trusting]);
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("Authentication failed"), "{wrong:?}");
    let known = url.replace("https://", "https://bob:secret@");
    let cloned = clone(&known, &["-c", &trusting]);
    assert!(cloned.status.success(), "{cloned:?}");
    let copy = folder.path().join("copy");
    // A body of more than a megabyte is sent in chunks.
    std::fs::write(copy.join("big"), noise(3 << 20)).unwrap();
    git(&copy, &["add", "-A"]);
    git(&copy, &["-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "big"]);
    let pushed = git(&copy, &["-c", &trusting, "push", "-q", &known, "HEAD:refs/heads/new"]);
    assert!(pushed.status.success(), "{pushed:?}");
    let listed = git(folder.path(), &["ls-remote", &repo.url()]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains("refs/heads/new"), "{listed:?}");
}

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes
}
