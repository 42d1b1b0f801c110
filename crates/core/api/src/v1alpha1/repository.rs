//! Repositories, their credentials, certificates and keys, and what is known of a revision.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{ListMeta, Time};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// DOC Repository
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repo"]))]
pub struct Repository {
    /// DOC Repository.repo
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// DOC Repository.username
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// DOC Repository.password
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub password: String,
    /// DOC Repository.sshPrivateKey
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ssh_private_key: String,
    /// DOC Repository.connectionState
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub connection_state: ConnectionState,
    /// DOC Repository.insecureIgnoreHostKey
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure_ignore_host_key: bool,
    /// DOC Repository.insecure
    #[prost(bool, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// DOC Repository.enableLfs
    #[prost(bool, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub enable_lfs: bool,
    /// DOC Repository.tlsClientCertData
    #[prost(string, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_data: String,
    /// DOC Repository.tlsClientCertKey
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_key: String,
    /// DOC Repository.type
    #[prost(string, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
    /// DOC Repository.name
    #[prost(string, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// DOC Repository.inheritedCreds
    #[prost(bool, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub inherited_creds: bool,
    /// DOC Repository.enableOCI
    #[prost(bool, tag = "14")]
    #[serde(rename = "enableOCI", deserialize_with = "null", skip_serializing_if = "zero")]
    pub enable_oci: bool,
    /// DOC Repository.githubAppPrivateKey
    #[prost(string, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_private_key: String,
    /// DOC Repository.githubAppID
    #[prost(int64, tag = "16")]
    #[serde(rename = "githubAppID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_id: i64,
    /// DOC Repository.githubAppInstallationID
    #[prost(int64, tag = "17")]
    #[serde(rename = "githubAppInstallationID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_installation_id: i64,
    /// DOC Repository.githubAppEnterpriseBaseUrl
    #[prost(string, tag = "18")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_enterprise_base_url: String,
    /// DOC Repository.proxy
    #[prost(string, tag = "19")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub proxy: String,
    /// DOC Repository.project
    #[prost(string, tag = "20")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub project: String,
    /// DOC Repository.gcpServiceAccountKey
    #[prost(string, tag = "21")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub gcp_service_account_key: String,
    /// DOC Repository.forceHttpBasicAuth
    #[prost(bool, tag = "22")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_http_basic_auth: bool,
    /// DOC Repository.noProxy
    #[prost(string, tag = "23")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub no_proxy: String,
    /// DOC Repository.useAzureWorkloadIdentity
    #[prost(bool, tag = "24")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub use_azure_workload_identity: bool,
    /// DOC Repository.bearerToken
    #[prost(string, tag = "25")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub bearer_token: String,
    /// DOC Repository.insecureOCIForceHttp
    #[prost(bool, tag = "26")]
    #[serde(rename = "insecureOCIForceHttp", deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure_oci_force_http: bool,
    /// DOC Repository.depth
    #[prost(int64, tag = "27")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub depth: i64,
    /// DOC Repository.webhookManifestCacheWarmDisabled
    #[prost(bool, tag = "28")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub webhook_manifest_cache_warm_disabled: bool,
    /// DOC Repository.azureServicePrincipalClientId
    #[prost(string, tag = "29")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_id: String,
    /// DOC Repository.azureServicePrincipalClientSecret
    #[prost(string, tag = "30")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_secret: String,
    /// DOC Repository.azureServicePrincipalTenantId
    #[prost(string, tag = "31")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_tenant_id: String,
    /// DOC Repository.azureActiveDirectoryEndpoint
    #[prost(string, tag = "32")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_active_directory_endpoint: String,
}

/// DOC RepositoryList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct RepositoryList {
    /// DOC RepositoryList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC RepositoryList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<Repository>,
}

