//! The tree at a commit, read from the object database.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use gix::{
    objs::{Find, tree::EntryKind},
    odb::Header,
};
use source_tree::{ContentId, DirEntry, Entry, Kind, Node, Nodes, Tree, TreeError, TreePath, links};

use crate::{
    CommitId, Repository,
    lfs::{Pointer, Store},
};

/// Decoded folders kept per mirror, in entries; twice as many at most.
const MOST_ENTRIES: usize = 200_000;
/// Open handles kept per mirror.
const MOST_HANDLES: usize = 8;

type Handle = gix::odb::Cache<gix::odb::store::Handle<Arc<gix::odb::Store>>>;

/// The objects of one mirror as they lay on disk when it was opened, with what was decoded of them.
pub(crate) struct Objects {
    store: Arc<gix::odb::Store>,
    handles: Mutex<Vec<Handle>>,
    folders: Arc<Folders>,
}

impl Objects {
    pub(crate) fn new(store: Arc<gix::odb::Store>, folders: Arc<Folders>) -> Self {
        Self { store, handles: Mutex::default(), folders }
    }

    pub(crate) fn with_handle<R>(&self, read: impl FnOnce(&Handle) -> R) -> R {
        let free = self.handles.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let handle = free.unwrap_or_else(|| self.store.to_cache_arc());
        let result = read(&handle);
        let mut handles = self.handles.lock().unwrap_or_else(PoisonError::into_inner);
        if handles.len() < MOST_HANDLES {
            handles.push(handle);
        }
        result
    }

    /// The commit, decoded enough to give its tree; `None` when it is not here or is no commit.
    pub(crate) fn root_of(&self, commit: &CommitId) -> gix::Result<Option<gix::ObjectId>> {
        self.with_handle(|handle| {
            let mut buffer = Vec::new();
            let Some(data) = handle.try_find(&commit.object(), &mut buffer)? else { return Ok(None) };
            if data.kind != gix::objs::Kind::Commit {
                return Ok(None);
            }
            Ok(Some(gix::objs::CommitRef::from_bytes(data.data, gix::hash::Kind::Sha1)?.tree()))
        })
    }

    /// Whether an object is here, whatever it is.
    pub(crate) fn holds(&self, id: &CommitId) -> bool {
        self.with_handle(|handle| handle.try_header(&id.object()).is_ok_and(|header| header.is_some()))
    }

    fn folder(&self, id: gix::ObjectId) -> Result<Arc<Folder>, String> {
        if let Some(folder) = self.folders.get(&id) {
            return Ok(folder);
        }
        let folder = self.with_handle(|handle| {
            let mut buffer = Vec::new();
            if id.is_empty_tree() {
                return Ok(Folder::default());
            }
            match handle.try_find(&id, &mut buffer) {
                Ok(Some(data)) if data.kind == gix::objs::Kind::Tree => {
                    Folder::decode(data.data).map_err(|error| format!("decode tree {id}: {error}"))
                }
                Ok(Some(data)) => Err(format!("object {id} is a {}, not a tree", data.kind)),
                Ok(None) => Err(format!("tree {id} is missing")),
                Err(error) => Err(format!("read tree {id}: {error}")),
            }
        })?;
        let folder = Arc::new(folder);
        self.folders.put(id, folder.clone());
        Ok(folder)
    }
}

/// One decoded Git tree, by name.
#[derive(Default)]
struct Folder(Vec<Line>);

struct Line {
    name: String,
    kind: EntryKind,
    id: gix::ObjectId,
}

impl Folder {
    fn decode(data: &[u8]) -> gix::Result<Self> {
        let tree = gix::objs::TreeRef::from_bytes(data, gix::hash::Kind::Sha1)?;
        let mut lines: Vec<Line> = tree
            .entries
            .iter()
            .map(|entry| Line {
                name: readable(entry.filename).into_owned(),
                kind: entry.mode.kind(),
                id: entry.oid.to_owned(),
            })
            // Git refuses to make such names; a hand-made tree may still hold them.
            .filter(|line| !matches!(line.name.as_str(), "" | "." | "..") && !line.name.contains(['/', '\0']))
            .collect();
        lines.sort_by(|left, right| left.name.cmp(&right.name));
        Ok(Self(lines))
    }

    fn line(&self, name: &str) -> Option<&Line> {
        self.0.binary_search_by(|line| line.name.as_str().cmp(name)).ok().map(|at| &self.0[at])
    }
}

