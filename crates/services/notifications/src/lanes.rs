//! Notifications on their way: one lane for each destination, so that one that fails, or is slow, holds up nobody else. A lane
//! keeps its order, waits longer after each failure, and ends when nothing waits in it.

use crate::Shared;
use crate::configs::Ready;
use crate::events::About;
use crate::leading::LAST_WORDS;
use crate::outside::Machine;
use crate::records::Key;
use deliver::Failure;
use futures::StreamExt as _;
use jiff::Timestamp;
use notify::{Destination, Due, Notification, Situation, storm};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
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
/// Annotations that are written at once when several were told.
const NOTES: usize = 16;
/// A change of the application asks for a try at once, but not more often than this.
const PAUSE: Duration = Duration::from_secs(2);
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
    /// Ends what still runs when nobody waits for it any longer.
    broken_off: CancellationToken,
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
            lane.woken.notify_one();
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

    /// The next jobs of a lane: one, or those of a storm. Without any the lane ends, under the lock that whoever adds to it
    /// holds.
    fn next(&self, address: &Address, lane: &Lane) -> Vec<Job> {
        let storm = self.storm(address);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let jobs = lane.jobs(|jobs| take(jobs, storm));
        if jobs.is_empty() {
            inner.remove(address);
        }
        jobs
    }

    /// From which number on notifications for a destination are told together.
    fn storm(&self, (namespace, destination): &Address) -> Option<usize> {
        let ready = self.shared.configs.get(namespace)?;
        let service = ready.config.services.get(&destination.service)?;
        ready.config.storm_threshold.filter(|_| storm::is_read_by_people(&service.kind))
    }

    async fn drive(&self, address: Address, lane: Arc<Lane>) {
        let mut failures = 0_u32;
        let mut tries = 0_u32;
        loop {
            let jobs = self.next(&address, &lane);
            if jobs.is_empty() || self.shared.stop.is_asked() {
                return;
            }
            let began = Instant::now();
            let outcome = self.deliver(&jobs).await;
            for Job { due, .. } in &jobs {
                self.shared.metrics.delivery(&due.trigger, &due.destination.service, outcome.is_ok());
            }
            let Err(failure) = outcome else {
                (failures, tries) = (0, 0);
                futures::stream::iter(&jobs).for_each_concurrent(NOTES, |job| self.delivered(job)).await;
                continue;
            };
            tries += 1;
            let said = !failure.retry || tries >= TRIES_UNTIL_SAID;
            jobs.iter().for_each(|job| self.failed(job, &failure, said));
            if !failure.retry || tries >= TRIES {
                tries = 0;
                for job in &jobs {
                    self.given_up(job).await;
                }
                if !failure.retry {
                    continue;
                }
            } else {
                lane.jobs(|waiting| jobs.into_iter().rev().for_each(|job| waiting.push_front(job)));
            }
            let until = began + pause(failures, failure.after);
            failures += 1;
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
    async fn deliver(&self, jobs: &[Job]) -> Result<(), Failure> {
        let [job] = jobs else { return self.deliver_storm(jobs).await };
        let Some(ready) = self.shared.configs.get(&job.namespace) else {
            return Err(Failure::lasting(format!(
                "there is no configuration in namespace {}",
                job.namespace
            )));
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
        let rendered = work.await.map_err(|_| Failure::lasting("the template could not be rendered"))?;
        let notification =
            rendered.map_err(|error| Failure { message: error.message, retry: error.retry, after: None })?;
        self.send(&ready, &notification, &job.due.destination).await
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
        self.send(&ready, &digest, destination).await
    }

    async fn send(
        &self,
        ready: &Ready,
        notification: &Notification,
        destination: &Destination,
    ) -> Result<(), Failure> {
        let Ok(_permit) = self.at_once.acquire().await else {
            return Err(Failure::passing("stopped"));
        };
        // Whatever stood still meanwhile: nothing is sent by one who may not be the leader any more.
        if !self.shared.held.at(Instant::now()) {
            return Err(Failure::passing("this replica does not lead any more"));
        }
        ready.services.send(notification, destination).await
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

    async fn given_up(&self, job: &Job) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let record = self.shared.records.get(&job.key);
        let mut record = record.lock().await;
        if record.is_of(&job.about.uid) {
            let config = self.shared.configs.get(&job.namespace);
            record.give_up(&job.due.entry, config.as_ref(), Instant::now());
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

/// How long a lane rests after so many failures before this one; what the service asked for comes first.
fn pause(failures: u32, asked: Option<Duration>) -> Duration {
    let own = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_WAIT);
    asked.unwrap_or(own).max(PAUSE)
}

/// The first of the jobs; with it those of its trigger, when they are so many that they are told together.
fn take(jobs: &mut VecDeque<Job>, storm: Option<usize>) -> Vec<Job> {
    let Some(first) = jobs.pop_front() else { return Vec::new() };
    let same = |job: &Job| job.due.trigger == first.due.trigger && job.due.templates == first.due.templates;
    let count = jobs.iter().filter(|job| same(job)).count() + 1;
    if storm.is_none_or(|least| count < least) {
        return vec![first];
    }
    let (mut together, mut others) = (Vec::new(), VecDeque::new());
    for job in std::mem::take(jobs) {
        if same(&job) && together.len() + 1 < storm::LARGEST {
            together.push(job);
        } else {
            others.push_back(job);
        }
    }
    *jobs = others;
    together.insert(0, first);
    together
}

#[cfg(test)]
mod tests {
    use super::{Job, pause, take};
    use crate::events::About;
    use crate::records::Key;
    use notify::{Destination, Due};
    use serde_json::Value;
    use std::collections::VecDeque;
    use std::sync::Arc;
    use std::time::Duration;

    fn job(number: usize, trigger: &str) -> Job {
        let destination = Destination { service: "slack".into(), recipient: "ops".into() };
        Job {
            key: Key { namespace: "argocd".into(), name: format!("app-{number}").into() },
            about: About {
                api_version: String::new(),
                kind: String::new(),
                namespace: String::new(),
                name: String::new(),
                uid: String::new(),
                resource_version: String::new(),
            },
            namespace: "argocd".into(),
            application: Arc::new(Value::Null),
            project: None,
            due: Due {
                entry: number.to_string(),
                trigger: trigger.into(),
                condition: String::new(),
                once: false,
                destination,
                templates: vec!["t".into()],
            },
        }
    }

    fn entries(jobs: impl IntoIterator<Item = Job>) -> Vec<String> {
        jobs.into_iter().map(|job| job.due.entry).collect()
    }

    #[test]
    fn a_lane_that_fails_rests_longer_each_time_and_as_long_as_it_is_asked_to() {
        let seconds =
            |failures, asked: Option<u64>| pause(failures, asked.map(Duration::from_secs)).as_secs();
        assert_eq!([0, 1, 2, 5, 6, 99].map(|failures| seconds(failures, None)), [10, 20, 40, 320, 600, 600]);
        assert_eq!((seconds(5, Some(7)), seconds(0, Some(0)), seconds(0, Some(3000))), (7, 2, 3000));
    }

    #[test]
    fn a_storm_is_told_together_and_nothing_of_it_is_lost() {
        let waiting =
            || -> VecDeque<Job> { [job(0, "a"), job(1, "b"), job(2, "a"), job(3, "a"), job(4, "c")].into() };
        let mut jobs = waiting();
        assert_eq!(entries(take(&mut jobs, Some(3))), ["0", "2", "3"]);
        assert_eq!(entries(take(&mut jobs, Some(3))), ["1"]);
        assert_eq!(entries(take(&mut jobs, Some(3))), ["4"]);
        assert!(take(&mut jobs, Some(3)).is_empty());
        // Fewer than that, or where it is switched off: one by one.
        for threshold in [Some(4), None] {
            let mut jobs = waiting();
            assert_eq!(entries(take(&mut jobs, threshold)), ["0"]);
            assert_eq!(entries(jobs), ["1", "2", "3", "4"]);
        }
        let mut many: VecDeque<Job> = (0..1200).map(|number| job(number, "a")).collect();
        assert_eq!(take(&mut many, Some(30)).len(), 500);
        assert_eq!((many.len(), many[0].due.entry.as_str()), (700, "500"));
    }
}
