//! Quantities, durations, JSON, tracking marks and masks.

use object::{
    AppInstance, GoDuration, Object, Quantity, Secret, Tracking, TrackingId, TrackingMethod, mask_secret,
    owner_application, set_tracking, to_go_json,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Recorded from k8s.io/apimachinery v0.36.3 (`ParseQuantity`, `MarshalJSON`) and Go 1.26 (`time`).
const GO_VALUES: &str = include_str!("../cases/go-values.tsv");

fn object(value: Value) -> Object {
    Object::from_value(value).expect("an object")
}

#[test]
fn quantities_and_durations_are_those_of_the_original() {
    let mut failures = Vec::new();
    for line in GO_VALUES.lines() {
        let mut fields = line.split('\t');
        let (kind, text, expected) = (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap());
        let found = match kind {
            "quantity" => text.parse::<Quantity>().map_or("error".into(), |quantity| quantity.to_string()),
            _ => text.parse::<GoDuration>().map_or_else(|error| error.to_string(), |value| value.to_string()),
        };
        if found != expected {
            failures.push(format!("{kind} {text}: expected {expected}, found {found}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn quantities_compare_by_value() {
    let quantity = |text: &str| text.parse::<Quantity>().unwrap();
    assert_eq!(quantity("1000m"), quantity("1"));
    assert_eq!(quantity("1Gi"), quantity("1024Mi"));
    assert!(quantity("999m") < quantity("1"));
    assert!(quantity("1G") < quantity("1Gi"));
    assert!(quantity("-1") < quantity("0"));
}

#[test]
fn json_is_gos() {
    let value = json!({"b": "<a&b>\u{2028}\u{7f}", "a": [1e21, 1e-7, 0.5, 1e20, 1.5e300, 10.0, -0.000001234], "é": null});
    let expected = "{\"a\":[1e+21,1e-7,0.5,100000000000000000000,1.5e+300,10,-0.000001234],\
                    \"b\":\"\\u003ca\\u0026b\\u003e\\u2028\u{7f}\",\"é\":null}";
    assert_eq!(to_go_json(&value), expected);
}

#[test]
fn secrets_do_not_print() {
    assert_eq!(format!("{:?}", Secret::new("hunter2")), "[redacted]");
}

fn deployment(namespace: &str) -> Object {
    object(
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": namespace}}),
    )
}

const ANNOTATE: Tracking<'_> = Tracking {
    method: TrackingMethod::Annotation,
    label_key: "app.kubernetes.io/instance",
    installation_id: "",
};

fn owner(object: &Object, tracking: Tracking<'_>) -> Option<String> {
    owner_application(object, tracking.method, tracking.label_key, tracking.installation_id)
        .map(|application| application.as_str().to_owned())
}

#[test]
fn a_mark_is_found_again() {
    let application = AppInstance::new("team", "shop", "argocd");
    assert_eq!(application.as_str(), "team_shop");
    assert_eq!(application.split("argocd"), ("team", "shop"));
    assert_eq!(AppInstance::new("argocd", "shop", "argocd").split("argocd"), ("argocd", "shop"));
    for method in [TrackingMethod::Annotation, TrackingMethod::Label, TrackingMethod::AnnotationAndLabel] {
        assert_eq!(TrackingMethod::from_setting(method.as_str()), method);
        let tracking = Tracking { method, installation_id: "one", ..ANNOTATE };
        let mut live = deployment("d");
        set_tracking(&mut live, &application, "other", tracking).unwrap();
        assert_eq!(owner(&live, tracking).as_deref(), Some("team_shop"));
    }
    let mut live = deployment("d");
    set_tracking(&mut live, &application, "other", ANNOTATE).unwrap();
    assert_eq!(live.annotation("argocd.argoproj.io/tracking-id"), Some("team_shop:apps/Deployment:d/web"));
}

#[test]
fn a_copied_or_foreign_mark_counts_for_nothing() {
    let application = AppInstance::new("", "shop", "argocd");
    let mut live = deployment("d");
    set_tracking(&mut live, &application, "", ANNOTATE).unwrap();
    let elsewhere = Tracking { installation_id: "two", ..ANNOTATE };
    assert_eq!(owner(&live, elsewhere), None);
    for change in [["name", "copy"], ["namespace", "copy"]] {
        let mut copy = live.clone();
        copy.metadata_mut().insert(change[0].into(), change[1].into());
        assert_eq!(owner(&copy, ANNOTATE), None);
    }
    let mut cluster_scoped =
        object(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}));
    set_tracking(&mut cluster_scoped, &application, "dest", ANNOTATE).unwrap();
    assert_eq!(cluster_scoped.annotation("argocd.argoproj.io/tracking-id"), Some("shop:/Namespace:dest/n"));
    assert_eq!(owner(&cluster_scoped, ANNOTATE).as_deref(), Some("shop"));
    for text in ["", "a", "a:b", "a:b/c", "a:b/c:d", "a:b/c/d:e/f", "a:b/c:d/e/f"] {
        assert!(text.parse::<TrackingId>().is_err(), "{text}");
    }
    assert_eq!("a:b/c:d/e:f".parse::<TrackingId>().unwrap().key.name, "e:f");
}

#[test]
fn labels_are_cut_and_crds_left_alone() {
    let long = format!("{}-{}", "a".repeat(62), "b".repeat(10));
    let tracking = Tracking { method: TrackingMethod::AnnotationAndLabel, ..ANNOTATE };
    let mut live = deployment("d");
    set_tracking(&mut live, &AppInstance::from_mark(&long), "", tracking).unwrap();
    assert_eq!(live.label("app.kubernetes.io/instance"), Some("a".repeat(62).as_str()));
    assert_eq!(owner(&live, tracking), Some(long.clone()));
    let tracking = Tracking { method: TrackingMethod::Label, ..ANNOTATE };
    set_tracking(&mut live, &AppInstance::from_mark(&long), "", tracking).unwrap();
    assert_eq!(live.label("app.kubernetes.io/instance"), Some(long.as_str()));
    let mut crd = object(
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"}}),
    );
    let before = crd.clone();
    set_tracking(&mut crd, &AppInstance::from_mark("a"), "", ANNOTATE).unwrap();
    assert_eq!(crd, before);
    let mut broken = deployment("d");
    broken.metadata_mut().insert("annotations".into(), json!({"a": 1}));
    let error = set_tracking(&mut broken, &AppInstance::from_mark("a"), "", ANNOTATE).unwrap_err();
    assert!(error.to_string().contains("contains non-string value in the map under key \"a\""), "{error}");
}

fn secret(members: &Value) -> Object {
    let mut value = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}});
    let members = members.as_object().expect("members").clone();
    value.as_object_mut().expect("an object").extend(members);
    object(value)
}

