//! The generators of an ApplicationSet.

use crate::go::{null, zero};
use crate::k8s::apiextensions_v1::Json;
use crate::k8s::meta_v1::LabelSelector;
use crate::v1alpha1::{ApplicationSetTemplate, PullRequestGenerator, SCMProviderGenerator};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC ApplicationSetGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetGenerator {
    /// DOC ApplicationSetGenerator.list
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub list: Option<ListGenerator>,
    /// DOC ApplicationSetGenerator.clusters
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub clusters: Option<ClusterGenerator>,
    /// DOC ApplicationSetGenerator.git
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub git: Option<GitGenerator>,
    /// DOC ApplicationSetGenerator.scmProvider
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub scm_provider: Option<SCMProviderGenerator>,
    /// DOC ApplicationSetGenerator.clusterDecisionResource
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub cluster_decision_resource: Option<DuckTypeGenerator>,
    /// DOC ApplicationSetGenerator.pullRequest
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub pull_request: Option<PullRequestGenerator>,
    /// DOC ApplicationSetGenerator.matrix
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub matrix: Option<MatrixGenerator>,
    /// DOC ApplicationSetGenerator.merge
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub merge: Option<MergeGenerator>,
    /// DOC ApplicationSetGenerator.selector
    #[prost(message, optional, tag = "9")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(skip_serializing_if = "zero")]
    pub selector: Option<LabelSelector>,
    /// DOC ApplicationSetGenerator.plugin
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<PluginGenerator>,
}

/// DOC ApplicationSetNestedGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetNestedGenerator {
    /// DOC ApplicationSetNestedGenerator.list
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub list: Option<ListGenerator>,
    /// DOC ApplicationSetNestedGenerator.clusters
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub clusters: Option<ClusterGenerator>,
    /// DOC ApplicationSetNestedGenerator.git
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub git: Option<GitGenerator>,
    /// DOC ApplicationSetNestedGenerator.scmProvider
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub scm_provider: Option<SCMProviderGenerator>,
    /// DOC ApplicationSetNestedGenerator.clusterDecisionResource
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub cluster_decision_resource: Option<DuckTypeGenerator>,
    /// DOC ApplicationSetNestedGenerator.pullRequest
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub pull_request: Option<PullRequestGenerator>,
    /// DOC ApplicationSetNestedGenerator.matrix
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub matrix: Option<Json>,
    /// DOC ApplicationSetNestedGenerator.merge
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub merge: Option<Json>,
    /// DOC ApplicationSetNestedGenerator.selector
    #[prost(message, optional, tag = "9")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(skip_serializing_if = "zero")]
    pub selector: Option<LabelSelector>,
    /// DOC ApplicationSetNestedGenerator.plugin
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<PluginGenerator>,
}

/// DOC ApplicationSetTerminalGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetTerminalGenerator {
    /// DOC ApplicationSetTerminalGenerator.list
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub list: Option<ListGenerator>,
    /// DOC ApplicationSetTerminalGenerator.clusters
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub clusters: Option<ClusterGenerator>,
    /// DOC ApplicationSetTerminalGenerator.git
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub git: Option<GitGenerator>,
    /// DOC ApplicationSetTerminalGenerator.scmProvider
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub scm_provider: Option<SCMProviderGenerator>,
    /// DOC ApplicationSetTerminalGenerator.clusterDecisionResource
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub cluster_decision_resource: Option<DuckTypeGenerator>,
    /// DOC ApplicationSetTerminalGenerator.pullRequest
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub pull_request: Option<PullRequestGenerator>,
    /// DOC ApplicationSetTerminalGenerator.plugin
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<PluginGenerator>,
    /// DOC ApplicationSetTerminalGenerator.selector
    #[prost(message, optional, tag = "8")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(skip_serializing_if = "zero")]
    pub selector: Option<LabelSelector>,
}

/// DOC ListGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListGenerator {
    /// DOC ListGenerator.elements
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub elements: Vec<Json>,
    /// DOC ListGenerator.template
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC ListGenerator.elementsYaml
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub elements_yaml: String,
}

/// DOC ClusterGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterGenerator {
    /// DOC ClusterGenerator.selector
    #[prost(message, required, tag = "1")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(deserialize_with = "null")]
    pub selector: LabelSelector,
    /// DOC ClusterGenerator.template
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC ClusterGenerator.values
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
    /// DOC ClusterGenerator.flatList
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub flat_list: bool,
}

