//! The clusters and applications of an installation, read as its components read them.

use std::collections::BTreeSet;
use std::sync::Arc;

use api::v1alpha1::{Application, Cluster};
use kubernetes::Cluster as Connected;
use settings::Server;
use store::{Store, StoreOptions};

use super::super::hub::Hub;
use crate::failure::{Failure, Outcome};
use crate::log::Level;
use crate::session::Session;

/// What there is.
pub(super) struct Registered {
    pub(super) store: Store,
    pub(super) connected: Connected,
    pub(super) namespace: String,
    /// By name of their Secret; the hub's own last, unless it is registered itself.
    pub(super) clusters: Vec<Cluster>,
    pub(super) applications: Vec<Arc<Application>>,
}

impl Registered {
    /// Reads everything once.
    pub(super) async fn read(session: &mut Session<'_>) -> Outcome<Self> {
        let Hub { cluster, namespace } = Hub::connect(session).await.map_err(Failure::fatal)?;
        let store = Store::start(cluster.clone(), StoreOptions::new(&namespace));
        let failed = |error: store::StoreError| Failure::fatal(error.to_string());
        store.ready().await.map_err(failed)?;
        let (server, _) = Server::parse(&store.config_map("argocd-cm"));
        let mut clusters = Vec::new();
        for cluster in store.clusters(server.in_cluster_enabled) {
            match cluster {
                Ok(cluster) => clusters.push(cluster.into_revealed()),
                Err(error) => session.log(Level::Warning, &error.to_string()),
            }
        }
        let applications = store.applications().values();
        Ok(Self { store, connected: cluster, namespace, clusters, applications })
    }

    /// The applications that go to a cluster. One that goes nowhere is told of and left out.
    pub(super) fn of<'r>(&'r self, session: &mut Session<'_>) -> Vec<(&'r Cluster, Vec<&'r Application>)> {
        let known: Vec<project::Cluster> = self.clusters.iter().map(place).collect();
        let mut found: Vec<(&Cluster, Vec<&Application>)> =
            self.clusters.iter().map(|cluster| (cluster, Vec::new())).collect();
        for application in &self.applications {
            match project::destination_cluster(&application.spec.destination, &known) {
                Ok(cluster) => {
                    let server = cluster.server.trim_end_matches('/');
                    let own =
                        found.iter_mut().find(|(known, _)| known.server.trim_end_matches('/') == server);
                    own.into_iter().for_each(|(_, applications)| applications.push(application.as_ref()));
                }
                Err(problem) => session.log(
                    Level::Warning,
                    &format!("application {} is not counted: {problem}", application.metadata.name),
                ),
            }
        }
        found
    }

    /// Ends the watches.
    pub(super) async fn end(self) {
        self.store.stop().await;
    }
}

fn place(cluster: &Cluster) -> project::Cluster {
    project::Cluster { server: cluster.server.clone(), name: cluster.name.clone() }
}

/// The namespaces that applications deploy to: those of what they deployed, else those they name. The shortest first.
pub(super) fn namespaces(applications: &[&Application]) -> Vec<String> {
    let mut found: BTreeSet<&str> = BTreeSet::new();
    for application in applications {
        let resources = &application.status.resources;
        if resources.is_empty() {
            found.insert(&application.spec.destination.namespace);
        }
        found.extend(
            resources.iter().map(|resource| resource.namespace.as_str()).filter(|name| !name.is_empty()),
        );
    }
    let mut names: Vec<String> = found.into_iter().map(str::to_owned).collect();
    names.sort_by_key(String::len);
    names
}
