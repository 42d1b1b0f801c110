//! Kubernetes Events: what users see in `kubectl describe`.

use crate::error::StoreError;
use crate::store::{Store, core};
use jiff::Timestamp;
use kubernetes::WriteOptions;
use object::Object;
use serde_json::json;
use std::collections::BTreeMap;

/// One thing that happened to an object of the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRecord {
    /// API version of the object.
    pub api_version: String,
    /// Kind of the object.
    pub kind: String,
    /// Namespace of the object; the event lives there, too.
    pub namespace: String,
    /// Name of the object.
    pub name: String,
    /// Uid of the object.
    pub uid: String,
    /// Resource version of the object.
    pub resource_version: String,
    /// `ResourceCreated`, `OperationStarted`, …
    pub reason: String,
    /// What happened, in words.
    pub message: String,
    /// Whether it is a warning.
    pub warning: bool,
    /// `argocd-server`, `argocd-application-controller`, …
    pub component: String,
    /// Annotations: who, and where to.
    pub annotations: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// When.
    pub at: Timestamp,
}

/// How many events of one object may be of one moment.
const SAME_MOMENT: i128 = 16;

impl Store {
    /// Writes an event. Its name is made of the moment; where another of the same moment has it, of one beside it.
    pub async fn record_event(&self, event: &EventRecord) -> Result<(), StoreError> {
        let mut beside = 0;
        loop {
            match self.create_event(event, beside).await {
                Err(StoreError::Cluster(error)) if error.is_already_exists() && beside < SAME_MOMENT => {
                    beside += 1;
                }
                written => return written,
            }
        }
    }

    async fn create_event(&self, event: &EventRecord, beside: i128) -> Result<(), StoreError> {
        let at = event.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let object = Object::from_value(json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {
                "name": format!("{}.{:x}", event.name, event.at.as_nanosecond() + beside),
                "namespace": event.namespace,
                "annotations": event.annotations,
                "labels": event.labels,
            },
            "involvedObject": {
                "apiVersion": event.api_version, "kind": event.kind, "namespace": event.namespace,
                "name": event.name, "uid": event.uid, "resourceVersion": event.resource_version,
            },
            "source": {"component": event.component},
            "type": if event.warning { "Warning" } else { "Normal" },
            "reason": event.reason,
            "message": event.message,
            "firstTimestamp": at, "lastTimestamp": at, "count": 1,
        }))?;
        let options = WriteOptions::manager(event.component.as_str());
        self.0.cluster.create(&core("Event", "events"), &object, &options).await?;
        Ok(())
    }
}
