//! Bare mirrors of Git repositories: what a revision means, fetching it, and reading the tree at a commit straight
//! from the object database. There is no checkout and no working copy to lock. Knows nothing of applications,
//! manifests or where credentials are kept.

mod ancestors;
mod cloud;
mod error;
mod flight;
mod github_app;
mod http;
mod interrupt;
mod lfs;
mod location;
mod metadata;
mod mirror;
mod modules;
mod options;
mod process;
mod references;
mod refs;
mod repositories;
mod repository;
mod signed;
mod socks;
mod tokens;
mod transport;
mod tree;

pub use cloud::AzureWorkload;
pub use error::{Cause, GitError};
pub use metadata::RevisionMetadata;
pub use options::{Authorities, FetchOutcome, Freshness, Observer, Options, RequestKind, RequestReport};
pub use references::CommitReference;
pub use refs::{CommitId, InvalidCommitId, RefList, ResolvedRevision};
pub use repositories::Repositories;
pub use repository::{Azure, GitHubApp, Repository, RepositoryId};
pub use signed::{SignedObject, Trusted};
pub use tree::GitTree;
