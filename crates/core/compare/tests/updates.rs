//! Which updates of live objects are worth a look.

use compare::update_rules;
use object::Object;
use serde_json::{Value, json};
use settings::Customizations;

fn differs(settings: Value, before: Value, after: Value) -> bool {
    let data = serde_json::from_value(settings).expect("settings");
    let rules = update_rules(&Customizations::parse(&data).0).expect("valid rules");
    let object = |annotations: Value| {
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "annotations": annotations}});
        Object::from_value(object).expect("an object")
    };
    let rest = |object: Object| rules.without_ignored(&object).unwrap_or(object);
    rest(object(before)) != rest(object(after))
}

#[test]
fn an_ignored_update_is_none_where_rules_are_on() {
    let key = "resource.customizations.ignoreResourceUpdates.ConfigMap";
    let rule = "jsonPointers: [/metadata/annotations/beat]";
    let beat = |at: i64| json!({"beat": at.to_string(), "other": "o"});
    assert!(!differs(json!({key: rule}), beat(1), beat(2)));
    assert!(differs(json!({key: rule}), beat(1), json!({"beat": "1", "other": "p"})));
    assert!(differs(json!({}), beat(1), beat(2)));
    let off = json!({key: rule, "resource.ignoreResourceUpdatesEnabled": "false"});
    assert!(differs(off, beat(1), beat(2)));
    let other = "resource.customizations.ignoreResourceUpdates.apps_Deployment";
    assert!(differs(json!({other: rule}), beat(1), beat(2)));
}

#[test]
fn what_is_no_difference_is_no_update_unless_users_say_so() {
    let key = "resource.customizations.ignoreDifferences.ConfigMap";
    let rule = "jsonPointers: [/metadata/annotations/beat]";
    let beat = |at: i64| json!({"beat": at.to_string()});
    assert!(!differs(json!({key: rule}), beat(1), beat(2)));
    let off = json!({key: rule, "resource.compareoptions": "ignoreDifferencesOnResourceUpdates: false"});
    assert!(differs(off, beat(1), beat(2)));
}
