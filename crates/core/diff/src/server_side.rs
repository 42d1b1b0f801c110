//! The difference by what the API server answered to a dry run.

use crate::managed_fields::{self, Step};
use crate::rules::OwnRules;
use crate::structured::FIELD_MANAGER;
use crate::{Diff, DiffError, DiffOptions, both, normalize};
use object::Object;
use serde_json::{Map, Value};

/// What a server-side apply of a target was answered with in a dry run, against the live object. What admission webhooks would
/// change beside our own fields counts only `with_webhooks`.
pub fn diff_predicted(
    target: &Object,
    live: &Object,
    predicted: &Object,
    with_webhooks: bool,
    options: &DiffOptions,
) -> Result<Diff, DiffError> {
    let own = OwnRules::of(Some(target));
    let mut predicted = if with_webhooks { predicted.clone() } else { ours_alone(live, predicted) };
    let mut live = live.clone();
    normalize::level_tracking(&predicted, &mut live, options);
    let managers = options.rules.trusted_managers(&predicted);
    if !managers.is_empty() {
        managed_fields::remove_trusted(&mut predicted, &mut live, &managers);
    }
    let normalized = |object: Object| {
        let mut object = normalize::remarshal(object);
        normalize::normalize(&mut object, options, &own)?;
        object.metadata_mut().remove("managedFields");
        Ok(object)
    };
    Ok(both(normalized(live)?, normalized(predicted)?))
}

/// The live object with our own fields as the server would have them, and without those we give up.
fn ours_alone(live: &Object, predicted: &Object) -> Object {
    let entries = predicted.at(&["metadata", "managedFields"]).and_then(Value::as_array);
    let ours: Vec<&Map<String, Value>> = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry.get("manager").and_then(Value::as_str) == Some(FIELD_MANAGER))
        .filter_map(|entry| entry.get("fieldsV1")?.as_object())
        .collect();
    if ours.is_empty() {
        // The server keeps no record here: its whole answer counts.
        return predicted.clone();
    }
    let mut found = live.to_value();
    for fields in ours {
        overlay(&mut found, &Value::Object(predicted.0.clone()), fields);
    }
    let (before, _) = managed_fields::owned_by(live, FIELD_MANAGER);
    let mut given_up: Vec<Vec<Step>> = before.iter().filter_map(|path| managed_fields::parse(path)).collect();
    given_up.retain(|path| managed_fields::find(&predicted.0, path).is_none());
    given_up.sort_by_key(Vec::len);
    for path in &given_up {
        managed_fields::remove(&mut found, path);
    }
    match found {
        Value::Object(members) => Object(members),
        _ => predicted.clone(),
    }
}

/// Puts what the server says of our fields over what is live.
fn overlay(live: &mut Value, predicted: &Value, fields: &Map<String, Value>) {
    for (name, inner) in fields {
        let Some(step) = managed_fields::parse(std::slice::from_ref(name)).and_then(|mut path| path.pop())
        else {
            continue;
        };
        let inner = inner.as_object().filter(|inner| inner.keys().any(|name| name != "."));
        match (step, &mut *live, predicted) {
            (Step::Field(name), Value::Object(live), Value::Object(predicted)) => {
                let Some(new) = predicted.get(&name) else { continue };
                match (live.get_mut(&name), inner) {
                    (Some(old), Some(inner)) if old.is_object() == new.is_object() => {
                        overlay(old, new, inner);
                    }
                    _ => {
                        live.insert(name, new.clone());
                    }
                }
            }
            (step, Value::Array(live), Value::Array(predicted)) => {
                let Some(new) = managed_fields::position(predicted, &step).and_then(|at| predicted.get(at))
                else {
                    continue;
                };
                match (managed_fields::position(live, &step), inner) {
                    (Some(at), Some(inner)) => overlay(&mut live[at], new, inner),
                    (Some(at), None) => live[at] = new.clone(),
                    (None, _) => live.push(new.clone()),
                }
            }
            _ => {}
        }
    }
}
