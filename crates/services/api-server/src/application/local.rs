//! Manifests rendered from files that the caller sends, instead of what the repository holds. The files are handed
//! on as they come; the repo-server unpacks them within its limits.

use crate::application::manifests::masked;
use crate::authorization::{Access, Wanted, project_name};
use crate::failure;
use crate::hub::Hub;
use crate::sources::{ClusterFacts, Render};
use futures::{Stream, StreamExt as _, stream};
use tonic::{Status, Streaming};
use wire::application::application_manifest_query_with_files_wrapper::Part;
use wire::application::{ApplicationManifestQueryWithFiles, ApplicationManifestQueryWithFilesWrapper};
use wire::repository::manifest_request_with_files::Part as Sent;
use wire::repository::{
    ManifestFileChunk, ManifestFileMetadata, ManifestRequest, ManifestRequestWithFiles, ManifestResponse,
};

type Received = Streaming<ApplicationManifestQueryWithFilesWrapper>;

/// The manifests, Secrets masked.
pub(super) async fn manifests(
    hub: &Hub,
    access: &Access,
    mut received: Received,
) -> Result<ManifestResponse, Status> {
    let query = query(&mut received).await?;
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    let scope = hub.project_of(&application)?;
    let declared = application.spec.effective_sources();
    let source = declared.first().ok_or_else(|| Status::invalid_argument("the application has no source"))?;
    if !project::permits_source(&scope.project, &source.repo_url) {
        return Err(Status::permission_denied(format!(
            "application repo {} is not permitted in project '{}'",
            source.repo_url,
            project_name(&application)
        )));
    }
    let cluster = hub.acting(&application, &scope).await?;
    let facts = ClusterFacts::of(&cluster).await.map_err(|error| failure::kubernetes(&error))?;
    let render = Render {
        application: &application,
        sources: &declared,
        position: 0,
        scope: &scope,
        facts: &facts,
        no_cache: false,
    };
    let request = hub.manifest_request(&render)?;
    let sent = sent(request, query.checksum, received);
    let answer = hub.repo_server().generate_manifest_with_files(sent).await?.into_inner();
    masked(answer, &access.snapshot().masked_annotations)
}

/// The first message says what the files are for.
async fn query(received: &mut Received) -> Result<ApplicationManifestQueryWithFiles, Status> {
    let first = received
        .message()
        .await
        .map_err(|status| Status::new(status.code(), format!("error getting query: {}", status.message())))?;
    match first.and_then(|first| first.part) {
        Some(Part::Query(query)) if query.name.is_empty() => {
            Err(Status::unknown("invalid request: application name is missing"))
        }
        Some(Part::Query(query)) => Ok(query),
        _ => Err(Status::unknown("error getting query: error getting stream query: query is nil")),
    }
}

/// What the repo-server is sent: the request, the checksum, and the files. A stream that breaks off ends early, and
/// the checksum tells.
fn sent(
    request: ManifestRequest,
    checksum: String,
    received: Received,
) -> impl Stream<Item = ManifestRequestWithFiles> + Send + 'static {
    let wrapped = |part| ManifestRequestWithFiles { part: Some(part) };
    let metadata = ManifestFileMetadata { checksum, size: 0 };
    let chunks = received
        .map(move |message| match message.ok()?.part? {
            Part::Chunk(chunk) => Some(wrapped(Sent::Chunk(ManifestFileChunk { chunk: chunk.chunk }))),
            Part::Query(_) => None,
        })
        .take_while(|chunk| std::future::ready(chunk.is_some()))
        .filter_map(std::future::ready);
    stream::iter([wrapped(Sent::Request(request)), wrapped(Sent::Metadata(metadata))]).chain(chunks)
}
