//! HTTP(S) downloads for whoever reads sources: trust, credentials, proxies, limits. Knows nothing of charts and
//! registries.

mod access;
mod client;
mod error;
mod guard;
mod named;

pub use access::{Access, AccountId};
pub use client::{Answer, Ask, Client, same_place, shown};
pub use error::DownloadError;
pub use named::named;
