//! What stands between the answer and the work: a bounded line of repositories. The first push to a repository is given out
//! at once; what comes while it rests is kept together, so that a burst costs one fetch.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::event::{Event, PullRequest, Push, RefChange, RegistryPush};
use crate::locator::{RepositoryKey, normalized_oci};

/// Most files that a coalesced change lists; with more, every file may differ.
const FILES: usize = 10_000;

/// Something to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Job {
    /// Refs of one repository moved; each ref is named once.
    Push(Push),
    /// Tags of one registry repository were pushed.
    Registry(Vec<RegistryPush>),
    /// A pull request changed.
    PullRequest(PullRequest),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// It waits.
    Queued,
    /// It joined one that waits.
    Coalesced,
    /// Nothing to do.
    Ignored,
    /// No room: it is lost, and the sender must be told.
    Full,
}

/// Addresses, in one spelling and in order.
type JobKey = Vec<String>;

struct Waiting {
    due: Timestamp,
    number: u64,
    jobs: Work,
}

enum Work {
    Push(Push),
    Registry(BTreeMap<String, RegistryPush>),
    PullRequest(PullRequest),
}

/// The line.
pub struct Queue {
    capacity: usize,
    rest: SignedDuration,
    size: usize,
    next_number: u64,
    waiting: BTreeMap<JobKey, Waiting>,
    order: BTreeMap<(Timestamp, u64), JobKey>,
    resting: BTreeMap<JobKey, Timestamp>,
    rest_order: VecDeque<(Timestamp, JobKey)>,
}

impl Queue {
    /// A line with room for so many refs and tags, in which a repository rests for a while after each job.
    pub fn new(capacity: usize, rest: SignedDuration) -> Self {
        Self {
            capacity,
            rest,
            size: 0,
            next_number: 0,
            waiting: BTreeMap::new(),
            order: BTreeMap::new(),
            resting: BTreeMap::new(),
            rest_order: VecDeque::new(),
        }
    }

