//! Bare mirrors of Git repositories: what a revision means, fetching it, and reading the tree at a commit straight
//! from the object database. There is no checkout and no working copy to lock. Knows nothing of applications,
//! manifests or where credentials are kept.

mod error;
mod flight;
mod http;
mod interrupt;
mod location;
mod metadata;
mod mirror;
mod process;
mod refs;
mod repositories;
mod repository;
mod transport;
mod tree;

pub use error::{Cause, GitError};
pub use metadata::RevisionMetadata;
pub use refs::{CommitId, InvalidCommitId, RefList, ResolvedRevision};
pub use repositories::{
    FetchOutcome, Freshness, Observer, Options, Repositories, RequestKind, RequestReport,
};
pub use repository::{Repository, RepositoryId};
pub use tree::GitTree;
