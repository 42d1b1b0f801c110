//! What waits for one destination, in which order, and when it is tried: a state machine that neither sends nor sleeps.
//!
//! What failed goes to the end and rests by itself, longer each time; the others go on. Two different ones that fail one after the
//! other are the destination's failure: then nothing is tried for a while, longer each time, until something is delivered. Where a
//! service asks to be left alone, it is.

use crate::lanes::Job;
use crate::records::Key;
use notify::storm;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// Notifications that wait for one destination.
const MOST: usize = 10_000;
/// How long one is tried that somebody waits for, from when it became due: an outage is over by then, or is one that people
/// know of.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// How often one is tried that nobody waits for any more.
const TRIES: u32 = 10;
const FIRST_WAIT: Duration = Duration::from_secs(10);
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A change of the application asks for a try at once, but not more often than this.
const PAUSE: Duration = Duration::from_secs(2);

/// How often a job was tried in vain, and when it is tried again.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tried {
    pub(crate) times: u32,
    /// When the last try began.
    began: Option<Instant>,
    until: Option<Instant>,
}

/// What is to be done.
pub(crate) enum Next {
    /// To deliver these.
    Jobs(Vec<Job>),
    /// To ask again then, or when something came or changed.
    Rest(Instant),
    /// Nothing waits.
    Nothing,
}

/// What all of a destination rest for.
struct Rest {
    began: Instant,
    until: Instant,
    /// Whether the service asked for it.
    asked: bool,
}

#[derive(Default)]
pub(crate) struct Queue {
    jobs: VecDeque<Job>,
    rest: Option<Rest>,
    /// What failed last, with nothing delivered since.
    failed: Option<(Key, String)>,
    /// Failures of different jobs in a row.
    failures: u32,
    /// Whether the application of what is on its way changed meanwhile.
    woken: bool,
}

impl Job {
    fn is_ready(&self, now: Instant) -> bool {
        self.tried.until.is_none_or(|until| until <= now)
    }

    /// Whether it is tried again after a failure that may pass.
    pub(crate) fn goes_on(&self, is_wanted: impl FnOnce() -> bool, now: Instant) -> bool {
        let waited = now.saturating_duration_since(self.since);
        waited < LONGEST && (self.tried.times + 1 < TRIES || is_wanted())
    }
}

impl Queue {
    /// Takes something new; refuses it when too many wait already.
    pub(crate) fn push(&mut self, job: Job) -> bool {
        let room = self.jobs.len() < MOST;
        if room {
            self.jobs.push_back(job);
        }
        room
    }

    /// What to do now. From `storm` on, jobs of one trigger go together.
    pub(crate) fn next(&mut self, storm: Option<usize>, now: Instant) -> Next {
        if self.jobs.is_empty() {
            return Next::Nothing;
        }
        if let Some(rest) = self.rest.as_ref().filter(|rest| now < rest.until) {
            return Next::Rest(rest.until);
        }
        self.rest = None;
        let jobs = self.take(storm, now);
        if jobs.is_empty() {
            // What is not ready has a time.
            let until = self.jobs.iter().filter_map(|job| job.tried.until).min().unwrap_or(now);
            return Next::Rest(until);
        }
        self.woken = false;
        Next::Jobs(jobs)
    }

    /// The first that is ready; with it those of its trigger, when they are so many that they are told together.
    fn take(&mut self, storm: Option<usize>, now: Instant) -> Vec<Job> {
        let first = self.jobs.iter().position(|job| job.is_ready(now));
        let Some(first) = first.and_then(|place| self.jobs.remove(place)) else { return Vec::new() };
        let same = |job: &Job| {
            job.due.trigger == first.due.trigger
                && job.due.templates == first.due.templates
                && job.is_ready(now)
        };
        let count = self.jobs.iter().filter(|job| same(job)).count() + 1;
        if storm.is_none_or(|least| count < least) {
            return vec![first];
        }
        let (mut together, mut others) = (Vec::new(), VecDeque::new());
        for job in std::mem::take(&mut self.jobs) {
            if same(&job) && together.len() + 1 < storm::LARGEST {
                together.push(job);
            } else {
                others.push_back(job);
            }
        }
        self.jobs = others;
        together.insert(0, first);
        together
    }

