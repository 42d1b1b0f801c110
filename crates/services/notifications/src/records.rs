//! What is known of each application: what was told, what is on its way. The annotation is the truth between processes; within
//! one, this is, because it is ahead of what the watch has seen.

use crate::configs::Ready;
use deliver::Progress;
use jiff::Timestamp;
use notify::{NOTIFIED, State};
use object::Object;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex as Latch, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// Namespace and name of an application.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

/// One application.
#[derive(Default)]
pub(crate) struct Record {
    uid: String,
    /// What was told.
    pub(crate) state: State,
    /// What its annotation was when it was last written or read.
    text: Option<String>,
    /// The version of that.
    version: u64,
    /// Entries that are true now.
    pub(crate) current: BTreeSet<String>,
    /// Entries on their way.
    pub(crate) pending: BTreeSet<String>,
    /// Whether something found no place among what waits.
    pub(crate) refused: bool,
    /// Whether something could not be evaluated, and is to be again.
    pub(crate) unknown: bool,
    /// Entries that were given up, and when they are tried again.
    given_up: BTreeMap<String, GivenUp>,
}

/// A notification that could not be delivered.
struct GivenUp {
    /// How often it was given up.
    times: u32,
    until: Instant,
    /// The configuration it failed with: another one may have mended it.
    config: Weak<Ready>,
    /// What of it is delivered already: that is not done again.
    progress: Progress,
}

/// The pause after a notification is given up for the first time; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// All of them.
#[derive(Default)]
pub(crate) struct Records {
    inner: Latch<HashMap<Key, Arc<Mutex<Record>>>>,
}

impl Records {
    pub(crate) fn get(&self, key: &Key) -> Arc<Mutex<Record>> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.entry(key.clone()).or_default().clone()
    }

    pub(crate) fn forget(&self, key: &Key) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Applications that something is to be tried again for, or whose annotation is behind.
    pub(crate) fn unsettled(&self, now: Instant) -> Vec<Key> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let unsettled =
            inner.iter().filter(|(_, record)| record.try_lock().is_ok_and(|record| record.is_unsettled(now)));
        unsettled.map(|(key, _)| key.clone()).collect()
    }
}

impl Record {
    /// Takes in what the application's annotation says, unless that is older than what was written.
    pub(crate) fn seen(&mut self, object: &Object) {
        let version = object.resource_version().parse().unwrap_or(0);
        let text = object.annotation(NOTIFIED).map(str::to_owned);
        if self.uid != object.uid() {
            // What is on its way for one of that name before is told all the same, and not noted here.
            *self = Self { uid: object.uid().to_owned(), ..Self::default() };
        } else if version <= self.version || text == self.text {
            return;
        }
        self.state = State::parse(text.as_deref().unwrap_or_default());
        self.text = text;
        self.version = version;
    }

    /// Whether it is of that application.
    pub(crate) fn is_of(&self, uid: &str) -> bool {
        self.uid == uid
    }

    /// Something was delivered. What is no longer true may be told again, unless it is true once per some value.
    pub(crate) fn delivered(&mut self, entry: &str, once: bool, now: Timestamp) {
        self.pending.remove(entry);
        self.given_up.remove(entry);
        if once || self.current.contains(entry) {
            self.state.told(entry, now);
        }
    }

    fn is_unsettled(&self, now: Instant) -> bool {
        self.refused || self.unknown || self.given_up.values().any(|one| one.until <= now) || self.is_behind()
    }

