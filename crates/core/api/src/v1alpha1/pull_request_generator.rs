//! The pull request generator: an application per open pull request.

use crate::go::{null, zero};
use crate::v1alpha1::{
    ApplicationSetTemplate, BasicAuthBitbucketServer, BearerTokenBitbucket, ConfigMapKeyRef, SecretRef,
};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A set of parameters for each open pull request of a repository.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PullRequestGenerator {
    /// The repository is at GitHub.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub github: Option<PullRequestGeneratorGithub>,
    /// The repository is at GitLab.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub gitlab: Option<PullRequestGeneratorGitLab>,
    /// The repository is at Gitea.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub gitea: Option<PullRequestGeneratorGitea>,
    /// The repository is at Bitbucket Server.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket_server: Option<PullRequestGeneratorBitbucketServer>,
    /// Which pull requests; one filter must match.
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub filters: Vec<PullRequestGeneratorFilter>,
    /// Seconds until the generator is asked again.
    #[prost(int64, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// Overrides parts of the ApplicationSet's template for these sets.
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// The repository is at Bitbucket Cloud.
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket: Option<PullRequestGeneratorBitbucket>,
    /// The repository is at Azure DevOps.
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub azuredevops: Option<PullRequestGeneratorAzureDevOps>,
    /// Further parameters, found under `values`.
    #[prost(btree_map = "string, string", tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
    /// Take a repository that is not there for one without pull requests.
    #[prost(bool, required, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub continue_on_repo_not_found_error: bool,
}

/// Pull requests at GitHub.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "repo"]))]
pub struct PullRequestGeneratorGithub {
    /// Owner of the repository: a user or an organization.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// Name of the repository.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// The token to sign in with.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// Name of the Secret of a GitHub App to sign in with.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub app_secret_name: String,
    /// Labels a pull request must have.
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}

/// Merge requests at GitLab.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["project"]))]
pub struct PullRequestGeneratorGitLab {
    /// The project.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// The token to sign in with.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// Labels a merge request must have.
    #[prost(string, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
    /// State of the merge requests, such as `opened`.
    #[prost(string, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub pull_request_state: String,
    /// Do not verify the server's certificate.
    #[prost(bool, required, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// Certificates of trusted authorities.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub ca_ref: Option<ConfigMapKeyRef>,
}

/// Pull requests at Gitea.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "repo", "api"]))]
pub struct PullRequestGeneratorGitea {
    /// Owner of the repository: a user or an organization.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// Name of the repository.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// The token to sign in with.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// Do not verify the server's certificate.
    #[prost(bool, required, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// Labels a pull request must have.
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}

/// Pull requests at Bitbucket Server.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["project", "repo", "api"]))]
pub struct PullRequestGeneratorBitbucketServer {
    /// Key of the project.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// Name of the repository.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// Sign in with a name and a password.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
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

/// A condition on a pull request.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PullRequestGeneratorFilter {
    /// Regular expression for the branch it comes from.
    #[prost(string, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub branch_match: Option<String>,
    /// Regular expression for the branch it goes to.
    #[prost(string, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub target_branch_match: Option<String>,
    /// Regular expression for its title.
    #[prost(string, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub title_match: Option<String>,
}

/// Pull requests at Bitbucket Cloud.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "repo"]))]
pub struct PullRequestGeneratorBitbucket {
    /// Workspace of the repository.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// Name of the repository.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// Sign in with a name and a password.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// Sign in with a token.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub bearer_token: Option<BearerTokenBitbucketCloud>,
}

/// A token for Bitbucket Cloud.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["tokenRef"]))]
pub struct BearerTokenBitbucketCloud {
    /// Where the token is.
    #[prost(message, optional, tag = "1")]
    pub token_ref: Option<SecretRef>,
}

/// Pull requests at Azure DevOps.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["organization", "project", "repo"]))]
pub struct PullRequestGeneratorAzureDevOps {
    /// The organization.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub organization: String,
    /// The project.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// Name of the repository.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// URL of the service's API; the public one when empty.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// The token to sign in with.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// Labels a pull request must have.
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}
