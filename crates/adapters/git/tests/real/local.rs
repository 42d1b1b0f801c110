//! Repositories in a folder of this machine: revisions, fetching, reading, and mirrors that outlive a process.

use std::{process::Command, sync::Arc};

use crate::support::{Source, files, head, repositories, repositories_with};
use git::{Cause, CommitId, FetchOutcome, Freshness, GitError, Options, Repository, ResolvedRevision};
use source_tree::{Kind, Recorded, Tree, TreeError, TreePath};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

#[tokio::test]
async fn revisions_resolve_and_tags_are_peeled() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let first = source.git(&["rev-parse", "HEAD"]);
    source.git(&["tag", "v1.0.0"]);
    let second = source.commit(&[("app/a.yaml", "a: 2\n")], "second");
    source.git(&["tag", "-a", "v1.2.0", "-m", "annotated"]);
    source.git(&["branch", "feature/x", &first]);
    source.git(&["update-ref", "refs/pull/7/head", &first]);
    let (repositories, _) = repositories(cache.path());
    let repository = source.repository();
    for (revision, expected) in [
        ("HEAD", &second),
        ("", &second),
        ("main", &second),
        ("refs/heads/main", &second),
        ("feature/x", &first),
        ("v1.0.0", &first),
        ("v1.2.0", &second),
        ("1.0.*", &first),
        ("1.x", &second),
        ("pull/7/head", &first),
        ("refs/pull/7/head", &first),
        (&first[..], &first),
        (&first.to_uppercase()[..], &first),
        (&first[..7], &first),
        (&second[..12], &second),
    ] {
        let resolved = repositories.resolve(&repository, revision, Freshness::Cached).await;
        assert_eq!(resolved.unwrap().commit.as_str(), expected, "{revision:?}");
    }
    for revision in ["nope", "0000000", "refs/heads/nope", "feature/nope", "9.x", "a b", "../x", "-x/y"] {
        let error = repositories.resolve(&repository, revision, Freshness::Cached).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("unable to resolve '{revision}' to a commit SHA: revision not found")
        );
        assert!(!error.retryable());
    }
    let missing = ResolvedRevision::from(CommitId::parse(&"1".repeat(40)).unwrap());
    let error = repositories.tree(&repository, &missing).await.unwrap_err();
    assert!(matches!(error, GitError::UnknownRevision { .. }), "{error}");

    let refs = repositories.ls_refs(&repository, Freshness::Cached).await.unwrap();
    assert_eq!(refs.branches().collect::<Vec<_>>(), ["feature/x", "main"]);
    assert_eq!(refs.tags().collect::<Vec<_>>(), ["v1.0.0", "v1.2.0"]);
    assert_eq!(refs.head_branch(), Some("refs/heads/main"));
}

#[tokio::test]
async fn a_hundred_who_ask_make_one_listing_and_one_fetch() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let (repositories, counts) = repositories(cache.path());
    let repository = Arc::new(source.repository());
    let asking: Vec<_> = (0..100)
        .map(|_| {
            let (repositories, repository) = (repositories.clone(), repository.clone());
            tokio::spawn(async move {
                let revision = repositories.resolve(&repository, "main", Freshness::Cached).await.unwrap();
                let tree = repositories.tree(&repository, &revision).await.unwrap();
                tree.read(&path("app/a.yaml")).unwrap()
            })
        })
        .collect();
    for answer in asking {
        assert_eq!(&answer.await.unwrap()[..], b"a: 1\n");
    }
    assert_eq!(counts.now(), (1, 1));
}

