//! JSON as Go's `encoding/json` writes and reads it.

use std::sync::Arc;

use base64::Engine as _;

use crate::text::json_float;
use crate::value::{Key, Map, MapKind, Value};

/// Deepest nesting that is written.
const DEPTH: usize = 1_000;

/// Indented by two blanks.
pub(crate) fn encode(value: &Value) -> Result<String, String> {
    let mut result = String::new();
    write(value, 0, &mut result)?;
    Ok(result)
}

pub(crate) fn decode(text: &str) -> Result<Value, String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(floats(&json))
}

/// Without a type to go by, every number is a float.
fn floats(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Number(number) => Value::Float(number.as_f64().unwrap_or(f64::INFINITY)),
        Json::Array(items) => Value::list(items.iter().map(floats).collect()),
        Json::Object(entries) => Value::map(entries.iter().map(|(key, value)| (key.as_str(), floats(value)))),
        other => Value::from_json(other),
    }
}

fn indent(depth: usize, result: &mut String) {
    result.push('\n');
    (0..depth).for_each(|_| result.push_str("  "));
}

fn write(value: &Value, depth: usize, result: &mut String) -> Result<(), String> {
    if depth > DEPTH {
        return Err("json: unsupported value: nested too deeply".to_owned());
    }
    match value {
        Value::Nil => result.push_str("null"),
        Value::Bool(value) => result.push_str(if *value { "true" } else { "false" }),
        Value::Int(value, _) | Value::Duration(value) => result.push_str(&value.to_string()),
        Value::Float(value) if !value.is_finite() => {
            return Err(format!("json: unsupported value: {}", crate::text::float(*value)));
        }
        Value::Float(value) => result.push_str(&json_float(*value)),
        Value::Text(text) => write_text(text, result),
        Value::Bytes(bytes) => {
            write_text(&base64::engine::general_purpose::STANDARD.encode(bytes), result);
        }
        Value::Time(time) => {
            write_text(&crate::time::format(time, "2006-01-02T15:04:05.999999999Z07:00"), result);
        }
        Value::List(list) if list.items.is_empty() => result.push_str("[]"),
        Value::List(list) => {
            for (place, item) in list.items.iter().enumerate() {
                result.push(if place == 0 { '[' } else { ',' });
                indent(depth + 1, result);
                write(item, depth + 1, result)?;
            }
            indent(depth, result);
            result.push(']');
        }
        Value::Map(map) => write_map(map, depth, result)?,
        Value::Zone(_) => result.push_str("{}"),
        Value::Function(_) => return Err("json: unsupported type: func".to_owned()),
    }
    Ok(())
}

fn write_map(map: &Arc<Map>, depth: usize, result: &mut String) -> Result<(), String> {
    if matches!(map.kind, MapKind::Any | MapKind::Groups) {
        let name = Value::Map(Arc::clone(map)).type_name();
        return Err(format!("json: unsupported type: {name}"));
    }
    if map.entries.is_empty() {
        result.push_str("{}");
        return Ok(());
    }
    for (place, (key, value)) in map.entries.iter().enumerate() {
        result.push(if place == 0 { '{' } else { ',' });
        indent(depth + 1, result);
        match key {
            Key::Text(text) => write_text(text, result),
            other => write_text(&other.value().to_string(), result),
        }
        result.push_str(": ");
        write(value, depth + 1, result)?;
    }
    indent(depth, result);
    result.push('}');
    Ok(())
}

fn write_text(text: &str, result: &mut String) {
    result.push('"');
    for character in text.chars() {
        match character {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\u{8}' => result.push_str("\\b"),
            '\u{c}' => result.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                result.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            it if u32::from(it) < 0x20 => result.push_str(&format!("\\u{:04x}", u32::from(it))),
            other => result.push(other),
        }
    }
    result.push('"');
}
