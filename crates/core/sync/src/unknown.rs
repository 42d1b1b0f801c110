//! What annotations say that nobody heeds: a misspelt hook would otherwise never run, and nobody would learn why.

use crate::options::csv;
use api::names::{HOOK, HOOK_DELETE_POLICY, SYNC_OPTIONS, SYNC_WAVE};
use object::Object;

const FLAG: &[&str] = &["true", "false"];
const ASKED: &[&str] = &["true", "false", "confirm"];
const OPTIONS: &[(&str, &[&str])] = &[
    ("ApplyOutOfSyncOnly", FLAG),
    ("ClientSideApplyMigration", FLAG),
    ("CreateNamespace", FLAG),
    ("Delete", ASKED),
    ("FailOnSharedResource", FLAG),
    ("Force", FLAG),
    ("Prune", ASKED),
    ("PruneLast", FLAG),
    ("PrunePropagationPolicy", &["foreground", "background", "orphan"]),
    ("Replace", FLAG),
    ("RespectIgnoreDifferences", FLAG),
    ("ServerSideApply", FLAG),
    ("SkipDryRunOnMissingResource", FLAG),
    ("Validate", FLAG),
];
const HOOKS: &str = "PreSync, Sync, PostSync, SyncFail, Skip, PreDelete, PostDelete";
const POLICIES: &str = "HookSucceeded, HookFailed, BeforeHookCreation, Never";

/// A value of one of our annotations that means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownValue {
    /// The annotation.
    pub annotation: &'static str,
    /// The value, or the part of it.
    pub value: String,
    /// What could stand there.
    pub known: String,
}

/// The values of our annotations on an object that mean nothing, in the order of the annotations.
pub fn unknown_values(object: &Object) -> Vec<UnknownValue> {
    let mut unknown = Vec::new();
    let mut tell = |annotation: &'static str, value: &str, known: String| {
        unknown.push(UnknownValue { annotation, value: value.to_owned(), known });
    };
    for (annotation, known) in [(HOOK, HOOKS), (HOOK_DELETE_POLICY, POLICIES)] {
        for value in csv(object, annotation).filter(|value| !known.split(", ").any(|it| it == *value)) {
            tell(annotation, value, known.to_owned());
        }
    }
    if let Some(wave) = object.annotation(SYNC_WAVE).filter(|wave| wave.parse::<i64>().is_err()) {
        tell(SYNC_WAVE, wave, "whole numbers".to_owned());
    }
    for option in csv(object, SYNC_OPTIONS) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match OPTIONS.iter().find(|(known, _)| *known == name) {
            Some((_, values)) if values.contains(&value) => {}
            Some((_, values)) => {
                let known: Vec<String> = values.iter().map(|value| format!("{name}={value}")).collect();
                tell(SYNC_OPTIONS, option, known.join(", "));
            }
            None => {
                let known: Vec<&str> = OPTIONS.iter().map(|(name, _)| *name).collect();
                tell(SYNC_OPTIONS, option, known.join(", "));
            }
        }
    }
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(annotation: &str, value: &str) -> Vec<String> {
        let metadata = json!({"name": "a", "annotations": {annotation: value}});
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata});
        unknown_values(&Object::from_value(object).unwrap()).into_iter().map(|it| it.value).collect()
    }

    #[test]
    fn what_is_known_is_not_told() {
        for (annotation, value) in [
            (HOOK, "PreSync, PostSync"),
            (HOOK, "Skip"),
            (HOOK_DELETE_POLICY, "HookSucceeded,HookFailed"),
            (HOOK_DELETE_POLICY, "Never"),
            (SYNC_WAVE, "-5"),
            (SYNC_OPTIONS, "Prune=false, Delete=confirm,Replace=true"),
            ("helm.sh/hook", "test"),
            ("argocd.argoproj.io/manifest-generate-paths", "anything"),
        ] {
            assert_eq!(told(annotation, value), Vec::<String>::new(), "{annotation}: {value}");
        }
    }

    #[test]
    fn what_is_not_is() {
        assert_eq!(told(HOOK, "PreSnyc,Sync"), ["PreSnyc"]);
        assert_eq!(told(HOOK_DELETE_POLICY, "never"), ["never"]);
        assert_eq!(told(SYNC_WAVE, "first"), ["first"]);
        assert_eq!(
            told(SYNC_OPTIONS, "Prune=maybe,Prnue=false,Replace"),
            ["Prune=maybe", "Prnue=false", "Replace"]
        );
    }
}
