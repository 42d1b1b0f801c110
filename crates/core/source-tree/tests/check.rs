//! Paths, links, and what a read set holds against other trees.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use source_tree::{Kind, MemoryTree, PathProblem, Question, ReadSet, Recorded, Tree, TreeError, TreePath};

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn tree(files: &[(&str, &str)]) -> MemoryTree {
    MemoryTree::from_files(files.iter().map(|(name, content)| (path(name), content.to_string()))).unwrap()
}

#[test]
fn paths_are_normalised_and_cannot_climb_out() {
    for (text, expected) in [
        ("", ""),
        (".", ""),
        ("./", ""),
        ("a", "a"),
        ("a/", "a"),
        ("./a//b/../c", "a/c"),
        ("a/..", ""),
        ("a/./.", "a"),
        ("...", "..."),
        ("a\\..\\b", "a\\..\\b"),
    ] {
        assert_eq!(path(text).as_str(), expected, "{text:?}");
    }
    for (text, expected) in [
        ("..", PathProblem::Outside),
        ("a/../..", PathProblem::Outside),
        ("../x", PathProblem::Outside),
        ("/", PathProblem::Absolute),
        ("/etc/passwd", PathProblem::Absolute),
        ("a\0b", PathProblem::Nul),
    ] {
        assert_eq!(TreePath::parse(text).unwrap_err().problem, expected, "{text:?}");
    }
    assert_eq!(TreePath::parse(&"a/".repeat(4000)).unwrap_err().problem, PathProblem::TooLong);
    let folder = path("apps/one");
    assert_eq!(folder.join("../two").unwrap(), path("apps/two"));
    assert_eq!(folder.join("../../..").unwrap_err().problem, PathProblem::Outside);
    assert_eq!(folder.join("/x").unwrap_err().problem, PathProblem::Absolute);
    assert_eq!(folder.resolve("/x").unwrap(), path("x"));
    assert_eq!(folder.resolve("/../x").unwrap_err().problem, PathProblem::Outside);
    assert_eq!(path("apps/one/x").strip_prefix(&folder), Some("x"));
    assert!(!path("apps/onetwo").starts_with(&folder));
    assert_eq!(folder.parent(), Some(path("apps")));
    assert_eq!(path("apps").parent(), Some(TreePath::root()));
    assert_eq!(TreePath::root().parent(), None);
}

#[test]
fn a_tree_lists_in_order_and_reads() {
    let tree = MemoryTree::builder()
        .file(path("b/x.yaml"), "x")
        .file(path("a.yaml"), "a")
        .executable(path("b/run"), "#!")
        .build()
        .unwrap();
    let names: Vec<String> =
        tree.list(&TreePath::root()).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["a.yaml", "b"]);
    assert_eq!(tree.entry(&path("b/run")).unwrap().unwrap().kind, Kind::Executable);
    assert_eq!(&tree.read(&path("b/x.yaml")).unwrap()[..], b"x");
    assert_eq!(tree.entry(&path("b/none")).unwrap(), None);
    assert_eq!(tree.entry(&path("a.yaml/none")).unwrap(), None);
    assert_eq!(tree.read(&path("b")).unwrap_err(), TreeError::NotAFile { path: path("b") });
    assert_eq!(tree.list(&path("a.yaml")).unwrap_err(), TreeError::NotADirectory { path: path("a.yaml") });
    assert_eq!(tree.list(&path("c")).unwrap_err(), TreeError::NotFound { path: path("c") });
    assert!(MemoryTree::builder().file(path("a"), "").file(path("a/b"), "").build().is_err());
    assert!(MemoryTree::builder().file(path("a/b"), "").file(path("a"), "").build().is_err());
    assert!(MemoryTree::builder().file(TreePath::root(), "").build().is_err());
}

