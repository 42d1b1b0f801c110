//! The controller's comparison: what Git says, and what is known of the cluster.

use crate::world::World;
use api::codes::{HealthStatusCode, SyncStatusCode};
use api::v1alpha1::{Application, ApplicationCondition};
use compare::Comparison;
use object::{Object, ResourceKey};
use std::collections::{BTreeMap, BTreeSet};

/// What the sources said, or why they could not be asked.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The manifests.
    pub objects: Result<Vec<Object>, String>,
    /// The revision they are of.
    pub revisions: Vec<String>,
}

/// A comparison, with what it was made from.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The comparison.
    pub comparison: Comparison,
    /// What was wrong.
    pub conditions: Vec<ApplicationCondition>,
    /// The revision compared to.
    pub revisions: Vec<String>,
}

impl World {
    /// Asks Git.
    pub(crate) fn load(&self, revisions: &[String]) -> Loaded {
        if self.api.down {
            return Loaded {
                objects: Err("the destination cannot be reached".into()),
                revisions: Vec::new(),
            };
        }
        match self.git.load(revisions.first().map_or("", String::as_str)) {
            Ok((objects, revision)) => Loaded { objects: Ok(objects), revisions: vec![revision] },
            Err(reason) => Loaded { objects: Err(reason), revisions: Vec::new() },
        }
    }

    /// Compares what was loaded with what is live, as far as the controller knows.
    pub(crate) fn compare(&self, application: &Application, loaded: Loaded) -> Compared {
        let serves = |kind: &object::GroupVersionKind| self.api.serves(kind);
        let Loaded { objects, revisions } = loaded;
        self.given.with(application, &serves, self.now, |facts| {
            let targets = compare::targets(objects, facts);
            let lives = self.lives(&targets);
            self.check_comparison(compare::compare(targets, lives, facts), revisions)
        })
    }

    fn check_comparison(
        &self,
        (comparison, conditions): (Comparison, Vec<ApplicationCondition>),
        revisions: Vec<String>,
    ) -> Compared {
        for resource in &comparison.resources {
            if resource.status != Some(SyncStatusCode::Synced) {
                continue;
            }
            let says = match (&resource.live, &resource.target) {
                (Some(live), Some(target)) => {
                    crate::fields::says(&live.to_value(), &self.counted(said(target)))
                }
                _ => false,
            };
            if !says {
                self.violated(format!("{} is called Synced and is not what Git says", resource.key));
            }
        }
        Compared { comparison, conditions, revisions }
    }

    /// The live objects of the application, by the rules of the service.
    fn lives(&self, targets: &compare::Targets) -> Result<BTreeMap<ResourceKey, Object>, String> {
        let cache = &self.controller.cache;
        let method = self.given.tracking.method;
        let mut lives = cache.managed(&self.given.instance, method)?;
        let wanted: Vec<&Object> = targets.resources.iter().chain(targets.all_hooks()).collect();
        let kinds: BTreeSet<&str> = lives
            .keys()
            .map(|key| key.kind.as_str())
            .chain(wanted.iter().map(|target| target.kind()))
            .collect();
        kinds.into_iter().try_for_each(|kind| cache.require(kind))?;
        for target in wanted {
            let key = target.key();
            if key.name.is_empty() || lives.contains_key(&key) || self.api.serves(&target.gvk()).is_none() {
                continue;
            }
            let found = match cache.known_live(&key, method) {
                Some(known) => known,
                None => self.api.read(&key).map_err(|failure| failure.message)?,
            };
            if let Some(found) = found {
                lives.insert(key, found);
            }
        }
        Ok(lives)
    }
}

/// What a target says, without what a cluster need not keep of it.
fn said(target: &Object) -> serde_json::Value {
    let mut said = target.clone();
    said.metadata_mut().remove("generateName");
    said.to_value()
}

/// A comparison that says nothing.
pub(crate) fn unknown(message: &str, now: jiff::Timestamp) -> Compared {
    let comparison = Comparison {
        sync: SyncStatusCode::Unknown,
        health: HealthStatusCode::Unknown,
        health_message: String::new(),
        resources: Vec::new(),
        hooks: Vec::new(),
        pre_delete_hooks: Vec::new(),
        post_delete_hooks: Vec::new(),
        failed: true,
        live_known: false,
    };
    let condition = project::condition(api::codes::ConditionType::ComparisonError, message, now);
    Compared { comparison, conditions: vec![condition], revisions: Vec::new() }
}
