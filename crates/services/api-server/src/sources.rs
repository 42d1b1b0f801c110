//! Questions to the repo-server: does a repository answer, what does a revision mean, what does a source render to.

use crate::authorization::project_name;
use crate::destinations::Scope;
use crate::failure;
use crate::found;
use crate::hub::Hub;
use api::v1alpha1::{Application, ApplicationSource, Repository};
use kubernetes::Cluster;
use manifest_request::{ClusterView, Rendering};
use project::PermittedLookups;
use tonic::Status;
use wire::repository::{
    ManifestRequest, ManifestResponse, RepoServerAppDetailsQuery, ResolveRevisionRequest,
    TestRepositoryRequest,
};

/// What a render needs to know of the cluster it is for.
pub(crate) struct ClusterFacts {
    version: String,
    api_versions: Vec<String>,
}

impl ClusterFacts {
    /// Asks the cluster.
    pub(crate) async fn of(cluster: &Cluster) -> Result<Self, kubernetes::Error> {
        let version = cluster.version().await?.plain();
        Ok(Self { version, api_versions: cluster.discovery().await?.api_versions() })
    }

    /// The version of its API server.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// What it serves, as charts see it.
    pub(crate) fn api_versions(&self) -> &[String] {
        &self.api_versions
    }
}

/// One source to render.
pub(crate) struct Render<'a> {
    pub(crate) application: &'a Application,
    /// All of its sources: values may come from one to another.
    pub(crate) sources: &'a [ApplicationSource],
    /// Which one of them.
    pub(crate) position: usize,
    pub(crate) scope: &'a Scope,
    pub(crate) facts: &'a ClusterFacts,
    pub(crate) no_cache: bool,
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

    /// Whether a repository answers as what a source takes it for.
    pub(crate) async fn test_source(
        &self,
        repository: Repository,
        source: &ApplicationSource,
    ) -> Result<(), Status> {
        let kind = match (source.chart.is_empty(), source.repo_url.starts_with("oci://")) {
            (_, true) => "oci",
            (false, false) => "helm",
            (true, false) => "git",
        };
        // A chart's repository without a scheme is a registry.
        let enable_oci = repository.enable_oci || (kind == "helm" && !source.repo_url.contains("://"));
        self.test_repository(Repository { r#type: kind.to_owned(), enable_oci, ..repository }).await
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
        let Render { application, scope, .. } = render;
        let Scope { project, own_clusters, .. } = scope;
        let permitted = PermittedLookups::of(project).map_err(Status::failed_precondition)?;
        let Some(permitted) = permitted else {
            return self.repo_server().generate_manifest(request).await.map(tonic::Response::into_inner);
        };
        let place = scope.destination(&application.spec.destination).map_err(Status::invalid_argument)?;
        let acting = self.acting(application, scope).await?;
        let mut view = ClusterView::new(acting, permitted, project, &place, own_clusters);
        view.manifests(self.lookups(), request).await
    }

    /// The request for one source of an application among all of them.
    pub(crate) fn manifest_request(&self, render: &Render<'_>) -> Result<ManifestRequest, Status> {
        let Render { application, sources, position, scope, facts, no_cache } = render;
        let rendering = Rendering {
            application,
            instance: &found::instance(self, application),
            project: &scope.project,
            sources,
            revisions: &[],
            kube_version: &facts.version,
            api_versions: &facts.api_versions,
            no_cache: *no_cache,
            no_revision_cache: false,
        };
        let request = rendering.request(&self.store, &self.snapshot().rendering, *position);
        request.map_err(|error| failure::store(&error))
    }

    /// The question what a source consists of, as the application would render it. `whole` are all sources of the
    /// application, which may lend values.
    pub(crate) fn details_request(
        &self,
        source: &ApplicationSource,
        whole: &[ApplicationSource],
        name: &str,
        scope: &Scope,
    ) -> Result<RepoServerAppDetailsQuery, Status> {
        let mut application = Application::default();
        application.spec.project.clone_from(&scope.project.metadata.name);
        let mut sources = vec![source.clone()];
        sources.extend(whole.iter().filter(|source| !source.r#ref.is_empty()).cloned());
        let rendering = Rendering {
            application: &application,
            instance: name,
            project: &scope.project,
            sources: &sources,
            revisions: &[],
            kube_version: "",
            api_versions: &[],
            no_cache: false,
            no_revision_cache: false,
        };
        let request = rendering.request(&self.store, &self.snapshot().rendering, 0);
        let request = request.map_err(|error| failure::store(&error))?;
        Ok(RepoServerAppDetailsQuery {
            repo: request.repo,
            source: request.application_source,
            repos: request.repos,
            kustomize_options: request.kustomize_options,
            app_name: name.to_owned(),
            tracking_method: request.tracking_method,
            enabled_source_types: request.enabled_source_types,
            helm_options: request.helm_options,
            ref_sources: request.ref_sources,
            ..RepoServerAppDetailsQuery::default()
        })
    }
}

/// Whether a revision is a whole commit id.
fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && begins_commit(revision)
}

/// Whether a revision may be the beginning of a commit id, or all of it; the repo-server knows which commit that is.
pub(crate) fn begins_commit(revision: &str) -> bool {
    (7..=40).contains(&revision.len()) && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_meant_by_its_id_or_seven_digits_of_it() {
        let whole = "79603c4029e27cdfd8c8fb76e92a0b7e4f3c1d2e";
        assert!(is_commit(whole) && begins_commit(whole));
        assert!(begins_commit(&whole[..7]) && begins_commit("79603C4") && !is_commit(&whole[..39]));
        for text in ["79603c", "HEAD", "79603c4g", "", &format!("{whole}0")] {
            assert!(!begins_commit(text), "{text}");
        }
    }
}
