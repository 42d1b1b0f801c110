//! JSON and YAML of values, as Go writes and reads them.

use crate::text::{Text, first_char};
use crate::time::json_text;
use crate::value::{Element, Map, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Nesting beyond which a value is refused: only a value that holds itself gets there.
const DEEPEST: usize = 500;

/// Compact JSON; with `html`, `<`, `>` and `&` are escaped.
pub(crate) fn to_json(value: &Value, html: bool) -> Result<String, String> {
    let mut writer = Writer { out: String::new(), html, pretty: false };
    writer.value(value, 0)?;
    Ok(writer.out)
}

/// JSON over lines, indented by two spaces.
pub(crate) fn to_pretty_json(value: &Value) -> Result<String, String> {
    let mut writer = Writer { out: String::new(), html: true, pretty: true };
    writer.value(value, 0)?;
    Ok(writer.out)
}

struct Writer {
    out: String,
    html: bool,
    pretty: bool,
}

impl Writer {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        if depth > DEEPEST {
            return Err("json: unsupported value: encountered a cycle".into());
        }
        match value {
            Value::Missing | Value::Nil => self.out.push_str("null"),
            Value::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Value::Float(number) => self.float(*number)?,
            Value::Complex(..) => return Err("json: unsupported type: complex128".into()),
            Value::String(text) => self.text(text.as_bytes()),
            Value::Bytes(bytes) => {
                let _ = write!(self.out, "\"{}\"", STANDARD.encode(bytes.as_bytes()));
            }
            Value::Time(time) => self.text(json_text(time).as_bytes()),
            Value::List(list) if list.nil => self.out.push_str("null"),
            Value::List(list) => {
                self.out.push('[');
                for (index, item) in list.items.iter().enumerate() {
                    self.separate(index, depth + 1);
                    self.value(item, depth + 1)?;
                }
                self.close(list.items.is_empty(), depth, ']');
            }
            Value::Map(map) => {
                self.out.push('{');
                let mut index = 0;
                map.visit(|key, member| {
                    self.separate(index, depth + 1);
                    index += 1;
                    self.text(key.as_bytes());
                    self.out.push_str(if self.pretty { ": " } else { ":" });
                    self.value(member, depth + 1)
                })?;
                self.close(index == 0, depth, '}');
            }
            Value::Object(object) => match object.json_fields() {
                None => self.value(&object.json(), depth + 1)?,
                Some(fields) => {
                    self.out.push('{');
                    for (index, (name, member)) in fields.iter().enumerate() {
                        self.separate(index, depth + 1);
                        self.text(name.as_bytes());
                        self.out.push_str(if self.pretty { ": " } else { ":" });
                        self.value(member, depth + 1)?;
                    }
                    self.close(fields.is_empty(), depth, '}');
                }
            },
            integer => {
                let _ = write!(self.out, "{}", integer.integer().unwrap_or(0));
            }
        }
        Ok(())
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.out.push(',');
        }
        self.line(depth);
    }

    fn close(&mut self, empty: bool, depth: usize, end: char) {
        if !empty {
            self.line(depth);
        }
        self.out.push(end);
    }

    fn line(&mut self, depth: usize) {
        if self.pretty {
            self.out.push('\n');
            for _ in 0..depth {
                self.out.push_str("  ");
            }
        }
    }

    fn float(&mut self, number: f64) -> Result<(), String> {
        match serde_json::Number::from_f64(number) {
            Some(number) => {
                self.out.push_str(&object::json::go_number(&number));
                Ok(())
            }
            None => {
                let shown = crate::floats::format_float(number, 'g', None);
                Err(format!("json: unsupported value: {shown}"))
            }
        }
    }

    fn text(&mut self, bytes: &[u8]) {
        self.out.push('"');
        let mut rest = bytes;
        while !rest.is_empty() {
            let (character, width) = first_char(rest);
            match character {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                '\u{FFFD}' if width == 1 => self.out.push_str("\\ufffd"),
                '<' | '>' | '&' if !self.html => self.out.push(character),
                '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..'\u{20}' => {
                    let _ = write!(self.out, "\\u{:04x}", u32::from(character));
                }
                _ => self.out.push(character),
            }
            rest = &rest[width..];
        }
        self.out.push('"');
    }
}

