//! Content kept in Git LFS: found by the batch API over HTTPS and by `git-lfs-authenticate` over ssh, verified, kept.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use base64::Engine as _;
use git::Repository;
use object::Secret;
use sha2::{Digest, Sha256};
use source_tree::{Tree, TreePath};
use testkit::sshd::Sshd;

use crate::ssh;
use crate::support::{Gate, Server, Source, files, head, repositories, run};

const CONTENT: &str = "kept: elsewhere\n";

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn oid(content: &str) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn pointer(content: &str) -> String {
    format!(
        "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n",
        oid(content),
        content.len()
    )
}

/// Answers as an LFS server does; `stored` is what it gives out for any object.
fn lfs_server(root: &Path, stored: &Arc<Mutex<String>>, asked: &Arc<AtomicUsize>) -> Server {
    let pair = base64::engine::general_purpose::STANDARD.encode("ann:secret-word");
    let (stored, asked, origin) = (stored.clone(), asked.clone(), Arc::new(Mutex::new(String::new())));
    let address = origin.clone();
    let route = move |seen: &crate::support::Seen| {
        let given = seen.headers.get("authorization").map_or("", String::as_str);
        match (seen.method.as_str(), seen.target.as_str()) {
            ("POST", "/apps.git/info/lfs/objects/batch") => {
                asked.fetch_add(1, Ordering::SeqCst);
                if given != format!("Basic {pair}") && given != "RemoteAuth from-ssh" {
                    return Some((401, Vec::new()));
                }
                let body = String::from_utf8(seen.body.clone()).unwrap();
                assert!(body.contains(r#""operation":"download""#), "{body}");
                let oid = body.split("\"oid\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
                let origin = origin.lock().unwrap().clone();
                let answer = if *stored.lock().unwrap() == "none" {
                    format!(
                        r#"{{"objects":[{{"oid":"{oid}","error":{{"code":404,"message":"Object does not exist"}}}}]}}"#
                    )
                } else {
                    format!(
                        r#"{{"transfer":"basic","objects":[{{"oid":"{oid}","authenticated":true,"actions":{{"download":{{"href":"{origin}/content/{oid}","header":{{"Authorization":"RemoteAuth ticket"}}}}}}}}]}}"#
                    )
                };
                Some((200, answer.into_bytes()))
            }
            ("GET", target) if target.starts_with("/content/") => {
                let let_in = given == "RemoteAuth ticket";
                Some(if let_in {
                    (200, stored.lock().unwrap().clone().into_bytes())
                } else {
                    (403, Vec::new())
                })
            }
            _ => None,
        }
    };
    let gate = Gate {
        route: Some(Arc::new(route)),
        basic: Some(("ann".into(), "secret-word".into())),
        ..Gate::default()
    };
    let server = Server::start(root, gate, true);
    *address.lock().unwrap() = server.url("").trim_end_matches('/').to_owned();
    server
}

fn source() -> Source {
    let source = Source::new();
    source.commit(&[("big.yaml", &pointer(CONTENT)), ("none.yaml", "version https://git-lfs\n")], "big");
    source
}

#[tokio::test]
async fn content_is_fetched_verified_and_kept() {
    let (source, root, cache) = (source(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let bare = root.path().join("apps.git");
    run(
        root.path(),
        &["clone", "-q", "--bare", source.folder.path().to_str().unwrap(), bare.to_str().unwrap()],
    );
    let (stored, asked) = (Arc::new(Mutex::new(CONTENT.to_owned())), Arc::new(AtomicUsize::new(0)));
    let server = lfs_server(root.path(), &stored, &asked);
    let (repositories, _) = repositories(cache.path());
    let repository = Repository {
        url: server.url("apps.git"),
        username: "ann".into(),
        password: Secret::from("secret-word"),
        certificate_authorities: server.tls_certificate.clone().unwrap(),
        enable_lfs: true,
        ..Repository::default()
    };
    let revision = head(&repositories, &repository).await.unwrap();
    let tree = repositories.tree(&repository, &revision).await.unwrap();
    let read = || tree.read(&path("big.yaml")).map(|content| String::from_utf8(content.to_vec()).unwrap());
    for (wrong, expected) in [
        ("none", "Object does not exist (404)"),
        ("kept: elsewherE\n", "its content is another one"),
        ("kept", "it is not 16 bytes long"),
        ("kept: elsewhere\nand more than was said\n", "it is not 16 bytes long"),
    ] {
        *stored.lock().unwrap() = wrong.to_owned();
        let error = read().unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.retryable(), "it is no fact about the tree");
    }
    *stored.lock().unwrap() = CONTENT.to_owned();
    assert_eq!(read().unwrap(), CONTENT);
    assert_eq!(tree.read(&path("none.yaml")).unwrap(), "version https://git-lfs\n");
    // It is here now; what lies there is not believed.
    let before = asked.load(Ordering::SeqCst);
    assert_eq!(read().unwrap(), CONTENT);
    assert_eq!(asked.load(Ordering::SeqCst), before);
    let kept = files(cache.path()).into_iter().find(|file| file.ends_with(oid(CONTENT))).unwrap();
    std::fs::write(&kept, "kept: elsewherE\n").unwrap();
    assert_eq!(read().unwrap(), CONTENT);
    assert_eq!(asked.load(Ordering::SeqCst), before + 1);

    // Without the switch the pointer is the file.
    let plain = Repository { enable_lfs: false, ..repository };
    head(&repositories, &plain).await.unwrap();
    let tree = repositories.tree(&plain, &revision).await.unwrap();
    assert_eq!(tree.read(&path("big.yaml")).unwrap(), pointer(CONTENT));
}

#[tokio::test]
async fn ssh_tells_where_content_is() {
    let (source, cache, programs) = (source(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (stored, asked) = (Arc::new(Mutex::new(CONTENT.to_owned())), Arc::new(AtomicUsize::new(0)));
    let server = lfs_server(source.folder.path(), &stored, &asked);
    let program = programs.path().join("git-lfs-authenticate");
    let answer = format!(
        r#"{{"href":"{}","header":{{"Authorization":"RemoteAuth from-ssh"}},"expires_in":60}}"#,
        server.url("apps.git/info/lfs")
    );
    std::fs::write(&program, format!("#!/bin/sh\n[ \"$2\" = download ] && echo '{answer}'\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let daemon =
        Sshd::start(&format!("SetEnv PATH={}:/usr/local/bin:/usr/bin:/bin", programs.path().display()));
    let daemon = daemon.unwrap();
    let authority = server.tls_certificate.clone().unwrap();
    let options = git::Options {
        authorities: Some(Arc::new(move |url: &str| {
            assert!(url.starts_with("https://127.0.0.1:"), "{url}");
            authority.clone()
        })),
        ..git::Options::default()
    };
    let (repositories, _) = crate::support::repositories_with(cache.path(), options);
    let repository = Repository { enable_lfs: true, ..ssh::repository(&daemon, &source) };
    let revision = head(&repositories, &repository).await.unwrap();
    let tree = repositories.tree(&repository, &revision).await.unwrap();
    assert_eq!(tree.read(&path("big.yaml")).unwrap(), CONTENT);
    std::fs::write(&program, "#!/bin/sh\necho no lfs here >&2; exit 1\n").unwrap();
    for file in files(cache.path()).into_iter().filter(|file| file.ends_with(oid(CONTENT))) {
        std::fs::remove_file(file).unwrap();
    }
    let error = tree.read(&path("big.yaml")).unwrap_err();
    assert!(error.to_string().contains("git-lfs-authenticate: no lfs here"), "{error}");
}
