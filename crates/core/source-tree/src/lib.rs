//! The trait every renderer reads a source through, and the record of what it read.
//!
//! A [`Tree`] is a folder with everything beneath it, frozen: a commit, or files sent along with a request. There is
//! no file system behind it, so no path and no symbolic link can leave it. [`Recorded`] notes what a renderer asked
//! and was told; the resulting [`ReadSet`] says of any other tree whether the same render would see the same.
//! Knows nothing of Git, of commits or of manifests.

mod id;
pub mod links;
mod memory;
mod path;
mod read_set;
mod recorded;
mod tree;

pub use id::{ContentId, InvalidContentId};
pub use links::{Node, Nodes};
pub use memory::{MemoryTree, MemoryTreeBuilder, Misplaced};
pub use path::{InvalidPath, PathProblem, TreePath};
pub use read_set::{Question, ReadSet};
pub use recorded::Recorded;
pub use tree::{DirEntry, Entry, Kind, Tree, TreeError};
