//! Sync options: of an operation (a list of `Name=value`), and of one resource (an annotation).

use crate::task::Propagation;
use api::names::SYNC_OPTIONS;
use object::Object;

/// Field manager whose fields move to server-side apply, unless a resource names another.
pub const DEFAULT_MIGRATION_MANAGER: &str = "kubectl-client-side-apply";

/// What an operation's sync options say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncOptions {
    /// `CreateNamespace=true`.
    pub create_namespace: bool,
    /// Not `Validate=false`.
    pub validate: bool,
    /// `PruneLast=true`.
    pub prune_last: bool,
    /// `Replace=true`.
    pub replace: bool,
    /// `Force=true`.
    pub force: bool,
    /// `ServerSideApply=true`.
    pub server_side_apply: bool,
    /// Not `ClientSideApplyMigration=false`.
    pub client_side_apply_migration: bool,
    /// `ApplyOutOfSyncOnly=true`.
    pub apply_out_of_sync_only: bool,
    /// `SkipDryRunOnMissingResource=true`.
    pub skip_dry_run_on_missing_resource: bool,
    /// `FailOnSharedResource=true`.
    pub fail_on_shared_resource: bool,
    /// `RespectIgnoreDifferences=true`; whoever makes the targets obeys it.
    pub respect_ignore_differences: bool,
    /// `Prune=…` for resources that say nothing themselves.
    pub prune: ResourceOption,
    /// `Delete=…` for resources that say nothing themselves.
    pub delete: ResourceOption,
    /// `PrunePropagationPolicy=…`.
    pub propagation: Propagation,
}

/// Value of `Prune=…` and `Delete=…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResourceOption {
    /// Allowed.
    #[default]
    Allow,
    /// Allowed once a user confirmed.
    Confirm,
    /// Not allowed.
    Deny,
}

impl ResourceOption {
    fn parse(value: Option<&str>) -> Option<Self> {
        match value? {
            "false" => Some(Self::Deny),
            "confirm" => Some(Self::Confirm),
            _ => Some(Self::Allow),
        }
    }

    /// `Prune=…` of a live object; what the operation says where the object is silent.
    pub fn prune_of(object: &Object, default: Self) -> Self {
        Self::parse(option_value(object, "Prune")).unwrap_or(default)
    }

    /// `Delete=…` of a live object; what the application says where the object is silent.
    pub fn delete_of(object: &Object, default: Self) -> Self {
        Self::parse(option_value(object, "Delete")).unwrap_or(default)
    }
}

impl SyncOptions {
    /// Reads an operation's options. What nobody knows is left alone.
    pub fn parse(options: &[String]) -> Self {
        let has = |wanted: &str| options.iter().any(|option| option == wanted);
        let value = |name: &str| {
            options
                .iter()
                .find_map(|option| option.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
        };
        Self {
            create_namespace: has("CreateNamespace=true"),
            validate: !has("Validate=false"),
            prune_last: has("PruneLast=true"),
            replace: has("Replace=true"),
            force: has("Force=true"),
            server_side_apply: has("ServerSideApply=true"),
            client_side_apply_migration: !has("ClientSideApplyMigration=false"),
            apply_out_of_sync_only: has("ApplyOutOfSyncOnly=true"),
            skip_dry_run_on_missing_resource: has("SkipDryRunOnMissingResource=true"),
            fail_on_shared_resource: has("FailOnSharedResource=true"),
            respect_ignore_differences: has("RespectIgnoreDifferences=true"),
            prune: ResourceOption::parse(value("Prune")).unwrap_or_default(),
            delete: ResourceOption::parse(value("Delete")).unwrap_or_default(),
            propagation: Propagation::parse(value("PrunePropagationPolicy")),
        }
    }
}

/// Whether an object carries a sync option, as in `Validate=false`.
pub fn has_option(object: &Object, option: &str) -> bool {
    csv(object, SYNC_OPTIONS).any(|entry| entry == option)
}

/// The value an object gives a sync option.
pub fn option_value<'a>(object: &'a Object, name: &str) -> Option<&'a str> {
    csv(object, SYNC_OPTIONS)
        .find_map(|entry| entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
}

/// Entries of a comma-separated annotation.
pub(crate) fn csv<'a>(object: &'a Object, annotation: &str) -> impl Iterator<Item = &'a str> {
    object
        .annotation(annotation)
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}
