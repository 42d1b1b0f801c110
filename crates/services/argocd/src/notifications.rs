//! The notifications controller as a process of its own.

use crate::hub;
use ::notifications::{Options, Parts, RepoServer};
use anyhow::{Context, Result};
use boot::flags::Flags;
use boot::stop::Stop;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// How long the repo-server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(flags: Flags, environment: &BTreeMap<String, String>, stop: Stop) -> Result<()> {
    let cluster = hub::connect(&flags, environment).await?;
    let namespace = hub::namespace(&flags, &cluster);
    let (flags, environment) = &hub::with_parameters(flags, environment, &cluster, &namespace).await?;
    let registry = boot::metrics::registry();
    let repo_server = RepoServer {
        address: flags.text("argocd-repo-server"),
        plaintext: flags.bool("argocd-repo-server-plaintext"),
        strict: flags.bool("argocd-repo-server-strict-tls"),
        authority: flags.text("repo-server-ca-cert-path"),
        certificate: flags.text("repo-server-client-cert-path"),
        key: flags.text("repo-server-client-cert-key-path"),
        mounted: environment.get("ARGOCD_APP_CONF_PATH").cloned().unwrap_or_default(),
        timeout: Some(PATIENCE),
    };
    let repo_server =
        repo_server.channel().map_err(|error| anyhow::anyhow!("reach the repo-server: {error}"))?;
    let metrics = SocketAddr::from(([0, 0, 0, 0], flags.port("metrics-port")));
    let store = hub::store(cluster, &namespace, flags, false);
    let options = Options::from_flags(flags);
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    boot::metrics::serve(metrics, registry.clone(), Arc::new(|| Ok(())), stop.part())
        .await
        .with_context(|| format!("listen on {metrics} for metrics"))?;
    tracing::info!(namespace, "argocd-notifications started");
    store.applications().forget_changes();
    let parts = Parts { store: store.clone(), repo_server, registry, environment: environment.clone() };
    ::notifications::run(options, parts, stop).await?;
    store.stop().await;
    Ok(())
}
