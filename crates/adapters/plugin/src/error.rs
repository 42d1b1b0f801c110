//! Why a plugin gives nothing, in the original's words where users know them.

use source_tree::TreeError;

/// Why a plugin gives nothing.
#[derive(Clone, Debug, thiserror::Error)]
pub enum PluginError {
    /// No plugin of that name takes the folder.
    #[error("couldn't find cmp-server plugin with name {name:?} supporting the given repository{}", after(.reason))]
    Missing {
        /// The name, with its version.
        name: String,
        /// What is known of why; empty when there is no such plugin, or it does not want the folder.
        reason: String,
    },
    /// No plugin takes the folder.
    #[error("could not find plugin supporting the given repository")]
    NoneFits,
    /// A plugin could not be asked whether it takes the folder.
    #[error("ask plugin {name:?} whether it supports the given repository: {}", status(.error))]
    Discovery {
        /// The plugin.
        name: String,
        /// What it, or the way to it, said.
        error: Box<tonic::Status>,
    },
    /// The plugin failed.
    #[error("{what}: {}", status(.error))]
    Failed {
        /// What it was to do.
        what: &'static str,
        /// What it, or the way to it, said.
        error: Box<tonic::Status>,
    },
    /// The tree cannot be sent.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// There is more than is sent.
    #[error(
        "send files to the plugin: {what} exceed the limit of {limit}; leave some out with --plugin-tar-exclude"
    )]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
    /// There is nothing to send.
    #[error("no files to send({folder})")]
    Nothing {
        /// The folder.
        folder: String,
    },
    /// The file system failed.
    #[error("{what}: {cause}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        cause: String,
    },
}

impl PluginError {
    /// Whether trying again may help without anybody changing anything.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Tree(error) => error.retryable(),
            Self::System { .. } | Self::Discovery { .. } => true,
            Self::Failed { error, .. } => {
                matches!(error.code(), tonic::Code::Unavailable | tonic::Code::DeadlineExceeded)
            }
            Self::Missing { reason, .. } => !reason.is_empty(),
            Self::NoneFits | Self::TooMuch { .. } | Self::Nothing { .. } => false,
        }
    }
}

fn after(reason: &str) -> String {
    if reason.is_empty() { String::new() } else { format!(": {reason}") }
}

/// As Go's gRPC prints it.
fn status(status: &tonic::Status) -> String {
    format!("rpc error: code = {} desc = {}", transport::code_name(status.code()), status.message())
}
