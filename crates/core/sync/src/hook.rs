//! What makes an object a hook, when it runs and when it goes.

use crate::options::csv;
use api::codes::{HookDeletePolicy, HookType, SyncPhase};
use api::names::{HELM_HOOK, HELM_HOOK_DELETE_POLICY, HELM_HOOK_WEIGHT, HOOK, HOOK_DELETE_POLICY, SYNC_WAVE};
use jiff::Timestamp;
use object::Object;

/// Whether an object is a hook: left out of the comparison, run in a phase. An object that says only `Skip`
/// is not.
pub fn is_hook(object: &Object) -> bool {
    if object.annotation(HOOK).is_some() {
        return !is_skipped(object);
    }
    object.annotation(HELM_HOOK).is_some_and(|value| value != "crd-install")
}

/// Whether an object says that no sync shall touch it.
pub fn is_skipped(object: &Object) -> bool {
    hook_types(object) == [HookType::Skip]
}

/// Whether an object is a hook of no phase anybody knows: it is never applied.
pub fn is_ignored(object: &Object) -> bool {
    is_hook(object) && hook_types(object).is_empty()
}

/// The types an object names. Helm's annotation counts only where ours names none.
pub fn hook_types(object: &Object) -> Vec<HookType> {
    let mut types: Vec<HookType> = csv(object, HOOK).filter_map(|name| name.parse().ok()).collect();
    if types.is_empty() {
        types = csv(object, HELM_HOOK).filter_map(helm_type).collect();
    }
    let mut seen = Vec::new();
    types.retain(|found| {
        let new = !seen.contains(found);
        seen.push(*found);
        new
    });
    types
}

/// Whether an object is a hook of a deletion, `PreDelete` or `PostDelete`. For these, either annotation will do.
pub fn is_delete_hook(object: &Object, hook: HookType) -> bool {
    let ours = || csv(object, HOOK).any(|name| name.parse() == Ok(hook));
    let helm = || csv(object, HELM_HOOK).any(|name| helm_type(name) == Some(hook));
    matches!(hook, HookType::PreDelete | HookType::PostDelete) && (ours() || helm())
}

fn helm_type(name: &str) -> Option<HookType> {
    match name {
        "pre-install" | "pre-upgrade" => Some(HookType::PreSync),
        "post-install" | "post-upgrade" => Some(HookType::PostSync),
        "pre-delete" => Some(HookType::PreDelete),
        "post-delete" => Some(HookType::PostDelete),
        _ => None,
    }
}

/// The phases of a sync an object takes part in, in their order: its hook types, or `Sync` for what is no hook.
pub fn sync_phases(object: &Object) -> Vec<SyncPhase> {
    if is_skipped(object) {
        return Vec::new();
    }
    if !is_hook(object) {
        return vec![SyncPhase::Sync];
    }
    let mut phases: Vec<_> = hook_types(object).into_iter().filter_map(HookType::phase).collect();
    phases.sort_unstable();
    phases
}

/// The name of a hook that leaves its name to be completed: the same for the same run, so that it is found again.
pub fn generated_name(prefix: &str, revision: &str, hook: HookType, at: Timestamp) -> String {
    let short = if revision.len() >= 8 { revision.get(..7).unwrap_or(revision) } else { revision };
    let suffix = format!("{short}-{hook}-{}", at.as_second()).to_lowercase();
    format!("{prefix}{suffix}")
}

/// The wave an object asks for; 0 when it says nothing that is a number.
pub fn wave(object: &Object) -> i64 {
    let number = |name| object.annotation(name).and_then(|text| text.parse::<i64>().ok());
    number(SYNC_WAVE).or_else(|| number(HELM_HOOK_WEIGHT)).unwrap_or(0)
}

/// When a hook's object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HookDeletePolicies {
    /// After a sync that went well.
    pub succeeded: bool,
    /// After a sync that failed.
    pub failed: bool,
    /// Before it is made anew.
    pub before_creation: bool,
}

/// The delete policies of a hook; before it is made anew when it names none.
pub fn delete_policies(object: &Object) -> HookDeletePolicies {
    let mut policies = HookDeletePolicies::default();
    let mut named = false;
    let ours = csv(object, HOOK_DELETE_POLICY).filter_map(|name| match name {
        "Never" => Some(None),
        _ => name.parse().ok().map(Some),
    });
    let helm = csv(object, HELM_HOOK_DELETE_POLICY).filter_map(|name| match name {
        "hook-succeeded" => Some(Some(HookDeletePolicy::HookSucceeded)),
        "hook-failed" => Some(Some(HookDeletePolicy::HookFailed)),
        "before-hook-creation" => Some(Some(HookDeletePolicy::BeforeHookCreation)),
        _ => None,
    });
    for policy in ours.chain(helm) {
        named = true;
        match policy {
            Some(HookDeletePolicy::HookSucceeded) => policies.succeeded = true,
            Some(HookDeletePolicy::HookFailed) => policies.failed = true,
            Some(HookDeletePolicy::BeforeHookCreation) => policies.before_creation = true,
            None => {}
        }
    }
    if !named {
        policies.before_creation = true;
    }
    policies
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn either_annotation_makes_a_hook_of_a_deletion() {
        let is = |ours: &str, helm: &str, hook| {
            let annotations = json!({HOOK: ours, HELM_HOOK: helm});
            let object = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a", "annotations": annotations}});
            is_delete_hook(&Object::from_value(object).unwrap(), hook)
        };
        assert!(is("PreSync, PostDelete", "", HookType::PostDelete));
        assert!(is("PreSync", "pre-delete, post-delete", HookType::PostDelete));
        assert!(is("PostDelete", "pre-delete", HookType::PreDelete));
        assert!(!is("PostDelete", "pre-install", HookType::PreDelete));
        assert!(!is("PreSync", "pre-install", HookType::PreSync), "no hook of a deletion");
    }
}
