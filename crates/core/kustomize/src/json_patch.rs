//! JSON patches with the rules of the library the original uses: negative indices count from the end, `replace` of a
//! member that is not there adds it, a path need not begin with a slash.

use crate::error::{Error, Result};
use serde_json::{Map, Value};

/// One operation, not yet looked at closely: what is wrong with it is told when it is applied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation(Map<String, Value>);

/// Reads a patch: a JSON text when it begins with a bracket, YAML otherwise. Nothing is an empty patch.
pub(crate) fn decode(text: &str) -> Result<Vec<Operation>> {
    let value: Value = if text.starts_with('[') {
        serde_json::from_str(text).map_err(|error| Error::invalid(format!("json: {error}")))?
    } else {
        object::yaml::decode(text.as_bytes()).map_err(|error| Error::invalid(error.to_string()))?
    };
    let wrong = || Error::invalid("json: cannot unmarshal into Go value of type jsonpatch.Patch");
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => items
            .into_iter()
            .map(|item| match item {
                Value::Object(members) => Ok(Operation(members)),
                Value::Null => Ok(Operation(Map::new())),
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}

/// Applies all operations in order.
pub(crate) fn apply(document: &mut Value, patch: &[Operation]) -> Result<()> {
    patch.iter().try_for_each(|operation| operation.apply(document))
}

impl Operation {
    fn text(&self, name: &str) -> Result<&str> {
        match self.0.get(name) {
            Some(Value::String(text)) => Ok(text),
            _ => Err(Error::invalid(format!("operation missing {name} field: missing value"))),
        }
    }

    fn value(&self) -> Value {
        self.0.get("value").cloned().unwrap_or_default()
    }

    fn apply(&self, document: &mut Value) -> Result<()> {
        let kind = match self.0.get("op") {
            Some(Value::String(kind)) => kind.as_str(),
            _ => "unknown",
        };
        match kind {
            "add" => add(document, self.text("path")?, self.value(), "add"),
            "remove" => remove(document, self.text("path")?, "remove").map(|_| ()),
            "replace" => replace(document, self.text("path")?, self.value()),
            "move" => {
                let from = self.text("from")?.to_owned();
                let value = get(document, &from, "move")?;
                remove(document, &from, "move")?;
                add(document, self.text("path")?, value, "move")
            }
            "test" => {
                let path = self.text("path")?;
                let found = if path.is_empty() { document.clone() } else { get(document, path, "test")? };
                if equal(&found, &self.value()) {
                    return Ok(());
                }
                Err(Error::invalid(format!("testing value {path} failed: test failed")))
            }
            "copy" => {
                let value = get(document, self.text("from")?, "copy")?;
                add(document, self.text("path")?, value, "copy")
            }
            other => Err(Error::invalid(format!("Unexpected kind: {other}"))),
        }
    }
}

fn decoded(part: &str) -> String {
    part.replace("~1", "/").replace("~0", "~")
}

/// The object or list a path ends in, and the last part of the path.
fn container<'a>(document: &'a mut Value, path: &str, doing: &str) -> Result<(&'a mut Value, String)> {
    let missing = || {
        Error::invalid(format!(
            "{doing} operation does not apply: doc is missing path: \"{path}\": missing value"
        ))
    };
    let mut parts: Vec<&str> = path.split('/').skip(1).collect();
    let key = match (parts.pop(), path.contains('/')) {
        (Some(key), true) => decoded(key),
        _ => return Err(missing()),
    };
    let mut node = document;
    for part in parts {
        let part = decoded(part);
        node = match node {
            Value::Object(members) => members.get_mut(&part).ok_or_else(missing)?,
            Value::Array(items) => {
                let at = position(&part, items.len()).map_err(|_| missing())?;
                items.get_mut(at).ok_or_else(missing)?
            }
            _ => return Err(missing()),
        };
    }
    if node.is_object() || node.is_array() { Ok((node, key)) } else { Err(missing()) }
}

/// An index into a list of some length; negative ones count from its end.
fn position(key: &str, length: usize) -> Result<usize> {
    let index: i64 = key
        .strip_prefix('+')
        .unwrap_or(key)
        .parse()
        .map_err(|_| Error::invalid(format!("strconv.Atoi: parsing {key:?}: invalid syntax")))?;
    let invalid =
        || Error::invalid(format!("Unable to access invalid index: {index}: invalid index referenced"));
    let length = i64::try_from(length).map_err(|_| invalid())?;
    let at = if index < 0 { index + length } else { index };
    if at < 0 || at >= length {
        return Err(invalid());
    }
    usize::try_from(at).map_err(|_| invalid())
}

fn at_path(error: Error, doing: &str, path: &str) -> Error {
    error.within(format!("error in {doing} for path: '{path}'"))
}

fn add(document: &mut Value, path: &str, value: Value, doing: &str) -> Result<()> {
    let (container, key) = container(document, path, doing)?;
    match container {
        Value::Object(members) => {
            members.insert(key, value);
        }
        Value::Array(items) if key == "-" => items.push(value),
        Value::Array(items) => {
            let at = position(&key, items.len() + 1).map_err(|error| at_path(error, doing, path))?;
            items.insert(at, value);
        }
        _ => {}
    }
    Ok(())
}

fn remove(document: &mut Value, path: &str, doing: &str) -> Result<Value> {
    let (container, key) = container(document, path, doing)?;
    match container {
        Value::Object(members) => members.remove(&key).ok_or_else(|| {
            at_path(
                Error::invalid(format!("Unable to remove nonexistent key: {key}: missing value")),
                doing,
                path,
            )
        }),
        Value::Array(items) => {
            let at = position(&key, items.len()).map_err(|error| at_path(error, doing, path))?;
            Ok(items.remove(at))
        }
        _ => Ok(Value::Null),
    }
}

fn replace(document: &mut Value, path: &str, value: Value) -> Result<()> {
    if path.is_empty() {
        if !value.is_object() && !value.is_array() {
            return Err(Error::invalid("replace operation value must be object or array"));
        }
        *document = value;
        return Ok(());
    }
    let (container, key) = container(document, path, "replace")?;
    match container {
        Value::Object(members) => {
            members.insert(key, value);
        }
        Value::Array(items) => {
            let at = position(&key, items.len()).map_err(|_| {
                Error::invalid(format!(
                    "replace operation does not apply: doc is missing key: {path}: missing value"
                ))
            })?;
            items[at] = value;
        }
        _ => {}
    }
    Ok(())
}

/// What lies at a path; a member that is not there is null.
fn get(document: &mut Value, path: &str, doing: &str) -> Result<Value> {
    let (container, key) = container(document, path, doing)?;
    match container {
        Value::Object(members) => Ok(members.get(&key).cloned().unwrap_or_default()),
        Value::Array(items) => {
            let at = position(&key, items.len()).map_err(|error| at_path(error, doing, path))?;
            Ok(items[at].clone())
        }
        _ => Ok(Value::Null),
    }
}

/// Numbers are compared as they are written.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            object::json::go_number(left) == object::json::go_number(right)
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(name, left)| right.get(name).is_some_and(|right| equal(left, right)))
        }
        (left, right) => left == right,
    }
}
