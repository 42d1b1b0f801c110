//! Which kind of source a folder is: what the user said, else what lies in it.

use crate::RenderError;
use api::v1alpha1::ApplicationSource;
use source_tree::{Tree, TreePath};
use std::collections::BTreeMap;
use std::fmt;

/// How manifests are made from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceType {
    /// Plain manifests, and Jsonnet.
    Directory,
    /// A chart.
    Helm,
    /// A kustomization.
    Kustomize,
    /// A config management plugin.
    Plugin,
}

impl SourceType {
    /// As `status.sourceType` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "Directory",
            Self::Helm => "Helm",
            Self::Kustomize => "Kustomize",
            Self::Plugin => "Plugin",
        }
    }
}

impl fmt::Display for SourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// File names that make a folder a kustomization.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The type of a source: the one the user wrote options for, else the one found in the folder. A type that is
/// switched off is a directory.
pub fn source_type(
    tree: &dyn Tree,
    path: &TreePath,
    source: &ApplicationSource,
    enabled: &BTreeMap<String, bool>,
) -> Result<SourceType, RenderError> {
    source_type_among_plugins(tree, path, source, enabled, || Ok(false))
}

/// As [`source_type`], where plugins are asked before anything is looked for in the folder.
pub fn source_type_among_plugins(
    tree: &dyn Tree,
    path: &TreePath,
    source: &ApplicationSource,
    enabled: &BTreeMap<String, bool>,
    claimed: impl FnOnce() -> Result<bool, RenderError>,
) -> Result<SourceType, RenderError> {
    let on = |source_type: SourceType| enabled.get(source_type.as_str()).copied().unwrap_or(true);
    if let Some(explicit) = explicit(source)? {
        return Ok(if on(explicit) { explicit } else { SourceType::Directory });
    }
    if on(SourceType::Plugin) && claimed()? {
        return Ok(SourceType::Plugin);
    }
    // The original walks over all files, and the last that tells anything counts: these come after `Chart.yaml`.
    if on(SourceType::Kustomize) {
        for name in KUSTOMIZATIONS {
            if is_file(tree, &path.child(name))? {
                return Ok(SourceType::Kustomize);
            }
        }
    }
    if on(SourceType::Helm) && is_file(tree, &path.child("Chart.yaml"))? {
        return Ok(SourceType::Helm);
    }
    Ok(SourceType::Directory)
}

fn explicit(source: &ApplicationSource) -> Result<Option<SourceType>, RenderError> {
    let said: Vec<SourceType> = [
        (source.kustomize.is_some(), SourceType::Kustomize),
        (source.helm.is_some(), SourceType::Helm),
        (source.directory.is_some(), SourceType::Directory),
        (source.plugin.is_some(), SourceType::Plugin),
    ]
    .into_iter()
    .filter_map(|(there, source_type)| there.then_some(source_type))
    .collect();
    match said.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        several => {
            let names: Vec<&str> = several.iter().map(|source_type| source_type.as_str()).collect();
            Err(RenderError::Ambiguous(names.join(",")))
        }
    }
}

fn is_file(tree: &dyn Tree, path: &TreePath) -> Result<bool, RenderError> {
    Ok(tree.entry(path)?.is_some_and(|entry| entry.kind.is_file()))
}
