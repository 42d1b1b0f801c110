//! What a tree means once it was written and read again, as the original does with every object before printing it.

use super::text::scalar_style;
use super::{Content, Key, Node, Scalar, Tag, block, resolve, resolve::resolve_tagged, style};
use crate::error::{Error, Result};
use base64::Engine as _;
use libyaml_safer::ScalarStyle;
use serde_json::{Map, Number, Value};
use std::borrow::Cow;
use std::collections::HashSet;

/// Fields from which on looking for repeated ones needs a set.
const MANY_FIELDS: usize = 24;

impl Node {
    /// The tree as a JSON value.
    pub(crate) fn to_value(&self) -> Result<Value> {
        self.value(false, true)
    }

    fn value(&self, in_flow: bool, top: bool) -> Result<Value> {
        let in_flow = in_flow || self.style & style::FLOW != 0;
        match &self.content {
            Content::Scalar(text) => scalar_value(self, &reread(text, self.style, in_flow)?, in_flow),
            Content::Sequence(items) => {
                items.iter().map(|item| item.value(in_flow, false)).collect::<Result<_>>().map(Value::Array)
            }
            Content::Mapping(fields) => {
                check_repeated(fields)?;
                let mut members = Map::new();
                for (key, value) in fields {
                    if !top && !key.is_string(in_flow) {
                        return Err(Error::invalid(format!(
                            "json: unsupported type: map[interface {{}}]interface {{}} (key {:?} is not a string)",
                            key.text
                        )));
                    }
                    members.insert(key.text.clone(), value.value(in_flow, false)?);
                }
                Ok(Value::Object(members))
            }
        }
    }

    /// A tree of a JSON value, as a map of Go's JSON becomes YAML: block style, all numbers floats.
    pub(crate) fn from_go_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::tagged("null", Tag::Null),
            Value::Bool(flag) => Self::tagged(flag.to_string(), Tag::Bool),
            Value::Number(number) => {
                let text = number.as_f64().map_or_else(|| number.to_string(), general_float);
                let tag = resolve(&text).tag();
                Self::tagged(text, tag)
            }
            Value::String(text) => {
                let mut node = Self::string(text.clone());
                if node.style == style::PLAIN && !reads_as_text(text) {
                    node.style = style::DOUBLE_QUOTED;
                }
                node
            }
            Value::Array(items) => {
                let mut node = Self::sequence(items.iter().map(Self::from_go_json).collect());
                node.tag = Tag::Seq;
                node
            }
            Value::Object(members) => {
                let mut fields: Vec<_> = members
                    .iter()
                    .map(|(name, value)| {
                        (Key { tag: Tag::Str, ..Key::new(name.clone()) }, Self::from_go_json(value))
                    })
                    .collect();
                fields.sort_by(|left, right| left.0.text.cmp(&right.0.text));
                Self::with(Content::Mapping(fields), Tag::Map, style::PLAIN)
            }
        }
    }

    /// A tree of a JSON text: flow style, strings in quotes.
    pub(crate) fn from_json_text(value: &Value) -> Self {
        match value {
            Value::Null => Self::tagged("null", Tag::Null),
            Value::Bool(flag) => Self::tagged(flag.to_string(), Tag::Bool),
            Value::Number(number) => {
                let text = object::json::go_number(number);
                let tag = resolve(&text).tag();
                Self::tagged(text, tag)
            }
            Value::String(text) => Self::with(Content::Scalar(text.clone()), Tag::Str, style::DOUBLE_QUOTED),
            Value::Array(items) => {
                let items = items.iter().map(Self::from_json_text).collect();
                Self::with(Content::Sequence(items), Tag::Seq, style::FLOW)
            }
            Value::Object(members) => {
                let mut fields: Vec<_> = members
                    .iter()
                    .map(|(name, value)| {
                        let key = Key { text: name.clone(), tag: Tag::Str, style: style::DOUBLE_QUOTED };
                        (key, Self::from_json_text(value))
                    })
                    .collect();
                fields.sort_by(|left, right| left.0.text.cmp(&right.0.text));
                Self::with(Content::Mapping(fields), Tag::Map, style::FLOW)
            }
        }
    }
}

impl Key {
    fn is_string(&self, in_flow: bool) -> bool {
        match self.tag {
            Tag::Str => true,
            Tag::None => {
                self.style & style::QUOTED != 0
                    || (self.text.is_empty() && in_flow)
                    || resolve(&self.text) == Scalar::Text
            }
            _ => false,
        }
    }
}

fn check_repeated(fields: &[(Key, Node)]) -> Result<()> {
    let repeated = |name: &str| Err(Error::invalid(format!("mapping key {name:?} already defined")));
    if fields.len() < MANY_FIELDS {
        for (at, (key, _)) in fields.iter().enumerate() {
            if fields[..at].iter().any(|(earlier, _)| earlier.text == key.text) {
                return repeated(&key.text);
            }
        }
        return Ok(());
    }
    let mut seen = HashSet::with_capacity(fields.len());
    fields.iter().try_for_each(
        |(key, _)| {
            if seen.insert(key.text.as_str()) { Ok(()) } else { repeated(&key.text) }
        },
    )
}

