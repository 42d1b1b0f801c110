//! `meta/v1`: metadata, owner references, selectors, times.

use crate::go::{null, zero};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use crate::k8s::time::{FieldsV1, MicroTime, Time};

/// Metadata of a Kubernetes object.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectMeta {
    /// Name, unique among its kind in the namespace.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Beginning of a name that the API server completes.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub generate_name: String,
    /// Namespace.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// No longer written.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub self_link: String,
    /// Unique id.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub uid: String,
    /// Version of the stored object.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// Counts changes of what is wanted.
    #[prost(int64, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub generation: i64,
    /// When it was made.
    #[prost(message, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub creation_timestamp: Time,
    /// When it is to be gone; set by a deletion.
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub deletion_timestamp: Option<Time>,
    /// Seconds it has to end in good order.
    #[prost(int64, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub deletion_grace_period_seconds: Option<i64>,
    /// Keys and values that selectors look at.
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// Keys and values for tools.
    #[prost(btree_map = "string, string", tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
    /// Objects it goes with when all of them are gone.
    #[prost(message, repeated, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub owner_references: Vec<OwnerReference>,
    /// What must be done before it is gone.
    #[prost(string, repeated, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub finalizers: Vec<String>,
    /// Who set which field.
    #[prost(message, repeated, tag = "17")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub managed_fields: Vec<ManagedFieldsEntry>,
}

/// Names an owner.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["apiVersion", "kind", "name", "uid"]))]
pub struct OwnerReference {
    /// API group and version of the owner.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub api_version: String,
    /// Kind of the owner.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// Name of the owner.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// Unique id of the owner.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub uid: String,
    /// Whether the owner controls the object.
    #[prost(bool, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub controller: Option<bool>,
    /// Whether the owner may not go before the object.
    #[prost(bool, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub block_owner_deletion: Option<bool>,
}

/// Fields that one manager set.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ManagedFieldsEntry {
    /// Name of the manager.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub manager: String,
    /// `Apply` or `Update`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub operation: String,
    /// API version the fields are named in.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_version: String,
    /// When they were last set.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub time: Option<Time>,
    /// Form of the fields: `FieldsV1`.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub fields_type: String,
    /// The fields.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub fields_v1: Option<FieldsV1>,
    /// The subresource they were set through.
    #[prost(string, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub subresource: String,
}

/// API group and kind.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct GroupKind {
    /// API group.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// Kind.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
}

/// Metadata of a list.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListMeta {
    /// No longer written.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub self_link: String,
    /// Version of the list, from which a watch can go on.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// Where the next page begins.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#continue: String,
    /// How many items are left after this page, when known.
    #[prost(int64, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub remaining_item_count: Option<i64>,
    /// The part of all objects that was listed.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub shard_info: Option<ShardInfo>,
}

/// A part of all objects.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["selector"]))]
pub struct ShardInfo {
    /// What chooses the part.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub selector: String,
}

/// Chooses by labels; every condition must hold.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LabelSelector {
    /// Labels and the values they must have.
    #[prost(btree_map = "string, string", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub match_labels: BTreeMap<String, String>,
    /// Further conditions.
    #[prost(message, repeated, tag = "2")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub match_expressions: Vec<LabelSelectorRequirement>,
}

/// A condition on a label.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["key", "operator"]))]
pub struct LabelSelectorRequirement {
    /// Key of the label.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub operator: String,
    /// Values for `In` and `NotIn`.
    #[prost(string, repeated, tag = "3")]
    #[schemars(extend("x-kubernetes-list-type" = "atomic"))]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: Vec<String>,
}
