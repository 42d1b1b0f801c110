//! Where two values differ, place by place.

use serde_json::Value;

/// The places in which two values differ, as JSON pointers with what stands there. Lists of objects whose lengths differ
/// are compared as sets.
pub(crate) fn differing_places(recorded: &Value, answered: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk(Some(recorded), Some(answered), "", &mut found);
    found
}

fn walk(recorded: Option<&Value>, answered: Option<&Value>, at: &str, found: &mut Vec<String>) {
    match (recorded, answered) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            for (name, value) in one {
                walk(Some(value), other.get(name), &format!("{at}/{}", escaped(name)), found);
            }
            for (name, value) in other.iter().filter(|(name, _)| !one.contains_key(*name)) {
                walk(None, Some(value), &format!("{at}/{}", escaped(name)), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (index, pair) in one.iter().zip(other).enumerate() {
                walk(Some(pair.0), Some(pair.1), &format!("{at}/{index}"), found);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) => {
            for value in one.iter().filter(|value| !other.contains(value)) {
                found.push(format!("{at}: only recorded: {value}"));
            }
            for value in other.iter().filter(|value| !one.contains(value)) {
                found.push(format!("{at}: only ours: {value}"));
            }
        }
        (one, other) if one == other => {}
        (one, other) => {
            let shown = |value: Option<&Value>| value.map_or_else(|| "nothing".to_owned(), Value::to_string);
            found.push(format!("{at}: {} is {}", shown(one), shown(other)));
        }
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_place_is_told_once() {
        let recorded =
            json!({"a": {"b/c": 1, "same": 0}, "few": [1, 2], "gone": true, "list": [{"x": 1}, {"x": 2}]});
        let answered =
            json!({"a": {"b/c": 2, "same": 0}, "few": [2, 3, 4], "list": [{"x": 1}, {"x": 3}], "new": null});
        let told = [
            "/a/b~1c: 1 is 2",
            "/few: only recorded: 1",
            "/few: only ours: 3",
            "/few: only ours: 4",
            "/gone: true is nothing",
            "/list/1/x: 2 is 3",
            "/new: nothing is null",
        ];
        assert_eq!(differing_places(&recorded, &answered), told);
        assert_eq!(differing_places(&recorded, &recorded), Vec::<String>::new());
    }
}
