//! Where sources come from: Git repositories, chart repositories, registries. What a revision means there, and the
//! tree that lies there then.

use crate::metrics::{Metrics, RegistryRequest};
use crate::repository::{Trust, authorities, chart_repository, git_repository, registry_repository};
use crate::{Options, status};
use api::v1alpha1::{ApplicationSource, Repository};
use archive::{ArchiveError, Limits};
use bytes::Bytes;
use charts::{ChartError, Place};
use git::{Freshness, Repositories, ResolvedRevision};
use oci::OciError;
use source_tree::Tree;
use std::sync::Arc;
use std::time::Instant;
use tonic::Status;

/// All places that sources come from. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Sources {
    pub(crate) git: Repositories,
    pub(crate) charts: charts::Repositories,
    pub(crate) registries: oci::Registries,
    options: Arc<Options>,
    metrics: Metrics,
}

/// Where one source comes from.
#[derive(Clone, Debug)]
pub(crate) enum Origin {
    /// A Git repository; the revision is a commit. Versions are those of the tags with the prefix.
    Git { repository: Box<git::Repository>, tag_prefix: String },
    /// A chart of a chart repository; the revision is its version.
    Chart { repository: charts::Repository, chart: String, pass_credentials: bool },
    /// A chart of a registry; the revision is its version.
    RegistryChart { repository: oci::Repository, chart: String },
    /// An artifact of a registry; the revision is its digest.
    Artifact(oci::Repository),
}

/// What a revision means.
#[derive(Clone, Debug)]
pub(crate) enum Revision {
    Commit(ResolvedRevision),
    /// A chart's version, or an artifact's digest.
    Other(String),
}

impl Revision {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Commit(resolved) => resolved.commit.as_str(),
            Self::Other(text) => text,
        }
    }
}

/// Why a chart is not given, packed; the texts are the original's.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoChart {
    /// What the chart repository says.
    #[error("error fetching chart: failed to fetch chart: {0}")]
    Listed(ChartError),
    /// What the registry says.
    #[error("error pulling OCI chart: failed to pull OCI chart: {0}")]
    Pulled(OciError),
    /// The chart repository names a registry that cannot be one.
    #[error(transparent)]
    Address(OciError),
}

impl NoChart {
    /// Whether nobody answered or what is there was not given, which may be otherwise later, or with other rights. That
    /// there is no such chart or version is a fact.
    pub(crate) fn withheld(&self) -> bool {
        match self {
            Self::Listed(error) => matches!(
                error,
                ChartError::Access(_)
                    | ChartError::Index(_)
                    | ChartError::InvalidIndex(_)
                    | ChartError::Fetch(_)
            ),
            Self::Pulled(error) => !matches!(error, OciError::NoVersion(_)),
            Self::Address(_) => false,
        }
    }
}

impl From<NoChart> for Status {
    fn from(error: NoChart) -> Self {
        status::unknown(&error)
    }
}

/// Whether a source is an artifact of a registry, told by its address.
pub(crate) fn is_artifact(source: &ApplicationSource) -> bool {
    source.repo_url.starts_with("oci://")
}

impl Origin {
    /// Where a source comes from.
    pub(crate) fn of(
        repository: Option<Repository>,
        source: &ApplicationSource,
        trust: Trust<'_>,
    ) -> Result<Self, Status> {
        let pass_credentials = source.helm.as_ref().is_some_and(|helm| helm.pass_credentials);
        let mut origin = Self::at(repository, &source.chart, pass_credentials, trust)?;
        if let Self::Git { tag_prefix, .. } = &mut origin {
            tag_prefix.clone_from(&source.tag_prefix);
        }
        Ok(origin)
    }

