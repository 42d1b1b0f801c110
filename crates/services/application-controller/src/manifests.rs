//! What the sources of an application say, asked of the repo-server.

use crate::rules::Rules;
use api::codes::RefreshType;
use api::v1alpha1::{Application, ApplicationSource, Repository};
use object::{AppInstance, Object};
use reconcile::CompareWith;
use store::Store;
use tonic::Status;
use tonic::transport::Channel;
use wire::repository::ManifestRequest;
use wire::repository::repo_server_service_client::RepoServerServiceClient;

/// The manifests of all sources.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The objects, or what users are told.
    pub(crate) objects: Result<Vec<Object>, String>,
    /// The revision of each source, as far as they were resolved.
    pub(crate) revisions: Vec<String>,
    /// The type of each source.
    pub(crate) source_types: Vec<String>,
}

impl Loaded {
    /// These objects, of no revision yet.
    pub(crate) fn new(objects: Result<Vec<Object>, String>) -> Self {
        Self { objects, revisions: Vec::new(), source_types: Vec::new() }
    }
}

/// What is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) application: &'a Application,
    pub(crate) instance: &'a AppInstance,
    /// The sources; those of the spec, or of an operation.
    pub(crate) sources: Vec<ApplicationSource>,
    /// Their revisions; where one is empty the source's own counts.
    pub(crate) revisions: Vec<String>,
    pub(crate) level: RefreshType,
    pub(crate) compare_with: CompareWith,
    pub(crate) kube_version: String,
    pub(crate) api_versions: Vec<String>,
    pub(crate) project_repositories: Vec<String>,
    pub(crate) rules: &'a Rules,
}

/// Asks for the manifests of all sources.
pub(crate) async fn load(
    store: &Store,
    client: &RepoServerServiceClient<Channel>,
    wanted: &Wanted<'_>,
) -> Loaded {
    let mut loaded = Loaded::new(Ok(Vec::new()));
    let count = wanted.sources.len();
    for (index, source) in wanted.sources.iter().enumerate() {
        let failed = |reason: String| {
            format!("failed to generate manifest for source {} of {count}: {reason}", index + 1)
        };
        let repository = match store.repository(&source.repo_url, &wanted.application.spec.project) {
            Ok(repository) => repository.into_revealed(),
            Err(error) => {
                loaded.objects = Err(failed(format!("failed to get repo {:?}: {error}", source.repo_url)));
                return loaded;
            }
        };
        let revision = wanted.revisions.get(index).filter(|revision| !revision.is_empty());
        let revision = revision.unwrap_or(&source.target_revision).clone();
        match client.clone().generate_manifest(request(wanted, source, repository, revision)).await {
            Ok(response) => {
                let response = response.into_inner();
                loaded.revisions.push(response.revision);
                loaded.source_types.push(response.source_type);
                if let Err(reason) = add(&response.manifests, &mut loaded.objects) {
                    loaded.objects = Err(failed(reason));
                    return loaded;
                }
            }
            Err(status) => {
                loaded.objects = Err(failed(told(&status)));
                return loaded;
            }
        }
    }
    loaded
}

fn request(
    wanted: &Wanted<'_>,
    source: &ApplicationSource,
    repository: Repository,
    revision: String,
) -> ManifestRequest {
    let (spec, rules) = (&wanted.application.spec, wanted.rules);
    ManifestRequest {
        repo: Some(repository),
        revision,
        no_cache: wanted.level == RefreshType::Hard,
        no_revision_cache: wanted.level == RefreshType::Hard
            || wanted.compare_with == CompareWith::LatestForceResolve,
        app_label_key: rules.tracking.label_key.clone(),
        app_name: wanted.instance.as_str().to_owned(),
        namespace: spec.destination.namespace.clone(),
        application_source: Some(source.clone()),
        kube_version: wanted.kube_version.clone(),
        api_versions: wanted.api_versions.clone(),
        tracking_method: rules.tracking.method.as_str().to_owned(),
        enabled_source_types: rules.enabled_source_types.clone(),
        has_multiple_sources: !spec.sources.is_empty(),
        project_name: spec.project.clone(),
        project_source_repos: wanted.project_repositories.clone(),
        installation_id: rules.tracking.installation_id.clone(),
        ..ManifestRequest::default()
    }
}

fn add(manifests: &[String], objects: &mut Result<Vec<Object>, String>) -> Result<(), String> {
    for text in manifests {
        let value =
            serde_json::from_str(text).map_err(|error| format!("the manifest is not JSON: {error}"))?;
        let object = Object::from_value(value).map_err(|error| error.to_string())?;
        if let Ok(objects) = objects.as_mut() {
            objects.push(object);
        }
    }
    Ok(())
}

/// A status in the words users of the original know.
pub(crate) fn told(status: &Status) -> String {
    format!("rpc error: code = {:?} desc = {}", status.code(), status.message())
}
