//! What an application's sources render to, and what is known of a revision.

use crate::application::operate::at_positions;
use crate::authorization::{Access, Wanted, project_name};
use crate::failure;
use crate::hub::Hub;
use crate::masking;
use crate::sources::{ClusterFacts, Render, begins_commit};
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
    if query.name.is_empty() {
        return Err(Status::unknown("invalid request: application name is missing"));
    }
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
    if !begins_commit(&query.revision) {
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
    let refused = |text: String| {
        Status::unknown(format!("error getting app source by source index and version ID: {text}"))
    };
    let history = &application.status.history;
    let of_version = |id: i32| {
        let found = history.iter().find(|entry| entry.id == i64::from(id));
        let why = if history.is_empty() {
            format!("version ID {id} not found because the app has no history")
        } else {
            format!("revision history not found for version ID {id}")
        };
        found.ok_or_else(|| refused(format!("error getting source by version ID: {why}")))
    };
    // 0 is the first of a history; who means none of it says nothing.
    let deployed = version.map(of_version).transpose()?;
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
    let count = all.len();
    let found = usize::try_from(index).ok().and_then(|index| all.into_iter().nth(index));
    found.ok_or_else(|| {
        let only =
            if count == 1 { "is only 1 source".to_owned() } else { format!("are only {count} sources") };
        refused(format!("source index {index} not found because there {only}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::v1alpha1::RevisionHistory;

    fn source(path: &str) -> ApplicationSource {
        ApplicationSource { path: path.into(), ..ApplicationSource::default() }
    }

    #[test]
    fn a_source_is_one_of_now_or_of_what_was_deployed() {
        let mut application = Application::default();
        application.spec.source = Some(source("now"));
        let told = |application: &Application, version: Option<i32>, index: Option<i32>| match source_of(
            application,
            version,
            index,
        ) {
            Ok(found) => found.path,
            Err(status) => {
                let text = status.message();
                let prefix = "error getting app source by source index and version ID: ";
                text.strip_prefix(prefix).expect("where it went wrong").to_owned()
            }
        };
        assert_eq!(told(&application, None, None), "now");
        assert_eq!(
            told(&application, None, Some(5)),
            "source index 5 not found because there is only 1 source"
        );
        let none =
            "error getting source by version ID: version ID 0 not found because the app has no history";
        assert_eq!(told(&application, Some(0), None), none);
        application.status.history = vec![
            RevisionHistory { id: 0, source: source("first"), ..RevisionHistory::default() },
            RevisionHistory { id: 1, sources: vec![source("a"), source("b")], ..RevisionHistory::default() },
        ];
        assert_eq!(told(&application, Some(0), None), "first");
        assert_eq!(told(&application, Some(1), Some(1)), "b");
        assert_eq!(
            told(&application, Some(1), Some(2)),
            "source index 2 not found because there are only 2 sources"
        );
        let missing = "error getting source by version ID: revision history not found for version ID 9";
        assert_eq!(told(&application, Some(9), None), missing);
    }
}