    /// Where a chart, or what lies in a repository without one, comes from.
    pub(crate) fn at(
        repository: Option<Repository>,
        chart: &str,
        pass_credentials: bool,
        trust: Trust<'_>,
    ) -> Result<Self, Status> {
        let repository = repository.ok_or_else(|| status::missing("repository"))?;
        let chart = chart.to_owned();
        let registry = repository.repo.starts_with("oci://");
        if registry && chart.is_empty() {
            let reference = oci::Reference::parse(&repository.repo)
                .map_err(|error| Status::unknown(format!("failed to initialize oci client: {error}")))?;
            return Ok(Self::Artifact(registry_repository(repository, reference, trust)));
        }
        if chart.is_empty() {
            let repository = git_repository(Some(repository), trust)?;
            return Ok(Self::Git { repository: Box::new(repository), tag_prefix: String::new() });
        }
        if repository.use_azure_workload_identity {
            return Err(Status::failed_precondition(
                "useAzureWorkloadIdentity opens Git repositories here, and no charts: register the repository with a user and a password",
            ));
        }
        if registry || repository.enable_oci || !repository.repo.contains("://") {
            let reference = oci::Reference::registry(&repository.repo).and_then(|found| found.child(&chart));
            let reference = reference.map_err(|error| Status::unknown(error.to_string()))?;
            return Ok(Self::RegistryChart {
                repository: registry_repository(repository, reference, trust),
                chart,
            });
        }
        Ok(Self::Chart { repository: chart_repository(repository, trust), chart, pass_credentials })
    }

    /// The address without credentials, for messages and metrics.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Git { repository, .. } => repository.shown_url(),
            Self::Chart { repository, .. } => repository.shown_url(),
            Self::RegistryChart { repository, .. } | Self::Artifact(repository) => {
                repository.reference.to_string()
            }
        }
    }
}

impl Sources {
    pub(crate) fn new(git: Repositories, options: Arc<Options>, metrics: Metrics) -> Self {
        Self {
            git,
            charts: charts::Repositories::new(options.charts),
            registries: oci::Registries::new(options.registries),
            options,
            metrics,
        }
    }

    /// What a revision means.
    pub(crate) async fn resolve(
        &self,
        origin: &Origin,
        revision: &str,
        now: bool,
    ) -> Result<Revision, Status> {
        match origin {
            Origin::Git { repository, tag_prefix } => {
                self.commit_tagged(repository, revision, tag_prefix, now).await.map(Revision::Commit)
            }
            Origin::Chart { repository, chart, .. } => {
                let found = self.charts.resolve(repository, chart, revision, chart_freshness(now)).await;
                found.map(Revision::Other).map_err(|error| status::unknown(&error))
            }
            Origin::RegistryChart { repository, .. } => {
                self.chart_version(repository, revision, now).await.map(Revision::Other)
            }
            Origin::Artifact(repository) => {
                let started = Instant::now();
                let found = self.registries.resolve(repository, revision, freshness(now)).await;
                let shown = repository.reference.to_string();
                self.metrics.registry(&shown, RegistryRequest::ResolveRevision, started.elapsed());
                found.map(Revision::Other).map_err(|error| {
                    self.metrics.registry_failed(&shown, RegistryRequest::ResolveRevision, revision);
                    Status::unknown(format!("failed to resolve revision {revision:?}: {error}"))
                })
            }
        }
    }

    /// The commit a revision means, for those whom the repository lets in.
    pub(crate) async fn commit(
        &self,
        repository: &git::Repository,
        revision: &str,
        now: bool,
    ) -> Result<ResolvedRevision, Status> {
        self.commit_tagged(repository, revision, "", now).await
    }

    /// The same, where versions are those of the tags with a prefix.
    pub(crate) async fn commit_tagged(
        &self,
        repository: &git::Repository,
        revision: &str,
        tag_prefix: &str,
        now: bool,
    ) -> Result<ResolvedRevision, Status> {
        let freshness = if now { Freshness::Now } else { Freshness::Cached };
        let failed = |error: git::GitError| {
            self.metrics.listing_failed(&repository.shown_url(), revision);
            status::git(&error)
        };
        let resolved = self.git.resolve_tagged(repository, revision, tag_prefix, freshness).await;
        let resolved = resolved.map_err(failed)?;
        if git::CommitId::parse(revision).is_ok() {
            // A commit is resolved without asking anybody. What was rendered from it is shown only to those whom
            // the repository lets in.
            let listed = self.git.ls_refs(repository, Freshness::Cached).await;
            listed.map_err(failed)?;
        }
        Ok(resolved)
    }

