//! How long it takes from a push until an application has it: told from what the controller writes, which the api-server watches
//! anyway. Only commits that senders name can be followed.

use api::v1alpha1::Application;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;
use webhook::ApplicationKey;

/// Whoever has not got there by then is not followed any longer.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Applications that are followed.
const MOST: usize = 10_000;

/// How far an application got with a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// A sync of the commit began.
    Started,
    /// It succeeded.
    Synced,
    /// The application is healthy with it.
    Healthy,
}

impl Stage {
    const ALL: [Self; 3] = [Self::Started, Self::Synced, Self::Healthy];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Synced => "synced",
            Self::Healthy => "healthy",
        }
    }

    /// How far an application is with a commit.
    fn of(application: &Application, commit: &str) -> Option<Self> {
        let state = application.status.operation_state.as_ref()?;
        let result = state.sync_result.as_ref()?;
        let is_it = result.revision == commit || result.revisions.iter().any(|revision| revision == commit);
        if !is_it {
            return None;
        }
        let is_synced = state.phase == "Succeeded";
        let is_healthy = application.status.health.status == "Healthy"
            && application.status.sync.status == "Synced"
            && (application.status.sync.revision == commit
                || application.status.sync.revisions.iter().any(|revision| revision == commit));
        Some(match (is_synced, is_healthy) {
            (false, _) => Self::Started,
            (true, false) => Self::Synced,
            (true, true) => Self::Healthy,
        })
    }
}

struct Followed {
    commit: String,
    pushed: Instant,
    reached: Option<Stage>,
}

/// Pushes that applications are on their way to have.
#[derive(Default)]
pub(super) struct Pushes(BTreeMap<ApplicationKey, Followed>);

impl Pushes {
    /// A commit was pushed that an application follows. A newer push takes the older one's place.
    pub(super) fn put(&mut self, application: &ApplicationKey, commit: &str, pushed: Instant) {
        if commit.is_empty() || commit.bytes().all(|byte| byte == b'0') {
            return;
        }
        if self.0.len() >= MOST {
            self.0.retain(|_, followed| pushed.duration_since(followed.pushed) < PATIENCE);
        }
        if self.0.get(application).is_some_and(|known| known.commit == commit) {
            return;
        }
        if self.0.len() < MOST || self.0.contains_key(application) {
            let followed = Followed { commit: commit.to_owned(), pushed, reached: None };
            self.0.insert(application.clone(), followed);
        }
    }

    /// What an application reached now, and how long that took.
    pub(super) fn seen(
        &mut self,
        key: &ApplicationKey,
        application: &Application,
        now: Instant,
    ) -> Vec<(Stage, Duration)> {
        let Some(followed) = self.0.get_mut(key) else { return Vec::new() };
        let took = now.duration_since(followed.pushed);
        if took > PATIENCE {
            self.0.remove(key);
            return Vec::new();
        }
        let Some(stage) = Stage::of(application, &followed.commit) else { return Vec::new() };
        let before = followed.reached;
        followed.reached = before.max(Some(stage));
        let new = Stage::ALL.into_iter().filter(|one| *one <= stage && Some(*one) > before);
        let new = new.map(|one| (one, took)).collect();
        if stage == Stage::Healthy {
            self.0.remove(key);
        }
        new
    }

    /// An application is gone.
    pub(super) fn forget(&mut self, key: &ApplicationKey) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn application(phase: &str, revision: &str, sync: &str, health: &str) -> Application {
        serde_json::from_value(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "a"},
            "spec": {"project": "default", "destination": {}},
            "status": {
                "sync": {"status": sync, "revision": revision}, "health": {"status": health},
                "operationState": {
                    "phase": phase, "operation": {}, "startedAt": "2026-01-01T00:00:00Z",
                    "syncResult": {"revision": revision, "source": {"repoURL": "r"}},
                },
            },
        }))
        .expect("an application")
    }

    #[test]
    fn an_application_is_followed_until_it_is_healthy_with_the_commit() {
        let key = ApplicationKey { namespace: "argocd".into(), name: "a".into() };
        let (mut pushes, began) = (Pushes::default(), Instant::now());
        let seen = |pushes: &mut Pushes, second: u64, application: &Application| {
            let found = pushes.seen(&key, application, began + Duration::from_secs(second));
            found.into_iter().map(|(stage, took)| (stage.name(), took.as_secs())).collect::<Vec<_>>()
        };
        let healthy = application("Succeeded", "c1", "Synced", "Healthy");
        assert!(seen(&mut pushes, 0, &healthy).is_empty(), "nothing was pushed");
        pushes.put(&key, "c1", began);
        pushes.put(&key, "c1", began + Duration::from_secs(1));
        assert!(seen(&mut pushes, 1, &application("Succeeded", "c0", "Synced", "Healthy")).is_empty());
        assert_eq!(
            seen(&mut pushes, 2, &application("Running", "c1", "OutOfSync", "Healthy")),
            [("started", 2)]
        );
        assert!(seen(&mut pushes, 3, &application("Running", "c1", "OutOfSync", "Healthy")).is_empty());
        let late = application("Succeeded", "c1", "Synced", "Progressing");
        assert_eq!(seen(&mut pushes, 4, &late), [("synced", 4)]);
        assert_eq!(seen(&mut pushes, 9, &healthy), [("healthy", 9)]);
        assert!(seen(&mut pushes, 10, &healthy).is_empty(), "once for each push");
        // What was not seen in between is told with the last.
        pushes.put(&key, "c1", began);
        assert_eq!(seen(&mut pushes, 7, &healthy), [("started", 7), ("synced", 7), ("healthy", 7)]);
        pushes.put(&key, "c1", began);
        assert!(seen(&mut pushes, 3601, &healthy).is_empty(), "nobody waits that long");
        for nothing in ["", "0000000000000000000000000000000000000000"] {
            pushes.put(&key, nothing, began);
        }
        assert!(pushes.0.is_empty());
    }
}
