//! The api-server: one port for gRPC, gRPC-web and REST; sessions, permissions, and what users do with
//! applications and projects. Asks the repo-server for manifests and reads what the controller found from the cache;
//! syncs nothing itself, and compares only what pull requests would change.

mod application;
mod audit;
mod authentication;
mod authorization;
mod badge;
mod broken;
mod certificate;
mod contained;
mod cookies;
mod credentials;
mod deep_links;
mod destinations;
mod extensions;
mod failure;
mod found;
mod front;
mod hub;
mod json_patch;
mod masking;
mod metrics;
mod normal;
mod options;
mod pages;
mod passwords;
mod pull_requests;
mod replicas;
mod selector;
mod services;
mod snapshot;
mod sources;
mod sso;
mod static_files;
mod streams;
mod terminal;
mod tokens;
mod validation;
mod webhooks;

pub use certificate::{ensure_certificate, follow_certificate, identity};
pub use options::{DexOptions, Options};

use boot::flags::Flags;
use boot::metrics::SharedRegistry;
use boot::stop::Stop;
use cache::Cache;
use hub::Hub;
use request_metrics::RequestMetrics;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use store::{Store, StoreError};
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Channel;
use transport::{ChannelOptions, Listener, OnPlainText, Trust};

/// The component's name, as its binary is called.
pub const COMPONENT: &str = "argocd-server";