    /// How many refs, tags and pull requests wait.
    pub fn len(&self) -> usize {
        self.size
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// When the next job is due; [`Queue::next`] gives nothing before.
    pub fn wake(&self) -> Option<Timestamp> {
        self.order.keys().next().map(|(due, _)| *due)
    }

    /// Takes an event in. All of it, or none when there is no room.
    pub fn push(&mut self, event: Event, now: Timestamp) -> Pushed {
        let works = match event {
            Event::Ignored(_) => return Pushed::Ignored,
            Event::Push(push) => vec![(push.key(), Work::Push(push))],
            Event::PullRequest(pull) => vec![(pull_key(&pull), Work::PullRequest(pull))],
            Event::Registry(pushes) => by_repository(pushes),
        };
        let growth: usize = works.iter().map(|(key, work)| self.growth(key, work)).sum();
        if self.size.saturating_add(growth) > self.capacity {
            return Pushed::Full;
        }
        let mut answer = Pushed::Coalesced;
        for (key, work) in works {
            if self.put(key, work, now) {
                answer = Pushed::Queued;
            }
        }
        answer
    }

    /// The job that has been due longest.
    pub fn next(&mut self, now: Timestamp) -> Option<Job> {
        while let Some((until, _)) = self.rest_order.front()
            && *until <= now
        {
            let Some((until, key)) = self.rest_order.pop_front() else { break };
            if self.resting.get(&key) == Some(&until) {
                self.resting.remove(&key);
            }
        }
        let first = self.order.first_entry().filter(|entry| entry.key().0 <= now)?;
        let key = first.remove();
        let waiting = self.waiting.remove(&key).expect("what is in order is waiting");
        self.size -= waiting.jobs.size();
        let until = now.saturating_add(self.rest).unwrap_or(now);
        if until > now {
            self.resting.insert(key.clone(), until);
            self.rest_order.push_back((until, key));
        }
        Some(match waiting.jobs {
            Work::Push(push) => Job::Push(push),
            Work::Registry(pushes) => Job::Registry(pushes.into_values().collect()),
            Work::PullRequest(pull) => Job::PullRequest(pull),
        })
    }

    /// How much longer the line would get.
    fn growth(&self, key: &JobKey, work: &Work) -> usize {
        match (self.waiting.get(key).map(|waiting| &waiting.jobs), work) {
            (Some(Work::Push(old)), Work::Push(new)) => {
                let known: BTreeSet<&str> =
                    old.changes.iter().map(|change| change.revision.as_str()).collect();
                new.changes.iter().filter(|change| !known.contains(change.revision.as_str())).count()
            }
            (Some(Work::Registry(old)), Work::Registry(new)) => {
                new.keys().filter(|tag| !old.contains_key(*tag)).count()
            }
            (Some(Work::PullRequest(_)), Work::PullRequest(_)) => 0,
            _ => work.size(),
        }
    }

    /// Whether it waits on its own.
    fn put(&mut self, key: JobKey, work: Work, now: Timestamp) -> bool {
        let Some(waiting) = self.waiting.get_mut(&key) else {
            let due = self.resting.get(&key).copied().filter(|until| *until > now).unwrap_or(now);
            let number = self.next_number;
            self.next_number += 1;
            let mut work = work;
            if let Work::Push(push) = &mut work {
                push.changes = merged(std::mem::take(&mut push.changes), Vec::new());
            }
            self.size += work.size();
            self.order.insert((due, number), key.clone());
            self.waiting.insert(key, Waiting { due, number, jobs: work });
            return true;
        };
        debug_assert!(self.order.contains_key(&(waiting.due, waiting.number)), "what waits is in order");
        self.size -= waiting.jobs.size();
        match (&mut waiting.jobs, work) {
            (Work::Push(old), Work::Push(new)) => {
                old.changes = merged(std::mem::take(&mut old.changes), new.changes);
            }
            (Work::Registry(old), Work::Registry(new)) => old.extend(new),
            (Work::PullRequest(old), Work::PullRequest(mut new)) => {
                new.moved |= old.moved;
                *old = new;
            }
            (old, new) => *old = new,
        }
        self.size += waiting.jobs.size();
        false
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Queue")
            .field("size", &self.size)
            .field("wake", &self.wake())
            .finish_non_exhaustive()
    }
}

impl Work {
    fn size(&self) -> usize {
        match self {
            Self::Push(push) => push.changes.len(),
            Self::Registry(pushes) => pushes.len(),
            Self::PullRequest(_) => 1,
        }
    }
}

impl Push {
    /// What pushes share that become one while they wait, and their job with them: the addresses of their repository, in one
    /// spelling and order.
    pub fn key(&self) -> Vec<String> {
        let spelled = |url: &String| {
            RepositoryKey::from_web_url(url).map_or_else(|_| url.clone(), |key| key.to_string())
        };
        let addresses: BTreeSet<String> = self.web_urls.iter().map(spelled).collect();
        std::iter::once("git".to_owned()).chain(addresses).collect()
    }
}

fn pull_key(pull: &PullRequest) -> JobKey {
    let number = pull.number.to_string();
    ["pull", &pull.address, &pull.owner, &pull.repository, &number].map(str::to_owned).to_vec()
}

fn by_repository(pushes: Vec<RegistryPush>) -> Vec<(JobKey, Work)> {
    let mut repositories: BTreeMap<String, BTreeMap<String, RegistryPush>> = BTreeMap::new();
    for push in pushes {
        repositories.entry(normalized_oci(&push.url())).or_default().insert(push.tag.clone(), push);
    }
    let work = |(address, pushes)| (vec!["registry".to_owned(), address], Work::Registry(pushes));
    repositories.into_iter().map(work).collect()
}

/// Each ref once: from where the first push found it to where the last one left it.
fn merged(old: Vec<RefChange>, new: Vec<RefChange>) -> Vec<RefChange> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut result: Vec<RefChange> = Vec::with_capacity(old.len() + new.len());
    for change in old.into_iter().chain(new) {
        match places.get(&change.revision) {
            None => {
                places.insert(change.revision.clone(), result.len());
                result.push(change);
            }
            Some(place) => {
                let known = &mut result[*place];
                known.after = change.after;
                known.touched_head |= change.touched_head;
                known.files = union(known.files.take(), change.files);
            }
        }
    }
    result
}

fn union(old: Option<Vec<String>>, new: Option<Vec<String>>) -> Option<Vec<String>> {
    let files: BTreeSet<String> = old?.into_iter().chain(new?).collect();
    (files.len() <= FILES).then(|| files.into_iter().collect())
}
