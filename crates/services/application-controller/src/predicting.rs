//! Comparing by dry runs: what the API server would make of the targets. Each question is asked once for a target and
//! the version of its live object, whoever compares, at whichever revision; a refusal holds for a moment.

use crate::Controller;
use crate::clusters::Destination;
use crate::queue::Key;
use crate::situation::Situation;
use api::v1alpha1::Application;
use compare::Targets;
use diff::FIELD_MANAGER;
use kubernetes::{ApplyOptions, Cluster};
use object::{Object, ResourceKey};
use std::collections::BTreeMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How long a refusal is believed. What it is due to may be mended without a change of target or live object.
const REFUSAL_HOLDS: Duration = Duration::from_secs(10);
/// Answers kept for one object: of the revision that is synced, and of the one that is looked at meanwhile.
const KEPT: usize = 2;
/// Comparisons that an answer outlives without being used.
const IDLE: u64 = 4;

/// Answers to dry runs, kept for who asks the same again.
#[derive(Debug, Default)]
pub(crate) struct Predictions {
    known: BTreeMap<ResourceKey, Vec<Kept>>,
    comparisons: u64,
}

#[derive(Debug)]
struct Kept {
    /// Of the target, the version of the live object, and in whose name was asked.
    about: u64,
    answer: Result<Object, String>,
    until: Option<Instant>,
    used: u64,
}

/// Answers, and what counts of them.
#[derive(Clone)]
pub(crate) struct Predicted {
    pub(crate) predictions: BTreeMap<ResourceKey, Result<Object, String>>,
    /// Whether what admission webhooks change counts.
    pub(crate) with_webhooks: bool,
}

impl Predictions {
    /// The answer to a question: the one that is kept, or a new one.
    async fn answer(
        &mut self,
        key: &ResourceKey,
        about: u64,
        now: Instant,
        ask: impl AsyncFnOnce() -> Result<Object, String>,
    ) -> Result<Object, String> {
        let used = self.comparisons;
        let known = self.known.entry(key.clone()).or_default();
        known.retain(|kept| kept.until.is_none_or(|until| now < until));
        if let Some(kept) = known.iter_mut().find(|kept| kept.about == about) {
            kept.used = used;
            return kept.answer.clone();
        }
        let answer = ask().await;
        let until = answer.is_err().then(|| now + REFUSAL_HOLDS);
        known.sort_by_key(|kept| std::cmp::Reverse(kept.used));
        known.truncate(KEPT - 1);
        known.push(Kept { about, answer: answer.clone(), until, used });
        answer
    }

    /// A comparison begins: what was of no use to the last ones goes.
    fn begin(&mut self) {
        self.comparisons += 1;
        let oldest = self.comparisons.saturating_sub(IDLE);
        for known in self.known.values_mut() {
            known.retain(|kept| kept.used >= oldest);
        }
        self.known.retain(|_, known| !known.is_empty());
    }
}

impl Controller {
    /// Asks what the targets would become whose objects are live, in the name of whoever would write them.
    pub(crate) async fn predict(
        &self,
        application: &Application,
        situation: &Situation,
        destination: &Destination,
        targets: &Targets,
        lives: &BTreeMap<ResourceKey, Object>,
    ) -> BTreeMap<ResourceKey, Result<Object, String>> {
        let metadata = &application.metadata;
        let key = Key::new(&*metadata.namespace, &*metadata.name);
        let asked = || targets.resources.iter().filter_map(|it| Some((it, lives.get(&it.key())?)));
        let cluster = match self.acting(application, situation, destination) {
            Ok(cluster) => cluster,
            Err(reason) => return asked().map(|(it, _)| (it.key(), Err(reason.clone()))).collect(),
        };
        let predictions = self.memories().with(&key, |memory| memory.predictions.clone());
        // Whoever compares the same application meanwhile waits, and finds the answers.
        let mut predictions = predictions.lock().await;
        predictions.begin();
        let mut found = BTreeMap::new();
        for (target, live) in asked() {
            let about = self.hash(|hasher| {
                (target.to_value().to_string(), live.uid(), live.resource_version()).hash(hasher);
                (&situation.cluster.server, cluster.user()).hash(hasher);
            });
            let ask = async || {
                let _permit = destination.write_permit().await;
                dry_run(&cluster, target).await
            };
            let answer = predictions.answer(&target.key(), about, Instant::now(), ask).await;
            found.insert(target.key(), answer);
        }
        found
    }
}

