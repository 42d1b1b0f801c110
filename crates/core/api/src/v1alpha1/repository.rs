//! Repositories, their credentials, certificates and keys, and what is known of a revision.

use crate::go::{null, zero};
use crate::k8s::meta_v1::{ListMeta, Time};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A repository of manifests or charts, and how to reach it.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repo"]))]
pub struct Repository {
    /// URL of the repository.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// Name for HTTP.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// Password or token for HTTP.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub password: String,
    /// Private key for SSH, as PEM.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ssh_private_key: String,
    /// Whether it could be reached.
    #[prost(message, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub connection_state: ConnectionState,
    /// Do not verify the SSH host's key; `insecure` is the newer name.
    #[prost(bool, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure_ignore_host_key: bool,
    /// Verify neither certificate nor host key.
    #[prost(bool, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// Fetch files kept in Git LFS.
    #[prost(bool, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub enable_lfs: bool,
    /// Client certificate for HTTPS, as PEM.
    #[prost(string, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_data: String,
    /// Key of the client certificate, as PEM.
    #[prost(string, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_key: String,
    /// `git`, `helm` or `oci`; `git` when empty.
    #[prost(string, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
    /// Name of the repository.
    #[prost(string, required, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub name: String,
    /// The credentials come from a template.
    #[prost(bool, required, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub inherited_creds: bool,
    /// The Helm repository is an OCI registry.
    #[prost(bool, required, tag = "14")]
    #[serde(rename = "enableOCI", deserialize_with = "null", skip_serializing_if = "zero")]
    pub enable_oci: bool,
    /// Private key of a GitHub App, as PEM.
    #[prost(string, required, tag = "15")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_private_key: String,
    /// Id of the GitHub App.
    #[prost(int64, required, tag = "16")]
    #[serde(rename = "githubAppID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_id: i64,
    /// Id of the App's installation.
    #[prost(int64, required, tag = "17")]
    #[serde(rename = "githubAppInstallationID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_installation_id: i64,
    /// URL of GitHub Enterprise's API.
    #[prost(string, required, tag = "18")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_enterprise_base_url: String,
    /// The proxy to go through.
    #[prost(string, required, tag = "19")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub proxy: String,
    /// The project the repository belongs to alone.
    #[prost(string, required, tag = "20")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub project: String,
    /// Key of a Google Cloud service account, as JSON.
    #[prost(string, required, tag = "21")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub gcp_service_account_key: String,
    /// Send name and password without being asked for them.
    #[prost(bool, required, tag = "22")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_http_basic_auth: bool,
    /// Hosts that are reached without the proxy.
    #[prost(string, required, tag = "23")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub no_proxy: String,
    /// Sign in with Azure's workload identity.
    #[prost(bool, required, tag = "24")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub use_azure_workload_identity: bool,
    /// Token sent with each request.
    #[prost(string, required, tag = "25")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub bearer_token: String,
    /// Speak plain HTTP with the OCI registry.
    #[prost(bool, required, tag = "26")]
    #[serde(rename = "insecureOCIForceHttp", deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure_oci_force_http: bool,
    /// How many commits of the history are fetched; 0 means all.
    #[prost(int64, required, tag = "27")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub depth: i64,
    /// Do not render ahead when a webhook comes.
    #[prost(bool, required, tag = "28")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub webhook_manifest_cache_warm_disabled: bool,
    /// Client id of an Azure service principal.
    #[prost(string, required, tag = "29")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_id: String,
    /// Secret of the Azure service principal.
    #[prost(string, required, tag = "30")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_secret: String,
    /// Tenant of the Azure service principal.
    #[prost(string, required, tag = "31")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_tenant_id: String,
    /// URL at which the Azure service principal signs in.
    #[prost(string, required, tag = "32")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_active_directory_endpoint: String,
}

/// A list of repositories.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct RepositoryList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<Repository>,
}

/// Credentials for all repositories below a URL.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["url"]))]
pub struct RepoCreds {
    /// URL; all repositories below it use these credentials.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub url: String,
    /// Name for HTTP.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub username: String,
    /// Password or token for HTTP.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub password: String,
    /// Private key for SSH, as PEM.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub ssh_private_key: String,
    /// Client certificate for HTTPS, as PEM.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_data: String,
    /// Key of the client certificate, as PEM.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tls_client_cert_key: String,
    /// Private key of a GitHub App, as PEM.
    #[prost(string, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_private_key: String,
    /// Id of the GitHub App.
    #[prost(int64, required, tag = "8")]
    #[serde(rename = "githubAppID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_id: i64,
    /// Id of the App's installation.
    #[prost(int64, required, tag = "9")]
    #[serde(rename = "githubAppInstallationID", deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_installation_id: i64,
    /// URL of GitHub Enterprise's API.
    #[prost(string, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub github_app_enterprise_base_url: String,
    /// The Helm repository is an OCI registry.
    #[prost(bool, required, tag = "11")]
    #[serde(rename = "enableOCI", deserialize_with = "null", skip_serializing_if = "zero")]
    pub enable_oci: bool,
    /// `git`, `helm` or `oci`; `git` when empty.
    #[prost(string, required, tag = "12")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub r#type: String,
    /// Key of a Google Cloud service account, as JSON.
    #[prost(string, required, tag = "13")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub gcp_service_account_key: String,
    /// The proxy to go through.
    #[prost(string, required, tag = "19")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub proxy: String,
    /// Send name and password without being asked for them.
    #[prost(bool, required, tag = "20")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub force_http_basic_auth: bool,
    /// Hosts that are reached without the proxy.
    #[prost(string, required, tag = "23")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub no_proxy: String,
    /// Sign in with Azure's workload identity.
    #[prost(bool, required, tag = "24")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub use_azure_workload_identity: bool,
    /// Token sent with each request.
    #[prost(string, required, tag = "25")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub bearer_token: String,
    /// Speak plain HTTP with the OCI registry.
    #[prost(bool, required, tag = "26")]
    #[serde(rename = "insecureOCIForceHttp", deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure_oci_force_http: bool,
    /// Client id of an Azure service principal.
    #[prost(string, required, tag = "29")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_id: String,
    /// Secret of the Azure service principal.
    #[prost(string, required, tag = "30")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_client_secret: String,
    /// Tenant of the Azure service principal.
    #[prost(string, required, tag = "31")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_service_principal_tenant_id: String,
    /// URL at which the Azure service principal signs in.
    #[prost(string, required, tag = "32")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub azure_active_directory_endpoint: String,
}

