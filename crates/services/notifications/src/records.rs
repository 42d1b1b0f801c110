//! What is known of each application: what was told, what is on its way. The annotation is the truth between processes; within
//! one, this is, because it is ahead of what the watch has seen.

use jiff::Timestamp;
use notify::{NOTIFIED, State};
use object::Object;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex as Latch, PoisonError};
use tokio::sync::Mutex;

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
    /// Whether something could not be sent.
    pub(crate) unsent: bool,
}

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

    /// Applications that something could not be sent for, or whose annotation is behind.
    pub(crate) fn unsettled(&self) -> Vec<Key> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let unsettled = inner
            .iter()
            .filter(|(_, record)| record.try_lock().is_ok_and(|record| record.unsent || record.is_behind()));
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
        if once || self.current.contains(entry) {
            self.state.told(entry, now);
        }
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

    #[test]
    fn what_ended_before_it_was_delivered_may_be_told_again() {
        let mut record = Record::default();
        record.seen(&object("5", None));
        record.delivered("gone", false, Timestamp::UNIX_EPOCH);
        record.delivered("once", true, Timestamp::UNIX_EPOCH);
        assert!(!record.state.has("gone") && record.state.has("once"));
    }
}
