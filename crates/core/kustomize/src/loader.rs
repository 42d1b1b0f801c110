//! Reading files below a root, and going on to other roots: what may be read, and where circles are refused.

use crate::error::{Error, Result, Within as _};
use crate::repository_url::{self, RepositoryUrl};
use crate::seams::{Remote, SeamError};
use crate::{Limits, LoadRestrictions};
use bytes::Bytes;
use source_tree::{InvalidPath, Tree, TreePath};
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

/// What all loaders of one build share.
pub(crate) struct Reading<'a> {
    pub(crate) remote: &'a dyn Remote,
    pub(crate) restrictions: LoadRestrictions,
    pub(crate) limits: Limits,
    bytes: Cell<u64>,
    folders: Cell<usize>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(remote: &'a dyn Remote, restrictions: LoadRestrictions, limits: Limits) -> Self {
        Self { remote, restrictions, limits, bytes: Cell::new(0), folders: Cell::new(0) }
    }

    fn count_bytes(&self, read: usize, path: &str) -> Result<()> {
        let bytes = self.bytes.get().saturating_add(read as u64);
        self.bytes.set(bytes);
        if bytes > self.limits.bytes {
            return Err(Error::limit(format!(
                "load {path}: more than the limit of {} bytes in one build",
                self.limits.bytes
            )));
        }
        Ok(())
    }

    fn count_folder(&self, path: &TreePath) -> Result<()> {
        self.folders.set(self.folders.get() + 1);
        if self.folders.get() > self.limits.folders {
            return Err(Error::limit(format!(
                "load {path}: more than the limit of {} kustomizations in one build",
                self.limits.folders
            )));
        }
        Ok(())
    }
}

#[derive(Clone)]
enum Source<'a> {
    Here(&'a dyn Tree),
    Elsewhere(Arc<dyn Tree>),
}

/// A root and the way to it.
pub(crate) struct Loader<'a> {
    source: Source<'a>,
    root: TreePath,
    repository: Option<RepositoryUrl>,
    referrer: Option<Rc<Loader<'a>>>,
    depth: usize,
    pub(crate) reading: Rc<Reading<'a>>,
}

impl<'a> Loader<'a> {
    /// The loader of the folder a build starts in.
    pub(crate) fn start(tree: &'a dyn Tree, path: &TreePath, reading: Rc<Reading<'a>>) -> Result<Self> {
        let root = folder(tree, path)?;
        Ok(Self { source: Source::Here(tree), root, repository: None, referrer: None, depth: 0, reading })
    }

    pub(crate) fn tree(&self) -> &dyn Tree {
        match &self.source {
            Source::Here(tree) => *tree,
            Source::Elsewhere(tree) => &**tree,
        }
    }

    pub(crate) fn root(&self) -> &TreePath {
        &self.root
    }

    /// The loader of another folder, or of a folder of another repository.
    pub(crate) fn enter(self: &Rc<Self>, path: &str) -> Result<Self> {
        if path.is_empty() {
            return Err(Error::invalid("new root cannot be empty"));
        }
        if self.depth >= self.reading.limits.depth {
            let depth = self.reading.limits.depth;
            return Err(Error::limit(format!(
                "load {path}: kustomizations nested deeper than the limit of {depth}"
            )));
        }
        if let Some(url) = repository_url::parse(path) {
            return self.enter_repository(url);
        }
        if path.starts_with('/') {
            return Err(Error::invalid(format!("new root '{path}' cannot be absolute")));
        }
        let wanted = self.root.join(path).map_err(|error| outside(&error))?;
        let root = folder(self.tree(), &wanted).within(|| "must build at directory".to_owned())?;
        self.refuse_circle(&root)?;
        self.reading.count_folder(&root)?;
        Ok(Self { source: self.source.clone(), root, repository: None, ..self.beneath() })
    }

    fn beneath(self: &Rc<Self>) -> Self {
        Self {
            source: self.source.clone(),
            root: self.root.clone(),
            repository: None,
            referrer: Some(Rc::clone(self)),
            depth: self.depth + 1,
            reading: Rc::clone(&self.reading),
        }
    }

