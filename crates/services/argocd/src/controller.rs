//! The application-controller as a process of its own.

use crate::hub;
use anyhow::{Context, Result};
use application_controller::{Options, Parts};
use boot::flags::Flags;
use boot::stop::Stop;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use transport::{ChannelOptions, Trust};

pub(crate) async fn run(flags: Flags, environment: &BTreeMap<String, String>, stop: Stop) -> Result<()> {
    let cluster = hub::connect(&flags, environment).await?;
    let namespace = hub::namespace(&flags, &cluster);
    let (flags, environment) = &hub::with_parameters(flags, environment, &cluster, &namespace).await?;
    let registry = boot::metrics::registry();
    let cache = cache::start(flags, environment, &registry)?;
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
    let own = transport::ClientIdentity::from_files(
        &flags.text("repo-server-client-cert-path"),
        &flags.text("repo-server-client-cert-key-path"),
    )?;
    let options = ChannelOptions {
        address: flags.text("repo-server"),
        trust,
        timeout: Some(Duration::from_secs(seconds)),
    };
    let repo_server = transport::connect_as(&options, own.as_ref())?;
    let options = Options::from_flags(flags, environment);
    let metrics = std::net::SocketAddr::from(([0, 0, 0, 0], flags.port("metrics-port")));
    let store = hub::store(cluster, &namespace, flags, false);
    for warning in flags.warnings() {
        tracing::warn!("{warning}");
    }
    boot::metrics::serve(metrics, registry.clone(), Arc::new(|| Ok(())), stop.part())
        .await
        .with_context(|| format!("listen on {metrics} for metrics"))?;
    tracing::info!(namespace, "argocd-application-controller started");
    // Nobody watches applications through this process.
    store.applications().forget_changes();
    let parts = Parts { store: store.clone(), repo_server, cache, registry };
    application_controller::run(options, parts, stop).await?;
    store.stop().await;
    Ok(())
}
