//! A schema given under `openapi: path`: an OpenAPI v2 document.

use super::{Definition, Field, Layer};
use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// References followed for one field before they count as a circle.
const MOST_REFERENCES: usize = 64;

struct Reader<'a> {
    definitions: &'a Map<String, Value>,
    layer: Layer,
    /// Definitions that have a number but are not read yet.
    waiting: Vec<(usize, &'a Value)>,
}

/// A document over what was read before: its definitions win.
pub(super) fn over(document: &Value, base: &Layer) -> Result<Layer> {
    layer(document, base, false)
}

/// A document under what is read after it: its definitions count where there are no others.
pub(super) fn under(document: &Value, top: &Layer) -> Result<Layer> {
    layer(document, top, true)
}

fn layer(document: &Value, other: &Layer, other_wins: bool) -> Result<Layer> {
    let Some(document) = document.as_object() else {
        return Err(Error::invalid("invalid schema file: not an object"));
    };
    let none = Map::new();
    let definitions = document.get("definitions").and_then(Value::as_object).unwrap_or(&none);
    let mut reader = Reader { definitions, layer: other.clone(), waiting: Vec::new() };
    for (name, definition) in definitions {
        let known = reader.layer.names.get(name).copied();
        let number = match known {
            Some(number) if other_wins => number,
            Some(number) => {
                reader.waiting.push((number, definition));
                number
            }
            None => {
                let number = reader.wait(definition);
                reader.layer.names.insert(name.clone(), number);
                number
            }
        };
        for kind in
            definition.get("x-kubernetes-group-version-kind").and_then(Value::as_array).into_iter().flatten()
        {
            if let Some(key) = kind_key(kind)
                && !(other_wins && reader.layer.kinds.contains_key(&key))
            {
                reader.layer.kinds.insert(key, number);
            }
        }
    }
    while let Some((number, definition)) = reader.waiting.pop() {
        reader.layer.definitions[number] = reader.definition(definition);
    }
    scopes(document, &mut reader.layer);
    Ok(reader.layer)
}

fn kind_key(kind: &Value) -> Option<(String, String)> {
    let text = |name: &str| kind.get(name).and_then(Value::as_str);
    let version = text("version")?;
    let api_version = match text("group") {
        Some(group) if !group.is_empty() => format!("{group}/{version}"),
        _ => version.to_owned(),
    };
    Some((api_version, text("kind")?.to_owned()))
}

fn scopes(document: &Map<String, Value>, layer: &mut Layer) {
    for (path, operations) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let kind = operations.get("get").and_then(|get| get.get("x-kubernetes-group-version-kind"));
        let Some(key) = kind.and_then(kind_key) else { continue };
        if path.contains("namespaces/{namespace}") {
            layer.scopes.insert(key, true);
        } else {
            layer.scopes.entry(key).or_insert(false);
        }
    }
}

impl<'a> Reader<'a> {
    fn wait(&mut self, definition: &'a Value) -> usize {
        self.layer.definitions.push(Definition::default());
        self.waiting.push((self.layer.definitions.len() - 1, definition));
        self.layer.definitions.len() - 1
    }

    fn definition(&mut self, definition: &'a Value) -> Definition {
        let mut fields = HashMap::new();
        for (name, property) in definition.get("properties").and_then(Value::as_object).into_iter().flatten()
        {
            if let Some(field) = self.field(property) {
                fields.insert(name.clone(), field);
            }
        }
        let others = definition.get("additionalProperties").filter(|others| others.is_object());
        Definition { fields, others: others.and_then(|others| self.field(others)) }
    }

    /// A property, references followed; nothing when one leads nowhere.
    fn field(&mut self, property: &'a Value) -> Option<Field> {
        let mut property = property;
        let mut named = None;
        for _ in 0..MOST_REFERENCES {
            let Some(reference) = property.get("$ref").and_then(Value::as_str) else {
                return Some(self.resolved(property, named));
            };
            let name = reference.strip_prefix("#/definitions/")?;
            let number = *self.layer.names.get(name)?;
            let Some(target) = self.definitions.get(name) else {
                // Only objects are referred to by the built-in schema's own names.
                return Some(Field { target: Some(number), list: false, merge_keys: None });
            };
            named = Some(number);
            property = target;
        }
        None
    }

    fn resolved(&mut self, property: &'a Value, named: Option<usize>) -> Field {
        let is = |wanted: &str| match property.get("type") {
            Some(Value::String(kind)) => kind == wanted,
            Some(Value::Array(kinds)) => kinds.len() == 1 && kinds[0] == wanted,
            _ => false,
        };
        let strategy =
            property.get("x-kubernetes-patch-strategy").and_then(Value::as_str).unwrap_or_default();
        let merge_keys = strategy.split(',').any(|one| one == "merge").then(|| merge_keys(property));
        if is("array") {
            let target =
                property.get("items").and_then(|items| self.field(items)).and_then(|field| field.target);
            return Field { target, list: true, merge_keys };
        }
        let target = named.unwrap_or_else(|| self.wait(property));
        Field { target: Some(target), list: false, merge_keys }
    }
}

fn merge_keys(property: &Value) -> Vec<String> {
    if let Some(keys) = property.get("x-kubernetes-list-map-keys").and_then(Value::as_array) {
        return keys.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    }
    property
        .get("x-kubernetes-patch-merge-key")
        .and_then(Value::as_str)
        .map(ToOwned::to_owned)
        .into_iter()
        .collect()
}