#[test]
fn masks_keep_differences_and_nothing_else() {
    let applied = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "b2xk", "only": "eA=="}});
    let target = secret(&json!({"stringData": {"a": "new", "same": "x"}}));
    let mut live = secret(&json!({"data": {"a": "bGl2ZQ==", "same": "eA==", "extra": null}}));
    live.set_annotation("kubectl.kubernetes.io/last-applied-configuration", &applied.to_string());
    live.set_annotation("token", "canary");
    let listed = BTreeSet::from(["token".to_owned()]);
    let (target, live) = mask_secret(Some(&target), Some(&live), &listed);
    let (target, live) = (target.unwrap(), live.unwrap());
    assert_eq!(target.0["data"], json!({"a": "++++++++", "same": "++++++++"}));
    assert_eq!(live.0["data"], json!({"a": "++++++++++++", "same": "++++++++", "extra": "++++++++"}));
    assert_eq!(live.annotation("token"), Some("++++++++"));
    let applied = live.annotation("kubectl.kubernetes.io/last-applied-configuration").unwrap();
    assert!(applied.contains("\"a\":\"++++++++++++++++\""), "{applied}");
    let listed = BTreeSet::from(["kubectl.kubernetes.io/last-applied-configuration".to_owned()]);
    let (_, live) = mask_secret(None, Some(&live), &listed);
    assert_eq!(
        live.unwrap().annotation("kubectl.kubernetes.io/last-applied-configuration"),
        Some("++++++++")
    );
}

/// Values with a canary in every place one can be.
fn canaries() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!("canary")),
        Just(json!("Y2FuYXJ5")),
        Just(json!(["canary"])),
        Just(json!({"canary": "canary"})),
        Just(json!("{\"canary")),
    ];
    let data = prop_oneof![
        prop::collection::btree_map("[a-c]", leaf.clone(), 0..3).prop_map(|map| json!(map)),
        leaf.clone(),
        Just(Value::Null),
    ];
    (data.clone(), data.clone(), data, any::<bool>(), leaf).prop_map(
        |(data, texts, applied, broken, kind)| {
            let applied = json!({"apiVersion": "v1", "kind": "Secret", "data": applied, "stringData": texts})
                .to_string();
            let applied = if broken { applied[1..].to_owned() } else { applied };
            let mut value = json!({"apiVersion": "v1", "kind": "Secret", "data": data, "stringData": texts,
            "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": applied}}});
            if broken {
                value["immutable"] = json!(kind.is_array());
            }
            value
        },
    )
}

proptest! {
    #[test]
    fn no_canary_gets_out(target in canaries(), live in canaries()) {
        let (target, live) = (object(target), object(live));
        for (target, live) in [(Some(&target), Some(&live)), (Some(&target), None), (None, Some(&live))] {
            let (target, live) = mask_secret(target, live, &BTreeSet::new());
            for side in target.iter().chain(&live) {
                let text = to_go_json(&side.to_value());
                // Names of keys are shown; values never are.
                let values = text.replace("\"canary\":", "").replace("\\\"canary\\\":", "");
                prop_assert!(!values.contains("canary") && !values.contains("Y2FuYXJ5"), "{}", text);
            }
        }
    }

    #[test]
    fn any_quantity_and_duration_is_answered(text in "[-+0-9.eEinumkKMGTPsh]{0,24}") {
        if let Ok(quantity) = text.parse::<Quantity>() {
            let again: Quantity = quantity.to_string().parse().unwrap();
            prop_assert_eq!(&again, &quantity);
        }
        if let Ok(duration) = text.parse::<GoDuration>() {
            prop_assert_eq!(duration.to_string().parse::<GoDuration>().unwrap(), duration);
        }
    }
}
