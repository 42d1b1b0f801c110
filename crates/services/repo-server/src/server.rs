//! The methods of `repository.RepoServerService`.

use crate::manifests::{Kept, Manifests, Parameters, User};
use crate::metrics::Metrics;
use crate::repository::{Trust, git_repository};
use crate::world::{Credential, World};
use crate::{Options, listing, status};
use api::k8s::meta_v1::Time;
use api::v1alpha1::{ApplicationSource, RevisionMetadata};
use cache::Cache;
use futures::StreamExt as _;
use git::{Freshness, Repositories, ResolvedRevision};
use object::tracking::{AppInstance, Tracking, TrackingMethod};
use render::{Environment, EnvironmentOf, Rendered};
use source_tree::{Recorded, Tree, TreePath};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};
use transport::Calls;
use wire::reads::Candidate;
use wire::repository::repo_server_service_server::RepoServerService;
use wire::repository::{
    AppList, DirectoryAppSpec, GitDirectoriesRequest, GitDirectoriesResponse, ListAppsRequest,
    ListRefsRequest, ManifestRequest, ManifestResponse, Refs, RepoAppDetailsResponse,
    RepoServerAppDetailsQuery, RepoServerRevisionMetadataRequest, ResolveRevisionRequest,
    ResolveRevisionResponse, TestRepositoryRequest, TestRepositoryResponse,
};

/// Entries of the cache that are read at once for one question.
const READS_AT_ONCE: usize = 32;

/// The server. Cheap to clone.
#[derive(Clone)]
pub struct RepoServer {
    repositories: Repositories,
    manifests: Manifests,
    options: Arc<Options>,
    renders: Arc<Semaphore>,
    metrics: Metrics,
}

