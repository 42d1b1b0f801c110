//! The sidecar of a config management plugin: listens on a socket, gets files, runs the plugin's commands on them.
//! Knows the commands of one `plugin.yaml` and nothing of applications.

mod command;
mod configuration;
mod discovery;
mod receive;
mod service;

pub use configuration::{Configuration, InvalidConfiguration};
pub use service::{Options, PluginServer};

use boot::flags::Flags;
use boot::stop::Stop;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use wire::plugin::config_management_plugin_service_server::ConfigManagementPluginServiceServer;
use wire::version::version_service_server::VersionServiceServer;

/// The component's name, as its binary is called.
pub const COMPONENT: &str = "argocd-cmp-server";

/// Why the component does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// `plugin.yaml` cannot be used.
    #[error(transparent)]
    Configuration(#[from] InvalidConfiguration),
    /// A folder or the socket.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
}

/// The gRPC services as a router.
pub fn router(server: PluginServer) -> axum::Router {
    let versions = VersionServiceServer::new(service::Versions);
    let service = ConfigManagementPluginServiceServer::new(server)
        .max_decoding_message_size(wire::MESSAGE_LIMIT)
        .max_encoding_message_size(wire::MESSAGE_LIMIT);
    let (health, health_service) = tonic_health::server::health_reporter();
    tokio::spawn(async move {
        health.set_serving::<ConfigManagementPluginServiceServer<PluginServer>>().await;
    });
    tonic::service::Routes::new(service)
        .add_service(versions)
        .add_service(health_service)
        .prepare()
        .into_axum_router()
}

/// Runs the component as a process of its own until it is stopped.
pub async fn run(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
    stop: Stop,
) -> Result<(), StartError> {
    let folder = flags.text("config-dir-path");
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    let configuration = Configuration::read(Path::new(&folder))?;
    let socket = socket(&configuration, environment);
    let options = Options::from_environment(&configuration, environment);
    let server = PluginServer::new(configuration, options).map_err(|(folder, error)| StartError::Io {
        what: format!("make the work folder {}", folder.display()),
        error,
    })?;
    if let Some(folder) = socket.parent() {
        std::fs::create_dir_all(folder).map_err(|error| StartError::Io {
            what: format!("make the folder of sockets {}", folder.display()),
            error,
        })?;
    }
    tracing::info!(socket = %socket.display(), "argocd-cmp-server is listening");
    transport::serve_unix(&socket, router(server), stop.asked())
        .await
        .map_err(|error| StartError::Io { what: format!("listen on {}", socket.display()), error })
}

fn socket(configuration: &Configuration, environment: &BTreeMap<String, String>) -> PathBuf {
    let given = environment.get("ARGOCD_PLUGINSOCKFILEPATH").filter(|folder| !folder.is_empty());
    let folder = given.map_or("/home/argocd/cmp-server/plugins", String::as_str);
    Path::new(folder).join(format!("{}.sock", configuration.full_name()))
}