#[tokio::test]
async fn only_what_is_new_is_fetched_and_mirrors_outlive_the_process() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let repository = source.repository();
    let first = {
        let (repositories, _) = repositories(cache.path());
        let first = head(&repositories, &repository).await.unwrap();
        assert_eq!(repositories.fetch(&repository, &first).await.unwrap(), FetchOutcome::Fetched);
        assert_eq!(repositories.fetch(&repository, &first).await.unwrap(), FetchOutcome::Present);
        first
    };
    let (repositories, counts) = repositories(cache.path());
    assert_eq!(repositories.fetch(&repository, &first).await.unwrap(), FetchOutcome::Present);
    assert_eq!(counts.now(), (1, 0), "a new process asks once whether it is let in, and fetches nothing");
    let old = repositories.tree(&repository, &first).await.unwrap();

    source.commit(&[("app/a.yaml", "a: 2\n")], "second");
    assert_eq!(repositories.resolve(&repository, "main", Freshness::Cached).await.unwrap(), first);
    repositories.invalidate(&repository);
    let second = repositories.resolve(&repository, "main", Freshness::Cached).await.unwrap();
    assert_ne!(second, first);
    let new = repositories.tree(&repository, &second).await.unwrap();
    assert_eq!(&new.read(&path("app/a.yaml")).unwrap()[..], b"a: 2\n");
    assert_eq!(&old.read(&path("app/a.yaml")).unwrap()[..], b"a: 1\n");

    // History rewritten, and a branch replaced by a folder of branches.
    source.git(&["commit", "-q", "--amend", "-m", "rewritten"]);
    source.git(&["branch", "a"]);
    let third = repositories.resolve(&repository, "a", Freshness::Now).await.unwrap();
    repositories.tree(&repository, &third).await.unwrap();
    source.git(&["branch", "-D", "a"]);
    source.commit(&[("app/b.yaml", "b: 1\n")], "third");
    source.git(&["branch", "a/b"]);
    let fourth = repositories.resolve(&repository, "a/b", Freshness::Now).await.unwrap();
    repositories.tree(&repository, &fourth).await.unwrap();
    assert_eq!(counts.now().1, 3);
}

#[tokio::test]
async fn trees_equal_what_git_itself_shows() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let names =
        ["foo/x", "foo.txt", "foo-bar/x", "foo0", "ä/ö.yaml", "deep/er/and/deeper/file", "z z", "Z", "a"];
    let many: Vec<(String, String)> =
        (0..60).map(|at| (format!("many/{}/{at}", at % 7), "x".repeat(at))).collect();
    let all =
        names.iter().map(|name| (*name, *name)).chain(many.iter().map(|(name, text)| (&name[..], &text[..])));
    source.commit(&all.collect::<Vec<_>>(), "many");
    std::os::unix::fs::symlink("../foo.txt", source.folder.path().join("deep/link")).unwrap();
    let odd: &std::ffi::OsStr = std::os::unix::ffi::OsStrExt::from_bytes(b"odd-\xff\xfe.yaml");
    std::fs::write(source.folder.path().join(odd), "odd").unwrap();
    source.git(&["update-index", "--chmod=+x", "a"]);
    source.commit(&[], "links");
    source.git(&["gc", "-q"]);
    let (repositories, _) = repositories(cache.path());
    let repository = source.repository();
    let revision = head(&repositories, &repository).await.unwrap();
    let tree = repositories.tree(&repository, &revision).await.unwrap();

    let shown = source.git(&["-c", "core.quotePath=true", "ls-tree", "-r", "-t", "HEAD"]);
    let mut seen = 0;
    for line in shown.lines() {
        let (facts, name) = line.split_once('\t').unwrap();
        let [mode, _, id] = facts.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let name =
            if name.starts_with('"') && name.contains("odd-") { "odd-\u{f7ff}\u{f7fe}.yaml" } else { name };
        let name = name.replace("\"\\303\\244/\\303\\266.yaml\"", "ä/ö.yaml").replace("\"\\303\\244\"", "ä");
        let place = path(&name);
        let listed = tree.list(&place.parent().unwrap()).unwrap();
        let kind = listed.iter().find(|entry| entry.name == place.file_name().unwrap()).unwrap().kind;
        let expected = match mode {
            "040000" => Kind::Directory,
            "100644" => Kind::File,
            "100755" => Kind::Executable,
            _ => Kind::Link,
        };
        assert_eq!(kind, expected, "{name}");
        if kind != Kind::Link {
            assert_eq!(tree.content_id(&place).unwrap().unwrap().to_string(), format!("git:{id}"), "{name}");
        }
        if kind.is_file() {
            let content = Command::new("git")
                .current_dir(source.folder.path())
                .args(["cat-file", "blob", id])
                .output()
                .unwrap();
            assert_eq!(&tree.read(&place).unwrap()[..], &content.stdout[..], "{name}");
        }
        assert!(listed.is_sorted_by(|left, right| left.name < right.name));
        seen += 1;
    }
    assert!(seen > 70);
    assert_eq!(&tree.read(&path("deep/link")).unwrap()[..], b"foo.txt");
}