    /// The version of a chart in a registry. One that is written out means itself, once the registry has let these
    /// credentials in.
    async fn chart_version(
        &self,
        repository: &oci::Repository,
        revision: &str,
        now: bool,
    ) -> Result<String, Status> {
        let failed = |error: OciError| Status::unknown(format!("error pulling OCI chart: {error}"));
        if oci::is_digest(revision) || semver_range::Version::parse(revision).is_ok() {
            if !self.registries.admitted(repository).await.map_err(failed)? {
                self.registries.resolve(repository, revision, freshness(now)).await.map_err(failed)?;
            }
            return Ok(revision.to_owned());
        }
        self.registries.newest(repository, revision, freshness(now)).await.map_err(|error| match error {
            OciError::NoVersion(reason) => Status::unknown(format!("invalid revision: {reason}")),
            other => Status::unknown(format!("unable to get tags: {other}")),
        })
    }

    /// The tree at a revision.
    pub(crate) async fn tree(
        &self,
        origin: &Origin,
        revision: &Revision,
        now: bool,
    ) -> Result<Arc<dyn Tree>, Status> {
        match (origin, revision) {
            (Origin::Git { repository, .. }, Revision::Commit(resolved)) => {
                let tree = self.git_tree(repository, resolved).await?;
                Ok(Arc::new(tree))
            }
            (Origin::Git { repository, tag_prefix }, Revision::Other(text)) => {
                let resolved = self.commit_tagged(repository, text, tag_prefix, now).await?;
                Ok(Arc::new(self.git_tree(repository, &resolved).await?))
            }
            (Origin::Chart { repository, chart, pass_credentials }, _) => {
                let packed =
                    self.packed_chart(repository, chart, revision.as_str(), *pass_credentials, now).await?;
                self.unpacked("chart", packed, true, self.options.chart_limits, Some(chart_folder(chart)))
                    .await
            }
            (Origin::RegistryChart { repository, chart }, _) => {
                let packed = self.registry_chart(repository, revision.as_str(), now).await?;
                self.unpacked("chart", packed, true, self.options.chart_limits, Some(chart_folder(chart)))
                    .await
            }
            (Origin::Artifact(repository), _) => self.artifact(repository, revision.as_str()).await,
        }
    }

    /// The tree of a commit.
    pub(crate) async fn git_tree(
        &self,
        repository: &git::Repository,
        resolved: &ResolvedRevision,
    ) -> Result<git::GitTree, Status> {
        let tree = self.git.tree(repository, resolved).await;
        tree.map_err(|error| {
            self.metrics.fetch_failed(&repository.shown_url(), resolved.commit.as_str());
            status::git(&error)
        })
    }

    /// A chart of a chart repository, packed.
    pub(crate) async fn packed_chart(
        &self,
        repository: &charts::Repository,
        chart: &str,
        version: &str,
        pass_credentials: bool,
        now: bool,
    ) -> Result<Bytes, NoChart> {
        let found =
            self.charts.chart(repository, chart, version, pass_credentials, chart_freshness(now)).await;
        match found.map_err(NoChart::Listed)? {
            Place::Chart(packed) => Ok(packed),
            Place::Registry(address) => {
                let (place, tag) = address.rsplit_once(':').unwrap_or((&address, version));
                let reference = oci::Reference::parse(place).map_err(NoChart::Address)?;
                let access = if pass_credentials {
                    repository.access.clone()
                } else {
                    // The way out and the trust in that host, and no credentials.
                    let place = format!("https://{}", reference.registry);
                    download::Access {
                        certificate_authorities: authorities(&place, &self.options.tls_data),
                        proxy: repository.access.proxy.clone(),
                        no_proxy: repository.access.no_proxy.clone(),
                        ..download::Access::default()
                    }
                };
                let there = oci::Repository { reference, plain_http: false, access };
                self.registry_chart(&there, tag, now).await
            }
        }
    }

