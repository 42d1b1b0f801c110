//! Jsonnet, evaluated in processes of their own: the evaluator has nothing that could stop it, but a process can be
//! ended, and what it takes of memory can be bounded. Knows nothing of applications or of what the result is for.

mod child;
mod evaluators;
mod frames;

pub use child::serve;
pub use evaluators::{Evaluators, Program};

/// What a program is called that is to be a child.
pub const NAME: &str = "argocd-jsonnet-evaluator";

/// Memory of a child, beside the stack that parsing may need.
pub const MEMORY_BYTES: u64 = 1 << 30;

/// Text that an evaluation may give.
pub const OUTPUT_BYTES: usize = 100 << 20;