/// A list of credential templates.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct RepoCredsList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<RepoCreds>,
}

/// Whether something outside could be reached.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["status", "message", "attemptedAt"]))]
pub struct ConnectionState {
    /// `Successful`, `Failed` or `Unknown`.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub status: String,
    /// What went wrong.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// When it was tried.
    #[prost(message, optional, tag = "3")]
    pub attempted_at: Option<Time>,
}

/// A certificate or host key that is trusted.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["serverName", "certType", "certSubType", "certData", "certInfo"]))]
pub struct RepositoryCertificate {
    /// The host it is for.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub server_name: String,
    /// `https` or `ssh`.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub cert_type: String,
    /// Kind of the host key, such as `ssh-ed25519`.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub cert_sub_type: String,
    /// The certificate as PEM, or the host key.
    #[prost(bytes = "vec", tag = "4")]
    #[schemars(with = "String")]
    #[serde(with = "crate::go::base64")]
    pub cert_data: Vec<u8>,
    /// Subject of the certificate, or fingerprint of the host key.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub cert_info: String,
}

/// A list of certificates and host keys.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct RepositoryCertificateList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<RepositoryCertificate>,
}

/// A public key that commits may be signed with.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["keyID"]))]
pub struct GnuPGPublicKey {
    /// Id of the key.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "keyID", deserialize_with = "null")]
    pub key_id: String,
    /// Fingerprint of the key.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub fingerprint: String,
    /// Whose key it is.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub owner: String,
    /// How far it is trusted.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub trust: String,
    /// Algorithm and length.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sub_type: String,
    /// The key, armored.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub key_data: String,
}

/// A list of public keys.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["items"]))]
pub struct GnuPGPublicKeyList {
    /// Metadata of the list.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub metadata: ListMeta,
    /// The objects of the list.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub items: Vec<GnuPGPublicKey>,
}

/// What the `ref` of a source stands for.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Repo", "TargetRevision", "Chart"]))]
pub struct RefTarget {
    /// The repository.
    #[prost(message, required, tag = "1")]
    #[serde(rename = "Repo", deserialize_with = "null")]
    pub repo: Repository,
    /// Branch, tag or commit.
    #[prost(string, required, tag = "2")]
    #[serde(rename = "TargetRevision", deserialize_with = "null")]
    pub target_revision: String,
    /// Name of the chart.
    #[prost(string, required, tag = "3")]
    #[serde(rename = "Chart", deserialize_with = "null")]
    pub chart: String,
}

/// What is known of a commit.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["date"]))]
pub struct RevisionMetadata {
    /// Who wrote it.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub author: String,
    /// When it was committed.
    #[prost(message, optional, tag = "2")]
    pub date: Option<Time>,
    /// Tags that point to it.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tags: Vec<String>,
    /// Its message.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub message: String,
    /// What came of verifying its signature.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub signature_info: String,
    /// Commits elsewhere that it came from.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub references: Vec<RevisionReference>,
    /// What came of the project's checks.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub source_integrity_result: Option<SourceIntegrityCheckResult>,
}

/// Something elsewhere that a commit came from.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RevisionReference {
    /// The commit.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub commit: Option<CommitMetadata>,
}

/// A commit elsewhere.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CommitMetadata {
    /// Who wrote it.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub author: String,
    /// When it was written.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub date: String,
    /// First line of its message.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub subject: String,
    /// The rest of its message.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub body: String,
    /// Its id.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub sha: String,
    /// URL of its repository.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub repo_url: String,
}

/// What came of the checks of a source.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Checks"]))]
pub struct SourceIntegrityCheckResult {
    /// Each check.
    #[prost(message, repeated, tag = "1")]
    #[serde(rename = "Checks", deserialize_with = "null")]
    pub checks: Vec<SourceIntegrityCheckResultItem>,
}

/// What came of one check.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["Name", "Problems"]))]
pub struct SourceIntegrityCheckResultItem {
    /// Name of the check.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "Name", deserialize_with = "null")]
    pub name: String,
    /// What was found; nothing when it passed.
    #[prost(string, repeated, tag = "2")]
    #[serde(rename = "Problems", deserialize_with = "null")]
    pub problems: Vec<String>,
}

/// What a chart says of itself.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ChartDetails {
    /// What it is.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
    /// URL of its page.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub home: String,
    /// Who looks after it.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub maintainers: Vec<String>,
}

/// What an OCI artifact says of itself.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OCIMetadata {
    /// When it was made.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub created_at: String,
    /// Who made it.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub authors: String,
    /// URL of its page.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub image_url: String,
    /// URL of its documentation.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub docs_url: String,
    /// URL of its source.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub source_url: String,
    /// Its version.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub version: String,
    /// What it is.
    #[prost(string, required, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub description: String,
}
