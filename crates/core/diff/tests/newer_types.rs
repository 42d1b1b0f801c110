//! Fields of built-in kinds that a cluster knows and we do not yet: they are compared as they are. The original fails where a
//! list or a map among them differs, so that these are no recorded cases.

use diff::{DiffOptions, diff};
use object::Object;
use serde_json::{Value, json};

fn deployment(fields: Value) -> Object {
    let mut spec = json!({"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}});
    if let (Value::Object(spec), Value::Object(fields)) = (&mut spec, fields) {
        spec.extend(fields);
    }
    let object =
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec});
    Object::from_value(object).expect("an object")
}

/// Whether an apply changes something: one on the server, or one worked out here.
fn compared(structured_merge: bool, target: &Object, live: &Object) -> Result<bool, String> {
    let options = DiffOptions { structured_merge, ..DiffOptions::default() };
    let found = diff(Some(target), Some(live), &options);
    found.map(|found| found.modified).map_err(|error| error.to_string())
}

fn modified(target: Value, live: Value) -> Result<bool, String> {
    compared(true, &deployment(target), &deployment(live))
}

fn modified_here(target: Value, live: Value) -> Result<bool, String> {
    compared(false, &deployment(target), &deployment(live))
}

#[test]
fn a_newer_field_that_is_live_stands_in_nobodys_way() {
    assert_eq!(modified(json!({}), json!({"newer": {"a": 1}})), Ok(false));
    assert_eq!(modified(json!({"replicas": 2}), json!({"newer": {"a": 1}})), Ok(true));
}

#[test]
fn a_newer_field_is_compared() {
    assert_eq!(modified(json!({"newer": {"a": 1}}), json!({"newer": {"a": 1, "b": 2}})), Ok(false));
    assert_eq!(modified(json!({"newer": {"a": 1}}), json!({"newer": {"a": 2}})), Ok(true));
    assert_eq!(modified(json!({"newer": [1, 2]}), json!({"newer": [1]})), Ok(true));
}

#[test]
fn a_field_that_nobody_knows_is_named() {
    let error = modified(json!({"bogus": 1}), json!({})).expect_err("not known");
    assert!(error.contains(".spec.bogus: field not declared in schema"), "{error}");
}

#[test]
fn a_newer_list_is_one_value_for_an_apply_from_here() {
    let list = |values: Value| json!({"newer": values});
    assert_eq!(modified_here(list(json!([1, 2])), list(json!([1, 2]))), Ok(false));
    for (name, target, live) in [
        ("another element", json!([1, 3]), json!([1, 2])),
        ("less", json!([1]), json!([1, 2])),
        ("more", json!([1, 2]), json!([1])),
        ("another order", json!([2, 1]), json!([1, 2])),
        ("nothing", json!([]), json!([1])),
        ("another value in an element", json!([{"name": "a", "x": 1}]), json!([{"name": "a", "x": 2}])),
        ("lists of lists", json!([[1]]), json!([[2]])),
        ("mixed elements", json!([1, "a"]), json!([1, "b"])),
        ("another type", json!({"a": 1}), json!([1])),
    ] {
        assert_eq!(modified_here(list(target), list(live)), Ok(true), "{name}");
    }
    assert_eq!(modified_here(list(json!([1])), json!({})), Ok(true), "not there yet");
}

#[test]
fn a_newer_map_is_merged_for_an_apply_from_here() {
    let map = |members: Value| json!({"newer": members});
    let live = map(json!({"a": 1, "b": {"c": [1], "defaulted": true}}));
    assert_eq!(modified_here(map(json!({"b": {"c": [1]}})), live.clone()), Ok(false));
    assert_eq!(modified_here(map(json!({"a": 2})), live.clone()), Ok(true));
    assert_eq!(modified_here(map(json!({"b": {"c": [1, 2]}})), live.clone()), Ok(true));
    assert_eq!(modified_here(json!({"replicas": 2}), live), Ok(true), "what else differs is seen");
}

#[test]
fn what_was_applied_of_a_newer_field_and_is_declared_no_more_is_a_difference() {
    let applied = deployment(json!({"newer": {"a": [1], "b": [2]}}));
    let mut live = applied.clone();
    live.set_annotation(object::LAST_APPLIED_ANNOTATION, &object::object_to_go_json(&applied.0));
    assert_eq!(compared(false, &applied, &live), Ok(false));
    assert_eq!(compared(false, &deployment(json!({"newer": {"a": [1]}})), &live), Ok(true));
    assert_eq!(compared(false, &deployment(json!({"newer": {"a": [3], "b": [2]}})), &live), Ok(true));
    assert_eq!(compared(false, &deployment(json!({})), &live), Ok(true));
}
