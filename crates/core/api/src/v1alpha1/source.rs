//! Where manifests come from and how they are rendered.

use crate::go::{OptionalArray, OptionalMap, null, zero};
use crate::k8s::intstr::IntOrString;
use crate::k8s::runtime::RawExtension;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where manifests come from.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repoURL"]))]
pub struct ApplicationSource {
    /// URL of the Git, Helm or OCI repository.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "repoURL", deserialize_with = "null")]
    pub repo_url: String,
    /// Directory in a Git repository; excludes `chart`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
    /// Branch, tag, commit or range of versions; `HEAD` when empty.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub target_revision: String,
    /// Options for a chart.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub helm: Option<ApplicationSourceHelm>,
    /// Options for a kustomization.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub kustomize: Option<ApplicationSourceKustomize>,
    /// Options for plain manifests.
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub directory: Option<ApplicationSourceDirectory>,
    /// Options for a plugin.
    #[prost(message, optional, tag = "11")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<ApplicationSourcePlugin>,
    /// Name of the chart in a Helm repository; excludes `path`.
    #[prost(string, required, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub chart: String,
    /// Name by which values files of other sources reach this one, as `$name/…`.
    #[prost(string, required, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#ref: String,
    /// Name of the source among several.
    #[prost(string, required, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Prefix of the tags that a range of versions is sought among.
    #[prost(string, required, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tag_prefix: String,
}

/// Options for a chart.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceHelm {
    /// Values files, relative to the chart, or `$ref/…` of another source.
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value_files: Vec<String>,
    /// Single values, as with `--set`.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parameters: Vec<HelmParameter>,
    /// Name of the release; that of the Application when empty.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub release_name: String,
    /// Values as YAML text; `valuesObject` beats it.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: String,
    /// Single values from files, as with `--set-file`.
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub file_parameters: Vec<HelmFileParameter>,
    /// Version of Helm: only `v3` is left.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// Send credentials to every host a chart is fetched from.
    #[prost(bool, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub pass_credentials: bool,
    /// Leave out values files that are not there.
    #[prost(bool, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_missing_value_files: bool,
    /// Leave out the chart's `crds` directory.
    #[prost(bool, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub skip_crds: bool,
    /// Values as an object.
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "zero")]
    pub values_object: Option<RawExtension>,
    /// Namespace the chart is rendered for; the destination's when empty.
    #[prost(string, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Version of Kubernetes that the chart is told; the cluster's when empty.
    #[prost(string, required, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kube_version: String,
    /// API versions that the chart is told of; the cluster's when empty.
    #[prost(string, repeated, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_versions: Vec<String>,
    /// Leave out the chart's tests.
    #[prost(bool, required, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub skip_tests: bool,
    /// Do not check values against the chart's schema.
    #[prost(bool, required, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub skip_schema_validation: bool,
}

/// A value for a chart.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmParameter {
    /// Path of the value.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// The value.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value: String,
    /// Take the value as text, as with `--set-string`.
    #[prost(bool, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_string: bool,
}

/// A value for a chart, from a file.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HelmFileParameter {
    /// Path of the value.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Path of the file.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
}

/// Options for a kustomization.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceKustomize {
    /// Put before all names.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name_prefix: String,
    /// Put after all names.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name_suffix: String,
    /// Images to replace, as `old=new:tag`.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub images: Vec<String>,
    /// Labels for all objects.
    #[prost(btree_map = "string, string", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub common_labels: BTreeMap<String, String>,
    /// Version of Kustomize, as `argocd-cm` names it.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// Annotations for all objects.
    #[prost(btree_map = "string, string", tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub common_annotations: BTreeMap<String, String>,
    /// Override labels that are there.
    #[prost(bool, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_common_labels: bool,
    /// Override annotations that are there.
    #[prost(bool, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_common_annotations: bool,
    /// Namespace for all objects.
    #[prost(string, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Fill in build variables in `commonAnnotations`.
    #[prost(bool, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub common_annotations_envsubst: bool,
    /// Numbers of replicas to set.
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub replicas: Vec<KustomizeReplica>,
    /// Patches to apply.
    #[prost(message, repeated, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub patches: Vec<KustomizePatch>,
    /// Kustomize components to add.
    #[prost(string, repeated, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub components: Vec<String>,
    /// Leave out components that are not there.
    #[prost(bool, required, tag = "17")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_missing_components: bool,
    /// Do not put `commonLabels` into selectors.
    #[prost(bool, required, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub label_without_selector: bool,
    /// Version of Kubernetes that charts are told; the cluster's when empty.
    #[prost(string, required, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kube_version: String,
    /// API versions that charts are told of; the cluster's when empty.
    #[prost(string, repeated, tag = "16")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api_versions: Vec<String>,
    /// Put `commonLabels` into templates of pods, too.
    #[prost(bool, required, tag = "18")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub label_include_templates: bool,
}

/// The number of replicas of a workload.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "count"]))]
pub struct KustomizeReplica {
    /// Name of the workload.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// The number.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub count: IntOrString,
}

/// A patch, from a file or in place.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizePatch {
    /// File that holds the patch.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub path: String,
    /// The patch itself.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub patch: String,
    /// The objects it is for.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub target: Option<KustomizeSelector>,
    /// Options, such as `allowNameChange`.
    #[prost(btree_map = "string, bool", tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub options: BTreeMap<String, bool>,
}

/// Chooses objects.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizeSelector {
    /// By kind and name.
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub res_id: KustomizeResId,
    /// By annotations.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub annotation_selector: String,
    /// By labels.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub label_selector: String,
}

/// Kind and name of objects.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizeResId {
    /// Their kind.
    #[prost(message, required, tag = "1")]
    #[serde(flatten)]
    pub gvk: KustomizeGvk,
    /// Their name, a regular expression.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Their namespace, a regular expression.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
}

/// Group, version and kind, regular expressions.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KustomizeGvk {
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
}

/// Options for plain manifests.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceDirectory {
    /// Take subdirectories, too.
    #[prost(bool, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub recurse: bool,
    /// Options for Jsonnet files.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jsonnet: ApplicationSourceJsonnet,
    /// Glob of files to leave out.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude: String,
    /// Glob of files to take; all when empty.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub include: String,
    /// Read files of every extension, not YAML, JSON and Jsonnet alone.
    #[prost(bool, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub disable_extension_filter: bool,
}

/// Options for Jsonnet files.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourceJsonnet {
    /// External variables.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ext_vars: Vec<JsonnetVar>,
    /// Top-level arguments.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tlas: Vec<JsonnetVar>,
    /// Further directories that imports are sought in.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub libs: Vec<String>,
}

/// A variable of Jsonnet.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct JsonnetVar {
    /// Name of the variable.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// Its value.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub value: String,
    /// The value is Jsonnet, not text.
    #[prost(bool, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub code: bool,
}

/// Options for a plugin.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourcePlugin {
    /// Name of the plugin; found out when empty.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Environment variables for it; their names get the prefix `ARGOCD_ENV_`.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub env: Vec<EnvEntry>,
    /// Parameters for it.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub parameters: Vec<ApplicationSourcePluginParameter>,
}

/// An environment variable.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct EnvEntry {
    /// Name of the variable.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// Its value.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub value: String,
}

/// A parameter of a plugin; text, a map or a list.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApplicationSourcePluginParameter {
    /// Name of the parameter.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Its value, when text.
    #[prost(string, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub string: Option<String>,
    /// Its value, when a map.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub map: Option<OptionalMap>,
    /// Its value, when a list.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub array: Option<OptionalArray>,
}
