//! The application service: which method is answered where.

mod actions;
mod events;
mod links;
mod listing;
mod local;
mod logs;
mod manifests;
mod operate;
mod predict;
mod read;
pub(crate) mod refresh;
mod resources;
mod watch;
mod write;

use crate::hub::Hub;
use crate::masking::operations;
use api::k8s::meta_v1::ObjectMeta;
use api::v1alpha1::{
    Application, ApplicationList, ApplicationSpec, ApplicationTree, ApplicationWatchEvent, ChartDetails,
    OCIMetadata, RevisionMetadata,
};
use std::sync::Arc;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status, Streaming};
use wire::application::application_service_server::ApplicationService;
use wire::application::{
    ApplicationCreateRequest, ApplicationDeleteRequest, ApplicationManifestQuery,
    ApplicationManifestQueryWithFilesWrapper, ApplicationPatchRequest, ApplicationPodLogsQuery,
    ApplicationQuery, ApplicationResourceDeleteRequest, ApplicationResourceEventsQuery,
    ApplicationResourcePatchRequest, ApplicationResourceRequest, ApplicationResourceResponse,
    ApplicationResponse, ApplicationRollbackRequest, ApplicationServerSideDiffQuery,
    ApplicationServerSideDiffResponse, ApplicationSyncRequest, ApplicationSyncWindowsQuery,
    ApplicationSyncWindowsResponse, ApplicationUpdateRequest, ApplicationUpdateSpecRequest, LinksResponse,
    ListAppLinksRequest, LogEntry, ManagedResourcesResponse, OperationTerminateRequest,
    OperationTerminateResponse, ResourceActionRunRequest, ResourceActionRunRequestV2,
    ResourceActionsListResponse, ResourcesQuery, RevisionMetadataQuery,
};
use wire::events::EventList;
use wire::repository::ManifestResponse;

/// Applications.
pub(crate) struct Applications(pub(crate) Arc<Hub>);

type Answer<T> = Result<Response<T>, Status>;

impl Applications {
    fn shown(&self, application: Application) -> Response<Application> {
        Response::new(operations(application, &self.0.snapshot().masked_annotations))
    }
}

#[tonic::async_trait]
impl ApplicationService for Applications {
    async fn list(&self, request: Request<ApplicationQuery>) -> Answer<ApplicationList> {
        let (access, query) = self.0.enter(request)?;
        read::list(&self.0, &access, &query).map(Response::new)
    }

    async fn get(&self, request: Request<ApplicationQuery>) -> Answer<Application> {
        let (access, query) = self.0.enter(request)?;
        read::get(&self.0, &access, &query).await.map(Response::new)
    }

    async fn watch(&self, request: Request<ApplicationQuery>) -> Answer<BoxStream<ApplicationWatchEvent>> {
        let (access, query) = self.0.enter(request)?;
        watch::applications(self.0.clone(), &access, &query).map(Response::new)
    }

    async fn create(&self, request: Request<ApplicationCreateRequest>) -> Answer<Application> {
        let (access, request) = self.0.enter(request)?;
        write::create(&self.0, &access, request).await.map(|it| self.shown(it))
    }

    async fn update(&self, request: Request<ApplicationUpdateRequest>) -> Answer<Application> {
        let (access, request) = self.0.enter(request)?;
        write::update(&self.0, &access, request).await.map(|it| self.shown(it))
    }

    async fn update_spec(&self, request: Request<ApplicationUpdateSpecRequest>) -> Answer<ApplicationSpec> {
        let (access, request) = self.0.enter(request)?;
        write::update_spec(&self.0, &access, request).await.map(Response::new)
    }

    async fn patch(&self, request: Request<ApplicationPatchRequest>) -> Answer<Application> {
        let (access, request) = self.0.enter(request)?;
        write::patch(&self.0, &access, request).await.map(|it| self.shown(it))
    }

    async fn delete(&self, request: Request<ApplicationDeleteRequest>) -> Answer<ApplicationResponse> {
        let (access, request) = self.0.enter(request)?;
        write::delete(&self.0, &access, request).await.map(Response::new)
    }

    async fn sync(&self, request: Request<ApplicationSyncRequest>) -> Answer<Application> {
        let (access, request) = self.0.enter(request)?;
        operate::sync(&self.0, &access, request).await.map(|it| self.shown(it))
    }

    async fn rollback(&self, request: Request<ApplicationRollbackRequest>) -> Answer<Application> {
        let (access, request) = self.0.enter(request)?;
        operate::rollback(&self.0, &access, request).await.map(|it| self.shown(it))
    }

    async fn terminate_operation(
        &self,
        request: Request<OperationTerminateRequest>,
    ) -> Answer<OperationTerminateResponse> {
        let (access, request) = self.0.enter(request)?;
        operate::terminate(&self.0, &access, request).await.map(Response::new)
    }

    async fn get_application_sync_windows(
        &self,
        request: Request<ApplicationSyncWindowsQuery>,
    ) -> Answer<ApplicationSyncWindowsResponse> {
        let (access, query) = self.0.enter(request)?;
        operate::sync_windows(&self.0, &access, &query).await.map(Response::new)
    }

    async fn get_manifests(&self, request: Request<ApplicationManifestQuery>) -> Answer<ManifestResponse> {
        let (access, query) = self.0.enter(request)?;
        manifests::manifests(&self.0, &access, query).await.map(Response::new)
    }

