//! One Kubernetes cluster over HTTP: how it is reached, what kinds it serves, how its objects are read,
//! watched and written. Knows nothing of applications; decides nothing. Objects go in and come out as
//! [`object::Object`]; the HTTP client below is not visible from outside.

mod access;
mod answer;
mod apply;
mod cluster;
mod connect;
mod discovery;
mod error;
mod exec;
mod field_managers;
mod forward;
mod items;
mod kubeconfig;
mod logs;
mod merge;
mod merge_keys;
mod meter;
mod proxy;
mod read;
mod request;
mod sender;
mod shapes;
mod throttle;
mod watch;
mod write;

pub use access::Review;
pub use apply::{Applied, ApplyOptions, Known, Method, Outcome};
pub use cluster::{Cluster, ServerVersion};
pub use connect::{Access, Connection, Impersonation, Limits};
pub use discovery::{ApiResource, Discovery, FailedGroup};
pub use error::{Error, Status};
pub use exec::{Terminal, Window};
pub use forward::PodStream;
pub use items::ItemSplitter;
pub use kubeconfig::{KubeContext, KubeEndpoint, Kubeconfigs};
pub use logs::{LogLines, LogOptions};
pub use merge::{apply_merge_patch, merge_patch, three_way};
pub use meter::{Measured, Meter, ResourcePath, resource};
pub use read::{ListOptions, Listed};
pub use request::RawAnswer;
pub use watch::{WatchEvent, WatchOptions, WatchStream};
pub use write::{DeleteOptions, DryRun, FieldValidation, Patch, Propagation, WriteOptions};
