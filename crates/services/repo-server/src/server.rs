//! The methods of `repository.RepoServerService`.

use crate::asked::{Asked, Looked, Made, References, both, keep, render_source, with_request};
use crate::dependencies::{ChartAccess, Permitted};
use crate::integrity::Checked;
use crate::lookups::Answers;
use crate::manifests::{Kept, Manifests, Parameters, Reads, Trees, User};
use crate::metrics::Metrics;
use crate::patience::Patience;
use crate::plugins::PluginWorld;
use crate::repository::{Trust, git_repository, proxy_only};
use crate::restrained::{Care, Restrained};
use crate::sources::{Origin, Revision, Sources, is_artifact};
use crate::world::World;
use crate::{Options, listing, status, streamed};
use api::k8s::meta_v1::Time;
use api::v1alpha1::{
    ApplicationSource, ChartDetails, CommitMetadata, OCIMetadata, RevisionMetadata, RevisionReference,
};
use cache::Cache;
use evaluator::Evaluators;
use futures::StreamExt as _;
use git::{Freshness, Repositories};
use plugin::Plugins;
use render::Rendered;
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
    AppList, GitDirectoriesRequest, GitDirectoriesResponse, GitFilesRequest, GitFilesResponse,
    HelmChartsRequest, HelmChartsResponse, ListAppsRequest, ListRefsRequest, ManifestRequest,
    ManifestRequestWithFiles, ManifestResponse, PluginInfo, PluginList, Refs, RepoAppDetailsResponse,
    RepoServerAppDetailsQuery, RepoServerRevisionChartDetailsRequest, RepoServerRevisionMetadataRequest,
    ResolveRevisionRequest, ResolveRevisionResponse, TestRepositoryRequest, TestRepositoryResponse,
    UpdateRevisionForPathsRequest, UpdateRevisionForPathsResponse,
};

/// The revision of files that come along with a request.
pub(crate) const STREAMED: &str = "streamed";

/// How much of the time of a render evaluating may take: the rest is for telling that it took too long.
const EVALUATION_SHARE: f64 = 0.95;

/// Entries of the cache that are read at once for one question.
const READS_AT_ONCE: usize = 32;

/// The server. Cheap to clone.
#[derive(Clone)]
pub struct RepoServer {
    pub(crate) sources: Sources,
    manifests: Manifests,
    pub(crate) options: Arc<Options>,
    renders: Arc<Semaphore>,
    /// Who evaluates Jsonnet; without them it is done here.
    evaluators: Option<Evaluators>,
    patience: Patience,
    plugins: Plugins,
    pub(crate) metrics: Metrics,
}

