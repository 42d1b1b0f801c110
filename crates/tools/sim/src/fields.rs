//! Fields of objects: defaults, merges, owners. Written apart from `diff` on purpose: the model must not share its
//! mistakes.

use crate::api_server::last_applied;
use object::{LAST_APPLIED_ANNOTATION, Object};
use serde_json::{Map, Value, json};

const MANAGER: &str = "argocd-controller";

/// What the API server fills in.
pub fn default(object: &mut Object) {
    if object.kind() != "Deployment" {
        return;
    }
    let Some(Value::Object(spec)) = object.0.get_mut("spec") else { return };
    spec.entry("revisionHistoryLimit").or_insert(json!(10));
    spec.entry("progressDeadlineSeconds").or_insert(json!(600));
    let strategy =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}});
    spec.entry("strategy").or_insert(strategy);
    let Some(pod) = spec.get_mut("template").and_then(|template| template.get_mut("spec")) else { return };
    if let Value::Object(pod) = pod {
        pod.entry("restartPolicy").or_insert("Always".into());
        pod.entry("dnsPolicy").or_insert("ClusterFirst".into());
        for container in pod.get_mut("containers").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(container) = container {
                container.entry("imagePullPolicy").or_insert("IfNotPresent".into());
            }
        }
    }
}

/// What is wanted of an object: all but metadata and status.
pub fn declared(object: &Object) -> Map<String, Value> {
    object
        .0
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "metadata" | "status"))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Sets or removes the list of finalizers.
pub fn set_finalizers(object: &mut Object, finalizers: Vec<Value>) {
    if finalizers.is_empty() {
        object.metadata_mut().remove("finalizers");
    } else {
        object.metadata_mut().insert("finalizers".into(), Value::Array(finalizers));
    }
}

/// The target with the record of itself that the next apply compares with.
pub fn with_last_applied(target: &Object) -> Object {
    let mut recorded = target.clone();
    let text = serde_json::to_string(&target.to_value()).unwrap_or_default();
    recorded.set_annotation(LAST_APPLIED_ANNOTATION, &text);
    recorded
}

/// The target with the record of whose fields they are.
pub fn with_owner(target: &Object) -> Object {
    let mut recorded = target.clone();
    let mut fields = Map::new();
    for (name, value) in &target.0 {
        match name.as_str() {
            "apiVersion" | "kind" => {}
            "metadata" => {
                let mut kept = value.clone();
                for own in ["name", "namespace", "generateName", "managedFields"] {
                    if let Value::Object(kept) = &mut kept {
                        kept.remove(own);
                    }
                }
                fields.insert("f:metadata".into(), owned(&kept));
            }
            _ => {
                fields.insert(format!("f:{name}"), owned(value));
            }
        }
    }
    let entry = json!([{
        "manager": MANAGER, "operation": "Apply", "apiVersion": target.api_version(),
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    }]);
    recorded.metadata_mut().insert("managedFields".into(), entry);
    recorded
}

fn owned(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (format!("f:{name}"), owned(value)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) if is_keyed(items) => items
            .iter()
            .map(|item| {
                let mut fields = match owned(item) {
                    Value::Object(fields) => fields,
                    _ => Map::new(),
                };
                fields.insert(".".into(), json!({}));
                (format!("k:{}", json!({"name": item["name"]})), Value::Object(fields))
            })
            .collect::<Map<_, _>>()
            .into(),
        _ => json!({}),
    }
}

fn is_keyed(items: &[Value]) -> bool {
    !items.is_empty() && items.iter().all(|item| item.get("name").is_some_and(Value::is_string))
}

/// What kubectl makes of a live object: what was applied before and is said no longer goes, what is said comes.
pub fn three_way(target: &Object, live: &Object) -> Object {
    let mut wanted = live.to_value();
    if let Some(before) = last_applied(live) {
        remove_left_out(&mut wanted, &before, &target.to_value());
    }
    merge(&mut wanted, &target.to_value());
    object(wanted)
}

/// What the server makes of an apply: what our manager owned and says no longer goes, what it says comes.
pub fn server_side(target: &Object, live: &Object) -> Object {
    let mut wanted = live.to_value();
    let before =
        live.at(&["metadata"]).and_then(|metadata| metadata.get("managedFields")?.get(0)?.get("fieldsV1"));
    if let Some(before) = before {
        remove_disowned(&mut wanted, before, &target.to_value());
    }
    merge(&mut wanted, &target.to_value());
    object(wanted)
}

fn object(value: Value) -> Object {
    match Object::from_value(value) {
        Ok(object) => object,
        Err(error) => unreachable!("a merged object names its kind: {error}"),
    }
}

fn remove_left_out(live: &mut Value, before: &Value, target: &Value) {
    let (Value::Object(live), Value::Object(before)) = (live, before) else { return };
    for (name, before) in before {
        match target.get(name) {
            None => {
                live.remove(name);
            }
            Some(target) => {
                if let Some(live) = live.get_mut(name) {
                    remove_left_out(live, before, target);
                }
            }
        }
    }
}

fn remove_disowned(live: &mut Value, before: &Value, target: &Value) {
    let (Value::Object(live), Value::Object(before)) = (live, before) else { return };
    for (field, before) in before {
        let Some(name) = field.strip_prefix("f:") else { continue };
        match target.get(name) {
            None => {
                live.remove(name);
            }
            Some(target) => {
                if let Some(live) = live.get_mut(name) {
                    remove_disowned(live, before, target);
                }
            }
        }
    }
}

/// Puts what a target says over what is there; elements with a name are merged by it.
fn merge(live: &mut Value, target: &Value) {
    match (live, target) {
        (Value::Object(live), Value::Object(target)) => {
            for (name, new) in target {
                match live.get_mut(name) {
                    Some(old) => merge(old, new),
                    None => {
                        live.insert(name.clone(), new.clone());
                    }
                }
            }
        }
        (Value::Array(live), Value::Array(target)) if is_keyed(live) && is_keyed(target) => {
            for new in target {
                match live.iter_mut().find(|old| old["name"] == new["name"]) {
                    Some(old) => merge(old, new),
                    None => live.push(new.clone()),
                }
            }
        }
        (live, target) => *live = target.clone(),
    }
}

/// The independent check: whether a live object says all that a manifest says, and nothing of `gone`, what an
/// earlier version of the manifest said and this one does not.
pub fn says(live: &Value, manifest: &Value) -> bool {
    match (live, manifest) {
        (Value::Object(live), Value::Object(manifest)) => {
            manifest.iter().all(|(name, wanted)| live.get(name).is_some_and(|found| says(found, wanted)))
        }
        (Value::Array(live), Value::Array(manifest)) => {
            live.len() == manifest.len()
                && live.iter().zip(manifest).all(|(live, manifest)| says(live, manifest))
        }
        (live, manifest) => live == manifest,
    }
}
