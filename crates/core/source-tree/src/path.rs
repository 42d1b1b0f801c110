//! A path inside a tree: relative to its root, separated by slashes, without `.`, `..` or empty parts.

use std::{borrow::Borrow, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// Longest path accepted, in bytes: the limit of the file systems sources are made on.
const LONGEST: usize = 4096;

/// A normalised path; the empty one is the root. It cannot name anything outside the tree.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TreePath(Arc<str>);

/// A text that is no path inside a tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("path {path:?} {problem}")]
pub struct InvalidPath {
    /// The text that was given.
    pub path: String,
    /// What is wrong with it.
    pub problem: PathProblem,
}

/// Why a text is no path inside a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathProblem {
    /// It starts with a slash where a relative path is wanted.
    Absolute,
    /// Its `..` climb above the root.
    Outside,
    /// It holds a NUL byte.
    Nul,
    /// It is longer than any file system allows.
    TooLong,
}

impl fmt::Display for PathProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Absolute => "is absolute",
            Self::Outside => "is outside the source",
            Self::Nul => "holds a NUL byte",
            Self::TooLong => "is too long",
        })
    }
}

impl TreePath {
    /// The tree's own folder.
    pub fn root() -> Self {
        Self(Arc::from(""))
    }

    /// Reads a path relative to the root: `./a//b/../c` is `a/c`; `.` and the empty text are the root.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        Self::root().join(text)
    }

    /// The path `relative` leads to from this folder.
    pub fn join(&self, relative: &str) -> Result<Self, InvalidPath> {
        if relative.starts_with('/') {
            return Err(InvalidPath { path: relative.to_owned(), problem: PathProblem::Absolute });
        }
        self.walk(relative)
    }

    /// As [`TreePath::join`], but a leading slash means the root of the tree, as for values files.
    pub fn resolve(&self, text: &str) -> Result<Self, InvalidPath> {
        match text.strip_prefix('/') {
            Some(from_root) => Self::root().walk(from_root),
            None => self.walk(text),
        }
    }

    fn walk(&self, text: &str) -> Result<Self, InvalidPath> {
        let invalid = |problem| InvalidPath { path: text.to_owned(), problem };
        if text.contains('\0') {
            return Err(invalid(PathProblem::Nul));
        }
        let mut parts: Vec<&str> = self.components().collect();
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(|| invalid(PathProblem::Outside))?;
                }
                name => parts.push(name),
            }
        }
        let path = parts.join("/");
        if path.len() > LONGEST {
            return Err(invalid(PathProblem::TooLong));
        }
        Ok(Self(Arc::from(path)))
    }

    /// The entry `name` of this folder. `name` is one component, as a listing gives it.
    pub fn child(&self, name: &str) -> Self {
        debug_assert!(!name.is_empty() && !name.contains('/') && name != "." && name != "..");
        if self.is_root() { Self(Arc::from(name)) } else { Self(Arc::from(format!("{}/{name}", self.0))) }
    }

    /// The folder that holds this entry; the root has none.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(self.0.rsplit_once('/').map_or_else(Self::root, |(parent, _)| Self(Arc::from(parent))))
    }

    /// The last component; the root has none.
    pub fn file_name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// The components from the root on.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Whether this is `folder` or lies beneath it.
    pub fn starts_with(&self, folder: &Self) -> bool {
        self.strip_prefix(folder).is_some()
    }

    /// This path as seen from `folder`, when it is `folder` or lies beneath it.
    pub fn strip_prefix(&self, folder: &Self) -> Option<&str> {
        if folder.is_root() {
            return Some(&self.0);
        }
        let rest = self.0.strip_prefix(&*folder.0)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// Whether this is the tree's own folder.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as text, without a leading slash; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.is_root() { "." } else { &self.0 })
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, formatter)
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for TreePath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, InvalidPath> {
        Self::parse(&text)
    }
}

impl From<TreePath> for String {
    fn from(path: TreePath) -> Self {
        path.0.to_string()
    }
}
