//! What makes an application worth a look: itself, its project, the settings, its cluster, time.

use crate::Controller;
use crate::clusters::ClusterNotice;
use crate::effects::live_state;
use crate::memory::OperationHandle;
use crate::queue::{Key, Urgency};
use crate::rules::Rules;
use api::codes::RefreshType;
use cluster_cache::{Change, ChangeKind, Notice};
use jiff::SignedDuration;
use object::{AppInstance, ResourceKey};
use reconcile::{CompareWith, RefreshCause, RefreshRequest};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use store::{EventKind, Watched};
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

/// How often the API server is told about clusters.
const TELL_CLUSTERS: Duration = Duration::from_secs(10);

/// How long a look holds its place among those at once.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// How long after a look that a change caused the next one may come.
const CHANGES_GAP: Duration = Duration::from_secs(1);
/// How long a change waits for a look while an operation runs: most are the operation's own, and its end is looked at.
const OPERATION_GAP: Duration = Duration::from_secs(3);

impl Controller {
    /// Works until the controller is stopped.
    pub(crate) async fn work(self: Arc<Self>, notices: mpsc::UnboundedReceiver<ClusterNotice>) {
        self.look_at_all(None);
        for _ in 0..self.options().status_processors {
            let controller = self.clone();
            self.tasks().spawn(async move { controller.process().await });
        }
        let applications = self.clone().follow_applications();
        let projects = self.clone().follow_all(self.store().projects().clone());
        let secrets = self.clone().follow_all(self.store().secrets().clone());
        let settings = self.clone().follow_settings();
        let clusters = self.clone().follow_clusters(notices);
        let telling = self.clone().tell_regularly();
        tokio::select! {
            () = applications => {}
            () = projects => {}
            () = secrets => {}
            () = settings => {}
            () = clusters => {}
            () = telling => {}
            () = self.stopped() => {}
        }
    }

    async fn process(self: Arc<Self>) {
        loop {
            let key = tokio::select! {
                key = self.queue().next() => key,
                () = self.stopped() => return,
            };
            let mut looking = self.tasks().spawn(self.clone().look_once(key));
            // What waits for somebody slow, a repository or a cluster, holds no place that others need.
            let _still_looking = tokio::time::timeout(PATIENCE, &mut looking).await;
        }
    }

    /// A panic in one look ends that look: the others go on, and the application is looked at again later.
    async fn look_once(self: Arc<Self>, key: Key) {
        let (controller, own) = (self.clone(), key.clone());
        let look = tokio::spawn(Box::pin(async move { controller.reconcile(&own).await }));
        if let Err(error) = look.await {
            tracing::error!(application = %key, %error, "reconcile ended unexpectedly");
            let at = self.now().saturating_add(jiff::SignedDuration::from_secs(60));
            self.wake_at(&key, at.unwrap_or(jiff::Timestamp::MAX));
        }
        self.queue().done(&key);
    }

    /// Looks at every application; with a request, compares them all.
    fn look_at_all(&self, request: Option<&RefreshRequest>) {
        for stored in self.store().applications().list() {
            let key = Key::new(&*stored.namespace, &*stored.name);
            if let Some(request) = request {
                self.memories().request(&key, request.clone());
            }
            self.queue().add(key, Urgency::Periodic);
        }
    }

    async fn follow_applications(self: Arc<Self>) {
        let mut follower = self.store().applications().follow();
        // What changed between the first look and now is looked at again.
        self.look_at_all(None);
        while let Some(event) = follower.next().await {
            match event {
                Ok(event) => {
                    let key = Key::new(&*event.item.namespace, &*event.item.name);
                    if event.kind == EventKind::Deleted {
                        self.send(&key, sync::Event::Terminate { cause: Some("application deleted".into()) });
                        self.memories().forget(&key);
                        if let Some(application) = event.item.value() {
                            self.metrics().forget(application);
                        }
                    } else {
                        self.queue().add(key, Urgency::Asked);
                    }
                }
                Err(error) => {
                    tracing::debug!(%error, "missed changes of applications");
                    follower = self.store().applications().follow();
                    self.look_at_all(None);
                }
            }
        }
    }