/// DOC RepoCreds
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["url"]))]
pub struct RepoCreds {
    /// DOC RepoCreds.url
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub url: String,
    /// DOC RepoCreds.username
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// DOC RepoCreds.password
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub password: String,
    /// DOC RepoCreds.sshPrivateKey
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ssh_private_key: String,
    /// DOC RepoCreds.tlsClientCertData
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_data: String,
    /// DOC RepoCreds.tlsClientCertKey
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_key: String,
    /// DOC RepoCreds.githubAppPrivateKey
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_private_key: String,
    /// DOC RepoCreds.githubAppID
    #[prost(int64, tag = "8")]
    #[serde(rename = "githubAppID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_id: i64,
    /// DOC RepoCreds.githubAppInstallationID
    #[prost(int64, tag = "9")]
    #[serde(rename = "githubAppInstallationID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_installation_id: i64,
    /// DOC RepoCreds.githubAppEnterpriseBaseUrl
    #[prost(string, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_enterprise_base_url: String,
    /// DOC RepoCreds.enableOCI
    #[prost(bool, tag = "11")]
    #[serde(rename = "enableOCI", deserialize_with = "null", skip_serializing_if = "zero")]
    pub enable_oci: bool,
    /// DOC RepoCreds.type
    #[prost(string, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
    /// DOC RepoCreds.gcpServiceAccountKey
    #[prost(string, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub gcp_service_account_key: String,
    /// DOC RepoCreds.proxy
    #[prost(string, tag = "19")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub proxy: String,
    /// DOC RepoCreds.forceHttpBasicAuth
    #[prost(bool, tag = "20")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_http_basic_auth: bool,
    /// DOC RepoCreds.noProxy
    #[prost(string, tag = "23")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub no_proxy: String,
    /// DOC RepoCreds.useAzureWorkloadIdentity
    #[prost(bool, tag = "24")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub use_azure_workload_identity: bool,
    /// DOC RepoCreds.bearerToken
    #[prost(string, tag = "25")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub bearer_token: String,
    /// DOC RepoCreds.insecureOCIForceHttp
    #[prost(bool, tag = "26")]
    #[serde(rename = "insecureOCIForceHttp", deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure_oci_force_http: bool,
    /// DOC RepoCreds.azureServicePrincipalClientId
    #[prost(string, tag = "29")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_id: String,
    /// DOC RepoCreds.azureServicePrincipalClientSecret
    #[prost(string, tag = "30")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_secret: String,
    /// DOC RepoCreds.azureServicePrincipalTenantId
    #[prost(string, tag = "31")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_tenant_id: String,
    /// DOC RepoCreds.azureActiveDirectoryEndpoint
    #[prost(string, tag = "32")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_active_directory_endpoint: String,
}

/// DOC RepoCredsList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct RepoCredsList {
    /// DOC RepoCredsList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC RepoCredsList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<RepoCreds>,
}

/// DOC ConnectionState
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["status", "message", "attemptedAt"]))]
pub struct ConnectionState {
    /// DOC ConnectionState.status
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// DOC ConnectionState.message
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// DOC ConnectionState.attemptedAt
    #[prost(message, optional, tag = "3")]
    pub attempted_at: Option<Time>,
}

/// DOC RepositoryCertificate
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["serverName", "certType", "certSubType", "certData", "certInfo"]))]
pub struct RepositoryCertificate {
    /// DOC RepositoryCertificate.serverName
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub server_name: String,
    /// DOC RepositoryCertificate.certType
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub cert_type: String,
    /// DOC RepositoryCertificate.certSubType
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub cert_sub_type: String,
    /// DOC RepositoryCertificate.certData
    #[prost(bytes = "vec", tag = "4")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64")]
    pub cert_data: Vec<u8>,
    /// DOC RepositoryCertificate.certInfo
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub cert_info: String,
}

/// DOC RepositoryCertificateList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct RepositoryCertificateList {
    /// DOC RepositoryCertificateList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC RepositoryCertificateList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<RepositoryCertificate>,
}

/// DOC GnuPGPublicKey
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["keyID"]))]
pub struct GnuPGPublicKey {
    /// DOC GnuPGPublicKey.keyID
    #[prost(string, tag = "1")]
    #[serde(rename = "keyID", deserialize_with = "null")]
    pub key_id: String,
    /// DOC GnuPGPublicKey.fingerprint
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub fingerprint: String,
    /// DOC GnuPGPublicKey.owner
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub owner: String,
    /// DOC GnuPGPublicKey.trust
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub trust: String,
    /// DOC GnuPGPublicKey.subType
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sub_type: String,
    /// DOC GnuPGPublicKey.keyData
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub key_data: String,
}