impl RepoServer {
    pub(crate) fn new(repositories: Repositories, cache: Cache, options: Options, metrics: Metrics) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let at_once = if options.parallel_renders == 0 { processors * 2 } else { options.parallel_renders };
        let manifests = Manifests::new(cache, &options.cache_secret, options.keep_manifests, metrics.clone());
        Self {
            repositories,
            manifests,
            renders: Arc::new(Semaphore::new(at_once)),
            options: Arc::new(options),
            metrics,
        }
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.metrics.calls
    }

    /// Forgets what a repository's branches and tags were: a push was announced.
    pub fn invalidate(&self, url: &str) {
        self.repositories.invalidate(&git::Repository { url: url.to_owned(), ..git::Repository::default() });
    }

    fn trust(&self) -> Trust<'_> {
        Trust { tls_data: &self.options.tls_data, ssh_data: &self.options.ssh_data }
    }

    async fn resolve(
        &self,
        repository: &git::Repository,
        revision: &str,
        no_cache: bool,
    ) -> Result<ResolvedRevision, Status> {
        let freshness = if no_cache { Freshness::Now } else { Freshness::Cached };
        let failed = |error: git::GitError| {
            self.metrics.listing_failed(&repository.shown_url(), revision);
            status::git(&error)
        };
        let resolved = self.repositories.resolve(repository, revision, freshness).await;
        let resolved = resolved.map_err(failed)?;
        if git::CommitId::parse(revision).is_ok() {
            // A commit is resolved without asking anybody. What was rendered from it is shown only to those whom
            // the repository lets in.
            let listed = self.repositories.ls_refs(repository, Freshness::Cached).await;
            listed.map_err(failed)?;
        }
        Ok(resolved)
    }

    async fn manifests(&self, request: ManifestRequest) -> Result<ManifestResponse, Status> {
        let source = request.application_source.clone().unwrap_or_default();
        let user = (!request.app_name.is_empty()).then(|| User::new(&request.app_name, &source));
        let (response, parameters) = self.rendered(request).await?;
        if let (Some(user), Some(parameters)) = (user, parameters) {
            self.manifests.note(&user, &parameters).await;
        }
        Ok(response)
    }

    /// The manifests, and what they are remembered by.
    async fn rendered(
        &self,
        request: ManifestRequest,
    ) -> Result<(ManifestResponse, Option<Parameters>), Status> {
        let source =
            request.application_source.clone().ok_or_else(|| status::missing("application source"))?;
        let repository = git_repository(request.repo.clone(), self.trust())?;
        let _pending = self.metrics.pending(&repository.shown_url());
        let resolved = self.resolve(&repository, &request.revision, request.no_revision_cache).await?;
        let commit = resolved.commit.as_str().to_owned();
        if request.has_multiple_sources && only_lends(&source) {
            return Ok((ManifestResponse { revision: commit, ..ManifestResponse::default() }, None));
        }
        let references = self.references(&request, &source).await?;
        let parameters = parameters(&request, &source, &references);
        if !request.no_cache
            && let Some(kept) = self.manifests.at_revision(&parameters, &commit).await
        {
            return Ok((response(kept, commit, &request), Some(parameters)));
        }
        let tree = self.fetched(&repository, &resolved).await?;
        let tree: Arc<dyn Tree> = Arc::new(tree);
        if !request.no_cache
            && let Some(kept) = self.manifests.by_reads(&parameters, &commit, tree.clone()).await
        {
            return Ok((response(kept, commit, &request), Some(parameters)));
        }
        let (kept, reads) = self
            .render(Work { tree, source, request: request.clone(), revision: commit.clone(), references })
            .await?;
        self.manifests.remember(&parameters, &commit, reads, &kept).await;
        Ok((response(kept, commit, &request), Some(parameters)))
    }

    /// The trees of other sources that values files are taken from, and the commits they are of.
    async fn references(
        &self,
        request: &ManifestRequest,
        source: &ApplicationSource,
    ) -> Result<References, Status> {
        let mut references = References::new();
        for variable in variables(source) {
            let variable = variable.as_str();
            let Some(target) = request.ref_sources.get(variable) else { continue };
            if references.contains_key(variable) {
                continue;
            }
            if !target.chart.is_empty() {
                return Err(Status::unimplemented(format!(
                    "{variable}: values files are taken from Git repositories, and chart {} is none",
                    target.chart
                )));
            }
            let repository = git_repository(Some(target.repo.clone()), self.trust())?;
            let resolved =
                self.resolve(&repository, &target.target_revision, request.no_revision_cache).await?;
            let tree = self.repositories.tree(&repository, &resolved).await;
            let tree: Arc<dyn Tree> = Arc::new(tree.map_err(|error| status::git(&error))?);
            references.insert(variable.to_owned(), (resolved.commit.as_str().to_owned(), tree));
        }
        Ok(references)
    }

    /// Per candidate, whether a push of these files may change what it renders to.
    pub(crate) async fn concerned(&self, candidates: Vec<Candidate>, files: &[String]) -> Vec<bool> {
        let files: Result<Vec<TreePath>, _> = files.iter().map(|file| TreePath::parse(file)).collect();
        // A path that no tree has: the sender's word is not good enough to leave anybody out.
        let Ok(files) = files else { return vec![true; candidates.len()] };
        let (files, manifests) = (&files, &self.manifests);
        let answers = candidates.into_iter().map(|candidate| async move {
            let user = User::new(&candidate.app_name, &candidate.source.unwrap_or_default());
            manifests.may_change(&user, files).await
        });
        futures::stream::iter(answers).buffered(READS_AT_ONCE).collect().await
    }

    async fn render(&self, work: Work) -> Result<(Kept, Option<source_tree::ReadSet>), Status> {
        let asked = Instant::now();
        let permit = self.renders.clone().acquire_owned().await;
        self.metrics.render_waited(asked.elapsed());
        let limits =
            render::Limits { manifest_bytes: self.options.manifest_bytes, ..render::Limits::default() };
        let world = World {
            repositories: self.repositories.clone(),
            own: git_repository(work.request.repo.clone(), self.trust())?,
            charts: chart_credentials(&work.request),
            pass_credentials: work.source.helm.as_ref().is_some_and(|helm| helm.pass_credentials),
            runtime: tokio::runtime::Handle::current(),
        };
        let rendered = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let recorded = Recorded::new(work.tree.clone());
            let rendered = render_source(&recorded, &work, &world, limits);
            // What names the revision is good for no other, whatever was read.
            let reads =
                |rendered: &Rendered| (!rendered.revision_used).then(|| recorded.read_set()).flatten();
            rendered.map(|rendered| (keep(&rendered), reads(&rendered)))
        });
        rendered
            .await
            .map_err(|error| status::broken("render manifests", &error))?
            .map_err(|error| status::render(&error))
    }
}

/// Whether a source is there for the files that others take from it, and has no manifests of its own.
fn only_lends(source: &ApplicationSource) -> bool {
    !source.r#ref.is_empty() && source.path.is_empty() && source.chart.is_empty()
}

/// What the names of a source's values files start with, up to the first slash.
fn variables(source: &ApplicationSource) -> Vec<String> {
    let Some(helm) = &source.helm else { return Vec::new() };
    let parameters = helm.file_parameters.iter().map(|parameter| &parameter.path);
    let names = helm.value_files.iter().chain(parameters);
    names.map(|name| name.split('/').next().unwrap_or_default().to_owned()).collect()
}

