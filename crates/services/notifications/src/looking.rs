//! Looking at applications: which have to be looked at, and what comes of it.

use crate::Shared;
use crate::configs::Ready;
use crate::events::About;
use crate::lanes::{Job, Lanes};
use crate::outside::Machine;
use crate::queue::Tried;
use crate::records::{Key, Record};
use crate::repository::repository;
use jiff::Timestamp;
use kubernetes::{ApiResource, Patch, WriteOptions};
use notify::{Decision, NOTIFIED, Repository, Situation, State};
use object::Object;
use serde_json::{Value, json};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use store::{EventKind, Follower, StoreError, Stored};
use tokio::sync::Notify;
use tokio::time::Instant;

/// How often what depends on the time is looked at, and what could not be sent.
const TICK: Duration = Duration::from_secs(60);
/// Who writes the annotation.
const MANAGER: &str = "argocd-notifications-controller";

/// Applications to be looked at, each once; one that changes while it is looked at comes again afterwards.
#[derive(Default)]
struct Queue {
    inner: Mutex<Waiting>,
    more: Notify,
}

#[derive(Default)]
struct Waiting {
    order: VecDeque<Key>,
    waiting: BTreeSet<Key>,
    running: BTreeSet<Key>,
    again: BTreeSet<Key>,
}

impl Queue {
    fn with<T>(&self, look: impl FnOnce(&mut Waiting) -> T) -> T {
        look(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, key: Key) {
        self.with(|queue| {
            if queue.running.contains(&key) {
                queue.again.insert(key);
            } else if queue.waiting.insert(key.clone()) {
                queue.order.push_back(key);
            }
        });
        self.more.notify_one();
    }

    fn pop(&self) -> Option<Key> {
        self.with(|queue| {
            let key = queue.order.pop_front()?;
            queue.waiting.remove(&key);
            queue.running.insert(key.clone());
            Some(key)
        })
    }

    fn done(&self, key: &Key) {
        let again = self.with(|queue| {
            queue.running.remove(key);
            queue.again.remove(key)
        });
        if again {
            self.push(key.clone());
        }
    }

    async fn next(&self) -> Key {
        loop {
            let more = self.more.notified();
            if let Some(key) = self.pop() {
                // Whoever else waits may find more.
                self.more.notify_one();
                return key;
            }
            more.await;
        }
    }
}

pub(crate) struct Looker {
    shared: Arc<Shared>,
    lanes: Arc<Lanes>,
    queue: Queue,
}

/// What woke the loop.
type Followed = Option<Result<Arc<store::StoredEvent<Object>>, StoreError>>;

impl Looker {
    pub(crate) fn new(shared: Arc<Shared>, lanes: Arc<Lanes>) -> Self {
        Self { shared, lanes, queue: Queue::default() }
    }

    pub(crate) async fn work(self) -> Result<(), StoreError> {
        let looker = Arc::new(self);
        let shared = looker.shared.clone();
        let mut applications = shared.applications.follow();
        let mut projects = shared.projects.follow();
        let mut settings = [shared.configs.config_maps.follow(), shared.configs.secrets.follow()];
        shared.applications.ready().await?;
        shared.projects.ready().await?;
        shared.configs.ready().await?;
        let workers: Vec<_> =
            (0..shared.options.processors).map(|_| tokio::spawn(looker.clone().look_on())).collect();
        let saying = tokio::spawn({
            let shared = shared.clone();
            async move { shared.events.write(&shared.store, &shared.stop).await }
        });
        looker.everything(None);
        tracing::warn!("Controller is running.");
        let mut tick = tokio::time::interval(TICK);
        loop {
            let [config_maps, secrets] = &mut settings;
            tokio::select! {
                () = shared.stop.asked() => break,
                event = applications.next() => if looker.application(event).is_none() { break },
                event = projects.next() => if looker.project(event).is_none() { break },
                event = either(config_maps, secrets) => if looker.setting(event).is_none() { break },
                _ = tick.tick() => looker.again(),
            }
        }
        for worker in workers {
            // A panic was reported where it happened.
            let _ = worker.await;
        }
        looker.lanes.ended().await;
        let _ = saying.await;
        tracing::warn!("Controller has stopped.");
        Ok(())
    }

    fn application(&self, event: Followed) -> Option<()> {
        match event? {
            Ok(event) if event.kind == EventKind::Deleted => self.shared.records.forget(&key(&event.item)),
            Ok(event) => self.queue.push(key(&event.item)),
            Err(_) => self.everything(None),
        }
        Some(())
    }

