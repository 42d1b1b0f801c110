//! One application at the head of a pull request: rendered with care by the repo-server, and compared by the same
//! `compare` that status and sync come from. Nothing is asked of the destination but to read what the application has.

use super::lives::{self, Lives};
use crate::destinations::Scope;
use crate::failure;
use crate::hub::Hub;
use crate::snapshot::Snapshot;
use crate::sources::ClusterFacts;
use api::v1alpha1::{Application, ApplicationSource, ResourceDiff};
use compare::{Comparison, Facts};
use diff::DiffOptions;
use health::Checks;
use jiff::Timestamp;
use kubernetes::{Cluster, Discovery};
use manifest_request::Rendering;
use notify::Redactor;
use object::{AppInstance, GroupKind, GroupVersionKind, Object, ResourceKey, Shape};
use preview::{Change, Changed, Judgement};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Status};
use webhook::PullRequest;
use wire::previews::RenderRequest;

/// How long a comparison may take.
const LONGEST: Duration = Duration::from_secs(90);
/// Resources that are named when a project does not permit them.
const NAMED: usize = 3;

/// The first source that follows the branch of a request.
pub(super) fn source_of(application: &Application, pull: &PullRequest) -> Option<ApplicationSource> {
    application
        .spec
        .effective_sources()
        .into_iter()
        .find(|source| pull.is_meant_for(&source.repo_url, &source.target_revision))
}

/// What the request would change.
pub(super) async fn judge(
    hub: &Arc<Hub>,
    application: &Arc<Application>,
    pull: &PullRequest,
    commit: &str,
) -> Judgement {
    let mut redactor = Redactor::default();
    lives::learn_parameters(&mut redactor, application);
    let found = judged(hub, application, pull, commit, &mut redactor).await;
    let judgement = found.unwrap_or_else(|judgement| judgement).redacted(&redactor);
    match judgement {
        // Of a stranger's request only what it changes is told: a message can be made to hold anything.
        Judgement::Rejected(reason) if pull.fork => {
            tracing::info!(number = pull.number, application = %application.metadata.name, "a pull request is rejected: {reason}");
            Judgement::Rejected("the manifests are rejected; the log of argocd-server says why".into())
        }
        Judgement::Failed(reason) if pull.fork => {
            tracing::warn!(number = pull.number, application = %application.metadata.name, "a pull request: {reason}");
            Judgement::Failed("it could not be compared; the log of argocd-server says why".into())
        }
        other => other,
    }
}

async fn judged(
    hub: &Arc<Hub>,
    application: &Arc<Application>,
    pull: &PullRequest,
    commit: &str,
    redactor: &mut Redactor,
) -> Result<Judgement, Judgement> {
    let failed = |status: &Status| Judgement::Failed(status.message().to_owned());
    let scope = hub.project_of(application).map_err(|status| failed(&status))?;
    let destination = scope.destination(&application.spec.destination);
    check_spec(application, &scope, &destination)?;
    let destination = destination.map_err(Judgement::Failed)?;
    let cluster = hub.connect(application, &scope).await.map_err(|status| failed(&status))?;
    let instance =
        AppInstance::new(&application.metadata.namespace, &application.metadata.name, hub.store.namespace());
    let snapshot = hub.snapshot();
    let mut lives = Lives::default();
    let managed = lives::managed(hub, application).await.map_err(Judgement::Failed)?;
    lives.read(&cluster, managed, &instance, &snapshot.tracking).await.map_err(Judgement::Failed)?;
    lives::learn(redactor, lives.own.values());
    let targets = rendered(hub, application, &scope, &cluster, pull, commit).await?;
    lives::learn(redactor, targets.iter());
    let discovery = cluster.discovery().await.map_err(|error| Judgement::Failed(error.to_string()))?;
    let situation = Situation {
        application: application.clone(),
        scope,
        destination,
        instance,
        snapshot,
        discovery,
        shapes: Arc::default(),
        now: Timestamp::now(),
    };
    situation.compared(hub, &cluster, targets, lives).await
}

