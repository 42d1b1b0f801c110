//! The application-controller as a process of its own.

use crate::hub;
use anyhow::{Context, Result};
use application_controller::{Options, Parts};
use boot::flags::Flags;
use boot::stop::Stop;
use cache::Cache;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use transport::{ChannelOptions, Trust};

/// Bytes of values the cache may hold where there is no Redis.
const MEMORY_CACHE_BYTES: u64 = 128 * 1024 * 1024;

pub(crate) async fn run(flags: Flags, environment: &BTreeMap<String, String>, stop: Stop) -> Result<()> {
    let cluster = hub::connect(&flags, environment).await?;
    let namespace = hub::namespace(&flags, &cluster);
    let flags = &hub::with_parameters(flags, &cluster, &namespace).await?;
    let cache = match repo_server::redis(flags) {
        Some(redis) => Cache::redis(redis)?,
        None => Cache::memory(MEMORY_CACHE_BYTES),
    };
    let trust = if flags.bool("repo-server-plaintext") {
        Trust::PlainText
    } else if flags.bool("repo-server-strict-tls") {
        let path = flags.text("repo-server-ca-cert-path");
        let pem =
            std::fs::read(&path).with_context(|| format!("read --repo-server-ca-cert-path {path:?}"))?;
        Trust::Authorities(pem)
    } else {
        Trust::AnyCertificate
    };
    let seconds = u64::try_from(flags.int("repo-server-timeout-seconds")).unwrap_or(60);
    let repo_server = transport::connect(&ChannelOptions {
        address: flags.text("repo-server"),
        trust,
        timeout: Some(Duration::from_secs(seconds)),
    })?;
    let options = Options::from_flags(flags, environment);
    let metrics = SocketAddr::from(([0, 0, 0, 0], flags.port("metrics-port")));
    let store = hub::store(cluster, &namespace, flags);
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    let registry = boot::metrics::registry();
    boot::metrics::serve(metrics, registry, Arc::new(|| Ok(())), stop.part())
        .await
        .with_context(|| format!("listen on {metrics} for metrics"))?;
    tracing::info!(namespace, "argocd-application-controller started");
    let parts = Parts { store: store.clone(), repo_server, cache };
    application_controller::run(options, parts, stop).await?;
    store.stop().await;
    Ok(())
}
