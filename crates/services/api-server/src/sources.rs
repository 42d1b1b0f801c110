//! Questions to the repo-server: does a repository answer, what does a revision mean, what does a source render to.

use crate::authorization::project_name;
use crate::destinations::Scope;
use crate::failure;
use crate::found;
use crate::hub::Hub;
use api::v1alpha1::{Application, ApplicationSource, HelmOptions, KustomizeOptions, RefTarget, Repository};
use kubernetes::Cluster;
use std::collections::BTreeMap;
use tonic::Status;
use wire::repository::{ManifestRequest, ManifestResponse, ResolveRevisionRequest, TestRepositoryRequest};

/// What a render needs to know of the cluster it is for.
pub(crate) struct ClusterFacts {
    version: String,
    api_versions: Vec<String>,
}

impl ClusterFacts {
    /// Asks the cluster.
    pub(crate) async fn of(cluster: &Cluster) -> Result<Self, kubernetes::Error> {
        let version = cluster.version().await?.git_version;
        Ok(Self { version, api_versions: cluster.discovery().await?.api_versions() })
    }
}

/// One source to render.
pub(crate) struct Render<'a> {
    pub(crate) application: &'a Application,
    pub(crate) source: &'a ApplicationSource,
    pub(crate) scope: &'a Scope,
    pub(crate) facts: &'a ClusterFacts,
    pub(crate) no_cache: bool,
}

/// The sources of an application, as it will be rendered.
pub(crate) fn sources(application: &Application) -> Vec<ApplicationSource> {
    let spec = &application.spec;
    if let Some(hydrator) = &spec.source_hydrator {
        let dry = &hydrator.dry_source;
        return vec![ApplicationSource {
            repo_url: dry.repo_url.clone(),
            target_revision: hydrator.sync_source.target_branch.clone(),
            path: hydrator.sync_source.path.clone(),
            ..ApplicationSource::default()
        }];
    }
    if spec.sources.is_empty() { spec.source.iter().cloned().collect() } else { spec.sources.clone() }
}

/// Whether a source only lends its files to others.
pub(crate) fn only_lends(source: &ApplicationSource) -> bool {
    !source.r#ref.is_empty() && source.path.is_empty() && source.chart.is_empty()
}

impl Hub {
    /// A repository with its credentials, as the project of an application may use it.
    pub(crate) fn repository(&self, url: &str, project: &str) -> Result<Repository, Status> {
        let found = self.store.repository(url, project);
        found.map(object::Secret::into_revealed).map_err(|error| failure::store(&error))
    }

    /// Whether a repository answers.
    pub(crate) async fn test_repository(&self, repository: Repository) -> Result<(), Status> {
        let request = TestRepositoryRequest { repo: Some(repository) };
        self.repo_server().test_repository(request).await.map(drop)
    }

    /// What a revision of a source means now: what it resolves to, and how it is shown.
    pub(crate) async fn resolve(
        &self,
        application: &Application,
        source: &ApplicationSource,
        index: i64,
    ) -> Result<(String, String), Status> {
        let revision = &source.target_revision;
        if source.chart.is_empty() && is_commit(revision) {
            return Ok((revision.clone(), revision.clone()));
        }
        let request = ResolveRevisionRequest {
            repo: Some(self.repository(&source.repo_url, project_name(application))?),
            app: Some(application.clone()),
            ambiguous_revision: revision.clone(),
            source_index: index,
            // A user who has just pushed means what was pushed.
            no_revision_cache: true,
        };
        let answer = self.repo_server().resolve_revision(request).await.map_err(|status| {
            Status::failed_precondition(format!(
                "error resolving repo revision: {}",
                failure::go_text(&status)
            ))
        })?;
        let answer = answer.into_inner();
        Ok((answer.revision, answer.ambiguous_revision))
    }

    /// What a source renders to.
    pub(crate) async fn render(&self, render: Render<'_>) -> Result<ManifestResponse, Status> {
        let request = self.manifest_request(&render)?;
        self.repo_server().generate_manifest(request).await.map(tonic::Response::into_inner)
    }

    fn manifest_request(&self, render: &Render<'_>) -> Result<ManifestRequest, Status> {
        let Render { application, source, scope, facts, no_cache } = render;
        let snapshot = self.snapshot();
        let project = project_name(application);
        let all = sources(application);
        let (types, _) = settings::SourceTypes::parse(&snapshot.data);
        let (kustomize, _) = settings::Kustomize::parse(&snapshot.data);
        let helm = settings::Helm::parse(&snapshot.data);
        let enabled = [("Helm", types.helm), ("Kustomize", types.kustomize), ("Directory", types.directory)];
        let annotations = &application.metadata.annotations;
        Ok(ManifestRequest {
            repo: Some(self.repository(&source.repo_url, project)?),
            revision: source.target_revision.clone(),
            no_cache: *no_cache,
            app_label_key: snapshot.tracking.label_key.clone(),
            app_name: found::instance(self, application),
            namespace: application.spec.destination.namespace.clone(),
            application_source: Some((*source).clone()),
            kustomize_options: Some(KustomizeOptions {
                build_options: kustomize.build_options,
                ..KustomizeOptions::default()
            }),
            kube_version: facts.version.clone(),
            api_versions: facts.api_versions.clone(),
            tracking_method: snapshot.tracking.method.as_str().to_owned(),
            enabled_source_types: enabled.into_iter().map(|(name, on)| (name.to_owned(), on)).collect(),
            helm_options: Some(HelmOptions { values_file_schemes: helm.values_file_schemes }),
            has_multiple_sources: !application.spec.sources.is_empty(),
            ref_sources: self.ref_sources(&all, project)?,
            project_source_repos: scope.project.spec.source_repos.clone(),
            project_name: scope.project.metadata.name.clone(),
            annotation_manifest_generate_paths: annotations
                .get(api::names::MANIFEST_GENERATE_PATHS)
                .cloned()
                .unwrap_or_default(),
            installation_id: snapshot.tracking.installation_id.clone(),
            ..ManifestRequest::default()
        })
    }

    /// Sources that others may take values from, by `$name`.
    fn ref_sources(
        &self,
        sources: &[ApplicationSource],
        project: &str,
    ) -> Result<BTreeMap<String, RefTarget>, Status> {
        let lending = sources.iter().filter(|source| !source.r#ref.is_empty());
        lending
            .map(|source| {
                let target = RefTarget {
                    repo: self.repository(&source.repo_url, project)?,
                    target_revision: source.target_revision.clone(),
                    chart: source.chart.clone(),
                };
                Ok((format!("${}", source.r#ref), target))
            })
            .collect()
    }
}

/// Whether a revision is a whole commit id.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}
