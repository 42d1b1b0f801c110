//! What the repo-server is asked about a source, the same way whoever asks: the controller, which syncs what comes
//! back, and the api-server, which shows it.

mod lookups;

use api::names::MANIFEST_GENERATE_PATHS;
use api::v1alpha1::{
    AppProject, Application, ApplicationSource, HelmOptions, KustomizeOptions, KustomizeVersion, RefTarget,
    RepoCreds, Repository,
};
use object::Secret;
use settings::{Data, Helm, Kustomize, Problem, SourceTypes, Tracking};
use std::collections::BTreeMap;
use store::{Store, StoreError};
use wire::repository::ManifestRequest;

pub use lookups::ClusterView;

/// The settings of `argocd-cm` that renders depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderSettings {
    tracking: Tracking,
    types: SourceTypes,
    kustomize: Kustomize,
    helm: Helm,
}

/// An application that is to be rendered, and what its manifests depend on beside its sources.
#[derive(Clone, Copy, Debug)]
pub struct Rendering<'a> {
    /// The application.
    pub application: &'a Application,
    /// Its name as it marks objects: with its namespace where that is not the control plane's.
    pub instance: &'a str,
    /// Its project, with what that inherits.
    pub project: &'a AppProject,
    /// All of its sources: the spec's, or an operation's.
    pub sources: &'a [ApplicationSource],
    /// Their revisions by position; where one is missing or empty the source's own counts.
    pub revisions: &'a [String],
    /// The version of the destination's API server.
    pub kube_version: &'a str,
    /// What the destination serves, as charts see it.
    pub api_versions: &'a [String],
    /// Render even if that was done before.
    pub no_cache: bool,
    /// Ask the repositories what revisions mean now.
    pub no_revision_cache: bool,
}

impl RenderSettings {
    /// Reads what renders depend on beside how objects are tracked; what cannot be read keeps its default and is
    /// named.
    pub fn parse(data: &Data, tracking: Tracking) -> (Self, Vec<Problem>) {
        let (types, mut problems) = SourceTypes::parse(data);
        let (kustomize, found) = Kustomize::parse(data);
        problems.extend(found);
        (Self { tracking, types, kustomize, helm: Helm::parse(data) }, problems)
    }

    /// Which types of source may be rendered, by their names on the wire.
    pub fn enabled_source_types(&self) -> BTreeMap<String, bool> {
        let SourceTypes { helm, kustomize, directory } = self.types;
        [("Helm", helm), ("Kustomize", kustomize), ("Directory", directory)]
            .map(|(name, enabled)| (name.to_owned(), enabled))
            .into()
    }

    /// How kustomizations are built.
    pub fn kustomize_options(&self) -> KustomizeOptions {
        let versions = self.kustomize.versions.iter().map(|(name, path)| KustomizeVersion {
            name: name.clone(),
            path: path.clone(),
            build_options: self.kustomize.version_build_options.get(name).cloned().unwrap_or_default(),
        });
        KustomizeOptions {
            build_options: self.kustomize.build_options.clone(),
            versions: versions.collect(),
            ..KustomizeOptions::default()
        }
    }

    /// How charts are rendered.
    pub fn helm_options(&self) -> HelmOptions {
        HelmOptions { values_file_schemes: self.helm.values_file_schemes.clone() }
    }
}

