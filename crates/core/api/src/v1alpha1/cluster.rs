//! Destination clusters and how they are reached.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{ListMeta, Time};
use crate::k8s::runtime::RawExtension;
use crate::v1alpha1::ConnectionState;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC Cluster
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["server", "name", "config"]))]
pub struct Cluster {
    /// DOC Cluster.server
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub server: String,
    /// DOC Cluster.name
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC Cluster.config
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub config: ClusterConfig,
    /// DOC Cluster.connectionState
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub connection_state: ConnectionState,
    /// DOC Cluster.serverVersion
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server_version: String,
    /// DOC Cluster.namespaces
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespaces: Vec<String>,
    /// DOC Cluster.refreshRequestedAt
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub refresh_requested_at: Option<Time>,
    /// DOC Cluster.info
    #[prost(message, required, tag = "8")]
    #[serde(deserialize_with = "null")]
    pub info: ClusterInfo,
    /// DOC Cluster.shard
    #[prost(int64, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub shard: Option<i64>,
    /// DOC Cluster.clusterResources
    #[prost(bool, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_resources: bool,
    /// DOC Cluster.project
    #[prost(string, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub project: String,
    /// DOC Cluster.labels
    #[prost(btree_map = "string, string", tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// DOC Cluster.annotations
    #[prost(btree_map = "string, string", tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
}

/// DOC ClusterList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct ClusterList {
    /// DOC ClusterList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC ClusterList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<Cluster>,
}

/// DOC ClusterConfig
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["tlsClientConfig"]))]
pub struct ClusterConfig {
    /// DOC ClusterConfig.username
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// DOC ClusterConfig.password
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub password: String,
    /// DOC ClusterConfig.bearerToken
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub bearer_token: String,
    /// DOC ClusterConfig.tlsClientConfig
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub tls_client_config: TLSClientConfig,
    /// DOC ClusterConfig.awsAuthConfig
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub aws_auth_config: Option<AWSAuthConfig>,
    /// DOC ClusterConfig.execProviderConfig
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub exec_provider_config: Option<ExecProviderConfig>,
    /// DOC ClusterConfig.disableCompression
    #[prost(bool, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub disable_compression: bool,
    /// DOC ClusterConfig.proxyUrl
    #[prost(string, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub proxy_url: String,
}

/// DOC TLSClientConfig
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["insecure"]))]
pub struct TLSClientConfig {
    /// DOC TLSClientConfig.insecure
    #[prost(bool, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub insecure: bool,
    /// DOC TLSClientConfig.serverName
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server_name: String,
    /// DOC TLSClientConfig.certData
    #[prost(bytes = "vec", tag = "3")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64", skip_serializing_if = "zero")]
    pub cert_data: Vec<u8>,
    /// DOC TLSClientConfig.keyData
    #[prost(bytes = "vec", tag = "4")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64", skip_serializing_if = "zero")]
    pub key_data: Vec<u8>,
    /// DOC TLSClientConfig.caData
    #[prost(bytes = "vec", tag = "5")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64", skip_serializing_if = "zero")]
    pub ca_data: Vec<u8>,
}

/// DOC AWSAuthConfig
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AWSAuthConfig {
    /// DOC AWSAuthConfig.clusterName
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_name: String,
    /// DOC AWSAuthConfig.roleARN
    #[prost(string, tag = "2")]
    #[serde(rename = "roleARN", deserialize_with = "null", skip_serializing_if = "zero")]
    pub role_arn: String,
    /// DOC AWSAuthConfig.profile
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub profile: String,
}

/// DOC ExecProviderConfig
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExecProviderConfig {
    /// DOC ExecProviderConfig.command
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub command: String,
    /// DOC ExecProviderConfig.args
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub args: Vec<String>,
    /// DOC ExecProviderConfig.env
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub env: BTreeMap<String, String>,
    /// DOC ExecProviderConfig.apiVersion
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_version: String,
    /// DOC ExecProviderConfig.installHint
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub install_hint: String,
    /// DOC ExecProviderConfig.provideClusterInfo
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub provide_cluster_info: bool,
    /// DOC ExecProviderConfig.config
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub config: Option<RawExtension>,
}

/// DOC ClusterInfo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["applicationsCount"]))]
pub struct ClusterInfo {
    /// DOC ClusterInfo.connectionState
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub connection_state: ConnectionState,
    /// DOC ClusterInfo.serverVersion
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server_version: String,
    /// DOC ClusterInfo.cacheInfo
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub cache_info: ClusterCacheInfo,
    /// DOC ClusterInfo.applicationsCount
    #[prost(int64, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub applications_count: i64,
    /// DOC ClusterInfo.apiVersions
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_versions: Vec<String>,
}

/// DOC ClusterCacheInfo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterCacheInfo {
    /// DOC ClusterCacheInfo.resourcesCount
    #[prost(int64, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources_count: i64,
    /// DOC ClusterCacheInfo.apisCount
    #[prost(int64, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub apis_count: i64,
    /// DOC ClusterCacheInfo.lastCacheSyncTime
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_cache_sync_time: Option<Time>,
}
