//! Notifications on their way: one lane for each destination, so that one that fails, or is slow, holds up nobody else. What
//! fails goes to the end of its lane and waits longer after each failure, while the others go on; the lane as a whole rests
//! where the destination is out of reach, and ends when nothing waits in it.

use crate::Shared;
use crate::events::About;
use crate::leading::LAST_WORDS;
use crate::outside::Machine;
use crate::queue::{Next, Queue, Tried};
use crate::records::Key;
use deliver::{Failure, Progress};
use futures::StreamExt as _;
use jiff::Timestamp;
use notify::{Destination, Due, Situation, storm};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Notifications that wait for all destinations together.
const MOST: usize = 100_000;
/// Annotations that are written at once when several were told.
const NOTES: usize = 16;
/// A failure that may pass is an event from this try on.
const TRIES_UNTIL_SAID: u32 = 3;

/// One notification on its way.
pub(crate) struct Job {
    pub(crate) key: Key,
    /// The application with its uid: another one of its name has nothing to do with this.
    pub(crate) about: About,
    /// The namespace of the configuration.
    pub(crate) namespace: String,
    /// The application as it was when this became due: that is what is told.
    pub(crate) application: Arc<Value>,
    pub(crate) project: Option<Arc<Value>>,
    pub(crate) due: Due,
    /// Since when it waits.
    pub(crate) since: Instant,
    /// What of it is delivered already.
    pub(crate) progress: Progress,
    pub(crate) tried: Tried,
}

/// Configuration and destination.
type Address = (String, Destination);

#[derive(Default)]
struct Lane {
    queue: Mutex<Queue>,
    /// Something came, or the application of something that waits changed.
    changed: Notify,
}

/// Why something was not delivered, and whether that may be so for all of its lane: the destination was asked, or there is no
/// configuration. What is asked of others, such as the repository, is a matter of one alone.
struct Undelivered {
    failure: Failure,
    of_lane: bool,
}

impl From<Failure> for Undelivered {
    fn from(failure: Failure) -> Self {
        Self { failure, of_lane: true }
    }
}

pub(crate) struct Lanes {
    shared: Arc<Shared>,
    inner: Mutex<HashMap<Address, Arc<Lane>>>,
    waiting: AtomicUsize,
    tasks: TaskTracker,
    /// Ends what still runs when nobody waits for it any longer.
    broken_off: CancellationToken,
}

impl Job {
    fn address(&self) -> Address {
        (self.namespace.clone(), self.due.destination.clone())
    }
}

impl Lane {
    fn with<T>(&self, look: impl FnOnce(&mut Queue) -> T) -> T {
        look(&mut self.queue.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lanes {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            inner: Mutex::default(),
            waiting: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
            broken_off: CancellationToken::new(),
        })
    }

