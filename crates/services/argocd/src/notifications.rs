//! The notifications controller as a process of its own.

use crate::hub;
use ::notifications::{Options, Parts};
use anyhow::{Context, Result};
use boot::flags::Flags;
use boot::stop::Stop;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use transport::{ChannelOptions, Trust};

/// How long the repo-server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(flags: Flags, environment: &BTreeMap<String, String>, stop: Stop) -> Result<()> {
    let cluster = hub::connect(&flags, environment).await?;
    let namespace = hub::namespace(&flags, &cluster);
    let (flags, environment) = &hub::with_parameters(flags, environment, &cluster, &namespace).await?;
    let registry = boot::metrics::registry();
    let authority = flags.text("repo-server-ca-cert-path");
    let trust = if flags.bool("argocd-repo-server-plaintext") {
        Trust::PlainText
    } else if authority.is_empty() {
        Trust::AnyCertificate
    } else {
        let pem = std::fs::read(&authority);
        Trust::Authorities(pem.with_context(|| format!("read --repo-server-ca-cert-path {authority:?}"))?)
    };
    let address = flags.text("argocd-repo-server");
    let repo_server = transport::connect(&ChannelOptions { address, trust, timeout: Some(PATIENCE) })?;
    let metrics = SocketAddr::from(([0, 0, 0, 0], flags.port("metrics-port")));
    let store = hub::store(cluster, &namespace, flags, false);
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    boot::metrics::serve(metrics, registry.clone(), Arc::new(|| Ok(())), stop.part())
        .await
        .with_context(|| format!("listen on {metrics} for metrics"))?;
    tracing::info!(namespace, "argocd-notifications started");
    store.applications().forget_changes();
    let parts = Parts { store: store.clone(), repo_server, registry, environment: environment.clone() };
    ::notifications::run(Options::from_flags(flags), parts, stop).await?;
    store.stop().await;
    Ok(())
}
