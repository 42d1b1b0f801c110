//! What the cluster cache keeps of each live object for applications.

use crate::rules::Rules;
use api::names::IGNORE_RESOURCE_UPDATES;
use cluster_cache::{Extract, Extracted, Implied};
use health::HealthStatus;
use object::{Object, marked_application};
use serde_json::Value;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, RwLock};
use tree::{InfoOptions, NodeInfo};

/// What is kept of every live object.
#[derive(Debug)]
pub(crate) struct LiveInfo {
    pub(crate) node: NodeInfo,
    pub(crate) health: Option<HealthStatus>,
}

/// Reads objects by the rules in force; shared with whoever changes the rules.
#[derive(Clone)]
pub(crate) struct LiveExtract(pub(crate) Arc<RwLock<Arc<Rules>>>);

impl Extract for LiveExtract {
    type Info = LiveInfo;

    fn extract(&self, object: &Object) -> Extracted<LiveInfo> {
        let rules = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        let tracking = &rules.tracking;
        let application =
            marked_application(object, tracking.method, &tracking.label_key, &tracking.installation_id);
        let options = InfoOptions { labels: &rules.labels.shown, node_labels: &rules.labels.node_labels };
        let health = rules.checks.health(object);
        let info = LiveInfo { node: tree::node_info(object, options), health };
        let implied = tree::implied_owners(object).into_iter().map(|owner| Implied {
            group: owner.group.into(),
            kind: owner.kind.into(),
            name: owner.name,
        });
        let heeds = application.is_some() || object.annotation(IGNORE_RESOURCE_UPDATES) == Some("true");
        let rest = if heeds { rules.updates.0.without_ignored(object) } else { None };
        Extracted {
            application: application.map(|application| application.as_str().to_owned()),
            projection: projection(rest.as_ref().unwrap_or(object), &info),
            implied: implied.collect(),
            info,
        }
    }
}

/// Hashes what a comparison, a health check or the tree can see: a heartbeat in a status is none of it.
fn projection(object: &Object, info: &LiveInfo) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (name, value) in &object.0 {
        match name.as_str() {
            "status" => {}
            "metadata" => metadata(value, &mut hasher),
            _ => {
                name.hash(&mut hasher);
                value.to_string().hash(&mut hasher);
            }
        }
    }
    object.int_at(&["status", "observedGeneration"]).hash(&mut hasher);
    format!("{:?}{:?}", info.health, info.node).hash(&mut hasher);
    hasher.finish()
}

fn metadata(metadata: &Value, hasher: &mut DefaultHasher) {
    for (name, value) in metadata.as_object().into_iter().flatten() {
        if !matches!(name.as_str(), "managedFields" | "resourceVersion" | "generation") {
            name.hash(hasher);
            value.to_string().hash(hasher);
        }
    }
}
