//! Everything a comparison is made from, gathered for one application at one moment.

use crate::Controller;
use crate::clusters::Destination;
use crate::rules::Rules;
use api::codes::ConditionType;
use api::v1alpha1::{AppProject, Application, ApplicationCondition};
use jiff::Timestamp;
use object::AppInstance;
use project::Cluster;
use std::sync::Arc;

/// The facts about an application whose spec is permitted and whose destination is known.
pub(crate) struct Situation {
    pub(crate) rules: Arc<Rules>,
    pub(crate) instance: AppInstance,
    pub(crate) project: AppProject,
    pub(crate) cluster: Cluster,
    pub(crate) own_clusters: Vec<Cluster>,
    /// Namespace of the destination.
    pub(crate) namespace: String,
}

impl Controller {
    /// The application's project with all it inherits, or what is wrong with it.
    pub(crate) fn project_of(&self, application: &Application, rules: &Rules) -> Result<AppProject, String> {
        let name = project_name(application);
        let missing = || format!("Application referencing project {name} which does not exist");
        let project = self.store().project(name).map_err(|_| missing())?;
        if !project::permits_application_namespace(
            &project,
            &application.metadata.namespace,
            self.store().namespace(),
        ) {
            let namespace = &application.metadata.namespace;
            return Err(format!(
                "application repo namespace '{namespace}' is not permitted to use project '{name}'"
            ));
        }
        let globals: Vec<Arc<AppProject>> = rules
            .global_projects
            .0
            .iter()
            .filter(|global| global.name != name && project::selects(&global.selector, &project))
            .filter_map(|global| self.store().project(&global.name).ok())
            .collect();
        let globals: Vec<&AppProject> = globals.iter().map(AsRef::as_ref).collect();
        let own_repositories: Vec<String> = self
            .store()
            .repositories()
            .into_iter()
            .filter_map(Result::ok)
            .filter(|repository| repository.reveal().project == name)
            .map(|repository| repository.reveal().repo.clone())
            .collect();
        let own_clusters: Vec<(Cluster, Vec<String>)> = self
            .registered(rules)
            .into_iter()
            .filter(|(_, project, _)| project == name)
            .map(|(cluster, _, namespaces)| (cluster, namespaces))
            .collect();
        Ok(project::effective(&project, &globals, &own_repositories, &own_clusters))
    }

    /// Gathers the facts, or says what is wrong with the spec.
    pub(crate) fn situation(
        &self,
        application: &Application,
        now: Timestamp,
    ) -> Result<Situation, Vec<ApplicationCondition>> {
        let rules = self.rules();
        let invalid =
            |message: String| vec![project::condition(ConditionType::InvalidSpecError, message, now)];
        let project = self.project_of(application, &rules).map_err(invalid)?;
        let registered = self.registered(&rules);
        let clusters: Vec<Cluster> = registered.iter().map(|(cluster, _, _)| cluster.clone()).collect();
        let name = project_name(application);
        let own_clusters: Vec<Cluster> = registered
            .into_iter()
            .filter(|(_, project, _)| project == name)
            .map(|(cluster, _, _)| cluster)
            .collect();
        let cluster = project::destination_cluster(&application.spec.destination, &clusters);
        let problems = project::validate_application(
            application,
            &project,
            cluster.as_ref().map_err(String::as_str),
            &own_clusters,
            now,
        );
        match cluster {
            Ok(cluster) if problems.is_empty() => {
                let metadata = &application.metadata;
                let instance =
                    AppInstance::new(&metadata.namespace, &metadata.name, self.store().namespace());
                let namespace = application.spec.destination.namespace.clone();
                Ok(Situation { rules, instance, project, cluster, own_clusters, namespace })
            }
            _ => Err(problems),
        }
    }

    /// The destination of a situation, connected.
    pub(crate) async fn destination(&self, situation: &Situation) -> Result<Destination, String> {
        self.clusters().destination(&situation.cluster.server).await
    }

    /// Registered clusters with their project and the namespaces they are limited to.
    pub(crate) fn registered(&self, rules: &Rules) -> Vec<(Cluster, String, Vec<String>)> {
        self.store()
            .clusters(rules.in_cluster_enabled)
            .into_iter()
            .filter_map(Result::ok)
            .map(|cluster| {
                let cluster = cluster.reveal();
                let known = Cluster { server: cluster.server.clone(), name: cluster.name.clone() };
                (known, cluster.project.clone(), cluster.namespaces.clone())
            })
            .collect()
    }
}

/// The project an application names; the default one when it names none.
pub(crate) fn project_name(application: &Application) -> &str {
    let name = application.spec.project.as_str();
    if name.is_empty() { api::names::DEFAULT_PROJECT } else { name }
}
