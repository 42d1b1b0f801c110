//! TOML as Helm's templates write and read it.

use crate::floats::format_float;
use crate::text::Text;
use crate::value::{List, Map, Value};
use std::fmt::Write as _;

/// Nesting beyond which a value is refused.
const DEEPEST: usize = 200;

/// Writes a map: plain members first, then tables, each sorted.
pub(crate) fn encode(value: &Value) -> Result<String, String> {
    let mut writer = Writer { out: String::new() };
    match table(value) {
        Some(members) => writer.table(&[], &members)?,
        None if tables(value).is_some() => {
            return Err("toml: top-level values must be Go maps or structs".into());
        }
        None => writer.inline(value, 0)?,
    }
    Ok(writer.out)
}

/// The members of what becomes a table.
fn table(value: &Value) -> Option<Vec<(Text, Value)>> {
    match value {
        Value::Map(map) => Some(map.entries()),
        Value::Object(object) => table(&object.json()),
        _ => None,
    }
}

fn tables(value: &Value) -> Option<&List> {
    match value {
        Value::List(list)
            if !list.items.is_empty() && list.items.iter().all(|item| matches!(item, Value::Map(_))) =>
        {
            Some(list)
        }
        _ => None,
    }
}

struct Writer {
    out: String,
}

fn key_text(key: &Text) -> String {
    let plain = !key.is_empty()
        && key.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if plain { key.to_str().into_owned() } else { quoted(&key.to_str()) }
}

fn path_text(path: &[Text]) -> String {
    path.iter().map(key_text).collect::<Vec<_>>().join(".")
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\0'..'\u{20}' | '\u{7F}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}

impl Writer {
    fn newline(&mut self) {
        if !self.out.is_empty() {
            self.out.push('\n');
        }
    }

    fn indent(&mut self, path: &[Text]) {
        for _ in 1..path.len() {
            self.out.push_str("  ");
        }
    }

    fn table(&mut self, path: &[Text], members: &[(Text, Value)]) -> Result<(), String> {
        if path.len() > DEEPEST {
            return Err("toml: values are nested too deep".into());
        }
        let inner = |key: &Text| [path, std::slice::from_ref(key)].concat();
        let nested = |value: &Value| table(value).is_some() || tables(value).is_some();
        for (key, value) in members.iter().filter(|(_, value)| !value.is_nil() && !nested(value)) {
            self.indent(&inner(key));
            let _ = write!(self.out, "{} = ", key_text(key));
            self.inline(value, path.len())?;
            self.out.push('\n');
        }
        for (key, value) in members.iter().filter(|(_, value)| nested(value)) {
            let path = inner(key);
            if let Some(members) = table(value) {
                if path.len() == 1 {
                    self.newline();
                }
                self.indent(&path);
                let _ = writeln!(self.out, "[{}]", path_text(&path));
                self.table(&path, &members)?;
            } else if let Some(list) = tables(value) {
                for item in &list.items {
                    self.newline();
                    self.indent(&path);
                    let _ = writeln!(self.out, "[[{}]]", path_text(&path));
                    self.table(&path, &table(item).unwrap_or_default())?;
                }
            }
        }
        Ok(())
    }

    fn inline(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("toml: values are nested too deep".into());
        }
        match value {
            Value::Missing | Value::Nil => return Err("toml: cannot encode array with nil element".into()),
            Value::Bool(flag) => {
                let _ = write!(self.out, "{flag}");
            }
            Value::Float(number) => self.out.push_str(&float(*number)),
            Value::String(text) => self.out.push_str(&quoted(&text.to_str())),
            Value::Time(time) => self.out.push_str(&time.format("2006-01-02T15:04:05.999999999Z07:00")),
            Value::List(list) => {
                self.out.push('[');
                for (index, item) in list.items.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.inline(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Value::Map(map) => {
                self.out.push('{');
                let members = map.entries();
                let members = members.iter().filter(|(_, member)| !member.is_nil());
                for (index, (key, member)) in members.enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    let _ = write!(self.out, "{} = ", key_text(key));
                    self.inline(member, depth + 1)?;
                }
                self.out.push('}');
            }
            other => match other.integer() {
                Some(number) => {
                    let _ = write!(self.out, "{number}");
                }
                None => return Err(format!("toml: unsupported type: {}", other.type_name())),
            },
        }
        Ok(())
    }
}

fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.into();
    }
    let text = format_float(number, 'g', None);
    if text.contains(['.', 'e']) { text } else { format!("{text}.0") }
}

/// Reads a document into a map.
pub(crate) fn decode(text: &Text) -> Result<Value, String> {
    let text = std::str::from_utf8(text.as_bytes()).map_err(|_| "toml: invalid UTF-8".to_owned())?;
    let table: ::toml::Table =
        text.parse().map_err(|error: ::toml::de::Error| format!("toml: {}", error.message()))?;
    Ok(Map::any(table.iter().map(|(key, value)| (Text::from(key.as_str()), value_of(value))).collect()))
}

fn value_of(value: &::toml::Value) -> Value {
    match value {
        ::toml::Value::String(text) => Value::text(text.as_str()),
        ::toml::Value::Integer(number) => Value::Int64(*number),
        ::toml::Value::Float(number) => Value::Float(*number),
        ::toml::Value::Boolean(flag) => Value::Bool(*flag),
        ::toml::Value::Datetime(time) => Value::text(time.to_string()),
        ::toml::Value::Array(items) => List::any(items.iter().map(value_of).collect()),
        ::toml::Value::Table(table) => {
            Map::any(table.iter().map(|(key, value)| (Text::from(key.as_str()), value_of(value))).collect())
        }
    }
}