    /// Something was delivered: the destination can be reached.
    pub(crate) fn delivered(&mut self) {
        (self.failed, self.failures, self.rest) = (None, 0, None);
    }

    /// The destination did not take these; `after` is what the service asked for.
    pub(crate) fn failed(&mut self, jobs: &[Job], after: Option<Duration>, began: Instant) {
        let Some(first) = jobs.first() else { return };
        let this = (first.key.clone(), first.due.entry.clone());
        let different = jobs.len() > 1 || self.failed.as_ref().is_some_and(|last| *last != this);
        self.failed = Some(this);
        if different || after.is_some() {
            let until = began + self.wait(self.failures, after);
            self.rest = Some(Rest { began, until, asked: after.is_some() });
        }
        self.failures += u32::from(different);
    }

    /// Puts at the end what is tried again.
    pub(crate) fn put_back(&mut self, jobs: Vec<Job>, after: Option<Duration>, began: Instant) {
        for mut job in jobs {
            let wait = self.wait(job.tried.times, after);
            let times = job.tried.times + 1;
            job.tried = Tried { times, began: Some(began), until: Some(began + wait) };
            self.jobs.push_back(job);
        }
    }

    /// How long something rests that was under way until now.
    fn wait(&self, failures: u32, after: Option<Duration>) -> Duration {
        if self.woken && after.is_none() { PAUSE } else { pause(failures, after) }
    }

    /// The application of a job changed, which may be what it waits for.
    pub(crate) fn wake(&mut self, key: &Key, entry: &str) {
        let job = self.jobs.iter_mut().find(|job| job.key == *key && job.due.entry == entry);
        let Some(job) = job else {
            self.woken = true;
            return;
        };
        let Tried { began, until, .. } = &mut job.tried;
        *until = began.map(|began| began + PAUSE).min(*until);
        if let Some(rest) = self.rest.as_mut().filter(|rest| !rest.asked) {
            rest.until = rest.until.min(rest.began + PAUSE);
        }
    }
}

/// How long there is a rest after so many failures before this one; what the service asked for comes first.
fn pause(failures: u32, asked: Option<Duration>) -> Duration {
    let own = FIRST_WAIT.saturating_mul(2_u32.saturating_pow(failures)).min(LONGEST_WAIT);
    asked.unwrap_or(own).max(PAUSE)
}

#[cfg(test)]
mod tests {
    use super::{MOST, Next, Queue, pause};
    use crate::events::About;
    use crate::lanes::Job;
    use crate::records::Key;
    use notify::{Destination, Due};
    use serde_json::Value;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::Instant;

    fn key(number: usize) -> Key {
        Key { namespace: "argocd".into(), name: format!("app-{number}").into() }
    }

    fn job(number: usize, trigger: &str, since: Instant) -> Job {
        let destination = Destination { service: "slack".into(), recipient: "ops".into() };
        Job {
            key: key(number),
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
            since,
            progress: deliver::Progress::default(),
            tried: super::Tried::default(),
        }
    }

    /// A queue with a clock.
    struct Bench {
        queue: Queue,
        start: Instant,
        now: Instant,
        storm: Option<usize>,
    }

    impl Bench {
        fn of(triggers: &[&str]) -> Self {
            let start = Instant::now();
            let mut queue = Queue::default();
            for (number, trigger) in triggers.iter().enumerate() {
                assert!(queue.push(job(number, trigger, start)));
            }
            Self { queue, start, now: start, storm: None }
        }

        fn at(&mut self, seconds: u64) -> &mut Self {
            self.now = self.start + Duration::from_secs(seconds);
            self
        }

