//! Repositories: what is registered of them, and what is in them. Nothing that opens one leaves.

pub(super) mod listed;
mod sources;
mod written;

use crate::hub::Hub;
use crate::services::register::{Purpose, READ, WRITE};
use api::v1alpha1::{Repository, RepositoryList};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::repository::repository_service_server::RepositoryService;
use wire::repository::{
    HelmChartsResponse, Refs, RepoAccessQuery, RepoAppDetailsQuery, RepoAppDetailsResponse, RepoAppsQuery,
    RepoAppsResponse, RepoCreateRequest, RepoQuery, RepoResponse, RepoUpdateRequest,
};

/// Repositories.
pub(crate) struct Repositories(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

impl Repositories {
    /// Where nothing is hydrated there is nothing to push to.
    fn hydrated(&self) -> Result<(), Status> {
        if self.0.options.hydrator { Ok(()) } else { Err(Status::unimplemented("hydrator is disabled")) }
    }

    async fn listed(&self, purpose: Purpose, request: Request<RepoQuery>) -> Answer<RepositoryList> {
        let (access, query) = self.0.enter(request)?;
        Ok(Response::new(listed::list(&self.0, &access, purpose, &query).await))
    }

    async fn found(&self, purpose: Purpose, request: Request<RepoQuery>) -> Answer<Repository> {
        let (access, query) = self.0.enter(request)?;
        listed::get(&self.0, &access, purpose, &query).await.map(Response::new)
    }

    async fn created(&self, purpose: Purpose, request: Request<RepoCreateRequest>) -> Answer<Repository> {
        let (access, request) = self.0.enter(request)?;
        written::create(&self.0, &access, purpose, request).await.map(Response::new)
    }

    async fn updated(&self, purpose: Purpose, request: Request<RepoUpdateRequest>) -> Answer<Repository> {
        let (access, request) = self.0.enter(request)?;
        written::update(&self.0, &access, purpose, request).await.map(Response::new)
    }

    async fn deleted(&self, purpose: Purpose, request: Request<RepoQuery>) -> Answer<RepoResponse> {
        let (access, query) = self.0.enter(request)?;
        written::delete(&self.0, &access, purpose, &query).await?;
        Ok(Response::new(RepoResponse {}))
    }

    async fn tried(&self, purpose: Purpose, request: Request<RepoAccessQuery>) -> Answer<RepoResponse> {
        let (access, query) = self.0.enter(request)?;
        written::validate(&self.0, &access, purpose, query).await?;
        Ok(Response::new(RepoResponse {}))
    }
}

#[tonic::async_trait]
impl RepositoryService for Repositories {
    async fn list(&self, request: Request<RepoQuery>) -> Answer<RepositoryList> {
        self.listed(READ, request).await
    }

    async fn list_repositories(&self, request: Request<RepoQuery>) -> Answer<RepositoryList> {
        self.listed(READ, request).await
    }

    async fn list_write_repositories(&self, request: Request<RepoQuery>) -> Answer<RepositoryList> {
        self.hydrated()?;
        self.listed(WRITE, request).await
    }

    async fn get(&self, request: Request<RepoQuery>) -> Answer<Repository> {
        self.found(READ, request).await
    }

    async fn get_write(&self, request: Request<RepoQuery>) -> Answer<Repository> {
        self.hydrated()?;
        self.found(WRITE, request).await
    }

    async fn create(&self, request: Request<RepoCreateRequest>) -> Answer<Repository> {
        self.created(READ, request).await
    }

    async fn create_repository(&self, request: Request<RepoCreateRequest>) -> Answer<Repository> {
        self.created(READ, request).await
    }

    async fn create_write_repository(&self, request: Request<RepoCreateRequest>) -> Answer<Repository> {
        self.hydrated()?;
        self.created(WRITE, request).await
    }

    async fn update(&self, request: Request<RepoUpdateRequest>) -> Answer<Repository> {
        self.updated(READ, request).await
    }

    async fn update_repository(&self, request: Request<RepoUpdateRequest>) -> Answer<Repository> {
        self.updated(READ, request).await
    }

    async fn update_write_repository(&self, request: Request<RepoUpdateRequest>) -> Answer<Repository> {
        self.hydrated()?;
        self.updated(WRITE, request).await
    }

    async fn delete(&self, request: Request<RepoQuery>) -> Answer<RepoResponse> {
        self.deleted(READ, request).await
    }

    async fn delete_repository(&self, request: Request<RepoQuery>) -> Answer<RepoResponse> {
        self.deleted(READ, request).await
    }

    async fn delete_write_repository(&self, request: Request<RepoQuery>) -> Answer<RepoResponse> {
        self.hydrated()?;
        self.deleted(WRITE, request).await
    }

    async fn validate_access(&self, request: Request<RepoAccessQuery>) -> Answer<RepoResponse> {
        self.tried(READ, request).await
    }

    async fn validate_write_access(&self, request: Request<RepoAccessQuery>) -> Answer<RepoResponse> {
        self.hydrated()?;
        self.tried(WRITE, request).await
    }

    async fn list_refs(&self, request: Request<RepoQuery>) -> Answer<Refs> {
        let (access, query) = self.0.enter(request)?;
        sources::refs(&self.0, &access, &query).await.map(Response::new)
    }

    async fn list_oci_tags(&self, request: Request<RepoQuery>) -> Answer<Refs> {
        let (access, query) = self.0.enter(request)?;
        sources::tags(&self.0, &access, &query).await.map(Response::new)
    }

    async fn list_apps(&self, request: Request<RepoAppsQuery>) -> Answer<RepoAppsResponse> {
        let (access, query) = self.0.enter(request)?;
        sources::applications(&self.0, &access, &query).await.map(Response::new)
    }

    async fn get_app_details(&self, request: Request<RepoAppDetailsQuery>) -> Answer<RepoAppDetailsResponse> {
        let (access, query) = self.0.enter(request)?;
        sources::details(&self.0, &access, query).await.map(Response::new)
    }

    async fn get_helm_charts(&self, request: Request<RepoQuery>) -> Answer<HelmChartsResponse> {
        let (access, query) = self.0.enter(request)?;
        sources::charts(&self.0, &access, &query).await.map(Response::new)
    }
}