#[tokio::test]
async fn links_out_of_the_repository_and_large_files_are_refused() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    std::os::unix::fs::symlink("/etc/passwd", source.folder.path().join("absolute")).unwrap();
    std::os::unix::fs::symlink("../../etc/passwd", source.folder.path().join("app/out")).unwrap();
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 1\n", "0".repeat(64));
    source.commit(&[("large", &"x".repeat(2000)), ("pointer.yaml", &pointer)], "odd files");
    let commit = source.git(&["rev-parse", "HEAD"]);
    source.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},module")]);
    source.git(&["commit", "-q", "-m", "a submodule"]);
    let (repositories, _) =
        repositories_with(cache.path(), Options { most_file_bytes: 1000, ..Options::default() });
    let plain = source.repository();
    let revision = head(&repositories, &plain).await.unwrap();
    let tree = repositories.tree(&plain, &revision).await.unwrap();
    for link in ["absolute", "app/out"] {
        let error = tree.read(&path(link)).unwrap_err();
        assert_eq!(error.to_string(), format!("repository contains out-of-bounds symlinks. file: {link}"));
    }
    assert_eq!(
        tree.read(&path("large")).unwrap_err(),
        TreeError::TooLarge { path: path("large"), size: 2000, limit: 1000 }
    );
    assert_eq!(tree.read(&path("pointer.yaml")).unwrap(), pointer);
    assert_eq!(tree.list(&path("module")).unwrap(), []);

    let wanting = Repository { enable_lfs: true, submodules: true, ..plain };
    let tree = repositories.tree(&wanting, &revision).await.unwrap();
    // What is wanted and cannot be had is an error for who reads it.
    let error = tree.read(&path("pointer.yaml")).unwrap_err();
    assert!(error.retryable() && error.to_string().contains("git lfs: object 000"), "{error}");
    assert!(matches!(tree.list(&path("module")), Err(TreeError::Unsupported { .. })));
    assert_eq!(&tree.read(&path("app/a.yaml")).unwrap()[..], b"a: 1\n");
}

#[tokio::test]
async fn a_commit_elsewhere_leaves_the_read_set_standing() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let (repositories, _) = repositories(cache.path());
    let repository = source.repository();
    let revision = head(&repositories, &repository).await.unwrap();
    let tree = Recorded::new(repositories.tree(&repository, &revision).await.unwrap());
    tree.list(&path("app")).unwrap();
    tree.read(&path("app/a.yaml")).unwrap();
    tree.entry(&path("app/Chart.yaml")).unwrap();
    let set = tree.read_set().unwrap();

    source.commit(&[("other/b.yaml", "b: 1\n")], "elsewhere");
    let revision = head(&repositories, &repository).await.unwrap();
    assert!(set.holds(&repositories.tree(&repository, &revision).await.unwrap()));
    source.commit(&[("app/a.yaml", "a: 2\n")], "here");
    let revision = head(&repositories, &repository).await.unwrap();
    assert!(!set.holds(&repositories.tree(&repository, &revision).await.unwrap()));
}

#[tokio::test]
async fn metadata_is_what_git_shows() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    source.commit(&[], "subject\n\nbody ö\n\nSigned-off-by: x");
    source.git(&["tag", "b"]);
    source.git(&["tag", "-a", "a", "-m", "annotated"]);
    let (repositories, _) = repositories(cache.path());
    let repository = source.repository();
    let revision = head(&repositories, &repository).await.unwrap();
    let metadata = repositories.metadata(&repository, &revision).await.unwrap();
    assert_eq!(metadata.author, "Ann Author <ann@example.org>");
    assert_eq!(metadata.date.to_string(), "2024-05-06T05:08:09Z");
    assert_eq!(metadata.tags, ["a", "b"]);
    assert_eq!(metadata.message, "subject\n\nbody ö\n\nSigned-off-by: x");
}

