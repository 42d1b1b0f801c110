//! Resource customisations, actions and tools configured in `argocd-cm`.

use crate::go::{null, zero};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// DOC ResourceOverride
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceOverride {
    /// DOC ResourceOverride.healthLua
    #[prost(string, tag = "1")]
    #[serde(rename = "health.lua", deserialize_with = "null", skip_serializing_if = "zero")]
    pub health_lua: String,
    /// DOC ResourceOverride.useOpenLibs
    #[prost(bool, tag = "5")]
    #[serde(rename = "health.lua.useOpenLibs", deserialize_with = "null", skip_serializing_if = "zero")]
    pub use_open_libs: bool,
    /// DOC ResourceOverride.actions
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub actions: String,
    /// DOC ResourceOverride.ignoreDifferences
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_differences: OverrideIgnoreDiff,
    /// DOC ResourceOverride.ignoreResourceUpdates
    #[prost(message, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore_resource_updates: OverrideIgnoreDiff,
    /// DOC ResourceOverride.knownTypeFields
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub known_type_fields: Vec<KnownTypeField>,
}

/// DOC OverrideIgnoreDiff
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["jsonPointers", "jqPathExpressions", "managedFieldsManagers"]))]
pub struct OverrideIgnoreDiff {
    /// DOC OverrideIgnoreDiff.jSONPointers
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub json_pointers: Vec<String>,
    /// DOC OverrideIgnoreDiff.jqPathExpressions
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub jq_path_expressions: Vec<String>,
    /// DOC OverrideIgnoreDiff.managedFieldsManagers
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub managed_fields_managers: Vec<String>,
}

/// DOC KnownTypeField
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct KnownTypeField {
    /// DOC KnownTypeField.field
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub field: String,
    /// DOC KnownTypeField.type
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
}

/// DOC ResourceAction
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceAction {
    /// DOC ResourceAction.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC ResourceAction.params
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub params: Vec<ResourceActionParam>,
    /// DOC ResourceAction.disabled
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub disabled: bool,
    /// DOC ResourceAction.iconClass
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub icon_class: String,
    /// DOC ResourceAction.displayName
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub display_name: String,
}

/// DOC ResourceActionParam
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceActionParam {
    /// DOC ResourceActionParam.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// DOC ResourceActionDefinition
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "action.lua"]))]
pub struct ResourceActionDefinition {
    /// DOC ResourceActionDefinition.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC ResourceActionDefinition.actionLua
    #[prost(string, tag = "2")]
    #[serde(rename = "action.lua", deserialize_with = "null")]
    pub action_lua: String,
}

/// DOC ResourceActions
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ResourceActions {
    /// DOC ResourceActions.actionDiscoveryLua
    #[prost(string, tag = "1")]
    #[serde(rename = "discovery.lua", deserialize_with = "null", skip_serializing_if = "zero")]
    pub action_discovery_lua: String,
    /// DOC ResourceActions.definitions
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub definitions: Vec<ResourceActionDefinition>,
    /// DOC ResourceActions.mergeBuiltinActions
    #[prost(bool, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub merge_builtin_actions: bool,
}

/// DOC ConfigManagementPlugin
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "generate"]))]
pub struct ConfigManagementPlugin {
    /// DOC ConfigManagementPlugin.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC ConfigManagementPlugin.init
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub init: Option<Command>,
    /// DOC ConfigManagementPlugin.generate
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub generate: Command,
    /// DOC ConfigManagementPlugin.lockRepo
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub lock_repo: bool,
}

/// DOC Command
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Command {
    /// DOC Command.command
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub command: Vec<String>,
    /// DOC Command.args
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub args: Vec<String>,
}

/// DOC ComponentParameter
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name", "value"]))]
pub struct ComponentParameter {
    /// DOC ComponentParameter.component
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub component: String,
    /// DOC ComponentParameter.name
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC ComponentParameter.value
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub value: String,
}

/// DOC HelmOptions
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["ValuesFileSchemes"]))]
pub struct HelmOptions {
    /// DOC HelmOptions.valuesFileSchemes
    #[prost(string, repeated, tag = "1")]
    #[serde(rename = "ValuesFileSchemes", deserialize_with = "null")]
    pub values_file_schemes: Vec<String>,
}

/// DOC KustomizeOptions
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["BuildOptions", "BinaryPath", "Versions"]))]
pub struct KustomizeOptions {
    /// DOC KustomizeOptions.buildOptions
    #[prost(string, tag = "1")]
    #[serde(rename = "BuildOptions", deserialize_with = "null")]
    pub build_options: String,
    /// DOC KustomizeOptions.binaryPath
    #[prost(string, tag = "2")]
    #[serde(rename = "BinaryPath", deserialize_with = "null")]
    pub binary_path: String,
    /// DOC KustomizeOptions.versions
    #[prost(message, repeated, tag = "3")]
    #[serde(rename = "Versions", deserialize_with = "null")]
    pub versions: Vec<KustomizeVersion>,
}

/// DOC KustomizeVersion
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Name", "Path", "BuildOptions"]))]
pub struct KustomizeVersion {
    /// DOC KustomizeVersion.name
    #[prost(string, tag = "1")]
    #[serde(rename = "Name", deserialize_with = "null")]
    pub name: String,
    /// DOC KustomizeVersion.path
    #[prost(string, tag = "2")]
    #[serde(rename = "Path", deserialize_with = "null")]
    pub path: String,
    /// DOC KustomizeVersion.buildOptions
    #[prost(string, tag = "3")]
    #[serde(rename = "BuildOptions", deserialize_with = "null")]
    pub build_options: String,
}
