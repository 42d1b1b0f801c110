//! What is live in one cluster, kept current by watches and indexed for those who reconcile.
//!
//! The [`Index`] is a synchronous state machine fed by [`Index::apply`] and [`Index::delete`]; it knows nothing of
//! tasks or transports. [`ClusterCache`] feeds it from a cluster. What an object means to applications is for the
//! [`Extract`] it is given to say: this crate knows neither tracking nor health.

mod cache;
mod entry;
mod extract;
mod health;
mod index;
mod intern;
mod options;
mod status;
mod subscribe;
mod supervise;
mod watcher;

pub use cache::{ClusterCache, LiveError};
pub use entry::{Entry, Owner, ResourceVersion, Uid};
pub use extract::{Extract, Extracted, Implied};
pub use index::{Change, ChangeKind, Index, Node};
pub use intern::Interner;
pub use options::Options;
pub use status::{KindState, Stats};
pub use subscribe::{Notice, Subscription};