    async fn revision_metadata(&self, request: Request<RevisionMetadataQuery>) -> Answer<RevisionMetadata> {
        let (access, query) = self.0.enter(request)?;
        manifests::revision_metadata(&self.0, &access, query).await.map(Response::new)
    }

    async fn revision_chart_details(&self, request: Request<RevisionMetadataQuery>) -> Answer<ChartDetails> {
        let (access, query) = self.0.enter(request)?;
        manifests::chart_details(&self.0, &access, query).await.map(Response::new)
    }

    async fn get_oci_metadata(&self, request: Request<RevisionMetadataQuery>) -> Answer<OCIMetadata> {
        let (access, query) = self.0.enter(request)?;
        manifests::oci_metadata(&self.0, &access, query).await.map(Response::new)
    }

    async fn get_manifests_with_files(
        &self,
        request: Request<Streaming<ApplicationManifestQueryWithFilesWrapper>>,
    ) -> Answer<ManifestResponse> {
        let (access, stream) = self.0.enter(request)?;
        local::manifests(&self.0, &access, stream).await.map(Response::new)
    }

    async fn list_links(&self, request: Request<ListAppLinksRequest>) -> Answer<LinksResponse> {
        let (access, query) = self.0.enter(request)?;
        links::of_application(&self.0, &access, &query).await.map(Response::new)
    }

    async fn list_resource_links(
        &self,
        request: Request<ApplicationResourceRequest>,
    ) -> Answer<LinksResponse> {
        let (access, query) = self.0.enter(request)?;
        links::of_resource(&self.0, &access, &query).await.map(Response::new)
    }

    async fn list_resource_actions(
        &self,
        request: Request<ApplicationResourceRequest>,
    ) -> Answer<ResourceActionsListResponse> {
        let (access, query) = self.0.enter(request)?;
        actions::list(&self.0, &access, &query).await.map(Response::new)
    }

    async fn run_resource_action(
        &self,
        request: Request<ResourceActionRunRequest>,
    ) -> Answer<ApplicationResponse> {
        let (access, request) = self.0.enter(request)?;
        let request = actions::without_parameters(request);
        actions::run(&self.0, &access, request).await.map(Response::new)
    }

    async fn run_resource_action_v2(
        &self,
        request: Request<ResourceActionRunRequestV2>,
    ) -> Answer<ApplicationResponse> {
        let (access, request) = self.0.enter(request)?;
        actions::run(&self.0, &access, request).await.map(Response::new)
    }

    async fn managed_resources(&self, request: Request<ResourcesQuery>) -> Answer<ManagedResourcesResponse> {
        let (access, query) = self.0.enter(request)?;
        resources::managed(&self.0, &access, &query).await.map(Response::new)
    }

    async fn server_side_diff(
        &self,
        request: Request<ApplicationServerSideDiffQuery>,
    ) -> Answer<ApplicationServerSideDiffResponse> {
        let (access, query) = self.0.enter(request)?;
        predict::differences(&self.0, &access, &query).await.map(Response::new)
    }

    async fn resource_tree(&self, request: Request<ResourcesQuery>) -> Answer<ApplicationTree> {
        let (access, query) = self.0.enter(request)?;
        resources::tree(&self.0, &access, &query).await.map(Response::new)
    }

    async fn watch_resource_tree(
        &self,
        request: Request<ResourcesQuery>,
    ) -> Answer<BoxStream<ApplicationTree>> {
        let (access, query) = self.0.enter(request)?;
        watch::tree(self.0.clone(), &access, query).await.map(Response::new)
    }

    async fn get_resource(
        &self,
        request: Request<ApplicationResourceRequest>,
    ) -> Answer<ApplicationResourceResponse> {
        let (access, query) = self.0.enter(request)?;
        resources::get(&self.0, &access, &query).await.map(Response::new)
    }

    async fn patch_resource(
        &self,
        request: Request<ApplicationResourcePatchRequest>,
    ) -> Answer<ApplicationResourceResponse> {
        let (access, query) = self.0.enter(request)?;
        resources::patch(&self.0, &access, &query).await.map(Response::new)
    }

    async fn delete_resource(
        &self,
        request: Request<ApplicationResourceDeleteRequest>,
    ) -> Answer<ApplicationResponse> {
        let (access, query) = self.0.enter(request)?;
        resources::delete(&self.0, &access, &query).await.map(Response::new)
    }

    async fn list_resource_events(
        &self,
        request: Request<ApplicationResourceEventsQuery>,
    ) -> Answer<EventList> {
        let (access, query) = self.0.enter(request)?;
        events::of_application(&self.0, &access, &query).await.map(Response::new)
    }

    async fn pod_logs(&self, request: Request<ApplicationPodLogsQuery>) -> Answer<BoxStream<LogEntry>> {
        let (access, query) = self.0.enter(request)?;
        logs::logs(&self.0, &access, query).await.map(Response::new)
    }
}

/// The events about an object of the hub.
pub(crate) async fn list_events(hub: &Hub, of: &ObjectMeta) -> Result<EventList, Status> {
    let about = events::About { namespace: &of.namespace, name: &of.name, uid: &of.uid };
    events::list(hub.store.cluster(), &about).await
}