/// Trees of other sources by `$name`, and the commits they are of.
type References = BTreeMap<String, (String, Arc<dyn Tree>)>;

/// One render.
struct Work {
    tree: Arc<dyn Tree>,
    source: ApplicationSource,
    request: ManifestRequest,
    revision: String,
    references: References,
}

fn render_source(
    tree: &dyn Tree,
    work: &Work,
    world: &World,
    limits: render::Limits,
) -> Result<Rendered, render::RenderError> {
    let Work { source, request, revision, references, .. } = work;
    let references = references.iter().map(|(name, (_, tree))| (name.clone(), tree.clone())).collect();
    let schemes = request.helm_options.as_ref().map(|options| options.values_file_schemes.as_slice());
    let application = AppInstance::from_mark(&request.app_name);
    let environment = Environment::new(EnvironmentOf {
        application: &request.app_name,
        namespace: &request.namespace,
        project: &request.project_name,
        revision,
        repository: request.repo.as_ref().map_or("", |repository| repository.repo.as_str()),
        path: &source.path,
        target_revision: &source.target_revision,
    });
    let marked = !request.app_name.is_empty() && !request.app_label_key.is_empty();
    render::render(
        tree,
        &render::Request {
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
        },
    )
}

/// Names and passwords of chart repositories; those that name more of an address come first.
fn chart_credentials(request: &ManifestRequest) -> Vec<Credential> {
    let repositories = request.repos.iter().map(|found| (&found.repo, &found.username, &found.password));
    let templates =
        request.helm_repo_creds.iter().map(|found| (&found.url, &found.username, &found.password));
    let mut credentials: Vec<Credential> = repositories
        .chain(templates)
        .filter(|(prefix, username, _)| !prefix.is_empty() && !username.is_empty())
        .map(|(prefix, username, password)| Credential {
            prefix: prefix.clone(),
            username: username.clone(),
            password: password.clone().into(),
        })
        .collect();
    credentials.sort_by_key(|credential| std::cmp::Reverse(credential.prefix.len()));
    credentials
}

fn keep(rendered: &Rendered) -> Kept {
    Kept {
        manifests: rendered.objects.iter().map(|object| object::object_to_go_json(&object.0)).collect(),
        source_type: rendered.source_type.as_str().to_owned(),
    }
}

fn response(kept: Kept, commit: String, request: &ManifestRequest) -> ManifestResponse {
    ManifestResponse {
        manifests: kept.manifests,
        namespace: request.namespace.clone(),
        revision: commit,
        source_type: kept.source_type,
        ..ManifestResponse::default()
    }
}

/// Everything but the tree that a render depends on. The revision is the tree's; credentials only open the door.
fn parameters(request: &ManifestRequest, source: &ApplicationSource, references: &References) -> Parameters {
    let references: BTreeMap<_, _> = references.iter().map(|(name, (commit, _))| (name, commit)).collect();
    let build_options = request.kustomize_options.as_ref().map(|options| &options.build_options);
    let schemes = request.helm_options.as_ref().map(|options| &options.values_file_schemes);
    let repository = request.repo.as_ref().map(|repository| repository.repo.as_str());
    Parameters::new(&(
        (repository, source, &request.app_name, &request.namespace),
        (&request.app_label_key, &request.tracking_method, &request.installation_id),
        (&request.kube_version, &request.api_versions, &request.enabled_source_types),
        (&request.project_name, &request.project_source_repos),
        (references, build_options, schemes),
    ))
}

#[tonic::async_trait]
impl RepoServerService for RepoServer {
    async fn generate_manifest(
        &self,
        request: Request<ManifestRequest>,
    ) -> Result<Response<ManifestResponse>, Status> {
        self.manifests(request.into_inner()).await.map(Response::new)
    }

    async fn test_repository(
        &self,
        request: Request<TestRepositoryRequest>,
    ) -> Result<Response<TestRepositoryResponse>, Status> {
        let repository = git_repository(request.into_inner().repo, self.trust())?;
        match self.repositories.ls_refs(&repository, Freshness::Now).await {
            Ok(_) => Ok(Response::new(TestRepositoryResponse { verified_repository: true })),
            Err(error) => Err(Status::unknown(format!(
                "error testing repository connectivity: unable to ls-remote HEAD on repository: {error}"
            ))),
        }
    }

