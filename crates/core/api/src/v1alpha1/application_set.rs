//! ApplicationSet, its template, strategy and status.

use crate::go::{null, zero};
use crate::k8s::intstr::IntOrString;
use crate::k8s::meta_v1::{ListMeta, ObjectMeta, Time};
use crate::v1alpha1::{ApplicationSetGenerator, ApplicationSpec, HealthStatus, ResourceNode, ResourceStatus};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Makes Applications from a template and from generators of parameters.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct ApplicationSet {
    /// Standard metadata of Kubernetes objects.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ObjectMeta,
    /// What is wanted: generators, the template, and how Applications are changed.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: ApplicationSetSpec,
    /// What was last observed; written by the controller.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub status: ApplicationSetStatus,
}

/// A list of ApplicationSets.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct ApplicationSetList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<ApplicationSet>,
}

/// A change of an ApplicationSet, as a watch tells it.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "applicationSet"]))]
pub struct ApplicationSetWatchEvent {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// The ApplicationSet after the change.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub application_set: ApplicationSet,
}

/// What an ApplicationSet made.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetTree {
    /// The objects and how they hang together.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub nodes: Vec<ResourceNode>,
}

/// What is wanted of an ApplicationSet.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators", "template"]))]
pub struct ApplicationSetSpec {
    /// Write the template in Go's template language instead of `{{name}}` placeholders.
    #[prost(bool, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub go_template: bool,
    /// Where the sets of parameters come from; each set gives an Application.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetGenerator>,
    /// The Application to make from each set of parameters.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// What may happen to Applications that exist.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub sync_policy: Option<ApplicationSetSyncPolicy>,
    /// In which order changed Applications are synced.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub strategy: Option<ApplicationSetStrategy>,
    /// Labels and annotations of Applications that are left alone.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub preserved_fields: Option<ApplicationPreservedFields>,
    /// Options of Go's templates, such as `missingkey=error`.
    #[prost(string, repeated, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub go_template_options: Vec<String>,
    /// Selectors of generators inside matrix and merge generators count; they always do by now.
    #[prost(bool, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub apply_nested_selectors: bool,
    /// Fields of Applications that may be changed by others.
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_application_differences: Vec<ApplicationSetResourceIgnoreDifferences>,
    /// A patch of the template, itself a Go template, applied to each Application.
    #[prost(string, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub template_patch: Option<String>,
}

/// The Application to make, with placeholders.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct ApplicationSetTemplate {
    /// Name, labels and the like of the Application.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ApplicationSetTemplateMeta,
    /// Specification of the Application.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: ApplicationSpec,
}

/// The part of an Application's metadata that a template may set.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetTemplateMeta {
    /// Name of the Application.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Namespace of the Application; that of the ApplicationSet when empty.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Labels of the Application.
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Application.
    #[prost(btree_map = "string, string", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
    /// Finalizers of the Application.
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub finalizers: Vec<String>,
}

/// What may happen to Applications that exist.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetSyncPolicy {
    /// Leave an Application's objects in the cluster when the Application is deleted.
    #[prost(bool, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub preserve_resources_on_deletion: bool,
    /// What the controller may do: `create-only`, `create-update`, `create-delete` or `sync`.
    #[prost(string, optional, tag = "2")]
    #[schemars(extend("enum" = ["create-only", "create-update", "create-delete", "sync"]))]
    #[serde(skip_serializing_if = "zero")]
    pub applications_sync: Option<String>,
}

/// In which order Applications are synced and deleted.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetStrategy {
    /// `AllAtOnce` or `RollingSync`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
    /// The steps of a `RollingSync`.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub rolling_sync: Option<ApplicationSetRolloutStrategy>,
    /// `AllAtOnce`, or `Reverse`: the last step first.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub deletion_order: String,
}

/// Steps, one after the other.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetRolloutStrategy {
    /// Groups of Applications; each must be healthy before the next begins.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub steps: Vec<ApplicationSetRolloutStep>,
}

/// One group of Applications.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetRolloutStep {
    /// Which Applications belong to the step, by their labels.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub match_expressions: Vec<ApplicationMatchExpression>,
    /// How many of them may be syncing at once, a number or a percentage.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub max_update: Option<IntOrString>,
}

/// Fields of Applications that the ApplicationSet leaves to others.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetResourceIgnoreDifferences {
    /// Name of the one Application; empty means all.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Fields as JSON pointers.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub json_pointers: Vec<String>,
    /// Fields as jq path expressions.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jq_path_expressions: Vec<String>,
}

/// A condition on a label of an Application.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationMatchExpression {
    /// Key of the label.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub key: String,
    /// `In` or `NotIn`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub operator: String,
    /// The label's values.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: Vec<String>,
}

/// Keys of metadata that are left alone.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationPreservedFields {
    /// Keys of annotations.
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: Vec<String>,
    /// Keys of labels.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}

/// What was observed of an ApplicationSet.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetStatus {
    /// What is going on, and what is wrong.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub conditions: Vec<ApplicationSetCondition>,
    /// How far each Application is in a `RollingSync`.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub application_status: Vec<ApplicationSetApplicationStatus>,
    /// The Applications it made.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources: Vec<ResourceStatus>,
    /// How many Applications it made, also when not all are listed.
    #[prost(int64, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources_count: i64,
    /// How well the ApplicationSet is.
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub health: HealthStatus,
}

/// One thing that is going on or wrong.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["type", "message", "status", "reason"]))]
pub struct ApplicationSetCondition {
    /// Which condition, such as `ErrorOccurred`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub r#type: String,
    /// What happened, for people.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// When the condition last changed.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
    /// `True`, `False` or `Unknown`.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// What happened, in one word.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub reason: String,
}

/// How far an Application is in a `RollingSync`.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["application", "message", "status", "step", "targetRevisions"]))]
pub struct ApplicationSetApplicationStatus {
    /// Name of the Application.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub application: String,
    /// When its status last changed.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub last_transition_time: Option<Time>,
    /// Why it is where it is.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// `Waiting`, `Pending`, `Progressing` or `Healthy`.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// The step it belongs to, counted from 1.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub step: String,
    /// The revisions it is to reach.
    #[prost(string, repeated, tag = "6")]
    #[serde(rename = "targetRevisions", deserialize_with = "null")]
    pub targetrevisions: Vec<String>,
}
