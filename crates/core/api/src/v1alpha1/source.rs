//! Where manifests come from and how they are rendered.

use crate::go::{OptionalArray, OptionalMap, null, zero};
use crate::k8s::intstr::IntOrString;
use crate::k8s::runtime::RawExtension;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC ApplicationSource
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repoURL"]))]
pub struct ApplicationSource {
    /// DOC ApplicationSource.repoURL
    #[prost(string, tag = "1")]
    #[serde(rename = "repoURL", deserialize_with = "null")]
    pub repo_url: String,
    /// DOC ApplicationSource.path
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
    /// DOC ApplicationSource.targetRevision
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_revision: String,
    /// DOC ApplicationSource.helm
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub helm: Option<ApplicationSourceHelm>,
    /// DOC ApplicationSource.kustomize
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub kustomize: Option<ApplicationSourceKustomize>,
    /// DOC ApplicationSource.directory
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub directory: Option<ApplicationSourceDirectory>,
    /// DOC ApplicationSource.plugin
    #[prost(message, optional, tag = "11")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<ApplicationSourcePlugin>,
    /// DOC ApplicationSource.chart
    #[prost(string, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub chart: String,
    /// DOC ApplicationSource.ref
    #[prost(string, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#ref: String,
    /// DOC ApplicationSource.name
    #[prost(string, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ApplicationSource.tagPrefix
    #[prost(string, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tag_prefix: String,
}

/// DOC ApplicationSourceHelm
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceHelm {
    /// DOC ApplicationSourceHelm.valueFiles
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value_files: Vec<String>,
    /// DOC ApplicationSourceHelm.parameters
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parameters: Vec<HelmParameter>,
    /// DOC ApplicationSourceHelm.releaseName
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub release_name: String,
    /// DOC ApplicationSourceHelm.values
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: String,
    /// DOC ApplicationSourceHelm.fileParameters
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub file_parameters: Vec<HelmFileParameter>,
    /// DOC ApplicationSourceHelm.version
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// DOC ApplicationSourceHelm.passCredentials
    #[prost(bool, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub pass_credentials: bool,
    /// DOC ApplicationSourceHelm.ignoreMissingValueFiles
    #[prost(bool, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_missing_value_files: bool,
    /// DOC ApplicationSourceHelm.skipCrds
    #[prost(bool, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub skip_crds: bool,
    /// DOC ApplicationSourceHelm.valuesObject
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub values_object: Option<RawExtension>,
    /// DOC ApplicationSourceHelm.namespace
    #[prost(string, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ApplicationSourceHelm.kubeVersion
    #[prost(string, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kube_version: String,
    /// DOC ApplicationSourceHelm.apiVersions
    #[prost(string, repeated, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_versions: Vec<String>,
    /// DOC ApplicationSourceHelm.skipTests
    #[prost(bool, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub skip_tests: bool,
    /// DOC ApplicationSourceHelm.skipSchemaValidation
    #[prost(bool, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub skip_schema_validation: bool,
}

/// DOC HelmParameter
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmParameter {
    /// DOC HelmParameter.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC HelmParameter.value
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value: String,
    /// DOC HelmParameter.forceString
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_string: bool,
}

/// DOC HelmFileParameter
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmFileParameter {
    /// DOC HelmFileParameter.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC HelmFileParameter.path
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
}

/// DOC ApplicationSourceKustomize
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceKustomize {
    /// DOC ApplicationSourceKustomize.namePrefix
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name_prefix: String,
    /// DOC ApplicationSourceKustomize.nameSuffix
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name_suffix: String,
    /// DOC ApplicationSourceKustomize.images
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
    /// DOC ApplicationSourceKustomize.commonLabels
    #[prost(btree_map = "string, string", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub common_labels: BTreeMap<String, String>,
    /// DOC ApplicationSourceKustomize.version
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// DOC ApplicationSourceKustomize.commonAnnotations
    #[prost(btree_map = "string, string", tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub common_annotations: BTreeMap<String, String>,
    /// DOC ApplicationSourceKustomize.forceCommonLabels
    #[prost(bool, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_common_labels: bool,
    /// DOC ApplicationSourceKustomize.forceCommonAnnotations
    #[prost(bool, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_common_annotations: bool,
    /// DOC ApplicationSourceKustomize.namespace
    #[prost(string, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ApplicationSourceKustomize.commonAnnotationsEnvsubst
    #[prost(bool, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub common_annotations_envsubst: bool,
    /// DOC ApplicationSourceKustomize.replicas
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub replicas: Vec<KustomizeReplica>,
    /// DOC ApplicationSourceKustomize.patches
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub patches: Vec<KustomizePatch>,
    /// DOC ApplicationSourceKustomize.components
    #[prost(string, repeated, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub components: Vec<String>,
    /// DOC ApplicationSourceKustomize.ignoreMissingComponents
    #[prost(bool, tag = "17")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_missing_components: bool,
    /// DOC ApplicationSourceKustomize.labelWithoutSelector
    #[prost(bool, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub label_without_selector: bool,
    /// DOC ApplicationSourceKustomize.kubeVersion
    #[prost(string, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kube_version: String,
    /// DOC ApplicationSourceKustomize.apiVersions
    #[prost(string, repeated, tag = "16")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_versions: Vec<String>,
    /// DOC ApplicationSourceKustomize.labelIncludeTemplates
    #[prost(bool, tag = "18")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub label_include_templates: bool,
}

