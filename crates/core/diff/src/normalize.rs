//! Bringing both sides to one form before they are compared.

use crate::rules::OwnRules;
use crate::schema;
use crate::typed::{Absent, Passage, Unknown};
use crate::{DiffError, DiffOptions};
use object::tracking::TRACKING_ANNOTATION;
use object::{LAST_APPLIED_ANNOTATION, Object, TrackingMethod, is_crd, normalize_secret};
use serde_json::{Map, Value};

/// Lets an object pass through its Go type, which drops empty fields and spells quantities and times in one
/// way. One with unknown or ill-typed fields stays as it is: it is for the API server to refuse it.
pub(crate) fn remarshal(object: Object) -> Object {
    let gvk = object.gvk();
    let Some(kind) = schema::kind(&gvk.group, &gvk.version, &gvk.kind) else { return object };
    let passage = Passage { unknown: Unknown::Refused, absent: Absent::Left };
    passage.members(kind.root, &object.0).map_or(object, Object)
}

/// The forms of single kinds, the users' rules, and those of the target.
pub(crate) fn normalize(object: &mut Object, options: &DiffOptions, own: &OwnRules) -> Result<(), DiffError> {
    if let Some(Value::Object(metadata)) = object.0.get_mut("metadata") {
        // Exported objects have it as null.
        metadata.remove("creationTimestamp");
    }
    match (object.group(), object.kind()) {
        ("", "Secret") => normalize_secret(object),
        ("rbac.authorization.k8s.io", "Role" | "ClusterRole") => {
            normalize_role(object, options.ignore_aggregated_roles);
        }
        ("", "Endpoints") => normalize_endpoints(object),
        _ => {}
    }
    options.rules.normalize(object, own)
}

/// Rules that are an empty list, or that aggregation fills in, become null.
fn normalize_role(object: &mut Object, ignore_aggregated: bool) {
    let aggregated = object.0.get("aggregationRule").is_some_and(Value::is_object);
    let empty = object.0.get("rules").and_then(Value::as_array).is_some_and(Vec::is_empty);
    if (ignore_aggregated && aggregated) || empty {
        object.0.insert("rules".into(), Value::Null);
    }
}

/// Endpoints in the form of their type, their lists sorted: the order says nothing.
fn normalize_endpoints(object: &mut Object) {
    let passage = Passage { unknown: Unknown::Dropped, absent: Absent::Written };
    let Ok(mut members) = passage.members("core/v1.Endpoints", &object.0) else { return };
    if let Some(Value::Array(subsets)) = members.get_mut("subsets") {
        for subset in subsets.iter_mut().filter_map(Value::as_object_mut) {
            for port in subset.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
                if let Some(port) = port.as_object_mut() {
                    port.entry("protocol").or_insert_with(|| "TCP".into());
                }
            }
            for list in ["addresses", "notReadyAddresses", "ports"] {
                if let Some(Value::Array(items)) = subset.get_mut(list) {
                    items.sort_by_cached_key(object::to_go_json);
                }
            }
        }
        subsets.sort_by_cached_key(object::to_go_json);
    }
    object.0 = members;
}

/// What kubectl or an earlier sync applied last, where the live object remembers it and it can be read.
pub(crate) fn last_applied(live: &Object) -> Option<Object> {
    let value: Value = serde_json::from_str(live.annotation(LAST_APPLIED_ANNOTATION)?).ok()?;
    Object::from_value(value).ok()
}

/// Levels marks of another tracking method, so that changing the method alone changes nothing: a live object
/// with a tracking label gets the target's annotation if it has none, and loses the label if the target has none. An
/// annotation that is there stays: charts write such labels themselves, and a mark that names another application, or another
/// object, is a difference that a sync mends.
pub(crate) fn level_tracking(target: &Object, live: &mut Object, options: &DiffOptions) {
    let by_annotation = matches!(
        options.tracking_method,
        Some(TrackingMethod::Annotation | TrackingMethod::AnnotationAndLabel)
    );
    let label = &options.tracking_label;
    if !by_annotation
        || live.label(label).is_none_or(str::is_empty)
        || is_crd(live)
        || !texts(live)
        || !texts(target)
    {
        return;
    }
    if live.annotation(TRACKING_ANNOTATION).is_none_or(str::is_empty) {
        live.set_annotation(TRACKING_ANNOTATION, target.annotation(TRACKING_ANNOTATION).unwrap_or_default());
    }
    if target.label(label).is_none_or(str::is_empty) {
        live.remove_label(label);
    }
}

/// Whether labels and annotations hold nothing but texts.
fn texts(object: &Object) -> bool {
    let all = |field: &str| {
        object
            .metadata()
            .and_then(|metadata| metadata.get(field))
            .and_then(Value::as_object)
            .is_none_or(only_texts)
    };
    all("labels") && all("annotations")
}

fn only_texts(members: &Map<String, Value>) -> bool {
    members.values().all(Value::is_string)
}

/// Whether the target's own sync options ask for server-side apply.
pub(crate) fn applies_on_server(target: &Object) -> bool {
    let options = target.annotation("argocd.argoproj.io/sync-options").unwrap_or_default();
    options.split(',').any(|option| option.trim() == "ServerSideApply=true")
}
