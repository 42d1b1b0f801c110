//! The repo-server: resolves revisions, renders sources into manifests, remembers what it rendered. Asked over
//! gRPC by the application-controller and the api-server; reaches repositories and its cache, and no cluster.

mod ask_pass;
mod asked;
mod changes;
mod dependencies;
mod details;
mod integrity;
mod listing;
mod local;
mod lookups;
mod manifests;
mod metrics;
mod options;
mod patience;
mod places;
mod plugins;
mod previews;
mod reads;
mod repository;
mod restrained;
mod server;
mod sources;
mod status;
mod streamed;
mod world;

pub use ask_pass::answer as ask_pass;
pub use local::render_local;
pub use options::Options;
pub use server::RepoServer;

use boot::flags::Flags;
use boot::metrics::SharedRegistry;
use boot::stop::Stop;
use cache::Cache;
use evaluator::Program;
use std::collections::BTreeMap;
use std::sync::Arc;
use tonic::{Request, Response, Status};
use transport::{Identity, Listener, Services};
use wire::lookups::lookups_service_server::LookupsServiceServer;
use wire::previews::previews_service_server::PreviewsServiceServer;
use wire::reads::reads_service_server::ReadsServiceServer;
use wire::repository::repo_server_service_server::RepoServerServiceServer;
use wire::version::VersionMessage;
use wire::version::version_service_server::{VersionService, VersionServiceServer};

/// The component's name, as its binary is called.
pub const COMPONENT: &str = "argocd-repo-server";

/// Why the component does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A folder, a port or a file.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The mirrors cannot be kept.
    #[error(transparent)]
    Git(#[from] git::GitError),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] cache::CacheError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] transport::TlsError),
    /// The description of the services cannot be served.
    #[error(transparent)]
    Reflection(#[from] transport::ReflectionError),
}

/// What this build is.
struct Versions;

#[tonic::async_trait]
impl VersionService for Versions {
    async fn version(&self, _request: Request<()>) -> Result<Response<VersionMessage>, Status> {
        Ok(Response::new(wire::versions::whole()))
    }
}

/// The gRPC services as a router: for a port, and for channels within one process.
pub fn router(server: RepoServer) -> Result<axum::Router, StartError> {
    let calls = server.calls().clone();
    let limit = server.options.message_limit;
    let reads = ReadsServiceServer::new(server.clone()).max_decoding_message_size(limit);
    let previews = PreviewsServiceServer::new(server.clone())
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit);
    let lookups = LookupsServiceServer::new(server.clone())
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit);
    let service = RepoServerServiceServer::new(server)
        .max_decoding_message_size(limit)
        .max_encoding_message_size(limit);
    let (health, health_service) = tonic_health::server::health_reporter();
    tokio::spawn(async move {
        health.set_serving::<RepoServerServiceServer<RepoServer>>().await;
    });
    let services = Services::default()
        .with(service)
        .with(VersionServiceServer::new(Versions))
        .with(health_service)
        .with_untold(reads)
        .with_untold(previews)
        .with_untold(lookups)
        .described(wire::DESCRIPTOR_SET)?;
    Ok(calls.count(services.finish().0))
}

/// Runs the component as a process of its own until it is stopped. Jsonnet is evaluated by children of the program.
pub async fn run(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
    evaluator: Program,
    stop: Stop,
) -> Result<(), StartError> {
    let registry = boot::metrics::registry();
    let options = Options::from_flags(flags, environment).with_evaluator(evaluator);
    let cache = cache::start(flags, environment, &registry)?;
    let identity = if flags.bool("disable-tls") {
        None
    } else {
        Some(asking(identity(&options)?, &flags.text("client-ca-path"))?)
    };
    let metrics = flags.address("metrics-address", "metrics-port");
    let port = flags.address("address", "port");
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    let ask_pass = options.ask_pass.clone();
    let server = build(options, cache, &registry)?;
    share_credentials(&ask_pass, stop.part());
    boot::metrics::serve(metrics, registry, Arc::new(|| Ok(())), stop.part())
        .await
        .map_err(|error| StartError::Io { what: format!("listen on {metrics} for metrics"), error })?;
    let listener = Listener::bind(port, identity)
        .await
        .map_err(|error| StartError::Io { what: format!("listen on {port}"), error })?;
    tracing::info!(address = %listener.address(), "argocd-repo-server is listening");
    transport::serve(listener, router(server)?, stop.asked()).await;
    Ok(())
}

/// The server, its metrics registered.
pub fn build(options: Options, cache: Cache, registry: &SharedRegistry) -> Result<RepoServer, StartError> {
    let metrics = metrics::Metrics::new(registry);
    let observed = metrics.clone();
    let tls_data = options.tls_data.clone();
    let git = git::Options {
        observer: Some(Arc::new(move |report| observed.git(report))),
        authorities: Some(Arc::new(move |url| repository::authorities(url, &tls_data))),
        ..options.git.clone()
    };
    let repositories = git::Repositories::new(&options.cache_folder, git)?;
    Ok(RepoServer::new(repositories, cache, options, metrics))
}

/// Serves the socket where plugins ask for credentials. Without it, those that may ask get none.
fn share_credentials(ask_pass: &ask_pass::AskPass, stop: Stop) {
    let ask_pass = ask_pass.clone();
    tokio::spawn(async move {
        let socket = ask_pass.socket();
        if let Err(error) = transport::serve_unix(socket, ask_pass.router(), stop.asked()).await {
            tracing::warn!(%error, socket = %socket.display(), "plugins cannot ask for credentials");
        }
    });
}

/// Where manifests mount an authority, only clients that it signed are served. Without one anybody in reach is.
fn asking(identity: Identity, authority: &str) -> Result<Identity, StartError> {
    match std::fs::read(authority) {
        Ok(pem) => Ok(identity.clients_of(&pem)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(identity),
        Err(error) => Err(StartError::Io { what: format!("read {authority}"), error }),
    }
}

/// The certificate from the folder where manifests mount it, else one made now.
fn identity(options: &Options) -> Result<Identity, StartError> {
    let (certificate, key) = (options.tls_folder.join("tls.crt"), options.tls_folder.join("tls.key"));
    let identity = match (std::fs::read(&certificate), std::fs::read(&key)) {
        (Ok(certificate), Ok(key)) => Identity::from_pem(&certificate, &key)?,
        _ => transport::self_signed(&["localhost", "argocd-repo-server"])?,
    };
    Ok(identity.speaking(options.tls.protocols()?))
}
