//! Files of a case: read from a folder, made by a generator, written for the original, given to ours as a tree.

use anyhow::{Context, Result};
use source_tree::{MemoryTree, TreePath};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Paths and contents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Files(pub(crate) BTreeMap<String, Vec<u8>>);

impl Files {
    /// Everything below a folder, links followed.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut below = vec![folder.to_owned()];
        while let Some(next) = below.pop() {
            for entry in fs::read_dir(&next).with_context(|| format!("list {}", next.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    below.push(path);
                    continue;
                }
                let name = path.strip_prefix(folder)?.to_string_lossy().into_owned();
                let content = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
                files.insert(name, content);
            }
        }
        Ok(Self(files))
    }

    /// Adds a file.
    pub(crate) fn add(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        self.0.insert(path.to_owned(), content.into());
    }

    /// Ours reads this.
    pub(crate) fn tree(&self) -> Result<MemoryTree> {
        let files = self.0.iter().map(|(path, content)| Ok((TreePath::parse(path)?, content.clone())));
        Ok(MemoryTree::from_files(files.collect::<Result<Vec<_>>>()?)?)
    }

    /// The original reads this. What lay there before goes.
    pub(crate) fn write(&self, folder: &Path) -> Result<()> {
        if folder.exists() {
            fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
        }
        fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        for (path, content) in &self.0 {
            let path = folder.join(path);
            let parent = path.parent().context("a file lies in a folder")?;
            fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
            fs::write(&path, content).with_context(|| format!("write {}", path.display()))?;
        }
        Ok(())
    }
}