/// What is wrong with the application itself, and what no preview can show.
fn check_spec(
    application: &Application,
    scope: &Scope,
    destination: &Result<project::Cluster, String>,
) -> Result<(), Judgement> {
    let cluster = destination.as_ref().map_err(String::as_str);
    let problems = project::validate_application(
        application,
        &scope.project,
        cluster,
        &scope.own_clusters,
        Timestamp::now(),
    );
    if let Some(problem) = problems.first() {
        return Err(Judgement::Failed(problem.message.clone()));
    }
    let status = &application.status;
    let types = status.source_types.iter().chain([&status.source_type]);
    if types.into_iter().any(|source_type| source_type == "Plugin") {
        return Err(Judgement::Rejected(
            "it is rendered by a config management plugin, which does not run for a pull request".into(),
        ));
    }
    Ok(())
}

/// The manifests of all sources, those that follow the request's branch at its head.
async fn rendered(
    hub: &Hub,
    application: &Application,
    scope: &Scope,
    cluster: &Cluster,
    pull: &PullRequest,
    commit: &str,
) -> Result<Vec<Object>, Judgement> {
    let facts = ClusterFacts::of(cluster).await;
    let facts = facts.map_err(|error| Judgement::Failed(failure::kubernetes(&error).message().to_owned()))?;
    let sources = application.spec.effective_sources();
    let at_head = |source: &ApplicationSource| pull.is_meant_for(&source.repo_url, &source.target_revision);
    let revisions: Vec<String> = sources
        .iter()
        .map(|source| if at_head(source) { commit.to_owned() } else { String::new() })
        .collect();
    let instance = crate::found::instance(hub, application);
    let rendering = Rendering {
        application,
        instance: &instance,
        project: &scope.project,
        sources: &sources,
        revisions: &revisions,
        kube_version: facts.version(),
        api_versions: facts.api_versions(),
        no_cache: false,
        no_revision_cache: false,
    };
    let settings = &hub.snapshot().rendering;
    let mut objects = Vec::new();
    for position in 0..sources.len() {
        let request = rendering.request(&hub.store, settings, position);
        let request = request.map_err(|error| Judgement::Failed(error.to_string()))?;
        let answer = hub.previews().render(RenderRequest { request: Some(request) }).await;
        let answer = answer.map_err(|status| told(&status))?.into_inner();
        let unsigned = answer.source_integrity_result.as_ref().and_then(signature::policy::told);
        if let Some(problem) = unsigned {
            return Err(Judgement::Rejected(problem));
        }
        for text in &answer.manifests {
            let object = crate::found::object(text);
            // The text may be a Secret's.
            objects.push(object.ok_or_else(|| Judgement::Rejected("a manifest is not an object".into()))?);
        }
    }
    Ok(objects)
}

/// Whose fault it is that something is not rendered.
fn told(status: &Status) -> Judgement {
    let message = status.message().to_owned();
    match status.code() {
        Code::Unimplemented => Judgement::Failed(
            "the repo-server does not render pull requests: it is of another version".into(),
        ),
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Cancelled
        | Code::Internal
        | Code::Aborted => Judgement::Failed(message),
        _ => Judgement::Rejected(message),
    }
}

/// What a comparison is made from.
#[derive(Clone)]
struct Situation {
    application: Arc<Application>,
    scope: Scope,
    destination: project::Cluster,
    instance: AppInstance,
    snapshot: Arc<Snapshot>,
    discovery: Arc<Discovery>,
    shapes: Arc<BTreeMap<GroupVersionKind, Arc<Shape>>>,
    now: Timestamp,
}

