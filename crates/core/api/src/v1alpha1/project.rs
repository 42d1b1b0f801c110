//! AppProject: what its applications may read, deploy and whom it admits.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{GroupKind, ListMeta, ObjectMeta};
use crate::v1alpha1::ApplicationDestination;
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// Says what the Applications that belong to it may do.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "spec"]))]
pub struct AppProject {
    /// Standard metadata of Kubernetes objects.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ObjectMeta,
    /// What is permitted.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub spec: AppProjectSpec,
    /// What the server recorded.
    #[prost(message, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub status: AppProjectStatus,
}

/// A list of projects.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["metadata", "items"]))]
pub struct AppProjectList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<AppProject>,
}

/// What the Applications of a project may do.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppProjectSpec {
    /// Repositories they may use, as globs; `!` in front forbids.
    #[prost(string, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_repos: Vec<String>,
    /// Clusters and namespaces they may deploy to.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub destinations: Vec<ApplicationDestination>,
    /// What the project is for.
    #[prost(string, required, tag = "3")]
    #[schemars(extend("maxLength" = 255))]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// Roles of the project, with policies and tokens of their own.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub roles: Vec<ProjectRole>,
    /// Cluster-scoped kinds that are permitted; none when empty.
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_resource_whitelist: Vec<ClusterResourceRestrictionItem>,
    /// Namespaced kinds that are forbidden.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace_resource_blacklist: Vec<GroupKind>,
    /// Watches for objects that belong to no Application.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub orphaned_resources: Option<OrphanedResourcesMonitorSettings>,
    /// Times at which syncs are permitted or forbidden.
    #[prost(message, repeated, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_windows: Vec<SyncWindow>,
    /// Namespaced kinds that are permitted; all when not set. An empty list in JSON permits none: it is read as an
    /// entry that no kind matches, since protobuf cannot tell the two apart.
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "permitted_kinds", skip_serializing_if = "zero")]
    pub namespace_resource_whitelist: Vec<GroupKind>,
    /// Keys that commits must be signed with.
    #[prost(message, repeated, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub signature_keys: Vec<SignatureKey>,
    /// Cluster-scoped kinds that are forbidden.
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub cluster_resource_blacklist: Vec<ClusterResourceRestrictionItem>,
    /// Namespaces that its Applications may live in beside the control plane's, as globs.
    #[prost(string, repeated, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_namespaces: Vec<String>,
    /// Permit only clusters that belong to the project.
    #[prost(bool, required, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub permit_only_project_scoped_clusters: bool,
    /// Service accounts that syncs act as, by destination.
    #[prost(message, repeated, tag = "14")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub destination_service_accounts: Vec<ApplicationDestinationServiceAccount>,
    /// What must be verified of a source.
    #[prost(message, optional, tag = "15")]
    #[serde(skip_serializing_if = "zero")]
    pub source_integrity: Option<SourceIntegrity>,
}

/// What the server recorded of a project.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct AppProjectStatus {
    /// Tokens that were issued, by role.
    #[prost(btree_map = "string, message", tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jwt_tokens_by_role: BTreeMap<String, JWTTokens>,
}

/// A role inside a project.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["name"]))]
pub struct ProjectRole {
    /// Name of the role.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub name: String,
    /// What the role is for.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// Lines of RBAC policy about `proj:<project>:<role>`.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub policies: Vec<String>,
    /// Tokens that were issued for the role.
    #[prost(message, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub jwt_tokens: Vec<JWTToken>,
    /// Groups of single sign-on that have the role.
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub groups: Vec<String>,
}

/// A token that was issued; the token itself is not kept.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["iat"]))]
pub struct JWTToken {
    /// When it was issued, in seconds since 1970.
    #[prost(int64, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub iat: i64,
    /// When it expires, in seconds since 1970; 0 means never.
    #[prost(int64, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exp: i64,
    /// Id of the token.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub id: String,
}

