//! Projects.

use crate::application::list_events;
use crate::audit::Reason;
use crate::authorization::{Access, project_name};
use crate::deep_links::Known;
use crate::destinations::Scope;
use crate::failure;
use crate::hub::Hub;
use crate::services::cluster::listed::registered;
use crate::services::register::{READ, object_of, scoped};
use crate::services::repository::listed::shown;
use crate::services::{members, project_token};
use api::k8s::meta_v1::ListMeta;
use api::names::{DEFAULT_PROJECT, HELM_LOOKUP};
use api::v1alpha1::{AppProject, AppProjectList, Application, Cluster, Repository};
use jiff::Timestamp;
use project::{Code, InvalidProject};
use std::sync::Arc;
use store::StoreError;
use tonic::{Request, Response, Status};
use wire::application::LinksResponse;
use wire::events::EventList;
use wire::project::project_service_server::ProjectService;
use wire::project::{
    DetailedProjectsResponse, EmptyResponse, GlobalProjectsResponse, ListProjectLinksRequest,
    ProjectCreateRequest, ProjectQuery, ProjectTokenCreateRequest, ProjectTokenDeleteRequest,
    ProjectTokenResponse, ProjectUpdateRequest, SyncWindowsQuery, SyncWindowsResponse,
};

const PROJECTS: &str = "projects";

/// Projects.
pub(crate) struct Projects(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ProjectService for Projects {
    async fn create_token(
        &self,
        request: Request<ProjectTokenCreateRequest>,
    ) -> Answer<ProjectTokenResponse> {
        let (access, request) = self.0.enter(request)?;
        let token = project_token::create(&self.0, &access, request).await?;
        Ok(Response::new(ProjectTokenResponse { token }))
    }

    async fn delete_token(&self, request: Request<ProjectTokenDeleteRequest>) -> Answer<EmptyResponse> {
        let (access, request) = self.0.enter(request)?;
        project_token::delete(&self.0, &access, request).await?;
        Ok(Response::new(EmptyResponse {}))
    }

    async fn create(&self, request: Request<ProjectCreateRequest>) -> Answer<AppProject> {
        let (access, request) = self.0.enter(request)?;
        create(&self.0, &access, request).await.map(Response::new)
    }

    async fn list(&self, request: Request<ProjectQuery>) -> Answer<AppProjectList> {
        let (access, _) = self.0.enter(request)?;
        let (stored, resource_version) = self.0.store.projects().snapshot();
        let items = stored
            .iter()
            .filter_map(|stored| stored.value())
            .filter(|project| access.permits(PROJECTS, "get", &project.metadata.name))
            .map(|project| with_tokens(AppProject::clone(project)))
            .collect();
        let metadata = ListMeta { resource_version, ..ListMeta::default() };
        Ok(Response::new(AppProjectList { metadata, items }))
    }

    async fn get(&self, request: Request<ProjectQuery>) -> Answer<AppProject> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.name).await?;
        Ok(Response::new(with_tokens(AppProject::clone(&found))))
    }

    async fn get_detailed_project(&self, request: Request<ProjectQuery>) -> Answer<DetailedProjectsResponse> {
        let (access, query) = self.0.enter(request)?;
        access.require(PROJECTS, "get", &query.name)?;
        let found = self.0.project_now(&query.name).await.map_err(|_| {
            let name = &query.name;
            Status::not_found(format!(
                "error getting app project {name:?}: appproject.{} {name:?} not found",
                api::GROUP
            ))
        })?;
        Ok(Response::new(detailed(&self.0, &access, &found)))
    }

    async fn get_global_projects(&self, request: Request<ProjectQuery>) -> Answer<GlobalProjectsResponse> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.name).await?;
        let items = self.0.global_projects(&found).iter().map(|project| AppProject::clone(project)).collect();
        Ok(Response::new(GlobalProjectsResponse { items }))
    }

    async fn list_links(&self, request: Request<ListProjectLinksRequest>) -> Answer<LinksResponse> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.name).await?;
        let (links, _) = settings::DeepLinks::parse(&access.snapshot().data);
        let known = Known::default().project(&found);
        self.0.links(links.project, known, &query.name).await.map(Response::new)
    }

    async fn update(&self, request: Request<ProjectUpdateRequest>) -> Answer<AppProject> {
        let (access, request) = self.0.enter(request)?;
        update(&self.0, &access, request).await.map(Response::new)
    }

    async fn delete(&self, request: Request<ProjectQuery>) -> Answer<EmptyResponse> {
        let (access, query) = self.0.enter(request)?;
        delete(&self.0, &access, &query.name).await?;
        Ok(Response::new(EmptyResponse {}))
    }

    async fn list_events(&self, request: Request<ProjectQuery>) -> Answer<EventList> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.name).await?;
        list_events(&self.0, &found.metadata).await.map(Response::new)
    }

    async fn get_sync_windows_state(
        &self,
        request: Request<SyncWindowsQuery>,
    ) -> Answer<SyncWindowsResponse> {
        let (access, query) = self.0.enter(request)?;
        let found = visible(&self.0, &access, &query.name).await?;
        let now = Timestamp::now();
        let active = |window: &&api::v1alpha1::SyncWindow| project::windows::is_active(window, now);
        let windows = found.spec.sync_windows.iter().filter(active).cloned().collect();
        Ok(Response::new(SyncWindowsResponse { windows }))
    }
}