/// DOC GnuPGPublicKeyList
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct GnuPGPublicKeyList {
    /// DOC GnuPGPublicKeyList.metadata
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// DOC GnuPGPublicKeyList.items
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<GnuPGPublicKey>,
}

/// DOC RefTarget
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Repo", "TargetRevision", "Chart"]))]
pub struct RefTarget {
    /// DOC RefTarget.repo
    #[prost(message, required, tag = "1")]
    #[serde(rename = "Repo", deserialize_with = "null")]
    pub repo: Repository,
    /// DOC RefTarget.targetRevision
    #[prost(string, tag = "2")]
    #[serde(rename = "TargetRevision", deserialize_with = "null")]
    pub target_revision: String,
    /// DOC RefTarget.chart
    #[prost(string, tag = "3")]
    #[serde(rename = "Chart", deserialize_with = "null")]
    pub chart: String,
}

/// DOC RevisionMetadata
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["date"]))]
pub struct RevisionMetadata {
    /// DOC RevisionMetadata.author
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub author: String,
    /// DOC RevisionMetadata.date
    #[prost(message, optional, tag = "2")]
    pub date: Option<Time>,
    /// DOC RevisionMetadata.tags
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tags: Vec<String>,
    /// DOC RevisionMetadata.message
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// DOC RevisionMetadata.signatureInfo
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub signature_info: String,
    /// DOC RevisionMetadata.references
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub references: Vec<RevisionReference>,
    /// DOC RevisionMetadata.sourceIntegrityResult
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub source_integrity_result: Option<SourceIntegrityCheckResult>,
}

/// DOC RevisionReference
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RevisionReference {
    /// DOC RevisionReference.commit
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub commit: Option<CommitMetadata>,
}

/// DOC CommitMetadata
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CommitMetadata {
    /// DOC CommitMetadata.author
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub author: String,
    /// DOC CommitMetadata.date
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub date: String,
    /// DOC CommitMetadata.subject
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub subject: String,
    /// DOC CommitMetadata.body
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub body: String,
    /// DOC CommitMetadata.sha
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sha: String,
    /// DOC CommitMetadata.repoUrl
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub repo_url: String,
}

/// DOC SourceIntegrityCheckResult
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Checks"]))]
pub struct SourceIntegrityCheckResult {
    /// DOC SourceIntegrityCheckResult.checks
    #[prost(message, repeated, tag = "1")]
    #[serde(rename = "Checks", deserialize_with = "null")]
    pub checks: Vec<SourceIntegrityCheckResultItem>,
}

/// DOC SourceIntegrityCheckResultItem
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Name", "Problems"]))]
pub struct SourceIntegrityCheckResultItem {
    /// DOC SourceIntegrityCheckResultItem.name
    #[prost(string, tag = "1")]
    #[serde(rename = "Name", deserialize_with = "null")]
    pub name: String,
    /// DOC SourceIntegrityCheckResultItem.problems
    #[prost(string, repeated, tag = "2")]
    #[serde(rename = "Problems", deserialize_with = "null")]
    pub problems: Vec<String>,
}

/// DOC ChartDetails
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChartDetails {
    /// DOC ChartDetails.description
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// DOC ChartDetails.home
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub home: String,
    /// DOC ChartDetails.maintainers
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub maintainers: Vec<String>,
}

/// DOC OCIMetadata
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OCIMetadata {
    /// DOC OCIMetadata.createdAt
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub created_at: String,
    /// DOC OCIMetadata.authors
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub authors: String,
    /// DOC OCIMetadata.imageUrl
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub image_url: String,
    /// DOC OCIMetadata.docsUrl
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub docs_url: String,
    /// DOC OCIMetadata.sourceUrl
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_url: String,
    /// DOC OCIMetadata.version
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// DOC OCIMetadata.description
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
}
