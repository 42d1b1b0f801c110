//! What is in a repository: branches, tags, charts, applications and their details. The repo-server looks; here it is
//! decided who may have it look.

use crate::authorization::{APPLICATIONS, Access, project_name};
use crate::destinations::Scope;
use crate::failure;
use crate::hub::Hub;
use crate::normal::normalise;
use crate::services::path_value::address;
use crate::services::register::{READ, no_payload, object_of, scoped};
use api::v1alpha1::{Application, ApplicationSource, ApplicationSpec, Repository};
use std::sync::Arc;
use tonic::Status;
use wire::repository::{
    AppInfo, HelmChartsRequest, HelmChartsResponse, ListAppsRequest, ListRefsRequest, Refs,
    RepoAppDetailsQuery, RepoAppDetailsResponse, RepoAppsQuery, RepoAppsResponse, RepoQuery,
};

/// The repository at a URL as a project may use it, for somebody who may see it.
fn readable(hub: &Hub, access: &Access, url: &str, project: &str) -> Result<Repository, Status> {
    let repository = hub.repository(&address(url), project).map_err(|_| failure::denied())?;
    access.require(READ.resource, "get", &object_of(&repository))?;
    Ok(repository)
}

/// Branches and tags.
pub(super) async fn refs(hub: &Hub, access: &Access, query: &RepoQuery) -> Result<Refs, Status> {
    let repo = Some(readable(hub, access, &query.repo, &query.app_project)?);
    Ok(hub.repo_server().list_refs(ListRefsRequest { repo }).await?.into_inner())
}

/// Tags of an OCI repository.
pub(super) async fn tags(hub: &Hub, access: &Access, query: &RepoQuery) -> Result<Refs, Status> {
    let repo = Some(readable(hub, access, &query.repo, &query.app_project)?);
    Ok(hub.repo_server().list_oci_tags(ListRefsRequest { repo }).await?.into_inner())
}

/// Charts of a Helm repository.
pub(super) async fn charts(
    hub: &Hub,
    access: &Access,
    query: &RepoQuery,
) -> Result<HelmChartsResponse, Status> {
    let repo = Some(readable(hub, access, &query.repo, &query.app_project)?);
    Ok(hub.repo_server().get_helm_charts(HelmChartsRequest { repo }).await?.into_inner())
}

/// Applications that a repository seems to hold: for those who may make one of them.
pub(super) async fn applications(
    hub: &Hub,
    access: &Access,
    query: &RepoAppsQuery,
) -> Result<RepoAppsResponse, Status> {
    let repository = readable(hub, access, &query.repo, &query.app_project)?;
    let application = format!("{}/{}", query.app_project, query.app_name);
    let may = |action: &str| access.permits(APPLICATIONS, action, &application);
    if !may("create") && !may("update") {
        return Err(failure::denied());
    }
    permitted(hub, &repository.repo, &query.app_project)?;
    let request = ListAppsRequest {
        enabled_source_types: hub.snapshot().rendering.enabled_source_types(),
        repo: Some(repository),
        revision: query.revision.clone(),
    };
    let found = hub.repo_server().list_apps(request).await?.into_inner();
    let items = found.apps.into_iter().map(|(path, r#type)| AppInfo { r#type, path }).collect();
    Ok(RepoAppsResponse { items })
}

/// What a source consists of: for those who may see the application it is of, or make it.
pub(super) async fn details(
    hub: &Hub,
    access: &Access,
    query: RepoAppDetailsQuery,
) -> Result<RepoAppDetailsResponse, Status> {
    let mut source = query.source.ok_or_else(no_payload)?;
    source.repo_url = address(&source.repo_url);
    readable(hub, access, &source.repo_url, &query.app_project)?;
    let object = scoped(&query.app_project, &query.app_name);
    access.require(APPLICATIONS, "get", &object)?;
    let (namespace, name) = match query.app_name.split_once('/') {
        Some((namespace, name)) => (namespace, name),
        None => (hub.store.namespace(), query.app_name.as_str()),
    };
    let application = hub.store.application(namespace, name).ok();
    let application = application.filter(|_| hub.store.namespaces().permits(namespace));
    match &application {
        None => access.require(APPLICATIONS, "create", &object)?,
        Some(application) => {
            let history = History { index: query.source_index, version: query.version_id };
            if project_name(application) != query.app_project || !history.holds(application, &source) {
                return Err(failure::denied());
            }
        }
    }
    let scope = permitted(hub, &source.repo_url, &query.app_project)?;
    let whole =
        application.as_deref().map_or_else(Vec::new, |application| application.spec.effective_sources());
    let request = hub.details_request(&source, &whole, &query.app_name, &scope)?;
    Ok(hub.repo_server().get_app_details(request).await?.into_inner())
}

/// No repository is looked at for a project that may not use it.
fn permitted(hub: &Hub, url: &str, project: &str) -> Result<Scope, Status> {
    let found = hub.store.project(project).map_err(|_| {
        let group = api::GROUP;
        let text = format!("error getting app project {project:?}: appproject.{group} {project:?} not found");
        Status::not_found(text)
    })?;
    let scope = hub.scope(&found);
    if project::permits_source(&scope.project, url) {
        return Ok(scope);
    }
    Err(Status::permission_denied(format!("repository '{url}' not permitted in project '{project}'")))
}

/// Which entry of an application's history a request looks at.
struct History {
    index: i32,
    version: i32,
}

impl History {
    /// Whether a source is the application's, or was: nobody renders something else in its name.
    fn holds(&self, application: &Arc<Application>, source: &ApplicationSource) -> bool {
        let wanted = normal(source);
        if application.spec.effective_sources().iter().any(|own| normal(own) == wanted) {
            return true;
        }
        // What was deployed is a branch of rendered manifests then: only the spec's two sources count.
        if let Some(hydrator) = &application.spec.source_hydrator {
            return normal(&hydrator.dry()) == wanted;
        }
        application.status.history.iter().any(|entry| {
            if entry.sources.is_empty() {
                let was =
                    ApplicationSource { target_revision: entry.revision.clone(), ..entry.source.clone() };
                return normal(&was) == wanted;
            }
            let index = usize::try_from(self.index).unwrap_or(usize::MAX);
            entry.id == i64::from(self.version)
                && entry.sources.get(index).zip(entry.revisions.get(index)).is_some_and(|(was, revision)| {
                    let was = ApplicationSource { target_revision: revision.clone(), ..was.clone() };
                    normal(&was) == wanted
                })
        })
    }
}

/// A source without what says nothing.
fn normal(source: &ApplicationSource) -> Option<ApplicationSource> {
    let mut spec = ApplicationSpec { source: Some(source.clone()), ..ApplicationSpec::default() };
    normalise(&mut spec);
    spec.source
}