/// The text as it is written and read again.
fn reread(text: &str, written: u8, in_flow: bool) -> Result<Cow<'_, str>> {
    match scalar_style(text, written) {
        ScalarStyle::Literal if !in_flow => block::literal(text).map(Cow::Borrowed),
        ScalarStyle::Folded if !in_flow => block::folded(text),
        _ => Ok(Cow::Borrowed(text)),
    }
}

fn scalar_value(node: &Node, text: &str, in_flow: bool) -> Result<Value> {
    match node.tag {
        Tag::Str | Tag::Other => return Ok(Value::String(text.to_owned())),
        Tag::Binary => {
            let clean: String = text.chars().filter(|character| !matches!(character, '\n' | '\r')).collect();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(clean)
                .map_err(|_| Error::invalid("yaml: !!binary value contains invalid base64 data"))?;
            return Ok(Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        }
        _ => {}
    }
    let found = resolve(text);
    let explicit = node.tag != Tag::None && (node.style & style::TAGGED != 0 || found.tag() != node.tag);
    if explicit {
        let found = resolve_tagged(node.tag, text).map_err(|found| {
            let (found, wanted) = (found.short(), node.tag.short());
            Error::invalid(format!("yaml: cannot decode {found} `{text}` as a {wanted}"))
        })?;
        return typed(found, text);
    }
    let quoted =
        node.style & style::QUOTED != 0 || text.contains('\n') || (in_flow && needs_quotes_in_flow(text));
    if quoted { Ok(Value::String(text.to_owned())) } else { typed(found, text) }
}

/// A plain scalar inside `{}` or `[]` gets quotes when it is empty or holds what means something there.
fn needs_quotes_in_flow(text: &str) -> bool {
    text.is_empty() || text.contains([',', '?', '[', ']', '{', '}', ':'])
}

fn typed(scalar: Scalar, text: &str) -> Result<Value> {
    Ok(match scalar {
        Scalar::Null => Value::Null,
        Scalar::Bool(flag) => Value::Bool(flag),
        Scalar::Int(number) => Value::from(number),
        Scalar::Unsigned(number) => Value::from(number),
        Scalar::Float(float) => float_value(float)
            .ok_or_else(|| Error::invalid(format!("json: unsupported value: {}", go_special(float))))?,
        Scalar::Timestamp(time) => Value::String(time),
        Scalar::Text => Value::String(text.to_owned()),
    })
}

/// Whole floats lose their fraction, as Go's JSON writes them.
fn float_value(float: f64) -> Option<Value> {
    if float.is_finite()
        && float.fract() == 0.0
        && float.abs() < 9.0e15
        && (float != 0.0 || float.is_sign_positive())
    {
        return Some(Value::from(float as i64));
    }
    Number::from_f64(float).map(Value::Number)
}

fn go_special(float: f64) -> &'static str {
    match float {
        _ if float.is_nan() => "NaN",
        _ if float > 0.0 => "+Inf",
        _ => "-Inf",
    }
}

/// Go's `strconv.FormatFloat(x, 'g', -1, 64)`.
pub(crate) fn general_float(float: f64) -> String {
    let text = format!("{float:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{float}");
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.unsigned_abs())
}

fn reads_as_text(text: &str) -> bool {
    resolve(text) == Scalar::Text
        && !matches!(
            text,
            "y" | "Y"
                | "yes"
                | "Yes"
                | "YES"
                | "on"
                | "On"
                | "ON"
                | "n"
                | "N"
                | "no"
                | "No"
                | "NO"
                | "off"
                | "Off"
                | "OFF"
        )
}

/// Go's JSON with an indentation of two spaces.
pub(crate) fn indented_json(value: &Value) -> String {
    let mut out = String::new();
    write_indented(value, 0, &mut out);
    out
}

fn write_indented(value: &Value, depth: usize, out: &mut String) {
    let line = |depth: usize, out: &mut String| {
        out.push('\n');
        out.push_str(&"  ".repeat(depth));
    };
    match value {
        Value::Array(items) if !items.is_empty() => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                write_indented(item, depth + 1, out);
            }
            line(depth, out);
            out.push(']');
        }
        Value::Object(members) if !members.is_empty() => {
            let mut entries: Vec<_> = members.iter().collect();
            entries.sort_by(|left, right| left.0.cmp(right.0));
            out.push('{');
            for (at, (name, item)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(depth + 1, out);
                out.push_str(&object::to_go_json(&Value::String(name.clone())));
                out.push_str(": ");
                write_indented(item, depth + 1, out);
            }
            line(depth, out);
            out.push('}');
        }
        other => out.push_str(&object::to_go_json(other)),
    }
}
