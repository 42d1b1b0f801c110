//! Comparing by dry runs: what the API server would make of the targets. Each question is asked once for a target and
//! the version of its live object; refusals are asked again.

use crate::Controller;
use crate::clusters::Destination;
use crate::effects::FIELD_MANAGER;
use crate::queue::Key;
use api::v1alpha1::Application;
use compare::Targets;
use kubernetes::{ApplyOptions, Cluster, DryRun, Method};
use object::{Object, ResourceKey};
use std::collections::BTreeMap;
use std::hash::Hash;

/// Answers by object: of which target and version, and what it would become.
pub(crate) type Predictions = BTreeMap<ResourceKey, (u64, Object)>;

/// Answers, and what counts of them.
#[derive(Clone)]
pub(crate) struct Predicted {
    pub(crate) predictions: BTreeMap<ResourceKey, Result<Object, String>>,
    /// Whether what admission webhooks change counts.
    pub(crate) with_webhooks: bool,
}

impl Controller {
    /// Asks what the targets would become whose objects are live.
    pub(crate) async fn predict(
        &self,
        application: &Application,
        destination: &Destination,
        targets: &Targets,
        lives: &BTreeMap<ResourceKey, Object>,
    ) -> BTreeMap<ResourceKey, Result<Object, String>> {
        let metadata = &application.metadata;
        let key = Key::new(&*metadata.namespace, &*metadata.name);
        let known = self.memories().with(&key, |memory| std::mem::take(&mut memory.predictions));
        let (mut kept, mut found) = (Predictions::new(), BTreeMap::new());
        for target in &targets.resources {
            let Some(live) = lives.get(&target.key()) else { continue };
            let about = self.hash(|hasher| {
                (target.to_value().to_string(), live.uid(), live.resource_version()).hash(hasher);
            });
            let answer = match known.get(&target.key()).filter(|(of, _)| *of == about) {
                Some((_, answer)) => Ok(answer.clone()),
                None => {
                    let _permit = self.effect_permit().await;
                    dry_run(destination.cache.cluster(), target).await
                }
            };
            if let Ok(answer) = &answer {
                kept.insert(target.key(), (about, answer.clone()));
            }
            found.insert(target.key(), answer);
        }
        self.memories().with(&key, |memory| memory.predictions = kept);
        found
    }
}

async fn dry_run(cluster: &Cluster, target: &Object) -> Result<Object, String> {
    let options = ApplyOptions {
        method: Method::ServerSide,
        field_manager: FIELD_MANAGER.into(),
        dry_run: DryRun::Server,
        validate: false,
        ..ApplyOptions::default()
    };
    let asked = async {
        let resource = cluster.resource(&target.gvk()).await?;
        cluster.apply(&resource, target, &options).await
    };
    asked.await.map(|applied| applied.object).map_err(|error| error.message())
}
