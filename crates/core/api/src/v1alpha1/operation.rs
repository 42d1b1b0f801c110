//! A requested operation and how it went.

use crate::go::{null, zero};
use crate::k8s::meta_v1::Time;
use crate::v1alpha1::{ApplicationSource, Info, ManagedNamespaceMetadata, RetryStrategy};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// DOC Operation
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// DOC Operation.sync
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub sync: Option<SyncOperation>,
    /// DOC Operation.initiatedBy
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub initiated_by: OperationInitiator,
    /// DOC Operation.info
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub info: Vec<Info>,
    /// DOC Operation.retry
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub retry: RetryStrategy,
}

/// DOC OperationInitiator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationInitiator {
    /// DOC OperationInitiator.username
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// DOC OperationInitiator.automated
    #[prost(bool, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub automated: bool,
}

/// DOC OperationState
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["operation", "phase", "startedAt"]))]
pub struct OperationState {
    /// DOC OperationState.operation
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub operation: Operation,
    /// DOC OperationState.phase
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub phase: String,
    /// DOC OperationState.message
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// DOC OperationState.syncResult
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_result: Option<SyncOperationResult>,
    /// DOC OperationState.startedAt
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub started_at: Time,
    /// DOC OperationState.finishedAt
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub finished_at: Option<Time>,
    /// DOC OperationState.retryCount
    #[prost(int64, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub retry_count: i64,
}

/// DOC SyncOperation
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncOperation {
    /// DOC SyncOperation.revision
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revision: String,
    /// DOC SyncOperation.prune
    #[prost(bool, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub prune: bool,
    /// DOC SyncOperation.dryRun
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub dry_run: bool,
    /// DOC SyncOperation.syncStrategy
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_strategy: Option<SyncStrategy>,
    /// DOC SyncOperation.resources
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<SyncOperationResource>,
    /// DOC SyncOperation.source
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub source: Option<ApplicationSource>,
    /// DOC SyncOperation.manifests
    #[prost(string, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub manifests: Vec<String>,
    /// DOC SyncOperation.syncOptions
    #[prost(string, repeated, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_options: Vec<String>,
    /// DOC SyncOperation.sources
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// DOC SyncOperation.revisions
    #[prost(string, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
    /// DOC SyncOperation.autoHealAttemptsCount
    #[prost(int64, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub auto_heal_attempts_count: i64,
}

/// DOC SyncStrategy
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStrategy {
    /// DOC SyncStrategy.apply
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub apply: Option<SyncStrategyApply>,
    /// DOC SyncStrategy.hook
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub hook: Option<SyncStrategyHook>,
}

/// DOC SyncStrategyApply
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStrategyApply {
    /// DOC SyncStrategyApply.force
    #[prost(bool, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force: bool,
}

/// DOC SyncStrategyHook
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStrategyHook {
    /// DOC SyncStrategyHook.syncStrategyApply
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub sync_strategy_apply: SyncStrategyApply,
}

/// DOC SyncOperationResource
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["kind", "name"]))]
pub struct SyncOperationResource {
    /// DOC SyncOperationResource.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// DOC SyncOperationResource.kind
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// DOC SyncOperationResource.name
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC SyncOperationResource.namespace
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
}

/// DOC SyncOperationResult
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["revision"]))]
pub struct SyncOperationResult {
    /// DOC SyncOperationResult.resources
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<ResourceResult>,
    /// DOC SyncOperationResult.revision
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub revision: String,
    /// DOC SyncOperationResult.source
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub source: ApplicationSource,
    /// DOC SyncOperationResult.sources
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// DOC SyncOperationResult.revisions
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
    /// DOC SyncOperationResult.managedNamespaceMetadata
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
}

/// DOC ResourceResult
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group", "version", "kind", "namespace", "name"]))]
pub struct ResourceResult {
    /// DOC ResourceResult.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// DOC ResourceResult.version
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub version: String,
    /// DOC ResourceResult.kind
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// DOC ResourceResult.namespace
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub namespace: String,
    /// DOC ResourceResult.name
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC ResourceResult.status
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// DOC ResourceResult.message
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// DOC ResourceResult.hookType
    #[prost(string, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook_type: String,
    /// DOC ResourceResult.hookPhase
    #[prost(string, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook_phase: String,
    /// DOC ResourceResult.syncPhase
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_phase: String,
    /// DOC ResourceResult.images
    #[prost(string, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
}
