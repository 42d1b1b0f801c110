//! Working on one operation: compare at its revision, plan, then step by step with the cluster's answers, each
//! step written so that a controller that is killed goes on where it was.

use crate::Controller;
use crate::clusters::Destination;
use crate::comparing::{Compared, Question};
use crate::effects::refused;
use crate::memory::OperationHandle;
use crate::metrics::{Asker, QueueName, asked_by};
use crate::permitting::Writing;
use crate::queue::{Key, Urgency};
use crate::situation::Situation;
use api::codes::{ConditionType, OperationPhase, RefreshType};
use api::names::CLIENT_SIDE_APPLY_MIGRATION_MANAGER;
use api::v1alpha1::{Application, ApplicationSource, ApplicationStatus, OperationState, SyncOperation};
use jiff::{SignedDuration, Timestamp};
use kubernetes::{Cluster, Discovery};
use object::{GroupVersionKind, Object};
use project::windows::Open;
use reconcile::{
    CompareWith, Conclusion, Ended, conclude, note_namespace, operation_revisions, operation_sources,
    recorded, settle_result,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use store::StatusChange;
use sync::{Effect, Event, Input, KindFact, NamespaceFact, Plan, Progress, SyncOptions, plan, step};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// A custom resource whose controller reports no `observedGeneration` must have been applied this long before its
/// health is believed.
const SETTLE: SignedDuration = SignedDuration::from_secs(2);
/// Results are written at most this often while they come in quickly.
const WRITE_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// What is wrong with an application that cannot be synced.
const STOPPERS: [ConditionType; 2] = [ConditionType::ComparisonError, ConditionType::InvalidSpecError];

/// What is shown of an operation that waits for a sync window, as the original words it.
const BLOCKED: &str = "Sync operation blocked by sync window";

/// How an operation begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// From nothing.
    Anew,
    /// From its recorded results.
    Resume,
}

impl Controller {
    /// Works on an operation in the background; its events go through the handle in the application's memory.
    pub(crate) fn operate(
        self: &Arc<Self>,
        key: Key,
        application: Application,
        state: OperationState,
        start: Start,
    ) {
        let (events, inbox) = mpsc::unbounded_channel();
        let handle = OperationHandle {
            events,
            waits_only_for_health: Arc::new(AtomicBool::new(false)),
            stopping: Arc::new(AtomicBool::new(false)),
            confirmed: Arc::new(AtomicBool::new(false)),
            looked: Arc::default(),
            ending: Arc::new(AtomicBool::new(false)),
            telling: Arc::default(),
        };
        self.memories().with(&key, |memory| memory.operation = Some(handle.clone()));
        self.metrics().queued(QueueName::Operation, 0);
        let asked = Instant::now();
        let (controller, ending) = (self.clone(), handle.ending.clone());
        let uid = application.metadata.uid.clone();
        self.tasks().spawn(async move {
            let permit = controller.operation_permit().await;
            controller.metrics().taken(QueueName::Operation, asked.elapsed(), 0);
            let began = Instant::now();
            let work = Box::pin(async {
                let prepared = controller.prepare(&key, application, state, start, handle, inbox).await;
                // What waits keeps nobody from beginning: writes have a limit of their own.
                drop(permit);
                match prepared {
                    Ok((run, state, progress)) => run.finish(state, progress).await,
                    Err(ended) => *ended,
                }
            });
            tokio::select! {
                ended = work => {
                    ending.store(true, Ordering::SeqCst);
                    controller.conclude(&key, &uid, ended).await;
                }
                // What is recorded is gone on with by the next process.
                () = controller.stopped() => {}
            }
            controller.metrics().worked(QueueName::Operation, began.elapsed(), false);
            controller.memories().with(&key, |memory| {
                let own = |running: &OperationHandle| Arc::ptr_eq(&running.ending, &ending);
                memory.operation = memory.operation.take().filter(|running| !own(running));
            });
            controller.queue().add(key, Urgency::Asked);
        });
    }