/// A file name as text. Bytes that are no UTF-8 become characters of the private use area (U+F780 to U+F7FF), so
/// that such a file has a name of its own and stands in the way of nobody.
fn readable(name: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(name) {
        return Cow::Borrowed(text);
    }
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().filter_map(|byte| char::from_u32(0xF700 + u32::from(*byte))));
    }
    Cow::Owned(text)
}

/// Decoded folders by id, shared by all commits of a mirror. Two generations: when the younger is full it becomes
/// the older, and what nobody asked for since goes.
#[derive(Default)]
pub(crate) struct Folders(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<gix::ObjectId, Arc<Folder>>,
    old: HashMap<gix::ObjectId, Arc<Folder>>,
    entries: usize,
}

impl Folders {
    fn get(&self, id: &gix::ObjectId) -> Option<Arc<Folder>> {
        let mut generations = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = generations.young.get(id) {
            return Some(folder.clone());
        }
        let folder = generations.old.remove(id)?;
        generations.keep(*id, folder.clone());
        Some(folder)
    }

    fn put(&self, id: gix::ObjectId, folder: Arc<Folder>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keep(id, folder);
    }
}

impl Generations {
    fn keep(&mut self, id: gix::ObjectId, folder: Arc<Folder>) {
        let entries = folder.0.len() + 1;
        if self.entries + entries > MOST_ENTRIES {
            self.old = std::mem::take(&mut self.young);
            self.entries = 0;
        }
        self.entries += entries;
        self.young.insert(id, folder);
    }
}

/// The tree of one commit. Cheap to clone; reads from any number of threads. It stays readable while newer commits
/// are fetched.
#[derive(Clone)]
pub struct GitTree {
    objects: Arc<Objects>,
    commit: CommitId,
    root: gix::ObjectId,
    most_file_bytes: u64,
    lfs: Option<Arc<Store>>,
    submodules: bool,
    modules: Arc<Modules>,
}

/// The trees of submodules by path, or why one cannot be read.
pub(crate) type Modules = BTreeMap<TreePath, Result<GitTree, String>>;

impl fmt::Debug for GitTree {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("GitTree").field("commit", &self.commit).finish_non_exhaustive()
    }
}

impl GitTree {
    pub(crate) fn new(
        objects: Arc<Objects>,
        commit: CommitId,
        root: gix::ObjectId,
        repository: &Repository,
        most_file_bytes: u64,
        lfs: Option<Arc<Store>>,
    ) -> Self {
        let (submodules, modules) = (repository.submodules, Arc::default());
        Self { objects, commit, root, most_file_bytes, lfs, submodules, modules }
    }

    /// The tree with its submodules.
    pub(crate) fn with_modules(mut self, modules: Modules) -> Self {
        self.modules = Arc::new(modules);
        self
    }

    /// The commit of a submodule at exactly this path.
    pub(crate) fn module_at(&self, path: &TreePath) -> Result<Option<CommitId>, TreeError> {
        let line = self.line(path)?;
        Ok(line.filter(|(kind, _)| *kind == EntryKind::Commit).map(|(_, id)| CommitId::from_object(&id)))
    }

    /// The innermost tree that holds the path, and the path in it.
    fn place(&self, path: &TreePath) -> Result<(&Self, TreePath), TreeError> {
        let (mut tree, mut rest) = (self, path.clone());
        loop {
            let found =
                tree.modules.iter().find_map(|(module, tree)| Some((tree, rest.strip_prefix(module)?)));
            let Some((module, inner)) = found else { return Ok((tree, rest)) };
            let module = module.as_ref().map_err(|cause| TreeError::Unreadable {
                path: path.clone(),
                cause: format!("the submodule cannot be read: {cause}"),
            })?;
            rest = TreePath::parse(inner)
                .map_err(|error| TreeError::Unreadable { path: path.clone(), cause: error.to_string() })?;
            tree = module;
        }
    }

    /// The commit whose tree this is.
    pub fn commit(&self) -> &CommitId {
        &self.commit
    }

