//! Source hydration: rendered manifests written back to Git.

use crate::go::{null, zero};
use crate::k8s::meta_v1::Time;
use crate::v1alpha1::{
    ApplicationSourceDirectory, ApplicationSourceHelm, ApplicationSourceKustomize, ApplicationSourcePlugin,
};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// DOC SourceHydrator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["drySource", "syncSource"]))]
pub struct SourceHydrator {
    /// DOC SourceHydrator.drySource
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub dry_source: DrySource,
    /// DOC SourceHydrator.syncSource
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub sync_source: SyncSource,
    /// DOC SourceHydrator.hydrateTo
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub hydrate_to: Option<HydrateTo>,
}

/// DOC DrySource
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repoURL", "targetRevision", "path"]))]
pub struct DrySource {
    /// DOC DrySource.repoURL
    #[prost(string, tag = "1")]
    #[serde(rename = "repoURL", deserialize_with = "null")]
    pub repo_url: String,
    /// DOC DrySource.targetRevision
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub target_revision: String,
    /// DOC DrySource.path
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// DOC DrySource.helm
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub helm: Option<ApplicationSourceHelm>,
    /// DOC DrySource.kustomize
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub kustomize: Option<ApplicationSourceKustomize>,
    /// DOC DrySource.directory
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub directory: Option<ApplicationSourceDirectory>,
    /// DOC DrySource.plugin
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<ApplicationSourcePlugin>,
}

/// DOC SyncSource
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["targetBranch", "path"]))]
pub struct SyncSource {
    /// DOC SyncSource.targetBranch
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub target_branch: String,
    /// DOC SyncSource.path
    #[prost(string, tag = "2")]
    #[schemars(extend("minLength" = 1, "pattern" = "^.{2,}|[^./]$"))]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// DOC SyncSource.repoURL
    #[prost(string, tag = "3")]
    #[serde(rename = "repoURL", deserialize_with = "null", skip_serializing_if = "zero")]
    pub repo_url: String,
}

/// DOC HydrateTo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["targetBranch"]))]
pub struct HydrateTo {
    /// DOC HydrateTo.targetBranch
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub target_branch: String,
}

/// DOC SourceHydratorStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceHydratorStatus {
    /// DOC SourceHydratorStatus.lastSuccessfulOperation
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub last_successful_operation: Option<SuccessfulHydrateOperation>,
    /// DOC SourceHydratorStatus.currentOperation
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub current_operation: Option<HydrateOperation>,
    /// DOC SourceHydratorStatus.lastComparedDryRevision
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub last_compared_dry_revision: String,
}

/// DOC SuccessfulHydrateOperation
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SuccessfulHydrateOperation {
    /// DOC SuccessfulHydrateOperation.drySHA
    #[prost(string, tag = "5")]
    #[serde(rename = "drySHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub dry_sha: String,
    /// DOC SuccessfulHydrateOperation.hydratedSHA
    #[prost(string, tag = "6")]
    #[serde(rename = "hydratedSHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub hydrated_sha: String,
    /// DOC SuccessfulHydrateOperation.sourceHydrator
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub source_hydrator: SourceHydrator,
}

/// DOC HydrateOperation
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["phase", "message"]))]
pub struct HydrateOperation {
    /// DOC HydrateOperation.startedAt
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub started_at: Time,
    /// DOC HydrateOperation.finishedAt
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub finished_at: Option<Time>,
    /// DOC HydrateOperation.phase
    #[prost(string, tag = "3")]
    #[schemars(extend("enum" = ["Hydrating", "Failed", "Hydrated"]))]
    #[serde(deserialize_with = "null")]
    pub phase: String,
    /// DOC HydrateOperation.message
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// DOC HydrateOperation.drySHA
    #[prost(string, tag = "5")]
    #[serde(rename = "drySHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub dry_sha: String,
    /// DOC HydrateOperation.hydratedSHA
    #[prost(string, tag = "6")]
    #[serde(rename = "hydratedSHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub hydrated_sha: String,
    /// DOC HydrateOperation.sourceHydrator
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub source_hydrator: SourceHydrator,
}
