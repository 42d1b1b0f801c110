//! Prunes that are judged once more when an operation comes to them.

#[path = "world/input.rs"]
mod input;

use api::v1alpha1::SyncOperation;
use input::input;
use object::Object;
use serde_json::json;
use sync::{Input, Plan, Resource, plan};

fn live(options: &str, hook: bool) -> Object {
    let mut annotations = json!({"argocd.argoproj.io/sync-options": options});
    if hook {
        annotations["argocd.argoproj.io/hook"] = json!("PreSync");
    }
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "map", "namespace": "n", "uid": "u", "annotations": annotations}});
    Object::from_value(map).expect("an object")
}

/// The plan of a prune of that object, with what the operation says of prunes.
fn planned(object: Object, option: &str, prune_confirmed: bool) -> Plan {
    let operation = SyncOperation {
        prune: true,
        sync_options: if option.is_empty() { Vec::new() } else { vec![option.to_owned()] },
        ..SyncOperation::default()
    };
    let resource = Resource { live: Some(object), ours: true, ..Resource::default() };
    plan(Input { resources: vec![resource], prune_confirmed, ..input(&operation) }).expect("a plan")
}

#[test]
fn what_an_object_says_when_its_turn_comes_counts() {
    let keeps = |plan: &Plan, now: Object, confirmed| plan.keeps(&now, &plan.tasks[0], confirmed);
    let plain = planned(live("", false), "", false);
    assert_eq!(keeps(&plain, live("", false), false), None);
    assert_eq!(keeps(&plain, live("Prune=false", false), true), Some("ignored (no prune)"));
    assert_eq!(keeps(&plain, live("", true), true), Some("ignored (is a hook now)"));
    let asks = Some("ignored (requires confirmation)");
    assert_eq!(keeps(&plain, live("Prune=confirm", false), false), asks);
    assert_eq!(keeps(&plain, live("Prune=confirm", false), true), None);
    assert_eq!(keeps(&planned(live("", false), "", true), live("Prune=confirm", false), false), None);
    // One that was waited for was confirmed.
    assert_eq!(
        keeps(&planned(live("Prune=confirm", false), "", false), live("Prune=confirm", false), false),
        None
    );
    // Where it is silent now, the operation speaks.
    for (option, kept) in [("Prune=false", Some("ignored (no prune)")), ("Prune=confirm", asks)] {
        let allowed = planned(live("Prune=true", false), option, false);
        assert_eq!(keeps(&allowed, live("Prune=true", false), false), None, "{option}");
        assert_eq!(keeps(&allowed, live("", false), false), kept, "{option}");
    }
}
