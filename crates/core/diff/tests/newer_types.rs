//! Fields of built-in kinds that a cluster knows and we do not yet: they are compared as they are.

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

fn modified(target: Value, live: Value) -> Result<bool, String> {
    let options = DiffOptions { structured_merge: true, ..DiffOptions::default() };
    let found = diff(Some(&deployment(target)), Some(&deployment(live)), &options);
    found.map(|found| found.modified).map_err(|error| error.to_string())
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
