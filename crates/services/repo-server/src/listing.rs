//! Which folders of a tree are applications, and of which type.

use source_tree::{Kind, Tree, TreeError, TreePath};
use std::collections::BTreeMap;

/// Folders looked into at the most.
const MOST_FOLDERS: usize = 100_000;

/// Path → type of every folder that holds a chart or a kustomization.
pub(crate) fn applications(
    tree: &dyn Tree,
    enabled: &BTreeMap<String, bool>,
) -> Result<BTreeMap<String, String>, TreeError> {
    let on = |name: &str| enabled.get(name).copied().unwrap_or(true);
    let mut found = BTreeMap::new();
    visit(tree, &mut |folder, names| {
        let source_type = if on("Helm") && names.contains(&"Chart.yaml") {
            "Helm"
        } else if on("Kustomize")
            && names
                .iter()
                .any(|name| matches!(*name, "kustomization.yaml" | "kustomization.yml" | "Kustomization"))
        {
            "Kustomize"
        } else {
            return;
        };
        let path = if folder.is_root() { "." } else { folder.as_str() };
        found.insert(path.to_owned(), source_type.to_owned());
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
