//! Jsonnet, read through a [`Tree`](source_tree::Tree): a file, external variables, top-level arguments and library folders become the
//! JSON text that go-jsonnet prints. Imports cannot leave the tree. Knows nothing of Kubernetes.

mod error;
mod evaluate;
mod imports;
mod places;
mod print;

pub use error::JsonnetError;
pub use evaluate::evaluate;

use serde::{Deserialize, Serialize};
use source_tree::TreePath;
use std::collections::BTreeMap;

/// How deep calls may nest, as go-jsonnet's default.
pub(crate) const DEEPEST: usize = 500;
/// Brackets within each other in one file.
pub(crate) const DEEPEST_BRACKETS: usize = 500;
/// Words and signs of one file that may each begin a level of nesting without a bracket.
pub(crate) const MOST_OPENINGS: usize = 20_000;
/// Stack for the parser, which recurses: 10 KiB a level in a debug build. Address space; what is not used is not
/// there.
pub const STACK_BYTES: usize = 256 << 20;
/// Files imported by one evaluation.
pub(crate) const MOST_IMPORTS: usize = 10_000;

/// A value given from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Variable {
    /// A string.
    Text(String),
    /// Jsonnet to evaluate.
    Code(String),
}

/// What an evaluation is given besides its file.
#[derive(Clone, Debug, Default)]
pub struct Parameters {
    /// `std.extVar`.
    pub external: BTreeMap<String, Variable>,
    /// Arguments, when the file's value is a function.
    pub top_level: BTreeMap<String, Variable>,
    /// Folders searched for imports that do not lie beside the importing file, in this order.
    pub libraries: Vec<TreePath>,
}
