//! YAML as `toYamlPretty` writes it: like `toYaml`, but the lists inside maps are indented.

use serde_json::Value;

/// Writes a value with the line break at its end.
pub(crate) fn encode(value: &Value) -> String {
    let plain = object::yaml::encode(value);
    if !has_nested_list(value) {
        return plain;
    }
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn has_nested_list(value: &Value) -> bool {
    match value {
        Value::Object(members) => members.values().any(|member| {
            matches!(member, Value::Array(items) if !items.is_empty()) || has_nested_list(member)
        }),
        Value::Array(items) => items.iter().any(has_nested_list),
        _ => false,
    }
}

fn indent(out: &mut String, depth: usize) {
    out.extend(std::iter::repeat_n("  ", depth));
}

/// A value on lines of its own.
fn write(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            // The plain writer knows the order of keys and how to spell them.
            for (key, shown) in keys(members) {
                indent(out, depth);
                out.push_str(&shown);
                out.push(':');
                member(out, &members[&key], depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                indent(out, depth);
                out.push('-');
                let start = out.len();
                match item {
                    Value::Object(members) if !members.is_empty() => write(out, item, depth + 1),
                    Value::Array(items) if !items.is_empty() => write(out, item, depth + 1),
                    _ => {
                        member(out, item, depth);
                        continue;
                    }
                }
                // The first line of the item stands behind its dash.
                out.replace_range(start..start + 2 * depth + 1, "");
                out.insert(start, ' ');
                let _ = start;
                fix_first(out, start, depth);
            }
        }
        _ => {
            out.push_str(&object::yaml::encode(value));
        }
    }
}

/// Makes exactly one space of what stands between the dash and the item.
fn fix_first(out: &mut String, start: usize, _depth: usize) {
    let tail = out.split_off(start);
    out.push(' ');
    out.push_str(tail.trim_start_matches(' '));
}

/// What follows a key or a dash.
fn member(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            out.push('\n');
            write(out, value, depth + 1);
        }
        Value::Array(items) if !items.is_empty() => {
            out.push('\n');
            write(out, value, depth + 1);
        }
        _ => {
            out.push(' ');
            let plain = object::yaml::encode(value);
            let mut lines = plain.lines();
            out.push_str(lines.next().unwrap_or_default());
            out.push('\n');
            for line in lines {
                if !line.is_empty() {
                    indent(out, depth);
                    out.push_str(line);
                }
                out.push('\n');
            }
        }
    }
}

/// The keys in the writer's order, each with how it is spelled.
fn keys(members: &serde_json::Map<String, Value>) -> Vec<(String, String)> {
    let bare: serde_json::Map<String, Value> =
        members.keys().map(|key| (key.clone(), Value::from(0))).collect();
    let text = object::yaml::encode(&Value::Object(bare));
    let decoded = |line: &str| {
        let shown = line.strip_suffix(": 0")?.to_owned();
        let value = object::yaml::decode(shown.as_bytes()).ok()?;
        let key = match value {
            Value::String(key) => key,
            other => other.to_string(),
        };
        members.contains_key(&key).then_some((key, shown))
    };
    text.lines().filter_map(decoded).collect()
}
