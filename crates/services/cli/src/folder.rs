//! A folder of this machine as a tree: read when asked, nothing beyond its root.

use bytes::Bytes;
use source_tree::{ContentId, DirEntry, Entry, Kind, Node, Nodes, Tree, TreeError, TreePath, links};
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Largest file that is read.
const LARGEST_FILE: u64 = 64 << 20;

/// A folder with everything beneath it, as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder at a path, which must be absolute and without links.
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn place(&self, path: &TreePath) -> PathBuf {
        self.root.join(path.as_str())
    }
}

/// The nearest folder above, or itself, that holds a repository.
pub(crate) fn repository_of(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|above| above.join(".git").exists())
}

fn unreadable(path: &TreePath, error: &io::Error) -> TreeError {
    match error.kind() {
        io::ErrorKind::NotFound => TreeError::NotFound { path: path.clone() },
        _ => TreeError::Unreadable { path: path.clone(), cause: error.to_string() },
    }
}

fn kind(metadata: &fs::Metadata) -> Option<Kind> {
    let file_type = metadata.file_type();
    if file_type.is_dir() {
        Some(Kind::Directory)
    } else if file_type.is_symlink() {
        Some(Kind::Link)
    } else if file_type.is_file() {
        let executable = metadata.permissions().mode() & 0o100 != 0;
        Some(if executable { Kind::Executable } else { Kind::File })
    } else {
        // Sockets, pipes and devices are no content.
        None
    }
}

/// Whether every folder above a path is a folder and not a link.
fn plain(root: &Path, path: &TreePath) -> bool {
    let mut folder = root.to_owned();
    let parents = path.parent();
    parents.iter().flat_map(|parent| parent.components().map(str::to_owned).collect::<Vec<_>>()).all(|name| {
        folder.push(name);
        fs::symlink_metadata(&folder).is_ok_and(|metadata| metadata.is_dir())
    })
}

impl Nodes for Folder {
    fn node(&self, path: &TreePath) -> Result<Option<Node>, TreeError> {
        if !plain(&self.root, path) {
            return Ok(None);
        }
        let metadata = match fs::symlink_metadata(self.place(path)) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(path, &error)),
        };
        // What a folder is rendered to is kept nowhere, so nobody asks for its id: the place stands for it.
        Ok(kind(&metadata).map(|kind| Node { kind, id: ContentId::of_bytes(path.as_str().as_bytes()) }))
    }

    fn children(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
        let failed = |error: io::Error| unreadable(directory, &error);
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.place(directory)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // A name that is no text cannot be named by anything in a source.
            let Ok(name) = entry.file_name().into_string() else { continue };
            // No commit holds one; plugins would be sent all of it.
            if name == ".git" {
                continue;
            }
            if let Some(kind) = kind(&entry.metadata().map_err(failed)?) {
                entries.push(DirEntry { name, kind });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn content(&self, path: &TreePath) -> Result<Bytes, TreeError> {
        let failed = |error: io::Error| unreadable(path, &error);
        let place = self.place(path);
        let metadata = fs::symlink_metadata(&place).map_err(failed)?;
        if metadata.file_type().is_symlink() {
            return Ok(fs::read_link(place).map_err(failed)?.into_os_string().into_vec().into());
        }
        if metadata.len() > LARGEST_FILE {
            return Err(TreeError::TooLarge {
                path: path.clone(),
                size: metadata.len(),
                limit: LARGEST_FILE,
            });
        }
        fs::read(place).map(Bytes::from).map_err(failed)
    }
}

impl Tree for Folder {
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
