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
    /// The manifests of each source, or what users are told.
    pub(crate) manifests: Result<Vec<String>, String>,
    /// Where the manifests of each source end.
    sources: Vec<usize>,
    /// The revision of each source, as far as they were resolved.
    pub(crate) revisions: Vec<String>,
    /// The type of each source.
    pub(crate) source_types: Vec<String>,
}

impl Loaded {
    /// These manifests, of no revision yet.
    pub(crate) fn new(manifests: Result<Vec<String>, String>) -> Self {
        Self { manifests, sources: Vec::new(), revisions: Vec::new(), source_types: Vec::new() }
    }

    /// The manifests, read.
    pub(crate) fn objects(self) -> Result<Vec<Object>, String> {
        let manifests = self.manifests?;
        let count = self.sources.len();
        let mut objects = Vec::with_capacity(manifests.len());
        for (at, text) in manifests.iter().enumerate() {
            let read = read(text).map_err(|reason| {
                match self.sources.iter().position(|end| at < *end) {
                    Some(source) => failed(source, count, &reason),
                    // They came with the operation, not from a source.
                    None => reason,
                }
            });
            objects.push(read?);
        }
        Ok(objects)
    }
}

/// What is asked for.
pub(crate) struct Wanted<'a> {
    pub(crate) application: &'a Application,
    pub(crate) instance: &'a AppInstance,
    /// The sources; those of the spec, or of an operation.
    pub(crate) sources: &'a [ApplicationSource],
    /// Their revisions; where one is empty the source's own counts.
    pub(crate) revisions: &'a [String],
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
    let mut manifests = Vec::new();
    let count = wanted.sources.len();
    for (index, source) in wanted.sources.iter().enumerate() {
        let repository = match store.repository(&source.repo_url, &wanted.application.spec.project) {
            Ok(repository) => repository.into_revealed(),
            Err(error) => {
                let reason = format!("failed to get repo {:?}: {error}", source.repo_url);
                loaded.manifests = Err(failed(index, count, &reason));
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
                manifests.extend(response.manifests);
                loaded.sources.push(manifests.len());
            }
            Err(status) => {
                loaded.manifests = Err(failed(index, count, &told(&status)));
                return loaded;
            }
        }
    }
    loaded.manifests = Ok(manifests);
    loaded
}

fn failed(index: usize, count: usize, reason: &str) -> String {
    format!("failed to generate manifest for source {} of {count}: {reason}", index + 1)
}

/// Reads a manifest: JSON from the repo-server, YAML from users.
fn read(text: &str) -> Result<Object, String> {
    let value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(_) => object::yaml::decode(text.as_bytes()).map_err(|error| error.to_string())?,
    };
    Object::from_value(value).map_err(|error| error.to_string())
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

/// A status in the words users of the original know.
pub(crate) fn told(status: &Status) -> String {
    let (code, message) = (status.code(), status.message());
    // What did not come from the other side has a cause on this one.
    if code == tonic::Code::Unavailable && std::error::Error::source(status).is_some() {
        return format!(
            "rpc error: code = Unavailable desc = connection error: the repo-server cannot be reached: {message}"
        );
    }
    format!("rpc error: code = {code:?} desc = {message}")
}