    fn project(&self, event: Followed) -> Option<()> {
        let changed = event?.ok().map(|event| event.item.name.clone());
        for item in self.shared.applications.list() {
            let named = item.value().map(|object| project_of(object));
            if changed.is_none() || named.as_deref() == changed.as_deref() {
                self.queue.push(key(&item));
            }
        }
        Some(())
    }

    fn setting(&self, event: Followed) -> Option<()> {
        match event? {
            Ok(event) => {
                let namespace = &event.item.namespace;
                tracing::info!(
                    "invalidated cache for resource in namespace: {namespace} with the name: {}",
                    event.item.name
                );
                let everywhere = &**namespace == self.shared.store.namespace();
                self.everything((!everywhere).then_some(namespace));
            }
            Err(_) => self.everything(None),
        }
        Some(())
    }

    /// All applications, or those of one namespace.
    fn everything(&self, namespace: Option<&Arc<str>>) {
        let all = self.shared.applications.list();
        let those = all.iter().filter(|item| namespace.is_none_or(|wanted| *wanted == item.namespace));
        those.for_each(|item| self.queue.push(key(item)));
    }

    fn again(&self) {
        if self.shared.configs.depends_on_more() {
            self.everything(None);
        } else {
            self.shared.records.unsettled(Instant::now()).into_iter().for_each(|key| self.queue.push(key));
        }
    }

    async fn look_on(self: Arc<Self>) {
        loop {
            let key = tokio::select! {
                () = self.shared.stop.asked() => return,
                key = self.queue.next() => key,
            };
            let looker = self.clone();
            let one = key.clone();
            // A panic ends this look, and no other.
            if let Err(error) = tokio::spawn(async move { looker.look(&one).await }).await {
                tracing::error!(resource = %format!("{}/{}", key.namespace, key.name), %error, "the look broke");
            }
            self.queue.done(&key);
        }
    }

    async fn look(&self, key: &Key) {
        let found = self.shared.applications.get(&key.namespace, &key.name);
        let Some(object) = found.as_ref().and_then(|item| item.value()) else { return };
        let resource = format!("{}/{}", key.namespace, key.name);
        tracing::info!(resource, "Start processing");
        let application = Arc::new(object.to_value());
        if !notify::is_refreshed(&application) {
            tracing::info!(resource, "Processing skipped: sync status out of date");
            return;
        }
        let project = self.shared.project(object);
        let about = About::of(object);
        let record = self.shared.records.get(key);
        let mut record = record.lock().await;
        record.seen(object);
        let configs = self.shared.configs.of_application(&key.namespace);
        if configs.is_empty() {
            // What was true is taken to be so still: what is on its way must be noted when it arrives.
            tracing::info!(resource, "Processing skipped: there is no configuration without mistakes");
            return;
        }
        (record.refused, record.unknown) = (false, false);
        let mut current = BTreeSet::new();
        for ready in configs {
            let Some(decision) = self.decide(&ready, &application, &project, record.state.clone()).await
            else {
                tracing::error!(resource, "Failed to process: the triggers could not be evaluated");
                // What was true is taken to be so still: it must not be told twice.
                current.extend(record.current.iter().cloned());
                continue;
            };
            self.told(&resource, &about, &ready, &decision);
            current.extend(decision.current.iter().cloned());
            // What nobody knows may be true still: what is on its way of that is noted when it arrives.
            current.extend(record.current.iter().filter(|entry| decision.is_unknown(entry)).cloned());
            record.unknown |= !decision.unknown.is_empty();
            record.state = decision.state;
            record.current.extend(decision.current);
            for due in decision.due {
                let namespace = ready.config.origin.namespace.clone();
                let (application, project) = (application.clone(), project.clone());
                if record.rests(&due.entry, &ready, Instant::now()) {
                    continue;
                }
                let progress = record.progress(&due.entry);
                let job = Job {
                    key: key.clone(),
                    about: about.clone(),
                    namespace,
                    application,
                    project,
                    due,
                    since: Instant::now(),
                    progress,
                    tried: Tried::default(),
                };
                self.hand_over(&resource, job, &mut record);
            }
        }
        record.current = current;
        record.settle();
        self.shared.write(key, &mut record).await;
        tracing::info!(resource, "Processing completed");
    }

    fn hand_over(&self, resource: &str, job: Job, record: &mut Record) {
        if record.pending.contains(&job.due.entry) {
            // It is on its way; the application changed, which may be what it waits for.
            self.lanes.wake(&job);
            return;
        }
        let due = &job.due;
        tracing::info!(
            resource,
            "Sending notification about condition '{}.{}' to '{}' using the configuration in namespace {}",
            due.trigger,
            due.condition,
            due.destination,
            job.namespace
        );
        let entry = due.entry.clone();
        if self.lanes.push(job) {
            record.pending.insert(entry);
        } else {
            record.refused = true;
            tracing::error!(resource, entry, "too many notifications wait for this destination: not queued");
        }
    }

