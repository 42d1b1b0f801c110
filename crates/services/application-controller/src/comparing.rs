//! Comparing one application: sources against live objects, once, for whoever needs the answer.

use crate::Controller;
use crate::clusters::{Cache, Destination};
use crate::compute::Unfinished;
use crate::extract::LiveInfo;
use crate::manifests::{self, Loaded, Renderer};
use crate::memory::DeleteHooks;
use crate::predicting::Predicted;
use crate::queue::Key;
use crate::situation::Situation;
use api::codes::{ConditionType, HealthStatusCode, RefreshType, SyncStatusCode};
use api::v1alpha1::{Application, ApplicationCondition, ApplicationSource, ResourceDiff};
use cluster_cache::{Entry, LiveError};
use compare::{Comparison, Facts, ServerSide, Targets};
use diff::DiffOptions;
use jiff::Timestamp;
use kubernetes::Discovery;
use manifest_request::{ClusterView, Rendering};
use object::{GroupKind, GroupVersionKind, Object, ResourceKey};
use project::PermittedLookups;
use reconcile::CompareWith;
use signature::policy::is_verified;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// So often a cluster may be listed anew while it is compared with.
const LISTINGS: usize = 5;

/// What is compared with what.
pub(crate) struct Question {
    pub(crate) sources: Vec<ApplicationSource>,
    pub(crate) revisions: Vec<String>,
    pub(crate) level: RefreshType,
    pub(crate) compare_with: CompareWith,
    /// Manifests given instead of the sources'.
    pub(crate) manifests: Option<Vec<String>>,
}

/// What a comparison is made from, live objects excepted.
pub(crate) struct Gathered {
    pub(crate) destination: Result<Destination, String>,
    pub(crate) discovery: Arc<Discovery>,
    /// Why the destination cannot be asked what it serves.
    pub(crate) unreachable: Option<String>,
    pub(crate) loaded: Loaded,
}

/// The answer, with what it was made from.
#[derive(Clone)]
pub(crate) struct Compared {
    pub(crate) comparison: Comparison,
    pub(crate) conditions: Vec<ApplicationCondition>,
    pub(crate) revisions: Vec<String>,
    pub(crate) source_types: Vec<String>,
    pub(crate) diff_options: Option<DiffOptions>,
    pub(crate) destination: Option<Destination>,
    pub(crate) discovery: Arc<Discovery>,
    /// The versions of the live objects; nothing when they were not all known.
    pub(crate) seen: Option<Seen>,
}

/// Which live objects a comparison has seen, and at which versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Targets that carried no mark, or were not there.
    pub(crate) unmarked: Vec<(GroupVersionKind, ResourceKey)>,
    /// Of all of them.
    pub(crate) versions: u64,
}

impl Compared {
    /// The hooks of a deletion; nothing when the sources could not be read.
    pub(crate) fn delete_hooks(&self) -> Option<DeleteHooks> {
        let comparison = &self.comparison;
        (!comparison.failed).then_some(DeleteHooks {
            before: !comparison.pre_delete_hooks.is_empty(),
            after: !comparison.post_delete_hooks.is_empty(),
        })
    }

    /// The differences as others read them, secrets masked.
    pub(crate) fn differences(&self, masked_annotations: &[String]) -> Option<Vec<ResourceDiff>> {
        let masked: BTreeSet<String> = masked_annotations.iter().cloned().collect();
        let found = self.comparison.managed_resources(self.diff_options.as_ref()?, &masked);
        found.inspect_err(|error| tracing::warn!(%error, "mask differences")).ok()
    }
}

/// What facts are made of. They are made anew for each use: they hold a function that stays on its thread.
#[derive(Clone)]
struct Given {
    application: Arc<Application>,
    situation: Situation,
    discovery: Arc<Discovery>,
    options: Result<DiffOptions, String>,
    /// Answers to dry runs, where the application is compared by them.
    server_side: Option<Predicted>,
    now: Timestamp,
}

impl Given {
    fn with<T>(&self, work: impl FnOnce(&Facts<'_>) -> T) -> T {
        let namespaced =
            |kind: &GroupKind| self.discovery.preferred(kind).map(|resource| resource.namespaced);
        work(&Facts {
            application: &self.application,
            instance: &self.situation.instance,
            project: &self.situation.project,
            cluster: &self.situation.cluster,
            own_clusters: &self.situation.own_clusters,
            tracking: &self.situation.rules.tracking,
            filter: &self.situation.rules.filter,
            diff: self.options.as_ref().map_err(String::as_str),
            server_side: self.server_side.as_ref().map(|asked| ServerSide {
                predictions: &asked.predictions,
                with_webhooks: asked.with_webhooks,
            }),
            namespaced: &namespaced,
            checks: &self.situation.rules.checks.0,
            now: self.now,
        })
    }
}

impl Controller {
    /// Compares. Nothing is written.
    pub(crate) async fn compare(
        &self,
        application: &Application,
        situation: &Situation,
        question: Question,
        now: Timestamp,
    ) -> Compared {
        let gathered = self.gather(application, situation, &question).await;
        self.judge(application, situation, gathered, now).await
    }

