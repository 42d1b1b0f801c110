//! Repositories over every transport; the other side is always the real program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod http;
mod local;
mod ssh;
mod support;