async fn visible(hub: &Hub, access: &Access, name: &str) -> Result<Arc<AppProject>, Status> {
    access.require(PROJECTS, "get", name)?;
    hub.project_now(name).await.map_err(|error| failure::store(&error))
}

/// A role's tokens are kept in the status and shown in the spec, too.
fn with_tokens(mut project: AppProject) -> AppProject {
    for role in &mut project.spec.roles {
        if let Some(tokens) = project.status.jwt_tokens_by_role.get(&role.name) {
            role.jwt_tokens.clone_from(&tokens.items);
        }
    }
    project
}

/// A project with what it inherits, and what belongs to it. A project's readers may not be its repositories' and its
/// clusters': they are told only what names them (CVE-2025-55190).
fn detailed(hub: &Hub, access: &Access, found: &AppProject) -> DetailedProjectsResponse {
    let name = &found.metadata.name;
    let repositories = hub.store.repositories().into_iter().flatten();
    let repositories = repositories.filter(|repository| repository.reveal().project == *name);
    let repositories = repositories.map(|repository| {
        let whole = shown(repository.reveal());
        if access.permits(READ.resource, "get", &object_of(repository.reveal())) {
            return whole;
        }
        Repository {
            repo: whole.repo,
            name: whole.name,
            r#type: whole.r#type,
            project: whole.project,
            ..Repository::default()
        }
    });
    let enabled = hub.snapshot().server.in_cluster_enabled;
    let clusters = hub.store.clusters(enabled).into_iter().flatten();
    let clusters = clusters.filter(|cluster| cluster.reveal().project == *name).map(|cluster| {
        let whole = registered(cluster.reveal());
        if access.permits("clusters", "get", &scoped(&whole.project, &whole.server)) {
            return whole;
        }
        Cluster { server: whole.server, name: whole.name, project: whole.project, ..Cluster::default() }
    });
    let global = hub.global_projects(found);
    let inherited: Vec<&AppProject> = global.iter().map(AsRef::as_ref).collect();
    DetailedProjectsResponse {
        project: Some(project::effective(&with_tokens(found.clone()), &inherited, &[], &[])),
        repositories: repositories.collect(),
        clusters: clusters.collect(),
        global_projects: inherited.into_iter().cloned().collect(),
    }
}

/// Policies as they are kept: after each comma one blank.
fn evenly_spaced(project: &mut AppProject) {
    for policy in project.spec.roles.iter_mut().flat_map(|role| role.policies.iter_mut()) {
        let mut words = policy.split(',');
        let first = words.next().unwrap_or_default();
        let spaced = words.fold(first.to_owned(), |line, word| format!("{line}, {}", word.trim_matches(' ')));
        *policy = spaced;
    }
}

/// A project's own mistakes, as clients know them.
fn check(project: &AppProject) -> Result<(), Status> {
    project::validate_project(project).map_err(|InvalidProject { code, message }| match code {
        Code::InvalidArgument => Status::invalid_argument(message),
        Code::AlreadyExists => Status::already_exists(message),
        Code::OutOfRange => Status::out_of_range(message),
        Code::Unknown => Status::unknown(format!("error validating project: {message}")),
    })
}