#[test]
fn links_are_followed_inside_and_never_out() {
    let tree = MemoryTree::builder()
        .file(path("base/x.yaml"), "x")
        .link(path("apps/base"), "../base")
        .link(path("apps/x"), "base/x.yaml")
        .link(path("apps/root"), "..")
        .link(path("out"), "../../etc/passwd")
        .link(path("apps/sly"), "base/../../../etc")
        .link(path("absolute"), "/base")
        .link(path("loop"), "loop2")
        .link(path("loop2"), "loop")
        .link(path("dangling"), "nothing")
        .build()
        .unwrap();
    assert_eq!(&tree.read(&path("apps/x")).unwrap()[..], b"x");
    assert_eq!(tree.entry(&path("apps/base/x.yaml")).unwrap().unwrap().path, path("base/x.yaml"));
    assert_eq!(tree.entry(&path("apps/root")).unwrap().unwrap().path, TreePath::root());
    assert_eq!(tree.list(&path("apps/root/apps/base")).unwrap().len(), 1);
    assert_eq!(tree.content_id(&path("apps/x")), tree.content_id(&path("base/x.yaml")));
    for link in ["out", "apps/sly", "absolute"] {
        assert_eq!(tree.read(&path(link)).unwrap_err(), TreeError::OutOfBounds { link: path(link) });
        assert_eq!(tree.entry(&path(link)).unwrap_err(), TreeError::OutOfBounds { link: path(link) });
    }
    assert_eq!(tree.read(&path("loop")).unwrap_err(), TreeError::LinkLoop { path: path("loop") });
    assert_eq!(tree.entry(&path("dangling")).unwrap(), None);
    assert_eq!(tree.list(&path("apps")).unwrap()[0].kind, Kind::Link);
}

/// What a directory source does: list, then read the manifests; and probe for what tells the source's type.
fn render(tree: &dyn Tree) -> Vec<u8> {
    let folder = path("app");
    let mut out = Vec::new();
    if tree.entry(&path("app/Chart.yaml")).unwrap().is_some() {
        out.extend(b"helm");
    }
    for entry in tree.list(&folder).unwrap() {
        if entry.name.ends_with(".yaml") {
            out.extend_from_slice(&tree.read(&folder.child(&entry.name)).unwrap());
        }
    }
    out
}

#[test]
fn a_read_set_holds_until_something_it_saw_changes() {
    let files = [("app/a.yaml", "a"), ("app/b.yaml", "b"), ("app/README", "r"), ("other/c.yaml", "c")];
    let before = Recorded::new(tree(&files));
    render(&before);
    let set = before.read_set().unwrap();
    assert!(set.holds(before.unrecorded()));

    let with = |change: (&str, &str)| {
        let mut files = files.to_vec();
        files.retain(|(name, _)| *name != change.0);
        files.push(change);
        tree(&files)
    };
    assert!(set.holds(&with(("other/c.yaml", "changed"))), "another folder");
    assert!(set.holds(&with(("other/new.yaml", "n"))), "a new file elsewhere");
    assert!(set.holds(&with(("app/README", "changed"))), "listed, never read");
    assert!(!set.holds(&with(("app/a.yaml", "changed"))), "read");
    assert!(!set.holds(&with(("app/z.txt", "new"))), "a new name in a listed folder");
    assert!(!set.holds(&with(("app/Chart.yaml", "x"))), "a miss that became a hit");
    assert!(!set.holds(&tree(&files[1..])), "a removed file");
}

#[test]
fn a_read_set_survives_serialisation_and_has_one_fingerprint() {
    let recorded = Recorded::new(tree(&[("app/a.yaml", "a")]));
    render(&recorded);
    assert!(recorded.read(&path("app/none")).is_err());
    recorded.content_id(&path("app")).unwrap();
    let set = recorded.read_set().unwrap();
    let json = serde_json::to_string(&set).unwrap();
    let back: ReadSet = serde_json::from_str(&json).unwrap();
    assert_eq!(back, set);
    assert_eq!(back.fingerprint(), set.fingerprint());
    assert_eq!(set.fingerprint().len(), 64);
    assert!(set.iter().any(|(question, _, answer)| question == Question::Read && answer == "absent"));
    assert_ne!(ReadSet::default().fingerprint(), set.fingerprint());
    assert!(!set.holds(&tree(&[("app/a.yaml", "a"), ("app/none", "")])));
}

