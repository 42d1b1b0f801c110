//! What every comparison leaves out of account.

use crate::reader::{Data, Problem, Reader};
use serde_json::Value;

/// `resource.compareoptions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompareOptions {
    /// Rules of aggregated cluster roles are their controller's, not the source's.
    pub ignore_aggregated_roles: bool,
    /// Whose `status` is left out.
    pub ignore_status: StatusField,
    /// What is no difference is no reason to compare again either.
    pub ignore_differences_on_resource_updates: bool,
}

/// Whose `status` a comparison leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusField {
    /// Every kind's.
    All,
    /// That of definitions of custom resources.
    Crd,
    /// Nobody's.
    None,
}

impl Default for CompareOptions {
    fn default() -> Self {
        Self {
            ignore_aggregated_roles: false,
            ignore_status: StatusField::All,
            ignore_differences_on_resource_updates: true,
        }
    }
}

impl CompareOptions {
    /// Reads `argocd-cm`.
    pub fn parse(data: &Data) -> (Self, Vec<Problem>) {
        const KEY: &str = "resource.compareoptions";
        let mut reader = Reader::new(data);
        let mut options = Self::default();
        let Some(value) = reader.yaml(KEY) else { return (options, reader.problems) };
        let mut flag = |member: &str, default: bool| match value.get(member) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                reader.problem(KEY, format!("{member} is neither true nor false"));
                default
            }
        };
        options.ignore_aggregated_roles = flag("ignoreAggregatedRoles", options.ignore_aggregated_roles);
        options.ignore_differences_on_resource_updates =
            flag("ignoreDifferencesOnResourceUpdates", options.ignore_differences_on_resource_updates);
        options.ignore_status = match value.get("ignoreResourceStatusField") {
            None | Some(Value::Null | Value::Bool(true)) => StatusField::All,
            Some(Value::Bool(false)) => StatusField::None,
            Some(Value::String(word)) => match word.as_str() {
                "all" | "" => StatusField::All,
                "crd" => StatusField::Crd,
                "off" | "false" | "none" => StatusField::None,
                _ => {
                    reader
                        .problem(KEY, format!("ignoreResourceStatusField: {word:?} is not all, crd or off"));
                    StatusField::All
                }
            },
            Some(_) => {
                reader.problem(KEY, "ignoreResourceStatusField is not all, crd or off");
                StatusField::All
            }
        };
        (options, reader.problems)
    }
}
