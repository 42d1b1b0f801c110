//! The SCM provider generator: an application per repository of an organisation.

use crate::go::{null, zero};
use crate::v1alpha1::{ApplicationSetTemplate, ConfigMapKeyRef, SecretRef};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A set of parameters for each repository of an organization.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SCMProviderGenerator {
    /// At GitHub.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub github: Option<SCMProviderGeneratorGithub>,
    /// At GitLab.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub gitlab: Option<SCMProviderGeneratorGitlab>,
    /// At Bitbucket Cloud.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket: Option<SCMProviderGeneratorBitbucket>,
    /// At Bitbucket Server.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket_server: Option<SCMProviderGeneratorBitbucketServer>,
    /// At Gitea.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub gitea: Option<SCMProviderGeneratorGitea>,
    /// At Azure DevOps.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub azure_dev_ops: Option<SCMProviderGeneratorAzureDevOps>,
    /// Which repositories and branches; one filter must match.
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub filters: Vec<SCMProviderGeneratorFilter>,
    /// Which URL is given: `https` or `ssh`.
    #[prost(string, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub clone_protocol: String,
    /// Seconds until the generator is asked again.
    #[prost(int64, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// Further parameters, found under `values`.
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
    /// At AWS CodeCommit.
    #[prost(message, optional, tag = "12")]
    #[serde(skip_serializing_if = "zero")]
    pub aws_code_commit: Option<SCMProviderGeneratorAWSCodeCommit>,
}

/// Repositories at GitHub.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["organization"]))]
pub struct SCMProviderGeneratorGithub {
    /// The organization.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub organization: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// The token to sign in with.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// Name of the Secret of a GitHub App to sign in with.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub app_secret_name: String,
    /// A set for every branch, not the default branch alone.
    #[prost(bool, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// Leave out archived repositories.
    #[prost(bool, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude_archived_repos: bool,
}

/// Projects at GitLab.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group"]))]
pub struct SCMProviderGeneratorGitlab {
    /// Id or path of the group.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// Take projects of subgroups, too.
    #[prost(bool, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub include_subgroups: bool,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// The token to sign in with.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// A set for every branch, not the default branch alone.
    #[prost(bool, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// Do not verify the server's certificate.
    #[prost(bool, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// Take projects shared with the group, too.
    #[prost(bool, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub include_shared_projects: Option<bool>,
    /// Only projects with this topic.
    #[prost(string, required, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub topic: String,
    /// Certificates of trusted authorities.
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub ca_ref: Option<ConfigMapKeyRef>,
    /// Take archived projects, too.
    #[prost(bool, required, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub include_archived_repos: bool,
}

/// Repositories at Bitbucket Cloud.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "user", "appPasswordRef"]))]
pub struct SCMProviderGeneratorBitbucket {
    /// Workspace of the repositories.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// Name to sign in with.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub user: String,
    /// The app password to sign in with.
    #[prost(message, optional, tag = "3")]
    pub app_password_ref: Option<SecretRef>,
    /// A set for every branch, not the default branch alone.
    #[prost(bool, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
}

/// Repositories at Bitbucket Server.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["project", "api"]))]
pub struct SCMProviderGeneratorBitbucketServer {
    /// Key of the project.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// Sign in with a name and a password.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// A set for every branch, not the default branch alone.
    #[prost(bool, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// Sign in with a token.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub bearer_token: Option<BearerTokenBitbucket>,
    /// Do not verify the server's certificate.
    #[prost(bool, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// Certificates of trusted authorities.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub ca_ref: Option<ConfigMapKeyRef>,
}

/// A name and a password.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["username", "passwordRef"]))]
pub struct BasicAuthBitbucketServer {
    /// The name.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub username: String,
    /// Where the password is.
    #[prost(message, optional, tag = "2")]
    pub password_ref: Option<SecretRef>,
}

/// A token.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["tokenRef"]))]
pub struct BearerTokenBitbucket {
    /// Where the token is.
    #[prost(message, optional, tag = "1")]
    pub token_ref: Option<SecretRef>,
}

/// Repositories at Gitea.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "api"]))]
pub struct SCMProviderGeneratorGitea {
    /// The user or organization.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// The token to sign in with.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// A set for every branch, not the default branch alone.
    #[prost(bool, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// Do not verify the server's certificate.
    #[prost(bool, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// Leave out archived repositories.
    #[prost(bool, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude_archived_repos: bool,
}

/// Repositories at Azure DevOps.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["organization", "teamProject", "accessTokenRef"]))]
pub struct SCMProviderGeneratorAzureDevOps {
    /// The organization.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub organization: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// Name of the project.
    #[prost(string, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub team_project: String,
    /// The access token to sign in with.
    #[prost(message, optional, tag = "8")]
    pub access_token_ref: Option<SecretRef>,
    /// A set for every branch, not the default branch alone.
    #[prost(bool, required, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
}

/// A condition on a repository and its branches; every part must hold.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SCMProviderGeneratorFilter {
    /// Regular expression for the repository's name.
    #[prost(string, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub repository_match: Option<String>,
    /// Paths that must be there.
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub paths_exist: Vec<String>,
    /// Paths that must not be there.
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub paths_do_not_exist: Vec<String>,
    /// Regular expression for one of its labels.
    #[prost(string, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub label_match: Option<String>,
    /// Regular expression for the branch's name.
    #[prost(string, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub branch_match: Option<String>,
}

/// Repositories at AWS CodeCommit.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SCMProviderGeneratorAWSCodeCommit {
    /// Tags a repository must have.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tag_filters: Vec<TagFilter>,
    /// The role to assume.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub role: String,
    /// The region; that of the environment when empty.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub region: String,
    /// A set for every branch, not the default branch alone.
    #[prost(bool, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
}

/// A tag of AWS.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["key"]))]
pub struct TagFilter {
    /// Key of the tag.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub key: String,
    /// Value of the tag; any when empty.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value: String,
}
