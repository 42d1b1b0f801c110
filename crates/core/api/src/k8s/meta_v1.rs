//! `meta/v1`: metadata, owner references, selectors, times.

use crate::go::{null, zero};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use crate::k8s::time::{FieldsV1, MicroTime, Time};

/// DOC ObjectMeta
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// DOC ObjectMeta.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ObjectMeta.generateName
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub generate_name: String,
    /// DOC ObjectMeta.namespace
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ObjectMeta.selfLink
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub self_link: String,
    /// DOC ObjectMeta.uid
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub uid: String,
    /// DOC ObjectMeta.resourceVersion
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// DOC ObjectMeta.generation
    #[prost(int64, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub generation: i64,
    /// DOC ObjectMeta.creationTimestamp
    #[prost(message, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub creation_timestamp: Time,
    /// DOC ObjectMeta.deletionTimestamp
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub deletion_timestamp: Option<Time>,
    /// DOC ObjectMeta.deletionGracePeriodSeconds
    #[prost(int64, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub deletion_grace_period_seconds: Option<i64>,
    /// DOC ObjectMeta.labels
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// DOC ObjectMeta.annotations
    #[prost(btree_map = "string, string", tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
    /// DOC ObjectMeta.ownerReferences
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub owner_references: Vec<OwnerReference>,
    /// DOC ObjectMeta.finalizers
    #[prost(string, repeated, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub finalizers: Vec<String>,
    /// DOC ObjectMeta.managedFields
    #[prost(message, repeated, tag = "17")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub managed_fields: Vec<ManagedFieldsEntry>,
}

/// DOC OwnerReference
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["apiVersion", "kind", "name", "uid"]))]
pub struct OwnerReference {
    /// DOC OwnerReference.apiVersion
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub api_version: String,
    /// DOC OwnerReference.kind
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// DOC OwnerReference.name
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC OwnerReference.uid
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub uid: String,
    /// DOC OwnerReference.controller
    #[prost(bool, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub controller: Option<bool>,
    /// DOC OwnerReference.blockOwnerDeletion
    #[prost(bool, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub block_owner_deletion: Option<bool>,
}

/// DOC ManagedFieldsEntry
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedFieldsEntry {
    /// DOC ManagedFieldsEntry.manager
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub manager: String,
    /// DOC ManagedFieldsEntry.operation
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub operation: String,
    /// DOC ManagedFieldsEntry.apiVersion
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_version: String,
    /// DOC ManagedFieldsEntry.time
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub time: Option<Time>,
    /// DOC ManagedFieldsEntry.fieldsType
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub fields_type: String,
    /// DOC ManagedFieldsEntry.fieldsV1
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub fields_v1: Option<FieldsV1>,
    /// DOC ManagedFieldsEntry.subresource
    #[prost(string, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub subresource: String,
}

/// DOC GroupKind
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct GroupKind {
    /// DOC GroupKind.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// DOC GroupKind.kind
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
}

/// DOC ListMeta
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// DOC ListMeta.selfLink
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub self_link: String,
    /// DOC ListMeta.resourceVersion
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// DOC ListMeta.continue
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#continue: String,
    /// DOC ListMeta.remainingItemCount
    #[prost(int64, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub remaining_item_count: Option<i64>,
    /// DOC ListMeta.shardInfo
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub shard_info: Option<ShardInfo>,
}

/// DOC ShardInfo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["selector"]))]
pub struct ShardInfo {
    /// DOC ShardInfo.selector
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub selector: String,
}

/// DOC LabelSelector
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// DOC LabelSelector.matchLabels
    #[prost(btree_map = "string, string", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub match_labels: BTreeMap<String, String>,
    /// DOC LabelSelector.matchExpressions
    #[prost(message, repeated, tag = "2")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// DOC LabelSelectorRequirement
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["key", "operator"]))]
pub struct LabelSelectorRequirement {
    /// DOC LabelSelectorRequirement.key
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub key: String,
    /// DOC LabelSelectorRequirement.operator
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub operator: String,
    /// DOC LabelSelectorRequirement.values
    #[prost(string, repeated, tag = "3")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: Vec<String>,
}
