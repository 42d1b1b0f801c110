//! Which kind of source a folder is: what the user said, else what lies in it.

use crate::RenderError;
use api::v1alpha1::ApplicationSource;
use source_tree::{Kind, Tree, TreePath};
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
    let entries = tree.list(path)?;
    let files = entries.iter().filter(|entry| entry.kind != Kind::Directory);
    let found = told_by(files.map(|entry| entry.name.as_str()), enabled);
    Ok(found.unwrap_or(SourceType::Directory))
}

/// What the names of a folder's files say that it is, if they say anything. The original walks over all files in their
/// order and the last that tells anything counts, which is a chart for whatever ends in `Chart.yaml`.
pub fn told_by<'n>(
    names: impl DoubleEndedIterator<Item = &'n str>,
    enabled: &BTreeMap<String, bool>,
) -> Option<SourceType> {
    let on = |source_type: SourceType| enabled.get(source_type.as_str()).copied().unwrap_or(true);
    let told = |name: &str| match name {
        "kustomization.yaml" | "kustomization.yml" | "Kustomization" => Some(SourceType::Kustomize),
        _ => name.ends_with("Chart.yaml").then_some(SourceType::Helm),
    };
    names.rev().filter_map(told).find(|found| on(*found))
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
