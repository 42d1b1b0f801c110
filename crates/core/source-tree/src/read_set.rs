//! What a render asked of its tree and was told, so that another tree can be asked the same.
//!
//! Two trees that answer a read set alike give the same render: this is the key of the manifest cache. Questions
//! are of four sorts, and an answer holds no more than the renderer could see: of a file its content id, of a
//! listing the names and kinds (not what the files hold), of a probe the kind and place, of a folder taken whole the
//! id of everything beneath. A miss is an answer, and so is an error that is a fact about the tree.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{ContentId, DirEntry, Entry, Kind, Tree, TreeError, TreePath};

/// The answer where nothing lies.
const ABSENT: &str = "absent";
/// Before an error that is a fact about the tree.
const ERROR: &str = "error: ";

/// What can be asked of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Question {
    /// What lies there, if anything.
    Entry,
    /// The names and kinds in a folder.
    List,
    /// The bytes of a file.
    Read,
    /// Everything at or beneath a path.
    Whole,
    /// Nothing that can differ: a mark that links are on the way to a path.
    Link,
}

/// Questions with the answers they got, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Item>", into = "Vec<Item>")]
pub struct ReadSet {
    answers: BTreeMap<(Question, TreePath), String>,
}

#[derive(Serialize, Deserialize)]
struct Item(Question, TreePath, String);

impl ReadSet {
    /// Whether `tree` answers every question as it was answered before. Compares ids; reads no content. A tree that
    /// cannot be read right now does not hold.
    pub fn holds(&self, tree: &dyn Tree) -> bool {
        self.answers.iter().all(|((question, path), answer)| {
            self::answer(tree, *question, path).is_some_and(|now| now == *answer)
        })
    }

    /// Whether a change of these files, and of no others, may make a tree answer otherwise. Files that were added,
    /// removed and modified count alike; a moved one is two. Says yes when in doubt: where links are on the way, and
    /// where nothing more is known than that a folder is there.
    pub fn may_change(&self, files: &[TreePath]) -> bool {
        if self.answers.keys().any(|(question, _)| *question == Question::Link) {
            return true;
        }
        files.iter().any(|file| {
            self.answers.iter().any(|((question, path), answer)| {
                // A link or a submodule is one file to Git, whatever lies beneath.
                if path.starts_with(file) {
                    return true;
                }
                let beneath = file.starts_with(path);
                let stays = *question == Question::Entry
                    && answer == Kind::Directory.as_str()
                    && self.is_there_for(path);
                beneath && !stays
            })
        })
    }

    /// Whether a folder is there for as long as what was found beneath it is.
    fn is_there_for(&self, folder: &TreePath) -> bool {
        folder.is_root()
            || self.answers.iter().any(|((_, path), answer)| {
                path != folder && path.starts_with(folder) && answer != ABSENT && !answer.starts_with(ERROR)
            })
    }

    /// One hash over all questions and answers.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        for ((question, path), answer) in &self.answers {
            for field in [&[*question as u8], path.as_str().as_bytes(), answer.as_bytes()] {
                hash.update((field.len() as u64).to_be_bytes());
                hash.update(field);
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The questions with their answers, in order.
    pub fn iter(&self) -> impl Iterator<Item = (Question, &TreePath, &str)> {
        self.answers.iter().map(|((question, path), answer)| (*question, path, answer.as_str()))
    }

    /// How many questions were asked.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether nothing was asked.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    pub(crate) fn note(&mut self, question: Question, path: &TreePath, answer: String) {
        self.answers.insert((question, path.clone()), answer);
    }
}

/// Asks the question; `None` when the tree cannot tell now.
fn answer(tree: &dyn Tree, question: Question, path: &TreePath) -> Option<String> {
    match question {
        Question::Entry => entry_answer(path, &tree.entry(path)),
        Question::List => list_answer(&tree.list(path)),
        Question::Read => read_answer(&tree.entry(path), &tree.content_id(path)),
        Question::Whole => whole_answer(&tree.content_id(path)),
        Question::Link => Some(String::new()),
    }
}

pub(crate) fn entry_answer(path: &TreePath, result: &Result<Option<Entry>, TreeError>) -> Option<String> {
    match result {
        Ok(None) => Some(ABSENT.to_owned()),
        Ok(Some(entry)) if entry.path == *path => Some(entry.kind.as_str().to_owned()),
        Ok(Some(entry)) => Some(format!("{} at {}", entry.kind.as_str(), entry.path)),
        Err(error) => fact(error),
    }
}

pub(crate) fn list_answer(result: &Result<Vec<DirEntry>, TreeError>) -> Option<String> {
    match result {
        Ok(entries) => {
            let mut hash = Sha256::new();
            for entry in entries {
                hash.update((entry.name.len() as u64).to_be_bytes());
                hash.update(&entry.name);
                hash.update(entry.kind.as_str());
            }
            Some(format!("list {}", ContentId::of_bytes(&hash.finalize())))
        }
        Err(error) => fact(error),
    }
}

/// A folder's id changes with anything beneath it, which a failed read of a folder does not see: only a file's counts.
pub(crate) fn read_answer(
    entry: &Result<Option<Entry>, TreeError>,
    id: &Result<Option<ContentId>, TreeError>,
) -> Option<String> {
    match entry {
        Ok(Some(entry)) if entry.kind.is_file() => whole_answer(id),
        Ok(Some(_)) => Some("directory".to_owned()),
        Ok(None) => Some(ABSENT.to_owned()),
        Err(error) => fact(error),
    }
}

pub(crate) fn whole_answer(id: &Result<Option<ContentId>, TreeError>) -> Option<String> {
    match id {
        Ok(Some(id)) => Some(id.to_string()),
        Ok(None) => Some(ABSENT.to_owned()),
        Err(error) => fact(error),
    }
}

fn fact(error: &TreeError) -> Option<String> {
    (!error.retryable()).then(|| format!("{ERROR}{error}"))
}

impl From<Vec<Item>> for ReadSet {
    fn from(items: Vec<Item>) -> Self {
        Self {
            answers: items
                .into_iter()
                .map(|Item(question, path, answer)| ((question, path), answer))
                .collect(),
        }
    }
}

impl From<ReadSet> for Vec<Item> {
    fn from(set: ReadSet) -> Self {
        set.answers.into_iter().map(|((question, path), answer)| Item(question, path, answer)).collect()
    }
}
