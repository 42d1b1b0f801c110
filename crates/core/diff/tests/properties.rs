//! The two promises: a change of anything declared is seen, and an object that was applied and read back is not
//! changed. A wrong "Synced" is the worst bug there is.

use diff::{DiffOptions, IgnoreDifference, Rules, diff};
use object::{LAST_APPLIED_ANNOTATION, Object, object_to_go_json, yaml};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Targets of many kinds: what helm and kustomize wrote for real charts.
const DOCUMENTS: &str = include_str!("../../object/cases/yaml/documents.yaml");

fn targets() -> Vec<Object> {
    let limits = yaml::Limits::default();
    let documents = yaml::decode_documents(DOCUMENTS.as_bytes(), &limits).expect("the documents can be read");
    let objects: Vec<Object> =
        documents.into_iter().filter_map(|document| Object::from_value(document.value).ok()).collect();
    assert!(objects.len() > 50);
    objects
}

/// As a server that keeps what it was given, and adds what servers add, has the object.
fn applied(target: &Object, remembers: bool) -> Object {
    let mut live = target.clone();
    if remembers {
        let last = object_to_go_json(&target.0);
        live.set_annotation(LAST_APPLIED_ANNOTATION, &format!("{last}\n"));
    }
    let metadata = live.metadata_mut();
    metadata.insert("uid".into(), "1".into());
    metadata.insert("resourceVersion".into(), "7".into());
    metadata.insert("generation".into(), 1.into());
    metadata.insert("creationTimestamp".into(), "2024-01-01T00:00:00Z".into());
    metadata.insert("managedFields".into(), json!([{"manager": "argocd-controller", "operation": "Update"}]));
    // The form the API server gives it: defaults filled in, empty fields gone.
    let read =
        diff(Some(&live), Some(&live), &DiffOptions::default()).expect("an object compares with itself");
    let mut live = read.normalized_live.expect("it is there");
    live.metadata_mut().insert("creationTimestamp".into(), "2024-01-01T00:00:00Z".into());
    live
}

