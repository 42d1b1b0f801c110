//! Changing a JSON tree at a path of names.

use serde_json::{Map, Value};

/// Puts a value at a path; what is missing on the way is made, what is no object is replaced.
pub(crate) fn put(root: &mut Map<String, Value>, path: &[&str], value: Value) {
    let Some((last, way)) = path.split_last() else { return };
    let mut place = root;
    for name in way {
        let next = place.entry(*name).or_insert_with(|| Value::Object(Map::new()));
        if !next.is_object() {
            *next = Value::Object(Map::new());
        }
        let Value::Object(members) = next else { return };
        place = members;
    }
    place.insert((*last).to_owned(), value);
}

/// Takes away what is at a path.
pub(crate) fn remove(root: &mut Map<String, Value>, path: &[&str]) {
    let Some((last, way)) = path.split_last() else { return };
    let mut place = root;
    for name in way {
        let Some(Value::Object(members)) = place.get_mut(*name) else { return };
        place = members;
    }
    place.remove(*last);
}

/// The tree as a script would return it: nulls vanish.
pub(crate) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(entries) => {
            entries.retain(|entry| !entry.is_null());
            entries.iter_mut().for_each(without_nulls);
        }
        _ => {}
    }
}

/// A copy without nulls and empty objects and lists, of which a script could not tell which is which.
pub(crate) fn without_empties(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(members) if members.is_empty() => None,
        Value::Array(entries) if entries.is_empty() => None,
        Value::Object(members) => {
            let kept =
                members.iter().filter_map(|(name, member)| Some((name.clone(), without_empties(member)?)));
            Some(Value::Object(kept.collect()))
        }
        Value::Array(entries) => Some(Value::Array(entries.iter().filter_map(without_empties).collect())),
        plain => Some(plain.clone()),
    }
}

/// Lua cannot tell an empty list from an empty object: what came back as an empty list and was an object
/// before is an empty one.
pub(crate) fn restore_empties(new: &mut Value, old: &Value) {
    match (new, old) {
        (Value::Object(new), Value::Object(old)) => {
            for (name, member) in new {
                let Some(before) = old.get(name) else { continue };
                let is_empty_list = member.as_array().is_some_and(Vec::is_empty);
                if is_empty_list && before.is_object() {
                    *member = Value::Object(Map::new());
                } else {
                    restore_empties(member, before);
                }
            }
        }
        (Value::Array(new), Value::Array(old)) => {
            for (entry, before) in new.iter_mut().zip(old) {
                let is_empty_list = entry.as_array().is_some_and(Vec::is_empty);
                if is_empty_list && before.as_object().is_some_and(Map::is_empty) {
                    *entry = before.clone();
                } else {
                    restore_empties(entry, before);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{put, remove, restore_empties, without_empties};
    use serde_json::{Map, json};

    #[test]
    fn paths_are_made_and_taken_away() {
        let mut root = Map::new();
        put(&mut root, &["a", "b"], json!(1));
        put(&mut root, &["a", "b", "c"], json!(2));
        assert_eq!(json!(root), json!({"a": {"b": {"c": 2}}}));
        remove(&mut root, &["a", "b", "c"]);
        remove(&mut root, &["x", "y"]);
        assert_eq!(json!(root), json!({"a": {"b": {}}}));
    }

    #[test]
    fn empties_are_what_they_were() {
        let mut new = json!({"a": [], "b": [], "c": [{"d": []}, []], "e": []});
        restore_empties(&mut new, &json!({"a": {}, "b": [1], "c": [{"d": {"x": 1}}, {}]}));
        assert_eq!(new, json!({"a": {}, "b": [], "c": [{"d": {}}, {}], "e": []}));
        assert_eq!(
            without_empties(&json!({"a": {}, "b": [null, 1], "c": {"d": []}})),
            Some(json!({"b": [1], "c": {}}))
        );
    }
}
