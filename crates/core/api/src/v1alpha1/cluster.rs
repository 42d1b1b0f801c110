//! Destination clusters and how they are reached.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{ListMeta, Time};
use crate::k8s::runtime::RawExtension;
use crate::v1alpha1::ConnectionState;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A cluster that Applications may be deployed to.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["server", "name", "config"]))]
pub struct Cluster {
    /// URL of the API server.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub server: String,
    /// Name of the cluster; the URL when not set.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// How to connect.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub config: ClusterConfig,
    /// Whether it could be reached; see `info`.
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub connection_state: ConnectionState,
    /// Version of Kubernetes; see `info`.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server_version: String,
    /// The namespaces that are watched; empty means all.
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespaces: Vec<String>,
    /// When somebody asked for everything to be listed anew.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub refresh_requested_at: Option<Time>,
    /// What was last observed.
    #[prost(message, required, tag = "8")]
    #[serde(deserialize_with = "null")]
    pub info: ClusterInfo,
    /// The shard of the controller that looks after it; chosen when not set.
    #[prost(int64, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub shard: Option<i64>,
    /// Watch cluster-scoped objects although `namespaces` is set.
    #[prost(bool, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_resources: bool,
    /// The project the cluster belongs to alone.
    #[prost(string, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub project: String,
    /// Labels of the Secret that holds it.
    #[prost(btree_map = "string, string", tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the Secret that holds it.
    #[prost(btree_map = "string, string", tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of clusters.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct ClusterList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<Cluster>,
}

/// How to connect to a cluster.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["tlsClientConfig"]))]
pub struct ClusterConfig {
    /// Name for basic authentication.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// Password for basic authentication.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub password: String,
    /// Token sent with each request.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub bearer_token: String,
    /// Certificates, and how the server's is verified.
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub tls_client_config: TLSClientConfig,
    /// Sign in to EKS with AWS's credentials.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub aws_auth_config: Option<AWSAuthConfig>,
    /// A program that gives credentials.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub exec_provider_config: Option<ExecProviderConfig>,
    /// Do not ask for compressed answers.
    #[prost(bool, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub disable_compression: bool,
    /// The proxy to go through.
    #[prost(string, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub proxy_url: String,
}

/// Certificates, and how the server's is verified.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["insecure"]))]
pub struct TLSClientConfig {
    /// Do not verify the server's certificate.
    #[prost(bool, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub insecure: bool,
    /// Name the server's certificate must be for, when not the host's.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server_name: String,
    /// Client certificate, as PEM.
    #[prost(bytes = "vec", tag = "3")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64", skip_serializing_if = "zero")]
    pub cert_data: Vec<u8>,
    /// Key of the client certificate, as PEM.
    #[prost(bytes = "vec", tag = "4")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64", skip_serializing_if = "zero")]
    pub key_data: Vec<u8>,
    /// Certificates of trusted authorities, as PEM.
    #[prost(bytes = "vec", tag = "5")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64", skip_serializing_if = "zero")]
    pub ca_data: Vec<u8>,
}

/// How to sign in to EKS.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AWSAuthConfig {
    /// Name of the EKS cluster.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_name: String,
    /// The role to assume.
    #[prost(string, required, tag = "2")]
    #[serde(rename = "roleARN", deserialize_with = "null", skip_serializing_if = "zero")]
    pub role_arn: String,
    /// The profile of AWS's configuration to use.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub profile: String,
}

/// A program that gives credentials, as in a kubeconfig.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ExecProviderConfig {
    /// The program.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub command: String,
    /// Its arguments.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub args: Vec<String>,
    /// Further environment variables for it.
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub env: BTreeMap<String, String>,
    /// Version of the form in which it answers.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_version: String,
    /// Shown when the program is not there.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub install_hint: String,
    /// Tell the program about the cluster.
    #[prost(bool, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub provide_cluster_info: bool,
    /// Settings handed to the program with what it is told of the cluster.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub config: Option<RawExtension>,
}

/// What was observed of a cluster.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["applicationsCount"]))]
pub struct ClusterInfo {
    /// Whether it can be reached.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub connection_state: ConnectionState,
    /// Version of Kubernetes.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub server_version: String,
    /// What is kept of it in memory.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub cache_info: ClusterCacheInfo,
    /// How many Applications go there.
    #[prost(int64, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub applications_count: i64,
    /// The API versions and kinds it serves.
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_versions: Vec<String>,
}

/// What is kept of a cluster in memory.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterCacheInfo {
    /// Number of objects.
    #[prost(int64, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub resources_count: i64,
    /// Number of watched kinds.
    #[prost(int64, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub apis_count: i64,
    /// When everything was last listed.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub last_cache_sync_time: Option<Time>,
}
