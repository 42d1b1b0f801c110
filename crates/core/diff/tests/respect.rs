//! `RespectIgnoreDifferences`: what is ignored stays as it is live, all else becomes what the target says.

use diff::{DiffOptions, IgnoreDifference, Rules, diff, respecting_ignored};
use object::Object;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

fn options(ignore: Value) -> DiffOptions {
    let ignore: IgnoreDifference = serde_json::from_value(ignore).expect("a rule");
    let rules = Rules::compile(&[ignore], &BTreeMap::new()).expect("a valid rule");
    DiffOptions { rules: Arc::new(rules), ..DiffOptions::default() }
}

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

fn deployment(replicas: Value, images: [&str; 2]) -> Object {
    let containers: Vec<Value> = images
        .iter()
        .enumerate()
        .map(|(at, image)| json!({"name": format!("c{at}"), "image": image}))
        .collect();
    let mut spec = json!({"template": {"spec": {"containers": containers}}});
    if !replicas.is_null() {
        spec["replicas"] = replicas;
    }
    object(json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": spec}))
}

#[test]
fn an_ignored_field_is_the_live_one() {
    let options = options(json!({"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}));
    let (target, live) = (deployment(json!(1), ["a", "b"]), deployment(json!(5), ["old", "b"]));
    let wanted = respecting_ignored(&target, &live, &options).expect("respected");
    assert_eq!(wanted, deployment(json!(5), ["a", "b"]));
    // What is synced so is in sync.
    assert!(!diff(Some(&target), Some(&wanted), &options).expect("compared").modified);
}

#[test]
fn an_ignored_field_of_a_list_element_is_the_live_one() {
    let options = options(json!({"group": "apps", "kind": "Deployment",
        "jqPathExpressions": [".spec.template.spec.containers[] | select(.name == \"c1\") | .image"]}));
    let (target, live) = (deployment(json!(1), ["a", "b"]), deployment(json!(5), ["old", "injected"]));
    let wanted = respecting_ignored(&target, &live, &options).expect("respected");
    assert_eq!(wanted, deployment(json!(1), ["a", "injected"]));
}

#[test]
fn what_is_ignored_and_not_live_is_not_written() {
    let options = options(json!({"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}));
    let (target, live) = (deployment(json!(1), ["a", "b"]), deployment(Value::Null, ["a", "b"]));
    let wanted = respecting_ignored(&target, &live, &options).expect("respected");
    assert_eq!(wanted, deployment(Value::Null, ["a", "b"]));
}

#[test]
fn kinds_nobody_knows_are_respected_too() {
    let options = options(json!({"group": "example.com", "kind": "Widget", "jsonPointers": ["/spec/size"]}));
    let widget = |size: i64, colour: &str| {
        object(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "x"},
            "spec": {"size": size, "colour": colour}}))
    };
    let wanted = respecting_ignored(&widget(1, "red"), &widget(9, "blue"), &options).expect("respected");
    assert_eq!(wanted, widget(9, "red"));
}

#[test]
fn a_trusted_managers_field_is_the_live_one() {
    let options =
        options(json!({"group": "apps", "kind": "Deployment", "managedFieldsManagers": ["autoscaler"]}));
    let mut live = deployment(json!(5), ["old", "b"]);
    live.metadata_mut().insert(
        "managedFields".into(),
        json!([{"manager": "autoscaler", "operation": "Update",
        "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}}]),
    );
    let wanted = respecting_ignored(&deployment(json!(1), ["a", "b"]), &live, &options).expect("respected");
    assert_eq!(wanted, deployment(json!(5), ["a", "b"]));
}

#[test]
fn without_rules_the_target_is_as_it_was() {
    let (target, live) = (deployment(json!(1), ["a", "b"]), deployment(json!(5), ["old", "b"]));
    assert_eq!(respecting_ignored(&target, &live, &DiffOptions::default()).expect("respected"), target);
}

#[test]
fn a_map_that_is_patched_whole_keeps_what_the_target_says_of_the_rest() {
    let options = options(json!({"group": "policy", "kind": "PodDisruptionBudget",
        "jsonPointers": ["/spec/selector/matchLabels/injected"]}));
    let budget = |labels: Value| {
        object(json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "x"},
            "spec": {"minAvailable": 1, "selector": {"matchLabels": labels}}}))
    };
    let target = budget(json!({"app": "new", "tier": "web"}));
    let live = budget(json!({"app": "old", "gone": "yes", "injected": "by-a-webhook"}));
    let wanted = respecting_ignored(&target, &live, &options).expect("respected");
    assert_eq!(wanted, budget(json!({"app": "new", "tier": "web", "injected": "by-a-webhook"})));
}

#[test]
fn the_live_status_is_not_applied() {
    let options = options(json!({"group": "*", "kind": "*", "jsonPointers": ["/status", "/spec/size"]}));
    let widget = |size: i64, status: &str| {
        object(json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "x"},
            "spec": {"size": size}, "status": {"phase": status}}))
    };
    let mut wanted = widget(9, "");
    wanted.0.remove("status");
    let respected = respecting_ignored(&widget(1, "declared"), &widget(9, "Running"), &options);
    assert_eq!(respected.expect("respected"), wanted);
}

#[test]
fn what_a_target_asks_to_be_ignored_of_itself_is_the_live_one_and_no_difference() {
    let asking = |value: &str, replicas: i64| {
        let mut target = deployment(json!(replicas), ["a", "b"]);
        target.set_annotation("argocd.argoproj.io/ignore-differences", value);
        target
    };
    let options = DiffOptions::default();
    let check = |asked: &str, ignored: bool| {
        let (target, live) = (asking(asked, 1), asking(asked, 5));
        let found = diff(Some(&target), Some(&live), &options).expect("compared");
        assert_eq!(found.modified, !ignored, "{asked}");
        let wanted = respecting_ignored(&target, &live, &options).expect("respected");
        assert_eq!(wanted, asking(asked, if ignored { 5 } else { 1 }), "{asked}");
        let predicted = diff::diff_predicted(&target, &live, &target, true, &options).expect("compared");
        assert_eq!(predicted.modified, !ignored, "{asked}");
    };
    check("jsonPointers:\n- /spec/replicas\n", true);
    check("{jsonPointers: [/spec/paused]}", false);
    check("jsonPointers: /spec/replicas", false);
    check("- /spec/replicas", false);
    check("jsonPointers: [1, /spec/replicas]", false);
    check("{", false);
    // Only the target may ask: what somebody wrote on the live object hides nothing.
    let live = asking("jsonPointers: [/spec/replicas]", 5);
    let found = diff(Some(&deployment(json!(1), ["a", "b"])), Some(&live), &options).expect("compared");
    assert!(found.modified);
}