/// Why the component does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port or a file.
    #[error("{what}: {error}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// The hub's objects cannot be read or made.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The cache cannot be used.
    #[error(transparent)]
    Cache(#[from] cache::CacheError),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] transport::TlsError),
    /// The repo-server's address cannot be used.
    #[error(transparent)]
    Channel(#[from] transport::ChannelError),
    /// The description of the services cannot be served.
    #[error(transparent)]
    Reflection(#[from] transport::ReflectionError),
}

/// What the server stands on; a process that holds all components shares these among them.
#[derive(Clone)]
pub struct Parts {
    /// The hub's objects, watched.
    pub store: Store,
    /// The repo-server.
    pub repo_server: Channel,
    /// The cache the controller writes to.
    pub cache: Cache,
}

/// The server, ready to be put on a port.
#[derive(Clone)]
pub struct ApiServer {
    hub: Arc<Hub>,
    /// Live as long as the server does.
    _workers: Arc<(webhooks::Workers, AbortOnDropHandle<()>)>,
}

impl ApiServer {
    /// The gRPC services alone, authenticated: for channels within one process.
    pub fn grpc_router(&self) -> Result<axum::Router, StartError> {
        front::grpc_router(&self.hub)
    }

    /// Everything the port answers.
    pub fn router(&self) -> Result<axum::Router, StartError> {
        front::router(&self.hub)
    }

    /// What a port with TLS answers to plain HTTP: that the same is there under `https`.
    pub fn plain_text_router(&self) -> axum::Router {
        front::plain_text(&self.hub)
    }

    /// Ends with `asked`; from then on the server is not healthy.
    pub fn stopping(
        &self,
        asked: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send {
        let hub = self.hub.clone();
        async move {
            asked.await;
            hub.stopping.store(true, Ordering::Relaxed);
        }
    }
}

/// Makes the server: fills in what `argocd-secret` lacks and the default project, then is ready to answer.
pub async fn build(
    options: Options,
    parts: Parts,
    registry: &SharedRegistry,
) -> Result<ApiServer, StartError> {
    parts.store.ready().await?;
    if !std::path::Path::new(&options.static_assets).is_dir() {
        tracing::info!(folder = %options.static_assets, "there is no folder of pages: browsers are told so");
    }
    let hub = Hub::new(options, parts, metrics::Metrics::new(registry));
    passwords::ensure(&hub).await?;
    match hub.store.ensure_default_project().await {
        // Without the right to create projects, a project that is there already serves as well.
        Err(error) if hub.store.project(api::names::DEFAULT_PROJECT).is_err() => return Err(error.into()),
        _ => {}
    }
    let hub = Arc::new(hub);
    let workers = Arc::new((webhooks::start(&hub), broken::follow(&hub)));
    Ok(ApiServer { hub, _workers: workers })
}

/// Runs the component as a process of its own until it is stopped, on the hub's objects.
pub async fn run(
    flags: &Flags,
    environment: &BTreeMap<String, String>,
    store: Store,
    stop: Stop,
) -> Result<(), StartError> {
    let registry = boot::metrics::registry();
    // Where the controller is in the same process, it measures: it counts for which application, too.
    store.cluster().measure(Arc::new(RequestMetrics::new(&registry)));
    let mut options = Options::from_flags(flags, environment);
    options.dex = DexOptions::from_flags(flags)
        .map_err(|error| StartError::Io { what: "--dex-server".into(), error })?;
    let cache = cache::start(flags, environment, &registry)?;
    let parts = Parts { store, repo_server: repo_server(flags)?, cache };
    let metrics = flags.address("metrics-address", "metrics-port");
    let port = flags.address("address", "port");
    let insecure = options.insecure;
    let server = build(options, parts.clone(), &registry).await?;
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    boot::metrics::serve(metrics, registry, Arc::new(|| Ok(())), stop.part())
        .await
        .map_err(|error| StartError::Io { what: format!("listen on {metrics} for metrics"), error })?;
    let identity = if insecure { None } else { Some(ensure_certificate(&server).await?) };
    let _following = identity.as_ref().map(|identity| follow_certificate(&server, identity));
    let listener = Listener::bind(port, identity)
        .await
        .map_err(|error| StartError::Io { what: format!("listen on {port}"), error })?
        .on_plain_text(OnPlainText::Answer(server.plain_text_router()));
    tracing::info!(address = %listener.address(), "argocd-server is listening");
    transport::serve(listener, server.router()?, server.stopping(stop.asked())).await;
    parts.store.stop().await;
    Ok(())
}

fn repo_server(flags: &Flags) -> Result<Channel, StartError> {
    let authority = flags.text("repo-server-ca-cert-path");
    let trust = if flags.bool("repo-server-plaintext") {
        Trust::PlainText
    } else if !authority.is_empty() || flags.bool("repo-server-strict-tls") {
        let path = if authority.is_empty() { "/app/config/server/tls/ca.crt".to_owned() } else { authority };
        Trust::Authorities(
            std::fs::read(&path).map_err(|error| StartError::Io { what: format!("read {path}"), error })?,
        )
    } else {
        Trust::AnyCertificate
    };
    let seconds = u64::try_from(flags.int("repo-server-timeout-seconds")).unwrap_or(60);
    let options = ChannelOptions {
        address: flags.text("repo-server"),
        trust,
        timeout: (seconds > 0).then(|| std::time::Duration::from_secs(seconds)),
    };
    let own = transport::ClientIdentity::from_files(
        &flags.text("repo-server-client-cert-path"),
        &flags.text("repo-server-client-cert-key-path"),
    )?;
    Ok(transport::connect_as(&options, own.as_ref())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_environment_are_understood() {
        boot::crypto();
        let arguments =
            ["--insecure", "--rootpath", "/argo/", "--api-content-types", "application/json;text/x"];
        let arguments = arguments.map(str::to_owned);
        let environment =
            BTreeMap::from([("ARGOCD_SESSION_FAILURE_MAX_FAIL_COUNT".to_owned(), "7".to_owned())]);
        let flags = Flags::parse(COMPONENT, &arguments, &environment).expect("flags");
        let options = Options::from_flags(&flags, &environment);
        assert!(options.insecure && options.gzip && options.replace_allowed && !options.disable_auth);
        assert_eq!((options.root_path.as_str(), options.base_href.as_str()), ("argo", "/argo"));
        assert_eq!(options.static_assets, "/shared/app");
        assert_eq!(options.content_types, ["application/json", "text/x"]);
        assert_eq!((options.throttle.failures, options.parallel_logins), (7, 50));
        assert_eq!(options.event_reasons, ["all"]);
        // What is out of range leaves the throttle as it is.
        let wrong =
            [("ARGOCD_SESSION_FAILURE_MAX_FAIL_COUNT", "0"), ("ARGOCD_SESSION_FAILURE_WINDOW_SECONDS", "-1")];
        let wrong = wrong.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let throttle = Options::from_flags(&flags, &wrong).throttle;
        assert_eq!((throttle.failures, throttle.window_seconds), (5, 300));
        let without = [("ARGOCD_SESSION_FAILURE_WINDOW_SECONDS".to_owned(), "0".to_owned())].into();
        assert_eq!(Options::from_flags(&flags, &without).throttle.window_seconds, 0);
    }

    #[test]
    fn limits_are_shared_out_and_remembering_ends_when_it_is_told_to() {
        boot::crypto();
        let of = |pairs: &[(&str, &str)]| {
            let environment: BTreeMap<String, String> =
                pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let flags = Flags::parse(COMPONENT, &[], &environment).expect("flags");
            Options::from_flags(&flags, &environment)
        };
        let (all, replicas) = ("ARGOCD_MAX_CONCURRENT_LOGIN_REQUESTS_COUNT", "ARGOCD_API_SERVER_REPLICAS");
        assert_eq!(of(&[(replicas, "3")]).parallel_logins, 16);
        assert_eq!(of(&[(replicas, "0")]).parallel_logins, 50);
        assert_eq!(of(&[(all, "2"), (replicas, "5")]).parallel_logins, 1);
        assert_eq!(of(&[(all, "0"), (replicas, "5")]).parallel_logins, 0);
        let cookies = |number: &str| of(&[("ARGOCD_MAX_COOKIE_NUMBER", number)]).most_cookies;
        assert_eq!([cookies("30"), cookies("x"), cookies("1000")], [30, 20, 100]);
        let largest = |number: &str| of(&[("ARGOCD_GRPC_MAX_SIZE_MB", number)]).message_limit;
        assert_eq!([largest("300"), largest(""), largest("x")], [300 << 20, 200 << 20, 200 << 20]);
        let keep = |pairs: &[(&str, &str)]| of(pairs).connection_keep.as_secs();
        assert_eq!(keep(&[]), 3600);
        assert_eq!(keep(&[("ARGOCD_SERVER_CONNECTION_STATUS_CACHE_EXPIRATION", "5m")]), 300);
    }
}
