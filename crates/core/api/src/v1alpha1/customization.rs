//! Resource customisations, actions and tools configured in `argocd-cm`.

use crate::go::{null, zero};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is told of a kind in `resource.customizations`.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceOverride {
    /// Lua script that judges health.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "health.lua", deserialize_with = "null", skip_serializing_if = "zero")]
    pub health_lua: String,
    /// Give scripts Lua's standard libraries.
    #[prost(bool, required, tag = "5")]
    #[serde(rename = "health.lua.useOpenLibs", deserialize_with = "null", skip_serializing_if = "zero")]
    pub use_open_libs: bool,
    /// Actions, as YAML; see `ResourceActions`.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub actions: String,
    /// Fields that are ignored when comparing.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_differences: OverrideIgnoreDiff,
    /// Fields whose changes wake nobody.
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_resource_updates: OverrideIgnoreDiff,
    /// Fields that hold a well-known type.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub known_type_fields: Vec<KnownTypeField>,
}

/// Fields that are ignored.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["jsonPointers", "jqPathExpressions", "managedFieldsManagers"]))]
pub struct OverrideIgnoreDiff {
    /// Fields as JSON pointers.
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub json_pointers: Vec<String>,
    /// Fields as jq path expressions.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub jq_path_expressions: Vec<String>,
    /// Field managers whose fields are ignored.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub managed_fields_managers: Vec<String>,
}

/// A field of a custom resource that holds a type of Kubernetes.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KnownTypeField {
    /// Path of the field.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub field: String,
    /// Name of the type, such as `core/v1/PodSpec`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
}

/// An action that can be run on an object now.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceAction {
    /// Name of the action.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// Parameters it takes.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub params: Vec<ResourceActionParam>,
    /// Shown, but cannot be run in the object's present state.
    #[prost(bool, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub disabled: bool,
    /// CSS class of its icon.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub icon_class: String,
    /// What it is called on screen.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub display_name: String,
}

/// A parameter of an action.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceActionParam {
    /// Name of the parameter.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// An action and its script.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "action.lua"]))]
pub struct ResourceActionDefinition {
    /// Name of the action.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// Lua script that returns the changed objects.
    #[prost(string, required, tag = "2")]
    #[serde(rename = "action.lua", deserialize_with = "null")]
    pub action_lua: String,
}

/// The actions of a kind.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceActions {
    /// Lua script that tells which actions an object has now.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "discovery.lua", deserialize_with = "null", skip_serializing_if = "zero")]
    pub action_discovery_lua: String,
    /// The actions.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub definitions: Vec<ResourceActionDefinition>,
    /// Add to the built-in actions instead of replacing them.
    #[prost(bool, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub merge_builtin_actions: bool,
}

/// A program that renders manifests, as `argocd-cm` once listed it.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "generate"]))]
pub struct ConfigManagementPlugin {
    /// Name of the plugin.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// Run before `generate`.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub init: Option<Command>,
    /// Prints the manifests.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub generate: Command,
    /// Let no two run in one repository at once.
    #[prost(bool, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub lock_repo: bool,
}

/// A program and its arguments.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Command {
    /// The program.
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub command: Vec<String>,
    /// Its arguments.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub args: Vec<String>,
}

/// A parameter of a component of the source.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct ComponentParameter {
    /// Name of the component.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub component: String,
    /// Name of the parameter.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// Value of the parameter.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub value: String,
}

/// Settings for rendering charts.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["ValuesFileSchemes"]))]
pub struct HelmOptions {
    /// Schemes of URLs that values files may be fetched from.
    #[prost(string, repeated, tag = "1")]
    #[serde(rename = "ValuesFileSchemes", deserialize_with = "null")]
    pub values_file_schemes: Vec<String>,
}

/// Settings for rendering kustomizations.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["BuildOptions", "BinaryPath", "Versions"]))]
pub struct KustomizeOptions {
    /// Arguments for `kustomize build`.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "BuildOptions", deserialize_with = "null")]
    pub build_options: String,
    /// Path of the program.
    #[prost(string, required, tag = "2")]
    #[serde(rename = "BinaryPath", deserialize_with = "null")]
    pub binary_path: String,
    /// Further versions that Applications may ask for.
    #[prost(message, repeated, tag = "3")]
    #[serde(rename = "Versions", deserialize_with = "null")]
    pub versions: Vec<KustomizeVersion>,
}

/// A version of Kustomize.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Name", "Path", "BuildOptions"]))]
pub struct KustomizeVersion {
    /// Name of the version.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "Name", deserialize_with = "null")]
    pub name: String,
    /// Path of the program.
    #[prost(string, required, tag = "2")]
    #[serde(rename = "Path", deserialize_with = "null")]
    pub path: String,
    /// Arguments for its `build`.
    #[prost(string, required, tag = "3")]
    #[serde(rename = "BuildOptions", deserialize_with = "null")]
    pub build_options: String,
}