async fn create(hub: &Hub, access: &Access, request: ProjectCreateRequest) -> Result<AppProject, Status> {
    let mut wanted =
        request.project.ok_or_else(|| Status::invalid_argument("missing payload 'project' in request"))?;
    access.require(PROJECTS, "create", &wanted.metadata.name)?;
    // Tokens are issued, not declared: what comes with a new project was never signed for it.
    wanted.status = Default::default();
    for role in &mut wanted.spec.roles {
        role.jwt_tokens.clear();
    }
    evenly_spaced(&mut wanted);
    check(&wanted)?;
    match hub.store.create_project(&wanted).await {
        Ok(created) => {
            hub.tell_project(access, &created, Reason::Created, "created project").await;
            Ok(created)
        }
        Err(StoreError::Cluster(error)) if error.is_already_exists() => {
            already_there(hub, access, wanted, request.upsert).await
        }
        Err(error) => Err(failure::store(&error)),
    }
}

async fn already_there(
    hub: &Hub,
    access: &Access,
    wanted: AppProject,
    upsert: bool,
) -> Result<AppProject, Status> {
    let name = wanted.metadata.name.clone();
    let existing = hub.fetched_project(&name).await.map_err(|error| failure::store(&error))?;
    let mut existing = AppProject::clone(&existing);
    if upsert {
        access.require(PROJECTS, "update", &name)?;
        let scope = (hub.scope(&existing), existing.clone());
        // Only the spec is taken.
        let taken = AppProject { metadata: existing.metadata.clone(), ..wanted };
        require_what_changes(access, &existing, &taken)?;
        existing.spec = taken.spec;
        kept_of_roles(&mut existing);
        project_token::repeat(&mut existing);
        nothing_becomes_invalid(hub, &scope.0, &scope.1, &existing)?;
        let updated = hub.store.update_project(&existing).await.map_err(|error| failure::store(&error))?;
        hub.tell_project(access, &updated, Reason::Updated, "updated project").await;
        return Ok(updated);
    }
    // Tokens are not declared: a project that has some is the declared one all the same.
    let mut declared = existing.clone();
    declared.spec.roles.iter_mut().for_each(|role| role.jwt_tokens.clear());
    if declared.spec == wanted.spec {
        return Ok(existing);
    }
    Err(Status::invalid_argument(format!(
        "existing project spec is different; use upsert flag to force update; difference in keys {:?}",
        members::differing(&spec(&declared), &spec(&wanted)).join(",")
    )))
}

fn spec(project: &AppProject) -> serde_json::Value {
    serde_json::to_value(&project.spec).unwrap_or_default()
}

async fn update(hub: &Hub, access: &Access, request: ProjectUpdateRequest) -> Result<AppProject, Status> {
    let mut wanted =
        request.project.ok_or_else(|| Status::invalid_argument("missing payload 'project' in request"))?;
    let name = wanted.metadata.name.clone();
    access.require(PROJECTS, "update", &name)?;
    evenly_spaced(&mut wanted);
    check(&wanted)?;
    // As it is at this moment: the records of tokens are carried along, and one that was issued just now is among them.
    let existing = hub.fetched_project(&name).await.map_err(|error| failure::store(&error))?;
    require_what_changes(access, &existing, &wanted)?;
    // Tokens are issued and deleted by their own methods; an update carries the known ones along.
    wanted.status = existing.status.clone();
    kept_of_roles(&mut wanted);
    for role in &mut wanted.spec.roles {
        let before = existing.spec.roles.iter().find(|before| before.name == role.name);
        let known = existing.status.jwt_tokens_by_role.get(&role.name).filter(|_| before.is_some());
        role.jwt_tokens = known.map(|tokens| tokens.items.clone()).unwrap_or_default();
    }
    nothing_becomes_invalid(hub, &hub.scope(&existing), &existing, &wanted)?;
    let updated = hub.store.update_project(&wanted).await.map_err(|error| failure::store(&error))?;
    hub.tell_project(access, &updated, Reason::Updated, "updated project").await;
    Ok(with_tokens(updated))
}