#[tokio::test]
async fn a_corrupt_mirror_is_made_anew_once() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let repository = source.repository();
    let revision = {
        let (repositories, _) = repositories(cache.path());
        let revision = head(&repositories, &repository).await.unwrap();
        repositories.fetch(&repository, &revision).await.unwrap();
        revision
    };
    type Damage = fn(&std::path::Path);
    let damages: [(&str, Damage); 3] = [
        ("packs cut short", |file| std::fs::write(file, b"PACK").unwrap()),
        ("packs full of noise", |file| {
            let noise = vec![0x5a; std::fs::metadata(file).unwrap().len() as usize];
            std::fs::write(file, noise).unwrap();
        }),
        ("packs gone", |file| std::fs::remove_file(file).unwrap()),
    ];
    for (name, damage) in damages {
        for file in files(cache.path()) {
            if file.extension().is_some_and(|extension| extension == "pack") {
                let mut permissions = std::fs::metadata(&file).unwrap().permissions();
                std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o600);
                std::fs::set_permissions(&file, permissions).unwrap();
                damage(&file);
            }
        }
        let (repositories, counts) = repositories(cache.path());
        let tree =
            repositories.tree(&repository, &revision).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(&tree.read(&path("app/a.yaml")).unwrap()[..], b"a: 1\n", "{name}");
        assert_eq!(counts.now().1, 1, "{name}");
    }
    for file in files(cache.path()) {
        if file.ends_with("HEAD") || file.ends_with("config") {
            std::fs::write(file, "\0\0[").unwrap();
        }
    }
    let (repositories, _) = repositories(cache.path());
    repositories.tree(&repository, &revision).await.unwrap();
}

#[tokio::test]
async fn shallow_mirrors_follow_and_deepen() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let first = source.git(&["rev-parse", "HEAD"]);
    source.commit(&[("app/a.yaml", "a: 2\n")], "second");
    let (repositories, _) = repositories(cache.path());
    let shallow = Repository { depth: 1, ..source.repository() };
    for content in ["a: 2\n", "a: 3\n", "a: 4\n"] {
        let revision = head(&repositories, &shallow).await.unwrap();
        let tree = repositories.tree(&shallow, &revision).await.unwrap();
        assert_eq!(&tree.read(&path("app/a.yaml")).unwrap()[..], content.as_bytes());
        let next = content[3..4].parse::<u8>().unwrap() + 1;
        source.commit(&[("app/a.yaml", &format!("a: {next}\n"))], "next");
    }
    let full = source.repository();
    let old = ResolvedRevision::from(CommitId::parse(&first).unwrap());
    let tree = repositories.tree(&full, &old).await.unwrap();
    assert_eq!(&tree.read(&path("app/a.yaml")).unwrap()[..], b"a: 1\n");
}

#[tokio::test]
async fn what_is_no_repository_is_not_found() {
    let (source, cache) = (Source::new(), tempfile::tempdir().unwrap());
    let (repositories, _) = repositories(cache.path());
    let mirror = source.repository();
    let revision = head(&repositories, &mirror).await.unwrap();
    repositories.fetch(&mirror, &revision).await.unwrap();
    let inside =
        files(cache.path()).iter().find(|file| file.ends_with("HEAD")).unwrap().parent().unwrap().to_owned();
    for url in
        ["junk", "/nowhere/at/all", &format!("file://{}", cache.path().display()), inside.to_str().unwrap()]
    {
        let repository = Repository { url: url.to_owned(), ..Repository::default() };
        let error = head(&repositories, &repository).await.unwrap_err();
        assert!(error.to_string().starts_with("failed to list refs: repository not found"), "{url}: {error}");
        assert!(matches!(error.cause(), Some(Cause::RepositoryNotFound(_))));
    }
    for url in
        ["", "ftp://host/x", "http://", "ssh://-oProxyCommand=x/y", "ssh://host", "https://u:canary-1@/"]
    {
        let repository = Repository { url: url.to_owned(), ..Repository::default() };
        let error = head(&repositories, &repository).await.unwrap_err();
        assert!(matches!(error, GitError::InvalidUrl { .. }), "{url}: {error}");
        assert!(!error.to_string().contains("canary"), "{error}");
    }
    let empty = tempfile::tempdir().unwrap();
    crate::support::run(empty.path(), &["init", "-q", "--bare"]);
    let repository = Repository { url: empty.path().display().to_string(), ..Repository::default() };
    let error = head(&repositories, &repository).await.unwrap_err();
    assert!(matches!(error, GitError::UnknownRevision { .. }), "{error}");
}
