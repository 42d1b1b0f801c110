//! Everything a comparison is made from, gathered for one application at one moment.

use crate::Controller;
use crate::clusters::Destination;
use crate::registrations::Effective;
use crate::rules::Rules;
use api::codes::ConditionType;
use api::v1alpha1::{AppProject, Application, ApplicationCondition};
use jiff::Timestamp;
use kubernetes::{Cluster, Impersonation};
use object::AppInstance;
use project::NoServiceAccount;
use std::sync::Arc;

/// The facts about an application whose spec is permitted and whose destination is known.
#[derive(Clone)]
pub(crate) struct Situation {
    pub(crate) rules: Arc<Rules>,
    pub(crate) instance: AppInstance,
    pub(crate) project: Arc<AppProject>,
    pub(crate) cluster: project::Cluster,
    pub(crate) own_clusters: Arc<[project::Cluster]>,
    /// Namespace of the destination.
    pub(crate) namespace: String,
}

impl Controller {
    /// The application's project with all it inherits, or what is wrong with it.
    pub(crate) fn project_of(
        &self,
        application: &Application,
        rules: &Arc<Rules>,
    ) -> Result<Effective, String> {
        let name = project_name(application);
        let missing = || format!("Application referencing project {name} which does not exist");
        let effective = self.registrations().project(self.store(), rules, name).ok_or_else(missing)?;
        let namespace = &application.metadata.namespace;
        if !project::permits_application_namespace(&effective.stored, namespace, self.store().namespace()) {
            return Err(format!(
                "application repo namespace '{namespace}' is not permitted to use project '{name}'"
            ));
        }
        Ok(effective)
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
        if let Some(message) = unreadable(&rules) {
            return Err(vec![project::condition(ConditionType::ComparisonError, message, now)]);
        }
        let effective = self.project_of(application, &rules).map_err(invalid)?;
        let clusters = self.registrations().names(self.store(), &rules);
        let cluster = project::destination_cluster(&application.spec.destination, &clusters);
        let problems = project::validate_application(
            application,
            &effective.project,
            cluster.as_ref().map_err(String::as_str),
            &effective.own_clusters,
            now,
        );
        match cluster {
            Ok(cluster) if problems.is_empty() => Ok(self.situated(application, rules, effective, cluster)),
            _ => Err(problems),
        }
    }

    /// As much of a situation as deleting needs: a source that is no longer permitted does not hold a deletion.
    /// Nothing when the destination is not one that is registered.
    pub(crate) fn deletion_situation(&self, application: &Application) -> Result<Option<Situation>, String> {
        let rules = self.rules();
        if let Some(message) = unreadable(&rules) {
            return Err(message);
        }
        let effective = self.project_of(application, &rules)?;
        let clusters = self.registrations().names(self.store(), &rules);
        let found = project::destination_cluster(&application.spec.destination, &clusters).ok();
        Ok(found.map(|cluster| self.situated(application, rules, effective, cluster)))
    }

    fn situated(
        &self,
        application: &Application,
        rules: Arc<Rules>,
        effective: Effective,
        cluster: project::Cluster,
    ) -> Situation {
        let metadata = &application.metadata;
        Situation {
            rules,
            instance: AppInstance::new(&metadata.namespace, &metadata.name, self.store().namespace()),
            project: effective.project,
            cluster,
            own_clusters: effective.own_clusters,
            namespace: application.spec.destination.namespace.clone(),
        }
    }

    /// The cluster of a destination as changes are made to it: in the name of the project's service account, where
    /// settings want that.
    pub(crate) fn acting(
        &self,
        application: &Application,
        situation: &Situation,
        destination: &Destination,
    ) -> Result<Cluster, String> {
        let (cluster, impersonation) = (destination.cache.cluster().clone(), situation.rules.impersonation);
        if !impersonation.enabled {
            return Ok(cluster);
        }
        let own_namespace = &application.metadata.namespace;
        let found = project::service_account(
            &situation.project,
            &situation.cluster,
            &situation.namespace,
            own_namespace,
        );
        match found {
            Ok(user) => Ok(cluster.acting_for(Impersonation { user, groups: Vec::new() })),
            Err(NoServiceAccount::NoMatch { .. }) if !impersonation.enforced => Ok(cluster),
            Err(reason) => Err(format!("failed to find a matching service account to impersonate: {reason}")),
        }
    }

    /// The destination of a situation, connected.
    pub(crate) async fn destination(&self, situation: &Situation) -> Result<Destination, String> {
        self.clusters().destination(&situation.cluster.server).await
    }
}

/// Why nothing can be judged by the settings: which objects are to be left alone is not known.
fn unreadable(rules: &Rules) -> Option<String> {
    let problem = rules.filter.problem.as_ref()?;
    Some(format!("Basic comparison settings cannot be loaded: {problem}"))
}

/// The project an application names; the default one when it names none.
pub(crate) fn project_name(application: &Application) -> &str {
    let name = application.spec.project.as_str();
    if name.is_empty() { api::names::DEFAULT_PROJECT } else { name }
}
