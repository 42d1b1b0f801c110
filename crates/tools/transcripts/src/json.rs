//! JSON as it is compared: what differs from run to run has one form, nested JSON texts are values.

use serde_json::{Map, Value};

/// How deep texts that hold JSON are opened.
const NESTED_LIMIT: usize = 4;

/// A value in the form in which two runs can be compared.
#[must_use]
pub fn comparable(value: &Value) -> Value {
    form(value, 0)
}

fn form(value: &Value, nested: usize) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<_> = fields.keys().collect();
            names.sort();
            let mut kept = Map::new();
            for name in names {
                match name.as_str() {
                    // Who wrote which field, and how often, is how the writer works, not what it says.
                    "managedFields" => {}
                    // The original leaves these behind at every refresh, whether anything hydrates or not.
                    "argocd.argoproj.io/hydrate" | "argocd.argoproj.io/hydrate-timestamp" => {}
                    "resourceVersion" if fields[name].as_str().is_some_and(is_number) => {
                        kept.insert(name.clone(), Value::from("<rv>"));
                    }
                    "generation" | "observedGeneration" => {
                        kept.insert(name.clone(), Value::from("<n>"));
                    }
                    _ => {
                        let mut inner = form(&fields[name], nested);
                        sort(name, &mut inner);
                        if !(name == "annotations" && inner.as_object().is_some_and(Map::is_empty)) {
                            kept.insert(name.clone(), inner);
                        }
                    }
                }
            }
            Value::Object(kept)
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| form(item, nested)).collect()),
        Value::String(text) if nested < NESTED_LIMIT && text.starts_with(['{', '[']) => {
            match serde_json::from_str::<Value>(text) {
                Ok(inner @ (Value::Object(_) | Value::Array(_))) => {
                    let mut holder = Map::new();
                    holder.insert("<json text>".to_owned(), form(&inner, nested + 1));
                    Value::Object(holder)
                }
                _ => value.clone(),
            }
        }
        other => other.clone(),
    }
}

/// Lists whose order is that of a map of the original, which is any.
fn sort(name: &str, value: &mut Value) {
    let Value::Array(items) = value else { return };
    let is_source = |item: &Value| {
        item.as_object()
            .is_some_and(|item| item.len() == 2 && item.contains_key("path") && item.contains_key("type"))
    };
    if ["parameters", "actions"].contains(&name) || (name == "items" && items.iter().all(is_source)) {
        items.sort_by_cached_key(Value::to_string);
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