impl Situation {
    async fn compared(
        mut self,
        hub: &Hub,
        cluster: &Cluster,
        objects: Vec<Object>,
        mut lives: Lives,
    ) -> Result<Judgement, Judgement> {
        let ended = |_| Judgement::Failed("comparing ended unexpectedly".to_owned());
        let overdue = |_| Judgement::Failed(format!("comparing takes longer than {}s", LONGEST.as_secs()));
        let own = self.clone();
        let work = hub.scripted(move || own.with(|facts| compare::targets(Ok(objects), facts)));
        let targets = tokio::time::timeout(LONGEST, work).await.map_err(overdue)?.map_err(ended)?;
        self.check_permitted(&targets.resources)?;
        let wanted: BTreeMap<_, _> =
            targets.resources.iter().map(|target| (target.key(), target.gvk())).collect();
        let read = lives.read(cluster, wanted, &self.instance, &self.snapshot.tracking).await;
        read.map_err(Judgement::Failed)?;
        if let Ok(options) = self.options() {
            let kinds: BTreeSet<_> =
                targets.resources.iter().filter_map(|target| options.wants_shape(target)).collect();
            self.shapes = Arc::new(cluster.shapes(kinds).await);
        }
        let work = hub.scripted(move || {
            let (comparison, conditions) = self.with(|facts| compare::compare(targets, Ok(lives.own), facts));
            if comparison.failed {
                let reason = conditions.into_iter().map(|condition| condition.message).next();
                return Err(Judgement::Failed(reason.unwrap_or_else(|| "it could not be compared".into())));
            }
            let options = self.options().map_err(Judgement::Failed)?;
            let states = comparison.managed_resources(&options, &self.snapshot.masked_annotations);
            let states = states.map_err(|error| Judgement::Failed(error.to_string()))?;
            Ok(Judgement::Compared(changes(&comparison, &states, &lives.taken)))
        });
        tokio::time::timeout(LONGEST, work).await.map_err(overdue)?.map_err(ended)?
    }

    fn options(&self) -> Result<DiffOptions, String> {
        let data = &self.snapshot.data;
        let (customizations, _) = settings::Customizations::parse(data);
        let (compared, _) = settings::CompareOptions::parse(data);
        let options =
            compare::diff_options(&self.application, &customizations, compared, &self.snapshot.tracking);
        let options = options.map_err(|error| error.to_string())?;
        Ok(DiffOptions { shapes: self.shapes.clone(), ..options })
    }

    fn namespaced(&self, kind: &GroupKind) -> Option<bool> {
        self.discovery.preferred(kind).map(|resource| resource.namespaced)
    }

    fn with<T>(&self, work: impl FnOnce(&Facts<'_>) -> T) -> T {
        let options = self.options();
        let (filter, _) = settings::ResourceFilter::parse(&self.snapshot.data);
        work(&Facts {
            application: &self.application,
            instance: &self.instance,
            project: &self.scope.project,
            cluster: &self.destination,
            own_clusters: &self.scope.own_clusters,
            tracking: &self.snapshot.tracking,
            filter: &filter,
            diff: options.as_ref().map_err(String::as_str),
            // A dry run would show a stranger's objects to whatever admits them.
            server_side: None,
            namespaced: &|kind| self.namespaced(kind),
            checks: &Checks::default(),
            now: self.now,
        })
    }

    /// Refuses what the project does not permit before anything is read by its name.
    fn check_permitted(&self, targets: &[Object]) -> Result<(), Judgement> {
        let project = &self.scope.project;
        let refused = |target: &&Object| {
            let namespaced = self.namespaced(&target.group_kind()).unwrap_or(!target.namespace().is_empty());
            let to = project::Destination { cluster: &self.destination, namespace: target.namespace() };
            let placed = target.namespace().is_empty()
                || project::permits_destination(project, to, &self.scope.own_clusters);
            !placed
                || !project::permits_kind(project, target.group(), target.kind(), target.name(), namespaced)
        };
        let names: Vec<String> =
            targets.iter().filter(refused).take(NAMED).map(|it| it.key().to_string()).collect();
        if names.is_empty() {
            return Ok(());
        }
        Err(Judgement::Rejected(format!("the project does not permit {}", names.join(", "))))
    }
}

/// What a sync would change.
fn changes(
    comparison: &Comparison,
    states: &[ResourceDiff],
    taken: &std::collections::BTreeSet<ResourceKey>,
) -> Vec<Change> {
    let pairs = comparison.resources.iter().zip(states);
    pairs
        .filter_map(|(resource, states)| {
            let skipped = resource.hook || resource.target.as_ref().is_some_and(sync::is_skipped);
            let changed = match (&resource.target, &resource.live) {
                _ if skipped => return None,
                (Some(_), None) if taken.contains(&resource.key) => {
                    return Some(Change::taken(Change::name(states)));
                }
                (Some(_), None) => Changed::Created,
                (Some(_), Some(_)) if resource.diff.modified => Changed::Modified,
                (None, Some(_)) if resource.requires_pruning => Changed::Pruned,
                _ => return None,
            };
            Some(Change::of(states, changed))
        })
        .collect()
}