    /// Asks the sources, and the destination for what it serves.
    pub(crate) async fn gather(
        &self,
        application: &Application,
        situation: &Situation,
        question: &Question,
    ) -> Gathered {
        let destination = self.destination(situation).await;
        let discovery = match &destination {
            Ok(destination) => {
                destination.cache.cluster().discovery().await.map_err(|error| error.to_string())
            }
            Err(reason) => Err(reason.clone()),
        };
        let (discovery, unreachable) = match discovery {
            Ok(discovery) => (discovery, None),
            Err(reason) => (Arc::new(Discovery::default()), Some(reason)),
        };
        let loaded = match (&destination, &unreachable) {
            (Ok(destination), None) => {
                self.load(application, situation, question, destination, &discovery).await
            }
            // Sources render for a cluster; without one there is no target state to speak of.
            (Err(reason), _) | (_, Some(reason)) => {
                let server = &situation.cluster.server;
                let told = format!(
                    "failed to get cluster version for cluster {server:?}: {}",
                    not_synchronized(server, reason)
                );
                Loaded::new(Err(told))
            }
        };
        Gathered { destination, discovery, unreachable, loaded }
    }

    /// Compares what was gathered with what is live.
    pub(crate) async fn judge(
        &self,
        application: &Application,
        situation: &Situation,
        gathered: Gathered,
        now: Timestamp,
    ) -> Compared {
        let Gathered { destination, discovery, unreachable, loaded } = gathered;
        let (revisions, source_types) = (loaded.revisions.clone(), loaded.source_types.clone());
        let mut compared = Compared {
            comparison: unknown(),
            conditions: Vec::new(),
            revisions,
            source_types,
            diff_options: None,
            destination: destination.clone().ok(),
            discovery: discovery.clone(),
            seen: None,
        };
        let mut given = Given {
            application: Arc::new(application.clone()),
            situation: situation.clone(),
            discovery,
            options: self.diff_options(application, situation),
            server_side: None,
            now,
        };
        compared.diff_options = given.options.clone().ok();
        let problems = loaded.problems.clone();
        let key = Key::new(&*application.metadata.namespace, &*application.metadata.name).to_string();
        let own = given.clone();
        let targets =
            self.compute().run(&key, move || own.with(|facts| compare::targets(loaded.objects(), facts)));
        let targets = match targets.await {
            Ok(targets) => targets,
            Err(unfinished) => return compared.unfinished(&unfinished, now),
        };
        let lives = match (&destination, &unreachable) {
            (Ok(destination), None) => {
                self.lives(application, destination, &situation.instance, &targets).await
            }
            (Err(reason), _) | (_, Some(reason)) => Err(not_synchronized(&situation.cluster.server, reason)),
        };
        compared.seen = lives.as_ref().ok().map(|lives| lives.seen.clone());
        let lives = match (lives, compare::server_side_diff(application, self.options().server_side_diff)) {
            (Ok(lives), Some(with_webhooks)) => {
                let lives = lives.into_objects();
                if let Ok(destination) = &destination {
                    let predictions =
                        self.predict(application, situation, destination, &targets, &lives).await;
                    given.server_side = Some(Predicted { predictions, with_webhooks });
                }
                Ok(Live::Read(lives))
            }
            (Ok(lives), None) => {
                if let (Ok(destination), Ok(options)) = (&destination, &mut given.options) {
                    let kinds: BTreeSet<_> =
                        targets.resources.iter().filter_map(|target| options.wants_shape(target)).collect();
                    if !kinds.is_empty() {
                        options.shapes = Arc::new(destination.cache.cluster().shapes(kinds).await);
                        compared.diff_options = Some(options.clone());
                    }
                }
                Ok(Live::Unread(lives))
            }
            (Err(reason), _) => Err(reason),
        };
        let work = move || {
            let lives = lives.map(Live::into_objects);
            given.with(|facts| compare::compare(targets, lives, facts))
        };
        match self.compute().run(&key, work).await {
            Ok((mut comparison, mut conditions)) => {
                // What is not signed is shown, and nothing is done with it.
                comparison.failed |= !problems.is_empty();
                let problems =
                    problems.iter().map(|text| project::condition(ConditionType::ComparisonError, text, now));
                conditions.extend(problems);
                conditions.extend(unreachable.map(|reason| {
                    project::condition(ConditionType::UnknownError, synchronizing(&reason), now)
                }));
                Compared { comparison, conditions, ..compared }
            }
            Err(unfinished) => compared.unfinished(&unfinished, now),
        }
    }