/// Whoever opens a project to a cluster or a repository, or closes it, needs the right to change these, too; for other
/// limits on kinds, and for what charts may look up there, that to change every destination.
fn require_what_changes(access: &Access, existing: &AppProject, wanted: &AppProject) -> Result<(), Status> {
    let servers = |project: &AppProject| -> Vec<String> {
        project.spec.destinations.iter().map(|destination| destination.server.clone()).collect()
    };
    let (before, after) = (&existing.spec, &wanted.spec);
    for server in in_one_only(&servers(wanted), &servers(existing)) {
        access.require("clusters", "update", server)?;
    }
    for url in in_one_only(&after.source_repos, &before.source_repos) {
        access.require("repositories", "update", url)?;
    }
    let same_kinds = after.cluster_resource_whitelist == before.cluster_resource_whitelist
        && after.cluster_resource_blacklist == before.cluster_resource_blacklist
        && after.namespace_resource_blacklist == before.namespace_resource_blacklist
        && after.namespace_resource_whitelist == before.namespace_resource_whitelist;
    let lookups = |project: &AppProject| project.metadata.annotations.get(HELM_LOOKUP).cloned();
    if !same_kinds || lookups(wanted) != lookups(existing) {
        for server in servers(wanted) {
            access.require("clusters", "update", &server)?;
        }
    }
    Ok(())
}

/// What stands in one of two lists and not in the other, in their order.
fn in_one_only<'a>(one: &'a [String], other: &'a [String]) -> Vec<&'a str> {
    let added = one.iter().filter(|text| !other.contains(text));
    let removed = other.iter().filter(|text| !one.contains(text));
    added.chain(removed).map(String::as_str).collect()
}

/// The status has an entry for each role and none for others: a role that comes back begins without the tokens of
/// the one that had its name.
fn kept_of_roles(project: &mut AppProject) {
    let (roles, kept) = (&project.spec.roles, &mut project.status.jwt_tokens_by_role);
    kept.retain(|name, _| roles.iter().any(|role| role.name == *name));
    for role in roles {
        kept.entry(role.name.clone()).or_default();
    }
}

/// Refuses a change that forbids what applications of the project use and were permitted before.
fn nothing_becomes_invalid(
    hub: &Hub,
    before: &Scope,
    existing: &AppProject,
    wanted: &AppProject,
) -> Result<(), Status> {
    let name = &existing.metadata.name;
    let after = hub.scope(wanted);
    let applications = hub.store.applications().values();
    let applications = || applications.iter().filter(|application| project_name(application) == name);
    let lost = |permits: &dyn Fn(&Scope, &Application) -> bool| {
        applications()
            .filter(|application| permits(before, application) && !permits(&after, application))
            .count()
    };
    let sources = lost(&|scope, application| {
        application
            .spec
            .effective_sources()
            .iter()
            .all(|source| project::permits_source(&scope.project, &source.repo_url))
    });
    let destinations = lost(&|scope, application| {
        let destination = &application.spec.destination;
        scope.destination(destination).is_ok_and(|cluster| {
            let to = project::Destination { cluster: &cluster, namespace: &destination.namespace };
            project::permits_destination(&scope.project, to, &scope.own_clusters)
        })
    });
    let told: Vec<String> = [(sources, "source"), (destinations, "destination")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} applications {what} became invalid"))
        .collect();
    if told.is_empty() {
        return Ok(());
    }
    Err(Status::invalid_argument(format!("as a result of project update {}", told.join(" and "))))
}

async fn delete(hub: &Hub, access: &Access, name: &str) -> Result<(), Status> {
    if name == DEFAULT_PROJECT {
        return Err(Status::invalid_argument("name 'default' is reserved and cannot be deleted"));
    }
    access.require(PROJECTS, "delete", name)?;
    let found = hub.project_now(name).await.map_err(|error| failure::store(&error))?;
    let applications = hub.store.applications().values();
    let used = applications.iter().filter(|application| project_name(application) == name).count();
    if used > 0 {
        return Err(Status::invalid_argument(format!("project is referenced by {used} applications")));
    }
    hub.store.delete_project(name).await.map_err(|error| failure::store(&error))?;
    hub.tell_project(access, &found, Reason::Deleted, "deleted project").await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::v1alpha1::ProjectRole;

    #[test]
    fn policies_are_kept_with_one_blank_after_each_comma() {
        let even = "p, proj:red:ci, applications, get, red/*, allow";
        let given = [
            "p,proj:red:ci,applications,get,red/*,allow",
            "p ,  proj:red:ci , applications,get, red/*,allow ",
            even,
        ];
        let policies = given.map(str::to_owned).to_vec();
        let mut project = AppProject::default();
        project.spec.roles = vec![ProjectRole { policies, ..ProjectRole::default() }];
        evenly_spaced(&mut project);
        // What stands before the first comma stays as it is.
        let odd = even.replacen("p,", "p ,", 1);
        assert_eq!(project.spec.roles[0].policies, [even, odd.as_str(), even]);
    }
}
