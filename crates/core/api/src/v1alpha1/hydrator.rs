//! Source hydration: rendered manifests written back to Git.

use crate::go::{null, zero};
use crate::k8s::meta_v1::Time;
use crate::v1alpha1::{
    ApplicationSource, ApplicationSourceDirectory, ApplicationSourceHelm, ApplicationSourceKustomize,
    ApplicationSourcePlugin,
};
use prost::Message;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Renders a dry source into a branch and syncs from there.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["drySource", "syncSource"]))]
pub struct SourceHydrator {
    /// Where the manifests are rendered from.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub dry_source: DrySource,
    /// Where the rendered manifests are synced from.
    #[prost(message, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub sync_source: SyncSource,
    /// Where the rendered manifests are pushed, when that is not the branch synced from.
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "zero")]
    pub hydrate_to: Option<HydrateTo>,
}

impl SourceHydrator {
    /// What is rendered, as a source.
    pub fn dry(&self) -> ApplicationSource {
        let DrySource { repo_url, target_revision, path, helm, kustomize, directory, plugin } =
            self.dry_source.clone();
        ApplicationSource {
            repo_url,
            target_revision,
            path,
            helm,
            kustomize,
            directory,
            plugin,
            ..ApplicationSource::default()
        }
    }

    /// What is synced: the branch with the rendered manifests, in the dry source's repository where none is named.
    pub fn sync(&self) -> ApplicationSource {
        let SyncSource { target_branch, path, repo_url } = self.sync_source.clone();
        let repo_url = if repo_url.is_empty() { self.dry_source.repo_url.clone() } else { repo_url };
        ApplicationSource { repo_url, path, target_revision: target_branch, ..ApplicationSource::default() }
    }
}

/// What is rendered.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["repoURL", "targetRevision", "path"]))]
pub struct DrySource {
    /// URL of the Git repository.
    #[prost(string, required, tag = "1")]
    #[serde(rename = "repoURL", deserialize_with = "null")]
    pub repo_url: String,
    /// Branch, tag or commit.
    #[prost(string, required, tag = "2")]
    #[serde(deserialize_with = "null")]
    pub target_revision: String,
    /// Directory in the repository.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// Options for a chart.
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "zero")]
    pub helm: Option<ApplicationSourceHelm>,
    /// Options for a kustomization.
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "zero")]
    pub kustomize: Option<ApplicationSourceKustomize>,
    /// Options for plain manifests.
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "zero")]
    pub directory: Option<ApplicationSourceDirectory>,
    /// Options for a plugin.
    #[prost(message, optional, tag = "7")]
    #[serde(skip_serializing_if = "zero")]
    pub plugin: Option<ApplicationSourcePlugin>,
}

/// Where rendered manifests are synced from.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["targetBranch", "path"]))]
pub struct SyncSource {
    /// The branch.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub target_branch: String,
    /// Directory on the branch.
    #[prost(string, required, tag = "2")]
    #[schemars(extend("minLength" = 1, "pattern" = "^.{2,}|[^./]$"))]
    #[serde(deserialize_with = "null")]
    pub path: String,
    /// URL of the repository; that of the dry source when empty.
    #[prost(string, required, tag = "3")]
    #[serde(rename = "repoURL", deserialize_with = "null", skip_serializing_if = "zero")]
    pub repo_url: String,
}

/// Where rendered manifests are pushed.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["targetBranch"]))]
pub struct HydrateTo {
    /// The branch.
    #[prost(string, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub target_branch: String,
}

/// How far rendering into a branch is.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceHydratorStatus {
    /// The last one that succeeded.
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "zero")]
    pub last_successful_operation: Option<SuccessfulHydrateOperation>,
    /// The one under way or ended last.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub current_operation: Option<HydrateOperation>,
    /// Commit of the dry source that was last looked at.
    #[prost(string, required, tag = "3")]
    #[serde(deserialize_with = "null", skip_serializing_if = "zero")]
    pub last_compared_dry_revision: String,
}

/// A rendering that was pushed.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct SuccessfulHydrateOperation {
    /// Commit it was rendered from.
    #[prost(string, required, tag = "5")]
    #[serde(rename = "drySHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub dry_sha: String,
    /// Commit that holds the result.
    #[prost(string, required, tag = "6")]
    #[serde(rename = "hydratedSHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub hydrated_sha: String,
    /// The configuration it was done with.
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub source_hydrator: SourceHydrator,
}

/// One rendering into a branch.
#[derive(Clone, PartialEq, Message, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[schemars(extend("required" = ["phase", "message"]))]
pub struct HydrateOperation {
    /// When it began.
    #[prost(message, required, tag = "1")]
    #[serde(deserialize_with = "null")]
    pub started_at: Time,
    /// When it ended.
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "zero")]
    pub finished_at: Option<Time>,
    /// `Hydrating`, `Hydrated` or `Failed`.
    #[prost(string, required, tag = "3")]
    #[schemars(extend("enum" = ["Hydrating", "Failed", "Hydrated"]))]
    #[serde(deserialize_with = "null")]
    pub phase: String,
    /// What happened, for people.
    #[prost(string, required, tag = "4")]
    #[serde(deserialize_with = "null")]
    pub message: String,
    /// Commit it renders from.
    #[prost(string, required, tag = "5")]
    #[serde(rename = "drySHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub dry_sha: String,
    /// Commit that holds the result.
    #[prost(string, required, tag = "6")]
    #[serde(rename = "hydratedSHA", deserialize_with = "null", skip_serializing_if = "zero")]
    pub hydrated_sha: String,
    /// The configuration it is done with.
    #[prost(message, required, tag = "7")]
    #[serde(deserialize_with = "null")]
    pub source_hydrator: SourceHydrator,
}
