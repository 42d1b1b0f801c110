//! How an application's objects are compared, from what users wrote.

use crate::facts::SERVER_SIDE_APPLY;
use api::v1alpha1::{Application, OverrideIgnoreDiff, ResourceIgnoreDifferences};
use diff::{DiffOptions, IgnoreDifference, InvalidRule, KnownTypeField, ResourceOverride, Rules};
use settings::{CompareOptions, Customizations, Tracking};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Compiles the rules of an application and of the system.
pub fn diff_options(
    application: &Application,
    customizations: &Customizations,
    compare: CompareOptions,
    tracking: &Tracking,
) -> Result<DiffOptions, InvalidRule> {
    let ignores: Vec<_> = application.spec.ignore_differences.iter().map(ignore).collect();
    let overrides: BTreeMap<_, _> = customizations
        .overrides
        .iter()
        .map(|(key, entry)| {
            let known = entry.known_type_fields.iter();
            let system = ResourceOverride {
                ignore: override_ignore(&entry.ignore_differences),
                known_type_fields: known
                    .map(|it| KnownTypeField { field: it.field.clone(), kind: it.r#type.clone() })
                    .collect(),
            };
            (key.clone(), system)
        })
        .collect();
    let policy = application.spec.sync_policy.as_ref();
    Ok(DiffOptions {
        rules: Arc::new(Rules::compile(&ignores, &overrides)?),
        ignore_aggregated_roles: compare.ignore_aggregated_roles,
        tracking_method: Some(tracking.method),
        tracking_label: tracking.label_key.clone(),
        structured_merge: policy
            .is_some_and(|policy| policy.sync_options.iter().any(|option| option == SERVER_SIDE_APPLY)),
        ..DiffOptions::default()
    })
}

/// What to leave out when asking whether an update of a live object is worth a look, beside what never is: the
/// status, and what the API server writes at every update. Nothing where users switched that off.
pub fn update_rules(customizations: &Customizations) -> Result<Rules, InvalidRule> {
    const NEVER: [&str; 4] =
        ["/status", "/metadata/resourceVersion", "/metadata/generation", "/metadata/managedFields"];
    if !customizations.ignore_updates_enabled {
        return Ok(Rules::default());
    }
    let ignored = customizations.ignored_updates();
    let overrides = ignored.iter().map(|(key, entry)| {
        let mut ignore = override_ignore(&entry.ignore_differences);
        ignore.json_pointers.retain(|pointer| !NEVER.contains(&pointer.as_str()));
        (key.clone(), ResourceOverride { ignore, ..ResourceOverride::default() })
    });
    Rules::compile(&[], &overrides.collect())
}

fn ignore(entry: &ResourceIgnoreDifferences) -> IgnoreDifference {
    IgnoreDifference {
        group: entry.group.clone(),
        kind: entry.kind.clone(),
        name: entry.name.clone(),
        namespace: entry.namespace.clone(),
        json_pointers: entry.json_pointers.clone(),
        jq_path_expressions: entry.jq_path_expressions.clone(),
        managed_fields_managers: entry.managed_fields_managers.clone(),
    }
}

fn override_ignore(entry: &OverrideIgnoreDiff) -> IgnoreDifference {
    IgnoreDifference {
        json_pointers: entry.json_pointers.clone(),
        jq_path_expressions: entry.jq_path_expressions.clone(),
        managed_fields_managers: entry.managed_fields_managers.clone(),
        ..IgnoreDifference::default()
    }
}
