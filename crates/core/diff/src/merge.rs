//! JSON merge patches, for kinds whose types are not known.

use serde_json::{Map, Value};

type Members = Map<String, Value>;

/// What must happen to `current` so that it says what `modified` says, and no longer what only `original` said.
pub(crate) fn three_way(original: &Members, modified: &Members, current: &Members) -> Members {
    let changes = keep(&difference(current, modified), false);
    let deletions = keep(&difference(original, modified), true);
    apply(deletions, changes)
}

/// The members of `to` that differ, and nulls for those it has not.
pub(crate) fn difference(from: &Members, to: &Members) -> Members {
    let mut patch = Members::new();
    for (name, new) in to {
        match (from.get(name), new) {
            (Some(Value::Object(old)), Value::Object(new)) => {
                let inner = difference(old, new);
                if !inner.is_empty() {
                    patch.insert(name.clone(), Value::Object(inner));
                }
            }
            (Some(old), new) if same(old, new) => {}
            _ => {
                patch.insert(name.clone(), new.clone());
            }
        }
    }
    for name in from.keys().filter(|name| !to.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    patch
}

/// Equal values; `1` and `1.0` are.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) if left.is_f64() != right.is_f64() => {
            left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| same(left, right)))
        }
        _ => left == right,
    }
}

/// The half of a patch that deletes, or the other one.
fn keep(patch: &Members, deletions: bool) -> Members {
    let mut kept = Members::new();
    for (name, value) in patch {
        match value {
            Value::Null if deletions => {
                kept.insert(name.clone(), Value::Null);
            }
            Value::Null => {}
            // An empty map is a value, not an empty patch.
            Value::Object(members) if !members.is_empty() => {
                let inner = keep(members, deletions);
                if !inner.is_empty() {
                    kept.insert(name.clone(), Value::Object(inner));
                }
            }
            value if !deletions => {
                kept.insert(name.clone(), value.clone());
            }
            _ => {}
        }
    }
    kept
}

/// The document after the patch (RFC 7386).
pub(crate) fn apply(mut document: Members, patch: Members) -> Members {
    for (name, new) in patch {
        match (document.remove(&name), new) {
            (_, Value::Null) => {}
            (Some(Value::Object(old)), Value::Object(new)) => {
                document.insert(name, Value::Object(apply(old, new)));
            }
            (_, mut new) => {
                prune(&mut new);
                document.insert(name, new);
            }
        }
    }
    document
}

fn prune(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

/// Members of `live` that `config` has as well, at every level; list elements beyond `config`'s stay.
pub(crate) fn without_foreign(config: &Members, live: &Members) -> Members {
    config
        .iter()
        .filter_map(|(name, config)| Some((name.clone(), without_foreign_value(config, live.get(name)?))))
        .collect()
}

fn without_foreign_value(config: &Value, live: &Value) -> Value {
    match (config, live) {
        (Value::Object(config), Value::Object(live)) => Value::Object(without_foreign(config, live)),
        (Value::Array(config), Value::Array(live)) => Value::Array(without_foreign_items(config, live)),
        _ => live.clone(),
    }
}

/// The same for lists.
pub(crate) fn without_foreign_items(config: &[Value], live: &[Value]) -> Vec<Value> {
    live.iter()
        .enumerate()
        .map(|(at, live)| {
            config.get(at).map_or_else(|| live.clone(), |config| without_foreign_value(config, live))
        })
        .collect()
}
