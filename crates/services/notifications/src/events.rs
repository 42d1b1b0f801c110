//! What went wrong, where users look: Kubernetes events on applications and on ConfigMaps. Each is written at most once in a
//! while; where the role forbids events, as the original's does, the log has to do.

use boot::stop::Stop;
use jiff::Timestamp;
use object::Object;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use store::{EventRecord, Store, StoreError};
use tokio::sync::Notify;
use tokio::time::Instant;

/// The same is said again after so long.
const PAUSE: Duration = Duration::from_secs(600);
/// How many things are remembered that were said, and how many wait to be.
const MOST_SAID: usize = 10_000;
const MOST_WAITING: usize = 1_000;
/// Events in a row; the API server has other work.
const BETWEEN: Duration = Duration::from_millis(100);
/// Bytes of a message, as Kubernetes takes them.
const LONGEST: usize = 1_000;

/// What is to be said, and what was.
#[derive(Default)]
pub(crate) struct Events {
    inner: Mutex<Inner>,
    more: Notify,
}

#[derive(Default)]
struct Inner {
    said: HashMap<String, Instant>,
    waiting: VecDeque<EventRecord>,
}

/// The object an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) resource_version: String,
}

impl About {
    pub(crate) fn of(object: &Object) -> Self {
        Self {
            api_version: object.api_version().to_owned(),
            kind: object.kind().to_owned(),
            namespace: object.namespace().to_owned(),
            name: object.name().to_owned(),
            uid: object.uid().to_owned(),
            resource_version: object.resource_version().to_owned(),
        }
    }
}

impl Events {
    /// Something is wrong. `what` names it: the same is not said again for a while. No message holds a secret.
    pub(crate) fn warn(&self, about: &About, reason: &str, what: &str, message: &str) {
        self.warn_at(about, reason, what, message, Instant::now());
    }

    fn warn_at(&self, about: &About, reason: &str, what: &str, message: &str, now: Instant) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let said = format!("{}/{}/{}/{reason}/{what}", about.kind, about.namespace, about.name);
        if !inner.is_new(said, now) || inner.waiting.len() >= MOST_WAITING {
            return;
        }
        let end = (0..=LONGEST.min(message.len())).rev().find(|end| message.is_char_boundary(*end));
        inner.waiting.push_back(EventRecord {
            api_version: about.api_version.clone(),
            kind: about.kind.clone(),
            namespace: about.namespace.clone(),
            name: about.name.clone(),
            uid: about.uid.clone(),
            resource_version: about.resource_version.clone(),
            reason: reason.to_owned(),
            message: message.get(..end.unwrap_or(0)).unwrap_or_default().to_owned(),
            warning: true,
            component: "argocd-notifications-controller".to_owned(),
            annotations: BTreeMap::new(),
            labels: BTreeMap::new(),
            at: Timestamp::now(),
        });
        drop(inner);
        self.more.notify_one();
    }

    fn next(&self) -> Option<EventRecord> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).waiting.pop_front()
    }

    /// Writes what there is to say until it is to stop.
    pub(crate) async fn write(&self, store: &Store, stop: &Stop) {
        let mut forbidden = false;
        loop {
            let more = self.more.notified();
            let Some(event) = self.next() else {
                tokio::select! {
                    () = stop.asked() => return,
                    () = more => continue,
                }
            };
            match store.record_event(&event).await {
                Err(StoreError::Cluster(error)) if error.is_forbidden() => {
                    if !std::mem::replace(&mut forbidden, true) {
                        tracing::warn!(
                            "events cannot be written: let the role create events, and mistakes are seen at \
                             applications, too"
                        );
                    }
                }
                Err(error) => tracing::debug!(%error, "an event was not written"),
                Ok(()) => {}
            }
            tokio::select! {
                () = stop.asked() => return,
                () = tokio::time::sleep(BETWEEN) => {}
            }
        }
    }
}

impl Inner {
    fn is_new(&mut self, what: String, now: Instant) -> bool {
        if self.said.len() >= MOST_SAID {
            self.said.retain(|_, at| now.duration_since(*at) < PAUSE);
        }
        if self.said.get(&what).is_some_and(|at| now.duration_since(*at) < PAUSE) {
            return false;
        }
        if self.said.len() < MOST_SAID {
            self.said.insert(what, now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_said_once_in_a_while_and_all_of_it_is_limited() {
        let (events, now) = (Events::default(), Instant::now());
        let about = About {
            api_version: "argoproj.io/v1alpha1".into(),
            kind: "Application".into(),
            namespace: "argocd".into(),
            name: "guestbook".into(),
            uid: "u".into(),
            resource_version: "5".into(),
        };
        let say = |what: &str, message: &str, second: u64| {
            let now = now + Duration::from_secs(second);
            events.warn_at(&about, "NotificationFailed", what, message, now);
        };
        say("on-a {slack x}", &"ä".repeat(900), 0);
        say("on-a {slack x}", "again", 599);
        say("on-a {slack y}", "another", 599);
        let first = events.next().expect("an event");
        assert!(first.warning && first.message.len() == LONGEST, "{}", first.message.len());
        assert_eq!(events.next().expect("an event").message, "another");
        assert!(events.next().is_none());
        say("on-a {slack x}", "again", 600);
        assert_eq!(events.next().expect("an event").message, "again");
        for number in 0..2 * MOST_WAITING {
            say(&number.to_string(), "much", 600);
        }
        assert_eq!(std::iter::from_fn(|| events.next()).count(), MOST_WAITING);
    }
}
