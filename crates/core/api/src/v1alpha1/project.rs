//! AppProject: what its applications may read, deploy and whom it admits.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{GroupKind, ListMeta, ObjectMeta};
use crate::v1alpha1::ApplicationDestination;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC AppProject
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct AppProject {
    /// DOC AppProject.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ObjectMeta,
    /// DOC AppProject.spec
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: AppProjectSpec,
    /// DOC AppProject.status
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub status: AppProjectStatus,
}

/// DOC AppProjectList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "items"]))]
pub struct AppProjectList {
    /// DOC AppProjectList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC AppProjectList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<AppProject>,
}

/// DOC AppProjectSpec
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppProjectSpec {
    /// DOC AppProjectSpec.sourceRepos
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_repos: Vec<String>,
    /// DOC AppProjectSpec.destinations
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub destinations: Vec<ApplicationDestination>,
    /// DOC AppProjectSpec.description
    #[prost(string, tag = "3")]
    #[schemars(extend("maxLength" = 255))]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// DOC AppProjectSpec.roles
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub roles: Vec<ProjectRole>,
    /// DOC AppProjectSpec.clusterResourceWhitelist
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_resource_whitelist: Vec<ClusterResourceRestrictionItem>,
    /// DOC AppProjectSpec.namespaceResourceBlacklist
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace_resource_blacklist: Vec<GroupKind>,
    /// DOC AppProjectSpec.orphanedResources
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub orphaned_resources: Option<OrphanedResourcesMonitorSettings>,
    /// DOC AppProjectSpec.syncWindows
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_windows: Vec<SyncWindow>,
    /// DOC AppProjectSpec.namespaceResourceWhitelist
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace_resource_whitelist: Vec<GroupKind>,
    /// DOC AppProjectSpec.signatureKeys
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub signature_keys: Vec<SignatureKey>,
    /// DOC AppProjectSpec.clusterResourceBlacklist
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_resource_blacklist: Vec<ClusterResourceRestrictionItem>,
    /// DOC AppProjectSpec.sourceNamespaces
    #[prost(string, repeated, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_namespaces: Vec<String>,
    /// DOC AppProjectSpec.permitOnlyProjectScopedClusters
    #[prost(bool, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub permit_only_project_scoped_clusters: bool,
    /// DOC AppProjectSpec.destinationServiceAccounts
    #[prost(message, repeated, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub destination_service_accounts: Vec<ApplicationDestinationServiceAccount>,
    /// DOC AppProjectSpec.sourceIntegrity
    #[prost(message, optional, tag = "15")]
    #[serde(skip_serializing_if = "zero")]
    pub source_integrity: Option<SourceIntegrity>,
}

/// DOC AppProjectStatus
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppProjectStatus {
    /// DOC AppProjectStatus.jwtTokensByRole
    #[prost(btree_map = "string, message", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jwt_tokens_by_role: BTreeMap<String, JWTTokens>,
}

/// DOC ProjectRole
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct ProjectRole {
    /// DOC ProjectRole.name
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// DOC ProjectRole.description
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// DOC ProjectRole.policies
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub policies: Vec<String>,
    /// DOC ProjectRole.jwtTokens
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jwt_tokens: Vec<JWTToken>,
    /// DOC ProjectRole.groups
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub groups: Vec<String>,
}

/// DOC JWTToken
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["iat"]))]
pub struct JWTToken {
    /// DOC JWTToken.iat
    #[prost(int64, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub iat: i64,
    /// DOC JWTToken.exp
    #[prost(int64, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exp: i64,
    /// DOC JWTToken.id
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub id: String,
}

/// DOC JWTTokens
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct JWTTokens {
    /// DOC JWTTokens.items
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub items: Vec<JWTToken>,
}

/// DOC ClusterResourceRestrictionItem
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct ClusterResourceRestrictionItem {
    /// DOC ClusterResourceRestrictionItem.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// DOC ClusterResourceRestrictionItem.kind
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// DOC ClusterResourceRestrictionItem.name
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// DOC OrphanedResourcesMonitorSettings
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OrphanedResourcesMonitorSettings {
    /// DOC OrphanedResourcesMonitorSettings.warn
    #[prost(bool, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub warn: Option<bool>,
    /// DOC OrphanedResourcesMonitorSettings.ignore
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore: Vec<OrphanedResourceKey>,
}

/// DOC OrphanedResourceKey
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OrphanedResourceKey {
    /// DOC OrphanedResourceKey.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// DOC OrphanedResourceKey.kind
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// DOC OrphanedResourceKey.name
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// DOC SyncWindow
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncWindow {
    /// DOC SyncWindow.kind
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// DOC SyncWindow.schedule
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub schedule: String,
    /// DOC SyncWindow.duration
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub duration: String,
    /// DOC SyncWindow.applications
    #[prost(string, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub applications: Vec<String>,
    /// DOC SyncWindow.namespaces
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespaces: Vec<String>,
    /// DOC SyncWindow.clusters
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub clusters: Vec<String>,
    /// DOC SyncWindow.manualSync
    #[prost(bool, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub manual_sync: bool,
    /// DOC SyncWindow.timeZone
    #[prost(string, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub time_zone: String,
    /// DOC SyncWindow.andOperator
    #[prost(bool, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub and_operator: bool,
    /// DOC SyncWindow.description
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// DOC SyncWindow.syncOverrun
    #[prost(bool, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_overrun: bool,
}

/// DOC SignatureKey
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["keyID"]))]
pub struct SignatureKey {
    /// DOC SignatureKey.keyID
    #[prost(string, tag = "1")]
    #[serde(rename = "keyID", deserialize_with = "null")]
    pub key_id: String,
}

/// DOC ApplicationDestinationServiceAccount
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["server", "defaultServiceAccount"]))]
pub struct ApplicationDestinationServiceAccount {
    /// DOC ApplicationDestinationServiceAccount.server
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub server: String,
    /// DOC ApplicationDestinationServiceAccount.namespace
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// DOC ApplicationDestinationServiceAccount.defaultServiceAccount
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub default_service_account: String,
}

/// DOC SourceIntegrity
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["git"]))]
pub struct SourceIntegrity {
    /// DOC SourceIntegrity.git
    #[prost(message, optional, tag = "1")]
    pub git: Option<SourceIntegrityGit>,
}

/// DOC SourceIntegrityGit
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["policies"]))]
pub struct SourceIntegrityGit {
    /// DOC SourceIntegrityGit.policies
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub policies: Vec<SourceIntegrityGitPolicy>,
}

/// DOC SourceIntegrityGitPolicy
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repos", "gpg"]))]
pub struct SourceIntegrityGitPolicy {
    /// DOC SourceIntegrityGitPolicy.repos
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub repos: Vec<SourceIntegrityGitPolicyRepo>,
    /// DOC SourceIntegrityGitPolicy.gpg
    #[prost(message, optional, tag = "2")]
    pub gpg: Option<SourceIntegrityGitPolicyGPG>,
}

/// DOC SourceIntegrityGitPolicyRepo
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["url"]))]
pub struct SourceIntegrityGitPolicyRepo {
    /// DOC SourceIntegrityGitPolicyRepo.url
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub url: String,
}

/// DOC SourceIntegrityGitPolicyGPG
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["mode", "keys"]))]
pub struct SourceIntegrityGitPolicyGPG {
    /// DOC SourceIntegrityGitPolicyGPG.mode
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub mode: String,
    /// DOC SourceIntegrityGitPolicyGPG.keys
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub keys: Vec<String>,
}
