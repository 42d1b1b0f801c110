//! `core/v1`: what the resource tree shows of load balancers and nodes.

use crate::go::{null, zero};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// DOC LoadBalancerIngress
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancerIngress {
    /// DOC LoadBalancerIngress.ip
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ip: String,
    /// DOC LoadBalancerIngress.hostname
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hostname: String,
    /// DOC LoadBalancerIngress.ipMode
    #[prost(string, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub ip_mode: Option<String>,
    /// DOC LoadBalancerIngress.ports
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ports: Vec<PortStatus>,
}

/// DOC PortStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["port", "protocol"]))]
pub struct PortStatus {
    /// DOC PortStatus.port
    #[prost(int32, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub port: i32,
    /// DOC PortStatus.protocol
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub protocol: String,
    /// DOC PortStatus.error
    #[prost(string, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub error: Option<String>,
}

/// DOC NodeSystemInfo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture"]))]
pub struct NodeSystemInfo {
    /// DOC NodeSystemInfo.machineID
    #[prost(string, tag = "1")]
    #[serde(rename = "machineID", deserialize_with = "null")]
    pub machine_id: String,
    /// DOC NodeSystemInfo.systemUUID
    #[prost(string, tag = "2")]
    #[serde(rename = "systemUUID", deserialize_with = "null")]
    pub system_uuid: String,
    /// DOC NodeSystemInfo.bootID
    #[prost(string, tag = "3")]
    #[serde(rename = "bootID", deserialize_with = "null")]
    pub boot_id: String,
    /// DOC NodeSystemInfo.kernelVersion
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub kernel_version: String,
    /// DOC NodeSystemInfo.osImage
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub os_image: String,
    /// DOC NodeSystemInfo.containerRuntimeVersion
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub container_runtime_version: String,
    /// DOC NodeSystemInfo.kubeletVersion
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub kubelet_version: String,
    /// DOC NodeSystemInfo.kubeProxyVersion
    #[prost(string, tag = "8")]
    #[serde(deserialize_with = "null")]
    pub kube_proxy_version: String,
    /// DOC NodeSystemInfo.operatingSystem
    #[prost(string, tag = "9")]
    #[serde(deserialize_with = "null")]
    pub operating_system: String,
    /// DOC NodeSystemInfo.architecture
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub architecture: String,
    /// DOC NodeSystemInfo.swap
    #[prost(message, optional, tag = "11")]
    #[serde(skip_serializing_if = "zero")]
    pub swap: Option<NodeSwapStatus>,
}

/// DOC NodeSwapStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSwapStatus {
    /// DOC NodeSwapStatus.capacity
    #[prost(int64, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub capacity: Option<i64>,
}
