//! Pushes told by Git hosts and registries: whether one may be believed, what it says, and which applications it
//! concerns. Knows nothing of HTTP servers, clusters or repositories: a request comes in as a value, an answer goes out.

mod receive;
mod request;
mod secrets;

pub mod event;
pub mod index;
pub mod locator;
pub mod queue;
pub mod refresh_paths;
pub mod revision;

mod providers;
mod web_url;

pub use event::{Event, Provider, PullRequest, Push, RefChange, RegistryPush};
pub use index::{Affected, ApplicationKey, Effect, Index, Role, Source, Watch};
pub use locator::{InvalidWebUrl, RepositoryKey};
pub use queue::{Job, Pushed, Queue};
pub use receive::{Reception, receive};
pub use request::{Answer, Audience, Refusal, Request};
pub use secrets::Secrets;