    /// Decides on a thread that may wait for the repo-server.
    async fn decide(
        &self,
        ready: &Arc<Ready>,
        application: &Arc<Value>,
        project: &Option<Arc<Value>>,
        state: State,
    ) -> Option<Decision> {
        let repository = self.shared.repository(application);
        let (ready, application, project) = (ready.clone(), application.clone(), project.clone());
        let work = tokio::task::spawn_blocking(move || {
            let situation = Situation {
                application: &application,
                project: project.as_deref(),
                repository: &repository,
                now: Timestamp::now(),
                local: Machine::zone(),
            };
            notify::decide(&ready.config, &situation, state)
        });
        work.await.ok()
    }

    /// Logs and counts, in the original's words.
    fn told(&self, resource: &str, about: &About, ready: &Ready, decision: &Decision) {
        let namespace = &ready.config.origin.namespace;
        let warn = |problem: &str| {
            self.shared.events.warn(about, "NotificationSubscriptionInvalid", problem, problem);
        };
        for problem in &decision.problems {
            tracing::error!(resource, "{problem}");
            warn(problem);
        }
        for evaluated in &decision.evaluated {
            let trigger = &evaluated.trigger;
            match &evaluated.outcomes {
                Err(error) => {
                    tracing::error!(
                        resource,
                        "Failed to evaluate condition of trigger {trigger}: {error} using the configuration in \
                         namespace {namespace}"
                    );
                    warn(&format!("{error} in namespace {namespace}"));
                }
                Ok(outcomes) => {
                    for outcome in outcomes {
                        self.shared.metrics.evaluation(trigger, outcome.triggered);
                        outcome.errors.iter().for_each(|error| tracing::error!(resource, "{error}"));
                        if outcome.unknown {
                            let text = format!("{trigger}: {}", outcome.errors.join("; "));
                            self.shared.events.warn(about, "NotificationTriggerUnknown", trigger, &text);
                        }
                        let status = if outcome.triggered { "TRIGGERED" } else { "FAILED" };
                        let revision: String = outcome.once_per.chars().take(8).collect();
                        let templates = outcome.templates.join(" ");
                        tracing::info!(
                            resource,
                            "Trigger '{trigger}' {status} | revision: {revision} | templates: [{templates}]"
                        );
                    }
                }
            }
        }
        for sent in &decision.sent {
            tracing::info!(
                resource,
                "Notification about condition '{}.{}' already sent to '{}' using the configuration in namespace {namespace}",
                sent.trigger,
                sent.condition,
                sent.destination
            );
        }
    }
}

impl Shared {
    /// The repository of an application.
    pub(crate) fn repository(&self, application: &Value) -> Repository {
        repository(&self.store, &self.repo_server, &self.silent, application)
    }

    /// The project of an application.
    pub(crate) fn project(&self, application: &Object) -> Option<Arc<Value>> {
        let found = self.projects.get(self.store.namespace(), &project_of(application))?;
        found.value().map(|project| Arc::new(project.to_value()))
    }

    /// Writes the annotation, when it is not what it should be. What cannot be written is tried again later.
    pub(crate) async fn write(&self, key: &Key, record: &mut Record) {
        let Some(text) = record.unwritten() else { return };
        let patch = Patch::Merge(json!({"metadata": {"annotations": {NOTIFIED: text}}}));
        let options = WriteOptions::manager(MANAGER);
        let cluster = self.store.cluster();
        match cluster.patch(&applications(), &key.namespace, &key.name, &patch, &options).await {
            Ok(object) => record.written(text, &object),
            Err(error) if error.is_not_found() => {}
            Err(error) => {
                let resource = format!("{}/{}", key.namespace, key.name);
                tracing::error!(resource, "Failed to patch resource: {error}");
            }
        }
    }
}

fn applications() -> ApiResource {
    ApiResource {
        group: api::GROUP.into(),
        version: "v1alpha1".into(),
        kind: "Application".into(),
        plural: "applications".into(),
        namespaced: true,
        ..ApiResource::default()
    }
}

async fn either(one: &mut Follower<Object>, other: &mut Follower<Object>) -> Followed {
    tokio::select! {
        event = one.next() => event,
        event = other.next() => event,
    }
}

fn key(item: &Stored<Object>) -> Key {
    Key { namespace: item.namespace.clone(), name: item.name.clone() }
}

fn project_of(object: &Object) -> String {
    match object.text_at(&["spec", "project"]) {
        "" => "default".to_owned(),
        project => project.to_owned(),
    }
}
