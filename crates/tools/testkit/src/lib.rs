//! Real parts to test against, each started in private, on loopback, and gone when dropped.
//!
//! It starts outside programs (Go's builds of the control plane, of Dex and of Argo Rollouts,
//! `redis-server`, `git`, Chromium) and knows nothing of Argo CD; it stays free of async code and of Kubernetes
//! libraries, so that anything may depend on it.

pub mod api_client;
pub mod chromium;
pub mod control_plane;
pub mod dex;
pub mod git_http;
pub mod git_repo;
pub mod go_tools;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod registry;
pub mod rollouts;
pub mod sink;
pub mod smtp;
pub mod sshd;

mod accept;
mod cgi;
mod compile;
mod error;
mod http;
mod leash;
mod tls;
mod wait;

pub use error::Error;
pub use wait::{free_port, poll};
