//! What lies in a tree: which folders are applications and of which type, all folders, files by pattern.

use source_tree::{Kind, Tree, TreeError, TreePath};
use std::collections::BTreeMap;

/// Folders looked into at the most.
const MOST_FOLDERS: usize = 100_000;
/// What files that are asked for may hold together.
const MOST_BYTES: usize = 64 << 20;

/// Path → type of every folder that holds a chart or a kustomization.
pub(crate) fn applications(
    tree: &dyn Tree,
    enabled: &BTreeMap<String, bool>,
) -> Result<BTreeMap<String, String>, TreeError> {
    let mut found = BTreeMap::new();
    visit(tree, &mut |folder, names| {
        let Some(source_type) = render::told_by(names.iter().copied(), enabled) else { return };
        let path = if folder.is_root() { "." } else { folder.as_str() };
        found.insert(path.to_owned(), source_type.to_string());
    })?;
    Ok(found)
}

/// Every folder below the root, hidden ones left out unless wanted.
pub(crate) fn directories(tree: &dyn Tree, hidden: bool) -> Result<Vec<String>, TreeError> {
    let mut folders = Vec::new();
    visit(tree, &mut |folder, _| {
        if !folder.is_root() && (hidden || !folder.components().any(|name| name.starts_with('.'))) {
            folders.push(folder.as_str().to_owned());
        }
    })?;
    Ok(folders)
}

/// How a pattern means files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Matching {
    /// As Git does: a path means everything below it, and a star any characters, slashes among them.
    Pathspecs,
    /// As shells do: a star stops at slashes, two stars stand for any folders and for none.
    Globs,
}

/// The files a pattern means, with what they hold.
pub(crate) fn files(
    tree: &dyn Tree,
    pattern: &str,
    matching: Matching,
) -> Result<BTreeMap<String, Vec<u8>>, String> {
    let failed = |error: TreeError| format!("unable to read files: {error}");
    let pattern = pattern.trim_start_matches("./").trim_start_matches('/');
    let pattern = if matches!(pattern, "" | ".") { "*" } else { pattern };
    let mut paths = Vec::new();
    let visited = visit_entries(tree, &mut |path, kind| {
        if kind != Kind::Directory && means(pattern, path, matching) {
            paths.push(path.clone());
        }
    });
    visited.map_err(failed)?;
    let mut found = BTreeMap::new();
    let mut bytes = 0;
    for path in paths {
        let content = tree.read(&path).map_err(failed)?;
        bytes += content.len();
        if bytes > MOST_BYTES {
            return Err(format!("the files of {pattern:?} hold more than {MOST_BYTES} bytes"));
        }
        found.insert(path.as_str().to_owned(), content.to_vec());
    }
    Ok(found)
}

fn means(pattern: &str, path: &TreePath, matching: Matching) -> bool {
    match matching {
        Matching::Pathspecs => {
            let folder = TreePath::parse(pattern).is_ok_and(|folder| path.starts_with(&folder));
            folder || glob_pattern::matches(pattern, path.as_str(), &[])
        }
        Matching::Globs => {
            let pattern: Vec<&str> = pattern.split('/').collect();
            let path: Vec<&str> = path.components().collect();
            means_parts(&pattern, &path)
        }
    }
}

fn means_parts(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => {
            means_parts(rest, path)
                || path.split_first().is_some_and(|(_, inner)| means_parts(pattern, inner))
        }
        (Some((part, rest)), Some((name, inner))) => {
            glob_pattern::matches(part, name, &['/']) && means_parts(rest, inner)
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn visit_entries(tree: &dyn Tree, seen: &mut dyn FnMut(&TreePath, Kind)) -> Result<(), TreeError> {
    let mut waiting = vec![TreePath::root()];
    let mut count = 0;
    while let Some(folder) = waiting.pop() {
        count += 1;
        if count > MOST_FOLDERS {
            return Ok(());
        }
        for entry in tree.list(&folder)? {
            let path = folder.child(&entry.name);
            seen(&path, entry.kind);
            if entry.kind == Kind::Directory {
                waiting.push(path);
            }
        }
    }
    Ok(())
}

fn visit(tree: &dyn Tree, seen: &mut dyn FnMut(&TreePath, &[&str])) -> Result<(), TreeError> {
    let mut waiting = vec![TreePath::root()];
    let mut count = 0;
    while let Some(folder) = waiting.pop() {
        count += 1;
        if count > MOST_FOLDERS {
            return Ok(());
        }
        let entries = tree.list(&folder)?;
        let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
        seen(&folder, &names);
        let folders = entries.iter().filter(|entry| entry.kind == Kind::Directory);
        waiting.extend(folders.rev().map(|entry| folder.child(&entry.name)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use source_tree::MemoryTree;

    #[test]
    fn of_a_folders_files_the_last_that_tells_anything_counts() {
        let paths = [
            "both/Chart.yaml",
            "both/kustomization.yml",
            "chart/Chart.yaml",
            "ends/myChart.yaml",
            "last/kustomization.yaml",
            "last/zChart.yaml",
            "kustomization.yaml",
            "x/y",
        ];
        let files = paths.map(|path| (TreePath::parse(path).unwrap(), Vec::new()));
        let tree = MemoryTree::from_files(files).unwrap();
        let of = |enabled: &[(&str, bool)]| {
            let enabled = enabled.iter().map(|(name, on)| ((*name).to_owned(), *on)).collect();
            let found = applications(&tree, &enabled).unwrap().into_iter();
            found.map(|(path, kind)| format!("{path} {kind}")).collect::<Vec<_>>()
        };
        assert_eq!(of(&[]), [". Kustomize", "both Kustomize", "chart Helm", "ends Helm", "last Helm"]);
        assert_eq!(of(&[("Kustomize", false)]), ["both Helm", "chart Helm", "ends Helm", "last Helm"]);
        assert_eq!(of(&[("Helm", false)]), [". Kustomize", "both Kustomize", "last Kustomize"]);
    }

    #[test]
    fn patterns_mean_files_in_both_ways() {
        let paths =
            ["a.json", "apps/a/config.json", "apps/a/b/config.json", "apps/config.json", "other/x.yaml"];
        let files = paths.map(|path| (TreePath::parse(path).unwrap(), path.as_bytes().to_vec()));
        let tree = MemoryTree::from_files(files).unwrap();
        let of = |pattern: &str, matching| {
            super::files(&tree, pattern, matching).unwrap().into_keys().collect::<Vec<_>>()
        };
        assert_eq!(of("apps/*/config.json", Matching::Globs), ["apps/a/config.json"]);
        assert_eq!(
            of("apps/*/config.json", Matching::Pathspecs),
            ["apps/a/b/config.json", "apps/a/config.json"]
        );
        assert_eq!(
            of("apps/**/config.json", Matching::Globs),
            ["apps/a/b/config.json", "apps/a/config.json", "apps/config.json"]
        );
        assert_eq!(of("other", Matching::Pathspecs), ["other/x.yaml"]);
        assert_eq!(of("other", Matching::Globs), Vec::<String>::new());
        assert_eq!(of(".", Matching::Pathspecs).len(), paths.len());
        assert_eq!(of("*.json", Matching::Globs), ["a.json"]);
    }
}