/// DOC KustomizeReplica
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "count"]))]
pub struct KustomizeReplica {
    /// DOC KustomizeReplica.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC KustomizeReplica.count
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub count: IntOrString,
}

/// DOC KustomizePatch
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizePatch {
    /// DOC KustomizePatch.path
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
    /// DOC KustomizePatch.patch
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub patch: String,
    /// DOC KustomizePatch.target
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub target: Option<KustomizeSelector>,
    /// DOC KustomizePatch.options
    #[prost(btree_map = "string, bool", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub options: BTreeMap<String, bool>,
}

/// DOC KustomizeSelector
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizeSelector {
    /// DOC KustomizeSelector.resId
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub res_id: KustomizeResId,
    /// DOC KustomizeSelector.annotationSelector
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotation_selector: String,
    /// DOC KustomizeSelector.labelSelector
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub label_selector: String,
}

/// DOC KustomizeResId
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizeResId {
    /// DOC KustomizeResId.gvk
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub gvk: KustomizeGvk,
    /// DOC KustomizeResId.name
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC KustomizeResId.namespace
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
}

/// DOC KustomizeGvk
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizeGvk {
    /// DOC KustomizeGvk.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// DOC KustomizeGvk.version
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// DOC KustomizeGvk.kind
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
}

/// DOC ApplicationSourceDirectory
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceDirectory {
    /// DOC ApplicationSourceDirectory.recurse
    #[prost(bool, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub recurse: bool,
    /// DOC ApplicationSourceDirectory.jsonnet
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jsonnet: ApplicationSourceJsonnet,
    /// DOC ApplicationSourceDirectory.exclude
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude: String,
    /// DOC ApplicationSourceDirectory.include
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub include: String,
    /// DOC ApplicationSourceDirectory.disableExtensionFilter
    #[prost(bool, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub disable_extension_filter: bool,
}

/// DOC ApplicationSourceJsonnet
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceJsonnet {
    /// DOC ApplicationSourceJsonnet.extVars
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ext_vars: Vec<JsonnetVar>,
    /// DOC ApplicationSourceJsonnet.tlas
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tlas: Vec<JsonnetVar>,
    /// DOC ApplicationSourceJsonnet.libs
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub libs: Vec<String>,
}

/// DOC JsonnetVar
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct JsonnetVar {
    /// DOC JsonnetVar.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC JsonnetVar.value
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub value: String,
    /// DOC JsonnetVar.code
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub code: bool,
}

/// DOC ApplicationSourcePlugin
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourcePlugin {
    /// DOC ApplicationSourcePlugin.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ApplicationSourcePlugin.env
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub env: Vec<EnvEntry>,
    /// DOC ApplicationSourcePlugin.parameters
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parameters: Vec<ApplicationSourcePluginParameter>,
}

/// DOC EnvEntry
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct EnvEntry {
    /// DOC EnvEntry.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC EnvEntry.value
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub value: String,
}

/// DOC ApplicationSourcePluginParameter
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourcePluginParameter {
    /// DOC ApplicationSourcePluginParameter.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ApplicationSourcePluginParameter.string
    #[prost(string, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub string: Option<String>,
    /// DOC ApplicationSourcePluginParameter.map
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub map: Option<OptionalMap>,
    /// DOC ApplicationSourcePluginParameter.array
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub array: Option<OptionalArray>,
}
