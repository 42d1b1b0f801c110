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

/// What was observed of an Application.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationStatus {
    /// The objects that are managed, and their state.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<ResourceStatus>,
    /// Whether the cluster is as the source says.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub sync: SyncStatus,
    /// How well the Application is.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub health: AppHealthStatus,
    /// What was deployed, the newest last.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub history: Vec<RevisionHistory>,
    /// What is wrong or worth knowing.
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub conditions: Vec<ApplicationCondition>,
    /// When the Application was last compared.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub reconciled_at: Option<Time>,
    /// The operation under way or ended last.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub operation_state: Option<OperationState>,
    /// When it was last observed; no longer written.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub observed_at: Option<Time>,
    /// Type of the source, such as `Helm`.
    #[prost(string, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_type: String,
    /// Images and links of the objects.
    #[prost(message, required, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub summary: ApplicationSummary,
    /// Where health of single objects is kept; `appTree` means not in `resources`.
    #[prost(string, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_health_source: String,
    /// Types of the sources.
    #[prost(string, repeated, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_types: Vec<String>,
    /// Namespace of the controller that looks after it.
    #[prost(string, required, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub controller_namespace: String,
    /// How far rendering into a branch is.
    #[prost(message, required, tag = "14")]
    #[serde(deserialize_with = "null")]
    pub source_hydrator: SourceHydratorStatus,
}

/// The state of one object.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceStatus {
    /// API group.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// API version.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// Kind.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// Namespace.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Name.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// `Synced`, `OutOfSync` or `Unknown`.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// How well it is.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub health: Option<HealthStatus>,
    /// Whether it is a hook.
    #[prost(bool, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook: bool,
    /// Whether it is no longer in the source.
    #[prost(bool, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requires_pruning: bool,
    /// The wave it is synced in.
    #[prost(int64, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_wave: i64,
    /// Whether somebody must agree before it is deleted.
    #[prost(bool, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requires_deletion_confirmation: bool,
}

/// How well an Application is.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppHealthStatus {
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// Why it is not healthy.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// When the status last changed.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
}

/// How well something is.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HealthStatus {
    /// `Healthy`, `Progressing`, `Degraded`, `Suspended`, `Missing` or `Unknown`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub status: String,
    /// Why it is not healthy.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// When the status last changed.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
}

/// Whether the cluster is as the source says.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["status"]))]
pub struct SyncStatus {
    /// `Synced`, `OutOfSync` or `Unknown`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// What the cluster was compared with.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub compared_to: ComparedTo,
    /// The commit or version compared with.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revision: String,
    /// The commit or version for each source.
    #[prost(string, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
}

/// What the cluster was compared with.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["destination"]))]
pub struct ComparedTo {
    /// The source.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub source: ApplicationSource,
    /// The destination.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub destination: ApplicationDestination,
    /// The sources.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// The differences that were not counted.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_differences: Vec<ResourceIgnoreDifferences>,
}

/// Something that was deployed.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["deployedAt", "id"]))]
pub struct RevisionHistory {
    /// The commit or version.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revision: String,
    /// When the sync ended.
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub deployed_at: Time,
    /// Number of the entry, by which a rollback names it.
    #[prost(int64, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub id: i64,
    /// The source.
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub source: ApplicationSource,
    /// When the sync began.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub deploy_started_at: Option<Time>,
    /// The sources.
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sources: Vec<ApplicationSource>,
    /// The commit or version for each source.
    #[prost(string, repeated, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub revisions: Vec<String>,
    /// Who asked for it.
    #[prost(message, required, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub initiated_by: OperationInitiator,
}

/// Something wrong or worth knowing.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "message"]))]
pub struct ApplicationCondition {
    /// Which condition, such as `ComparisonError`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// What happened, for people.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// When it was first seen.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
}

/// What is gathered from the objects.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSummary {
    /// URLs at which it can be reached.
    #[prost(string, repeated, tag = "1")]
    #[serde(rename = "externalURLs", deserialize_with = "null", skip_serializing_if = "zero")]
    pub external_urls: Vec<String>,
    /// Container images in use.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
    /// Whether it manages other Applications.
    #[prost(bool, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub is_app_of_apps: bool,
}
