//! The hub's own objects: Applications, AppProjects, ApplicationSets, the settings' ConfigMaps and Secrets. Typed
//! reads from memory, kept current by watches; writes that say what they expect. Interprets no setting and
//! decides nothing about applications.

mod application_sets;
mod applications;
mod bootstrap;
mod clusters;
mod error;
mod events;
mod members;
mod namespaces;
mod projects;
mod raw;
mod registrations;
mod repositories;
mod secret_data;
mod settings;
mod shards;
mod store;
mod trusted;
mod watched;

pub use applications::{StatusChange, merge_patch_of};
pub use bootstrap::{AdminPassword, Generated};
pub use clusters::{cluster_of, cluster_secret_data, cluster_secret_name};
pub use error::StoreError;
pub use events::EventRecord;
pub use members::{credentials_differences, repository_differences, repository_secret_data};
pub use namespaces::NamespaceFilter;
pub use projects::default_project;
pub use registrations::{Register, secret_name};
pub use repositories::{credentials_for, has_credentials, inherit, repository_for};
pub use secret_data::SecretEntry;
pub use settings::ConfigMapEntry;
pub use shards::{Algorithm, shard_of};
pub use store::{Managers, Store, StoreOptions};
pub use trusted::{GPG_KEYS, KNOWN_HOSTS, KNOWN_HOSTS_KEY, TLS_CERTIFICATES};
pub use watched::{Content, EventKind, Follower, Selectors, Stored, StoredEvent, Watched};
