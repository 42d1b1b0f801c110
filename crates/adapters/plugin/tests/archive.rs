//! What is packed comes out again, within limits, and nowhere else.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use plugin::PluginError;
use plugin::archive::{Exclusions, Limits, UnpackError, pack, unpack};
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn path(text: &str) -> TreePath {
    TreePath::parse(text).unwrap()
}

fn tree() -> MemoryTree {
    MemoryTree::builder()
        .file(path("app/a.yaml"), "a")
        .executable(path("app/run"), "run")
        .file(path("app/skip/b.yaml"), "b")
        .file(path("shared/c.yaml"), "c")
        .link(path("app/near"), "a.yaml")
        .link(path("app/far"), "../shared")
        .link(path("app/dangling"), "nowhere")
        .build()
        .unwrap()
}

/// Path → content, target or mode of everything below.
fn found(folder: &Path) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(place) = waiting.pop() {
        for entry in std::fs::read_dir(&place).unwrap().flatten() {
            let name = entry.path().strip_prefix(folder).unwrap().display().to_string();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_symlink() {
                all.insert(name, format!("-> {}", std::fs::read_link(entry.path()).unwrap().display()));
            } else {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o111;
                let text = std::fs::read_to_string(entry.path()).unwrap();
                all.insert(name, if mode == 0 { text } else { format!("{text} executable") });
            }
        }
    }
    all
}

fn packed(include: &[&str], exclusions: &[&str], modes: bool) -> BTreeMap<String, String> {
    let include: Vec<TreePath> = include.iter().map(|text| path(text)).collect();
    let exclusions = Exclusions::parse(exclusions.iter().copied()).unwrap();
    let archive = pack(&tree(), &include, &exclusions, Limits::default()).unwrap();
    assert_eq!(archive.checksum.len(), 64);
    let folder = tempfile::tempdir().unwrap();
    unpack(archive.file, folder.path(), modes, Limits::default()).unwrap();
    found(folder.path())
}

fn expected(lines: &[(&str, &str)]) -> BTreeMap<String, String> {
    lines.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect()
}

#[test]
fn a_tree_comes_out_as_it_was() {
    let all = [
        ("app/a.yaml", "a"),
        ("app/far", "-> ../shared"),
        ("app/near", "-> a.yaml"),
        ("app/run", "run"),
        ("app/skip/b.yaml", "b"),
        ("shared/c.yaml", "c"),
    ];
    assert_eq!(packed(&[], &[], false), expected(&all));
    assert_eq!(packed(&[], &[], true)["app/run"], "run executable");
    let some = packed(&["app/skip", "shared/c.yaml", "absent", "app/skip"], &[], false);
    assert_eq!(some, expected(&[("app/skip/b.yaml", "b"), ("shared/c.yaml", "c")]));
    let rest = packed(&[], &["app/skip", "shared/*", "app/far"], false);
    assert_eq!(rest, expected(&[all[0], all[2], all[3]]));
}

#[test]
fn the_same_tree_makes_the_same_archive() {
    let checksum = || pack(&tree(), &[], &Exclusions::default(), Limits::default()).unwrap().checksum;
    assert_eq!(checksum(), checksum());
}

#[test]
fn there_are_limits() {
    let small = |entries, bytes| {
        pack(&tree(), &[], &Exclusions::default(), Limits { entries, bytes }).unwrap_err().to_string()
    };
    assert!(small(3, 100).contains("the files exceed the limit of 3"), "{}", small(3, 100));
    assert!(small(100, 3).contains("the files' bytes exceed the limit of 3"), "{}", small(100, 3));
    let nothing = pack(&tree(), &[path("absent")], &Exclusions::default(), Limits::default());
    assert!(matches!(nothing, Err(PluginError::Nothing { folder }) if folder == "absent"));
    let archive = pack(&tree(), &[], &Exclusions::default(), Limits::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = unpack(archive.file, folder.path(), false, Limits { entries: 100, bytes: 2 }).unwrap_err();
    assert!(matches!(error, UnpackError::TooMuch(_)), "{error}");
    assert!(Exclusions::parse(["["]).is_err());
}

/// An archive as somebody else makes it.
fn made(entries: &[(&str, &str, tar::EntryType)]) -> Vec<u8> {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content, kind) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        let mut data: &[u8] = &[];
        if *kind == tar::EntryType::Regular {
            data = content.as_bytes();
        } else {
            header.set_link_name_literal(content).unwrap();
        }
        header.set_size(data.len() as u64);
        header.set_cksum();
        builder.append(&header, data).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn nothing_leaves_the_folder() {
    use tar::EntryType::{Char, Link, Regular, Symlink};
    let cases: [&[(&str, &str, tar::EntryType)]; 8] = [
        &[("../out", "x", Regular)],
        &[("a/../../out", "x", Regular)],
        &[("link", "/etc/passwd", Symlink)],
        &[("link", "../out", Symlink)],
        // Two links that stay inside by their text lead out together.
        &[("a/b/c", "x", Regular), ("a/b/up", "../..", Symlink), ("out", "a/b/up/..", Symlink)],
        &[("hard", "/etc/passwd", Link)],
        &[("device", "", Char)],
        &[("link", "folder", Symlink), ("link/x", "x", Regular), ("folder/y", "y", Regular)],
    ];
    for case in cases {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("in");
        std::fs::create_dir(&folder).unwrap();
        let result = unpack(&made(case)[..], &folder, true, Limits::default());
        assert!(result.is_err(), "{case:?}");
        assert!(!outer.path().join("out").exists(), "{case:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    unpack(&made(&[("/abs", "x", Regular)])[..], folder.path(), true, Limits::default()).unwrap_err();
    assert!(unpack(&b"no archive"[..], folder.path(), true, Limits::default()).is_err());
}
