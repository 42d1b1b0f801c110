//! Repositories over every transport; the other side is always the real program.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod clouds;
mod github;
mod http;
mod lfs;
mod local;
mod modules;
mod signed;
mod ssh;
mod support;