    /// It could not be delivered: it rests, longer each time, and goes on then from where it is.
    pub(crate) fn give_up(
        &mut self,
        entry: &str,
        progress: &Progress,
        config: Option<&Arc<Ready>>,
        now: Instant,
    ) {
        self.pending.remove(entry);
        let times = self.given_up.get(entry).map_or(0, |before| before.times);
        let pause = FIRST_PAUSE.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST_PAUSE);
        let config = config.map(Arc::downgrade).unwrap_or_default();
        let (times, progress) = (times.saturating_add(1), progress.clone());
        let given_up = GivenUp { times, until: now + pause, config, progress };
        self.given_up.insert(entry.to_owned(), given_up);
    }

    /// How far the delivery of something came that was given up.
    pub(crate) fn progress(&self, entry: &str) -> Progress {
        self.given_up.get(entry).map(|one| one.progress.clone()).unwrap_or_default()
    }

    /// Whether it was given up and is not to be tried again yet.
    pub(crate) fn rests(&self, entry: &str, config: &Arc<Ready>, now: Instant) -> bool {
        let known = self.given_up.get(entry);
        known.is_some_and(|one| now < one.until && Weak::as_ptr(&one.config) == Arc::as_ptr(config))
    }

    /// Forgets pauses of what is no longer true: when it is true again, it is told from the beginning.
    pub(crate) fn settle(&mut self) {
        let current = &self.current;
        self.given_up.retain(|entry, _| current.contains(entry));
    }

    /// Whether the annotation says less than is known.
    pub(crate) fn is_behind(&self) -> bool {
        self.state.annotation() != self.text
    }

    /// The annotation as it is to be; `None` when it is so already.
    pub(crate) fn unwritten(&mut self) -> Option<Option<String>> {
        self.state.truncate(&self.current);
        let text = self.state.annotation();
        (text != self.text).then_some(text)
    }

    /// It was written.
    pub(crate) fn written(&mut self, text: Option<String>, object: &Object) {
        self.text = text;
        self.version = object.resource_version().parse().unwrap_or(self.version);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(version: &str, annotation: Option<&str>) -> Object {
        let mut annotations = serde_json::Map::new();
        if let Some(text) = annotation {
            annotations.insert(NOTIFIED.to_owned(), text.into());
        }
        Object::from_value(json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {
            "name": "a", "uid": "u", "resourceVersion": version, "annotations": annotations,
        }}))
        .expect("an object")
    }

    #[test]
    fn an_older_sight_does_not_take_back_what_was_told() {
        let mut record = Record::default();
        record.seen(&object("5", None));
        record.current.insert("a".to_owned());
        record.delivered("a", false, Timestamp::UNIX_EPOCH);
        let text = record.unwritten().expect("to be written");
        record.written(text.clone(), &object("9", None));
        record.seen(&object("6", None));
        assert!(record.state.has("a") && record.unwritten().is_none());
        record.seen(&object("9", text.as_deref()));
        assert!(record.state.has("a"));
        record.seen(&object("11", None));
        assert!(!record.state.has("a"), "somebody took the annotation away");
    }

    fn ready() -> Arc<Ready> {
        let world = deliver::World::new(BTreeMap::new());
        let ready = Ready::new(&BTreeMap::new(), BTreeMap::new(), notify::Origin::default(), &world);
        Arc::new(ready.expect("a configuration"))
    }

    #[test]
    fn what_fails_rests_longer_each_time_until_the_configuration_is_another() {
        let (mut record, config, began) = (Record::default(), ready(), Instant::now());
        record.current.insert("a".to_owned());
        let at = |second: u64| began + Duration::from_secs(second);
        record.pending.insert("a".to_owned());
        record.give_up("a", &Progress::default(), Some(&config), at(0));
        assert!(record.pending.is_empty());
        assert!(record.rests("a", &config, at(59)) && !record.is_unsettled(at(59)));
        assert!(!record.rests("a", &config, at(60)) && record.is_unsettled(at(60)));
        record.give_up("a", &Progress::default(), Some(&config), at(60));
        assert!(record.rests("a", &config, at(179)) && !record.rests("a", &config, at(180)));
        assert!(!record.rests("a", &ready(), at(61)), "what was wrong may have been mended");
        for _ in 0..40 {
            record.give_up("a", &Progress::default(), Some(&config), at(0));
        }
        assert!(record.rests("a", &config, at(3599)) && !record.rests("a", &config, at(3600)));
        // What was true and is not begins anew.
        record.current.clear();
        record.settle();
        record.give_up("a", &Progress::default(), Some(&config), at(0));
        assert!(!record.rests("a", &config, at(60)));
        record.delivered("a", true, Timestamp::UNIX_EPOCH);
        assert!(!record.rests("a", &config, at(1)));
    }

    #[test]
    fn what_was_given_up_goes_on_from_where_it_is_as_long_as_it_is_true() {
        let (mut record, config, now) = (Record::default(), ready(), Instant::now());
        record.current.insert("a".to_owned());
        let first = record.progress("a");
        first.done("comment");
        record.give_up("a", &first, Some(&config), now);
        record.settle();
        let second = record.progress("a");
        assert!(second.is_done("comment") && !record.progress("b").is_done("comment"));
        second.done("status");
        record.give_up("a", &second, Some(&config), now);
        assert!(record.progress("a").is_done("comment") && record.progress("a").is_done("status"));
        // What ends and comes again is told anew, and so is the next after one that was told.
        record.current.clear();
        record.settle();
        assert!(!record.progress("a").is_done("comment"));
        record.give_up("a", &second, Some(&config), now);
        record.delivered("a", true, Timestamp::UNIX_EPOCH);
        assert!(!record.progress("a").is_done("comment"));
    }

    #[test]
    fn what_found_no_place_is_looked_at_again() {
        let (records, now) = (Records::default(), Instant::now());
        let key = Key { namespace: "argocd".into(), name: "a".into() };
        let record = records.get(&key);
        assert!(records.unsettled(now).is_empty());
        record.try_lock().expect("nobody looks").refused = true;
        assert_eq!(records.unsettled(now), std::slice::from_ref(&key));
        // A look begins with that, and says anew whether there was room.
        record.try_lock().expect("nobody looks").refused = false;
        assert!(records.unsettled(now).is_empty());
    }

    #[test]
    fn what_ended_before_it_was_delivered_may_be_told_again() {
        let mut record = Record::default();
        record.seen(&object("5", None));
        record.delivered("gone", false, Timestamp::UNIX_EPOCH);
        record.delivered("once", true, Timestamp::UNIX_EPOCH);
        assert!(!record.state.has("gone") && record.state.has("once"));
    }
}