    fn enter_repository(self: &Rc<Self>, url: RepositoryUrl) -> Result<Self> {
        let mut loader = Some(self);
        while let Some(one) = loader {
            if let Some(before) = one.repository.as_ref().filter(|before| before.raw.starts_with(&url.raw)) {
                return Err(Error::invalid(format!(
                    "cycle detected: URI '{}' referenced by previous URI '{}'",
                    url.raw, before.raw
                )));
            }
            loader = one.referrer.as_ref();
        }
        let tree = self.reading.remote.tree(&url.base).map_err(|error| seam(&error, &url.raw))?;
        let wanted = TreePath::parse(&url.folder).map_err(|error| outside(&error))?;
        let root = folder(&*tree, &wanted).within(|| format!("load {}", url.raw))?;
        self.reading.count_folder(&root)?;
        Ok(Self { source: Source::Elsewhere(tree), root, repository: Some(url), ..self.beneath() })
    }

    /// A folder that holds one on the way here would come back.
    fn refuse_circle(&self, candidate: &TreePath) -> Result<()> {
        let mut loader = self;
        loop {
            if loader.root.starts_with(candidate) {
                return Err(Error::invalid(format!(
                    "cycle detected: candidate root '{candidate}' contains visited root '{}'",
                    loader.root
                )));
            }
            // What lies in another repository cannot be a folder of this one.
            match &loader.referrer {
                Some(referrer) if loader.repository.is_none() => loader = referrer,
                _ => return Ok(()),
            }
        }
    }

    /// The bytes of a file below the root, or of a URL.
    pub(crate) fn load(&self, path: &str) -> Result<Bytes> {
        if path.starts_with("http://") || path.starts_with("https://") {
            let content = self.reading.remote.file(path).map_err(|error| seam(&error, path))?;
            self.reading.count_bytes(content.len(), path)?;
            return Ok(content.into());
        }
        if path.starts_with('/') {
            return Err(Error::invalid(format!(
                "security; file '{path}' is not in or below '{}'",
                self.root
            )));
        }
        let wanted = self.root.join(path).map_err(|error| outside(&error))?;
        let entry = self.tree().entry(&wanted)?;
        let Some(entry) = entry else {
            return Err(Error::invalid(format!(
                "evalsymlink failure on '{wanted}' : lstat {wanted}: no such file or directory"
            )));
        };
        if !entry.kind.is_file() {
            return Err(Error::invalid(format!("'{wanted}' must resolve to a file")));
        }
        let restricted = self.reading.restrictions == LoadRestrictions::RootOnly || !self.is_first_tree();
        let inside = entry.path.parent().is_some_and(|folder| folder.starts_with(&self.root));
        if restricted && !inside {
            return Err(Error::invalid(format!(
                "security; file '{wanted}' is not in or below '{}'",
                self.root
            )));
        }
        let content = self.tree().read(&wanted)?;
        self.reading.count_bytes(content.len(), path)?;
        Ok(content)
    }

    fn is_first_tree(&self) -> bool {
        matches!(self.source, Source::Here(_))
    }
}

fn outside(error: &InvalidPath) -> Error {
    Error::invalid(format!("security; {error}"))
}

pub(crate) fn seam(error: &SeamError, what: &str) -> Error {
    let message = format!("load {what}: {}", error.cause);
    if error.retry { Error::Unreadable { message } } else { Error::Unsupported { message } }
}

/// Where a folder really lies.
fn folder(tree: &dyn Tree, path: &TreePath) -> Result<TreePath> {
    match tree.entry(path)? {
        None => Err(Error::invalid(format!(
            "evalsymlink failure on '{path}' : lstat {path}: no such file or directory"
        ))),
        Some(entry) if entry.kind.is_file() => {
            Err(Error::invalid(format!("'{path}': file is not directory")))
        }
        Some(entry) => Ok(entry.path),
    }
}
