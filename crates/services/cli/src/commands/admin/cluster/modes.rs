//! Whether controllers watch a whole cluster or only the namespaces that applications deploy to.

use api::v1alpha1::Cluster;
use glob_pattern::matches;

use super::registered::{Registered, namespaces};
use crate::command::{Command, Flag, Running, int, switch};
use crate::failure::{Failure, Outcome};
use crate::session::Session;

const DRY_RUN: &[Flag] = &[switch("dry-run", "Only say what would be done").or("true")];

pub(super) static ENABLE: Command = Command {
    flags: &[
        DRY_RUN,
        &[
            switch("cluster-resources", "Keep watching objects without a namespace"),
            int(
                "max-namespace-count",
                "Leave clusters alone where applications deploy to more namespaces than these",
            ),
        ],
    ],
    run: Some(enable),
    ..Command::new(
        "enable-namespaced-mode",
        "PATTERN",
        "Enable namespaced mode for clusters which name matches to the specified pattern.",
    )
};

pub(super) static DISABLE: Command = Command {
    flags: &[DRY_RUN],
    run: Some(disable),
    ..Command::new(
        "disable-namespaced-mode",
        "PATTERN",
        "Disable namespaced mode for clusters which name matches to the specified pattern.",
    )
};

fn enable<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session, true).await })
}

fn disable<'s>(session: &'s mut Session<'_>) -> Running<'s> {
    Box::pin(async move { run(session, false).await })
}

async fn run(session: &mut Session<'_>, enabled: bool) -> Outcome {
    let pattern = session.first_argument()?;
    let most = usize::try_from(if enabled { session.matches.number("max-namespace-count") } else { 0 });
    let most = most.unwrap_or_default();
    let registered = Registered::read(session).await?;
    for (cluster, applications) in registered.of(session) {
        if !matches(&pattern, &cluster.server, &[]) {
            continue;
        }
        let mut changed: Cluster = cluster.clone();
        if enabled {
            let names = namespaces(&applications);
            if names.is_empty() || names.len() > most {
                continue;
            }
            session.print(&format!(
                "Setting cluster {} namespaces to [{}]...",
                cluster.server,
                names.join(" ")
            ));
            changed.namespaces = names;
            changed.cluster_resources = session.is("cluster-resources");
        } else {
            if cluster.namespaces.is_empty() {
                continue;
            }
            session.print(&format!("Disabling namespaced mode for cluster {}...", cluster.server));
            changed.namespaces.clear();
        }
        if session.is("dry-run") {
            session.line("done (dry run)");
        } else {
            let updated = registered.store.update_cluster(&changed).await;
            updated.map_err(|error| Failure::fatal(format!("error updating cluster: {error}")))?;
            session.line("done");
        }
    }
    registered.end().await;
    Ok(())
}
