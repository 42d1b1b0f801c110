//! The resource tree and the differences shown of an application.

use crate::go::{null, zero};
use crate::k8s::core_v1::{LoadBalancerIngress, NodeSystemInfo};
use crate::k8s::meta_v1::Time;
use crate::v1alpha1::HealthStatus;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC ApplicationTree
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationTree {
    /// DOC ApplicationTree.nodes
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub nodes: Vec<ResourceNode>,
    /// DOC ApplicationTree.orphanedNodes
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub orphaned_nodes: Vec<ResourceNode>,
    /// DOC ApplicationTree.hosts
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hosts: Vec<HostInfo>,
    /// DOC ApplicationTree.shardsCount
    #[prost(int64, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub shards_count: i64,
}

/// DOC ResourceNode
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceNode {
    /// DOC ResourceNode.resourceRef
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub resource_ref: ResourceRef,
    /// DOC ResourceNode.parentRefs
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parent_refs: Vec<ResourceRef>,
    /// DOC ResourceNode.info
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub info: Vec<InfoItem>,
    /// DOC ResourceNode.networkingInfo
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub networking_info: Option<ResourceNetworkingInfo>,
    /// DOC ResourceNode.resourceVersion
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// DOC ResourceNode.images
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
    /// DOC ResourceNode.health
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub health: Option<HealthStatus>,
    /// DOC ResourceNode.createdAt
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub created_at: Option<Time>,
}

/// DOC ResourceRef
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceRef {
    /// DOC ResourceRef.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// DOC ResourceRef.version
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// DOC ResourceRef.kind
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// DOC ResourceRef.namespace
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ResourceRef.name
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ResourceRef.uid
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub uid: String,
}

/// DOC InfoItem
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InfoItem {
    /// DOC InfoItem.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC InfoItem.value
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value: String,
}

/// DOC ResourceNetworkingInfo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceNetworkingInfo {
    /// DOC ResourceNetworkingInfo.targetLabels
    #[prost(btree_map = "string, string", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_labels: BTreeMap<String, String>,
    /// DOC ResourceNetworkingInfo.targetRefs
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_refs: Vec<ResourceRef>,
    /// DOC ResourceNetworkingInfo.labels
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// DOC ResourceNetworkingInfo.ingress
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ingress: Vec<LoadBalancerIngress>,
    /// DOC ResourceNetworkingInfo.externalURLs
    #[prost(string, repeated, tag = "5")]
    #[serde(rename = "externalURLs", deserialize_with = "null", skip_serializing_if = "zero")]
    pub external_urls: Vec<String>,
}

/// DOC HostInfo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HostInfo {
    /// DOC HostInfo.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC HostInfo.resourcesInfo
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources_info: Vec<HostResourceInfo>,
    /// DOC HostInfo.systemInfo
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub system_info: NodeSystemInfo,
    /// DOC HostInfo.labels
    #[prost(btree_map = "string, string", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
}

/// DOC HostResourceInfo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HostResourceInfo {
    /// DOC HostResourceInfo.resourceName
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_name: String,
    /// DOC HostResourceInfo.requestedByApp
    #[prost(int64, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requested_by_app: i64,
    /// DOC HostResourceInfo.requestedByNeighbors
    #[prost(int64, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub requested_by_neighbors: i64,
    /// DOC HostResourceInfo.capacity
    #[prost(int64, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub capacity: i64,
}

/// DOC ResourceDiff
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceDiff {
    /// DOC ResourceDiff.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// DOC ResourceDiff.kind
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// DOC ResourceDiff.namespace
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ResourceDiff.name
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ResourceDiff.targetState
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_state: String,
    /// DOC ResourceDiff.liveState
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub live_state: String,
    /// DOC ResourceDiff.diff
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub diff: String,
    /// DOC ResourceDiff.hook
    #[prost(bool, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hook: bool,
    /// DOC ResourceDiff.normalizedLiveState
    #[prost(string, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub normalized_live_state: String,
    /// DOC ResourceDiff.predictedLiveState
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub predicted_live_state: String,
    /// DOC ResourceDiff.resourceVersion
    #[prost(string, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resource_version: String,
    /// DOC ResourceDiff.modified
    #[prost(bool, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub modified: bool,
}