/// Any JSON value.
pub(crate) fn from_json(text: &Text) -> Result<Value, String> {
    let decoded: Result<serde_json::Value, _> = serde_json::from_slice(text.as_bytes());
    decoded.map(|value| Value::from_json(&value)).map_err(|_| crate::json_error::explain(text.as_bytes()))
}

/// What `encoding/json` calls the sort of a decoded value in its complaints.
pub(crate) fn sort_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        _ => "number",
    }
}

/// The value as a tree that the YAML writer takes. An error where JSON cannot hold it.
pub fn to_tree(value: &Value) -> Result<serde_json::Value, String> {
    tree(value, 0)
}

#[expect(clippy::float_cmp, reason = "a float that is a whole number is written as one")]
fn tree(value: &Value, depth: usize) -> Result<serde_json::Value, String> {
    if depth > DEEPEST {
        return Err("values are nested too deep".into());
    }
    Ok(match value {
        Value::Missing | Value::Nil => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Float(number) if number.abs() < 1e15 && number.trunc() == *number => {
            serde_json::Value::from(crate::number::truncate(*number))
        }
        Value::Float(number) => {
            let number = serde_json::Number::from_f64(*number).ok_or("json: unsupported value")?;
            // YAML sees the digits that JSON writes, and takes those of a whole number for one.
            let text = object::json::go_number(&number);
            match (text.parse::<i64>(), text.parse::<u64>()) {
                (Ok(whole), _) => whole.into(),
                (_, Ok(whole)) => whole.into(),
                _ => serde_json::Value::Number(number),
            }
        }
        Value::Uint64(number) => (*number).into(),
        Value::Complex(..) => return Err("json: unsupported type: complex128".into()),
        Value::String(text) => text.to_str().into_owned().into(),
        Value::Bytes(bytes) => STANDARD.encode(bytes.as_bytes()).into(),
        Value::Time(time) => json_text(time).to_str().into_owned().into(),
        Value::List(list) if list.nil => serde_json::Value::Null,
        Value::List(list) => {
            let items: Result<Vec<_>, String> = list.items.iter().map(|item| tree(item, depth + 1)).collect();
            items?.into()
        }
        Value::Map(map) => {
            let mut members = serde_json::Map::new();
            map.visit(|key, member| {
                members.insert(key.to_str().into_owned(), tree(member, depth + 1)?);
                Ok::<(), String>(())
            })?;
            members.into()
        }
        Value::Object(object) => tree(&object.json(), depth + 1)?,
        integer => {
            serde_json::Value::from(integer.integer().and_then(|n| i64::try_from(n).ok()).unwrap_or(0))
        }
    })
}

/// YAML as `sigs.k8s.io/yaml` writes it, with the line break at its end.
pub fn to_yaml(value: &Value) -> Result<String, String> {
    let tree = tree(value, 0)?;
    if has_control_characters(&tree) {
        return Err("yaml: control characters are not allowed".into());
    }
    if !begins_with_mark(&tree) {
        return Ok(object::yaml::encode(&tree));
    }
    let mut marked = Vec::new();
    let tree = without_marks(tree, &mut marked);
    let mut yaml = object::yaml::encode(&tree);
    for (index, text) in marked.iter().enumerate() {
        yaml = yaml.replacen(&placeholder(index), &all_escaped(text), 1);
    }
    Ok(yaml)
}

fn begins_with_mark(tree: &serde_json::Value) -> bool {
    match tree {
        serde_json::Value::String(text) => text.starts_with('\u{FEFF}'),
        serde_json::Value::Array(items) => items.iter().any(begins_with_mark),
        serde_json::Value::Object(members) => members.values().any(begins_with_mark),
        _ => false,
    }
}

fn placeholder(index: usize) -> String {
    format!("byte-order-mark-{index:08}-stands-first")
}

