//! `core/v1`: what the resource tree shows of load balancers and nodes.

use crate::go::{null, zero};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address of a load balancer.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct LoadBalancerIngress {
    /// IP address.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ip: String,
    /// Host name.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub hostname: String,
    /// Whether traffic keeps the address it was sent to: `VIP` or `Proxy`.
    #[prost(string, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub ip_mode: Option<String>,
    /// State of its ports.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ports: Vec<PortStatus>,
}

/// State of a port.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["port", "protocol"]))]
pub struct PortStatus {
    /// Number of the port.
    #[prost(int32, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub port: i32,
    /// Protocol: `TCP`, `UDP` or `SCTP`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub protocol: String,
    /// What is wrong with it.
    #[prost(string, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub error: Option<String>,
}

/// What a node runs.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion", "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture"]))]
pub struct NodeSystemInfo {
    /// Id of the machine.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "machineID", deserialize_with = "null")]
    pub machine_id: String,
    /// Id of the hardware.
    #[prost(string, required, tag = "2")]
    #[serde(rename = "systemUUID", deserialize_with = "null")]
    pub system_uuid: String,
    /// Id of the start of the machine.
    #[prost(string, required, tag = "3")]
    #[serde(rename = "bootID", deserialize_with = "null")]
    pub boot_id: String,
    /// Version of the kernel.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub kernel_version: String,
    /// Name of the operating system's image.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub os_image: String,
    /// Version of the container runtime.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub container_runtime_version: String,
    /// Version of the kubelet.
    #[prost(string, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub kubelet_version: String,
    /// Version of kube-proxy.
    #[prost(string, required, tag = "8")]
    #[serde(deserialize_with = "null")]
    pub kube_proxy_version: String,
    /// Operating system.
    #[prost(string, required, tag = "9")]
    #[serde(deserialize_with = "null")]
    pub operating_system: String,
    /// Architecture of the processor.
    #[prost(string, required, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub architecture: String,
    /// What swap space there is.
    #[prost(message, optional, tag = "11")]
    #[serde(skip_serializing_if = "zero")]
    pub swap: Option<NodeSwapStatus>,
}

/// Swap space of a node.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSwapStatus {
    /// Its size in bytes.
    #[prost(int64, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub capacity: Option<i64>,
}
