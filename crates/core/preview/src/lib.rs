//! What a pull request would change, in the words of a commit status and of a comment. What is compared with what, and
//! who is told where, others say; what manifests and messages hold is text here, and never markup.

mod asked;
mod changes;
mod comment;
mod lines;
mod text;

pub use asked::{ANNOTATION, Asked};
pub use changes::{Change, Changed, Judgement, State};
pub use comment::{Comment, Entry, Style};
pub use lines::difference;
