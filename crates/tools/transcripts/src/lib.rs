//! Recorded conversations with the original: read from their files, brought into a form in which what differs from
//! run to run is the same, and compared with what ours answers. Knows nothing of who answers.

mod compare;
mod exchange;
mod json;
mod normal;
mod places;
mod record;
mod web;

pub use compare::{Mismatch, compare, compare_calls, compare_objects, compare_responses};
pub use exchange::{Exchange, Request, Response};
pub use normal::Replacements;
pub use record::{Answer, Call, Malformed, Record};
pub use web::{compare_frames, unhex};
