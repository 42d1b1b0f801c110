//! Whether an application's spec is complete and permitted, told in the conditions users know.

use crate::destination::{Cluster, Destination};
use crate::permission::{permits_destination, permits_source};
use api::codes::ConditionType;
use api::k8s::meta_v1::Time;
use api::v1alpha1::{AppProject, Application, ApplicationCondition, ApplicationSource, SourceHydrator};
use jiff::Timestamp;

/// A condition that begins now.
pub fn condition(kind: ConditionType, message: impl Into<String>, now: Timestamp) -> ApplicationCondition {
    ApplicationCondition {
        r#type: kind.as_str().into(),
        message: message.into(),
        last_transition_time: Some(Time::from(now)),
    }
}

/// What is said of an application whose project is not there.
pub fn missing_project(name: &str) -> String {
    format!("Application referencing project {name} which does not exist")
}

/// What is said of an application whose namespace may not use the project.
pub fn forbidden_project(application: &str, namespace: &str, project: &str) -> String {
    format!("application '{application}' in namespace '{namespace}' is not allowed to use project {project}")
}

/// What is wrong with an application's spec; nothing when all is well. `project` is the
/// [`effective`](crate::effective) one, `cluster` what [`destination_cluster`](crate::destination_cluster)
/// said, `own_clusters` the clusters that belong to the project.
pub fn validate_application(
    application: &Application,
    project: &AppProject,
    cluster: Result<&Cluster, &str>,
    own_clusters: &[Cluster],
    now: Timestamp,
) -> Vec<ApplicationCondition> {
    let spec = &application.spec;
    let invalid = |message: String| condition(ConditionType::InvalidSpecError, message, now);
    let incomplete = incomplete(application);
    if !incomplete.is_empty() {
        return incomplete.into_iter().map(invalid).collect();
    }
    let name = if spec.project.is_empty() { api::names::DEFAULT_PROJECT } else { &spec.project };
    let mut conditions: Vec<_> = repositories(application)
        .into_iter()
        .filter(|(_, repository)| !permits_source(project, repository))
        .map(|(what, repository)| {
            invalid(format!("{what} repo {repository} is not permitted in project '{name}'"))
        })
        .collect();
    let cluster = match cluster {
        Ok(cluster) => cluster,
        Err(problem) => {
            conditions.push(invalid(problem.to_owned()));
            return conditions;
        }
    };
    let destination = Destination { cluster, namespace: &spec.destination.namespace };
    if !permits_destination(project, destination, own_clusters) {
        conditions.push(invalid(format!(
            "application destination server '{}' and namespace '{}' do not match any of the allowed destinations in project '{name}'",
            spec.destination.server, spec.destination.namespace
        )));
    }
    conditions
}

/// Repositories whose use must be permitted, and what they are to the application.
fn repositories(application: &Application) -> Vec<(&'static str, String)> {
    let spec = &application.spec;
    let synced = spec.effective_sources().into_iter().map(|source| source.repo_url);
    let Some(hydrator) = &spec.source_hydrator else {
        return synced.map(|repository| ("application", repository)).collect();
    };
    let dry = hydrator.dry().repo_url;
    let pushed = synced.filter(|repository| *repository != dry).map(|repository| ("sync source", repository));
    [("application", dry.clone())].into_iter().chain(pushed).collect()
}

/// What a spec lacks.
fn incomplete(application: &Application) -> Vec<String> {
    let spec = &application.spec;
    if let Some(hydrator) = &spec.source_hydrator {
        return incomplete_hydrator(hydrator);
    }
    if spec.has_several_sources() {
        return spec.sources.iter().find_map(|source| incomplete_source(source, true)).into_iter().collect();
    }
    let none = ApplicationSource::default();
    incomplete_source(spec.source.as_ref().unwrap_or(&none), false).into_iter().collect()
}

fn incomplete_source(source: &ApplicationSource, among_many: bool) -> Option<String> {
    let placed = !source.path.is_empty() || !source.chart.is_empty();
    if among_many && (source.repo_url.is_empty() || (!placed && source.r#ref.is_empty())) {
        return Some(format!(
            "spec.source.repoURL and either source.path, source.chart, or source.ref are required for source {}",
            source.repo_url
        ));
    }
    if !among_many && (source.repo_url.is_empty() || !placed) {
        return Some(
            "spec.source.repoURL and either spec.source.path or spec.source.chart are required".into(),
        );
    }
    (!source.chart.is_empty() && source.target_revision.is_empty())
        .then(|| "spec.source.targetRevision is required if the manifest source is a helm chart".into())
}

fn incomplete_hydrator(hydrator: &SourceHydrator) -> Vec<String> {
    let mut missing = Vec::new();
    if hydrator.dry_source.repo_url.is_empty() {
        missing.push("spec.sourceHydrator.drySource.repoURL is required".into());
    }
    if hydrator.sync_source.target_branch.is_empty() {
        missing.push("spec.sourceHydrator.syncSource.targetBranch is required".into());
    }
    if hydrator.hydrate_to.as_ref().is_some_and(|to| to.target_branch.is_empty()) {
        missing.push(
            "when spec.sourceHydrator.hydrateTo is set, spec.sourceHydrator.hydrateTo.targetBranch is required"
                .into(),
        );
    }
    missing
}