#[test]
fn a_link_that_turns_elsewhere_breaks_the_set() {
    let build = |target: &str| {
        MemoryTree::builder()
            .file(path("one"), "1")
            .file(path("two"), "2")
            .file(path("same"), "1")
            .link(path("link"), target.to_owned())
            .build()
            .unwrap()
    };
    let recorded = Recorded::new(build("one"));
    recorded.read(&path("link")).unwrap();
    let set = recorded.read_set().unwrap();
    assert!(set.holds(&build("one")));
    assert!(set.holds(&build("same")), "the same bytes by another way");
    assert!(!set.holds(&build("two")));
    assert!(!set.holds(&build("/etc/passwd")));
    assert!(!set.holds(&build("none")));
}

struct Broken;

impl Tree for Broken {
    fn entry(&self, path: &TreePath) -> Result<Option<source_tree::Entry>, TreeError> {
        Err(TreeError::Unreadable { path: path.clone(), cause: "disk".to_owned() })
    }
    fn list(&self, directory: &TreePath) -> Result<Vec<source_tree::DirEntry>, TreeError> {
        Err(TreeError::Unreadable { path: directory.clone(), cause: "disk".to_owned() })
    }
    fn read(&self, path: &TreePath) -> Result<bytes::Bytes, TreeError> {
        Err(TreeError::Unreadable { path: path.clone(), cause: "disk".to_owned() })
    }
    fn content_id(&self, path: &TreePath) -> Result<Option<source_tree::ContentId>, TreeError> {
        Err(TreeError::Unreadable { path: path.clone(), cause: "disk".to_owned() })
    }
}

#[test]
fn a_failing_store_is_never_an_answer() {
    let recorded = Recorded::new(Broken);
    assert!(recorded.read(&path("a")).is_err());
    assert_eq!(recorded.read_set(), None);
    let sound = Recorded::new(tree(&[("a", "a")]));
    sound.read(&path("a")).unwrap();
    assert!(!sound.read_set().unwrap().holds(&Broken));
}

fn file_sets() -> impl Strategy<Value = Vec<(String, String)>> {
    proptest::collection::vec(("app/[a-c]\\.(yaml|txt)|other/[a-b]\\.yaml", "[x-z]{0,2}"), 1..8)
}

proptest! {
    /// The promise of the manifest cache: when the set holds, the render is the same.
    #[test]
    fn a_set_that_holds_means_the_same_render(first in file_sets(), second in file_sets()) {
        let always = ("app/always.txt".to_owned(), String::new());
        let build = |files: Vec<(String, String)>| {
            let named = files.into_iter().chain([always.clone()]);
            MemoryTree::from_files(named.map(|(name, content)| (path(&name), content))).unwrap()
        };
        let (first, second) = (Recorded::new(build(first)), build(second));
        let rendered = render(&first);
        let set = first.read_set().unwrap();
        prop_assert!(set.holds(first.unrecorded()));
        if set.holds(&second) {
            prop_assert_eq!(render(&second), rendered);
        }
    }

    #[test]
    fn any_text_parses_to_a_path_inside_or_is_refused(text in "[a-b./\\\\\0]{0,12}") {
        if let Ok(parsed) = TreePath::parse(&text) {
            prop_assert!(!parsed.as_str().starts_with('/'));
            prop_assert!(parsed.components().all(|part| !matches!(part, "" | "." | "..")));
            prop_assert_eq!(TreePath::parse(parsed.as_str()).unwrap(), parsed);
        }
    }

    #[test]
    fn any_link_target_is_answered(target in "[a-b./]{0,10}") {
        let tree = MemoryTree::builder()
            .file(path("a/a"), "x").link(path("a/b"), target.clone()).link(path("b"), target).build().unwrap();
        for place in ["b", "a/b", "a/b/a", "b/b/b"] {
            let _ = (tree.entry(&path(place)), tree.read(&path(place)), tree.list(&path(place)));
        }
    }
}

#[test]
fn a_push_concerns_those_whose_reads_it_may_change() {
    let before = tree(&[("apps/one/a.yaml", "a"), ("apps/one/sub/b.yaml", "b"), ("base/c.yaml", "c")]);
    let recorded = Recorded::new(before);
    recorded.entry(&path("apps/one")).unwrap();
    recorded.list(&path("apps/one")).unwrap();
    recorded.read(&path("apps/one/a.yaml")).unwrap();
    recorded.read(&path("base/c.yaml")).unwrap();
    assert_eq!(recorded.entry(&path("apps/one/Chart.yaml")).unwrap(), None);
    let reads = recorded.read_set().unwrap();
    for (file, expected) in [
        ("apps/two/a.yaml", false),
        ("base/d.yaml", false),
        ("apps/one/a.yaml", true),
        ("apps/one/Chart.yaml", true),
        ("apps/one/new.yaml", true),
        ("base/c.yaml", true),
        // A submodule or a link in the place of a folder.
        ("base", true),
        ("apps", true),
        ("apps/onetwo", false),
    ] {
        assert_eq!(reads.may_change(&[path(file)]), expected, "{file}");
    }
    assert!(!reads.may_change(&[]));
}

