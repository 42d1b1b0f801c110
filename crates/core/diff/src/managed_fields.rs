//! Fields another manager owns: where target and live differ in one, neither side keeps it.

use object::Object;
use serde_json::{Map, Value};

/// A step of a `fieldsV1` path.
pub(crate) enum Step {
    Field(String),
    Key(Map<String, Value>),
    Member(Value),
    Index(usize),
}

/// Removes the fields of trusted managers that differ from both sides.
pub(crate) fn remove_trusted(target: &mut Object, live: &mut Object, managers: &[&str]) {
    let Some(Value::Array(entries)) = live.at(&["metadata", "managedFields"]) else { return };
    let mut owned = Vec::new();
    for entry in entries {
        let trusted =
            entry.get("manager").and_then(Value::as_str).is_some_and(|name| managers.contains(&name));
        if let (true, Some(Value::Object(fields))) = (trusted, entry.get("fieldsV1")) {
            collect(fields, &mut Vec::new(), &mut owned);
        }
    }
    let mut different: Vec<Vec<Step>> = owned
        .into_iter()
        .filter_map(|path| parse(&path))
        .filter(|path| {
            matches!((find(&live.0, path), find(&target.0, path)), (Some(live), Some(target)) if is_leaf(live) && !crate::merge::same(live, target))
        })
        .collect();
    // Later elements of a list first, so that positions hold.
    different.reverse();
    for path in &different {
        for side in [&mut *target, &mut *live] {
            let mut value = Value::Object(std::mem::take(&mut side.0));
            remove(&mut value, path);
            if let Value::Object(members) = value {
                side.0 = members;
            }
        }
    }
}

/// Paths a manager owns by applying, and paths of everyone else.
pub(crate) fn owned_by(live: &Object, manager: &str) -> (Vec<Vec<String>>, Vec<Vec<String>>) {
    let (mut ours, mut others) = (Vec::new(), Vec::new());
    let entries = live.at(&["metadata", "managedFields"]).and_then(Value::as_array);
    for entry in entries.into_iter().flatten() {
        let Some(Value::Object(fields)) = entry.get("fieldsV1") else { continue };
        let applied = entry.get("operation").and_then(Value::as_str) == Some("Apply");
        let name = entry.get("manager").and_then(Value::as_str);
        let is_ours = applied && name == Some(manager);
        collect(fields, &mut Vec::new(), if is_ours { &mut ours } else { &mut others });
    }
    (ours, others)
}

fn collect(fields: &Map<String, Value>, path: &mut Vec<String>, owned: &mut Vec<Vec<String>>) {
    const DEEPEST: usize = 128;
    if path.len() > DEEPEST {
        return;
    }
    for (name, inner) in fields {
        if name == "." {
            owned.push(path.clone());
            continue;
        }
        path.push(name.clone());
        match inner {
            Value::Object(inner) if !inner.is_empty() => collect(inner, path, owned),
            _ => owned.push(path.clone()),
        }
        path.pop();
    }
}

pub(crate) fn parse(path: &[String]) -> Option<Vec<Step>> {
    path.iter()
        .map(|step| {
            let (kind, text) = step.split_once(':')?;
            Some(match kind {
                "f" => Step::Field(text.to_owned()),
                "k" => Step::Key(serde_json::from_str(text).ok()?),
                "v" => Step::Member(serde_json::from_str(text).ok()?),
                "i" => Step::Index(text.parse().ok()?),
                _ => return None,
            })
        })
        .collect()
}

/// A map that was set whole is compared by its fields, which have paths of their own.
fn is_leaf(value: &Value) -> bool {
    !matches!(value, Value::Object(members) if !members.is_empty())
}

pub(crate) fn position(items: &[Value], step: &Step) -> Option<usize> {
    match step {
        Step::Key(key) => items.iter().position(|item| {
            key.iter().all(|(name, value)| match item.get(name) {
                Some(found) => found == value,
                // The API server fills it in before it looks.
                None => name == "protocol" && value == "TCP",
            })
        }),
        Step::Member(value) => items.iter().position(|item| item == value),
        Step::Index(at) => (*at < items.len()).then_some(*at),
        Step::Field(_) => None,
    }
}

pub(crate) fn find<'a>(members: &'a Map<String, Value>, path: &[Step]) -> Option<&'a Value> {
    let (Step::Field(first), rest) = path.split_first()? else { return None };
    rest.iter().try_fold(members.get(first)?, |value, step| match (value, step) {
        (Value::Object(members), Step::Field(name)) => members.get(name),
        (Value::Array(items), step) => items.get(position(items, step)?),
        _ => None,
    })
}

pub(crate) fn remove(value: &mut Value, path: &[Step]) {
    let Some((first, rest)) = path.split_first() else { return };
    match (value, first) {
        (Value::Object(members), Step::Field(name)) => {
            if rest.is_empty() {
                members.remove(name);
            } else if let Some(inner) = members.get_mut(name) {
                remove(inner, rest);
            }
        }
        (Value::Array(items), step) => {
            if let Some(at) = position(items, step) {
                if rest.is_empty() {
                    items.remove(at);
                } else {
                    remove(&mut items[at], rest);
                }
            }
        }
        _ => {}
    }
}