        fn take(&mut self) -> Vec<Job> {
            match self.queue.next(self.storm, self.now) {
                Next::Jobs(jobs) => jobs,
                Next::Rest(_) | Next::Nothing => Vec::new(),
            }
        }

        /// Until which second there is a rest.
        fn rests(&mut self) -> Option<u64> {
            match self.queue.next(self.storm, self.now) {
                Next::Rest(until) => Some((until - self.start).as_secs()),
                Next::Jobs(_) | Next::Nothing => None,
            }
        }

        /// Takes what is next, and fails to deliver it.
        fn fails(&mut self, after: Option<u64>) -> Vec<String> {
            let (jobs, after) = (self.take(), after.map(Duration::from_secs));
            let failed = entries(&jobs);
            self.queue.failed(&jobs, after, self.now);
            self.queue.put_back(jobs, after, self.now);
            failed
        }

        fn succeeds(&mut self) -> Vec<String> {
            let jobs = self.take();
            self.queue.delivered();
            entries(&jobs)
        }
    }

    fn entries(jobs: &[Job]) -> Vec<String> {
        jobs.iter().map(|job| job.due.entry.clone()).collect()
    }

    #[test]
    fn a_rest_is_longer_each_time_and_as_long_as_it_is_asked_to_be() {
        let seconds =
            |failures, asked: Option<u64>| pause(failures, asked.map(Duration::from_secs)).as_secs();
        assert_eq!([0, 1, 2, 5, 6, 99].map(|failures| seconds(failures, None)), [10, 20, 40, 320, 600, 600]);
        assert_eq!((seconds(5, Some(7)), seconds(0, Some(0)), seconds(0, Some(3000))), (7, 2, 3000));
    }

    #[test]
    fn one_that_fails_again_and_again_holds_up_none_of_the_others() {
        let mut bench = Bench::of(&["a", "b", "c"]);
        assert_eq!(bench.fails(None), ["0"]);
        assert_eq!(bench.succeeds(), ["1"]);
        assert_eq!(bench.succeeds(), ["2"]);
        assert_eq!(bench.rests(), Some(10), "the one that failed rests");
        assert_eq!(bench.at(10).fails(None), ["0"]);
        assert!(bench.queue.push(job(3, "d", bench.start)));
        assert_eq!(bench.succeeds(), ["3"], "what comes is told at once");
        assert_eq!(bench.rests(), Some(30), "longer each time");
        assert_eq!(bench.at(30).succeeds(), ["0"]);
        assert!(matches!(bench.queue.next(None, bench.now), Next::Nothing), "nothing is lost or told twice");
    }

    #[test]
    fn two_that_fail_one_after_the_other_are_an_outage_of_the_destination() {
        let mut bench = Bench::of(&["a", "b", "c"]);
        assert_eq!(bench.fails(None), ["0"]);
        assert_eq!(bench.fails(None), ["1"]);
        assert_eq!(bench.rests(), Some(10), "the third is not tried");
        assert_eq!(bench.at(10).fails(None), ["2"]);
        assert_eq!(bench.rests(), Some(30), "longer");
        // One after the other, until one is delivered; then all go on that do not rest themselves.
        assert_eq!(bench.at(30).succeeds(), ["0"]);
        assert_eq!(bench.succeeds(), ["1"]);
        assert_eq!(bench.succeeds(), ["2"]);
        assert!(bench.rests().is_none() && bench.queue.jobs.is_empty());
    }

    #[test]
    fn a_service_that_asks_to_be_left_alone_is_whatever_changes() {
        let mut bench = Bench::of(&["a", "b"]);
        assert_eq!(bench.fails(Some(60)), ["0"]);
        assert_eq!(bench.rests(), Some(60));
        bench.queue.wake(&key(0), "0");
        assert_eq!(bench.at(59).rests(), Some(60));
        assert_eq!(bench.at(60).succeeds(), ["1"]);
        assert_eq!(bench.succeeds(), ["0"]);
    }