    /// The folder at exactly this path; `None` when it is none.
    fn folder(&self, path: &TreePath) -> Result<Option<Arc<Folder>>, TreeError> {
        let unreadable = |cause| TreeError::Unreadable { path: path.clone(), cause };
        let mut folder = self.objects.folder(self.root).map_err(unreadable)?;
        for part in path.components() {
            let (kind, id) = match folder.line(part) {
                Some(line) => (line.kind, line.id),
                None => return Ok(None),
            };
            folder = match kind {
                EntryKind::Tree => self.objects.folder(id).map_err(unreadable)?,
                EntryKind::Commit if self.submodules => {
                    return Err(TreeError::Unsupported {
                        path: path.clone(),
                        what: "a submodule without an entry in .gitmodules is",
                    });
                }
                EntryKind::Commit => Arc::default(),
                _ => return Ok(None),
            };
        }
        Ok(Some(folder))
    }

    fn line(&self, path: &TreePath) -> Result<Option<(EntryKind, gix::ObjectId)>, TreeError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Some((EntryKind::Tree, self.root)));
        };
        let folder = self.folder(&parent)?;
        Ok(folder.and_then(|folder| folder.line(name).map(|line| (line.kind, line.id))))
    }
}

fn kind(kind: EntryKind) -> Kind {
    match kind {
        // A submodule is a folder; whether it can be entered is another question.
        EntryKind::Tree | EntryKind::Commit => Kind::Directory,
        EntryKind::Blob => Kind::File,
        EntryKind::BlobExecutable => Kind::Executable,
        EntryKind::Link => Kind::Link,
    }
}

impl Nodes for GitTree {
    fn node(&self, path: &TreePath) -> Result<Option<Node>, TreeError> {
        // The folder of a submodule is a line of the tree around it: it is there when nothing can be read of it.
        let around = path.parent().unwrap_or_else(TreePath::root);
        let (tree, folder) = self.place(&around)?;
        let inner = match path.file_name() {
            Some(name) => folder.child(name),
            None => folder,
        };
        let Some((entry_kind, object)) = tree.line(&inner)? else { return Ok(None) };
        let id = ContentId::git(object.as_bytes()).ok_or_else(|| TreeError::Unreadable {
            path: path.clone(),
            cause: format!("object {object} has an id of unknown length"),
        })?;
        Ok(Some(Node { kind: kind(entry_kind), id }))
    }

    fn children(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
        let (tree, inner) = self.place(directory)?;
        let folder =
            tree.folder(&inner)?.ok_or_else(|| TreeError::NotADirectory { path: directory.clone() })?;
        Ok(folder.0.iter().map(|line| DirEntry { name: line.name.clone(), kind: kind(line.kind) }).collect())
    }

    fn content(&self, path: &TreePath) -> Result<Bytes, TreeError> {
        let (tree, inner) = self.place(path)?;
        let Some((kind, id)) = tree.line(&inner)? else {
            return Err(TreeError::NotFound { path: path.clone() });
        };
        let content = tree.blob(path, id)?;
        match (&tree.lfs, Pointer::read(&content)) {
            (Some(store), Some(pointer)) if kind != EntryKind::Link => {
                let (size, limit) = (pointer.size, tree.most_file_bytes);
                if size > limit {
                    return Err(TreeError::TooLarge { path: path.clone(), size, limit });
                }
                let unreadable =
                    |cause| TreeError::Unreadable { path: path.clone(), cause: format!("git lfs: {cause}") };
                store.content(&pointer).map_err(unreadable)
            }
            _ => Ok(content),
        }
    }
}

impl GitTree {
    fn blob(&self, path: &TreePath, id: gix::ObjectId) -> Result<Bytes, TreeError> {
        let unreadable = |cause: String| TreeError::Unreadable { path: path.clone(), cause };
        self.objects.with_handle(|handle| {
            let header = handle.try_header(&id).map_err(|error| unreadable(error.to_string()))?;
            let Some(header) = header else { return Err(unreadable(format!("blob {id} is missing"))) };
            let (size, limit) = (header.size(), self.most_file_bytes);
            if size > limit {
                return Err(TreeError::TooLarge { path: path.clone(), size, limit });
            }
            let mut buffer = Vec::new();
            match handle.try_find(&id, &mut buffer) {
                Ok(Some(data)) if data.kind == gix::objs::Kind::Blob => Ok(Bytes::from(buffer)),
                Ok(Some(data)) => Err(unreadable(format!("object {id} is a {}, not a blob", data.kind))),
                Ok(None) => Err(unreadable(format!("blob {id} is missing"))),
                Err(error) => Err(unreadable(error.to_string())),
            }
        })
    }
}

impl Tree for GitTree {
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
