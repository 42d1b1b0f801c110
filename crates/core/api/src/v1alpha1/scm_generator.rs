//! The SCM provider generator: an application per repository of an organisation.

use crate::go::{null, zero};
use crate::v1alpha1::{ApplicationSetTemplate, ConfigMapKeyRef, SecretRef};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// DOC SCMProviderGenerator
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SCMProviderGenerator {
    /// DOC SCMProviderGenerator.github
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub github: Option<SCMProviderGeneratorGithub>,
    /// DOC SCMProviderGenerator.gitlab
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub gitlab: Option<SCMProviderGeneratorGitlab>,
    /// DOC SCMProviderGenerator.bitbucket
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket: Option<SCMProviderGeneratorBitbucket>,
    /// DOC SCMProviderGenerator.bitbucketServer
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub bitbucket_server: Option<SCMProviderGeneratorBitbucketServer>,
    /// DOC SCMProviderGenerator.gitea
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub gitea: Option<SCMProviderGeneratorGitea>,
    /// DOC SCMProviderGenerator.azureDevOps
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub azure_dev_ops: Option<SCMProviderGeneratorAzureDevOps>,
    /// DOC SCMProviderGenerator.filters
    #[prost(message, repeated, tag = "7")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub filters: Vec<SCMProviderGeneratorFilter>,
    /// DOC SCMProviderGenerator.cloneProtocol
    #[prost(string, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub clone_protocol: String,
    /// DOC SCMProviderGenerator.requeueAfterSeconds
    #[prost(int64, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub requeue_after_seconds: Option<i64>,
    /// DOC SCMProviderGenerator.template
    #[prost(message, required, tag = "10")]
    #[serde(deserialize_with = "null")]
    pub template: ApplicationSetTemplate,
    /// DOC SCMProviderGenerator.values
    #[prost(btree_map = "string, string", tag = "11")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub values: BTreeMap<String, String>,
    /// DOC SCMProviderGenerator.awsCodeCommit
    #[prost(message, optional, tag = "12")]
    #[serde(skip_serializing_if = "zero")]
    pub aws_code_commit: Option<SCMProviderGeneratorAWSCodeCommit>,
}

/// DOC SCMProviderGeneratorGithub
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["organization"]))]
pub struct SCMProviderGeneratorGithub {
    /// DOC SCMProviderGeneratorGithub.organization
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub organization: String,
    /// DOC SCMProviderGeneratorGithub.api
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// DOC SCMProviderGeneratorGithub.tokenRef
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// DOC SCMProviderGeneratorGithub.appSecretName
    #[prost(string, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub app_secret_name: String,
    /// DOC SCMProviderGeneratorGithub.allBranches
    #[prost(bool, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// DOC SCMProviderGeneratorGithub.excludeArchivedRepos
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude_archived_repos: bool,
}

/// DOC SCMProviderGeneratorGitlab
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["group"]))]
pub struct SCMProviderGeneratorGitlab {
    /// DOC SCMProviderGeneratorGitlab.group
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub group: String,
    /// DOC SCMProviderGeneratorGitlab.includeSubgroups
    #[prost(bool, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub include_subgroups: bool,
    /// DOC SCMProviderGeneratorGitlab.api
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// DOC SCMProviderGeneratorGitlab.tokenRef
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// DOC SCMProviderGeneratorGitlab.allBranches
    #[prost(bool, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// DOC SCMProviderGeneratorGitlab.insecure
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// DOC SCMProviderGeneratorGitlab.includeSharedProjects
    #[prost(bool, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub include_shared_projects: Option<bool>,
    /// DOC SCMProviderGeneratorGitlab.topic
    #[prost(string, tag = "8")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub topic: String,
    /// DOC SCMProviderGeneratorGitlab.caRef
    #[prost(message, optional, tag = "9")]
    #[serde(skip_serializing_if = "zero")]
    pub ca_ref: Option<ConfigMapKeyRef>,
    /// DOC SCMProviderGeneratorGitlab.includeArchivedRepos
    #[prost(bool, tag = "10")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub include_archived_repos: bool,
}

/// DOC SCMProviderGeneratorBitbucket
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "user", "appPasswordRef"]))]
pub struct SCMProviderGeneratorBitbucket {
    /// DOC SCMProviderGeneratorBitbucket.owner
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// DOC SCMProviderGeneratorBitbucket.user
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub user: String,
    /// DOC SCMProviderGeneratorBitbucket.appPasswordRef
    #[prost(message, optional, tag = "3")]
    pub app_password_ref: Option<SecretRef>,
    /// DOC SCMProviderGeneratorBitbucket.allBranches
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
}