    /// A project, a repository or a cluster changed: every application is compared again.
    async fn follow_all<T: Send + Sync + 'static>(self: Arc<Self>, watched: Watched<T>) {
        let mut follower = watched.follow();
        while let Some(event) = follower.next().await {
            if event.is_err() {
                follower = watched.follow();
            }
            self.look_at_all(Some(&request("projects or credentials changed")));
        }
    }

    async fn follow_settings(self: Arc<Self>) {
        let mut follower = self.store().config_maps().follow();
        while let Some(event) = follower.next().await {
            if event.is_err() {
                follower = self.store().config_maps().follow();
            }
            let (mut rules, problems) = Rules::parse(&self.store().config_map("argocd-cm"));
            let before = self.rules();
            rules.keep_watching_as(&before);
            if rules == *before {
                continue;
            }
            for problem in problems {
                tracing::warn!(key = problem.key, "argocd-cm: {}", problem.message);
            }
            let anew = rules.reads_differently(&before);
            if anew {
                // Who goes by the new rules must not judge what was read by the old ones: a kind that is left out from
                // now on would have live objects and no targets.
                self.clusters().suspend();
            }
            *self.rules.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(rules);
            if anew {
                self.clusters().invalidate();
            }
            self.look_at_all(Some(&request("settings changed")));
        }
    }

    async fn follow_clusters(self: Arc<Self>, mut notices: mpsc::UnboundedReceiver<ClusterNotice>) {
        while let Some(ClusterNotice { server, notice }) = notices.recv().await {
            match notice {
                Notice::Changed(change) => {
                    let began = Instant::now();
                    self.note_change(&server, &change);
                    self.metrics().changed(&server, &change.key.group, &change.key.kind, began.elapsed());
                }
                Notice::Everything | Notice::Kinds => self.note_everything(&server),
            }
        }
    }

    fn note_change(self: &Arc<Self>, server: &str, change: &Change) {
        let managing: Vec<&Arc<str>> = change.old_application.iter().chain(&change.new_application).collect();
        for instance in &managing {
            self.note_for_operation(server, instance, change);
        }
        if !change.projection_changed && change.kind == ChangeKind::Updated {
            return;
        }
        for (instance, compare_with) in managing
            .into_iter()
            .map(|instance| (instance, CompareWith::Recent))
            .chain(change.owning.iter().map(|instance| (instance, CompareWith::Nothing)))
        {
            let key = self.key_of(instance);
            let request =
                RefreshRequest { level: RefreshType::Normal, compare_with, cause: RefreshCause::LiveChanged };
            self.memories().request(&key, request);
            self.look_after_change(&key);
        }
        let place = &change.key.namespace;
        if change.kind != ChangeKind::Updated
            && change.old_application.is_none()
            && change.new_application.is_none()
            && change.owning.is_empty()
            && !place.is_empty()
        {
            self.memories().note_place(server, place);
        }
    }

    /// Has applications looked at where something came or went that nobody manages, if their projects ask for orphans.
    fn tell_of_orphans(&self) {
        let places = self.memories().take_places();
        if places.is_empty() {
            return;
        }
        let rules = self.rules();
        let clusters = self.registrations().names(self.store(), &rules);
        let namespaces: BTreeSet<&str> = places.iter().map(|(_, namespace)| namespace.as_str()).collect();
        for application in self.store().applications().values() {
            let destination = &application.spec.destination;
            if !namespaces.contains(destination.namespace.as_str()) {
                continue;
            }
            let cluster = project::destination_cluster(destination, &clusters);
            let here = cluster.is_ok_and(|it| places.contains(&(it.server, destination.namespace.clone())));
            let project = || self.project_of(&application, &rules);
            let asks = || project().is_ok_and(|it| it.project.spec.orphaned_resources.is_some());
            if here && asks() {
                let key = Key::new(&*application.metadata.namespace, &*application.metadata.name);
                let request = RefreshRequest {
                    level: RefreshType::Normal,
                    compare_with: CompareWith::Recent,
                    cause: RefreshCause::LiveChanged,
                };
                self.memories().request(&key, request);
                self.queue().add(key, Urgency::Asked);
            }
        }
    }

    /// Looks at an application whose objects changed: at once, or a little later where it was just looked at. Many
    /// changes come together, above all from our own writes, whose end is looked at anyway.
    fn look_after_change(self: &Arc<Self>, key: &Key) {
        let now = Instant::now();
        let due = self.memories().with(key, |memory| {
            let free = memory.changed_at.map_or(now, |last| last + CHANGES_GAP);
            let due = if memory.operation.is_some() { free.max(now + OPERATION_GAP) } else { free.max(now) };
            let waits = memory.changed_at.is_some_and(|scheduled| scheduled > now);
            if !waits {
                memory.changed_at = Some(due);
            }
            (!waits).then_some(due)
        });
        match due {
            // It is going to be looked at.
            None => {}
            Some(at) if at <= now => self.queue().add(key.clone(), Urgency::Asked),
            Some(at) => {
                let at = self
                    .now()
                    .saturating_add(SignedDuration::try_from(at - now).unwrap_or(SignedDuration::ZERO));
                self.wake_at(key, at.unwrap_or(jiff::Timestamp::MAX));
            }
        }
    }

    /// Has an operation told of a change. That takes as long as a user's script does, and holds up nobody else: objects of one
    /// operation are told one after the other, each as it is when its turn comes.
    fn note_for_operation(self: &Arc<Self>, server: &str, instance: &str, change: &Change) {
        let key = self.key_of(instance);
        let Some(handle) = self.memories().with(&key, |memory| memory.operation.clone()) else { return };
        let uid = change.uid.as_ref().map(ToString::to_string).unwrap_or_default();
        if handle.telling.note(&change.key, uid) {
            let (controller, server, object) = (self.clone(), server.to_owned(), change.key.clone());
            self.tasks().spawn(async move { controller.tell_operation(&handle, &server, &object).await });
        }
    }

    async fn tell_operation(&self, handle: &OperationHandle, server: &str, object: &ResourceKey) {
        let _turn = handle.telling.turn().await;
        let uid = handle.telling.take(object);
        let Some(destination) = self.clusters().known(server) else { return };
        let event = match destination.cache.get(object) {
            None => sync::Event::Gone { key: object.clone(), uid },
            Some(entry) => {
                let Some(live) = entry.manifest() else { return };
                sync::Event::Live { key: object.clone(), state: live_state(&live, &self.rules().checks) }
            }
        };
        // The operation may have ended meanwhile.
        handle.events.send(event).ok();
    }

    fn note_everything(&self, server: &str) {
        let rules = self.rules();
        let registered = self.registrations().clusters(self.store(), &rules);
        let names: BTreeMap<String, String> = registered
            .iter()
            .map(|known| (known.cluster.name.clone(), known.cluster.server.clone()))
            .collect();
        for application in self.store().applications().values() {
            let destination = &application.spec.destination;
            let at = if destination.server.is_empty() {
                names.get(&destination.name).map_or("", String::as_str)
            } else {
                &destination.server
            };
            if at == server {
                let key = Key::new(&*application.metadata.namespace, &*application.metadata.name);
                // What changed while it was listed was told to nobody.
                self.send(&key, sync::Event::Missed);
                self.memories().request(&key, request("the cluster was listed anew"));
                self.queue().add(key, Urgency::Periodic);
            }
        }
    }

    pub(crate) fn key_of(&self, instance: &str) -> Key {
        let instance = AppInstance::from_mark(instance);
        let (namespace, name) = instance.split(self.store().namespace());
        Key::new(namespace, name)
    }

    async fn tell_regularly(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(TELL_CLUSTERS);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.clusters().close_unregistered().await;
            self.tell_clusters().await;
            self.tell_of_orphans();
        }
    }
}

fn request(reason: &str) -> RefreshRequest {
    RefreshRequest {
        level: RefreshType::Normal,
        compare_with: CompareWith::Recent,
        cause: RefreshCause::Requested(reason.to_owned()),
    }
}
