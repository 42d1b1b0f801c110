//! Destination clusters, without what opens them.

pub(super) mod listed;
mod rotated;
mod written;

use crate::hub::Hub;
use api::v1alpha1::{Cluster, ClusterList};
use std::sync::Arc;
use tonic::{Request, Response, Status};
use wire::cluster::cluster_service_server::ClusterService;
use wire::cluster::{ClusterCreateRequest, ClusterQuery, ClusterResponse, ClusterUpdateRequest};

const RESOURCE: &str = "clusters";

/// Clusters.
pub(crate) struct Clusters(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl ClusterService for Clusters {
    async fn list(&self, request: Request<ClusterQuery>) -> Answer<ClusterList> {
        let (access, query) = self.0.enter(request)?;
        listed::list(&self.0, &access, &query).await.map(Response::new)
    }

    async fn get(&self, request: Request<ClusterQuery>) -> Answer<Cluster> {
        let (access, query) = self.0.enter(request)?;
        let found = listed::one(&self.0, &access, &query, "get")?;
        Ok(Response::new(listed::told(&self.0, &found).await))
    }

    async fn create(&self, request: Request<ClusterCreateRequest>) -> Answer<Cluster> {
        let (access, request) = self.0.enter(request)?;
        written::create(&self.0, &access, request).await.map(Response::new)
    }

    async fn update(&self, request: Request<ClusterUpdateRequest>) -> Answer<Cluster> {
        let (access, request) = self.0.enter(request)?;
        written::update(&self.0, &access, request).await.map(Response::new)
    }

    async fn delete(&self, request: Request<ClusterQuery>) -> Answer<ClusterResponse> {
        let (access, query) = self.0.enter(request)?;
        written::delete(&self.0, &access, &query).await?;
        Ok(Response::new(ClusterResponse {}))
    }

    async fn rotate_auth(&self, request: Request<ClusterQuery>) -> Answer<ClusterResponse> {
        let (access, query) = self.0.enter(request)?;
        rotated::rotate(&self.0, &access, &query).await?;
        Ok(Response::new(ClusterResponse {}))
    }

    async fn invalidate_cache(&self, request: Request<ClusterQuery>) -> Answer<Cluster> {
        let (access, query) = self.0.enter(request)?;
        written::invalidate(&self.0, &access, &query).await.map(Response::new)
    }
}
