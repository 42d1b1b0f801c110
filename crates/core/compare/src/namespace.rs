//! The destination's namespace, where the application keeps labels and annotations on it.

use crate::facts::Facts;
use api::names::SYNC_OPTIONS;
use api::v1alpha1::ManagedNamespaceMetadata;
use object::Object;

/// Whether an object is the destination's namespace, and the application keeps its metadata.
pub(crate) fn is_managed_namespace(object: &Object, facts: &Facts<'_>) -> bool {
    object.group().is_empty()
        && object.kind() == "Namespace"
        && object.name() == facts.namespace()
        && metadata(facts).is_some()
}

/// A target for it, so that a namespace somebody put a mark on is not taken for one to prune.
pub(crate) fn namespace_target(name: &str, facts: &Facts<'_>) -> Object {
    let mut target = Object::default();
    target.0.insert("apiVersion".into(), "v1".into());
    target.0.insert("kind".into(), "Namespace".into());
    target.set_name(name);
    if let Some(metadata) = metadata(facts) {
        for (label, value) in &metadata.labels {
            target.set_label(label, value);
        }
        for (annotation, value) in &metadata.annotations {
            target.set_annotation(annotation, value);
        }
    }
    target.set_annotation(SYNC_OPTIONS, "ServerSideApply=true");
    target
}

/// Whether the metadata was changed since the last sync wrote it.
pub(crate) fn has_changed_metadata(facts: &Facts<'_>) -> bool {
    let Some(wanted) = metadata(facts) else { return false };
    let state = facts.application.status.operation_state.as_ref();
    let result = state.and_then(|state| state.sync_result.as_ref());
    result.is_some_and(|result| result.managed_namespace_metadata.as_ref() != Some(wanted))
}

fn metadata<'a>(facts: &'a Facts<'_>) -> Option<&'a ManagedNamespaceMetadata> {
    facts.application.spec.sync_policy.as_ref()?.managed_namespace_metadata.as_ref()
}
