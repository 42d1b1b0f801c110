//! Annotations, labels and finalizers, by the names users write.

/// Asks for a refresh: `normal` or `hard`. The controller removes it.
pub const REFRESH: &str = "argocd.argoproj.io/refresh";
/// When the refresh was asked for.
pub const REFRESH_TIMESTAMP: &str = "argocd.argoproj.io/refresh-timestamp";
/// Asks for source hydration: `normal` or `hard`.
pub const HYDRATE: &str = "argocd.argoproj.io/hydrate";
/// When the hydration was asked for.
pub const HYDRATE_TIMESTAMP: &str = "argocd.argoproj.io/hydrate-timestamp";
/// Paths whose change makes a webhook refresh the application.
pub const MANIFEST_GENERATE_PATHS: &str = "argocd.argoproj.io/manifest-generate-paths";
/// At a project: which kinds the templates of its charts may look up in the destination's cluster. Our own.
pub const HELM_LOOKUP: &str = "argocd.argoproj.io/helm-lookup";
/// Tells the controller to leave the application or the cluster alone.
pub const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
/// How an application or a resource is compared.
pub const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
/// How a resource is synced.
pub const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";
/// The field manager whose fields move to server-side apply.
pub const CLIENT_SIDE_APPLY_MIGRATION_MANAGER: &str =
    "argocd.argoproj.io/client-side-apply-migration-manager";
/// Order within a phase; ascending.
pub const SYNC_WAVE: &str = "argocd.argoproj.io/sync-wave";
/// Makes a resource a hook of the phases named.
pub const HOOK: &str = "argocd.argoproj.io/hook";
/// When a hook's object is removed.
pub const HOOK_DELETE_POLICY: &str = "argocd.argoproj.io/hook-delete-policy";
/// Keeps a hook's object until its phase ends.
pub const HOOK_FINALIZER: &str = "argocd.argoproj.io/hook-finalizer";
/// Approves deletions and prunes that ask for confirmation.
pub const DELETION_APPROVED: &str = "argocd.argoproj.io/deletion-approved";
/// Leaves a resource's health out of the application's.
pub const IGNORE_HEALTHCHECK: &str = "argocd.argoproj.io/ignore-healthcheck";
/// Judges a pod with a short-lived restart policy like a long-running one.
pub const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";
/// Applies `ignoreResourceUpdates` to a resource no application manages, or not.
pub const IGNORE_RESOURCE_UPDATES: &str = "argocd.argoproj.io/ignore-resource-updates";
/// Takes no external URLs from a resource.
pub const IGNORE_DEFAULT_LINKS: &str = "argocd.argoproj.io/ignore-default-links";
/// Starts the annotations that add a link to a resource.
pub const LINK_PREFIX: &str = "link.argocd.argoproj.io/";
/// Ties a live object to its application.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// Keeps several installations on one cluster apart.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";
/// The label that ties a live object to its application, unless settings name another.
pub const INSTANCE_LABEL: &str = "app.kubernetes.io/instance";
/// Marks ConfigMaps and Secrets that hold settings; its value is [`PART_OF_VALUE`].
pub const PART_OF: &str = "app.kubernetes.io/part-of";
/// Value of [`PART_OF`].
pub const PART_OF_VALUE: &str = "argocd";
/// What a labelled Secret holds: `cluster`, `repository`, `repo-creds`, …
pub const SECRET_TYPE: &str = "argocd.argoproj.io/secret-type";
/// Asks for the cluster's version as a label on its Secret.
pub const AUTO_LABEL_CLUSTER_INFO: &str = "argocd.argoproj.io/auto-label-cluster-info";
/// The cluster's version, on its Secret.
pub const KUBERNETES_VERSION: &str = "argocd.argoproj.io/kubernetes-version";
/// Marks Secrets the API made, and may delete; its value is [`MANAGED_BY_VALUE`].
pub const MANAGED_BY: &str = "managed-by";
/// Value of [`MANAGED_BY`].
pub const MANAGED_BY_VALUE: &str = "argocd.argoproj.io";
/// Asks for an ApplicationSet to be generated anew.
pub const APPLICATION_SET_REFRESH: &str = "argocd.argoproj.io/application-set-refresh";
/// Deletes what an application manages before the application goes; in the foreground.
pub const RESOURCES_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";
/// Like [`RESOURCES_FINALIZER`], said in full.
pub const FOREGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/foreground";
/// Like [`RESOURCES_FINALIZER`], in the background.
pub const BACKGROUND_FINALIZER: &str = "resources-finalizer.argocd.argoproj.io/background";
/// Runs PreDelete hooks before an application goes.
pub const PRE_DELETE_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io";
/// Removes PreDelete hooks.
pub const PRE_DELETE_CLEANUP_FINALIZER: &str = "pre-delete-finalizer.argocd.argoproj.io/cleanup";
/// Runs PostDelete hooks once an application's resources are gone.
pub const POST_DELETE_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io";
/// Removes PostDelete hooks.
pub const POST_DELETE_CLEANUP_FINALIZER: &str = "post-delete-finalizer.argocd.argoproj.io/cleanup";
/// Helm's hook annotation.
pub const HELM_HOOK: &str = "helm.sh/hook";
/// Helm's order of hooks.
pub const HELM_HOOK_WEIGHT: &str = "helm.sh/hook-weight";
/// Helm's hook delete policy.
pub const HELM_HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
/// Helm's `keep`: the object stays when its application is deleted.
pub const HELM_RESOURCE_POLICY: &str = "helm.sh/resource-policy";
/// kubectl's record of what was applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Name of the project that always exists.
pub const DEFAULT_PROJECT: &str = "default";
/// Server URL of the cluster the controller runs in.
pub const IN_CLUSTER_SERVER: &str = "https://kubernetes.default.svc";
/// Name of the cluster the controller runs in.
pub const IN_CLUSTER_NAME: &str = "in-cluster";
