//! What is shown of live objects, and how they hang together. Knows neither clusters nor applications'
//! settings; keeps no state.

mod assemble;
mod host;
mod info;
mod network;
mod owner;
mod pod;

pub use assemble::{Input, LiveNode, Owner, application_tree, resource_node, summary};
pub use host::{HostFacts, PodFacts, Usage};
pub use info::{InfoOptions, NodeInfo, node_info};
pub use owner::{ImpliedOwner, claims, implied_owners};
