//! The one form of an application's spec: what says nothing is left out.

use api::names::DEFAULT_PROJECT;
use api::v1alpha1::{ApplicationSource, ApplicationSpec, SyncPolicy};

/// Brings a spec to its normal form.
pub(crate) fn normalise(spec: &mut ApplicationSpec) {
    if spec.project.is_empty() {
        DEFAULT_PROJECT.clone_into(&mut spec.project);
    }
    if spec.sync_policy.as_ref().is_some_and(|policy| *policy == SyncPolicy::default()) {
        spec.sync_policy = None;
    }
    spec.sources.iter_mut().chain(spec.source.as_mut()).for_each(normalise_source);
}

fn normalise_source(source: &mut ApplicationSource) {
    fn leave_out_empty<T: Default + PartialEq>(part: &mut Option<T>) {
        if part.as_ref().is_some_and(|part| *part == T::default()) {
            *part = None;
        }
    }
    leave_out_empty(&mut source.helm);
    leave_out_empty(&mut source.kustomize);
    leave_out_empty(&mut source.directory);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn normal(spec: &Value) -> Value {
        let mut spec: ApplicationSpec = serde_json::from_value(spec.clone()).unwrap();
        normalise(&mut spec);
        serde_json::to_value(spec).unwrap()
    }

    #[test]
    fn what_says_nothing_is_left_out() {
        let spec = json!({
            "source": {"repoURL": "r", "path": "p", "helm": {}, "kustomize": {}, "directory": {"recurse": false}},
            "destination": {"server": "s"}, "syncPolicy": {},
        });
        let wanted = json!({
            "source": {"repoURL": "r", "path": "p"}, "destination": {"server": "s"}, "project": "default",
        });
        assert_eq!(normal(&spec), wanted);
        assert_eq!(normal(&wanted), wanted);
    }

    #[test]
    fn what_says_something_stays() {
        let spec = json!({
            "source": {"repoURL": "r", "path": "p", "directory": {"recurse": true}},
            "destination": {"name": "n"}, "project": "team", "syncPolicy": {"automated": {}},
        });
        let normalised = normal(&spec);
        assert_eq!(normalised["source"]["directory"]["recurse"], true);
        assert_eq!(normalised["syncPolicy"], json!({"automated": {}}));
        assert_eq!(normalised["project"], "team");
    }
}
