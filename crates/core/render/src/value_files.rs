//! Values files of a chart: beside it, elsewhere in the repository, in another source's repository, by globs, or
//! behind an address.

use crate::{RenderError, Request};
use helm::ValuesFile;
use source_tree::{Kind, Tree, TreeError, TreePath};
use std::collections::BTreeSet;

/// Folders within folders that `**` looks into.
const DEEPEST: usize = 64;

/// Where the values files of one render are found.
pub(crate) struct ValueFiles<'a> {
    tree: &'a dyn Tree,
    chart: &'a TreePath,
    request: &'a Request<'a>,
}

/// A file named by a source.
enum Place<'a> {
    Remote(String),
    /// A path or glob in a tree, and what distinguishes the tree from others.
    Local {
        tree: &'a dyn Tree,
        origin: String,
        path: TreePath,
    },
}

impl<'a> ValueFiles<'a> {
    pub(crate) fn new(tree: &'a dyn Tree, chart: &'a TreePath, request: &'a Request<'a>) -> Self {
        Self { tree, chart, request }
    }

    /// Reads all files in their order, each once. A file that is named by itself stands where it is named, whatever
    /// globs before it match.
    pub(crate) fn read(
        &self,
        names: &[String],
        ignore_missing: bool,
    ) -> Result<Vec<ValuesFile>, RenderError> {
        let places = names.iter().map(|name| self.place(name)).collect::<Result<Vec<_>, _>>()?;
        let single: BTreeSet<(String, TreePath)> = places
            .iter()
            .filter_map(|place| match place {
                Place::Local { origin, path, .. } if !is_glob(path) => Some((origin.clone(), path.clone())),
                Place::Local { .. } | Place::Remote(_) => None,
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut files = Vec::new();
        for (name, place) in names.iter().zip(places) {
            match place {
                Place::Remote(url) => {
                    if seen.insert((url.clone(), TreePath::root())) {
                        files.push(ValuesFile { text: self.fetch(&url)?, name: url });
                    }
                }
                Place::Local { tree, origin, path } if is_glob(&path) => {
                    let mut matches = Vec::new();
                    let parts: Vec<&str> = path.components().collect();
                    matching(tree, &TreePath::root(), &parts, 0, &mut matches)?;
                    if matches.is_empty() && !ignore_missing {
                        let (path, pattern) = (self.chart.to_string(), name.clone());
                        return Err(RenderError::NoValuesFiles { path, pattern });
                    }
                    for found in matches {
                        let place = (origin.clone(), found);
                        if !single.contains(&place) && seen.insert(place.clone()) {
                            files.push(read(tree, &place.1)?);
                        }
                    }
                }
                Place::Local { tree, origin, path } => {
                    let there = is_there(tree, &path)?;
                    if !there && ignore_missing {
                        continue;
                    }
                    if !there {
                        return Err(self.missing(&path));
                    }
                    if seen.insert((origin, path.clone())) {
                        files.push(read(tree, &path)?);
                    }
                }
            }
        }
        Ok(files)
    }

    fn place(&self, name: &str) -> Result<Place<'a>, RenderError> {
        let invalid = |reason: String| self.wrong(format!("error resolving value file path: {reason}"));
        let (variable, rest) = name.split_once('/').unwrap_or((name, ""));
        if let Some(tree) = self.request.references.get(variable) {
            if rest.trim_matches('/').is_empty() {
                return Err(invalid(format!(
                    "invalid value file path {name:?}: no file path after the ref name"
                )));
            }
            let path = TreePath::root().resolve(&format!("/{}", self.request.environment.substitute(rest)));
            let path = path.map_err(|error| invalid(error.to_string()))?;
            return Ok(Place::Local { tree: tree.as_ref(), origin: variable.to_owned(), path });
        }
        let name = self.request.environment.substitute(name);
        if let Some((scheme, _)) = name.split_once("://") {
            if !self.request.value_file_schemes.iter().any(|allowed| allowed.eq_ignore_ascii_case(scheme)) {
                return Err(invalid(format!("the URL scheme '{scheme}' is not allowed")));
            }
            return Ok(Place::Remote(name));
        }
        let path = self.chart.resolve(&name).map_err(|error| invalid(error.to_string()))?;
        Ok(Place::Local { tree: self.tree, origin: String::new(), path })
    }

    fn fetch(&self, url: &str) -> Result<String, RenderError> {
        self.request.environment.note_outside();
        let fetched = self.request.outside.file(url);
        let bytes = fetched.map_err(|error| RenderError::Fetch { path: self.chart.to_string(), error })?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A file that is not there, in the words of `helm`: in the original it is who looks.
    fn missing(&self, file: &TreePath) -> RenderError {
        let told = format!("Error: open {file}: no such file or directory");
        RenderError::Helm { path: self.chart.to_string(), error: helm::Error::Values(told) }
    }

    fn wrong(&self, reason: String) -> RenderError {
        RenderError::Parameters { path: self.chart.to_string(), reason }
    }
}

/// The text of one file parameter.
pub(crate) fn read_set_file(files: &ValueFiles<'_>, name: &str) -> Result<String, RenderError> {
    match files.place(name)? {
        Place::Remote(url) => files.fetch(&url),
        Place::Local { tree, path, .. } => Ok(String::from_utf8_lossy(&tree.read(&path)?).into_owned()),
    }
}

fn is_glob(path: &TreePath) -> bool {
    path.as_str().contains(['*', '?', '['])
}

fn is_there(tree: &dyn Tree, path: &TreePath) -> Result<bool, RenderError> {
    match tree.entry(path) {
        Ok(entry) => Ok(entry.is_some()),
        Err(TreeError::NotFound { .. } | TreeError::NotADirectory { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn read(tree: &dyn Tree, path: &TreePath) -> Result<ValuesFile, RenderError> {
    let text = String::from_utf8_lossy(&tree.read(path)?).into_owned();
    Ok(ValuesFile { name: path.to_string(), text })
}

/// Files whose path matches, folder by folder in the order of names. `**` stands for any folders, and for none.
fn matching(
    tree: &dyn Tree,
    folder: &TreePath,
    pattern: &[&str],
    depth: usize,
    found: &mut Vec<TreePath>,
) -> Result<(), RenderError> {
    let Some((part, rest)) = pattern.split_first() else { return Ok(()) };
    if depth > DEEPEST {
        return Ok(());
    }
    if *part == "**" && !rest.is_empty() {
        matching(tree, folder, rest, depth + 1, found)?;
    }
    if !matches!(tree.entry(folder)?, Some(entry) if entry.kind == Kind::Directory) {
        return Ok(());
    }
    for entry in tree.list(folder)? {
        let path = folder.child(&entry.name);
        let kind = match entry.kind {
            Kind::Link => tree.entry(&path)?.map(|target| target.kind),
            kind => Some(kind),
        };
        let Some(kind) = kind else { continue };
        if *part == "**" {
            if kind == Kind::Directory && entry.kind != Kind::Link {
                matching(tree, &path, pattern, depth + 1, found)?;
            } else if rest.is_empty() && kind.is_file() {
                found.push(path);
            }
        } else if glob_pattern::matches(part, &entry.name, &['/']) {
            if rest.is_empty() && kind.is_file() {
                found.push(path);
            } else if !rest.is_empty() && kind == Kind::Directory {
                matching(tree, &path, rest, depth + 1, found)?;
            }
        }
    }
    Ok(())
}
