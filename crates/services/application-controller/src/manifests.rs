//! What the sources of an application say, asked of the repo-server.

use api::v1alpha1::ApplicationSource;
use manifest_request::{ClusterView, RenderSettings, Rendering};
use object::Object;
use signature::policy::{is_verified, told_of};
use store::Store;
use tonic::Status;
use tonic::transport::Channel;
use wire::lookups::lookups_service_client::LookupsServiceClient;
use wire::repository::repo_server_service_client::RepoServerServiceClient;
use wire::repository::{ManifestRequest, ManifestResponse};

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
    /// What breaks the project's rules for the integrity of sources.
    pub(crate) problems: Vec<String>,
}

impl Loaded {
    /// These manifests, of no revision yet.
    pub(crate) fn new(manifests: Result<Vec<String>, String>) -> Self {
        Self {
            manifests,
            sources: Vec::new(),
            revisions: Vec::new(),
            source_types: Vec::new(),
            problems: Vec::new(),
        }
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

/// Who renders, and what templates see of the cluster.
pub(crate) struct Renderer<'a> {
    pub(crate) client: &'a RepoServerServiceClient<Channel>,
    pub(crate) lookups: &'a LookupsServiceClient<Channel>,
    /// The destination's cluster; nothing where templates see none.
    pub(crate) view: Option<ClusterView<'a>>,
}

impl Renderer<'_> {
    async fn manifests(&mut self, request: ManifestRequest) -> Result<ManifestResponse, Status> {
        match &mut self.view {
            Some(view) => view.manifests(self.lookups, request).await,
            None => self.client.clone().generate_manifest(request).await.map(tonic::Response::into_inner),
        }
    }
}

/// Asks for the manifests of all sources. With `verify`, an answer that says nothing of signatures the project demands
/// is not believed.
pub(crate) async fn load(
    store: &Store,
    mut renderer: Renderer<'_>,
    settings: &RenderSettings,
    rendering: &Rendering<'_>,
    verify: bool,
) -> Loaded {
    let mut loaded = Loaded::new(Ok(Vec::new()));
    let mut manifests = Vec::new();
    let count = rendering.sources.len();
    for (index, source) in rendering.sources.iter().enumerate() {
        let request = match rendering.request(store, settings, index) {
            Ok(request) => request,
            Err(error) => {
                let reason = format!("failed to get repo {:?}: {error}", source.repo_url);
                loaded.manifests = Err(failed(index, count, &reason));
                return loaded;
            }
        };
        match renderer.manifests(request).await {
            Ok(response) => {
                loaded.revisions.push(response.revision);
                loaded.source_types.push(response.source_type);
                let checked = response.source_integrity_result.as_ref();
                let project = &rendering.project.spec;
                let silent = checked.is_none() && verify && is_verified(project, source);
                let silent = silent.then(|| {
                    format!("the repo-server did not verify {}, which the project demands", source.repo_url)
                });
                // A repository that lends values is verified with those that borrow them, too.
                let whose = whose(source, index, count);
                let problem = silent.or_else(|| checked.and_then(|checked| told_of(checked, &whose)));
                if let Some(problem) = problem.filter(|problem| !loaded.problems.contains(problem)) {
                    loaded.problems.push(problem);
                }
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

/// Which of several sources has the problem that follows, as the original says it.
fn whose(source: &ApplicationSource, index: usize, count: usize) -> String {
    match (count, source.name.as_str()) {
        (..=1, _) => String::new(),
        (_, "") => format!("source {} of {count}: ", index + 1),
        (_, name) => format!("source {name}: "),
    }
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
