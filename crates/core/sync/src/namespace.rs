//! `CreateNamespace=true`: the destination's namespace as one more task.

use crate::plan::NamespaceFact;
use api::names::SYNC_OPTIONS;
use api::v1alpha1::ManagedNamespaceMetadata;
use object::Object;
use serde_json::json;

/// What is to be done about the destination's namespace.
pub(crate) enum NamespaceTask {
    /// Nothing.
    None,
    /// Apply this.
    Apply { target: Object, live: Option<Object> },
    /// It could not be looked at.
    Failed { target: Object, message: String },
}

/// The namespace is made when it is not there, and kept as described when the application manages its metadata.
pub(crate) fn namespace_task(
    name: &str,
    fact: &NamespaceFact,
    managed: Option<&ManagedNamespaceMetadata>,
) -> NamespaceTask {
    // The empty parts are in what the annotation remembers of a namespace that the original made.
    let mut target = match Object::from_value(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}, "spec": {}, "status": {}
    })) {
        Ok(target) => target,
        Err(error) => unreachable!("a namespace names its kind: {error}"),
    };
    if let Some(metadata) = managed {
        for (label, value) in &metadata.labels {
            target.set_label(label, value);
        }
        for (annotation, value) in &metadata.annotations {
            target.set_annotation(annotation, value);
        }
        // Server-side, so that labels and annotations others put on the namespace stay.
        target.set_annotation(SYNC_OPTIONS, "ServerSideApply=true");
    }
    match fact {
        NamespaceFact::Missing => NamespaceTask::Apply { target, live: None },
        NamespaceFact::Live(live) if managed.is_some() => {
            NamespaceTask::Apply { target, live: Some((**live).clone()) }
        }
        NamespaceFact::Live(_) | NamespaceFact::NotAsked => NamespaceTask::None,
        NamespaceFact::Unreadable(message) => {
            NamespaceTask::Failed { target, message: format!("namespace auto creation failed: {message}") }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_made_with_the_parts_that_the_original_gives_it() {
        let NamespaceTask::Apply { target, live: None } = namespace_task("gb", &NamespaceFact::Missing, None)
        else {
            panic!("a missing namespace is made");
        };
        let whole = json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gb"}, "spec": {}, "status": {}
        });
        assert_eq!(json!(target.0), whole);
    }
}
