//! Everything in one process: api-server, repo-server, application-controller and notifications, with the cache in memory and
//! channels that never leave the process. The flags are the api-server's.

use crate::hub;
use anyhow::{Context, Result};
use boot::flags::Flags;
use boot::stop::Stop;
use cache::Cache;
use std::collections::BTreeMap;
use std::sync::Arc;
use transport::{Listener, OnPlainText};

/// What the process is called then.
pub(crate) const NAME: &str = "argocd-standalone";

/// Makes what a fresh cluster lacks before anything starts.
const INSTALL_VARIABLE: &str = "ARGOCD_STANDALONE_INSTALL";
/// Writes the generated admin password to this file, for whoever started the process.
const PASSWORD_VARIABLE: &str = "ARGOCD_STANDALONE_PASSWORD_FILE";
/// Bytes of values the cache may hold.
const MEMORY_CACHE_BYTES: u64 = 256 * 1024 * 1024;

pub(crate) async fn run(flags: Flags, environment: &BTreeMap<String, String>, stop: Stop) -> Result<()> {
    let cluster = hub::connect(&flags, environment).await?;
    let namespace = hub::namespace(&flags, &cluster);
    if environment.get(INSTALL_VARIABLE).is_some_and(|value| value == "true") {
        hub::install(&cluster, &namespace).await?;
    }
    let (flags, environment) = &hub::with_parameters(flags, environment, &cluster, &namespace).await?;
    let store = hub::store(cluster, &namespace, flags, true);
    let cache = Cache::memory(MEMORY_CACHE_BYTES);
    let registry = boot::metrics::registry();

    let own = Flags::parse(repo_server::COMPONENT, &[], environment)?;
    let options = repo_server::Options::from_flags(&own, environment).with_evaluator(crate::evaluator());
    // One page of metrics has each name once, and gRPC calls are counted by the api-server there.
    let repo_server = repo_server::build(options, cache.clone(), &boot::metrics::registry())?;
    let channel = transport::in_process(repo_server::router(repo_server)?)?;

    let own = Flags::parse(application_controller::COMPONENT, &[], environment)?;
    let options = application_controller::Options::from_flags(&own, environment);
    let parts = application_controller::Parts {
        store: store.clone(),
        repo_server: channel.clone(),
        cache: cache.clone(),
        registry: registry.clone(),
    };
    let controller = tokio::spawn(application_controller::run(options, parts, stop.part()));

    let own = Flags::parse(::notifications::COMPONENT, &[], environment)?;
    let options = ::notifications::Options::from_flags(&own);
    let parts = ::notifications::Parts {
        store: store.clone(),
        repo_server: channel.clone(),
        registry: registry.clone(),
        environment: environment.clone(),
    };
    let notifying = stop.part();
    tokio::spawn(async move {
        // Without notifications everything else goes on.
        if let Err(error) = ::notifications::run(options, parts, notifying).await {
            tracing::error!(%error, "the notifications controller ended");
        }
    });

    let options = api_server::Options::from_flags(flags, environment);
    let insecure = options.insecure;
    let parts = api_server::Parts { store: store.clone(), repo_server: channel, cache };
    let server = api_server::build(options, parts, &registry).await?;
    if let Some(file) = environment.get(PASSWORD_VARIABLE) {
        hub::write_initial_password(store.cluster(), &namespace, file.as_ref()).await?;
    }
    let identity = if insecure { None } else { Some(api_server::ensure_certificate(&server).await?) };
    let _following = identity.as_ref().map(|identity| api_server::follow_certificate(&server, identity));
    let port = flags.address("address", "port");
    let metrics = flags.address("address", "metrics-port");
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    boot::metrics::serve(metrics, registry, Arc::new(|| Ok(())), stop.part())
        .await
        .with_context(|| format!("listen on {metrics} for metrics"))?;
    let listener = Listener::bind(port, identity).await.with_context(|| format!("listen on {port}"))?;
    let listener = listener.on_plain_text(OnPlainText::Answer(server.plain_text_router()));
    tracing::info!(address = %listener.address(), "argocd-standalone is listening");
    let router = server.router()?;
    tokio::select! {
        () = transport::serve(listener, router, server.stopping(stop.asked())) => {}
        ended = controller => {
            ended.context("the application-controller ended unexpectedly")??;
        }
    }
    stop.ask();
    store.stop().await;
    Ok(())
}