#[test]
fn a_push_concerns_whoever_reads_through_links() {
    let tree = MemoryTree::builder()
        .link(path("app"), "shared")
        .link(path("dangling"), "shared/late.yaml")
        .file(path("shared/a.yaml"), "a")
        .build()
        .unwrap();
    let asks: [fn(&Recorded<MemoryTree>); 4] = [
        |tree| drop(tree.list(&path("app"))),
        |tree| drop(tree.read(&path("app/a.yaml"))),
        |tree| drop(tree.entry(&path("app/deep/none.yaml"))),
        |tree| drop(tree.entry(&path("dangling"))),
    ];
    for (at, ask) in asks.into_iter().enumerate() {
        let recorded = Recorded::new(tree.clone());
        ask(&recorded);
        assert!(recorded.read_set().unwrap().may_change(&[path("shared/b.yaml")]), "question {at}");
    }
}

/// Paths of two levels over few names, so that histories touch each other.
fn few_paths() -> impl Strategy<Value = TreePath> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "c"]), 1..4)
        .prop_map(|parts| path(&parts.join("/")))
}

/// Files with contents; what finds no place is left out.
fn some_tree(entries: &[(TreePath, u8)]) -> MemoryTree {
    let mut kept: Vec<(TreePath, u8)> = Vec::new();
    for (at, content) in entries {
        let clashes = |other: &TreePath| other != at && (other.starts_with(at) || at.starts_with(other));
        if !kept.iter().any(|(other, _)| clashes(other) || other == at) {
            kept.push((at.clone(), *content));
        }
    }
    let builder = kept
        .into_iter()
        .fold(MemoryTree::builder(), |builder, (at, content)| builder.file(at, vec![content]));
    builder.build().unwrap()
}

fn everything(tree: &MemoryTree) -> std::collections::BTreeMap<TreePath, String> {
    fn walk(tree: &MemoryTree, folder: &TreePath, found: &mut std::collections::BTreeMap<TreePath, String>) {
        for entry in tree.list(folder).unwrap_or_default() {
            let at = folder.child(&entry.name);
            match entry.kind {
                Kind::Directory => walk(tree, &at, found),
                kind => {
                    let id = tree.read(&at).map(|bytes| format!("{bytes:?}")).unwrap_or_default();
                    found.insert(at, format!("{} {id}", kind.as_str()));
                }
            }
        }
    }
    let mut found = std::collections::BTreeMap::new();
    walk(tree, &TreePath::root(), &mut found);
    found
}

proptest! {
    /// What is not said to change holds.
    #[test]
    fn a_push_that_concerns_nobody_changes_nothing(
        before in prop::collection::vec((few_paths(), 2u8..6), 0..8),
        after in prop::collection::vec((few_paths(), 2u8..6), 0..8),
        asked in prop::collection::vec((few_paths(), 0u8..4), 1..6),
    ) {
        let (before, after) = (some_tree(&before), some_tree(&after));
        let (old, new) = (everything(&before), everything(&after));
        let names = old.keys().chain(new.keys());
        let mut changed: Vec<TreePath> = names.filter(|name| old.get(*name) != new.get(*name)).cloned().collect();
        changed.dedup();
        let recorded = Recorded::new(before);
        for (at, question) in asked {
            match question {
                0 => drop(recorded.entry(&at)),
                1 => drop(recorded.list(&at)),
                2 => drop(recorded.read(&at)),
                _ => drop(recorded.content_id(&at)),
            }
        }
        let reads = recorded.read_set().unwrap();
        if !reads.may_change(&changed) {
            prop_assert!(reads.holds(&after), "{reads:?} do not hold, though {changed:?} do not concern them");
        }
    }
}
