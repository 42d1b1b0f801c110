//! Whether an application may be as a user wants it: name, project, destination, repositories, manifests.

use crate::authorization::{APPLICATIONS, Access, project_name};
use crate::deep_links::managed_by_problem;
use crate::destinations::Scope;
use crate::failure;
use crate::hub::Hub;
use crate::masking::without_password;
use crate::normal::normalise;
use crate::sources::{ClusterFacts, Render};
use api::codes::ConditionType;
use api::v1alpha1::{Application, ApplicationCondition, Repository};
use jiff::Timestamp;
use project::condition;
use std::collections::BTreeSet;
use tonic::{Code, Status};

/// Checks an application and brings its spec to the normal form. With `render`, repositories are asked and
/// manifests generated; never before the project permits them.
pub(crate) async fn validate(
    hub: &Hub,
    access: &Access,
    application: &mut Application,
    render: bool,
) -> Result<(), Status> {
    if application.metadata.name.is_empty() {
        return Err(Status::unknown("resource name may not be empty"));
    }
    unique_source_names(application)?;
    may_change_project(hub, access, application)?;
    let scope = hub.project_of(application)?;
    let name = application.metadata.name.clone();
    let cluster = scope.destination(&application.spec.destination).map_err(|problem| {
        Status::invalid_argument(format!("application destination spec for {name} is invalid: {problem}"))
    })?;
    let refuse = |conditions: &[ApplicationCondition]| {
        let texts: Vec<String> = conditions
            .iter()
            .map(|condition| format!("{}: {}", condition.r#type, condition.message))
            .collect();
        Err(Status::invalid_argument(format!("application spec for {name} is invalid: {}", texts.join(";"))))
    };
    let now = Timestamp::now();
    let conditions =
        project::validate_application(application, &scope.project, Ok(&cluster), &scope.own_clusters, now);
    if !conditions.is_empty() {
        return refuse(&conditions);
    }
    if render {
        let conditions = rendering_problems(hub, application, &scope, &cluster.server).await?;
        if !conditions.is_empty() {
            return refuse(&conditions);
        }
    }
    if let Some(problem) = managed_by_problem(application) {
        return refuse(&[condition(ConditionType::InvalidSpecError, problem, now)]);
    }
    normalise(&mut application.spec);
    Ok(())
}

fn unique_source_names(application: &Application) -> Result<(), Status> {
    let mut seen = BTreeSet::new();
    let names = application.spec.sources.iter().map(|source| &source.name).filter(|name| !name.is_empty());
    for name in names {
        if !seen.insert(name) {
            return Err(Status::unknown(format!(
                "application {} has duplicate source name: {name}",
                application.metadata.name
            )));
        }
    }
    Ok(())
}

/// Who moves an application must be allowed to have it in the new project and to change it in the old one.
fn may_change_project(hub: &Hub, access: &Access, application: &Application) -> Result<(), Status> {
    let namespace = hub.namespace_or_default(&application.metadata.namespace);
    let Ok(current) = hub.store.application(namespace, &application.metadata.name) else { return Ok(()) };
    may_move(access, &current, application)
}

/// The same of an application as it is and as it is to be.
pub(crate) fn may_move(
    access: &Access,
    current: &Application,
    application: &Application,
) -> Result<(), Status> {
    if project_name(current) == project_name(application) {
        return Ok(());
    }
    let object = access.object_of(application);
    access.require(APPLICATIONS, "create", &object)?;
    access.require(APPLICATIONS, "update", &object)?;
    access.require(APPLICATIONS, "update", &access.object_of(current))
}

/// What the repositories and the repo-server say against the sources.
async fn rendering_problems(
    hub: &Hub,
    application: &Application,
    scope: &Scope,
    server: &str,
) -> Result<Vec<ApplicationCondition>, Status> {
    let now = Timestamp::now();
    let invalid = |message: String| condition(ConditionType::InvalidSpecError, message, now);
    let sources = application.spec.effective_sources();
    let mut tested = BTreeSet::new();
    for source in &sources {
        if !tested.insert(source.repo_url.clone()) {
            continue;
        }
        let repository = hub.repository(&source.repo_url, project_name(application))?;
        let shown = for_people(&repository);
        if let Err(status) = hub.test_source(repository, source).await {
            if interrupted(&status) {
                return Err(failed(&format!("unable to test repository {shown}"), &status));
            }
            return Ok(vec![invalid(format!(
                "repository not accessible: repositories not accessible: {shown}: repo client error while testing repository: {}",
                failure::go_text(&status)
            ))]);
        }
    }
    let cluster = hub.connect_to(server).await?;
    let facts = ClusterFacts::of(&cluster).await.map_err(|error| {
        let status = failure::kubernetes(&error);
        failure::within("error validating the repo: error getting k8s server version", &status)
    })?;
    let sources = match &application.spec.source_hydrator {
        // The branch that its manifests are pushed to need not be there yet.
        Some(hydrator) => vec![hydrator.dry()],
        None => sources,
    };
    let mut problems = Vec::new();
    for (position, source) in sources.iter().enumerate() {
        let render =
            Render { application, sources: &sources, position, scope, facts: &facts, no_cache: false };
        let Err(status) = hub.render(render).await else { continue };
        if may_come(&status) {
            continue;
        }
        if interrupted(&status) {
            return Err(failed(&format!("unable to generate manifests in {}", source.path), &status));
        }
        problems.push(invalid(format!(
            "Unable to generate manifests in {}: {}",
            source.path,
            failure::go_text(&status)
        )));
    }
    Ok(problems)
}

/// Whether only values files are missing that a pattern means: they may come later, and a comparison tells it until
/// then.
fn may_come(status: &Status) -> bool {
    status.code() == Code::NotFound && status.message().contains("matched no files")
}

/// Whether nobody waited for the answer, which says nothing of the spec.
fn interrupted(status: &Status) -> bool {
    matches!(status.code(), Code::Cancelled | Code::DeadlineExceeded)
}

/// What was tried, with the answer to it.
fn failed(what: &str, status: &Status) -> Status {
    Status::new(status.code(), format!("{what}: {}", failure::go_text(status)))
}

/// A repository as messages name it, without what opens it.
fn for_people(repository: &Repository) -> String {
    format!(
        "&Repository{{Repo: {:?}, Type: {:?}, Name: {:?}, Project: {:?}}}",
        without_password(&repository.repo),
        repository.r#type,
        repository.name,
        repository.project
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_says_something_of_the_spec_is_held_against_it() {
        assert!(may_come(&Status::not_found("app: values file glob \"x/*\" matched no files")));
        assert!(!may_come(&Status::not_found("app: gone")));
        assert!(!may_come(&Status::unknown("values file glob \"x/*\" matched no files")));
        assert!(interrupted(&Status::cancelled("")) && interrupted(&Status::deadline_exceeded("")));
        assert!(!interrupted(&Status::unavailable("")));
        let late = failed("unable to generate manifests in app", &Status::deadline_exceeded("late"));
        let told = "unable to generate manifests in app: rpc error: code = DeadlineExceeded desc = late";
        assert_eq!((late.code(), late.message()), (Code::DeadlineExceeded, told));
    }

    #[test]
    fn cve_2023_25163_a_repository_is_named_without_its_secrets() {
        let repository = Repository {
            repo: "https://u:canary@git.example/a.git".into(),
            password: "canary".into(),
            ..Repository::default()
        };
        let text = for_people(&repository);
        assert!(!text.contains("canary"), "{text}");
        let plain = Repository { repo: "http://h/a.git".into(), ..Repository::default() };
        assert_eq!(
            for_people(&plain),
            r#"&Repository{Repo: "http://h/a.git", Type: "", Name: "", Project: ""}"#
        );
    }
}
