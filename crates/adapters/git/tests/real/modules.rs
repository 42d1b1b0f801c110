//! Submodules as part of a tree: fetched with it, within limits, and with credentials for their own host only.

use std::{path::Path, sync::atomic::Ordering};

use crate::support::{Gate, Server, Source, head, repositories, run};
use git::Repository;
use object::Secret;
use source_tree::{ContentId, Kind, Tree, TreePath};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

/// Puts a submodule into a repository, as `git submodule add` does.
fn add_module(source: &Source, place: &str, url: &str, commit: &str) {
    let file = source.folder.path().join(".gitmodules");
    let text = std::fs::read_to_string(&file).unwrap_or_default();
    std::fs::write(&file, format!("{text}[submodule \"{place}\"]\n\tpath = {place}\n\turl = {url}\n"))
        .unwrap();
    source.git(&["add", ".gitmodules"]);
    source.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},{place}")]);
    source.git(&["commit", "-q", "-m", &format!("the submodule {place}")]);
}

fn publish(source: &Source, root: &Path, name: &str) {
    let bare = root.join(name);
    run(root, &["clone", "-q", "--bare", source.folder.path().to_str().unwrap(), bare.to_str().unwrap()]);
}

#[tokio::test]
async fn submodules_are_part_of_the_tree_and_credentials_stay_home() {
    let (root, elsewhere_root) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (deep, lib, other, apps) = (Source::new(), Source::new(), Source::new(), Source::new());
    let deep_commit = deep.commit(&[("deep.yaml", "deep: 1\n")], "deep");
    publish(&deep, root.path(), "deep.git");
    lib.commit(&[("lib.yaml", "lib: 1\n")], "lib");
    std::os::unix::fs::symlink("../values.yaml", lib.folder.path().join("up.yaml")).unwrap();
    lib.commit(&[], "a link");
    add_module(&lib, "nested", "../deep.git", &deep_commit);
    let lib_commit = lib.git(&["rev-parse", "HEAD"]);
    publish(&lib, root.path(), "lib.git");
    let other_commit = other.commit(&[("other.yaml", "other: 1\n")], "other");
    publish(&other, elsewhere_root.path(), "other.git");
    let elsewhere = Server::start(elsewhere_root.path(), Gate::default(), false);

    let gate = Gate { basic: Some(("ann".into(), "secret-word".into())), ..Gate::default() };
    let server = Server::start(root.path(), gate, false);
    apps.commit(&[("values.yaml", "values: 1\n")], "values");
    add_module(&apps, "libs/lib", "../lib.git", &lib_commit);
    add_module(&apps, "other", &elsewhere.url("other.git"), &other_commit);
    add_module(&apps, "absent", "../absent.git", &lib_commit);
    add_module(&apps, "local", &lib.url(), &lib_commit);
    publish(&apps, root.path(), "apps.git");

    let cache = tempfile::tempdir().unwrap();
    let (repositories, counts) = repositories(cache.path());
    let repository = Repository {
        url: server.url("apps.git"),
        username: "ann".into(),
        password: Secret::from("secret-word"),
        submodules: true,
        ..Repository::default()
    };
    let revision = head(&repositories, &repository).await.unwrap();
    let tree = repositories.tree(&repository, &revision).await.unwrap();
    let read =
        |name: &str| tree.read(&path(name)).map(|content| String::from_utf8(content.to_vec()).unwrap());
    assert_eq!(read("libs/lib/lib.yaml").unwrap(), "lib: 1\n");
    assert_eq!(read("libs/lib/nested/deep.yaml").unwrap(), "deep: 1\n");
    assert_eq!(read("other/other.yaml").unwrap(), "other: 1\n");
    assert_eq!(read("values.yaml").unwrap(), "values: 1\n");
    // A link of a submodule leads where it would lead in a work tree, and not out of it.
    assert!(read("libs/lib/up.yaml").unwrap_err().to_string().contains("no such file"));
    let names = |folder: &str| -> Vec<String> {
        tree.list(&path(folder)).unwrap().into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names("libs/lib"), [".gitmodules", "app", "lib.yaml", "nested", "up.yaml"]);
    assert_eq!(names("libs/lib/nested"), ["app", "deep.yaml"]);
    let entry = tree.entry(&path("libs/lib/nested")).unwrap().unwrap();
    assert_eq!((entry.kind, entry.path), (Kind::Directory, path("libs/lib/nested")));
    let commit: Vec<u8> =
        (0..20).map(|at| u8::from_str_radix(&lib_commit[at * 2..at * 2 + 2], 16).unwrap()).collect();
    assert_eq!(
        tree.content_id(&path("libs/lib")).unwrap(),
        ContentId::git(&commit),
        "a new commit is a new id"
    );

    // One that cannot be had is an error for who reads it, and it may come back.
    let error = tree.list(&path("absent")).unwrap_err();
    assert!(error.to_string().contains("the submodule cannot be read: failed to list refs"), "{error}");
    assert!(error.retryable() && tree.entry(&path("absent")).unwrap().is_some());
    let error = read("local/lib.yaml").unwrap_err();
    assert!(error.to_string().contains("may not name a folder of this machine"), "{error}");
    let seen = elsewhere.seen.lock().unwrap().join("\n");
    assert!(!seen.is_empty() && !seen.contains("Basic"), "{seen}");

    // What is here is not asked for again, and who does not want them gets empty folders.
    let fetches = counts.fetches.load(Ordering::SeqCst);
    repositories.tree(&repository, &revision).await.unwrap();
    assert_eq!(counts.fetches.load(Ordering::SeqCst), fetches);
    let plain = Repository { submodules: false, ..repository };
    head(&repositories, &plain).await.unwrap();
    let tree = repositories.tree(&plain, &revision).await.unwrap();
    assert_eq!(tree.list(&path("libs/lib")).unwrap(), []);
}

#[tokio::test]
async fn submodules_of_submodules_end_somewhere() {
    let source = Source::new();
    let commit = source.git(&["rev-parse", "HEAD"]);
    // It has itself as a submodule, at a commit that has one too.
    let mut inner = commit;
    for _ in 0..12 {
        source.git(&["rm", "-q", "--cached", "--ignore-unmatch", "again", ".gitmodules"]);
        std::fs::remove_file(source.folder.path().join(".gitmodules")).ok();
        add_module(&source, "again", "./", &inner);
        inner = source.git(&["rev-parse", "HEAD"]);
    }
    let cache = tempfile::tempdir().unwrap();
    let (repositories, _) = repositories(cache.path());
    let repository = Repository { submodules: true, ..source.repository() };
    let revision = head(&repositories, &repository).await.unwrap();
    let tree = repositories.tree(&repository, &revision).await.unwrap();
    assert!(tree.read(&path("again/again/app/a.yaml")).is_ok());
    let deep = path(&"again/".repeat(9));
    let error = tree.list(&deep).unwrap_err();
    assert!(error.to_string().contains("nested deeper than the limit of 8"), "{error}");
}
