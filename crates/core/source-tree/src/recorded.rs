//! A tree that notes what it is asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::{
    ContentId, DirEntry, Entry, Kind, Question, ReadSet, Tree, TreeError, TreePath,
    read_set::{entry_answer, list_answer, read_answer, whole_answer},
};

/// Questions noted for one render. A render that asks more is simply not cached.
const MOST_QUESTIONS: usize = 100_000;

/// Passes every question on and notes it with its answer. The lock is held only to note: renders read from several
/// threads.
#[derive(Debug)]
pub struct Recorded<T> {
    tree: T,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    set: ReadSet,
    incomplete: bool,
}

impl<T: Tree> Recorded<T> {
    /// Starts with nothing noted.
    pub fn new(tree: T) -> Self {
        Self { tree, notes: Mutex::default() }
    }

    /// What was asked so far. `None` when some answer was not a fact about the tree (the store failed) or the render
    /// asked too much: then its result must not be kept.
    pub fn read_set(&self) -> Option<ReadSet> {
        let notes = self.notes();
        (!notes.incomplete).then(|| notes.set.clone())
    }

    /// The tree itself. What it is asked directly is not noted.
    pub fn unrecorded(&self) -> &T {
        &self.tree
    }

    fn note(&self, question: Question, path: &TreePath, answer: Option<String>) {
        let mut notes = self.notes();
        match answer {
            Some(answer) if notes.set.len() < MOST_QUESTIONS => notes.set.note(question, path, answer),
            _ => notes.incomplete = true,
        }
    }

    /// Notes that a link is on the way to a path: what lies there changes without the path's own files.
    fn note_link(&self, path: &TreePath, entry: &Result<Option<Entry>, TreeError>) {
        let leads_elsewhere = match entry {
            Ok(Some(entry)) => entry.path != *path,
            Ok(None) => self.is_behind_link(path),
            Err(_) => true,
        };
        if leads_elsewhere {
            self.note(Question::Link, path, Some(String::new()));
        }
    }

    /// Whether a path where nothing lies is a link that leads nowhere, or lies behind a link.
    fn is_behind_link(&self, path: &TreePath) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
        match self.tree.entry(&parent) {
            Ok(Some(entry)) if entry.path == parent => {
                let beside = self.tree.list(&parent).unwrap_or_default();
                beside.iter().any(|entry| entry.name == name && entry.kind == Kind::Link)
            }
            Ok(None) => self.is_behind_link(&parent),
            Ok(Some(_)) | Err(_) => true,
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        // A panic while noting leaves at worst a question out, and its render has no result to keep.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Tree> Tree for Recorded<T> {
    fn entry(&self, path: &TreePath) -> Result<Option<Entry>, TreeError> {
        let result = self.tree.entry(path);
        self.note(Question::Entry, path, entry_answer(path, &result));
        self.note_link(path, &result);
        result
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<DirEntry>, TreeError> {
        let result = self.tree.list(directory);
        self.note(Question::List, directory, list_answer(&result));
        self.note_link(directory, &self.tree.entry(directory));
        result
    }

    fn read(&self, path: &TreePath) -> Result<Bytes, TreeError> {
        let entry = self.tree.entry(path);
        let answer = read_answer(&entry, &self.tree.content_id(path));
        let result = self.tree.read(path);
        let failed = result.as_ref().is_err_and(TreeError::retryable);
        self.note(Question::Read, path, answer.filter(|_| !failed));
        self.note_link(path, &entry);
        result
    }

    fn content_id(&self, path: &TreePath) -> Result<Option<ContentId>, TreeError> {
        let result = self.tree.content_id(path);
        self.note(Question::Whole, path, whole_answer(&result));
        self.note_link(path, &self.tree.entry(path));
        result
    }
}
