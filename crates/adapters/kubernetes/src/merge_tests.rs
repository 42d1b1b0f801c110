//! The three-way merge: what each side may change, and that a merge patch says exactly the difference.

use super::{Object, Value, apply_merge_patch, merge_patch, three_way};
use proptest::prelude::*;
use serde_json::json;

fn deployment(spec: impl Into<Value>) -> Object {
    Object::from_value(json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": spec.into()})).unwrap()
}

fn merged(original: Value, modified: Value, live: Value) -> Value {
    three_way(Some(&deployment(original)), &deployment(modified), &deployment(live)).0["spec"].clone()
}

fn containers(list: impl Into<Value>) -> Value {
    json!({"template": {"spec": {"containers": list.into()}}})
}

#[test]
fn a_member_no_longer_asked_for_goes_and_defaults_stay() {
    let result = merged(
        json!({"replicas": 2, "paused": true}),
        json!({"replicas": 3}),
        json!({"replicas": 2, "paused": true, "progressDeadlineSeconds": 600}),
    );
    assert_eq!(result, json!({"replicas": 3, "progressDeadlineSeconds": 600}));
}

#[test]
fn a_sidecar_others_added_stays_and_one_we_dropped_goes() {
    let result = merged(
        containers(json!([{"name": "old"}, {"name": "web", "image": "web:1"}])),
        containers(json!([{"name": "web", "image": "web:2"}])),
        containers(json!([
            {"name": "old"},
            {"name": "web", "image": "web:1", "imagePullPolicy": "Always"},
            {"name": "mesh", "image": "mesh:1"},
        ])),
    );
    assert_eq!(
        result,
        containers(json!([
            {"name": "web", "image": "web:2", "imagePullPolicy": "Always"},
            {"name": "mesh", "image": "mesh:1"},
        ]))
    );
}

#[test]
fn ports_of_one_number_and_two_protocols_are_two() {
    let ports = json!([{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53}]);
    let live = json!([{"containerPort": 53, "protocol": "UDP"}, {"containerPort": 53, "protocol": "TCP"}]);
    let wrap = |ports: &Value| containers(json!([{"name": "dns", "ports": ports}]));
    assert_eq!(merged(wrap(&ports), wrap(&ports), wrap(&live)), wrap(&live));
}

#[test]
fn changing_the_strategy_drops_the_default_of_the_other() {
    let result = merged(
        json!({}),
        json!({"strategy": {"type": "Recreate"}}),
        json!({"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%"}}}),
    );
    assert_eq!(result, json!({"strategy": {"type": "Recreate"}}));
}

#[test]
fn a_volume_changes_its_source() {
    let volumes = |source: Value| json!({"template": {"spec": {"volumes": [source]}}});
    let result = merged(
        json!({}),
        volumes(json!({"name": "v", "configMap": {"name": "c"}})),
        volumes(json!({"name": "v", "emptyDir": {}})),
    );
    assert_eq!(result, volumes(json!({"name": "v", "configMap": {"name": "c"}})));
}

#[test]
fn a_keyed_list_left_out_goes_whole_as_kubectl_has_it() {
    let result = merged(
        containers(json!([{"name": "web", "env": [{"name": "A", "value": "1"}]}])),
        containers(json!([{"name": "web"}])),
        containers(
            json!([{"name": "web", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]),
        ),
    );
    assert_eq!(result, containers(json!([{"name": "web"}])));
}

#[test]
fn finalizers_are_a_set() {
    let object = |finalizers: Value| {
        Object::from_value(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"finalizers": finalizers}}),
        )
        .unwrap()
    };
    let result = three_way(
        Some(&object(json!(["a", "b"]))),
        &object(json!(["b", "c"])),
        &object(json!(["x", "a", "b"])),
    );
    assert_eq!(result.0["metadata"]["finalizers"], json!(["x", "b", "c"]));
}

#[test]
fn lists_of_custom_kinds_are_replaced() {
    let object = |list: Value| {
        Object::from_value(json!({"apiVersion": "example.com/v1", "kind": "Deployment",
            "spec": {"template": {"spec": {"containers": list}}}}))
        .unwrap()
    };
    let result = three_way(
        None,
        &object(json!([{"name": "a"}])),
        &object(json!([{"name": "a", "x": 1}, {"name": "b"}])),
    );
    assert_eq!(result, object(json!([{"name": "a"}])));
}

#[test]
fn null_asks_for_absence() {
    assert_eq!(merged(json!({}), json!({"paused": null}), json!({"paused": true})), json!({}));
}

fn tree() -> impl proptest::strategy::Strategy<Value = Value> {
    let leaf = prop_oneof![any::<bool>().prop_map(Value::from), (0..3i64).prop_map(Value::from)];
    leaf.prop_recursive(3, 20, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[abc]", inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn a_merge_patch_leads_from_one_value_to_the_other(from in tree(), to in tree()) {
        let mut patched = from.clone();
        match merge_patch(&from, &to) {
            None => prop_assert_eq!(&from, &to),
            Some(patch) => {
                apply_merge_patch(&mut patched, &patch);
                prop_assert_eq!(&patched, &to);
            }
        }
    }

    #[test]
    fn applying_what_is_live_changes_nothing(spec in tree()) {
        let object = deployment(spec);
        prop_assert_eq!(three_way(Some(&object), &object, &object), object);
    }
}
