//! Application and what a user writes in its spec, save the source.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{ListMeta, ObjectMeta};
use crate::v1alpha1::{ApplicationSource, ApplicationStatus, Operation, SourceHydrator};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC Application
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct Application {
    /// DOC Application.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ObjectMeta,
    /// DOC Application.spec
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: ApplicationSpec,
    /// DOC Application.status
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub status: ApplicationStatus,
    /// DOC Application.operation
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub operation: Option<Operation>,
}

/// DOC ApplicationList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "items"]))]
pub struct ApplicationList {
    /// DOC ApplicationList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC ApplicationList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<Application>,
}

/// DOC ApplicationWatchEvent
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "application"]))]
pub struct ApplicationWatchEvent {
    /// DOC ApplicationWatchEvent.type
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// DOC ApplicationWatchEvent.application
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub application: Application,
}

/// DOC ApplicationSpec
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["destination", "project"]))]
pub struct ApplicationSpec {
    /// DOC ApplicationSpec.source
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub source: Option<ApplicationSource>,
    /// DOC ApplicationSpec.destination
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub destination: ApplicationDestination,
    /// DOC ApplicationSpec.project
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// DOC ApplicationSpec.syncPolicy
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_policy: Option<SyncPolicy>,
    /// DOC ApplicationSpec.ignoreDifferences
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_differences: Vec<ResourceIgnoreDifferences>,
    /// DOC ApplicationSpec.info
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub info: Vec<Info>,
    /// DOC ApplicationSpec.revisionHistoryLimit
    #[prost(int64, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub revision_history_limit: Option<i64>,
    /// DOC ApplicationSpec.sources
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// DOC ApplicationSpec.sourceHydrator
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub source_hydrator: Option<SourceHydrator>,
}

/// DOC ApplicationDestination
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationDestination {
    /// DOC ApplicationDestination.server
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server: String,
    /// DOC ApplicationDestination.namespace
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ApplicationDestination.name
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// DOC SyncPolicy
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncPolicy {
    /// DOC SyncPolicy.automated
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub automated: Option<SyncPolicyAutomated>,
    /// DOC SyncPolicy.syncOptions
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_options: Vec<String>,
    /// DOC SyncPolicy.retry
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub retry: Option<RetryStrategy>,
    /// DOC SyncPolicy.managedNamespaceMetadata
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
}

/// DOC SyncPolicyAutomated
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncPolicyAutomated {
    /// DOC SyncPolicyAutomated.prune
    #[prost(bool, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub prune: Option<bool>,
    /// DOC SyncPolicyAutomated.selfHeal
    #[prost(bool, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub self_heal: Option<bool>,
    /// DOC SyncPolicyAutomated.allowEmpty
    #[prost(bool, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub allow_empty: Option<bool>,
    /// DOC SyncPolicyAutomated.enabled
    #[prost(bool, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub enabled: Option<bool>,
}

/// DOC RetryStrategy
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RetryStrategy {
    /// DOC RetryStrategy.limit
    #[prost(int64, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub limit: i64,
    /// DOC RetryStrategy.backoff
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub backoff: Option<Backoff>,
    /// DOC RetryStrategy.refresh
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub refresh: bool,
}

/// DOC Backoff
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Backoff {
    /// DOC Backoff.duration
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub duration: String,
    /// DOC Backoff.factor
    #[prost(int64, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub factor: Option<i64>,
    /// DOC Backoff.maxDuration
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub max_duration: String,
}

/// DOC ManagedNamespaceMetadata
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedNamespaceMetadata {
    /// DOC ManagedNamespaceMetadata.labels
    #[prost(btree_map = "string, string", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// DOC ManagedNamespaceMetadata.annotations
    #[prost(btree_map = "string, string", tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
}

/// DOC ResourceIgnoreDifferences
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["kind"]))]
pub struct ResourceIgnoreDifferences {
    /// DOC ResourceIgnoreDifferences.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// DOC ResourceIgnoreDifferences.kind
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// DOC ResourceIgnoreDifferences.name
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ResourceIgnoreDifferences.namespace
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ResourceIgnoreDifferences.jsonPointers
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub json_pointers: Vec<String>,
    /// DOC ResourceIgnoreDifferences.jqPathExpressions
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jq_path_expressions: Vec<String>,
    /// DOC ResourceIgnoreDifferences.managedFieldsManagers
    #[prost(string, repeated, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub managed_fields_managers: Vec<String>,
}

/// DOC Info
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct Info {
    /// DOC Info.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC Info.value
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub value: String,
}