async fn dry_run(cluster: &Cluster, target: &Object) -> Result<Object, String> {
    let options = ApplyOptions::prediction(FIELD_MANAGER);
    let asked = async {
        let resource = cluster.resource(&target.gvk()).await?;
        cluster.apply(&resource, target, &options).await
    };
    asked.await.map(|applied| applied.object).map_err(|error| error.message())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Server {
        calls: Cell<usize>,
        refuses: bool,
        now: Instant,
    }

    impl Server {
        fn new(refuses: bool) -> Self {
            Self { calls: Cell::new(0), refuses, now: Instant::now() }
        }

        async fn compare(&self, predictions: &mut Predictions, abouts: &[(&str, u64)], after: u64) -> usize {
            let before = self.calls.get();
            predictions.begin();
            for (name, about) in abouts {
                let key = ResourceKey::new("", "ConfigMap", "n", *name);
                let ask = async || {
                    self.calls.set(self.calls.get() + 1);
                    if self.refuses { Err("no".to_owned()) } else { Ok(Object::default()) }
                };
                let now = self.now + Duration::from_secs(after);
                let answer = predictions.answer(&key, *about, now, ask).await;
                assert_eq!(answer.is_err(), self.refuses);
            }
            self.calls.get() - before
        }
    }

    #[tokio::test]
    async fn a_question_is_asked_once_for_a_target_and_a_live_version() {
        let (server, mut predictions) = (Server::new(false), Predictions::default());
        assert_eq!(server.compare(&mut predictions, &[("a", 1), ("b", 1)], 0).await, 2);
        assert_eq!(server.compare(&mut predictions, &[("a", 1), ("b", 1)], 9_000).await, 0);
        assert_eq!(server.compare(&mut predictions, &[("a", 2), ("b", 1)], 0).await, 1, "one changed");
    }

    #[tokio::test]
    async fn two_revisions_that_are_compared_in_turns_ask_once_each() {
        let (server, mut predictions) = (Server::new(false), Predictions::default());
        assert_eq!(server.compare(&mut predictions, &[("a", 1), ("b", 1)], 0).await, 2);
        assert_eq!(server.compare(&mut predictions, &[("a", 2)], 0).await, 1, "another revision, without b");
        for _ in 0..3 {
            assert_eq!(server.compare(&mut predictions, &[("a", 1), ("b", 1)], 0).await, 0);
            assert_eq!(server.compare(&mut predictions, &[("a", 2)], 0).await, 0);
        }
    }

    #[tokio::test]
    async fn a_refusal_holds_for_a_moment() {
        let (server, mut predictions) = (Server::new(true), Predictions::default());
        assert_eq!(server.compare(&mut predictions, &[("a", 1)], 0).await, 1);
        assert_eq!(server.compare(&mut predictions, &[("a", 1)], 9).await, 0);
        assert_eq!(server.compare(&mut predictions, &[("a", 1)], 10).await, 1);
    }

    #[tokio::test]
    async fn what_is_of_no_use_any_more_is_not_kept() {
        let (server, mut predictions) = (Server::new(false), Predictions::default());
        for about in 0..100 {
            assert_eq!(server.compare(&mut predictions, &[("a", about), ("gone", about)], 0).await, 2);
        }
        assert!(predictions.known.values().all(|known| known.len() <= KEPT));
        for _ in 0..=IDLE {
            server.compare(&mut predictions, &[("a", 99)], 0).await;
        }
        assert_eq!(predictions.known.len(), 1);
    }
}