    #[test]
    fn a_change_of_its_application_ends_a_rest_but_not_at_every_moment() {
        let mut bench = Bench::of(&["a", "b"]);
        assert_eq!(bench.fails(None), ["0"]);
        assert_eq!(bench.fails(None), ["1"]);
        bench.queue.wake(&key(1), "1");
        assert_eq!(bench.rests(), Some(2));
        assert_eq!(bench.at(2).fails(None), ["1"], "the one whose application changed");
        // One that is under way has failed with the application as it was.
        let mut bench = Bench::of(&["a"]);
        let jobs = bench.take();
        bench.queue.wake(&key(0), "0");
        bench.queue.failed(&jobs, None, bench.now);
        bench.queue.put_back(jobs, None, bench.now);
        assert_eq!(bench.rests(), Some(2));
        assert_eq!(bench.at(2).fails(None), ["0"]);
        assert_eq!(bench.rests(), Some(22));
    }

    #[test]
    fn what_may_pass_is_tried_for_a_day_and_what_nobody_wants_a_few_times() {
        let mut bench = Bench::of(&["a"]);
        let mut second = 0;
        while second < 24 * 3600 {
            let jobs = bench.at(second).take();
            assert!(jobs[0].goes_on(|| true, bench.now), "{second}");
            assert_eq!(jobs[0].goes_on(|| false, bench.now), second < 2430, "{second}");
            bench.queue.put_back(jobs, None, bench.now);
            let next = bench.rests().expect("it rests");
            assert!(next - second <= 600, "{second}");
            second = next;
        }
        assert!(!bench.at(second).take()[0].goes_on(|| true, bench.now));
    }

    #[test]
    fn a_storm_is_told_together_and_nothing_of_it_is_lost() {
        let waiting = ["a", "b", "a", "a", "c"];
        let mut bench = Bench::of(&waiting);
        bench.storm = Some(3);
        assert_eq!(bench.succeeds(), ["0", "2", "3"]);
        assert_eq!(bench.succeeds(), ["1"]);
        assert_eq!(bench.succeeds(), ["4"]);
        assert!(bench.take().is_empty());
        // Fewer than that, or where it is switched off: one by one.
        for threshold in [Some(4), None] {
            let mut bench = Bench::of(&waiting);
            bench.storm = threshold;
            let told: Vec<String> = (0..5).flat_map(|_| bench.succeeds()).collect();
            assert_eq!(told, ["0", "1", "2", "3", "4"]);
        }
        let mut bench = Bench::of(&vec!["a"; 1200]);
        bench.storm = Some(30);
        assert_eq!(bench.take().len(), 500);
        assert_eq!((bench.queue.jobs.len(), bench.take()[0].due.entry.as_str()), (700, "500"));
    }

    #[test]
    fn a_storm_that_cannot_be_told_is_an_outage() {
        let mut bench = Bench::of(&["a", "b", "a", "a"]);
        bench.storm = Some(3);
        assert_eq!(bench.fails(None), ["0", "2", "3"]);
        assert_eq!(bench.rests(), Some(10));
        assert_eq!(bench.at(10).succeeds(), ["1"]);
        assert_eq!(bench.succeeds(), ["0", "2", "3"]);
    }

    #[test]
    fn a_full_queue_takes_nothing_until_something_of_it_is_told() {
        let mut bench = Bench::of(&vec!["a"; MOST]);
        assert!(!bench.queue.push(job(MOST, "b", bench.start)));
        assert_eq!(bench.succeeds(), ["0"]);
        assert!(bench.queue.push(job(MOST, "b", bench.start)));
        // What is tried again counts, too.
        assert_eq!(bench.fails(None), ["1"]);
        assert!(!bench.queue.push(job(MOST + 1, "b", bench.start)));
    }
}