/// The tokens of a role.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct JWTTokens {
    /// The tokens.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub items: Vec<JWTToken>,
}

/// Cluster-scoped objects, by kind and name.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group", "kind"]))]
pub struct ClusterResourceRestrictionItem {
    /// API group, as a glob.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// Kind, as a glob.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub kind: String,
    /// Name, as a glob; empty means all.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// How objects are watched that belong to no Application.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OrphanedResourcesMonitorSettings {
    /// Give Applications a warning when there are any.
    #[prost(bool, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub warn: Option<bool>,
    /// Objects that are not counted.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ignore: Vec<OrphanedResourceKey>,
}

/// Objects that are not counted as orphaned.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OrphanedResourceKey {
    /// API group, as a glob.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub group: String,
    /// Kind, as a glob.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// Name, as a glob.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
}

/// A time at which syncs are permitted or forbidden.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SyncWindow {
    /// `allow` or `deny`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub kind: String,
    /// When the window opens, in cron's form.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub schedule: String,
    /// How long it stays open, such as `1h`.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub duration: String,
    /// Applications it is for, as globs.
    #[prost(string, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub applications: Vec<String>,
    /// Destination namespaces it is for, as globs.
    #[prost(string, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespaces: Vec<String>,
    /// Destination clusters it is for, as globs.
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub clusters: Vec<String>,
    /// Permit syncs that somebody asks for all the same.
    #[prost(bool, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub manual_sync: bool,
    /// Time zone of the schedule; UTC when empty.
    #[prost(string, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub time_zone: String,
    /// Applications, namespaces and clusters must all match, not any one of them.
    #[prost(bool, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub and_operator: bool,
    /// What the window is for.
    #[prost(string, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// Let a sync go on that is under way when the window closes.
    #[prost(bool, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sync_overrun: bool,
}

/// A key that commits may be signed with.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["keyID"]))]
pub struct SignatureKey {
    /// Id of the GnuPG key.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "keyID", deserialize_with = "null")]
    pub key_id: String,
}

/// The service account that syncs to some destinations act as.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["server", "defaultServiceAccount"]))]
pub struct ApplicationDestinationServiceAccount {
    /// URL of the cluster, as a glob.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub server: String,
    /// Namespace, as a glob.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub namespace: String,
    /// Name of the service account, or `namespace:name`.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub default_service_account: String,
}

/// What must be verified of a source.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["git"]))]
pub struct SourceIntegrity {
    /// Rules for Git repositories.
    #[prost(message, optional, tag = "1")]
    pub git: Option<SourceIntegrityGit>,
}

/// Rules for Git repositories.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["policies"]))]
pub struct SourceIntegrityGit {
    /// Rules, each for some repositories.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub policies: Vec<SourceIntegrityGitPolicy>,
}

/// A rule for some repositories.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repos", "gpg"]))]
pub struct SourceIntegrityGitPolicy {
    /// The repositories.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub repos: Vec<SourceIntegrityGitPolicyRepo>,
    /// What must be signed, and by whom.
    #[prost(message, optional, tag = "2")]
    pub gpg: Option<SourceIntegrityGitPolicyGPG>,
}

/// Repositories, by URL.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["url"]))]
pub struct SourceIntegrityGitPolicyRepo {
    /// The URL, as a glob.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub url: String,
}

/// Which signatures of GnuPG are asked for.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["mode", "keys"]))]
pub struct SourceIntegrityGitPolicyGPG {
    /// `none`, `head`: the commit, or `strict`: its whole history.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub mode: String,
    /// Ids of the keys that count.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub keys: Vec<String>,
}

fn permitted_kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<GroupKind>, D::Error> {
    let given = Option::<Vec<GroupKind>>::deserialize(deserializer)?;
    Ok(given.map_or_else(Vec::new, |kinds| if kinds.is_empty() { vec![GroupKind::default()] } else { kinds }))
}
