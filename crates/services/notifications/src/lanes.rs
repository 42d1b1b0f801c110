//! Notifications on their way: one lane for each destination, so that one that fails, or is slow, holds up nobody else. A lane
//! keeps its order, waits longer after each failure, and ends when nothing waits in it.

use crate::Shared;
use crate::outside::Machine;
use crate::records::Key;
use crate::repository::repository;
use deliver::Failure;
use jiff::Timestamp;
use notify::{Destination, Due, Situation};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// Deliveries at once.
const AT_ONCE: usize = 64;
/// Notifications that wait for one destination, and altogether.
const MOST_IN_LANE: usize = 10_000;
const MOST: usize = 100_000;
/// How often one is tried before it is left to the next look.
const TRIES: u32 = 10;
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A change of the application asks for a try at once, but not more often than this.
const PAUSE: Duration = Duration::from_secs(2);
/// How long deliveries under way may take when everything stops.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// One notification on its way.
pub(crate) struct Job {
    pub(crate) key: Key,
    /// Uid of the application: another one of its name has nothing to do with this.
    pub(crate) uid: String,
    /// The namespace of the configuration.
    pub(crate) namespace: String,
    /// The application as it was when this became due: that is what is told.
    pub(crate) application: Arc<Value>,
    pub(crate) project: Option<BTreeMap<String, String>>,
    pub(crate) due: Due,
}

/// Configuration and destination.
type Address = (String, Destination);

#[derive(Default)]
struct Lane {
    jobs: Mutex<VecDeque<Job>>,
    woken: Notify,
}

pub(crate) struct Lanes {
    shared: Arc<Shared>,
    inner: Mutex<HashMap<Address, Arc<Lane>>>,
    at_once: Semaphore,
    waiting: AtomicUsize,
    tasks: TaskTracker,
}

impl Job {
    fn address(&self) -> Address {
        (self.namespace.clone(), self.due.destination.clone())
    }
}

impl Lane {
    fn jobs<T>(&self, look: impl FnOnce(&mut VecDeque<Job>) -> T) -> T {
        look(&mut self.jobs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Lanes {
    pub(crate) fn new(shared: Arc<Shared>) -> Arc<Self> {
        Arc::new(Self {
            shared,
            inner: Mutex::default(),
            at_once: Semaphore::new(AT_ONCE),
            waiting: AtomicUsize::new(0),
            tasks: TaskTracker::new(),
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
            let taken = lane.jobs(|jobs| {
                let room = jobs.len() < MOST_IN_LANE;
                if room {
                    jobs.push_back(job);
                }
                room
            });
            if taken {
                self.waiting.fetch_add(1, Ordering::Relaxed);
            }
            return taken;
        }
        let lane = Arc::new(Lane::default());
        lane.jobs(|jobs| jobs.push_back(job));
        self.waiting.fetch_add(1, Ordering::Relaxed);
        inner.insert(address.clone(), lane.clone());
        let lanes = self.clone();
        self.tasks.spawn(async move { lanes.drive(address, lane).await });
        true
    }

    /// The application of a waiting notification changed.
    pub(crate) fn wake(&self, job: &Job) {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = inner.get(&job.address()) {
            lane.woken.notify_one();
        }
    }

    /// Waits for what is under way.
    pub(crate) async fn ended(&self) {
        self.tasks.close();
        if tokio::time::timeout(LAST_WORDS, self.tasks.wait()).await.is_err() {
            tracing::warn!("deliveries under way were not waited for any longer");
        }
    }

    /// The next job of a lane; without one the lane ends, under the lock that whoever adds to it holds.
    fn next(&self, address: &Address, lane: &Lane) -> Option<Job> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let job = lane.jobs(VecDeque::pop_front);
        if job.is_none() {
            inner.remove(address);
        }
        job
    }

    async fn drive(&self, address: Address, lane: Arc<Lane>) {
        let mut failures = 0_u32;
        let mut tries = 0_u32;
        while let Some(job) = self.next(&address, &lane) {
            if self.shared.stop.is_asked() {
                return;
            }
            let began = Instant::now();
            let outcome = self.deliver(&job).await;
            let due = &job.due;
            self.shared.metrics.delivery(&due.trigger, &due.destination.service, outcome.is_ok());
            let Err(failure) = outcome else {
                (failures, tries) = (0, 0);
                self.delivered(&job).await;
                continue;
            };
            tries += 1;
            self.failed(&job, &failure);
            if !failure.retry || tries >= TRIES {
                tries = 0;
                self.given_up(&job).await;
                if !failure.retry {
                    continue;
                }
            } else {
                lane.jobs(|jobs| jobs.push_front(job));
            }
            let wait = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_WAIT);
            failures += 1;
            let until = began + failure.after.unwrap_or(wait).max(PAUSE);
            tokio::select! {
                () = self.shared.stop.asked() => return,
                () = tokio::time::sleep_until(until) => {}
                () = self.woken(&lane, began + PAUSE), if failure.after.is_none() => {}
            }
        }
    }

    async fn woken(&self, lane: &Lane, earliest: Instant) {
        lane.woken.notified().await;
        tokio::time::sleep_until(earliest).await;
    }

    /// Renders and sends. The configuration is the one in force now: a mistake in it may have been mended.
    async fn deliver(&self, job: &Job) -> Result<(), Failure> {
        let Some(ready) = self.shared.configs.get(&job.namespace) else {
            return Err(Failure::lasting(format!(
                "there is no configuration in namespace {}",
                job.namespace
            )));
        };
        let repository = repository(&self.shared.store, &self.shared.repo_server, &job.application);
        let (application, project, due) = (job.application.clone(), job.project.clone(), job.due.clone());
        let config = ready.clone();
        let work = tokio::task::spawn_blocking(move || {
            let situation = Situation {
                application: &application,
                project: project.as_ref(),
                repository: &repository,
                now: Timestamp::now(),
            };
            notify::notification(&config.config, &situation, &due.templates, &due.destination, &mut Machine)
        });
        let notification =
            work.await.map_err(|_| Failure::lasting("the template could not be rendered"))??;
        let Ok(_permit) = self.at_once.acquire().await else {
            return Err(Failure::passing("stopped"));
        };
        ready.services.send(&notification, &job.due.destination).await
    }

    async fn delivered(&self, job: &Job) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let record = self.shared.records.get(&job.key);
        let mut record = record.lock().await;
        if !record.is_of(&job.uid) {
            return;
        }
        record.delivered(&job.due.entry, job.due.once, Timestamp::now());
        self.shared.write(&job.key, &mut record).await;
    }

    async fn given_up(&self, job: &Job) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let record = self.shared.records.get(&job.key);
        let mut record = record.lock().await;
        if !record.is_of(&job.uid) {
            return;
        }
        record.pending.remove(&job.due.entry);
        record.unsent = true;
    }

    fn failed(&self, job: &Job, failure: &Failure) {
        let resource = format!("{}/{}", job.key.namespace, job.key.name);
        tracing::error!(
            resource,
            "Failed to notify recipient {} defined in resource {resource}: {} using the configuration in namespace {}",
            job.due.destination,
            failure.message,
            job.namespace
        );
    }
}
