//! `argoproj.io/v1alpha1`: one Rust definition per message gives the JSON of Kubernetes and of the REST API,
//! the protobuf of the gRPC API and the CRD schema.

mod application;
mod application_set;
mod cluster;
mod customization;
mod generator;
mod hydrator;
mod operation;
mod project;
mod pull_request_generator;
mod repository;
mod scm_generator;
mod source;
mod status;
mod tree;

pub use crate::go::{OptionalArray, OptionalMap};
pub use application::{
    Application, ApplicationDestination, ApplicationList, ApplicationSpec, ApplicationWatchEvent, Backoff,
    Info, ManagedNamespaceMetadata, ResourceIgnoreDifferences, RetryStrategy, SyncPolicy,
    SyncPolicyAutomated,
};
pub use application_set::{
    ApplicationMatchExpression, ApplicationPreservedFields, ApplicationSet, ApplicationSetApplicationStatus,
    ApplicationSetCondition, ApplicationSetList, ApplicationSetResourceIgnoreDifferences,
    ApplicationSetRolloutStep, ApplicationSetRolloutStrategy, ApplicationSetSpec, ApplicationSetStatus,
    ApplicationSetStrategy, ApplicationSetSyncPolicy, ApplicationSetTemplate, ApplicationSetTemplateMeta,
    ApplicationSetTree, ApplicationSetWatchEvent,
};
pub use cluster::{
    AWSAuthConfig, Cluster, ClusterCacheInfo, ClusterConfig, ClusterInfo, ClusterList, ExecProviderConfig,
    TLSClientConfig,
};
pub use customization::{
    Command, ComponentParameter, ConfigManagementPlugin, HelmOptions, KnownTypeField, KustomizeOptions,
    KustomizeVersion, OverrideIgnoreDiff, ResourceAction, ResourceActionDefinition, ResourceActionParam,
    ResourceActions, ResourceOverride,
};
pub use generator::{
    ApplicationSetGenerator, ApplicationSetNestedGenerator, ApplicationSetTerminalGenerator,
    ClusterGenerator, ConfigMapKeyRef, DuckTypeGenerator, GitDirectoryGeneratorItem, GitFileGeneratorItem,
    GitGenerator, ListGenerator, MatrixGenerator, MergeGenerator, NestedMatrixGenerator,
    NestedMergeGenerator, PluginConfigMapRef, PluginGenerator, PluginInput, SecretRef,
};
pub use hydrator::{
    DrySource, HydrateOperation, HydrateTo, SourceHydrator, SourceHydratorStatus, SuccessfulHydrateOperation,
    SyncSource,
};
pub use operation::{
    Operation, OperationInitiator, OperationState, ResourceResult, SyncOperation, SyncOperationResource,
    SyncOperationResult, SyncStrategy, SyncStrategyApply, SyncStrategyHook,
};
pub use project::{
    AppProject, AppProjectList, AppProjectSpec, AppProjectStatus, ApplicationDestinationServiceAccount,
    ClusterResourceRestrictionItem, JWTToken, JWTTokens, OrphanedResourceKey,
    OrphanedResourcesMonitorSettings, ProjectRole, SignatureKey, SourceIntegrity, SourceIntegrityGit,
    SourceIntegrityGitPolicy, SourceIntegrityGitPolicyGPG, SourceIntegrityGitPolicyRepo, SyncWindow,
};
pub use pull_request_generator::{
    BearerTokenBitbucketCloud, PullRequestGenerator, PullRequestGeneratorAzureDevOps,
    PullRequestGeneratorBitbucket, PullRequestGeneratorBitbucketServer, PullRequestGeneratorFilter,
    PullRequestGeneratorGitLab, PullRequestGeneratorGitea, PullRequestGeneratorGithub,
};
pub use repository::{
    ChartDetails, CommitMetadata, ConnectionState, GnuPGPublicKey, GnuPGPublicKeyList, OCIMetadata,
    RefTarget, RepoCreds, RepoCredsList, Repository, RepositoryCertificate, RepositoryCertificateList,
    RepositoryList, RevisionMetadata, RevisionReference, SourceIntegrityCheckResult,
    SourceIntegrityCheckResultItem,
};
pub use scm_generator::{
    BasicAuthBitbucketServer, BearerTokenBitbucket, SCMProviderGenerator, SCMProviderGeneratorAWSCodeCommit,
    SCMProviderGeneratorAzureDevOps, SCMProviderGeneratorBitbucket, SCMProviderGeneratorBitbucketServer,
    SCMProviderGeneratorFilter, SCMProviderGeneratorGitea, SCMProviderGeneratorGithub,
    SCMProviderGeneratorGitlab, TagFilter,
};
pub use source::{
    ApplicationSource, ApplicationSourceDirectory, ApplicationSourceHelm, ApplicationSourceJsonnet,
    ApplicationSourceKustomize, ApplicationSourcePlugin, ApplicationSourcePluginParameter, EnvEntry,
    HelmFileParameter, HelmParameter, JsonnetVar, KustomizeGvk, KustomizePatch, KustomizeReplica,
    KustomizeResId, KustomizeSelector,
};
pub use status::{
    AppHealthStatus, ApplicationCondition, ApplicationStatus, ApplicationSummary, ComparedTo, HealthStatus,
    ResourceStatus, RevisionHistory, SyncStatus,
};
pub use tree::{
    ApplicationTree, HostInfo, HostResourceInfo, InfoItem, ResourceDiff, ResourceNetworkingInfo,
    ResourceNode, ResourceRef,
};
