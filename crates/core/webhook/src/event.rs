//! What a payload says, the same for every provider.

use serde::Serialize;

/// Who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Provider {
    /// GitHub and GitHub Enterprise.
    GitHub,
    /// GitLab.
    GitLab,
    /// Bitbucket Cloud.
    Bitbucket,
    /// Bitbucket Server and Data Center.
    BitbucketServer,
    /// Gogs, and everything that speaks as it does.
    Gogs,
    /// Gitea.
    Gitea,
    /// Forgejo.
    Forgejo,
    /// Azure DevOps.
    AzureDevOps,
    /// AWS CodeCommit, through a topic of SNS.
    CodeCommit,
    /// GitHub's container registry.
    Ghcr,
    /// Harbor.
    Harbor,
    /// Docker Hub.
    DockerHub,
    /// A registry with the notifications of CNCF distribution.
    Distribution,
}

/// A payload that was believed and understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Event {
    /// Refs of a repository moved.
    Push(Push),
    /// Artifacts were pushed to a registry.
    Registry(Vec<RegistryPush>),
    /// A pull request changed.
    PullRequest(PullRequest),
    /// Nothing to act on, and why.
    Ignored(String),
}

/// Refs of one repository that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Push {
    /// Who says so.
    pub provider: Provider,
    /// Addresses of the repository; applications are found by their host and path.
    pub web_urls: Vec<String>,
    /// The refs.
    pub changes: Vec<RefChange>,
}

/// One ref that moved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RefChange {
    /// The name as applications write it: without `refs/heads/` or `refs/tags/`.
    pub revision: String,
    /// The commit before; empty when it was not told, zeros when there was none.
    pub before: String,
    /// The commit after; empty when it was not told, zeros when there is none.
    pub after: String,
    /// Whether this is, or may be, the default branch.
    pub touched_head: bool,
    /// The files that differ. Nothing when the payload does not tell, or not all: then every file may differ.
    pub files: Option<Vec<String>>,
}

/// An artifact pushed to a registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegistryPush {
    /// Who says so.
    pub provider: Provider,
    /// Host, and port if any.
    pub registry: String,
    /// Path in the registry.
    pub repository: String,
    /// The tag.
    pub tag: String,
}

impl RegistryPush {
    /// The address as an application's `repoURL`.
    pub fn url(&self) -> String {
        format!("oci://{}/{}", self.registry, self.repository)
    }
}

/// A pull or merge request that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullRequest {
    /// Who says so.
    pub provider: Provider,
    /// What happened, in the provider's word.
    pub action: String,
    /// Number within the repository.
    pub number: u64,
    /// GitHub: address of the repository in the API. GitLab: web address of the project.
    pub address: String,
    /// GitHub: owner. Azure DevOps: project. GitLab: path of the project with its groups.
    pub owner: String,
    /// Name of the repository.
    pub repository: String,
    /// GitLab: number of the target project.
    pub project_id: Option<u64>,
    /// The branch with the changes.
    pub source_branch: String,
    /// The branch they are meant for.
    pub target_branch: String,
    /// Head of the changes, when it was told.
    pub head: String,
    /// Addresses of the repository that the changes are meant for; applications are found by their host and path.
    pub web_urls: Vec<String>,
    /// Whether the changes come from another repository, or may.
    pub fork: bool,
    /// Whether they are meant for the default branch, or may be.
    pub for_head: bool,
    /// Whether it was opened, or its commits or the branch it is meant for changed.
    pub moved: bool,
}

impl PullRequest {
    /// Whether generators that list pull requests may now answer differently.
    pub fn concerns_generators(&self) -> bool {
        let actions: &[&str] = match self.provider {
            Provider::GitHub => &["opened", "closed", "synchronize", "labeled", "reopened", "unlabeled"],
            Provider::GitLab => &["open", "close", "reopen", "update", "merge"],
            Provider::AzureDevOps => {
                &["git.pullrequest.created", "git.pullrequest.merged", "git.pullrequest.updated"]
            }
            _ => &[],
        };
        actions.contains(&self.action.as_str())
    }
}