    /// Takes a notification; refuses it when too many wait already.
    pub(crate) fn push(self: &Arc<Self>, job: Job) -> bool {
        let address = job.address();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if self.waiting.load(Ordering::Relaxed) >= MOST {
            return false;
        }
        if let Some(lane) = inner.get(&address) {
            let taken = lane.with(|queue| queue.push(job));
            if taken {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                lane.changed.notify_one();
            }
            return taken;
        }
        let lane = Arc::new(Lane::default());
        if !lane.with(|queue| queue.push(job)) {
            return false;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        inner.insert(address.clone(), lane.clone());
        let lanes = self.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = lanes.broken_off.cancelled() => {}
                () = lanes.drive(address, lane) => {}
            }
        });
        true
    }

    /// The application of a waiting notification changed.
    pub(crate) fn wake(&self, job: &Job) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = inner.get(&job.address()) {
            lane.with(|queue| queue.wake(&job.key, &job.due.entry));
            lane.changed.notify_one();
        }
    }

    /// Waits for what is under way, and breaks off what takes too long: by then somebody else may lead.
    pub(crate) async fn ended(&self) {
        self.tasks.close();
        if tokio::time::timeout(LAST_WORDS, self.tasks.wait()).await.is_err() {
            tracing::warn!("deliveries under way were broken off");
            self.broken_off.cancel();
            self.tasks.wait().await;
        }
    }

    /// What a lane does next. Without anything that waits the lane ends, under the lock that whoever adds to it holds.
    fn next(&self, address: &Address, lane: &Lane) -> Next {
        let storm = self.storm(address);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let next = lane.with(|queue| queue.next(storm, Instant::now()));
        if matches!(next, Next::Nothing) {
            inner.remove(address);
        }
        next
    }

    /// From which number on notifications for a destination are told together.
    fn storm(&self, (namespace, destination): &Address) -> Option<usize> {
        let ready = self.shared.configs.get(namespace)?;
        let service = ready.config.services.get(&destination.service)?;
        ready.config.storm_threshold.filter(|_| storm::is_read_by_people(&service.kind))
    }

    async fn drive(&self, address: Address, lane: Arc<Lane>) {
        loop {
            let next = self.next(&address, &lane);
            if self.shared.stop.is_asked() {
                return;
            }
            match next {
                Next::Nothing => return,
                Next::Jobs(jobs) => self.attempt(&lane, jobs).await,
                Next::Rest(until) => tokio::select! {
                    () = self.shared.stop.asked() => return,
                    () = tokio::time::sleep_until(until) => {}
                    () = lane.changed.notified() => {}
                },
            }
        }
    }

    /// Tries to deliver one, or those of a storm. Whatever comes of it, they are noted, given up, or back in the lane.
    async fn attempt(&self, lane: &Lane, jobs: Vec<Job>) {
        let began = Instant::now();
        let outcome = self.deliver(&jobs).await;
        for Job { due, since, .. } in &jobs {
            let took = outcome.is_ok().then(|| since.elapsed());
            self.shared.metrics.delivery(&due.trigger, &due.destination.service, took);
        }
        let Err(Undelivered { failure, of_lane }) = outcome else {
            lane.with(Queue::delivered);
            futures::stream::iter(&jobs).for_each_concurrent(NOTES, |job| self.delivered(job)).await;
            return;
        };
        for job in &jobs {
            let said = !failure.retry || job.tried.times + 1 >= TRIES_UNTIL_SAID;
            self.failed(job, &failure, said);
        }
        if failure.retry && of_lane {
            lane.with(|queue| queue.failed(&jobs, failure.after, began));
        }
        let now = Instant::now();
        let (again, given_up): (Vec<Job>, Vec<Job>) =
            jobs.into_iter().partition(|job| failure.retry && job.goes_on(|| self.is_wanted(job), now));
        lane.with(|queue| queue.put_back(again, failure.after, began));
        for job in &given_up {
            self.given_up(job, &failure).await;
        }
    }

    /// Whether somebody waits for it still: the same application is there, or was told of as it was being deleted, and is
    /// subscribed to.
    fn is_wanted(&self, job: &Job) -> bool {
        // With a mistake in the configuration nobody knows.
        let Some(ready) = self.shared.configs.get(&job.namespace) else { return true };
        let found = self.shared.applications.get(&job.key.namespace, &job.key.name);
        let object = found.as_ref().and_then(|item| item.value());
        let (application, project) = match object.filter(|object| object.uid() == job.about.uid) {
            Some(object) => (Arc::new(object.to_value()), self.shared.project(object)),
            None if job.application.pointer("/metadata/deletionTimestamp").is_some() => {
                (job.application.clone(), job.project.clone())
            }
            None => return false,
        };
        notify::is_wanted(&ready.config, &application, project.as_deref(), &job.due)
    }

    /// Renders and sends. The configuration is the one in force now: a mistake in it may have been mended.
    async fn deliver(&self, jobs: &[Job]) -> Result<(), Undelivered> {
        let [job] = jobs else { return Ok(self.deliver_storm(jobs).await?) };
        let alone = |failure| Undelivered { failure, of_lane: false };
        let Some(ready) = self.shared.configs.get(&job.namespace) else {
            // Mistakes are mended; what is on its way is not lost for them.
            let text = format!("there is no configuration without mistakes in namespace {}", job.namespace);
            return Err(Failure::passing(text).into());
        };
        let repository = self.shared.repository(&job.application);
        let (application, project, due) = (job.application.clone(), job.project.clone(), job.due.clone());
        let config = ready.clone();
        let work = tokio::task::spawn_blocking(move || {
            let situation = Situation {
                application: &application,
                project: project.as_deref(),
                repository: &repository,
                now: Timestamp::now(),
                local: Machine::zone(),
            };
            notify::notification(&config.config, &situation, &due.templates, &due.destination, &mut Machine)
        });
        let rendered =
            work.await.map_err(|_| alone(Failure::lasting("the template could not be rendered")))?;
        let notification = rendered
            .map_err(|error| alone(Failure { message: error.message, retry: error.retry, after: None }))?;
        Ok(ready.services.go_on(&notification, &job.due.destination, &job.progress).await?)
    }

    /// Sends one notification for all of them.
    async fn deliver_storm(&self, jobs: &[Job]) -> Result<(), Failure> {
        let Some(first) = jobs.first() else { return Ok(()) };
        let ready = self.shared.configs.get(&first.namespace);
        let ready = ready.ok_or_else(|| Failure::passing("the configuration is gone"))?;
        let names: Vec<String> =
            jobs.iter().map(|job| format!("{}/{}", job.key.namespace, job.key.name)).collect();
        let digest = storm::digest(&first.due.trigger, &names);
        let (trigger, destination) = (&first.due.trigger, &first.due.destination);
        tracing::info!(trigger, %destination, "{} notifications are told as one", jobs.len());
        ready.services.send(&digest, destination).await
    }

    async fn delivered(&self, job: &Job) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let record = self.shared.records.get(&job.key);
        let mut record = record.lock().await;
        if !record.is_of(&job.about.uid) {
            return;
        }
        record.delivered(&job.due.entry, job.due.once, Timestamp::now());
        self.shared.write(&job.key, &mut record).await;
    }

    async fn given_up(&self, job: &Job, failure: &Failure) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        if failure.retry {
            let Due { trigger, destination, .. } = &job.due;
            let (what, tries) = (format!("{trigger} {destination}"), job.tried.times + 1);
            let text = format!(
                "{trigger} is given up after it could not be told to {destination} {tries} times: {}",
                failure.message
            );
            self.shared.events.warn(&job.about, "NotificationGivenUp", &what, &text);
        }
        let record = self.shared.records.get(&job.key);
        let mut record = record.lock().await;
        if record.is_of(&job.about.uid) {
            let config = self.shared.configs.get(&job.namespace);
            record.give_up(&job.due.entry, &job.progress, config.as_ref(), Instant::now());
        }
    }

    fn failed(&self, job: &Job, failure: &Failure, said: bool) {
        let resource = format!("{}/{}", job.key.namespace, job.key.name);
        tracing::error!(
            resource,
            "Failed to notify recipient {} defined in resource {resource}: {} using the configuration in namespace {}",
            job.due.destination,
            failure.message,
            job.namespace
        );
        if said {
            let Due { trigger, destination, .. } = &job.due;
            let text = format!("{trigger} could not be told to {destination}: {}", failure.message);
            let what = format!("{trigger} {destination}");
            self.shared.events.warn(&job.about, "NotificationFailed", &what, &text);
        }
    }
}