#[test]
fn what_was_applied_and_read_back_is_not_modified() {
    let mut wrong = Vec::new();
    for target in targets() {
        for remembers in [true, false] {
            let live = applied(&target, remembers);
            let found = diff(Some(&target), Some(&live), &DiffOptions::default()).unwrap();
            if found.modified {
                wrong.push(format!(
                    "{} {remembers}\n{}\n{}",
                    target.key(),
                    found.normalized_live_state(),
                    found.predicted_live_state()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Paths of all leaves.
fn leaves(value: &Value, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(members) if !members.is_empty() => members.iter().for_each(|(name, value)| {
            path.push(name.clone());
            leaves(value, path, found);
            path.pop();
        }),
        Value::Array(items) if !items.is_empty() => items.iter().enumerate().for_each(|(at, value)| {
            path.push(at.to_string());
            leaves(value, path, found);
            path.pop();
        }),
        _ => found.push(path.clone()),
    }
}

fn at_mut<'a>(value: &'a mut Value, path: &[String]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match value {
        Value::Object(members) => members.get_mut(step),
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Another value of the same type.
fn changed(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Bool(flag) => Value::Bool(!flag),
        Value::Number(number) => Value::from(number.as_i64()? + 1),
        Value::String(text) if text.parse::<object::Quantity>().is_ok() => Value::from(format!("7{text}")),
        // Base64 that decodes to something else.
        Value::String(text) => Value::from(format!("eHh4{text}")),
        // An empty map or list says nothing that a type keeps.
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    })
}

/// Fields that name the object, or that the API server owns: a change is another object, or nobody's.
fn is_identity(path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        path.as_slice(),
        ["apiVersion" | "kind"]
            | ["metadata", "name" | "namespace" | "creationTimestamp"]
            // The namespace's own label is given by the API server.
            | ["metadata", "labels", "kubernetes.io/metadata.name"]
    )
}

#[test]
fn a_change_of_any_declared_field_is_seen() {
    let mut wrong = Vec::new();
    let mut tried = 0;
    for target in targets() {
        for remembers in [true, false] {
            let live = applied(&target, remembers);
            let mut paths = Vec::new();
            leaves(&target.to_value(), &mut Vec::new(), &mut paths);
            // Large objects are sampled: every leaf of every chart would take minutes.
            let step = paths.len() / 60 + 1;
            for path in paths.into_iter().step_by(step).filter(|path| !is_identity(path)) {
                let mut value = target.to_value();
                let Some(leaf) = at_mut(&mut value, &path) else { continue };
                let Some(other) = changed(leaf) else { continue };
                *leaf = other;
                let changed = Object::from_value(value).unwrap();
                tried += 1;
                // What cannot be compared is unknown, which is no "Synced".
                for structured_merge in [false, true] {
                    let options = DiffOptions { structured_merge, ..DiffOptions::default() };
                    let modified = diff(Some(&changed), Some(&live), &options).map_or(true, |it| it.modified);
                    if !modified {
                        wrong.push(format!(
                            "{} {} {remembers} {structured_merge}",
                            target.key(),
                            path.join(".")
                        ));
                    }
                }
            }
        }
    }
    assert!(tried > 1000, "{tried}");
    assert!(wrong.is_empty(), "{} of {tried} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn ignored_fields_are_not_seen_and_others_are() {
    let ignore = IgnoreDifference {
        group: "apps".into(),
        kind: "*".into(),
        json_pointers: vec!["/spec/replicas".into()],
        jq_path_expressions: vec![
            ".spec.template.spec.containers[] | select(.name == \"a\") | .image".into(),
        ],
        ..IgnoreDifference::default()
    };
    let rules = Rules::compile(&[ignore], &BTreeMap::new()).unwrap();
    let options = DiffOptions { rules: Arc::new(rules), ..DiffOptions::default() };
    let deployment = |replicas: i64, a: &str, b: &str| {
        Object::from_value(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {
            "replicas": replicas, "selector": {}, "template": {"spec": {"containers": [
                {"name": "a", "image": a}, {"name": "b", "image": b}]}}}}),
        )
        .unwrap()
    };
    let modified =
        |target: &Object, live: &Object| diff(Some(target), Some(live), &options).unwrap().modified;
    assert!(!modified(&deployment(1, "a:1", "b:1"), &deployment(3, "a:2", "b:1")));
    assert!(modified(&deployment(1, "a:1", "b:1"), &deployment(1, "a:1", "b:2")));
}

#[test]
fn jq_paths_that_could_loop_or_look_outside_are_refused() {
    for expression in
        ["until(false; .)", "def f: f; f", "env.PATH", "$ENV.PATH", "recurse(.)", "input", "\"\\(env)\""]
    {
        let ignore = IgnoreDifference {
            group: "*".into(),
            kind: "*".into(),
            jq_path_expressions: vec![expression.into()],
            ..IgnoreDifference::default()
        };
        assert!(Rules::compile(&[ignore], &BTreeMap::new()).is_err(), "{expression}");
    }
    for expression in
        [".spec.env", ".spec.containers[].env[]?", "..|.image?", ".metadata.annotations[\"env\"]"]
    {
        let ignore =
            IgnoreDifference { jq_path_expressions: vec![expression.into()], ..IgnoreDifference::default() };
        assert!(Rules::compile(&[ignore], &BTreeMap::new()).is_ok(), "{expression}");
    }
}

#[test]
fn a_declared_false_is_not_the_same_as_true() {
    let pod = |read_only: Value, delay: Value, value: &str| {
        Object::from_value(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [
            {"name": "a", "image": "a", "env": [{"name": "E", "value": value}],
             "livenessProbe": {"initialDelaySeconds": delay, "timeoutSeconds": 0},
             "volumeMounts": [{"name": "v", "mountPath": "/v", "readOnly": read_only}]}]}}),
        )
        .unwrap()
    };
    let modified = |target: &Object, live: &Object| {
        diff(Some(target), Some(live), &DiffOptions::default()).unwrap().modified
    };
    let live = pod(true.into(), 5.into(), "x");
    assert!(!modified(&live, &live));
    assert!(modified(&pod(false.into(), 5.into(), "x"), &live));
    assert!(modified(&pod(true.into(), 0.into(), "x"), &live));
    assert!(modified(&pod(true.into(), 5.into(), ""), &live));
    let quiet = pod(Value::Null, Value::Null, "");
    assert!(!modified(&pod(false.into(), 0.into(), ""), &quiet));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..3).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    let names = prop_oneof![
        Just("name"),
        Just("containers"),
        Just("env"),
        Just("ports"),
        Just("labels"),
        Just("template"),
        Just("spec"),
        Just("metadata"),
        Just("$patch"),
        Just("$retainKeys"),
        Just("$setElementOrder/env"),
        Just("volumes"),
        Just("strategy"),
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(names.clone(), inner, 0..5).prop_map(|map| {
                Value::Object(map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn any_object() -> impl Strategy<Value = Object> {
    let kinds = prop_oneof![
        Just(("apps/v1", "Deployment")),
        Just(("v1", "Secret")),
        Just(("v1", "Endpoints")),
        Just(("x.io/v1", "Thing")),
        Just(("apps/v1", "StatefulSet")),
        Just(("rbac.authorization.k8s.io/v1", "ClusterRole")),
        Just(("v1", "Pod")),
    ];
    (kinds, any_value(), any_value(), any_value()).prop_map(|((api_version, kind), metadata, spec, data)| {
        let members = [
            ("apiVersion", api_version.into()),
            ("kind", kind.into()),
            ("metadata", metadata),
            ("spec", spec),
            ("data", data),
        ];
        Object(Map::from_iter(members.map(|(name, value): (&str, Value)| (name.to_owned(), value))))
    })
}

proptest! {
    #[test]
    fn any_two_objects_are_answered(target in any_object(), live in any_object(), structured_merge: bool) {
        let options = DiffOptions { structured_merge, ..DiffOptions::default() };
        let _ = diff(Some(&target), Some(&live), &options);
        let _ = diff(Some(&target), None, &options);
        let _ = diff(None, Some(&live), &options);
    }
}

/// Chart objects changed at random on each side, with the answers of gitops-engine (see `data/recorder`).
const RECORDED: &str = include_str!("../cases/recorded.jsonl");

#[test]
fn changed_chart_objects_compare_as_in_the_original() {
    let mut wrong = Vec::new();
    for (at, line) in RECORDED.lines().enumerate() {
        let case: Value = serde_json::from_str(line).unwrap();
        let side = |name: &str| Object(case[name].as_object().unwrap().clone());
        let found = diff(Some(&side("config")), Some(&side("live")), &DiffOptions::default()).unwrap();
        let found = json!({
            "modified": found.modified,
            "normalizedLive": found.normalized_live.map(Object::into_value),
            "predictedLive": found.predicted_live.map(Object::into_value),
        });
        for (name, value) in found.as_object().unwrap() {
            if case[name] != *value {
                wrong.push(format!("line {}: {name}\n{}\n{value}", at + 1, case[name]));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}
