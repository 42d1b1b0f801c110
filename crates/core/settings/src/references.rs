//! `$key` and `$secret:key` in settings: what stands there is in a Secret. Where Secrets are is the caller's to know.

use serde_json::Value;

/// Nested deeper than this, nothing is replaced.
const DEEPEST: usize = 32;

/// Looks up `key` of `argocd-secret`, or `name:key` of another Secret.
pub type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

/// A text with its reference followed; what refers to nothing stays as it is, as in the original. The reference is
/// told to `missing` then.
pub fn resolve_text(text: &str, lookup: Lookup<'_>, missing: &mut Vec<String>) -> String {
    let Some(key) = text.strip_prefix('$').filter(|key| !key.is_empty()) else { return text.to_owned() };
    if let Some(found) = lookup(key) {
        return found.trim().to_owned();
    }
    missing.push(key.to_owned());
    text.to_owned()
}

/// Follows every reference among a document's texts; keys of maps are left alone.
pub fn resolve(value: &mut Value, lookup: Lookup<'_>, missing: &mut Vec<String>) {
    descend(value, lookup, missing, 0);
}

fn descend(value: &mut Value, lookup: Lookup<'_>, missing: &mut Vec<String>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::String(text) if text.starts_with('$') => *text = resolve_text(text, lookup, missing),
        Value::Array(entries) => {
            for entry in entries {
                descend(entry, lookup, missing, depth + 1);
            }
        }
        Value::Object(members) => {
            for member in members.values_mut() {
                descend(member, lookup, missing, depth + 1);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use serde_json::json;

    #[test]
    fn references_are_followed_wherever_they_stand() {
        let lookup = |key: &str| match key {
            "a" => Some(" one\n".to_owned()),
            "other:b" => Some("two".to_owned()),
            _ => None,
        };
        let mut value = json!({"x": "$a", "y": ["$other:b", {"z": "$none"}], "$a": 1, "w": "a$a", "v": "$"});
        let mut missing = Vec::new();
        resolve(&mut value, &lookup, &mut missing);
        assert_eq!(value, json!({"x": "one", "y": ["two", {"z": "$none"}], "$a": 1, "w": "a$a", "v": "$"}));
        assert_eq!(missing, ["none"]);
    }
}
