//! Questions about chart repositories and registries as such: do they answer, what do they hold.

use crate::metrics::RegistryRequest;
use crate::repository::{chart_repository, git_repository, registry_repository};
use crate::server::RepoServer;
use crate::sources::Origin;
use crate::status;
use api::v1alpha1::{ChartDetails, OCIMetadata, Repository};
use git::Freshness;
use source_tree::TreePath;
use std::time::Instant;
use tonic::Status;
use wire::repository::HelmChart;

impl RepoServer {
    /// Whether a repository answers, by the type it was registered with.
    pub(crate) async fn test(&self, repository: Option<Repository>) -> Result<(), String> {
        let Some(repository) = repository else { return Err("the request has no repository".into()) };
        match repository.r#type.as_str() {
            "helm" => self.test_charts(repository).await,
            "oci" => self.test_registry(repository).await,
            "" | "git" => {
                let repository = git_repository(Some(repository), self.trust());
                let repository = repository.map_err(|status| status.message().to_owned())?;
                let listed = self.sources.git.ls_refs(&repository, Freshness::Now).await;
                listed.map(drop).map_err(|error| match error {
                    git::GitError::InvalidUrl { url, reason } => {
                        let reason = if url.is_empty() { String::new() } else { format!(": {reason}") };
                        let cause =
                            format!("repository {url:?} cannot be initialized: repo URL is invalid{reason}");
                        format!("unable to initialize git client: {cause}")
                    }
                    error => format!("unable to ls-remote HEAD on repository: {error}"),
                })
            }
            other => Err(format!("{other:?} is no type of repository: there are git, helm and oci")),
        }
    }

    async fn test_charts(&self, repository: Repository) -> Result<(), String> {
        if !repository.enable_oci {
            let repository = chart_repository(repository, self.trust());
            let read = self.sources.charts.index(&repository, charts::Freshness::Now).await;
            return read.map(drop).map_err(|error| match error {
                charts::ChartError::InvalidUrl { .. } => {
                    format!("error loading repo index: error making HTTP request: {error}")
                }
                error => error.to_string(),
            });
        }
        if repository.repo.contains("://") {
            return Err("OCI Helm repository URL should include hostname and port only".into());
        }
        let reference = oci::Reference::registry(&repository.repo).map_err(|error| error.to_string())?;
        if repository.username.is_empty() || repository.password.is_empty() {
            // A registry tells strangers nothing of what it would let them read.
            return Ok(());
        }
        // The charts lie below this address; who logs in does so at the registry itself.
        let registry = oci::Reference { repository: String::new(), ..reference };
        let there = registry_repository(repository, registry, self.trust());
        let answered = self.sources.registries.ping(&there).await;
        answered.map_err(|error| format!("error logging into OCI registry: {error}"))
    }

    async fn test_registry(&self, repository: Repository) -> Result<(), String> {
        let reference = oci::Reference::parse(&repository.repo).map_err(|error| error.to_string())?;
        let shown = reference.to_string();
        let registry = oci::Reference { repository: String::new(), ..reference };
        let there = registry_repository(repository, registry, self.trust());
        let started = Instant::now();
        let answered = self.sources.registries.ping(&there).await;
        self.metrics.registry(&shown, RegistryRequest::TestRepository, started.elapsed());
        answered.map_err(|error| {
            self.metrics.registry_failed(&shown, RegistryRequest::TestRepository, "");
            error.to_string()
        })
    }

    /// The tags of a repository of a registry.
    pub(crate) async fn tags(&self, repository: Option<Repository>) -> Result<Vec<String>, Status> {
        let repository = repository.ok_or_else(|| status::missing("repository"))?;
        let reference = oci::Reference::parse(&repository.repo)
            .map_err(|error| Status::unknown(format!("error creating oci client: {error}")))?;
        let shown = reference.to_string();
        let there = registry_repository(repository, reference, self.trust());
        let started = Instant::now();
        let tags = self.sources.registries.tags(&there, oci::Freshness::Cached).await;
        self.metrics.registry(&shown, RegistryRequest::GetTags, started.elapsed());
        match tags {
            Ok(tags) => Ok(tags.as_ref().clone()),
            Err(error) => {
                self.metrics.registry_failed(&shown, RegistryRequest::GetTags, "");
                Err(status::unknown(&error))
            }
        }
    }

    /// The charts of a chart repository with their versions.
    pub(crate) async fn charts_of(&self, repository: Option<Repository>) -> Result<Vec<HelmChart>, Status> {
        let repository = repository.ok_or_else(|| status::missing("repository"))?;
        let repository = chart_repository(repository, self.trust());
        let index = self.sources.charts.index(&repository, charts::Freshness::Now).await;
        let index = index.map_err(|error| status::unknown(&error))?;
        let chart = |(name, versions): (&str, Vec<&str>)| HelmChart {
            name: name.to_owned(),
            versions: versions.into_iter().map(str::to_owned).collect(),
        };
        Ok(index.charts().map(chart).collect())
    }

    /// What a chart says of itself.
    pub(crate) async fn chart_details(
        &self,
        repository: Option<Repository>,
        chart: &str,
        revision: &str,
    ) -> Result<ChartDetails, Status> {
        if chart.is_empty() {
            return Err(status::missing("chart"));
        }
        let origin = Origin::at(repository, chart, false, self.trust())?;
        let within = |what: &'static str| {
            move |status: Status| Status::new(status.code(), format!("{what}: {}", status.message()))
        };
        let resolved =
            self.sources.resolve(&origin, revision, true).await.map_err(within("helm client error"))?;
        let tree =
            self.sources.tree(&origin, &resolved, false).await.map_err(within("error extracting chart"))?;
        let work = tokio::task::spawn_blocking(move || helm::load(&tree, &TreePath::root()));
        let loaded = work.await.map_err(|error| status::broken("read a chart", &error))?;
        let metadata =
            loaded.map_err(|error| Status::unknown(format!("error inspecting chart: {error}")))?.metadata;
        let maintainers = metadata.maintainers.iter().map(|maintainer| match maintainer.email.as_str() {
            "" => maintainer.name.clone(),
            email => format!("{} <{email}>", maintainer.name),
        });
        Ok(ChartDetails {
            description: metadata.description.clone(),
            home: metadata.home.clone(),
            maintainers: maintainers.map(|text| text.trim().to_owned()).collect(),
        })
    }

    /// What an artifact of a registry says of itself.
    pub(crate) async fn artifact_metadata(
        &self,
        repository: Option<Repository>,
        revision: &str,
    ) -> Result<OCIMetadata, Status> {
        let repository = repository.ok_or_else(|| status::missing("repository"))?;
        let reference = oci::Reference::parse(&repository.repo)
            .map_err(|error| Status::unknown(format!("failed to initialize oci client: {error}")))?;
        let shown = reference.to_string();
        let there = registry_repository(repository, reference, self.trust());
        let started = Instant::now();
        let registries = &self.sources.registries;
        let manifest = match registries.resolve(&there, revision, oci::Freshness::Cached).await {
            Ok(digest) => registries.manifest(&there, &digest).await,
            Err(error) => Err(error),
        };
        self.metrics.registry(&shown, RegistryRequest::DigestMetadata, started.elapsed());
        let manifest = manifest.map_err(|error| {
            self.metrics.registry_failed(&shown, RegistryRequest::DigestMetadata, revision);
            Status::unknown(format!("failed to extract digest metadata for revision {revision:?}: {error}"))
        })?;
        let of = |name: &str| {
            manifest.annotations.get(&format!("org.opencontainers.image.{name}")).cloned().unwrap_or_default()
        };
        Ok(OCIMetadata {
            created_at: of("created"),
            authors: of("authors"),
            docs_url: of("documentation"),
            source_url: of("source"),
            version: of("version"),
            description: of("description"),
            ..OCIMetadata::default()
        })
    }
}
