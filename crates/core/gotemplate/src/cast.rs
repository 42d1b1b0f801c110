//! Lenient conversions, as the `cast` library of the originals has them: what cannot be converted is zero.

use crate::number::{float, parse_float, parse_int, truncate};
use crate::print;
use crate::text::Text;
use crate::value::Value;

/// As `cast.ToInt64`.
pub(crate) fn to_int64(value: &Value) -> i64 {
    match value {
        Value::Int(number) | Value::Int64(number) => *number,
        Value::Int32(number) => i64::from(*number),
        Value::Uint8(number) => i64::from(*number),
        Value::Uint64(number) => i64::from_ne_bytes(number.to_ne_bytes()),
        Value::Float(number) => truncate(*number),
        Value::String(text) => parse_int(without_zero_decimals(&text.to_str()), 0).unwrap_or(0),
        Value::Bool(flag) => i64::from(*flag),
        _ => 0,
    }
}

/// As `cast.ToFloat64`.
pub(crate) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        Value::String(text) => parse_float(&text.to_str()).unwrap_or(0.0),
        Value::Uint64(number) => parse_float(&number.to_string()).unwrap_or(0.0),
        Value::Int(_) | Value::Int64(_) | Value::Int32(_) | Value::Uint8(_) | Value::Bool(_) => {
            float(to_int64(value))
        }
        _ => 0.0,
    }
}

/// `8.00` is `8`.
fn without_zero_decimals(text: &str) -> &str {
    let trimmed = text.trim_end_matches('0');
    match trimmed.strip_suffix('.') {
        Some(whole) if trimmed.len() < text.len() => whole,
        _ => text,
    }
}

/// As sprig's `toString`: strings as they are, everything else as `%v`.
pub(crate) fn to_text(value: &Value) -> Text {
    match value {
        Value::String(text) | Value::Bytes(text) => text.clone(),
        other => {
            let mut out = Vec::new();
            print::write_plain(&mut out, other);
            Text::from(out)
        }
    }
}

/// As sprig's `toStrings`: the members of a list that are not nil, or the value alone.
pub(crate) fn to_texts(value: &Value) -> Vec<Text> {
    match value {
        Value::Missing | Value::Nil => Vec::new(),
        Value::List(list) => list.items.iter().filter(|item| !item.is_nil()).map(to_text).collect(),
        Value::Bytes(bytes) => bytes.as_bytes().iter().map(|byte| Text::from(byte.to_string())).collect(),
        Value::Object(object) if object.kind() == "slice" => {
            object.members().iter().map(|(_, member)| to_text(member)).collect()
        }
        other => vec![to_text(other)],
    }
}