    /// A chart of a registry, packed.
    pub(crate) async fn registry_chart(
        &self,
        repository: &oci::Repository,
        version: &str,
        now: bool,
    ) -> Result<Bytes, NoChart> {
        let failed = NoChart::Pulled;
        let digest = self.registries.resolve(repository, version, freshness(now)).await.map_err(failed)?;
        let manifest = self.registries.manifest(repository, &digest).await.map_err(failed)?;
        let Some(layer) = manifest.layers.iter().find(|layer| layer.chart()) else {
            let reference = &repository.reference;
            return Err(failed(OciError::Layers(format!(
                "{reference}:{version} has no layer that is a chart"
            ))));
        };
        self.registries.layer(repository, layer).await.map_err(failed)
    }

    /// What the content layer of an artifact holds.
    async fn artifact(&self, repository: &oci::Repository, digest: &str) -> Result<Arc<dyn Tree>, Status> {
        let started = Instant::now();
        let shown = repository.reference.to_string();
        let packed = async {
            let manifest = self.registries.manifest(repository, digest).await?;
            let layer = manifest.content(&self.options.layer_types)?;
            Ok::<_, OciError>((self.registries.layer(repository, layer).await?, layer.clone()))
        };
        let found = packed.await;
        self.metrics.registry(&shown, RegistryRequest::Extract, started.elapsed());
        let failed = |text: String| {
            self.metrics.registry_failed(&shown, RegistryRequest::Extract, digest);
            Status::unknown(text)
        };
        let (packed, layer) = found.map_err(|error| failed(error.to_string()))?;
        let limits = self.options.artifact_limits;
        let unpack = move || {
            if layer.chart() {
                archive::unpack_folder(packed, true, limits, None)
            } else {
                archive::unpack(packed, layer.packed(), limits)
            }
        };
        let tree = tokio::task::spawn_blocking(unpack).await;
        let tree = tree.map_err(|error| status::broken("unpack an artifact", &error))?;
        tree.map(|tree| Arc::new(tree) as Arc<dyn Tree>).map_err(|error| match error {
            ArchiveError::IllegalLink(link) => failed(match outside(&link) {
                Some(target) => broken_layer(
                    digest,
                    &format!(
                        "error checking symlink {target:?} target: statat {target}: path escapes from parent"
                    ),
                ),
                None => format!("oci image contains out-of-bounds symlinks. file: {link}"),
            }),
            error => failed(broken_layer(digest, &error.to_string())),
        })
    }

    async fn unpacked(
        &self,
        what: &'static str,
        packed: Bytes,
        gzip: bool,
        limits: Limits,
        folder: Option<String>,
    ) -> Result<Arc<dyn Tree>, Status> {
        let work = move || archive::unpack_folder(packed, gzip, limits, folder.as_deref());
        let tree = tokio::task::spawn_blocking(work).await;
        let tree = tree.map_err(|error| status::broken("unpack a chart", &error))?;
        tree.map(|tree| Arc::new(tree) as Arc<dyn Tree>).map_err(|error| match error {
            ArchiveError::IllegalLink(link) => {
                Status::unknown(format!("{what} contains out-of-bounds symlinks. file: {link}"))
            }
            error => Status::unknown(format!("error untarring chart: {error}")),
        })
    }
}

/// What is told of an artifact that does not unpack; the texts are the original's.
fn broken_layer(digest: &str, cause: &str) -> String {
    format!(
        "cannot extract contents of oci image with revision {digest}: could not decompress layer: {cause}"
    )
}

/// Where a link (`name -> target`) leads as seen from the root of the archive that holds it, where that is outside: the
/// original names that and not the link.
fn outside(link: &str) -> Option<String> {
    let (name, target) = link.split_once(" -> ")?;
    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(target.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    (parts.first() == Some(&"..")).then(|| parts.join("/"))
}

/// The folder a chart lies in when it is packed: its name without what the registry has before it.
fn chart_folder(chart: &str) -> String {
    chart.rsplit('/').next().unwrap_or(chart).to_owned()
}

fn freshness(now: bool) -> oci::Freshness {
    if now { oci::Freshness::Now } else { oci::Freshness::Cached }
}

fn chart_freshness(now: bool) -> charts::Freshness {
    if now { charts::Freshness::Now } else { charts::Freshness::Cached }
}
