//! What a renderer may ask of its source, and how a question can fail.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{ContentId, TreePath};

/// A folder with everything beneath it, frozen. Symbolic links are followed inside the tree and never out of it.
pub trait Tree: Send + Sync {
    /// What lies at `path`; `None` when nothing does, a dangling link included.
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError>;

    /// The entries of a folder by name. Links are listed as links: ask [`Tree::entry`] where one leads.
    fn list(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError>;

    /// The bytes of a file.
    fn read(&self, path: &TreePath) -> Result<Bytes, TreeError>;

    /// What a file holds, or everything beneath a folder, as one id; `None` when nothing lies there. No content is
    /// read. Links inside a folder count as the text of their targets.
    fn content_id(&self, path: &TreePath) -> Result<Option<ContentId>, TreeError>;
}

/// What lies at a path once links are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it really lies.
    pub path: TreePath,
    /// What it is; never a link.
    pub kind: Kind,
}

/// One line of a listing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// Its name inside the folder.
    pub name: String,
    /// What it is, links not followed.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A folder.
    Directory,
    /// A file.
    File,
    /// A file with the executable bit.
    Executable,
    /// A symbolic link.
    Link,
}

impl Kind {
    /// Whether it has content to read, executable or not.
    pub fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }

    /// The word for it in records and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::File => "file",
            Self::Executable => "executable",
            Self::Link => "link",
        }
    }
}

/// Why a question about a tree has no good answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// Nothing lies there.
    #[error("{path}: no such file or directory")]
    NotFound {
        /// The path asked for.
        path: TreePath,
    },
    /// A folder lies where a file is wanted.
    #[error("{path}: is a directory")]
    NotAFile {
        /// The path asked for.
        path: TreePath,
    },
    /// A file lies where a folder is wanted.
    #[error("{path}: not a directory")]
    NotADirectory {
        /// The path asked for.
        path: TreePath,
    },
    /// A link leads out of the tree. The text up to the name is the original's.
    #[error("repository contains out-of-bounds symlinks. file: {link}")]
    OutOfBounds {
        /// The link itself.
        link: TreePath,
    },
    /// Links lead to links without end.
    #[error("{path}: too many levels of symbolic links")]
    LinkLoop {
        /// The path asked for.
        path: TreePath,
    },
    /// The file is larger than the limit.
    #[error("{path}: file of {size} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// The path asked for.
        path: TreePath,
        /// Its size in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is of a sort this program cannot read yet.
    #[error("{path}: {what} not supported yet")]
    Unsupported {
        /// The path asked for.
        path: TreePath,
        /// What it is, with its verb (`git lfs content is`).
        what: &'static str,
    },
    /// The store behind the tree failed: the same question may be answered later.
    #[error("{path}: {cause}")]
    Unreadable {
        /// The path asked for.
        path: TreePath,
        /// What the store said.
        cause: String,
    },
}

impl TreeError {
    /// Whether asking again may help. All other errors are facts about the tree.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Unreadable { .. })
    }
}

macro_rules! forward {
    ($($holder:ty),*) => {$(
        impl<T: Tree + ?Sized> Tree for $holder {
            fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
                (**self).entry(path)
            }
            fn list(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
                (**self).list(directory)
            }
            fn read(&self, path: &TreePath) -> Result<Bytes, TreeError> {
                (**self).read(path)
            }
            fn content_id(&self, path: &TreePath) -> Result<Option<ContentId>, TreeError> {
                (**self).content_id(path)
            }
        }
    )*};
}

forward!(&T, Box<T>, Arc<T>);
