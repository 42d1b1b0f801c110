//! `cases/diff`: what the original answers. See the README beside the cases.

use diff::{DiffOptions, IgnoreDifference, ResourceOverride, Rules, diff};
use object::{Object, TrackingMethod, mask_secret, yaml};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Case {
    ignore_differences: Vec<IgnoreDifference>,
    resource_overrides: BTreeMap<String, BTreeMap<String, Value>>,
    ignore_aggregated_roles: bool,
    tracking_method: String,
    app_label_key: String,
    structured_merge: bool,
}

type Failure = Box<dyn std::error::Error>;

fn read(path: &Path) -> Result<Option<Value>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let value = yaml::decode(&fs(path)?)?;
    Ok((!value.is_null()).then_some(value))
}

#[expect(clippy::disallowed_methods, reason = "test cases are files")]
fn fs(path: &Path) -> Result<Vec<u8>, std::io::Error> {
    std::fs::read(path)
}

fn object(path: &Path) -> Result<Option<Object>, Failure> {
    Ok(read(path)?.map(Object::from_value).transpose()?)
}

fn overrides(case: &Case) -> Result<BTreeMap<String, ResourceOverride>, Failure> {
    let mut overrides = BTreeMap::new();
    for (key, settings) in &case.resource_overrides {
        let mut system = ResourceOverride::default();
        if let Some(Value::String(text)) = settings.get("ignoreDifferences") {
            system.ignore = serde_json::from_value(yaml::decode(text.as_bytes())?)?;
        }
        if let Some(fields) = settings.get("knownTypeFields") {
            system.known_type_fields = serde_json::from_value(fields.clone())?;
        }
        overrides.insert(key.clone(), system);
    }
    Ok(overrides)
}

fn check(path: &Path) -> Result<(), Failure> {
    let folder = path.parent().ok_or("a case is a file in a folder")?;
    let case: Case = serde_json::from_value(read(path)?.unwrap_or_else(|| serde_json::json!({})))?;
    let target = object(&folder.join("desired.yaml"))?;
    let live = object(&folder.join("live.yaml"))?;
    let expected = read(&folder.join("expected.yaml"))?.ok_or("expected.yaml is empty")?;
    let options = DiffOptions {
        rules: Arc::new(Rules::compile(&case.ignore_differences, &overrides(&case)?)?),
        ignore_aggregated_roles: case.ignore_aggregated_roles,
        tracking_method: (!case.tracking_method.is_empty())
            .then(|| TrackingMethod::from_setting(&case.tracking_method)),
        tracking_label: case.app_label_key.clone(),
        structured_merge: case.structured_merge,
        ..DiffOptions::default()
    };
    let found = match (diff(target.as_ref(), live.as_ref(), &options), expected.get("error")) {
        (Err(_), Some(_)) => return Ok(()),
        (Ok(_), Some(error)) => return Err(format!("the original fails: {error}").into()),
        (found, None) => found?,
    };
    let mut wrong = Vec::new();
    let mut same = |what: &str, found: Option<Value>| {
        let expected = expected.get(what).cloned().filter(|value| !value.is_null());
        if expected != found {
            let text = |value: &Option<Value>| value.as_ref().map_or("none".into(), yaml::encode);
            wrong.push(format!("{what}\n--- expected\n{}--- found\n{}", text(&expected), text(&found)));
        }
    };
    same("modified", Some(found.modified.into()));
    same("normalizedLive", found.normalized_live.as_ref().map(Object::to_value));
    same("predictedLive", found.predicted_live.as_ref().map(Object::to_value));
    if expected.get("hiddenDesired").is_some() || expected.get("hiddenLive").is_some() {
        let (target, live) = mask_secret(target.as_ref(), live.as_ref(), &BTreeSet::new());
        same("hiddenDesired", target.as_ref().map(Object::to_value));
        same("hiddenLive", live.as_ref().map(Object::to_value));
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
}

datatest_stable::harness! {
    { test = check, root = "../../../cases/diff", pattern = r"case\.yaml$" },
}
