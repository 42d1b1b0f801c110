//! A tree held in memory: tests, and files a user sends along instead of a commit.

use std::collections::BTreeMap;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::{ContentId, DirEntry, Entry, Kind, Node, Nodes, Tree, TreeError, TreePath, links};

/// A frozen tree of bytes. Its content ids are never equal to those of a Git tree.
#[derive(Clone, Debug)]
pub struct MemoryTree {
    folders: BTreeMap<TreePath, BTreeMap<String, Node>>,
    contents: BTreeMap<TreePath, Bytes>,
    root: ContentId,
}

/// Collects the entries of a [`MemoryTree`]. A later entry at the same path replaces an earlier one.
#[derive(Clone, Debug, Default)]
pub struct MemoryTreeBuilder {
    entries: BTreeMap<TreePath, (Kind, Bytes)>,
}

/// An entry lies beneath a file or a link, or at the root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: a file cannot lie beneath another file")]
pub struct Misplaced {
    /// The entry that has no place.
    pub path: TreePath,
}

impl MemoryTreeBuilder {
    /// Adds a file.
    #[must_use]
    pub fn file(mut self, path: TreePath, content: impl Into<Bytes>) -> Self {
        self.entries.insert(path, (Kind::File, content.into()));
        self
    }

    /// Adds a file with the executable bit.
    #[must_use]
    pub fn executable(mut self, path: TreePath, content: impl Into<Bytes>) -> Self {
        self.entries.insert(path, (Kind::Executable, content.into()));
        self
    }

    /// Adds a symbolic link; its target is judged when it is followed.
    #[must_use]
    pub fn link(mut self, path: TreePath, target: impl Into<Bytes>) -> Self {
        self.entries.insert(path, (Kind::Link, target.into()));
        self
    }

    /// Freezes the tree.
    pub fn build(self) -> Result<MemoryTree, Misplaced> {
        let mut folders: BTreeMap<TreePath, BTreeMap<String, Node>> = BTreeMap::new();
        folders.insert(TreePath::root(), BTreeMap::new());
        let mut contents = BTreeMap::new();
        for (path, (kind, content)) in &self.entries {
            let misplaced = || Misplaced { path: path.clone() };
            let name = path.file_name().ok_or_else(misplaced)?;
            let mut folder = path.parent().ok_or_else(misplaced)?;
            let node = Node { kind: *kind, id: ContentId::of_bytes(content) };
            folders.entry(folder.clone()).or_default().insert(name.to_owned(), node);
            contents.insert(path.clone(), content.clone());
            while let Some(parent) = folder.parent() {
                if self.entries.contains_key(&folder) {
                    return Err(misplaced());
                }
                folders.entry(parent.clone()).or_default();
                folder = parent;
            }
        }
        let root = name_folders(&mut folders);
        Ok(MemoryTree { folders, contents, root })
    }
}

/// Gives every folder its id, deepest first, and notes it in its parent. Gives the root's.
fn name_folders(folders: &mut BTreeMap<TreePath, BTreeMap<String, Node>>) -> ContentId {
    let mut paths: Vec<TreePath> = folders.keys().cloned().collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.components().count()));
    let mut id = ContentId::of_bytes(b"");
    for path in paths {
        let mut hash = Sha256::new();
        for (name, node) in &folders[&path] {
            hash.update((name.len() as u64).to_be_bytes());
            hash.update(name);
            hash.update(format!("{} {}\n", node.kind.as_str(), node.id));
        }
        id = ContentId::of_bytes(&hash.finalize());
        if let (Some(parent), Some(name)) = (path.parent(), path.file_name()) {
            let node = Node { kind: Kind::Directory, id };
            folders.entry(parent).or_default().insert(name.to_owned(), node);
        }
    }
    id
}

impl MemoryTree {
    /// Starts an empty tree.
    pub fn builder() -> MemoryTreeBuilder {
        MemoryTreeBuilder::default()
    }

    /// A tree of plain files.
    pub fn from_files<P, C>(files: impl IntoIterator<Item = (P, C)>) -> Result<Self, Misplaced>
    where
        P: Into<TreePath>,
        C: Into<Bytes>,
    {
        files
            .into_iter()
            .fold(Self::builder(), |builder, (path, content)| builder.file(path.into(), content))
            .build()
    }
}

impl Nodes for MemoryTree {
    fn node(&self, path: &TreePath) -> Result<Option<Node>, TreeError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Some(Node { kind: Kind::Directory, id: self.root }));
        };
        Ok(self.folders.get(&parent).and_then(|folder| folder.get(name)).copied())
    }

    fn children(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
        let folder =
            self.folders.get(directory).ok_or_else(|| TreeError::NotFound { path: directory.clone() })?;
        Ok(folder.iter().map(|(name, node)| DirEntry { name: name.clone(), kind: node.kind }).collect())
    }

    fn content(&self, path: &TreePath) -> Result<Bytes, TreeError> {
        self.contents.get(path).cloned().ok_or_else(|| TreeError::NotFound { path: path.clone() })
    }
}

impl Tree for MemoryTree {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        links::entry(self, path)
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
        links::list(self, directory)
    }

    fn read(&self, path: &TreePath) -> Result<Bytes, TreeError> {
        links::read(self, path)
    }

    fn content_id(&self, path: &TreePath) -> Result<Option<ContentId>, TreeError> {
        links::content_id(self, path)
    }
}
