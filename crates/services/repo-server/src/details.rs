//! What can be set on a source, for whoever edits an application.

use crate::asked::{Asked, Looked};
use crate::restrained::Care;
use crate::server::RepoServer;
use crate::sources::Origin;
use crate::status;
use api::v1alpha1::HelmParameter;
use render::{RenderError, SourceType};
use tonic::{Code, Status};
use wire::repository::{
    HelmAppSpec, KustomizeAppSpec, ManifestRequest, PluginAppSpec, RepoAppDetailsResponse,
    RepoServerAppDetailsQuery,
};

impl RepoServer {
    /// Looks at a source.
    pub(crate) async fn details(
        &self,
        query: RepoServerAppDetailsQuery,
    ) -> Result<RepoAppDetailsResponse, Status> {
        let source = query.source.ok_or_else(|| status::missing("source"))?;
        let origin = Origin::of(query.repo.clone(), &source, self.trust())?;
        let now = query.no_cache || query.no_revision_cache;
        let resolved = self.sources.resolve(&origin, &source.target_revision, now).await?;
        let tree = self.sources.tree(&origin, &resolved, query.no_cache).await?;
        let request = ManifestRequest {
            repo: query.repo,
            app_name: query.app_name,
            application_source: Some(source.clone()),
            repos: query.repos,
            kustomize_options: query.kustomize_options,
            helm_options: query.helm_options,
            enabled_source_types: query.enabled_source_types,
            has_multiple_sources: !query.ref_sources.is_empty(),
            ref_sources: query.ref_sources,
            ..ManifestRequest::default()
        };
        let references = self.references(&request, &source, &mut None, Care::Usual).await?;
        let revision = resolved.as_str().to_owned();
        let asked = Asked {
            tree,
            source,
            request,
            revision,
            references,
            care: Care::Usual,
            answers: None,
            path: None,
        };
        let found = self.look(asked).await?;
        let looked = found.map_err(|error| match &error {
            RenderError::NoPath { .. } => Status::new(Code::InvalidArgument, error.to_string()),
            error => status::render(error),
        })?;
        Ok(response(looked))
    }
}

fn response(looked: Looked) -> RepoAppDetailsResponse {
    let Looked { source_type, source, details, announced } = looked;
    let mut response = RepoAppDetailsResponse { r#type: source_type.to_string(), ..Default::default() };
    match source_type {
        SourceType::Helm => {
            let parameter = |(name, value)| HelmParameter { name, value, ..HelmParameter::default() };
            response.helm = Some(HelmAppSpec {
                name: String::new(),
                value_files: details.value_files,
                parameters: details.parameters.into_iter().map(parameter).collect(),
                values: details.values,
                file_parameters: source.helm.map(|helm| helm.file_parameters).unwrap_or_default(),
            });
        }
        SourceType::Kustomize => response.kustomize = Some(KustomizeAppSpec { images: details.images }),
        SourceType::Plugin => response.plugin = Some(PluginAppSpec { parameters_announcement: announced }),
        SourceType::Directory => {}
    }
    response
}