    async fn resolve_revision(
        &self,
        request: Request<ResolveRevisionRequest>,
    ) -> Result<Response<ResolveRevisionResponse>, Status> {
        let request = request.into_inner();
        let repository = git_repository(request.repo, self.trust())?;
        let asked = request.ambiguous_revision;
        let resolved = self.resolve(&repository, &asked, request.no_revision_cache).await?;
        let revision = resolved.commit.as_str().to_owned();
        let ambiguous_revision =
            if asked == revision { revision.clone() } else { format!("{asked} ({revision})") };
        Ok(Response::new(ResolveRevisionResponse { revision, ambiguous_revision }))
    }

    async fn list_refs(&self, request: Request<ListRefsRequest>) -> Result<Response<Refs>, Status> {
        let repository = git_repository(request.into_inner().repo, self.trust())?;
        let refs = self.repositories.ls_refs(&repository, Freshness::Cached).await;
        let refs = refs.map_err(|error| status::git(&error))?;
        Ok(Response::new(Refs {
            branches: refs.branches().map(str::to_owned).collect(),
            tags: refs.tags().map(str::to_owned).collect(),
        }))
    }

    async fn list_apps(&self, request: Request<ListAppsRequest>) -> Result<Response<AppList>, Status> {
        let request = request.into_inner();
        let tree = self.tree(request.repo, &request.revision, false).await?;
        let enabled: BTreeMap<String, bool> = request.enabled_source_types;
        let work = tokio::task::spawn_blocking(move || listing::applications(&tree, &enabled));
        let apps = work.await.map_err(|error| status::broken("list applications", &error))?;
        let apps = apps.map_err(|error| Status::unknown(error.to_string()))?;
        Ok(Response::new(AppList { apps }))
    }

    async fn get_app_details(
        &self,
        request: Request<RepoServerAppDetailsQuery>,
    ) -> Result<Response<RepoAppDetailsResponse>, Status> {
        let request = request.into_inner();
        let source = request.source.ok_or_else(|| status::missing("source"))?;
        let tree = self.tree(request.repo, &source.target_revision, request.no_revision_cache).await?;
        let (enabled, name) = (request.enabled_source_types, request.app_name);
        let work = tokio::task::spawn_blocking(move || {
            let path = render::application_path(&tree, &source.path)?;
            let source = render::with_overrides(&tree, &path, &source, &name)?;
            render::source_type(&tree, &path, &source, &enabled)
        });
        let source_type = work.await.map_err(|error| status::broken("look at the source", &error))?;
        let source_type = source_type.map_err(|error| status::render(&error))?;
        let directory = (source_type == render::SourceType::Directory).then(DirectoryAppSpec::default);
        let details =
            RepoAppDetailsResponse { r#type: source_type.to_string(), directory, ..Default::default() };
        Ok(Response::new(details))
    }

    async fn get_revision_metadata(
        &self,
        request: Request<RepoServerRevisionMetadataRequest>,
    ) -> Result<Response<RevisionMetadata>, Status> {
        let request = request.into_inner();
        let repository = git_repository(request.repo, self.trust())?;
        let resolved = self.resolve(&repository, &request.revision, false).await?;
        let found = self.repositories.metadata(&repository, &resolved).await;
        let found = found.map_err(|error| status::git(&error))?;
        Ok(Response::new(RevisionMetadata {
            author: found.author,
            date: Some(Time::from(found.date)),
            tags: found.tags,
            message: found.message,
            ..RevisionMetadata::default()
        }))
    }

    async fn get_git_directories(
        &self,
        request: Request<GitDirectoriesRequest>,
    ) -> Result<Response<GitDirectoriesResponse>, Status> {
        let request = request.into_inner();
        let tree = self.tree(request.repo, &request.revision, request.no_revision_cache).await?;
        let work = tokio::task::spawn_blocking(move || listing::directories(&tree, false));
        let paths = work.await.map_err(|error| status::broken("list folders", &error))?;
        let paths = paths.map_err(|error| Status::unknown(error.to_string()))?;
        Ok(Response::new(GitDirectoriesResponse { paths }))
    }
}

impl RepoServer {
    async fn tree(
        &self,
        repository: Option<api::v1alpha1::Repository>,
        revision: &str,
        no_cache: bool,
    ) -> Result<git::GitTree, Status> {
        let repository = git_repository(repository, self.trust())?;
        let resolved = self.resolve(&repository, revision, no_cache).await?;
        self.fetched(&repository, &resolved).await
    }

    async fn fetched(
        &self,
        repository: &git::Repository,
        resolved: &ResolvedRevision,
    ) -> Result<git::GitTree, Status> {
        let tree = self.repositories.tree(repository, resolved).await;
        tree.map_err(|error| {
            self.metrics.fetch_failed(&repository.shown_url(), resolved.commit.as_str());
            status::git(&error)
        })
    }
}
