//! What was told already, as the original keeps it in an annotation of the application: both can take over from each
//! other.

use crate::triggers::Outcome;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The annotation.
pub const NOTIFIED: &str = "notified.notifications.argoproj.io";
/// How many entries are kept; what is true now stays beyond that.
const LONGEST: usize = 100;

/// Whom to tell: a service by its name, and who is asked for there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination {
    /// The service's name.
    pub service: String,
    /// A channel, an address, a name in the service's settings; empty where the service needs none.
    pub recipient: String,
}

impl std::fmt::Display for Destination {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{{{} {}}}", self.service, self.recipient)
    }
}

/// Times of deliveries (seconds of Unix) by what was delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    entries: BTreeMap<String, i64>,
}

impl State {
    /// Reads the annotation; what cannot be read says nothing, as in the original.
    pub fn parse(text: &str) -> Self {
        let read: Result<BTreeMap<String, i64>, _> = serde_json::from_str(text);
        Self { entries: read.unwrap_or_default() }
    }

    /// The annotation; nothing where it goes away.
    pub fn annotation(&self) -> Option<String> {
        if self.entries.is_empty() {
            return None;
        }
        let entries = self.entries.iter().map(|(key, time)| (key.clone(), Value::from(*time)));
        Some(object::to_go_json(&Value::Object(entries.collect())))
    }

    /// Whether that was told.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// It was told now.
    pub fn told(&mut self, key: &str, now: jiff::Timestamp) {
        self.entries.insert(key.to_owned(), now.as_second());
    }

    /// It may be told again. Says whether that is new.
    pub fn forget(&mut self, key: &str) -> bool {
        self.entries.remove(key).is_some()
    }

    /// What was told of entries of that name, whatever they are true once per.
    pub(crate) fn of<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s String> {
        self.entries.keys().filter(move |key| is_of(key, name))
    }

    /// Forgets the oldest entries beyond the limit, but none of those that are true now: they would be told again.
    pub fn truncate(&mut self, current: &BTreeSet<String>) {
        let excess = self.entries.len().saturating_sub(LONGEST);
        let mut old: Vec<(i64, String)> = self
            .entries
            .iter()
            .filter(|(key, _)| !current.contains(*key))
            .map(|(key, time)| (*time, key.clone()))
            .collect();
        old.sort();
        for (_, key) in old.into_iter().take(excess) {
            self.entries.remove(&key);
        }
    }
}

/// The name of an entry. `namespace` is that of a configuration of users' own.
pub fn entry(namespace: Option<&str>, trigger: &str, outcome: &Outcome, destination: &Destination) -> String {
    let mut key = format!("{trigger}:{}:{}:{}", outcome.key, destination.service, destination.recipient);
    if let Some(namespace) = namespace {
        key = format!("{namespace}:{key}");
    }
    match outcome.once_per.as_str() {
        "" => key,
        value => format!("{value}:{key}"),
    }
}

/// Whether an entry is the one of that name, or that one for some value it is true once per.
pub(crate) fn is_of(entry: &str, name: &str) -> bool {
    entry.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_what_is_true_now_stays() {
        let mut state = State::default();
        for number in 0..105 {
            state.told(&format!("k{number:03}"), jiff::Timestamp::from_second(number).expect("a time"));
        }
        state.truncate(&["k000".to_owned()].into());
        assert!(state.has("k000") && !state.has("k005") && state.has("k006"));
        assert_eq!(state.entries.len(), 100);
    }

    #[test]
    fn an_annotation_that_is_no_state_says_nothing() {
        for text in ["", "null", "[]", "{\"a\":\"b\"}", "{"] {
            assert_eq!(State::parse(text), State::default(), "{text}");
        }
        let text = r#"{"r1:on-once:[0].6A:plain:":5}"#;
        assert_eq!(State::parse(text).annotation().as_deref(), Some(text));
    }
}
