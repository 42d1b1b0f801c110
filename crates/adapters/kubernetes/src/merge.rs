//! Merging without a cluster: what an object becomes when it is applied over what is live, and the smallest
//! patch between two values.

use crate::merge_keys::{Shape, Strategy, member, root};
use object::Object;
use serde_json::{Map, Value};

/// What `live` becomes when `modified` is applied and `original` had been applied before: members that
/// were asked for before and are not any more go, members nobody asked for stay. Lists of Kubernetes' own kinds
/// are merged by their keys, all others are replaced.
pub fn three_way(original: Option<&Object>, modified: &Object, live: &Object) -> Object {
    let none = Map::new();
    let original = original.map_or(&none, |object| &object.0);
    let shape = root(modified.group(), modified.kind());
    Object(merge_members(original, &modified.0, &live.0, shape, false))
}

fn merge_members(
    original: &Map<String, Value>,
    modified: &Map<String, Value>,
    live: &Map<String, Value>,
    shape: Option<Shape>,
    retaining: bool,
) -> Map<String, Value> {
    let mut merged = Map::new();
    for (name, value) in live {
        let dropped = !modified.contains_key(name) && (retaining || original.contains_key(name));
        if !dropped {
            merged.insert(name.clone(), value.clone());
        }
    }
    for (name, wanted) in modified {
        if wanted.is_null() {
            merged.remove(name);
            continue;
        }
        let (strategy, inner) = match shape.map(|shape| member(shape, name)) {
            Some((strategy, inner)) => (strategy, Some(inner)),
            None => (Strategy::Default, None),
        };
        let value = merge_value(original.get(name), wanted, live.get(name), strategy, inner);
        merged.insert(name.clone(), value);
    }
    merged
}

fn merge_value(
    original: Option<&Value>,
    wanted: &Value,
    live: Option<&Value>,
    strategy: Strategy,
    shape: Option<Shape>,
) -> Value {
    let none = Map::new();
    let original_map = original.and_then(Value::as_object).unwrap_or(&none);
    match (wanted, live) {
        (Value::Object(wanted), Some(Value::Object(live))) => {
            Value::Object(merge_members(original_map, wanted, live, shape, strategy == Strategy::Retaining))
        }
        (Value::Object(wanted), _) => Value::Object(merge_members(&none, wanted, &none, shape, false)),
        (Value::Array(wanted), Some(Value::Array(live))) => {
            let original = original.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            let merged = match strategy {
                Strategy::Set => Some(merge_set(original, wanted, live)),
                Strategy::ByKey(keys) => merge_by_key(original, wanted, live, keys, shape, false),
                Strategy::ByKeyRetaining(keys) => merge_by_key(original, wanted, live, keys, shape, true),
                Strategy::Default | Strategy::Retaining => None,
            };
            Value::Array(merged.unwrap_or_else(|| wanted.clone()))
        }
        _ => wanted.clone(),
    }
}

fn merge_set(original: &[Value], wanted: &[Value], live: &[Value]) -> Vec<Value> {
    let mut merged: Vec<Value> =
        live.iter().filter(|value| wanted.contains(value) || !original.contains(value)).cloned().collect();
    for value in wanted {
        if !merged.contains(value) {
            merged.push(value.clone());
        }
    }
    merged
}

type Keys = &'static [(&'static str, &'static str)];

/// `None` when the elements cannot be told apart: a key is missing or stands twice.
fn merge_by_key(
    original: &[Value],
    wanted: &[Value],
    live: &[Value],
    keys: Keys,
    shape: Option<Shape>,
    retaining: bool,
) -> Option<Vec<Value>> {
    let wanted_keys = element_keys(wanted, keys)?;
    let live_keys = element_keys(live, keys)?;
    let original_keys: Vec<_> =
        original.iter().map(|element| element_key(element, keys).unwrap_or_default()).collect();
    let none = Map::new();
    let mut merged = Vec::new();
    for (element, key) in wanted.iter().zip(&wanted_keys) {
        let find = |list: &[Vec<String>]| list.iter().position(|other| other == key);
        let before = find(&original_keys).and_then(|index| original[index].as_object()).unwrap_or(&none);
        let wanted = element.as_object()?;
        merged.push(match find(&live_keys).and_then(|index| live[index].as_object()) {
            Some(live) => Value::Object(merge_members(before, wanted, live, shape, retaining)),
            None => Value::Object(merge_members(&none, wanted, &none, shape, false)),
        });
    }
    // Elements only others asked for keep their place: after the element they stood behind.
    for (index, key) in live_keys.iter().enumerate() {
        if wanted_keys.contains(key) || original_keys.contains(key) {
            continue;
        }
        let place = live_keys[..index]
            .iter()
            .rev()
            .find_map(|before| merged.iter().position(|m| element_key(m, keys).as_ref() == Some(before)))
            .map_or(0, |before| before + 1);
        merged.insert(place, live[index].clone());
    }
    Some(merged)
}

fn element_keys(elements: &[Value], keys: Keys) -> Option<Vec<Vec<String>>> {
    let mut all = Vec::with_capacity(elements.len());
    for element in elements {
        let key = element_key(element, keys)?;
        if all.contains(&key) {
            return None;
        }
        all.push(key);
    }
    Some(all)
}

fn element_key(element: &Value, keys: Keys) -> Option<Vec<String>> {
    keys.iter()
        .map(|(name, default)| match element.get(name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            None if !default.is_empty() => Some((*default).to_owned()),
            _ => None,
        })
        .collect()
}

/// The smallest JSON merge patch (RFC 7386) that turns one value into another; `None` when they are equal.
/// Neither may hold `null` members, which a merge patch cannot write: they count as absent.
pub fn merge_patch(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(before), Value::Object(after)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for (name, value) in after.iter().filter(|(_, value)| !value.is_null()) {
        match before.get(name).filter(|old| !old.is_null()) {
            Some(old @ Value::Object(_)) if value.is_object() => {
                if let Some(inner) = merge_patch(old, value) {
                    patch.insert(name.clone(), inner);
                }
            }
            Some(old) if old == value => {}
            _ => {
                patch.insert(name.clone(), value.clone());
            }
        }
    }
    for (name, _) in before.iter().filter(|(_, old)| !old.is_null()) {
        if after.get(name).is_none_or(Value::is_null) {
            patch.insert(name.clone(), Value::Null);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Applies a JSON merge patch (RFC 7386).
pub fn apply_merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            apply_merge_patch(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Whether a patch writes a list, and so would undo what someone else wrote into it meanwhile.
pub(crate) fn writes_list(patch: &Value) -> bool {
    match patch {
        Value::Array(_) => true,
        Value::Object(members) => members.values().any(writes_list),
        _ => false,
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;
