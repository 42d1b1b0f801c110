//! Every case of `cases/actions`: the actions an object has, and what they do, as recorded from the original.

#![expect(clippy::needless_pass_by_value, reason = "the cases read better without borrows")]

use actions::{Actions, Impact, Parameters};
use object::Object;
use serde_json::{Map, Value, json};
use std::path::Path;

fn check(_: &Path, text: String) -> datatest_stable::Result<()> {
    let case = object::yaml::decode(text.as_bytes())?;
    let input = Object::from_value(case["input"].clone())?;
    let now = "2026-11-23T08:42:47Z".parse()?;
    let actions = Actions::default();
    let (found, wanted) = match case["kind"].as_str() {
        Some("discovery") => {
            let found = actions.discover(&input, now)?;
            (serde_json::to_value(found)?, case["expectedActions"].clone())
        }
        _ => {
            let parameters: Parameters =
                serde_json::from_value(case.get("parameters").cloned().unwrap_or_else(|| json!({})))?;
            let action = case["action"].as_str().unwrap_or_default();
            match actions.run(&input, action, &parameters, now) {
                Err(error) => (json!(error.to_string()), case["expectedError"].clone()),
                Ok(impacts) => {
                    let told: Vec<Value> = impacts.into_iter().map(told).collect();
                    let mut wanted = case["expectedResults"].clone();
                    let mut found = Value::Array(told);
                    for path in case["volatilePaths"].as_array().into_iter().flatten() {
                        let path = path.as_str().unwrap_or_default();
                        assert!(found.pointer(path).is_some(), "nothing is at {path}");
                        drop_at(&mut found, path);
                        drop_at(&mut wanted, path);
                    }
                    (found, wanted)
                }
            }
        }
    };
    if found != wanted {
        return Err(format!("found {found:#}\nexpected {wanted:#}").into());
    }
    Ok(())
}

fn told(impact: Impact) -> Value {
    let (operation, object) = match impact {
        Impact::Create(object) => ("create", object),
        Impact::Patch(object) => ("patch", object),
    };
    json!({"object": object.into_value(), "operation": operation})
}

fn drop_at(value: &mut Value, pointer: &str) {
    let Some((way, last)) = pointer.rsplit_once('/') else { return };
    if let Some(Value::Object(members)) = value.pointer_mut(way) {
        let _: &mut Map<String, Value> = members;
        members.remove(&last.replace("~1", "/").replace("~0", "~"));
    }
}

datatest_stable::harness! {
    { test = check, root = "../../../cases/actions", pattern = r".*\.yaml$" },
}