    async fn load(
        &self,
        application: &Application,
        situation: &Situation,
        question: &Question,
        destination: &Destination,
        discovery: &Discovery,
    ) -> Loaded {
        if let Some(manifests) = &question.manifests {
            let mut loaded = Loaded::new(Ok(manifests.clone()));
            let project = &situation.project.spec;
            if question.sources.iter().any(|source| is_verified(project, source)) {
                loaded.problems.push("Cannot use local manifests when source integrity is enforced".into());
            }
            return loaded;
        }
        let hard = question.level == RefreshType::Hard;
        let kube_version = match self.kube_version(destination).await {
            Ok(version) => version,
            Err(reason) => return Loaded::new(Err(reason)),
        };
        let rendering = Rendering {
            application,
            instance: situation.instance.as_str(),
            project: &situation.project,
            sources: &question.sources,
            revisions: &question.revisions,
            kube_version: &kube_version,
            api_versions: &discovery.api_versions(),
            no_cache: hard,
            no_revision_cache: hard || question.compare_with == CompareWith::LatestForceResolve,
        };
        let verify = self.options().verify_signatures;
        let settings = &situation.rules.rendering;
        let view = match self.view(application, situation, destination) {
            Ok(view) => view,
            Err(reason) => return Loaded::new(Err(reason)),
        };
        let renderer = Renderer { client: self.repo_server(), lookups: self.lookups(), view };
        manifests::load(self.store(), renderer, settings, &rendering, verify).await
    }

    /// The destination's cluster as templates may see it; nothing where the project permits no lookups.
    fn view<'a>(
        &self,
        application: &Application,
        situation: &'a Situation,
        destination: &Destination,
    ) -> Result<Option<ClusterView<'a>>, String> {
        let Situation { project, cluster, own_clusters, .. } = situation;
        let Some(permitted) = PermittedLookups::of(project)? else { return Ok(None) };
        let acting = self.acting(application, situation, destination)?;
        Ok(Some(ClusterView::new(acting, permitted, project, cluster, own_clusters)))
    }

    /// The live objects of an application: those that carry its mark, and those its targets name.
    async fn lives(
        &self,
        application: &Application,
        destination: &Destination,
        instance: &object::AppInstance,
        targets: &Targets,
    ) -> Result<Lives, String> {
        let cache = &destination.cache;
        let wanted = || targets.resources.iter().chain(targets.all_hooks());
        for target in wanted() {
            cache.require_watched(target).map_err(|error| error.to_string())?;
        }
        let own = had(application).chain(wanted().map(Object::group_kind)).collect();
        let marked = listed(cache, instance.as_str(), own).await.map_err(|error| error.to_string())?;
        let known: BTreeSet<ResourceKey> = marked.iter().map(|entry| entry.key()).collect();
        // A kind that is not known now must not make an object look absent.
        let kinds: BTreeSet<GroupKind> =
            known.iter().map(ResourceKey::group_kind).chain(wanted().map(Object::group_kind)).collect();
        for kind in &kinds {
            cache.require(kind).map_err(|error| error.to_string())?;
        }
        require_what_was(application, cache).map_err(|error| error.to_string())?;
        let mut unmarked: BTreeMap<ResourceKey, (GroupVersionKind, Option<Object>)> = BTreeMap::new();
        for target in wanted() {
            let key = target.key();
            if known.contains(&key) || key.name.is_empty() || unmarked.contains_key(&key) {
                continue;
            }
            let gvk = target.gvk();
            let found = live(destination, &gvk, &key).await?;
            unmarked.insert(key, (gvk, found));
        }
        let versions = unmarked.iter().map(|(key, (_, found))| {
            let found = found.as_ref();
            (key, found.map(|live| (live.uid().to_owned(), live.resource_version().to_owned())))
        });
        let versions = self.versions(&marked, versions);
        let seen = Seen {
            unmarked: unmarked.iter().map(|(key, (gvk, _))| (gvk.clone(), key.clone())).collect(),
            versions,
        };
        Ok(Lives { marked, unmarked, seen })
    }

    /// One number for the versions of live objects, the same only when all of them are.
    pub(crate) fn versions<'a>(
        &self,
        marked: &[Arc<Entry<LiveInfo>>],
        unmarked: impl Iterator<Item = (&'a ResourceKey, Option<(String, String)>)>,
    ) -> u64 {
        self.hash(|hasher| {
            use std::hash::Hash;
            for entry in marked {
                (&*entry.group, &*entry.kind, &*entry.namespace, &*entry.name).hash(hasher);
                (&*entry.version, &entry.uid, &entry.resource_version).hash(hasher);
            }
            for (key, version) in unmarked {
                (key, version).hash(hasher);
            }
        })
    }
}

