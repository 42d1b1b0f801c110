//! One render, or a look at what could be rendered: what it is given and what comes out.

use crate::integrity::Checked;
use crate::lookups::Answers;
use crate::manifests::{Kept, Parameters, User};
use crate::restrained::Care;
use crate::server::STREAMED;
use api::v1alpha1::ApplicationSource;
use object::tracking::{AppInstance, Tracking, TrackingMethod};
use render::{Environment, EnvironmentOf, Outside, Rendered};
use source_tree::Tree;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::repository::{ManifestRequest, ManifestResponse};

/// What a render gave.
pub(crate) struct Made {
    pub(crate) kept: Kept,
    pub(crate) revision: String,
    pub(crate) namespace: String,
    pub(crate) checked: Option<Checked>,
    /// What it is remembered by.
    pub(crate) parameters: Option<Parameters>,
}

impl Made {
    /// As it is answered.
    pub(crate) fn response(self) -> ManifestResponse {
        let checked = self.checked.map(|checked| (Some(checked.result), checked.sentence));
        let (source_integrity_result, verify_result) = checked.unwrap_or_default();
        ManifestResponse {
            verify_result,
            source_integrity_result,
            manifests: self.kept.manifests,
            namespace: self.namespace,
            revision: self.revision,
            source_type: self.kept.source_type,
            ..ManifestResponse::default()
        }
    }
}

/// What a look at a source found.
pub(crate) struct Looked {
    pub(crate) source_type: render::SourceType,
    pub(crate) source: ApplicationSource,
    pub(crate) details: render::Details,
    /// Of a plugin: the parameters it knows.
    pub(crate) announced: Vec<wire::repository::ParameterAnnouncement>,
}

/// Trees of other sources by `$name`, and the revisions they are of.
pub(crate) type References = BTreeMap<String, (String, Arc<dyn Tree>)>;

/// One render, or a look at what could be rendered.
pub(crate) struct Asked {
    pub(crate) tree: Arc<dyn Tree>,
    pub(crate) source: ApplicationSource,
    pub(crate) request: ManifestRequest,
    pub(crate) revision: String,
    pub(crate) references: References,
    pub(crate) care: Care,
    /// What the destination's cluster has, where templates may look.
    pub(crate) answers: Option<Arc<Answers>>,
    /// What the source's path is said to be, where it is another one than in the tree.
    pub(crate) path: Option<String>,
}

impl Asked {
    /// The name of all renders that would come out the same; files that come along are others each time.
    pub(crate) fn name(&self) -> Option<String> {
        let user = User::new(&self.request.app_name, &self.source);
        (self.revision != STREAMED).then(|| format!("{}|{}", user.as_str(), self.revision))
    }
}

/// Renders what is asked.
pub(crate) fn render_source(
    tree: &dyn Tree,
    work: &Asked,
    world: &dyn Outside,
    limits: render::Limits,
) -> Result<Rendered, render::RenderError> {
    with_request(work, world, limits, |request| render::render(tree, request))
}

/// Says to `render` what a request says to us.
pub(crate) fn with_request<T>(
    work: &Asked,
    world: &dyn Outside,
    limits: render::Limits,
    then: impl FnOnce(&render::Request<'_>) -> T,
) -> T {
    let Asked { source, request, revision, references, .. } = work;
    let references = references.iter().map(|(name, (_, tree))| (name.clone(), tree.clone())).collect();
    let schemes = request.helm_options.as_ref().map(|options| options.values_file_schemes.as_slice());
    let application = AppInstance::from_mark(&request.app_name);
    let environment = Environment::new(EnvironmentOf {
        application: &request.app_name,
        namespace: &request.namespace,
        project: &request.project_name,
        revision,
        repository: request.repo.as_ref().map_or("", |repository| repository.repo.as_str()),
        path: work.path.as_deref().unwrap_or(&source.path),
        target_revision: &source.target_revision,
    });
    let marked = !request.app_name.is_empty() && !request.app_label_key.is_empty();
    then(&render::Request {
        source,
        application: marked.then_some(&application),
        application_name: &request.app_name,
        namespace: &request.namespace,
        tracking: Tracking {
            method: TrackingMethod::from_setting(&request.tracking_method),
            label_key: &request.app_label_key,
            installation_id: &request.installation_id,
        },
        enabled: &request.enabled_source_types,
        environment: &environment,
        kube_version: &request.kube_version,
        api_versions: &request.api_versions,
        kustomize_options: request
            .kustomize_options
            .as_ref()
            .map_or("", |options| options.build_options.as_str()),
        value_file_schemes: schemes.unwrap_or_default(),
        references: &references,
        outside: world,
        limits,
    })
}

/// A render as it is kept.
pub(crate) fn keep(rendered: &Rendered) -> Kept {
    Kept {
        manifests: rendered.objects.iter().map(|object| object::object_to_go_json(&object.0)).collect(),
        source_type: rendered.source_type.as_str().to_owned(),
        wanted: Vec::new(),
    }
}

/// The checks of two revisions as those of one.
pub(crate) fn both(first: Option<Checked>, second: Option<Checked>) -> Option<Checked> {
    match (first, second) {
        (Some(mut first), Some(second)) => {
            first.result.checks.extend(second.result.checks);
            Some(first)
        }
        (first, second) => first.or(second),
    }
}
