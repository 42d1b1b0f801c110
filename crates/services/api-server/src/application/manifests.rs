//! What an application's sources render to, and what is known of a revision.

use crate::application::operate::at_positions;
use crate::authorization::{Access, Wanted, project_name};
use crate::failure;
use crate::hub::Hub;
use crate::masking;
use crate::sources::{ClusterFacts, Render, is_commit};
use api::v1alpha1::{Application, ApplicationSource, ChartDetails, OCIMetadata, RevisionMetadata};
use std::collections::BTreeSet;
use tonic::Status;
use wire::application::{ApplicationManifestQuery, RevisionMetadataQuery};
use wire::repository::{
    ManifestResponse, RepoServerRevisionChartDetailsRequest, RepoServerRevisionMetadataRequest,
};

/// The manifests of an application, Secrets masked.
pub(crate) async fn manifests(
    hub: &Hub,
    access: &Access,
    query: ApplicationManifestQuery,
) -> Result<ManifestResponse, Status> {
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    let scope = hub.project_of(&application)?;
    let sources = asked_for(&application, &query)?;
    for source in &sources {
        if !project::permits_source(&scope.project, &source.repo_url) {
            return Err(Status::permission_denied(format!(
                "application repo {} is not permitted in project '{}'",
                source.repo_url,
                project_name(&application)
            )));
        }
    }
    let cluster = hub.acting(&application, &scope).await?;
    let facts = ClusterFacts::of(&cluster).await.map_err(|error| failure::kubernetes(&error))?;
    let annotations = &access.snapshot().masked_annotations;
    let mut manifests = Vec::new();
    for position in 0..sources.len() {
        let render = Render {
            application: &application,
            sources: &sources,
            position,
            scope: &scope,
            facts: &facts,
            no_cache: query.no_cache.unwrap_or(false),
        };
        manifests.extend(masked(hub.render(render).await?, annotations)?.manifests);
    }
    Ok(ManifestResponse { manifests, ..ManifestResponse::default() })
}

/// What was rendered, as it may be shown.
pub(super) fn masked(
    mut rendered: ManifestResponse,
    annotations: &BTreeSet<String>,
) -> Result<ManifestResponse, Status> {
    for manifest in &mut rendered.manifests {
        *manifest = masking::manifest(manifest, annotations)?;
    }
    Ok(rendered)
}

/// The sources at the revisions asked for.
fn asked_for(
    application: &Application,
    query: &ApplicationManifestQuery,
) -> Result<Vec<ApplicationSource>, Status> {
    let spec = &application.spec;
    let mut declared = match &spec.source_hydrator {
        Some(hydrator) => vec![hydrator.dry()],
        None => spec.effective_sources(),
    };
    if spec.has_several_sources() {
        return at_positions(declared, &query.source_positions, &query.revisions);
    }
    if let (Some(source), Some(revision)) = (declared.first_mut(), &query.revision)
        && !revision.is_empty()
    {
        source.target_revision.clone_from(revision);
    }
    Ok(declared)
}

/// Author, date and message of a revision.
pub(crate) async fn revision_metadata(
    hub: &Hub,
    access: &Access,
    query: RevisionMetadataQuery,
) -> Result<RevisionMetadata, Status> {
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    let source = source_of(&application, query.version_id, query.source_index)?;
    if !is_commit(&query.revision) {
        return Err(Status::unknown(format!("revision {} must be resolved", query.revision)));
    }
    let project = hub.project_of(&application).ok().map(|scope| scope.project.clone());
    let integrity = project.and_then(|project| signature::policy::effective(&project.spec, &source.repo_url));
    let request = RepoServerRevisionMetadataRequest {
        repo: Some(hub.repository(&source.repo_url, project_name(&application))?),
        revision: query.revision,
        check_signature: true,
        source_integrity: integrity,
    };
    hub.repo_server().get_revision_metadata(request).await.map(tonic::Response::into_inner)
}

/// What the chart of a revision says of itself.
pub(crate) async fn chart_details(
    hub: &Hub,
    access: &Access,
    query: RevisionMetadataQuery,
) -> Result<ChartDetails, Status> {
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    let source = source_of(&application, query.version_id, query.source_index)?;
    if source.chart.is_empty() {
        return Err(Status::unknown(format!(
            "no chart found for application: {}",
            application.metadata.name
        )));
    }
    let request = RepoServerRevisionChartDetailsRequest {
        repo: Some(hub.repository(&source.repo_url, project_name(&application))?),
        name: source.chart,
        revision: query.revision,
    };
    hub.repo_server().get_revision_chart_details(request).await.map(tonic::Response::into_inner)
}

/// What the artifact of a revision in an OCI registry says of itself.
pub(crate) async fn oci_metadata(
    hub: &Hub,
    access: &Access,
    query: RevisionMetadataQuery,
) -> Result<OCIMetadata, Status> {
    let there = Wanted::new(&query.project, &query.app_namespace, &query.name);
    let application = access.application(there, "get").await?;
    let source = source_of(&application, query.version_id, query.source_index)?;
    let request = RepoServerRevisionChartDetailsRequest {
        repo: Some(hub.repository(&source.repo_url, project_name(&application))?),
        name: source.chart,
        revision: query.revision,
    };
    hub.repo_server().get_oci_metadata(request).await.map(tonic::Response::into_inner)
}

/// The source a question is about: one of the spec's, or of what was deployed.
fn source_of(
    application: &Application,
    version: Option<i32>,
    index: Option<i32>,
) -> Result<ApplicationSource, Status> {
    let deployed =
        version.and_then(|id| application.status.history.iter().find(|entry| entry.id == i64::from(id)));
    if version.is_some_and(|id| id > 0) && deployed.is_none() {
        return Err(Status::unknown(format!(
            "revision history not found for application {} with history ID {}",
            application.metadata.name,
            version.unwrap_or_default()
        )));
    }
    let all = match deployed {
        Some(entry) if entry.sources.is_empty() => vec![entry.source.clone()],
        Some(entry) => entry.sources.clone(),
        None => application.spec.effective_sources(),
    };
    let index = index.unwrap_or(0);
    // Before the first source of an application that is hydrated is what is rendered.
    if let (true, None, Some(hydrator)) = (index < 0, deployed, &application.spec.source_hydrator) {
        return Ok(hydrator.dry());
    }
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    let found = all.into_iter().nth(index);
    found.ok_or_else(|| Status::unknown(format!("source index {index} not found")))
}
