//! The generators of an ApplicationSet.

use crate::go::{null, zero};
use crate::k8s::apiextensions_v1::Json;
use crate::k8s::meta_v1::LabelSelector;
use crate::v1alpha1::{ApplicationSetTemplate, PullRequestGenerator, SCMProviderGenerator};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One source of sets of parameters; exactly one kind is set.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetGenerator {
    /// A fixed list.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub list: Option<ListGenerator>,
    /// Registered clusters.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub clusters: Option<ClusterGenerator>,
    /// Directories or files of a Git repository.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub git: Option<GitGenerator>,
    /// Repositories of an organization at a hosting service.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub scm_provider: Option<SCMProviderGenerator>,
    /// Clusters named by the status of an object.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub cluster_decision_resource: Option<DuckTypeGenerator>,
    /// Open pull requests of a repository.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub pull_request: Option<PullRequestGenerator>,
    /// Every combination of two generators' sets.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub matrix: Option<MatrixGenerator>,
    /// Sets of several generators, joined by keys.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub merge: Option<MergeGenerator>,
    /// Keeps the sets whose parameters match.
    #[prost(message, optional, tag = "9")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(skip_serializing_if = "zero")]
    pub selector: Option<LabelSelector>,
    /// Sets that an HTTP service answers with.
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<PluginGenerator>,
}

/// A generator inside a matrix or merge generator.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetNestedGenerator {
    /// A fixed list.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub list: Option<ListGenerator>,
    /// Registered clusters.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub clusters: Option<ClusterGenerator>,
    /// Directories or files of a Git repository.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub git: Option<GitGenerator>,
    /// Repositories of an organization at a hosting service.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub scm_provider: Option<SCMProviderGenerator>,
    /// Clusters named by the status of an object.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub cluster_decision_resource: Option<DuckTypeGenerator>,
    /// Open pull requests of a repository.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub pull_request: Option<PullRequestGenerator>,
    /// Every combination of two generators' sets.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub matrix: Option<Json>,
    /// Sets of several generators, joined by keys.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub merge: Option<Json>,
    /// Keeps the sets whose parameters match.
    #[prost(message, optional, tag = "9")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(skip_serializing_if = "zero")]
    pub selector: Option<LabelSelector>,
    /// Sets that an HTTP service answers with.
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<PluginGenerator>,
}

/// A generator inside a nested one; holds no further generators.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSetTerminalGenerator {
    /// A fixed list.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub list: Option<ListGenerator>,
    /// Registered clusters.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub clusters: Option<ClusterGenerator>,
    /// Directories or files of a Git repository.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub git: Option<GitGenerator>,
    /// Repositories of an organization at a hosting service.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub scm_provider: Option<SCMProviderGenerator>,
    /// Clusters named by the status of an object.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub cluster_decision_resource: Option<DuckTypeGenerator>,
    /// Open pull requests of a repository.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub pull_request: Option<PullRequestGenerator>,
    /// Sets that an HTTP service answers with.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<PluginGenerator>,
    /// Keeps the sets whose parameters match.
    #[prost(message, optional, tag = "8")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(skip_serializing_if = "zero")]
    pub selector: Option<LabelSelector>,
}

/// A fixed list of sets of parameters.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ListGenerator {
    /// The sets, any JSON objects.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub elements: Vec<Json>,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// The sets as YAML text, which may be templated.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub elements_yaml: String,
}

/// A set of parameters for each registered cluster.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ClusterGenerator {
    /// Which clusters, by the labels of their Secrets; all when empty.
    #[prost(message, required, tag = "1")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(deserialize_with = "null")]
    pub selector: LabelSelector,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// Further parameters, found under `values`.
    #[prost(btree_map = "string, string", tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
    /// Give one set with a list of all clusters instead of a set for each.
    #[prost(bool, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub flat_list: bool,
}

/// Sets of parameters from a Git repository, by its directories or files.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repoURL", "revision"]))]
pub struct GitGenerator {
    /// URL of the repository.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "repoURL", deserialize_with = "null")]
    pub repo_url: String,
    /// Directories that each give a set.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub directories: Vec<GitDirectoryGeneratorItem>,
    /// Files whose JSON or YAML each gives sets.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub files: Vec<GitFileGeneratorItem>,
    /// Branch, tag or commit.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub revision: String,
    /// Seconds until the generator is asked again.
    #[prost(int64, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// Prefix for the names of the path's parameters.
    #[prost(string, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path_param_prefix: String,
    /// Further parameters, found under `values`.
    #[prost(btree_map = "string, string", tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
}

/// Directories, by a glob.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["path"]))]
pub struct GitDirectoryGeneratorItem {
    /// The glob.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// Leave out what matches.
    #[prost(bool, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude: bool,
}

/// Files, by a glob.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["path"]))]
pub struct GitFileGeneratorItem {
    /// The glob.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// Leave out what matches.
    #[prost(bool, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude: bool,
}

/// Clusters that the status of some object lists.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["configMapRef"]))]
pub struct DuckTypeGenerator {
    /// Name of the ConfigMap that describes the kind and where its list is.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub config_map_ref: String,
    /// Name of the object; excludes `labelSelector`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Seconds until the generator is asked again.
    #[prost(int64, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// Which objects, by labels.
    #[prost(message, required, tag = "4")]
    #[schemars(extend("x-kubernetes-map-type" = "atomic"))]
    #[serde(deserialize_with = "null")]
    pub label_selector: LabelSelector,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// Further parameters, found under `values`.
    #[prost(btree_map = "string, string", tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
}

/// Every combination of the sets of two generators.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators"]))]
pub struct MatrixGenerator {
    /// The two generators.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetNestedGenerator>,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
}

/// Sets of the first generator, with parameters that later ones override.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators", "mergeKeys"]))]
pub struct MergeGenerator {
    /// The generators, the base first.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetNestedGenerator>,
    /// Parameters that must be equal for sets to be joined.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub merge_keys: Vec<String>,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
}

/// A matrix inside another generator.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators"]))]
pub struct NestedMatrixGenerator {
    /// The two generators.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetTerminalGenerator>,
}

/// A merge inside another generator.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["generators", "mergeKeys"]))]
pub struct NestedMergeGenerator {
    /// The generators, the base first.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub generators: Vec<ApplicationSetTerminalGenerator>,
    /// Parameters that must be equal for sets to be joined.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub merge_keys: Vec<String>,
}

/// Sets of parameters that an HTTP service answers with.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["configMapRef"]))]
pub struct PluginGenerator {
    /// The ConfigMap that says where the service is.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub config_map_ref: PluginConfigMapRef,
    /// What the service is asked.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub input: PluginInput,
    /// Seconds until the generator is asked again.
    #[prost(int64, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// Further parameters, found under `values`.
    #[prost(btree_map = "string, string", tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
}

/// A ConfigMap beside the ApplicationSet.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct PluginConfigMapRef {
    /// Name of the ConfigMap.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
}

/// What a generator's service is asked.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PluginInput {
    /// Parameters, any JSON values.
    #[prost(btree_map = "string, message", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parameters: BTreeMap<String, Json>,
}

/// A value in a Secret beside the ApplicationSet.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["secretName", "key"]))]
pub struct SecretRef {
    /// Name of the Secret.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub secret_name: String,
    /// Key in the Secret.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub key: String,
}

/// A value in a ConfigMap beside the ApplicationSet.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["configMapName", "key"]))]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub config_map_name: String,
    /// Key in the ConfigMap.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub key: String,
}
