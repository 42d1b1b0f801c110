//! A requested operation and how it went.

use crate::go::{null, zero};
use crate::k8s::meta_v1::Time;
use crate::v1alpha1::{ApplicationSource, Info, ManagedNamespaceMetadata, RetryStrategy};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something asked to be done with an Application.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Operation {
    /// A sync.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub sync: Option<SyncOperation>,
    /// Who asked.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub initiated_by: OperationInitiator,
    /// Notes that are kept with the operation.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub info: Vec<Info>,
    /// How it is tried again when it fails.
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub retry: RetryStrategy,
}

/// Who asked for an operation.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OperationInitiator {
    /// Name of the user.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// Nobody: the sync policy did.
    #[prost(bool, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub automated: bool,
}

/// An operation under way or ended last.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["operation", "phase", "startedAt"]))]
pub struct OperationState {
    /// What was asked for.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub operation: Operation,
    /// `Running`, `Terminating`, `Succeeded`, `Failed` or `Error`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub phase: String,
    /// What is waited for or went wrong.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// What came of the sync so far.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_result: Option<SyncOperationResult>,
    /// When it began.
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub started_at: Time,
    /// When it ended.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub finished_at: Option<Time>,
    /// How many further attempts there were.
    #[prost(int64, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub retry_count: i64,
}

/// A sync that is asked for.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncOperation {
    /// The revision to sync to; that of the specification when empty.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revision: String,
    /// Delete objects that are no longer in the source.
    #[prost(bool, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub prune: bool,
    /// Change nothing, only try.
    #[prost(bool, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub dry_run: bool,
    /// How manifests are applied.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_strategy: Option<SyncStrategy>,
    /// The only objects to sync; all when empty. Hooks do not run then.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<SyncOperationResource>,
    /// The source to sync from, instead of the specification's.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub source: Option<ApplicationSource>,
    /// Manifests to sync to, instead of the source's.
    #[prost(string, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub manifests: Vec<String>,
    /// Options of this sync.
    #[prost(string, repeated, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_options: Vec<String>,
    /// The sources to sync from, instead of the specification's.
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// The revision for each source.
    #[prost(string, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
    /// How many times self-heal was tried in a row.
    #[prost(int64, required, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub auto_heal_attempts_count: i64,
}

/// How manifests are applied; exactly one is set.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStrategy {
    /// Apply and do not run hooks.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub apply: Option<SyncStrategyApply>,
    /// Apply and run hooks; this is usual.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub hook: Option<SyncStrategyHook>,
}

/// Apply only.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStrategyApply {
    /// Delete and create an object that cannot be changed.
    #[prost(bool, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force: bool,
}

/// Apply and run hooks.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncStrategyHook {
    /// How manifests are applied.
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub sync_strategy_apply: SyncStrategyApply,
}

/// An object to sync.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["kind", "name"]))]
pub struct SyncOperationResource {
    /// API group.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// Kind.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// Name.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// Namespace.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
}

/// What came of a sync.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["revision"]))]
pub struct SyncOperationResult {
    /// What came of each object.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<ResourceResult>,
    /// The commit or version synced to.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub revision: String,
    /// The source synced from.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub source: ApplicationSource,
    /// The sources synced from.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// The commit or version for each source.
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
    /// Labels and annotations that the namespace was given.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub managed_namespace_metadata: Option<ManagedNamespaceMetadata>,
}

/// What came of one object in a sync.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group", "version", "kind", "namespace", "name"]))]
pub struct ResourceResult {
    /// API group.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// API version.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub version: String,
    /// Kind.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// Namespace.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub namespace: String,
    /// Name.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// `Synced`, `SyncFailed`, `Pruned` or `PruneSkipped`.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// What the API server said.
    #[prost(string, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// The phase of a hook, such as `PreSync`; empty for other objects.
    #[prost(string, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook_type: String,
    /// How far the hook or the object's health is, such as `Running`.
    #[prost(string, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook_phase: String,
    /// The phase it was synced in.
    #[prost(string, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_phase: String,
    /// Container images of the object.
    #[prost(string, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
}