/// DOC SCMProviderGeneratorBitbucketServer
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["project", "api"]))]
pub struct SCMProviderGeneratorBitbucketServer {
    /// DOC SCMProviderGeneratorBitbucketServer.project
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub project: String,
    /// DOC SCMProviderGeneratorBitbucketServer.api
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// DOC SCMProviderGeneratorBitbucketServer.basicAuth
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub basic_auth: Option<BasicAuthBitbucketServer>,
    /// DOC SCMProviderGeneratorBitbucketServer.allBranches
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// DOC SCMProviderGeneratorBitbucketServer.bearerToken
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub bearer_token: Option<BearerTokenBitbucket>,
    /// DOC SCMProviderGeneratorBitbucketServer.insecure
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// DOC SCMProviderGeneratorBitbucketServer.caRef
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub ca_ref: Option<ConfigMapKeyRef>,
}

/// DOC BasicAuthBitbucketServer
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["username", "passwordRef"]))]
pub struct BasicAuthBitbucketServer {
    /// DOC BasicAuthBitbucketServer.username
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub username: String,
    /// DOC BasicAuthBitbucketServer.passwordRef
    #[prost(message, optional, tag = "2")]
    pub password_ref: Option<SecretRef>,
}

/// DOC BearerTokenBitbucket
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["tokenRef"]))]
pub struct BearerTokenBitbucket {
    /// DOC BearerTokenBitbucket.tokenRef
    #[prost(message, optional, tag = "1")]
    pub token_ref: Option<SecretRef>,
}

/// DOC SCMProviderGeneratorGitea
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["owner", "api"]))]
pub struct SCMProviderGeneratorGitea {
    /// DOC SCMProviderGeneratorGitea.owner
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub owner: String,
    /// DOC SCMProviderGeneratorGitea.api
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub api: String,
    /// DOC SCMProviderGeneratorGitea.tokenRef
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub token_ref: Option<SecretRef>,
    /// DOC SCMProviderGeneratorGitea.allBranches
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
    /// DOC SCMProviderGeneratorGitea.insecure
    #[prost(bool, tag = "5")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub insecure: bool,
    /// DOC SCMProviderGeneratorGitea.excludeArchivedRepos
    #[prost(bool, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub exclude_archived_repos: bool,
}

/// DOC SCMProviderGeneratorAzureDevOps
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["organization", "teamProject", "accessTokenRef"]))]
pub struct SCMProviderGeneratorAzureDevOps {
    /// DOC SCMProviderGeneratorAzureDevOps.organization
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "null")]
    pub organization: String,
    /// DOC SCMProviderGeneratorAzureDevOps.api
    #[prost(string, tag = "6")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub api: String,
    /// DOC SCMProviderGeneratorAzureDevOps.teamProject
    #[prost(string, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub team_project: String,
    /// DOC SCMProviderGeneratorAzureDevOps.accessTokenRef
    #[prost(message, optional, tag = "8")]
    pub access_token_ref: Option<SecretRef>,
    /// DOC SCMProviderGeneratorAzureDevOps.allBranches
    #[prost(bool, tag = "9")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
}

/// DOC SCMProviderGeneratorFilter
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SCMProviderGeneratorFilter {
    /// DOC SCMProviderGeneratorFilter.repositoryMatch
    #[prost(string, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub repository_match: Option<String>,
    /// DOC SCMProviderGeneratorFilter.pathsExist
    #[prost(string, repeated, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub paths_exist: Vec<String>,
    /// DOC SCMProviderGeneratorFilter.pathsDoNotExist
    #[prost(string, repeated, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub paths_do_not_exist: Vec<String>,
    /// DOC SCMProviderGeneratorFilter.labelMatch
    #[prost(string, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub label_match: Option<String>,
    /// DOC SCMProviderGeneratorFilter.branchMatch
    #[prost(string, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub branch_match: Option<String>,
}

/// DOC SCMProviderGeneratorAWSCodeCommit
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SCMProviderGeneratorAWSCodeCommit {
    /// DOC SCMProviderGeneratorAWSCodeCommit.tagFilters
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub tag_filters: Vec<TagFilter>,
    /// DOC SCMProviderGeneratorAWSCodeCommit.role
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub role: String,
    /// DOC SCMProviderGeneratorAWSCodeCommit.region
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub region: String,
    /// DOC SCMProviderGeneratorAWSCodeCommit.allBranches
    #[prost(bool, tag = "4")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub all_branches: bool,
}

/// DOC TagFilter
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["key"]))]
pub struct TagFilter {
    /// DOC TagFilter.key
    #[prost(string, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub key: String,
    /// DOC TagFilter.value
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub value: String,
}