impl Compared {
    fn unfinished(self, unfinished: &Unfinished, now: Timestamp) -> Self {
        let message = format!("Failed to compare desired state to live state: {unfinished}");
        let condition = project::condition(ConditionType::ComparisonError, message, now);
        Self { comparison: unknown(), conditions: vec![condition], seen: None, ..self }
    }
}

/// Why nothing is known of a cluster, in the words of the original.
pub(crate) fn not_synchronized(server: &str, reason: &str) -> String {
    format!("failed to get cluster info for {server:?}: {}", synchronizing(reason))
}

fn synchronizing(reason: &str) -> String {
    format!("error synchronizing cache state : {reason}")
}

/// A comparison that says nothing.
fn unknown() -> Comparison {
    Comparison {
        sync: SyncStatusCode::Unknown,
        health: HealthStatusCode::Unknown,
        health_message: String::new(),
        resources: Vec::new(),
        hooks: Vec::new(),
        pre_delete_hooks: Vec::new(),
        post_delete_hooks: Vec::new(),
        failed: true,
        live_known: false,
    }
}

/// Live objects: read where they had to be, else left to whoever compares them.
enum Live {
    Read(BTreeMap<ResourceKey, Object>),
    Unread(Lives),
}

impl Live {
    fn into_objects(self) -> BTreeMap<ResourceKey, Object> {
        match self {
            Self::Read(objects) => objects,
            Self::Unread(lives) => lives.into_objects(),
        }
    }
}

/// Live objects, not yet read.
struct Lives {
    marked: Vec<Arc<Entry<LiveInfo>>>,
    unmarked: BTreeMap<ResourceKey, (GroupVersionKind, Option<Object>)>,
    seen: Seen,
}

impl Lives {
    fn into_objects(self) -> BTreeMap<ResourceKey, Object> {
        let marked = self.marked.iter().filter_map(|entry| Some((entry.key(), entry.manifest()?)));
        let unmarked = self.unmarked.into_iter().filter_map(|(key, (_, found))| Some((key, found?)));
        marked.chain(unmarked).collect()
    }
}

/// What is kept of the objects an application manages, once the kinds it is known to use were listed: those given, and those
/// of its objects. Other kinds hold nobody up. A cluster that is listed anew under way, because of changed settings or kinds,
/// is waited for: an operation must not fail of it.
async fn listed(
    cache: &Cache,
    instance: &str,
    mut kinds: BTreeSet<GroupKind>,
) -> Result<Vec<Arc<Entry<LiveInfo>>>, LiveError> {
    for _ in 0..LISTINGS {
        cache.listed(&kinds).await;
        let found = match cache.managed_now(instance) {
            Err(LiveError::Filling) => {
                cache.ready().await?;
                continue;
            }
            found => found?,
        };
        let known = kinds.len();
        kinds.extend(found.iter().map(|entry| GroupKind::new(&*entry.group, &*entry.kind)));
        if kinds.len() == known {
            return Ok(found);
        }
    }
    cache.managed_now(instance)
}

/// The kinds an application had objects of.
fn had(application: &Application) -> impl Iterator<Item = GroupKind> {
    application.status.resources.iter().map(|had| GroupKind::new(&had.group, &had.kind))
}

/// One live object, whether or not it carries a mark. A kind nobody serves has none.
async fn live(
    destination: &Destination,
    gvk: &GroupVersionKind,
    key: &ResourceKey,
) -> Result<Option<Object>, String> {
    // Nobody would see what becomes of an object that is not watched.
    if destination.cache.selects(&key.group_kind()) && destination.cache.get(key).is_none() {
        return Ok(None);
    }
    match destination.cache.get_live(gvk, &key.namespace, &key.name).await {
        Ok(found) => Ok(found),
        Err(LiveError::Cluster(kubernetes::Error::UnknownKind(_))) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// An error where an application had objects of a kind that was never listed: they may be there, unseen.
pub(crate) fn require_what_was(application: &Application, cache: &Cache) -> Result<(), LiveError> {
    had(application).collect::<BTreeSet<_>>().iter().try_for_each(|kind| cache.require_listed(kind))
}
