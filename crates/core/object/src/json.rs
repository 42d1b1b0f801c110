//! JSON as Go's `encoding/json` writes it. Hashes, last-applied annotations and comparisons of the original
//! are made over these bytes, so they must agree to the last one.

use serde_json::{Map, Number, Value};
use std::fmt::Write as _;

/// Compact JSON with sorted keys, `<`, `>`, `&`, U+2028 and U+2029 escaped, floats in Go's format.
pub fn to_go_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

/// The same for the members of an object.
pub fn object_to_go_json(members: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_object(&mut out, members);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&go_number(number)),
        Value::String(text) => write_text(out, text),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Object(members) => write_object(out, members),
    }
}

fn write_object(out: &mut String, members: &Map<String, Value>) {
    let mut entries: Vec<_> = members.iter().collect();
    entries.sort_unstable_by(|left, right| left.0.cmp(right.0));
    out.push('{');
    for (index, (name, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(out, name);
        out.push(':');
        write_value(out, value);
    }
    out.push('}');
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// A number as Go prints it in JSON: the shortest digits, exponents only below 1e-6 and from 1e21.
pub fn go_number(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let Some(float) = number.as_f64() else { return number.to_string() };
    let magnitude = float.abs();
    if magnitude != 0.0 && !(1e-6..1e21).contains(&magnitude) {
        let (digits, exponent) = shortest(float);
        // Go shortens e-07 to e-7, but leaves e+21 and e-10 alone.
        return if exponent.unsigned_abs() < 10 {
            format!("{digits}e-{}", exponent.unsigned_abs())
        } else {
            format!("{digits}e{}{}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
        };
    }
    format!("{float}")
}

/// A float as Go's `strconv.FormatFloat(x, 'g', -1, 64)` prints it, which is how YAML has it.
pub(crate) fn go_general_float(float: f64) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    let (digits, exponent) = shortest(float);
    if (-4..6).contains(&exponent) {
        return format!("{float}");
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

/// Shortest decimal digits as `d.ddd` and their exponent.
pub(crate) fn shortest(float: f64) -> (String, i32) {
    let text = format!("{float:e}");
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or(0)),
        None => (text, 0),
    }
}