/// DOC GitGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repoURL", "revision"]))]
pub struct GitGenerator {
    /// DOC GitGenerator.repoURL
    #[prost(string, tag = "1")]
    #[serde(rename = "repoURL", deserialize_with = "null")]
    pub repo_url: String,
    /// DOC GitGenerator.directories
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub directories: Vec<GitDirectoryGeneratorItem>,
    /// DOC GitGenerator.files
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub files: Vec<GitFileGeneratorItem>,
    /// DOC GitGenerator.revision
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub revision: String,
    /// DOC GitGenerator.requeueAfterSeconds
    #[prost(int64, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// DOC GitGenerator.template
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC GitGenerator.pathParamPrefix
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path_param_prefix: String,
    /// DOC GitGenerator.values
    #[prost(btree_map = "string, string", tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
}

/// DOC GitDirectoryGeneratorItem
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["path"]))]
pub struct GitDirectoryGeneratorItem {
    /// DOC GitDirectoryGeneratorItem.path
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// DOC GitDirectoryGeneratorItem.exclude
    #[prost(bool, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude: bool,
}

/// DOC GitFileGeneratorItem
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["path"]))]
pub struct GitFileGeneratorItem {
    /// DOC GitFileGeneratorItem.path
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// DOC GitFileGeneratorItem.exclude
    #[prost(bool, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude: bool,
}

/// DOC DuckTypeGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["configMapRef"]))]
pub struct DuckTypeGenerator {
    /// DOC DuckTypeGenerator.configMapRef
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub config_map_ref: String,
    /// DOC DuckTypeGenerator.name
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC DuckTypeGenerator.requeueAfterSeconds
    #[prost(int64, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// DOC DuckTypeGenerator.labelSelector
    #[prost(message, required, tag = "4")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(deserialize_with = "null")]
    pub label_selector: LabelSelector,
    /// DOC DuckTypeGenerator.template
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC DuckTypeGenerator.values
    #[prost(btree_map = "string, string", tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
}

/// DOC MatrixGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators"]))]
pub struct MatrixGenerator {
    /// DOC MatrixGenerator.generators
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetNestedGenerator>,
    /// DOC MatrixGenerator.template
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
}

/// DOC MergeGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators", "mergeKeys"]))]
pub struct MergeGenerator {
    /// DOC MergeGenerator.generators
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetNestedGenerator>,
    /// DOC MergeGenerator.mergeKeys
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub merge_keys: Vec<String>,
    /// DOC MergeGenerator.template
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
}

/// DOC NestedMatrixGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators"]))]
pub struct NestedMatrixGenerator {
    /// DOC NestedMatrixGenerator.generators
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetTerminalGenerator>,
}

/// DOC NestedMergeGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators", "mergeKeys"]))]
pub struct NestedMergeGenerator {
    /// DOC NestedMergeGenerator.generators
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetTerminalGenerator>,
    /// DOC NestedMergeGenerator.mergeKeys
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub merge_keys: Vec<String>,
}

/// DOC PluginGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["configMapRef"]))]
pub struct PluginGenerator {
    /// DOC PluginGenerator.configMapRef
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub config_map_ref: PluginConfigMapRef,
    /// DOC PluginGenerator.input
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub input: PluginInput,
    /// DOC PluginGenerator.requeueAfterSeconds
    #[prost(int64, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// DOC PluginGenerator.template
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC PluginGenerator.values
    #[prost(btree_map = "string, string", tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
}

/// DOC PluginConfigMapRef
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct PluginConfigMapRef {
    /// DOC PluginConfigMapRef.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
}

/// DOC PluginInput
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginInput {
    /// DOC PluginInput.parameters
    #[prost(btree_map = "string, message", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parameters: BTreeMap<String, Json>,
}

/// DOC SecretRef
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["secretName", "key"]))]
pub struct SecretRef {
    /// DOC SecretRef.secretName
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub secret_name: String,
    /// DOC SecretRef.key
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub key: String,
}

/// DOC ConfigMapKeyRef
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["configMapName", "key"]))]
pub struct ConfigMapKeyRef {
    /// DOC ConfigMapKeyRef.configMapName
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub config_map_name: String,
    /// DOC ConfigMapKeyRef.key
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub key: String,
}