impl RepoServer {
    pub(crate) fn new(repositories: Repositories, cache: Cache, options: Options, metrics: Metrics) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let at_once = if options.parallel_renders == 0 { processors * 2 } else { options.parallel_renders };
        let manifests = Manifests::new(cache, &options.cache_secret, options.keep_manifests, metrics.clone());
        let options = Arc::new(options);
        Self {
            sources: Sources::new(repositories, options.clone(), metrics.clone()),
            manifests,
            renders: Arc::new(Semaphore::new(at_once)),
            evaluators: options.evaluator.clone().map(Evaluators::new),
            patience: Patience::new(options.render_timeout),
            plugins: Plugins::new(options.plugins.clone()),
            options,
            metrics,
        }
    }

    pub(crate) fn calls(&self) -> &Calls {
        &self.metrics.calls
    }

    /// Forgets what a repository's branches and tags were: a push was announced.
    pub fn invalidate(&self, url: &str) {
        self.sources.git.invalidate(&git::Repository { url: url.to_owned(), ..git::Repository::default() });
    }

    pub(crate) fn trust(&self) -> Trust<'_> {
        self.options.trust()
    }

    /// The same for what a stranger wrote: no submodules.
    pub(crate) fn trust_with(&self, care: Care) -> Trust<'_> {
        let trust = self.trust();
        Trust { submodules: trust.submodules && care == Care::Usual, ..trust }
    }

    /// A submodule that is not read would be an empty folder, and the manifests others than they will be.
    fn without_submodules(&self, care: Care, tree: &Arc<dyn Tree>) -> Result<(), Status> {
        if care == Care::Usual || !self.trust().submodules {
            return Ok(());
        }
        let declared = TreePath::root().child(".gitmodules");
        match tree.entry(&declared).map_err(|error| status::unknown(&error))? {
            None => Ok(()),
            Some(_) => Err(Status::failed_precondition(
                "the repository has submodules, which are not read for a pull request",
            )),
        }
    }

    async fn manifests(&self, request: ManifestRequest) -> Result<ManifestResponse, Status> {
        self.made_for(request, None).await.map(Made::response)
    }

    /// The manifests of an application's source, which is noted as one that is rendered like this.
    pub(crate) async fn made_for(
        &self,
        request: ManifestRequest,
        answers: Option<Arc<Answers>>,
    ) -> Result<Made, Status> {
        let source = request.application_source.clone().unwrap_or_default();
        let user = (!request.app_name.is_empty()).then(|| User::new(&request.app_name, &source));
        let made = self.rendered(request, Care::Usual, answers).await?;
        if let (Some(user), Some(parameters)) = (user, &made.parameters) {
            self.manifests.note(&user, parameters).await;
        }
        Ok(made)
    }

    /// The manifests, and what they are remembered by. With `answers`, templates may look up what these know.
    pub(crate) async fn rendered(
        &self,
        request: ManifestRequest,
        care: Care,
        answers: Option<Arc<Answers>>,
    ) -> Result<Made, Status> {
        let source =
            request.application_source.clone().ok_or_else(|| status::missing("application source"))?;
        let origin = Origin::of(request.repo.clone(), &source, self.trust_with(care))?;
        let _pending = self.metrics.pending(&origin.shown());
        let asked = if request.revision.is_empty() { &source.target_revision } else { &request.revision };
        let now = request.no_revision_cache || request.no_cache;
        let resolved = self.sources.resolve(&origin, asked, now).await?;
        let revision = resolved.as_str().to_owned();
        let mut checked = self.checked(&request, &origin, &resolved).await?;
        if request.has_multiple_sources && only_lends(&source) {
            if !request.app_name.is_empty() {
                self.manifests.note_lender(&User::new(&request.app_name, &source)).await;
            }
            let namespace = request.namespace;
            return Ok(Made { kept: Kept::default(), revision, namespace, checked, parameters: None });
        }
        let references = self.references(&request, &source, &mut checked, care).await?;
        let parameters = self.parameters(&request, &source, &references, care, answers.as_deref());
        let namespace = request.namespace.clone();
        let made = |kept, revision, parameters| Made {
            kept,
            revision,
            namespace,
            checked,
            parameters: Some(parameters),
        };
        let seen = seen_at(&revision, &references);
        if !request.no_cache
            && let Some(kept) = self.manifests.at_revision(&parameters, &seen).await
        {
            return Ok(made(kept, revision, parameters));
        }
        let tree = self.sources.tree(&origin, &resolved, request.no_cache).await?;
        self.without_submodules(care, &tree)?;
        let lent = references.iter().map(|(name, (_, tree))| (name.clone(), tree.clone())).collect();
        let trees = Trees { own: tree.clone(), lent };
        if !request.no_cache
            && let Some(kept) = self.manifests.by_reads(&parameters, &seen, trees).await
        {
            return Ok(made(kept, revision, parameters));
        }
        let work = Asked {
            tree,
            source,
            request,
            revision: revision.clone(),
            references,
            care,
            answers,
            path: None,
        };
        let (kept, reads) = self.render(work).await?;
        self.manifests.remember(&parameters, &seen, reads, &kept).await;
        Ok(made(kept, revision, parameters))
    }

    /// The trees of other sources that values files are taken from, and the revisions they are of.
    pub(crate) async fn references(
        &self,
        request: &ManifestRequest,
        source: &ApplicationSource,
        checked: &mut Option<Checked>,
        care: Care,
    ) -> Result<References, Status> {
        let mut references = References::new();
        for variable in variables(source) {
            if !variable.starts_with('$') || references.contains_key(&variable) {
                continue;
            }
            let Some(target) = request.ref_sources.get(&variable) else {
                if request.has_multiple_sources {
                    return Err(Status::unknown(unknown_reference(&variable, &request.ref_sources)));
                }
                continue;
            };
            if !target.chart.is_empty() {
                return Err(Status::unknown(
                    "source has a 'chart' field defined, but Helm charts are not yet not supported for 'ref' sources",
                ));
            }
            let origin = Origin::at(Some(target.repo.clone()), "", false, self.trust_with(care))?;
            let now = request.no_revision_cache || request.no_cache;
            let resolved = self.sources.resolve(&origin, &target.target_revision, now).await?;
            if let (Origin::Git { repository, .. }, Revision::Commit(commit)) = (&origin, &resolved) {
                // Values make manifests as templates do.
                let integrity = request.source_integrity.as_ref();
                let other = self.verified(integrity, &target.repo.repo, repository, commit).await?;
                *checked = both(checked.take(), other);
            }
            let tree = self.sources.tree(&origin, &resolved, false).await?;
            self.without_submodules(care, &tree)?;
            references.insert(variable, (resolved.as_str().to_owned(), tree));
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

    /// Renders files that came along with a request; nothing of it is kept.
    pub(crate) async fn render_files(
        &self,
        tree: Arc<dyn Tree>,
        request: ManifestRequest,
    ) -> Result<ManifestResponse, Status> {
        let source =
            request.application_source.clone().ok_or_else(|| status::missing("application source"))?;
        render::application_path(&tree, &source.path)
            .map_err(|error| Status::unknown(format!("failed to get app path: {error}")))?;
        let mut checked = None;
        let references = self.references(&request, &source, &mut checked, Care::Usual).await?;
        let revision = STREAMED.to_owned();
        let work = Asked {
            tree,
            source,
            request: request.clone(),
            revision: revision.clone(),
            references,
            care: Care::Usual,
            answers: None,
            path: None,
        };
        let (kept, _) = self.render(work).await?;
        let namespace = request.namespace;
        Ok(Made { kept, revision, namespace, checked, parameters: None }.response())
    }

    pub(crate) async fn render(&self, mut work: Asked) -> Result<(Kept, Option<Reads>), Status> {
        let asked = Instant::now();
        let permit = self.renders.clone().acquire_owned().await;
        self.metrics.render_waited(asked.elapsed());
        let limits =
            render::Limits { manifest_bytes: self.options.manifest_bytes, ..render::Limits::default() };
        let world = self.world(&work)?;
        let permitted = Permitted::of(&work.request);
        let restrained = (work.care == Care::Stranger).then(|| Restrained::new(&work.request, &work.source));
        let name = work.name();
        let lent: BTreeMap<_, _> = work
            .references
            .iter_mut()
            .map(|(name, (_, tree))| {
                let recorded = Arc::new(Recorded::new(tree.clone()));
                *tree = recorded.clone();
                (name.clone(), recorded)
            })
            .collect();
        let rendered = self.patience.run("render manifests", name, permit, move || {
            let recorded = Recorded::new(work.tree.clone());
            let all_reads = || {
                let each =
                    |(name, tree): (&String, &Arc<Recorded<_>>)| Some((name.clone(), tree.read_set()?));
                let lent: Option<BTreeMap<_, _>> = lent.iter().map(each).collect();
                Some(Reads { own: recorded.read_set()?, lent: lent? })
            };
            let rendered = match restrained {
                Some(restrained) => render_source(&recorded, &work, &restrained.around(&world), limits),
                None => render_source(&recorded, &work, &world, limits),
            };
            // What names the revision is good for no other, whatever was read.
            let reads = |rendered: &Rendered| (!rendered.revision_used).then(&all_reads).flatten();
            let wanted = work.answers.as_ref().map(|answers| answers.wanted()).unwrap_or_default();
            match rendered {
                // Made, or failed, without all that the cluster has: these are not the manifests.
                rendered if !wanted.is_empty() => {
                    let reads = rendered.as_ref().ok().and_then(reads);
                    Ok((Kept { wanted, ..Kept::default() }, reads))
                }
                rendered => rendered.map(|rendered| (keep(&rendered), reads(&rendered))),
            }
        });
        rendered.await?.map_err(|error| permitted.status(&error))
    }

    /// Looks at what could be rendered.
    pub(crate) async fn look(&self, work: Asked) -> Result<Result<Looked, render::RenderError>, Status> {
        let permit = self.renders.clone().acquire_owned().await;
        let world = self.world(&work)?;
        let limits =
            render::Limits { manifest_bytes: self.options.manifest_bytes, ..render::Limits::default() };
        let name = work.name();
        let looked = self.patience.run("look at the source", name, permit, move || {
            with_request(&work, &world, limits, |request| {
                let (source_type, source, details) = render::details(&work.tree, request)?;
                let mut announced = Vec::new();
                if source_type == render::SourceType::Plugin {
                    let path = render::application_path(&work.tree, &source.path)?;
                    let variables = render::plugin_variables(request.environment, source.plugin.as_ref());
                    let name = source.plugin.as_ref().map_or("", |plugin| plugin.name.as_str());
                    let found = world.plugins.parameters(&world.runtime, name, &path, &variables);
                    announced = found.map_err(render::RenderError::Plugin)?;
                }
                Ok(Looked { source_type, source, details, announced })
            })
        });
        looked.await
    }

    /// What a render may ask of the world.
    fn world(&self, work: &Asked) -> Result<World, Status> {
        let Asked { request, source, tree, .. } = work;
        let from_git = source.chart.is_empty() && !is_artifact(source);
        let own = if from_git {
            git_repository(request.repo.clone(), self.trust())?
        } else {
            proxy_only(request.repo.as_ref(), self.trust())
        };
        let annotation = &request.annotation_manifest_generate_paths;
        let narrow = self.options.plugins_use_generate_paths && !annotation.is_empty();
        Ok(World {
            plugins: PluginWorld {
                plugins: self.plugins.clone(),
                repositories: self.sources.git.clone(),
                tree: tree.clone(),
                generate_paths: narrow.then(|| annotation.clone()),
                ask_pass: self.options.ask_pass.clone(),
                repository: own.clone(),
            },
            sources: self.sources.clone(),
            charts: ChartAccess {
                repositories: request.repos.clone(),
                credentials: request.helm_repo_creds.clone(),
                pass_credentials: source.helm.as_ref().is_some_and(|helm| helm.pass_credentials),
                proxy: own.proxy.clone(),
                no_proxy: own.no_proxy.clone(),
            },
            own,
            answers: work.answers.clone(),
            evaluators: self.evaluators.clone(),
            deadline: Instant::now() + self.options.render_timeout.mul_f64(EVALUATION_SHARE),
            options: self.options.clone(),
            runtime: tokio::runtime::Handle::current(),
        })
    }
}

impl RepoServer {
    /// Everything but the tree that a render depends on. The revision is the tree's; credentials only open the door.
    fn parameters(
        &self,
        request: &ManifestRequest,
        source: &ApplicationSource,
        references: &References,
        care: Care,
        answers: Option<&Answers>,
    ) -> Parameters {
        // What is read of them tells one of their commits from another, as with the tree itself.
        let lender = |name| request.ref_sources.get(name).map_or("", |target| target.repo.repo.as_str());
        let references: BTreeMap<_, _> = references.keys().map(|name| (name, lender(name))).collect();
        let build_options = request.kustomize_options.as_ref().map(|options| &options.build_options);
        let schemes = request.helm_options.as_ref().map(|options| &options.values_file_schemes);
        let repository = request.repo.as_ref().map(|repository| repository.repo.as_str());
        let generate_paths = &request.annotation_manifest_generate_paths;
        let generate_paths = self.options.plugins_use_generate_paths.then_some(generate_paths);
        let asked = (
            (repository, source, &request.app_name, &request.namespace),
            (&request.app_label_key, &request.tracking_method, &request.installation_id),
            (&request.kube_version, &request.api_versions, &request.enabled_source_types),
            (&request.project_name, &request.project_source_repos),
            (references, build_options, schemes),
            // A plugin that comes or goes may change what a folder means.
            (self.plugins.names(), generate_paths),
        );
        match (care, answers) {
            (Care::Usual, None) => Parameters::new(&asked),
            (Care::Usual, Some(answers)) => Parameters::new(&("looking", answers.digest(), asked)),
            // What was rendered without what others may read is nobody else's.
            (Care::Stranger, _) => Parameters::new(&("stranger", asked)),
        }
    }

    /// What the project demands of the revision of a request, held against it. Charts and artifacts have no signatures
    /// that it could demand.
    async fn checked(
        &self,
        request: &ManifestRequest,
        origin: &Origin,
        revision: &Revision,
    ) -> Result<Option<Checked>, Status> {
        let (Origin::Git { repository, .. }, Revision::Commit(commit)) = (origin, revision) else {
            return Ok(None);
        };
        let url = request.repo.as_ref().map_or("", |repository| repository.repo.as_str());
        let integrity = request.source_integrity.as_ref();
        // A sync says the commit it was decided for. Where that is what the source's tag means, the tag is what is signed.
        let source = request.application_source.as_ref().filter(|source| !source.target_revision.is_empty());
        let named = match (integrity, source) {
            (Some(_), Some(source)) => {
                let (target, prefix) = (&source.target_revision, &source.tag_prefix);
                self.sources.commit_tagged(repository, target, prefix, false).await.ok()
            }
            _ => None,
        };
        let named = named.filter(|named| named.commit == commit.commit);
        self.verified(integrity, url, repository, named.as_ref().unwrap_or(commit)).await
    }
}

/// The revision of a source with those of the sources that lend it files.
fn seen_at(revision: &str, references: &References) -> String {
    let commits = references.values().map(|(commit, _)| commit.as_str());
    [revision].into_iter().chain(commits).collect::<Vec<_>>().join("+")
}

/// Whether a source among several has nothing to render: it lends its files to the others.
fn only_lends(source: &ApplicationSource) -> bool {
    let nowhere = source.path.is_empty() && source.chart.is_empty();
    nowhere && (!source.r#ref.is_empty() || !is_artifact(source))
}

/// What is told of a name that no source has; the texts are the original's.
fn unknown_reference(variable: &str, known: &BTreeMap<String, api::v1alpha1::RefTarget>) -> String {
    if known.is_empty() {
        return format!("source referenced {variable:?}, but no source has a 'ref' field defined");
    }
    let known: Vec<&str> = known.keys().map(String::as_str).collect();
    format!(
        "source referenced {variable:?}, which is not one of the available sources ({})",
        known.join(", ")
    )
}

/// What the names of a source's values files start with, up to the first slash.
fn variables(source: &ApplicationSource) -> Vec<String> {
    let Some(helm) = &source.helm else { return Vec::new() };
    let parameters = helm.file_parameters.iter().map(|parameter| &parameter.path);
    let names = helm.value_files.iter().chain(parameters);
    names.map(|name| name.split('/').next().unwrap_or_default().to_owned()).collect()
}

#[tonic::async_trait]
impl RepoServerService for RepoServer {
    async fn generate_manifest(
        &self,
        request: Request<ManifestRequest>,
    ) -> Result<Response<ManifestResponse>, Status> {
        self.manifests(request.into_inner()).await.map(Response::new)
    }

    async fn generate_manifest_with_files(
        &self,
        request: Request<tonic::Streaming<ManifestRequestWithFiles>>,
    ) -> Result<Response<ManifestResponse>, Status> {
        let (request, tree) = streamed::receive(request.into_inner(), &self.options).await?;
        self.render_files(tree, request).await.map(Response::new)
    }

    async fn test_repository(
        &self,
        request: Request<TestRepositoryRequest>,
    ) -> Result<Response<TestRepositoryResponse>, Status> {
        self.test(request.into_inner().repo)
            .await
            .map_err(|reason| Status::unknown(format!("error testing repository connectivity: {reason}")))?;
        Ok(Response::new(TestRepositoryResponse { verified_repository: true }))
    }

    async fn resolve_revision(
        &self,
        request: Request<ResolveRevisionRequest>,
    ) -> Result<Response<ResolveRevisionResponse>, Status> {
        let request = request.into_inner();
        let source =
            request.app.as_ref().and_then(|application| source_at(application, request.source_index));
        let origin = match source {
            Some(source) => Origin::of(request.repo, &source, self.trust())?,
            None => Origin::at(request.repo, "", false, self.trust())?,
        };
        let asked = request.ambiguous_revision;
        // A chart's versions are asked for anew, as in the original.
        let now = request.no_revision_cache || !matches!(origin, Origin::Git { .. });
        let revision = self.sources.resolve(&origin, &asked, now).await?.as_str().to_owned();
        let ambiguous_revision = if matches!(origin, Origin::Git { .. }) && asked == revision {
            revision.clone()
        } else {
            format!("{asked} ({revision})")
        };
        Ok(Response::new(ResolveRevisionResponse { revision, ambiguous_revision }))
    }

    async fn list_refs(&self, request: Request<ListRefsRequest>) -> Result<Response<Refs>, Status> {
        let repository = git_repository(request.into_inner().repo, self.trust())?;
        let refs = self.sources.git.ls_refs(&repository, Freshness::Cached).await;
        // Here the original says what the remote said, and no more.
        let refs = refs.map_err(|error| match error {
            git::GitError::ListRefs { cause, .. } => Status::unknown(cause.to_string()),
            error => status::git(&error),
        })?;
        Ok(Response::new(Refs {
            branches: refs.branches().map(str::to_owned).collect(),
            tags: refs.tags().map(str::to_owned).collect(),
        }))
    }

    async fn list_oci_tags(&self, request: Request<ListRefsRequest>) -> Result<Response<Refs>, Status> {
        let tags = self.tags(request.into_inner().repo).await?;
        Ok(Response::new(Refs { branches: Vec::new(), tags }))
    }

    async fn list_apps(&self, request: Request<ListAppsRequest>) -> Result<Response<AppList>, Status> {
        let request = request.into_inner();
        let tree = self.tree(request.repo, &request.revision, false).await?;
        let enabled: BTreeMap<String, bool> = request.enabled_source_types;
        let work = tokio::task::spawn_blocking(move || listing::applications(&tree, &enabled));
        let apps = work.await.map_err(|error| status::broken("list applications", &error))?;
        let apps = apps.map_err(|error| status::unknown(&error))?;
        Ok(Response::new(AppList { apps }))
    }

    async fn list_plugins(&self, _: Request<()>) -> Result<Response<PluginList>, Status> {
        let items = self.plugins.names().into_iter().map(|name| PluginInfo { name });
        Ok(Response::new(PluginList { items: items.collect() }))
    }

    async fn get_app_details(
        &self,
        request: Request<RepoServerAppDetailsQuery>,
    ) -> Result<Response<RepoAppDetailsResponse>, Status> {
        self.details(request.into_inner()).await.map(Response::new)
    }

    async fn get_oci_metadata(
        &self,
        request: Request<RepoServerRevisionChartDetailsRequest>,
    ) -> Result<Response<OCIMetadata>, Status> {
        let request = request.into_inner();
        self.artifact_metadata(request.repo, &request.revision).await.map(Response::new)
    }

    async fn get_revision_chart_details(
        &self,
        request: Request<RepoServerRevisionChartDetailsRequest>,
    ) -> Result<Response<ChartDetails>, Status> {
        let request = request.into_inner();
        self.chart_details(request.repo, &request.name, &request.revision).await.map(Response::new)
    }

    async fn get_helm_charts(
        &self,
        request: Request<HelmChartsRequest>,
    ) -> Result<Response<HelmChartsResponse>, Status> {
        let items = self.charts_of(request.into_inner().repo).await?;
        Ok(Response::new(HelmChartsResponse { items }))
    }

    async fn get_git_files(
        &self,
        request: Request<GitFilesRequest>,
    ) -> Result<Response<GitFilesResponse>, Status> {
        let request = request.into_inner();
        let integrity = request.source_integrity.as_ref();
        let tree =
            self.signed_tree(request.repo, &request.revision, request.no_revision_cache, integrity).await?;
        let pattern = request.path;
        let matching = if request.new_git_file_globbing_enabled {
            listing::Matching::Globs
        } else {
            listing::Matching::Pathspecs
        };
        let work = tokio::task::spawn_blocking(move || listing::files(&tree, &pattern, matching));
        let map = work.await.map_err(|error| status::broken("list files", &error))?;
        Ok(Response::new(GitFilesResponse { map: map.map_err(Status::internal)? }))
    }

    async fn update_revision_for_paths(
        &self,
        request: Request<UpdateRevisionForPathsRequest>,
    ) -> Result<Response<UpdateRevisionForPathsResponse>, Status> {
        self.changes(request.into_inner()).await.map(Response::new)
    }

    async fn get_revision_metadata(
        &self,
        request: Request<RepoServerRevisionMetadataRequest>,
    ) -> Result<Response<RevisionMetadata>, Status> {
        let request = request.into_inner();
        let url = request.repo.as_ref().map_or_else(String::new, |repository| repository.repo.clone());
        let repository = git_repository(request.repo, self.trust())?;
        let resolved = self.sources.commit(&repository, &request.revision, false).await?;
        let found = self.sources.git.metadata(&repository, &resolved).await;
        let found = found.map_err(|error| status::git(&error))?;
        let integrity = request.source_integrity.as_ref().filter(|_| request.check_signature);
        let checked = self.verified(integrity, &url, &repository, &resolved).await?;
        let (source_integrity_result, signature_info) =
            checked.map_or((None, String::new()), |checked| (Some(checked.result), checked.sentence));
        Ok(Response::new(RevisionMetadata {
            signature_info,
            source_integrity_result,
            author: found.author,
            date: Some(Time::from(found.date)),
            tags: found.tags,
            message: found.message,
            references: found.references.into_iter().map(reference).collect(),
        }))
    }

    async fn get_git_directories(
        &self,
        request: Request<GitDirectoriesRequest>,
    ) -> Result<Response<GitDirectoriesResponse>, Status> {
        let request = request.into_inner();
        let integrity = request.source_integrity.as_ref();
        let tree =
            self.signed_tree(request.repo, &request.revision, request.no_revision_cache, integrity).await?;
        let hidden = self.options.hidden_directories;
        let work = tokio::task::spawn_blocking(move || listing::directories(&tree, hidden));
        let paths = work.await.map_err(|error| status::broken("list folders", &error))?;
        let paths = paths.map_err(|error| Status::unknown(error.to_string()))?;
        Ok(Response::new(GitDirectoriesResponse { paths }))
    }
}

impl RepoServer {
    /// The tree of a Git repository at a revision.
    pub(crate) async fn tree(
        &self,
        repository: Option<api::v1alpha1::Repository>,
        revision: &str,
        now: bool,
    ) -> Result<git::GitTree, Status> {
        let repository = git_repository(repository, self.trust())?;
        let resolved = self.sources.commit(&repository, revision, now).await?;
        self.sources.git_tree(&repository, &resolved).await
    }
}

impl RepoServer {
    /// The tree of a Git repository at a revision that meets what the project demands.
    async fn signed_tree(
        &self,
        repository: Option<api::v1alpha1::Repository>,
        revision: &str,
        now: bool,
        integrity: Option<&api::v1alpha1::SourceIntegrity>,
    ) -> Result<git::GitTree, Status> {
        let url = repository.as_ref().map_or_else(String::new, |repository| repository.repo.clone());
        let repository = git_repository(repository, self.trust())?;
        let resolved = self.sources.commit(&repository, revision, now).await?;
        let checked = self.verified(integrity, &url, &repository, &resolved).await?;
        if let Some(problems) = checked.and_then(|checked| signature::policy::told(&checked.result)) {
            return Err(Status::unknown(problems));
        }
        self.sources.git_tree(&repository, &resolved).await
    }
}

/// A commit that another refers to, as it is told.
fn reference(found: git::CommitReference) -> RevisionReference {
    let git::CommitReference { author, date, subject, body, sha, repository } = found;
    RevisionReference {
        commit: Some(CommitMetadata { author, date, subject, body, sha, repo_url: repository }),
    }
}

/// The source of an application at a place, from 0; the only one where there is one.
fn source_at(application: &api::v1alpha1::Application, index: i64) -> Option<ApplicationSource> {
    let spec = &application.spec;
    let index = if spec.has_several_sources() { usize::try_from(index).unwrap_or(0) } else { 0 };
    spec.effective_sources().into_iter().nth(index)
}
