//! ApplicationSet, its template, strategy and status.

use crate::go::{null, zero};
use crate::k8s::intstr::IntOrString;
use crate::k8s::meta_v1::{ListMeta, ObjectMeta, Time};
use crate::v1alpha1::{ApplicationSetGenerator, ApplicationSpec, HealthStatus, ResourceNode, ResourceStatus};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC ApplicationSet
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct ApplicationSet {
    /// DOC ApplicationSet.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ObjectMeta,
    /// DOC ApplicationSet.spec
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: ApplicationSetSpec,
    /// DOC ApplicationSet.status
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub status: ApplicationSetStatus,
}

/// DOC ApplicationSetList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct ApplicationSetList {
    /// DOC ApplicationSetList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC ApplicationSetList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<ApplicationSet>,
}

/// DOC ApplicationSetWatchEvent
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "applicationSet"]))]
pub struct ApplicationSetWatchEvent {
    /// DOC ApplicationSetWatchEvent.type
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// DOC ApplicationSetWatchEvent.applicationSet
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub application_set: ApplicationSet,
}

/// DOC ApplicationSetTree
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetTree {
    /// DOC ApplicationSetTree.nodes
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub nodes: Vec<ResourceNode>,
}

/// DOC ApplicationSetSpec
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators", "template"]))]
pub struct ApplicationSetSpec {
    /// DOC ApplicationSetSpec.goTemplate
    #[prost(bool, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub go_template: bool,
    /// DOC ApplicationSetSpec.generators
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetGenerator>,
    /// DOC ApplicationSetSpec.template
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC ApplicationSetSpec.syncPolicy
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_policy: Option<ApplicationSetSyncPolicy>,
    /// DOC ApplicationSetSpec.strategy
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub strategy: Option<ApplicationSetStrategy>,
    /// DOC ApplicationSetSpec.preservedFields
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub preserved_fields: Option<ApplicationPreservedFields>,
    /// DOC ApplicationSetSpec.goTemplateOptions
    #[prost(string, repeated, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub go_template_options: Vec<String>,
    /// DOC ApplicationSetSpec.applyNestedSelectors
    #[prost(bool, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub apply_nested_selectors: bool,
    /// DOC ApplicationSetSpec.ignoreApplicationDifferences
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_application_differences: Vec<ApplicationSetResourceIgnoreDifferences>,
    /// DOC ApplicationSetSpec.templatePatch
    #[prost(string, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub template_patch: Option<String>,
}

/// DOC ApplicationSetTemplate
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct ApplicationSetTemplate {
    /// DOC ApplicationSetTemplate.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ApplicationSetTemplateMeta,
    /// DOC ApplicationSetTemplate.spec
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: ApplicationSpec,
}

/// DOC ApplicationSetTemplateMeta
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetTemplateMeta {
    /// DOC ApplicationSetTemplateMeta.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ApplicationSetTemplateMeta.namespace
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ApplicationSetTemplateMeta.labels
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// DOC ApplicationSetTemplateMeta.annotations
    #[prost(btree_map = "string, string", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
    /// DOC ApplicationSetTemplateMeta.finalizers
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub finalizers: Vec<String>,
}

/// DOC ApplicationSetSyncPolicy
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetSyncPolicy {
    /// DOC ApplicationSetSyncPolicy.preserveResourcesOnDeletion
    #[prost(bool, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub preserve_resources_on_deletion: bool,
    /// DOC ApplicationSetSyncPolicy.applicationsSync
    #[prost(string, optional, tag = "2")]
    #[schemars(extend("enum" = ["create-only", "create-update", "create-delete", "sync"]))]
    #[serde(skip_serializing_if = "zero")]
    pub applications_sync: Option<String>,
}

/// DOC ApplicationSetStrategy
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetStrategy {
    /// DOC ApplicationSetStrategy.type
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
    /// DOC ApplicationSetStrategy.rollingSync
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub rolling_sync: Option<ApplicationSetRolloutStrategy>,
    /// DOC ApplicationSetStrategy.deletionOrder
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub deletion_order: String,
}

/// DOC ApplicationSetRolloutStrategy
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetRolloutStrategy {
    /// DOC ApplicationSetRolloutStrategy.steps
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub steps: Vec<ApplicationSetRolloutStep>,
}

/// DOC ApplicationSetRolloutStep
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetRolloutStep {
    /// DOC ApplicationSetRolloutStep.matchExpressions
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub match_expressions: Vec<ApplicationMatchExpression>,
    /// DOC ApplicationSetRolloutStep.maxUpdate
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub max_update: Option<IntOrString>,
}

/// DOC ApplicationSetResourceIgnoreDifferences
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetResourceIgnoreDifferences {
    /// DOC ApplicationSetResourceIgnoreDifferences.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ApplicationSetResourceIgnoreDifferences.jsonPointers
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub json_pointers: Vec<String>,
    /// DOC ApplicationSetResourceIgnoreDifferences.jqPathExpressions
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jq_path_expressions: Vec<String>,
}

/// DOC ApplicationMatchExpression
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationMatchExpression {
    /// DOC ApplicationMatchExpression.key
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub key: String,
    /// DOC ApplicationMatchExpression.operator
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub operator: String,
    /// DOC ApplicationMatchExpression.values
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: Vec<String>,
}

/// DOC ApplicationPreservedFields
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationPreservedFields {
    /// DOC ApplicationPreservedFields.annotations
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: Vec<String>,
    /// DOC ApplicationPreservedFields.labels
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}

/// DOC ApplicationSetStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetStatus {
    /// DOC ApplicationSetStatus.conditions
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub conditions: Vec<ApplicationSetCondition>,
    /// DOC ApplicationSetStatus.applicationStatus
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub application_status: Vec<ApplicationSetApplicationStatus>,
    /// DOC ApplicationSetStatus.resources
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<ResourceStatus>,
    /// DOC ApplicationSetStatus.resourcesCount
    #[prost(int64, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources_count: i64,
    /// DOC ApplicationSetStatus.health
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub health: HealthStatus,
}

/// DOC ApplicationSetCondition
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "message", "status", "reason"]))]
pub struct ApplicationSetCondition {
    /// DOC ApplicationSetCondition.type
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// DOC ApplicationSetCondition.message
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// DOC ApplicationSetCondition.lastTransitionTime
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
    /// DOC ApplicationSetCondition.status
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// DOC ApplicationSetCondition.reason
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub reason: String,
}

/// DOC ApplicationSetApplicationStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["application", "message", "status", "step", "targetRevisions"]))]
pub struct ApplicationSetApplicationStatus {
    /// DOC ApplicationSetApplicationStatus.application
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub application: String,
    /// DOC ApplicationSetApplicationStatus.lastTransitionTime
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
    /// DOC ApplicationSetApplicationStatus.message
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// DOC ApplicationSetApplicationStatus.status
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// DOC ApplicationSetApplicationStatus.step
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub step: String,
    /// DOC ApplicationSetApplicationStatus.targetrevisions
    #[prost(string, repeated, tag = "6")]
    #[serde(rename = "targetRevisions", deserialize_with = "null")]
    pub targetrevisions: Vec<String>,
}
