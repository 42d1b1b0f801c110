//! The resource tree and the differences shown of an application.

use crate::go::{null, zero};
use crate::k8s::core_v1::{LoadBalancerIngress, NodeSystemInfo};
use crate::k8s::meta_v1::Time;
use crate::v1alpha1::HealthStatus;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The objects of an Application, and what they brought about.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationTree {
    /// Objects that belong to it.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub nodes: Vec<ResourceNode>,
    /// Objects of its namespace that belong to no Application.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub orphaned_nodes: Vec<ResourceNode>,
    /// Nodes that its pods run on.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hosts: Vec<HostInfo>,
    /// Number of parts the tree is kept in.
    #[prost(int64, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub shards_count: i64,
}

/// An object in a tree.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceNode {
    /// Which object.
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub resource_ref: ResourceRef,
    /// What brought it about.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parent_refs: Vec<ResourceRef>,
    /// Facts shown with it.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub info: Vec<InfoItem>,
    /// What it reaches and how it is reached.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub networking_info: Option<ResourceNetworkingInfo>,
    /// Version of the object.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// Container images in it.
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
    /// How well it is.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub health: Option<HealthStatus>,
    /// When it was made.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub created_at: Option<Time>,
}

/// Names an object.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceRef {
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
    /// Unique id.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub uid: String,
}

/// A fact shown with an object.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InfoItem {
    /// What it is about.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// What is shown.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value: String,
}

/// What an object reaches and how it is reached.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceNetworkingInfo {
    /// Labels of the pods it sends to.
    #[prost(btree_map = "string, string", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_labels: BTreeMap<String, String>,
    /// Objects it sends to.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_refs: Vec<ResourceRef>,
    /// Labels others may find it by.
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// Addresses of its load balancer.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ingress: Vec<LoadBalancerIngress>,
    /// URLs at which it can be reached.
    #[prost(string, repeated, tag = "5")]
    #[serde(rename = "externalURLs", deserialize_with = "null", skip_serializing_if = "zero")]
    pub external_urls: Vec<String>,
}

/// A node that pods of an Application run on.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HostInfo {
    /// Name of the node.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// What is used of it.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources_info: Vec<HostResourceInfo>,
    /// What it runs.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub system_info: NodeSystemInfo,
    /// Its labels, as far as the settings permit.
    #[prost(btree_map = "string, string", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
}

/// What is used of one resource of a node.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HostResourceInfo {
    /// Name of the resource, such as `cpu`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_name: String,
    /// What the Application's pods ask for, in thousandths.
    #[prost(int64, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requested_by_app: i64,
    /// What other pods ask for, in thousandths.
    #[prost(int64, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requested_by_neighbors: i64,
    /// What the node has, in thousandths.
    #[prost(int64, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub capacity: i64,
}

/// An object as it is and as it should be; values of Secrets are masked.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDiff {
    /// API group.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// Kind.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// Namespace.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Name.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// As the source says, as JSON.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_state: String,
    /// As it is, as JSON.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub live_state: String,
    /// No longer written.
    #[prost(string, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub diff: String,
    /// Whether it is a hook.
    #[prost(bool, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook: bool,
    /// As it is, without what is ignored, as JSON.
    #[prost(string, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub normalized_live_state: String,
    /// As it would be after a sync, as JSON.
    #[prost(string, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub predicted_live_state: String,
    /// Version of the live object.
    #[prost(string, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// Whether a sync would change it.
    #[prost(bool, required, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub modified: bool,
}
