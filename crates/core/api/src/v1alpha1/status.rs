//! What the controller found: sync status, health, history, conditions.

use crate::go::{null, zero};
use crate::k8s::meta_v1::Time;
use crate::v1alpha1::{
    ApplicationDestination, ApplicationSource, OperationInitiator, OperationState, ResourceIgnoreDifferences,
    SourceHydratorStatus,
};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// DOC ApplicationStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationStatus {
    /// DOC ApplicationStatus.resources
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<ResourceStatus>,
    /// DOC ApplicationStatus.sync
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub sync: SyncStatus,
    /// DOC ApplicationStatus.health
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub health: AppHealthStatus,
    /// DOC ApplicationStatus.history
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub history: Vec<RevisionHistory>,
    /// DOC ApplicationStatus.conditions
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub conditions: Vec<ApplicationCondition>,
    /// DOC ApplicationStatus.reconciledAt
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub reconciled_at: Option<Time>,
    /// DOC ApplicationStatus.operationState
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub operation_state: Option<OperationState>,
    /// DOC ApplicationStatus.observedAt
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub observed_at: Option<Time>,
    /// DOC ApplicationStatus.sourceType
    #[prost(string, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_type: String,
    /// DOC ApplicationStatus.summary
    #[prost(message, required, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub summary: ApplicationSummary,
    /// DOC ApplicationStatus.resourceHealthSource
    #[prost(string, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_health_source: String,
    /// DOC ApplicationStatus.sourceTypes
    #[prost(string, repeated, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_types: Vec<String>,
    /// DOC ApplicationStatus.controllerNamespace
    #[prost(string, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub controller_namespace: String,
    /// DOC ApplicationStatus.sourceHydrator
    #[prost(message, required, tag = "14")]
    #[serde(deserialize_with = "null")]
    pub source_hydrator: SourceHydratorStatus,
}

/// DOC ResourceStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceStatus {
    /// DOC ResourceStatus.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// DOC ResourceStatus.version
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// DOC ResourceStatus.kind
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// DOC ResourceStatus.namespace
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ResourceStatus.name
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ResourceStatus.status
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// DOC ResourceStatus.health
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub health: Option<HealthStatus>,
    /// DOC ResourceStatus.hook
    #[prost(bool, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook: bool,
    /// DOC ResourceStatus.requiresPruning
    #[prost(bool, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requires_pruning: bool,
    /// DOC ResourceStatus.syncWave
    #[prost(int64, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_wave: i64,
    /// DOC ResourceStatus.requiresDeletionConfirmation
    #[prost(bool, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requires_deletion_confirmation: bool,
}

/// DOC AppHealthStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppHealthStatus {
    /// DOC AppHealthStatus.status
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// DOC AppHealthStatus.message
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// DOC AppHealthStatus.lastTransitionTime
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
}

/// DOC HealthStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthStatus {
    /// DOC HealthStatus.status
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// DOC HealthStatus.message
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// DOC HealthStatus.lastTransitionTime
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
}

/// DOC SyncStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["status"]))]
pub struct SyncStatus {
    /// DOC SyncStatus.status
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// DOC SyncStatus.comparedTo
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub compared_to: ComparedTo,
    /// DOC SyncStatus.revision
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revision: String,
    /// DOC SyncStatus.revisions
    #[prost(string, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
}

/// DOC ComparedTo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["destination"]))]
pub struct ComparedTo {
    /// DOC ComparedTo.source
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub source: ApplicationSource,
    /// DOC ComparedTo.destination
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub destination: ApplicationDestination,
    /// DOC ComparedTo.sources
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// DOC ComparedTo.ignoreDifferences
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_differences: Vec<ResourceIgnoreDifferences>,
}

/// DOC RevisionHistory
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["deployedAt", "id"]))]
pub struct RevisionHistory {
    /// DOC RevisionHistory.revision
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revision: String,
    /// DOC RevisionHistory.deployedAt
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub deployed_at: Time,
    /// DOC RevisionHistory.id
    #[prost(int64, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub id: i64,
    /// DOC RevisionHistory.source
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub source: ApplicationSource,
    /// DOC RevisionHistory.deployStartedAt
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub deploy_started_at: Option<Time>,
    /// DOC RevisionHistory.sources
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// DOC RevisionHistory.revisions
    #[prost(string, repeated, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
    /// DOC RevisionHistory.initiatedBy
    #[prost(message, required, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub initiated_by: OperationInitiator,
}

/// DOC ApplicationCondition
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "message"]))]
pub struct ApplicationCondition {
    /// DOC ApplicationCondition.type
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// DOC ApplicationCondition.message
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// DOC ApplicationCondition.lastTransitionTime
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
}

/// DOC ApplicationSummary
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSummary {
    /// DOC ApplicationSummary.externalURLs
    #[prost(string, repeated, tag = "1")]
    #[serde(rename = "externalURLs", deserialize_with = "null", skip_serializing_if = "zero")]
    pub external_urls: Vec<String>,
    /// DOC ApplicationSummary.images
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
    /// DOC ApplicationSummary.isAppOfApps
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub is_app_of_apps: bool,
}
