//! Destination clusters: which one an application means, what its project permits, and how it is reached.

use crate::authorization::project_name;
use crate::failure;
use crate::hub::Hub;
use api::v1alpha1::{AppProject, Application, ApplicationDestination, ClusterConfig};
use kubernetes::{Cluster, Impersonation, Limits};
use object::Secret;
use project::NoServiceAccount;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use tonic::Status;

/// Connections to clusters that are not the hub's own, kept while their registration stays.
#[derive(Default)]
pub(crate) struct Destinations(Mutex<BTreeMap<String, (Secret<ClusterConfig>, Cluster)>>);

/// What a project permits, with what it inherits and what belongs to it.
#[derive(Clone)]
pub(crate) struct Scope {
    pub(crate) project: AppProject,
    pub(crate) clusters: Vec<project::Cluster>,
    pub(crate) own_clusters: Vec<project::Cluster>,
}

impl Scope {
    /// The cluster a destination means, or why there is none.
    pub(crate) fn destination(
        &self,
        destination: &ApplicationDestination,
    ) -> Result<project::Cluster, String> {
        project::destination_cluster(destination, &self.clusters)
    }
}

impl Hub {
    /// The project of an application and what it permits. The error does not say whether there is such a project.
    pub(crate) fn project_of(&self, application: &Application) -> Result<Scope, Status> {
        let name = project_name(application);
        let refused = || {
            Status::invalid_argument(format!(
                "app is not allowed in project {:?}, or the project does not exist",
                application.spec.project
            ))
        };
        let found = self.store.project(name).map_err(|_| refused())?;
        let namespace = self.namespace_or_default(&application.metadata.namespace);
        if !project::permits_application_namespace(&found, namespace, self.store.namespace()) {
            return Err(refused());
        }
        Ok(self.scope(&found))
    }

    /// What a project permits.
    pub(crate) fn scope(&self, found: &AppProject) -> Scope {
        let snapshot = self.snapshot();
        let name = &found.metadata.name;
        let mut clusters = Vec::new();
        let mut own = Vec::new();
        for cluster in self.store.clusters(snapshot.server.in_cluster_enabled).into_iter().flatten() {
            let cluster = cluster.reveal();
            let known = project::Cluster { server: cluster.server.clone(), name: cluster.name.clone() };
            if cluster.project == *name {
                own.push((known.clone(), cluster.namespaces.clone()));
            }
            clusters.push(known);
        }
        let repositories: Vec<String> = self
            .store
            .repositories()
            .into_iter()
            .flatten()
            .filter(|repository| repository.reveal().project == *name)
            .map(|repository| repository.reveal().repo.clone())
            .collect();
        let global: Vec<_> = self.global_projects(found);
        let global: Vec<&AppProject> = global.iter().map(AsRef::as_ref).collect();
        Scope {
            project: project::effective(found, &global, &repositories, &own),
            clusters,
            own_clusters: own.into_iter().map(|(cluster, _)| cluster).collect(),
        }
    }

    /// The projects that one inherits from.
    pub(crate) fn global_projects(&self, found: &AppProject) -> Vec<std::sync::Arc<AppProject>> {
        let (global, _) = settings::GlobalProjects::parse(&self.snapshot().data);
        let selecting = global
            .0
            .iter()
            .filter(|global| global.name != found.metadata.name && project::selects(&global.selector, found));
        selecting.filter_map(|global| self.store.project(&global.name).ok()).collect()
    }

    /// A connection to the cluster of an application.
    pub(crate) async fn connect(&self, application: &Application, scope: &Scope) -> Result<Cluster, Status> {
        let destination = &application.spec.destination;
        let cluster = scope.destination(destination).map_err(|problem| {
            Status::invalid_argument(format!(
                "application destination spec for {} is invalid: {problem}",
                application.metadata.name
            ))
        })?;
        self.connect_to(&cluster.server).await
    }

    /// The same as objects of an application are read and changed: in the name of the project's service account, where
    /// settings want that.
    pub(crate) async fn acting(&self, application: &Application, scope: &Scope) -> Result<Cluster, Status> {
        let cluster = self.connect(application, scope).await?;
        let (impersonation, _) = settings::Impersonation::parse(&self.snapshot().data);
        if !impersonation.enabled {
            return Ok(cluster);
        }
        let refused =
            |reason: &str| Status::unknown(format!("error getting application cluster config: {reason}"));
        let destination = &application.spec.destination;
        let place = scope.destination(destination).map_err(|problem| refused(&problem))?;
        let own_namespace = self.namespace_or_default(&application.metadata.namespace);
        match project::service_account(&scope.project, &place, &destination.namespace, own_namespace) {
            Ok(user) => Ok(cluster.acting_for(Impersonation { user, groups: Vec::new() })),
            Err(NoServiceAccount::NoMatch { .. }) if !impersonation.enforced => Ok(cluster),
            Err(reason @ NoServiceAccount::NoMatch { .. }) => Err(refused(&reason.to_string())),
            Err(reason) => Err(refused(&format!("error deriving service account to impersonate: {reason}"))),
        }
    }

    /// A connection to a registered cluster.
    pub(crate) async fn connect_to(&self, server: &str) -> Result<Cluster, Status> {
        let registered =
            self.store.cluster_by_server(server, true).map_err(|error| failure::store(&error))?;
        let config = &registered.reveal().config;
        if let Some((known, cluster)) =
            self.destinations.0.lock().unwrap_or_else(PoisonError::into_inner).get(server)
            && known.reveal() == config
        {
            return Ok(cluster.clone());
        }
        let connected = self.store.connect(registered.reveal(), Limits::default()).await;
        let cluster = connected.map_err(|error| failure::kubernetes(&error))?;
        let kept = (Secret::new(config.clone()), cluster.clone());
        self.destinations.0.lock().unwrap_or_else(PoisonError::into_inner).insert(server.to_owned(), kept);
        Ok(cluster)
    }
}
