//! Config management plugins: programs beside the repo-server, reached by Unix sockets in one folder, that render
//! what they are sent. Finds the plugin for a source, sends it a private, bounded copy of the tree, and takes its
//! manifests. Knows nothing of what a plugin runs.

pub mod archive;
mod error;
pub mod pattern;
mod plugins;
mod stream;

pub use error::PluginError;
pub use plugins::{Files, Options, Plugin, Plugins, Variable};
