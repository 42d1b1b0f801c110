//! Application and what a user writes in its spec, save the source.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{ListMeta, ObjectMeta};
use crate::v1alpha1::{ApplicationSource, ApplicationStatus, Operation, SourceHydrator};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A set of Kubernetes objects, where their manifests come from, and where they go.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct Application {
    /// Standard metadata of Kubernetes objects.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ObjectMeta,
    /// What is wanted: sources, destination, and how to sync.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: ApplicationSpec,
    /// What was last observed; written by the controller.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub status: ApplicationStatus,
    /// An operation that is asked for or under way; removed when it ends.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub operation: Option<Operation>,
}

/// A list of Applications.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "items"]))]
pub struct ApplicationList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<Application>,
}

/// A change of an Application, as a watch tells it.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "application"]))]
pub struct ApplicationWatchEvent {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// The Application after the change.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub application: Application,
}

/// What is wanted of an Application.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["destination", "project"]))]
pub struct ApplicationSpec {
    /// Where the manifests come from, when there is one source.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub source: Option<ApplicationSource>,
    /// The cluster and namespace the objects go to.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub destination: ApplicationDestination,
    /// The project the Application belongs to; empty means `default`.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// When and how a sync happens.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_policy: Option<SyncPolicy>,
    /// Fields whose differences are not counted as drift.
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_differences: Vec<ResourceIgnoreDifferences>,
    /// Facts and links shown with the Application.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub info: Vec<Info>,
    /// How many entries of the history are kept; 10 when not said.
    #[prost(int64, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub revision_history_limit: Option<i64>,
    /// Where the manifests come from, when there are several sources; takes the place of `source`.
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// Renders a dry source into a branch first, and syncs from there; takes the place of `source`.
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub source_hydrator: Option<SourceHydrator>,
}

impl ApplicationSpec {
    /// Whether it has a list of sources: revisions and results are lists then, too.
    pub fn has_several_sources(&self) -> bool {
        self.source_hydrator.is_none() && !self.sources.is_empty()
    }

    /// What is synced; with a hydrator, the branch it pushes to.
    pub fn effective_sources(&self) -> Vec<ApplicationSource> {
        match &self.source_hydrator {
            Some(hydrator) => vec![hydrator.sync()],
            None if self.sources.is_empty() => self.source.iter().cloned().collect(),
            None => self.sources.clone(),
        }
    }

    /// The first of what is synced.
    pub fn first_source(&self) -> Option<Cow<'_, ApplicationSource>> {
        match &self.source_hydrator {
            Some(hydrator) => Some(Cow::Owned(hydrator.sync())),
            None => self.sources.first().or(self.source.as_ref()).map(Cow::Borrowed),
        }
    }

    /// What is synced, where that is not a list of sources.
    pub fn only_source(&self) -> Option<ApplicationSource> {
        self.first_source().filter(|_| !self.has_several_sources()).map(Cow::into_owned)
    }

    /// The list of sources, where there is one.
    pub fn several_sources(&self) -> &[ApplicationSource] {
        if self.has_several_sources() { &self.sources } else { &[] }
    }
}

/// A cluster, by URL or by name, and a namespace.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationDestination {
    /// URL of the cluster's API server; excludes `name`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server: String,
    /// Namespace for objects that name none.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Name of the cluster as registered; excludes `server`.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// When and how a sync happens.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncPolicy {
    /// Sync without being asked when the Application is out of sync.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub automated: Option<SyncPolicyAutomated>,
    /// Options for the whole sync, such as `CreateNamespace=true`.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_options: Vec<String>,
    /// How a failed sync is tried again.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub retry: Option<RetryStrategy>,
    /// Labels and annotations for the namespace that `CreateNamespace=true` makes.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
}

/// How far syncing without being asked may go.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncPolicyAutomated {
    /// Delete objects that are no longer in the source.
    #[prost(bool, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub prune: Option<bool>,
    /// Sync also when the cluster changed and the source did not.
    #[prost(bool, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub self_heal: Option<bool>,
    /// Permit a sync that would delete every object.
    #[prost(bool, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub allow_empty: Option<bool>,
    /// Whether automated sync is on; it is when not said.
    #[prost(bool, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub enabled: Option<bool>,
}

/// How often and how soon a failed sync is tried again.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryStrategy {
    /// Number of further attempts; negative means no limit, 0 none.
    #[prost(int64, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub limit: i64,
    /// The time between attempts.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub backoff: Option<Backoff>,
    /// Take the newest revision for the next attempt instead of the one that failed.
    #[prost(bool, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub refresh: bool,
}

/// Time between attempts that grows with each.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Backoff {
    /// Time before the first further attempt, such as `5s`; a plain number is seconds.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub duration: String,
    /// What the time is multiplied by after each attempt.
    #[prost(int64, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub factor: Option<i64>,
    /// The longest time between two attempts.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub max_duration: String,
}

/// Labels and annotations of a namespace.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedNamespaceMetadata {
    /// Labels to set.
    #[prost(btree_map = "string, string", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// Annotations to set.
    #[prost(btree_map = "string, string", tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
}

/// Names objects, and the fields of theirs that are ignored when comparing.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["kind"]))]
pub struct ResourceIgnoreDifferences {
    /// API group of the objects; empty is the core group.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// Kind of the objects.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// Name of the one object; empty means all.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Namespace of the objects; empty means all.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Fields as JSON pointers (RFC 6901).
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub json_pointers: Vec<String>,
    /// Fields as jq path expressions.
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jq_path_expressions: Vec<String>,
    /// Field managers whose fields are ignored.
    #[prost(string, repeated, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub managed_fields_managers: Vec<String>,
}

/// A name and a value shown with an Application.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct Info {
    /// What it is about.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// What is shown; a URL becomes a link.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub value: String,
}