/// Puts placeholders where a text begins with a byte order mark: the original's writer takes every character of
/// such a text for a mark and escapes it.
fn without_marks(tree: serde_json::Value, marked: &mut Vec<String>) -> serde_json::Value {
    match tree {
        serde_json::Value::String(text) if text.starts_with('\u{FEFF}') => {
            marked.push(text);
            placeholder(marked.len() - 1).into()
        }
        serde_json::Value::Array(items) => {
            serde_json::Value::Array(items.into_iter().map(|item| without_marks(item, marked)).collect())
        }
        serde_json::Value::Object(members) => {
            let mut members: Vec<_> = members.into_iter().collect();
            members.sort_by(|left, right| left.0.cmp(&right.0));
            let each = members.into_iter().map(|(key, member)| (key, without_marks(member, marked)));
            serde_json::Value::Object(each.collect())
        }
        other => other,
    }
}

fn all_escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        let code = u32::from(character);
        let _ = match character {
            '\0' => write!(out, "\\0"),
            '\u{7}' => write!(out, "\\a"),
            '\u{8}' => write!(out, "\\b"),
            '\t' => write!(out, "\\t"),
            '\n' => write!(out, "\\n"),
            '\u{b}' => write!(out, "\\v"),
            '\u{c}' => write!(out, "\\f"),
            '\r' => write!(out, "\\r"),
            '\u{1b}' => write!(out, "\\e"),
            '"' | '\\' => write!(out, "\\{character}"),
            '\u{85}' => write!(out, "\\N"),
            '\u{A0}' => write!(out, "\\_"),
            '\u{2028}' => write!(out, "\\L"),
            '\u{2029}' => write!(out, "\\P"),
            _ if code <= 0xFF => write!(out, "\\x{code:02X}"),
            _ if code <= 0xFFFF => write!(out, "\\u{code:04X}"),
            _ => write!(out, "\\U{code:08X}"),
        };
    }
    out.push('"');
    out
}

/// The tree as `toYamlPretty` takes it: floats stay floats, and large ones show their exponent.
pub(crate) fn to_pretty_tree(value: &Value) -> Result<serde_json::Value, String> {
    let mut tree = tree(value, 0)?;
    unround(&mut tree, value);
    Ok(tree)
}

/// Makes floats again of the whole numbers that floats became.
fn unround(tree: &mut serde_json::Value, value: &Value) {
    match (tree, value) {
        (serde_json::Value::Array(items), Value::List(list)) => {
            items.iter_mut().zip(&list.items).for_each(|(item, value)| unround(item, value));
        }
        (serde_json::Value::Object(members), Value::Map(map)) => {
            for (key, value) in map.entries() {
                if let Some(member) = members.get_mut(&*key.to_str()) {
                    unround(member, &value);
                }
            }
        }
        (tree, Value::Float(number)) if number.abs() >= 1e6 => {
            if let Some(number) = serde_json::Number::from_f64(*number) {
                *tree = serde_json::Value::Number(number);
            }
        }
        _ => {}
    }
}

/// Whether a text holds what JSON writes as it is and YAML does not read: the original fails on the way.
fn has_control_characters(tree: &serde_json::Value) -> bool {
    let forbidden = |text: &str| {
        text.bytes().any(|byte| matches!(byte, 0x7F | 0xC2 | 0xEF))
            && text.chars().any(|character| {
                matches!(character, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}')
            })
    };
    match tree {
        serde_json::Value::String(text) => forbidden(text),
        serde_json::Value::Array(items) => items.iter().any(has_control_characters),
        serde_json::Value::Object(members) => {
            members.iter().any(|(key, member)| forbidden(key) || has_control_characters(member))
        }
        _ => false,
    }
}

/// A value read from YAML, numbers as `float64`.
pub(crate) fn from_yaml(text: &Text) -> Result<Value, String> {
    let decoded = object::yaml::decode(text.as_bytes()).map_err(|error| error.message)?;
    Ok(Value::from_json(&decoded))
}

/// An empty map with one member that says what went wrong.
pub(crate) fn error_map(message: String) -> Value {
    Map::any(BTreeMap::from([(Text::from("Error"), Value::text(message))]))
}

/// A map of strings.
pub fn string_map(entries: impl IntoIterator<Item = (Text, Text)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (key, Value::String(value))).collect();
    Map::of(Element::String, None, entries)
}