impl Rendering<'_> {
    /// The request for the source at a position. An error names the repository whose registration cannot be read.
    pub fn request(
        &self,
        store: &Store,
        settings: &RenderSettings,
        position: usize,
    ) -> Result<ManifestRequest, StoreError> {
        let source = self.sources.get(position).cloned().unwrap_or_default();
        let spec = &self.application.spec;
        let annotations = &self.application.metadata.annotations;
        let permitted = Permitted { project: self.project, oci: source.repo_url.starts_with("oci://") };
        Ok(ManifestRequest {
            repo: Some(self.repository(store, &source)?),
            repos: permitted.repositories(store),
            helm_repo_creds: permitted.credentials(store),
            revision: self.revision(position, &source),
            no_cache: self.no_cache,
            no_revision_cache: self.no_revision_cache,
            app_label_key: settings.tracking.label_key.clone(),
            app_name: self.instance.to_owned(),
            namespace: spec.destination.namespace.clone(),
            kustomize_options: Some(settings.kustomize_options()),
            kube_version: self.kube_version.to_owned(),
            api_versions: self.api_versions.to_vec(),
            verify_signature: !self.project.spec.signature_keys.is_empty(),
            source_integrity: signature::policy::effective(&self.project.spec, &source.repo_url),
            tracking_method: settings.tracking.method.as_str().to_owned(),
            enabled_source_types: settings.enabled_source_types(),
            helm_options: Some(settings.helm_options()),
            has_multiple_sources: !spec.sources.is_empty(),
            ref_sources: self.ref_sources(store)?,
            project_source_repos: self.project.spec.source_repos.clone(),
            project_name: self.project.metadata.name.clone(),
            annotation_manifest_generate_paths: annotations
                .get(MANIFEST_GENERATE_PATHS)
                .cloned()
                .unwrap_or_default(),
            installation_id: settings.tracking.installation_id.clone(),
            application_source: Some(source),
            ..ManifestRequest::default()
        })
    }

    fn revision(&self, position: usize, source: &ApplicationSource) -> String {
        let asked = self.revisions.get(position).filter(|revision| !revision.is_empty());
        asked.unwrap_or(&source.target_revision).clone()
    }

    /// The repository of a source, opened with what the application's project may use.
    fn repository(&self, store: &Store, source: &ApplicationSource) -> Result<Repository, StoreError> {
        let found = store.repository(&source.repo_url, &self.application.spec.project)?;
        Ok(found.into_revealed())
    }

    /// Sources that others may take values from, by `$name`.
    fn ref_sources(&self, store: &Store) -> Result<BTreeMap<String, RefTarget>, StoreError> {
        let lending = self.sources.iter().enumerate().filter(|(_, source)| !source.r#ref.is_empty());
        lending
            .map(|(position, source)| {
                let target = RefTarget {
                    repo: self.repository(store, source)?,
                    target_revision: self.revision(position, source),
                    chart: source.chart.clone(),
                };
                Ok((format!("${}", source.r#ref), target))
            })
            .collect()
    }
}

/// Registered repositories of charts that a project permits, opened with their credentials.
pub fn chart_repositories(store: &Store, project: &AppProject) -> Vec<Repository> {
    Permitted { project, oci: false }.repositories(store)
}

/// What a chart's dependencies may be opened with: registrations and templates of repositories the project permits.
struct Permitted<'a> {
    project: &'a AppProject,
    /// Those of OCI repositories too, for a source that is one: it may be a chart.
    oci: bool,
}

impl Permitted<'_> {
    fn repositories(&self, store: &Store) -> Vec<Repository> {
        let own = |repository: &Repository| {
            repository.project.is_empty() || repository.project == self.project.metadata.name
        };
        // One that cannot be read is told where it is listed; here it opens nothing.
        let found =
            store.repositories().into_iter().filter_map(|found| found.ok().map(Secret::into_revealed));
        found
            .filter(|repository| self.is_of_kind(&repository.r#type) && own(repository))
            .filter(|repository| project::permits_source(self.project, &repository.repo))
            .collect()
    }

    fn credentials(&self, store: &Store) -> Vec<RepoCreds> {
        let found = store
            .repository_credentials()
            .into_iter()
            .filter_map(|found| found.ok().map(Secret::into_revealed));
        found
            .filter(|template| self.is_of_kind(&template.r#type))
            .filter(|template| project::permits_source(self.project, &template.url))
            .collect()
    }

    fn is_of_kind(&self, kind: &str) -> bool {
        kind == "helm" || (self.oci && kind == "oci")
    }
}

#[cfg(test)]
mod tests {
    use super::Permitted;
    use api::v1alpha1::AppProject;

    #[test]
    fn an_artifact_may_be_a_chart_that_needs_others() {
        let project = AppProject::default();
        let of = |oci: bool| {
            let permitted = Permitted { project: &project, oci };
            ["git", "helm", "oci"].into_iter().filter(|kind| permitted.is_of_kind(kind)).collect::<Vec<_>>()
        };
        assert_eq!(of(false), ["helm"]);
        assert_eq!(of(true), ["helm", "oci"]);
    }
}
