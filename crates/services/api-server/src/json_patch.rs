//! JSON patches (RFC 6902) on a value.

use serde_json::Value;

/// How many steps a patch may have.
const MOST_STEPS: usize = 10_000;

/// Applies a patch. Errors are in the words the API's clients know.
pub(crate) fn apply(target: &mut Value, patch: &str) -> Result<(), String> {
    let steps: Vec<Value> = serde_json::from_str(patch).map_err(|error| {
        let problem = wire::transcode::problem(patch.as_bytes()).unwrap_or_else(|| error.to_string());
        format!("error decoding json patch: {problem}")
    })?;
    if steps.len() > MOST_STEPS {
        return Err(format!("error decoding json patch: more than {MOST_STEPS} operations"));
    }
    for step in &steps {
        apply_step(target, step).map_err(|reason| format!("error applying patch: {reason}"))?;
    }
    Ok(())
}

fn apply_step(target: &mut Value, step: &Value) -> Result<(), String> {
    let text = |member: &str| step.get(member).and_then(Value::as_str);
    let path = text("path").ok_or("an operation has no path")?;
    let value = || step.get("value").cloned().ok_or_else(|| format!("the operation on {path} has no value"));
    let from = || text("from").ok_or_else(|| format!("the operation on {path} has no from"));
    let missing = |path: &str| format!("path {path} does not exist: missing value");
    match text("op").unwrap_or_default() {
        "add" => add(target, path, value()?),
        "remove" => remove(target, path).map(drop),
        "replace" => {
            let value = value()?;
            if let Some(found) = target.pointer_mut(path) {
                *found = value;
                return Ok(());
            }
            // A member that is left out because it is empty can be replaced, too.
            let (parent, last) = split(path)?;
            let parent = target.pointer_mut(parent).and_then(Value::as_object_mut);
            parent.ok_or_else(|| missing(path))?.insert(last, value);
            Ok(())
        }
        "move" => {
            let from = from()?;
            if path.starts_with(&format!("{from}/")) {
                return Err(format!("{from} cannot be moved into itself"));
            }
            let moved = remove(target, from)?;
            add(target, path, moved)
        }
        "copy" => {
            let from = from()?;
            let copied = target.pointer(from).cloned().ok_or_else(|| missing(from))?;
            add(target, path, copied)
        }
        "test" => {
            // What is not there equals null, as the original has it.
            let found = target.pointer(path).unwrap_or(&Value::Null);
            if *found == step.get("value").cloned().unwrap_or(Value::Null) {
                Ok(())
            } else {
                Err(format!("testing value {path} failed: test failed"))
            }
        }
        other => Err(format!("unexpected kind: {other}")),
    }
}

/// Parent and last part of a pointer.
fn split(path: &str) -> Result<(&str, String), String> {
    let (parent, last) = path.rsplit_once('/').ok_or_else(|| format!("{path:?} is not a JSON pointer"))?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (parent, last) = split(path)?;
    let missing = || format!("add operation does not apply: doc is missing path: {path}: missing value");
    match target.pointer_mut(parent).ok_or_else(missing)? {
        Value::Object(members) => {
            members.insert(last, value);
            Ok(())
        }
        Value::Array(items) => {
            let index = if last == "-" { items.len() } else { last.parse().map_err(|_| missing())? };
            if index > items.len() {
                return Err(format!("index {index} of {parent} is out of range"));
            }
            items.insert(index, value);
            Ok(())
        }
        _ => Err(missing()),
    }
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let (parent, last) = split(path)?;
    let missing = || format!("remove operation does not apply: doc is missing path: {path}: missing value");
    match target.pointer_mut(parent).ok_or_else(missing)? {
        Value::Object(members) => members.remove(&last).ok_or_else(missing),
        Value::Array(items) => {
            let index: usize = last.parse().map_err(|_| missing())?;
            if index < items.len() { Ok(items.remove(index)) } else { Err(missing()) }
        }
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn patched(patch: &Value) -> Result<Value, String> {
        let mut value = json!({"a": {"b/c": 1, "list": [1, 2]}});
        apply(&mut value, &patch.to_string()).map(|()| value)
    }

    #[test]
    fn each_operation_changes_what_it_names() {
        let value = patched(&json!([
            {"op": "add", "path": "/a/list/-", "value": 3},
            {"op": "add", "path": "/a/list/0", "value": 0},
            {"op": "remove", "path": "/a/b~1c"},
            {"op": "replace", "path": "/a/list/1", "value": 9},
            {"op": "copy", "from": "/a/list", "path": "/c"},
            {"op": "move", "from": "/c/0", "path": "/d"},
            {"op": "test", "path": "/d", "value": 0},
        ]));
        assert_eq!(value.unwrap(), json!({"a": {"list": [0, 9, 2, 3]}, "c": [9, 2, 3], "d": 0}));
    }

    #[test]
    fn a_member_that_is_left_out_can_be_replaced() {
        let value = patched(&json!([{"op": "replace", "path": "/a/absent", "value": "x"}])).unwrap();
        assert_eq!(value.pointer("/a/absent"), Some(&json!("x")));
        assert!(patched(&json!([{"op": "replace", "path": "/x/y", "value": 1}])).is_err());
        let problem = apply(&mut json!({}), "junk").unwrap_err();
        assert_eq!(
            problem,
            "error decoding json patch: invalid character 'j' looking for beginning of value"
        );
    }

    #[test]
    fn what_does_not_apply_is_an_error() {
        assert_eq!(
            patched(&json!([{"op": "test", "path": "/a/x", "value": "x"}])).unwrap_err(),
            "error applying patch: testing value /a/x failed: test failed"
        );
        for step in [
            json!({"op": "add", "path": "/x/y", "value": 1}),
            json!({"op": "add", "path": "/a/list/9", "value": 1}),
            json!({"op": "remove", "path": ""}),
            json!({"op": "move", "from": "/a", "path": "/a/b"}),
            json!({"op": "fly", "path": "/a"}),
            json!({"path": 3}),
        ] {
            assert!(patched(&json!([step])).is_err(), "{step}");
        }
        assert!(patched(&json!({"not": "a list"})).unwrap_err().starts_with("error decoding json patch: "));
    }
}
