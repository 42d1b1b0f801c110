//! What the tests of deliveries share: the application of the recordings.

use notify::{Config, Destination, Notification, Repository, Situation, notification};
use serde_json::{Value, json};
use std::sync::Arc;

/// The revision of the recordings.
pub const REVISION: &str = "4444444444444444444444444444444444444444";

/// An application to tell about.
pub struct Application(pub Value);

impl Application {
    /// That of the recordings.
    #[must_use]
    pub fn recorded() -> Self {
        Self(json!({
            "metadata": {"name": "notif", "namespace": "argocd", "labels": {"fire": "1"}},
            "spec": {"project": "default", "source": {"repoURL": "https://github.example/org/repo.git"}},
            "status": {
                "sync": {"status": "Synced", "revision": REVISION},
                "health": {"status": "Healthy"},
                "operationState": {"phase": "Succeeded", "syncResult": {"revision": REVISION}},
            },
        }))
    }

    /// A template, rendered for a destination.
    pub fn notification(
        &self,
        config: &Config,
        template: &str,
        destination: &Destination,
    ) -> Result<Notification, String> {
        let author = "Fixture <fixture@example.com>";
        let repository = Repository {
            commit: Arc::new(move |_| Ok(notify::commit("a message", author, None, &[]))),
            details: Arc::new(|_| Err("no details here".to_owned())),
        };
        let now = jiff::Timestamp::now();
        let zone = notify::Zone::Utc;
        let situation =
            Situation { application: &self.0, project: None, repository: &repository, now, local: &zone };
        let templates = [template.to_owned()];
        let rendered = notification(config, &situation, &templates, destination, &mut gotemplate::Nowhere);
        rendered.map_err(|error| error.message)
    }
}