    /// Compares and plans: what is to be done, or how the operation ended at that.
    async fn prepare<'a>(
        self: &'a Arc<Self>,
        key: &'a Key,
        application: Application,
        mut state: OperationState,
        start: Start,
        handle: OperationHandle,
        inbox: mpsc::UnboundedReceiver<Event>,
    ) -> Result<(Run<'a>, OperationState, Progress), Box<Ended>> {
        let end =
            |phase, message: String, state| Err(Box::new(Ended { phase, message, terminated: false, state }));
        let Some(operation) = state.operation.sync.clone() else {
            return end(
                OperationPhase::Failed,
                "Invalid operation request: no operation specified".into(),
                state,
            );
        };
        let now = self.now();
        let situation = match self.situation(&application, now) {
            Ok(situation) => situation,
            Err(conditions) => {
                let message = join(&conditions);
                return end(OperationPhase::Failed, message, state);
            }
        };
        let resumed = recorded(&state).filter(|_| start == Start::Resume);
        let (sources, revisions) = resumed.unwrap_or_else(|| {
            (operation_sources(&application, &operation), operation_revisions(&operation))
        });
        let gathered =
            self.gather(&application, &situation, &question(&operation, &sources, revisions)).await;
        let attempted = self.manifests_hash(&gathered.loaded);
        self.memories().with(key, |memory| memory.attempted = attempted);
        let compared = self.judge(&application, &situation, gathered, now).await;
        settle_result(&mut state, &application, &sources, &compared.revisions);
        let errors: Vec<_> = compared
            .conditions
            .iter()
            .filter(|condition| STOPPERS.iter().any(|stopper| condition.r#type.parse() == Ok(*stopper)))
            .cloned()
            .collect();
        if compared.comparison.failed || !errors.is_empty() {
            return end(OperationPhase::Error, join(&errors), state);
        }
        let Some(destination) = compared.destination.clone() else {
            return end(OperationPhase::Error, "the destination is not connected".into(), state);
        };
        let cluster = match self.acting(&application, &situation, &destination) {
            Ok(cluster) => cluster,
            Err(message) => return end(OperationPhase::Error, message, state),
        };
        let resources = match resources(&compared, &operation) {
            Ok(resources) => resources,
            Err(message) => return end(OperationPhase::Error, message, state),
        };
        let asked = Asked { operation: &operation, state: &state, resources, start };
        let plan = match self.plan(&application, &situation, &compared, asked).await {
            Ok(plan) => plan,
            Err(error) => {
                if let Some(result) = &mut state.sync_result {
                    result.resources = error.results();
                }
                return end(error.phase(), error.to_string(), state);
            }
        };
        let progress = match (start, &state.sync_result) {
            (Start::Resume, Some(result)) => {
                Progress::restore(&plan, &result.resources, state.retry_count, self.now())
            }
            _ => Progress::new(&plan, self.now()),
        };
        let run = Run {
            controller: self,
            key,
            asker: Asker::new(&application, &destination.server),
            application: Arc::new(application),
            plan: Arc::new(plan),
            destination,
            cluster,
            held: Arc::default(),
            handle,
            inbox,
        };
        Ok((run, state, progress))
    }

    async fn plan(
        &self,
        application: &Application,
        situation: &Situation,
        compared: &Compared,
        Asked { operation, state, resources, start }: Asked<'_>,
    ) -> Result<Plan, sync::PlanError> {
        let policy = application.spec.sync_policy.as_ref();
        let options = SyncOptions::parse(&operation.sync_options);
        let namespace = application.spec.destination.namespace.as_str();
        let namespace_fact = if options.create_namespace && !namespace.is_empty() {
            let destination = compared.destination.as_ref();
            let cluster = destination.map(|destination| self.acting(application, situation, destination));
            namespace_fact(cluster, namespace).await
        } else {
            NamespaceFact::NotAsked
        };
        let started_at = state.started_at.timestamp().unwrap_or_else(|| self.now());
        let shared = compared
            .conditions
            .iter()
            .filter(|condition| condition.r#type == "SharedResourceWarning")
            .map(|condition| condition.message.clone())
            .collect();
        let permit = |object: &Object, namespaced: bool| permit(situation, object, namespaced);
        let kinds = |gvk: &GroupVersionKind| kind_fact(&compared.discovery, gvk);
        let timeout = self.options().sync_timeout;
        let recorded = state.sync_result.as_ref().filter(|_| start == Start::Resume);
        plan(Input {
            resources,
            hooks: compared.comparison.hooks.clone(),
            operation,
            revision: compared.revisions.first().map_or("", String::as_str),
            started_at,
            namespace,
            namespace_fact,
            managed_namespace_metadata: policy.and_then(|policy| policy.managed_namespace_metadata.as_ref()),
            prune_confirmed: reconcile::is_deletion_confirmed(application, started_at),
            migration_manager: application
                .metadata
                .annotations
                .get(CLIENT_SIDE_APPLY_MIGRATION_MANAGER)
                .map(String::as_str),
            shared,
            timeout: timeout.is_positive().then_some(timeout),
            settle: SETTLE,
            recorded: recorded.map(|result| result.resources.as_slice()).unwrap_or_default(),
            kinds: &kinds,
            permit: &permit,
        })
    }

    /// Whether sync windows let an effect through now. What stops an operation, and what only looks, is never held.
    fn may_write(&self, key: &Key, effect: &Effect, handle: &OperationHandle) -> bool {
        let writes = matches!(effect, Effect::Apply { .. } | Effect::Delete { .. });
        !writes || handle.stopping.load(Ordering::SeqCst) || self.window_of(key).operation
    }

    fn window_of(&self, key: &Key) -> Open {
        match self.store().application(&key.namespace, &key.name) {
            Ok(application) => self.windows(&application, self.now()),
            Err(_) => Open::ALWAYS,
        }
    }

    /// Waits until sync windows let a write through; says whether they did before the operation was stopped.
    async fn window_opens(
        &self,
        key: &Key,
        effect: &Effect,
        handle: &OperationHandle,
        held: &AtomicUsize,
    ) -> bool {
        if self.may_write(key, effect, handle) {
            return true;
        }
        let open = || self.window_of(key);
        let tell = || handle.events.send(Event::Tick).ok();
        held.fetch_add(1, Ordering::SeqCst);
        tell();
        let opened = loop {
            // Listens before it looks, so that nothing is missed in between.
            let looked = handle.looked.notified();
            tokio::pin!(looked);
            looked.as_mut().enable();
            if handle.stopping.load(Ordering::SeqCst) {
                break false;
            }
            let open = open();
            if open.operation {
                break true;
            }
            let time = async {
                match open.changes_at {
                    Some(at) => tokio::time::sleep(wait_until(at, self.now())).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = time => {}
                () = looked => {}
                () = self.stopped() => break false,
            }
        };
        held.fetch_sub(1, Ordering::SeqCst);
        tell();
        opened
    }

    /// Writes how an attempt ended, or when it is tried again.
    async fn conclude(&self, key: &Key, uid: &str, ended: Ended) {
        let now = self.now();
        let stored = self.store().application(&key.namespace, &key.name).ok();
        // Another application of the same name has an operation of its own, or none.
        let Some(application) = stored.filter(|stored| stored.metadata.uid == uid) else { return };
        let Conclusion { state, history, done } = conclude(&application, ended, now);
        let mut status =
            ApplicationStatus { operation_state: Some(state.clone()), ..application.status.clone() };
        if let Some(history) = history {
            status.history = history;
        }
        let change = StatusChange { application: &application, status: &status, operation_done: done };
        if let Err(error) = self.write_again(change).await {
            tracing::warn!(application = %key, %error, "write the end of an operation");
        }
        if done {
            tracing::info!(application = %key, phase = %state.phase, message = %state.message, "operation ended");
            self.note_operation_end(&application, &state, now);
        }
        self.memories().request_after_operation(key);
    }
}

/// An attempt that has a plan.
struct Run<'a> {
    controller: &'a Arc<Controller>,
    key: &'a Key,
    application: Arc<Application>,
    plan: Arc<Plan>,
    destination: Destination,
    /// The destination, in the name changes are made in.
    cluster: Cluster,
    asker: Asker,
    /// Writes that wait for a sync window.
    held: Arc<AtomicUsize>,
    handle: OperationHandle,
    inbox: mpsc::UnboundedReceiver<Event>,
}

impl Run<'_> {
    async fn finish(mut self, mut state: OperationState, mut progress: Progress) -> Ended {
        let mut pending = vec![Event::Tick];
        let mut wake: Option<Timestamp> = None;
        let mut terminated = false;
        let mut written = Instant::now();
        let mut dirty = false;
        loop {
            let mut at_once = false;
            for event in pending.drain(..) {
                terminated |= matches!(event, Event::Terminate { .. } | Event::Supersede { .. });
                if terminated {
                    self.handle.stopping.store(true, Ordering::SeqCst);
                    self.handle.looked.notify_waiters();
                }
                at_once |= self.is_of_hook(&event);
                let (next, effects) = step(&self.plan, progress, event, self.controller.now());
                progress = next;
                wake = None;
                for effect in effects {
                    match effect {
                        Effect::WakeAt(at) => wake = Some(at),
                        Effect::Done { phase, message } => {
                            dirty |= self.record(&mut state, &progress);
                            // How a hook ended is told before the end: who waits prints lines as they come.
                            if dirty && self.plan.tasks.iter().any(sync::Task::is_hook) {
                                self.write(&state).await;
                            }
                            if phase == OperationPhase::Succeeded {
                                note_namespace(&mut state, &self.application);
                            }
                            return Ended { phase, message, terminated, state };
                        }
                        other => self.start(other),
                    }
                }
            }
            dirty |= self.record(&mut state, &progress);
            self.handle
                .waits_only_for_health
                .store(progress.waits_only_for_health(&self.plan), Ordering::SeqCst);
            if dirty && (at_once || written.elapsed() >= WRITE_EVERY) {
                self.write(&state).await;
                written = Instant::now();
                dirty = false;
            }
            pending.push(match self.inbox.try_recv() {
                Ok(event) => event,
                Err(_) => self.wait(wake, dirty.then(|| written + WRITE_EVERY)).await,
            });
        }
    }

    /// A hook that was made is recorded at once: made again, it would do its work twice.
    fn is_of_hook(&self, event: &Event) -> bool {
        let Event::Result { task, .. } = event else { return false };
        self.plan.tasks.get(task.0).is_some_and(sync::Task::is_hook)
    }

    /// Does an effect in the background; its event comes through the inbox.
    fn start(&self, effect: Effect) {
        let (destination, plan, events) =
            (self.destination.clone(), self.plan.clone(), self.handle.events.clone());
        let (controller, asker, cluster) =
            (self.controller.clone(), self.asker.clone(), self.cluster.clone());
        let (key, handle, held) = (self.key.clone(), self.handle.clone(), self.held.clone());
        let application = self.application.clone();
        self.controller.tasks().spawn(async move {
            let permit = loop {
                if !controller.window_opens(&key, &effect, &handle, &held).await {
                    break None;
                }
                let permit = destination.write_permit().await;
                // Others may have been waited for until the window closed.
                if controller.may_write(&key, &effect, &handle) {
                    break Some(permit);
                }
            };
            let event = if permit.is_some() {
                let writing = Writing {
                    application: &application,
                    destination: &destination,
                    plan: &plan,
                    cluster: &cluster,
                    confirmed: handle.confirmed.load(Ordering::SeqCst),
                };
                asked_by(asker, controller.perform(writing, effect)).await
            } else {
                refused(&effect)
            };
            drop(permit);
            if let Some(event) = event {
                // The operation ended meanwhile, and nobody waits for the answer.
                events.send(event).ok();
            }
        });
    }

    async fn wait(&mut self, wake: Option<Timestamp>, flush: Option<Instant>) -> Event {
        let now = self.controller.now();
        let until = wake.map(|at| Instant::now() + wait_until(at, now));
        let timer = async {
            match until.into_iter().chain(flush).min() {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // The handle holds a sender, so the inbox does not end before the run does.
            event = self.inbox.recv() => event.unwrap_or(Event::Tick),
            () = timer => Event::Tick,
        }
    }

    /// Takes over what is shown of the progress; says whether that changed.
    fn record(&self, state: &mut OperationState, progress: &Progress) -> bool {
        let before = state.clone();
        let resources = progress.results(&self.plan);
        if let Some(result) = &mut state.sync_result {
            result.resources = resources;
        }
        state.message = match self.held.load(Ordering::SeqCst) {
            0 => progress.message().to_owned(),
            _ => BLOCKED.to_owned(),
        };
        if !progress.is_done() {
            state.phase = progress.phase().as_str().into();
        }
        before != *state
    }

    async fn write(&self, state: &OperationState) {
        // The newest stored application is what the new state is compared with: somebody may have asked to stop.
        let stored = self.controller.store().application(&self.key.namespace, &self.key.name);
        let stored = stored.ok().filter(|stored| stored.metadata.uid == self.application.metadata.uid);
        let Some(stored) = stored else { return };
        let mut state = state.clone();
        let asked_to_stop = stored
            .status
            .operation_state
            .as_ref()
            .is_some_and(|stored| stored.phase == OperationPhase::Terminating.as_str());
        if asked_to_stop {
            state.phase = OperationPhase::Terminating.as_str().into();
        }
        let status = ApplicationStatus { operation_state: Some(state), ..stored.status.clone() };
        let change = StatusChange { application: &stored, status: &status, operation_done: false };
        if let Err(error) = self.controller.store().write_status(change).await {
            // The next step writes it again; a restart before that applies again, which is harmless.
            tracing::warn!(application = %self.key, %error, "write the progress of an operation");
        }
    }
}

/// How long it is until a time; nothing when that is past.
fn wait_until(at: Timestamp, now: Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(at.duration_since(now)).unwrap_or_default()
}

/// What a plan is asked for.
struct Asked<'a> {
    operation: &'a SyncOperation,
    state: &'a OperationState,
    resources: Vec<sync::Resource>,
    start: Start,
}

/// What is to be synced; where ignored differences are respected, targets leave them alone.
fn resources(compared: &Compared, operation: &SyncOperation) -> Result<Vec<sync::Resource>, String> {
    let respects = SyncOptions::parse(&operation.sync_options).respect_ignore_differences;
    let found = match compared.diff_options.as_ref().filter(|_| respects) {
        Some(options) => {
            let found = compared.comparison.sync_resources_respecting(options);
            found.map_err(|error| format!("failed to leave out ignored differences: {error}"))?
        }
        None => compared.comparison.sync_resources(),
    };
    Ok(found.unwrap_or_default())
}

fn question(operation: &SyncOperation, sources: &[ApplicationSource], revisions: Vec<String>) -> Question {
    Question {
        sources: sources.to_vec(),
        revisions,
        level: RefreshType::Normal,
        // A branch is where it is now, and not where it was listed a while ago.
        compare_with: CompareWith::LatestForceResolve,
        manifests: (!operation.manifests.is_empty()).then(|| operation.manifests.clone()),
    }
}

/// The namespace of the destination, as whoever creates it may see it.
async fn namespace_fact(cluster: Option<Result<Cluster, String>>, namespace: &str) -> NamespaceFact {
    let cluster = match cluster {
        None => return NamespaceFact::NotAsked,
        Some(Ok(cluster)) => cluster,
        Some(Err(reason)) => return NamespaceFact::Unreadable(reason),
    };
    let kind = GroupVersionKind::new("", "v1", "Namespace");
    match cluster.find_kind(&kind, "", namespace).await {
        Ok(Some(live)) => NamespaceFact::Live(Box::new(live)),
        Ok(None) => NamespaceFact::Missing,
        Err(error) => NamespaceFact::Unreadable(error.message()),
    }
}

fn kind_fact(discovery: &Discovery, gvk: &GroupVersionKind) -> KindFact {
    if let Some(resource) = discovery.find(gvk) {
        return KindFact::Served { namespaced: resource.namespaced };
    }
    if let Some(failed) = discovery.failure(&gvk.group, &gvk.version) {
        return KindFact::Unknown { message: failed.reason.clone() };
    }
    // Another version of the group, else the kind of another group, as the original tells it.
    let same_kind = || discovery.resources.iter().filter(|resource| resource.kind == gvk.kind);
    let found = same_kind().find(|resource| resource.group == gvk.group).or_else(|| same_kind().next());
    let in_group =
        |resource: &kubernetes::ApiResource| resource.group == gvk.group && resource.version == gvk.version;
    KindFact::NotServed {
        group: discovery.resources.iter().any(in_group),
        instead: found.map(|resource| GroupVersionKind {
            group: resource.group.clone(),
            version: resource.version.clone(),
            kind: resource.kind.clone(),
        }),
    }
}

/// Whether the project lets an object be written or deleted.
pub(crate) fn permit(situation: &Situation, object: &Object, namespaced: bool) -> Result<(), String> {
    let project = &situation.project;
    let (group, kind) = (object.group(), object.kind());
    if !project::permits_kind(project, group, kind, object.name(), namespaced) {
        return Err(format!("resource {group}:{kind} is not permitted in project {}", project.metadata.name));
    }
    let destination = project::Destination { cluster: &situation.cluster, namespace: object.namespace() };
    if namespaced && !project::permits_destination(project, destination, &situation.own_clusters) {
        return Err(format!(
            "namespace {} is not permitted in project '{}'",
            object.namespace(),
            project.metadata.name
        ));
    }
    Ok(())
}

pub(crate) fn join(conditions: &[api::v1alpha1::ApplicationCondition]) -> String {
    let texts: Vec<String> =
        conditions.iter().map(|condition| format!("{}: {}", condition.r#type, condition.message)).collect();
    texts.join(";")
}
