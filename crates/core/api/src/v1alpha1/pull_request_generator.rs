//! The pull request generator: an application per open pull request.

use crate::go::{null, zero};
use crate::v1alpha1::{
    ApplicationSetTemplate, BasicAuthBitbucketServer, BearerTokenBitbucket, ConfigMapKeyRef, SecretRef,
};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC PullRequestGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PullRequestGenerator {
    /// DOC PullRequestGenerator.github
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub github: Option<PullRequestGeneratorGithub>,
    /// DOC PullRequestGenerator.gitlab
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub gitlab: Option<PullRequestGeneratorGitLab>,
    /// DOC PullRequestGenerator.gitea
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub gitea: Option<PullRequestGeneratorGitea>,
    /// DOC PullRequestGenerator.bitbucketServer
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket_server: Option<PullRequestGeneratorBitbucketServer>,
    /// DOC PullRequestGenerator.filters
    #[prost(message, repeated, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub filters: Vec<PullRequestGeneratorFilter>,
    /// DOC PullRequestGenerator.requeueAfterSeconds
    #[prost(int64, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// DOC PullRequestGenerator.template
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC PullRequestGenerator.bitbucket
    #[prost(message, optional, tag = "8")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket: Option<PullRequestGeneratorBitbucket>,
    /// DOC PullRequestGenerator.azuredevops
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub azuredevops: Option<PullRequestGeneratorAzureDevOps>,
    /// DOC PullRequestGenerator.values
    #[prost(btree_map = "string, string", tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
    /// DOC PullRequestGenerator.continueOnRepoNotFoundError
    #[prost(bool, tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub continue_on_repo_not_found_error: bool,
}

/// DOC PullRequestGeneratorGithub
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "repo"]))]
pub struct PullRequestGeneratorGithub {
    /// DOC PullRequestGeneratorGithub.owner
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// DOC PullRequestGeneratorGithub.repo
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// DOC PullRequestGeneratorGithub.api
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// DOC PullRequestGeneratorGithub.tokenRef
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// DOC PullRequestGeneratorGithub.appSecretName
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub app_secret_name: String,
    /// DOC PullRequestGeneratorGithub.labels
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}

/// DOC PullRequestGeneratorGitLab
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["project"]))]
pub struct PullRequestGeneratorGitLab {
    /// DOC PullRequestGeneratorGitLab.project
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// DOC PullRequestGeneratorGitLab.api
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// DOC PullRequestGeneratorGitLab.tokenRef
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// DOC PullRequestGeneratorGitLab.labels
    #[prost(string, repeated, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
    /// DOC PullRequestGeneratorGitLab.pullRequestState
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub pull_request_state: String,
    /// DOC PullRequestGeneratorGitLab.insecure
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// DOC PullRequestGeneratorGitLab.caRef
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub ca_ref: Option<ConfigMapKeyRef>,
}

/// DOC PullRequestGeneratorGitea
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "repo", "api"]))]
pub struct PullRequestGeneratorGitea {
    /// DOC PullRequestGeneratorGitea.owner
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// DOC PullRequestGeneratorGitea.repo
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// DOC PullRequestGeneratorGitea.api
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// DOC PullRequestGeneratorGitea.tokenRef
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// DOC PullRequestGeneratorGitea.insecure
    #[prost(bool, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// DOC PullRequestGeneratorGitea.labels
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}

/// DOC PullRequestGeneratorBitbucketServer
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["project", "repo", "api"]))]
pub struct PullRequestGeneratorBitbucketServer {
    /// DOC PullRequestGeneratorBitbucketServer.project
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// DOC PullRequestGeneratorBitbucketServer.repo
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// DOC PullRequestGeneratorBitbucketServer.api
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// DOC PullRequestGeneratorBitbucketServer.basicAuth
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// DOC PullRequestGeneratorBitbucketServer.bearerToken
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub bearer_token: Option<BearerTokenBitbucket>,
    /// DOC PullRequestGeneratorBitbucketServer.insecure
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// DOC PullRequestGeneratorBitbucketServer.caRef
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub ca_ref: Option<ConfigMapKeyRef>,
}

/// DOC PullRequestGeneratorFilter
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PullRequestGeneratorFilter {
    /// DOC PullRequestGeneratorFilter.branchMatch
    #[prost(string, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub branch_match: Option<String>,
    /// DOC PullRequestGeneratorFilter.targetBranchMatch
    #[prost(string, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub target_branch_match: Option<String>,
    /// DOC PullRequestGeneratorFilter.titleMatch
    #[prost(string, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub title_match: Option<String>,
}

/// DOC PullRequestGeneratorBitbucket
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "repo"]))]
pub struct PullRequestGeneratorBitbucket {
    /// DOC PullRequestGeneratorBitbucket.owner
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// DOC PullRequestGeneratorBitbucket.repo
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// DOC PullRequestGeneratorBitbucket.api
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// DOC PullRequestGeneratorBitbucket.basicAuth
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// DOC PullRequestGeneratorBitbucket.bearerToken
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub bearer_token: Option<BearerTokenBitbucketCloud>,
}

/// DOC BearerTokenBitbucketCloud
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["tokenRef"]))]
pub struct BearerTokenBitbucketCloud {
    /// DOC BearerTokenBitbucketCloud.tokenRef
    #[prost(message, optional, tag = "1")]
    pub token_ref: Option<SecretRef>,
}

/// DOC PullRequestGeneratorAzureDevOps
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["organization", "project", "repo"]))]
pub struct PullRequestGeneratorAzureDevOps {
    /// DOC PullRequestGeneratorAzureDevOps.organization
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub organization: String,
    /// DOC PullRequestGeneratorAzureDevOps.project
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// DOC PullRequestGeneratorAzureDevOps.repo
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub repo: String,
    /// DOC PullRequestGeneratorAzureDevOps.api
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// DOC PullRequestGeneratorAzureDevOps.tokenRef
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// DOC PullRequestGeneratorAzureDevOps.labels
    #[prost(string, repeated, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub labels: Vec<String>,
}
