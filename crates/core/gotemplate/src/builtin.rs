//! The functions of `text/template` itself.

use crate::functions::Line;
use crate::machine::Machine;
use crate::print;
use crate::printf;
use crate::text::first_char;
use crate::value::{List, Value};
use std::cmp::Ordering;
use std::rc::Rc;

pub(crate) const LINES: &[Line] = &[
    ("call", "a*a", |_, arguments| match &arguments[0] {
        Value::Nil | Value::Missing => Err("call of nil".into()),
        Value::Object(function) if function.kind() == "func" => {
            function.call("", &arguments[1..]).unwrap_or_else(|| Err("call of nil".into()))
        }
        other => Err(format!("non-function {} of type {}", print::plain(other), other.type_name())),
    }),
    ("html", "*a", |machine, arguments| machine.escaped(arguments, html)),
    ("js", "*a", |machine, arguments| machine.escaped(arguments, js)),
    ("urlquery", "*a", |machine, arguments| machine.escaped(arguments, query)),
    ("index", "a*a", |_, arguments| index(&arguments[0], &arguments[1..])),
    ("slice", "a*a", |_, arguments| slice(&arguments[0], &arguments[1..])),
    ("len", "a", |_, arguments| length(&arguments[0])),
    ("not", "a", |_, arguments| Ok(Value::Bool(!arguments[0].truth()))),
    ("print", "*a", |machine, arguments| machine.made(print::sprint(arguments))),
    ("println", "*a", |machine, arguments| machine.made(print::sprintln(arguments))),
    ("printf", "s*a", |machine, arguments| {
        let Value::String(format) = &arguments[0] else { return Ok(Value::Missing) };
        machine.made(printf::sprintf(format.as_bytes(), &arguments[1..]))
    }),
    ("eq", "a*a", |_, arguments| equal(&arguments[0], &arguments[1..]).map(Value::Bool)),
    ("ne", "aa", |_, arguments| equal(&arguments[0], &arguments[1..]).map(|same| Value::Bool(!same))),
    ("lt", "aa", |_, arguments| less(&arguments[0], &arguments[1]).map(Value::Bool)),
    ("le", "aa", |_, arguments| less_or_equal(&arguments[0], &arguments[1]).map(Value::Bool)),
    ("gt", "aa", |_, arguments| {
        less_or_equal(&arguments[0], &arguments[1]).map(|answer| Value::Bool(!answer))
    }),
    ("ge", "aa", |_, arguments| less(&arguments[0], &arguments[1]).map(|answer| Value::Bool(!answer))),
];

impl Machine<'_> {
    /// A text a function made, counted.
    pub(crate) fn made(&mut self, bytes: Vec<u8>) -> Result<Value, String> {
        self.grow(bytes.len())?;
        Ok(Value::text(bytes))
    }

    fn escaped(&mut self, arguments: &[Value], escape: fn(&[u8]) -> Vec<u8>) -> Result<Value, String> {
        let shown = |value: &Value| if value.is_nil() { "<no value>".into() } else { value.clone() };
        let text = match arguments {
            [Value::String(text)] => escape(text.as_bytes()),
            _ => escape(&print::sprint(&arguments.iter().map(shown).collect::<Vec<_>>())),
        };
        self.made(text)
    }
}

fn html(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            0 => out.extend_from_slice("\u{FFFD}".as_bytes()),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            _ => out.push(byte),
        }
    }
    out
}

fn js(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (character, width) = first_char(rest);
        match character {
            '\\' => out.extend_from_slice(b"\\\\"),
            '\'' => out.extend_from_slice(b"\\'"),
            '"' => out.extend_from_slice(b"\\\""),
            '<' => out.extend_from_slice(b"\\u003C"),
            '>' => out.extend_from_slice(b"\\u003E"),
            '&' => out.extend_from_slice(b"\\u0026"),
            '=' => out.extend_from_slice(b"\\u003D"),
            '\0'..'\u{20}' => out.extend_from_slice(format!("\\u00{:02X}", rest[0]).as_bytes()),
            _ if character.is_ascii() || crate::quote::is_print(character) => {
                out.extend_from_slice(&rest[..width]);
            }
            _ => out.extend_from_slice(format!("\\u{:04X}", u32::from(character)).as_bytes()),
        }
        rest = &rest[width..];
    }
    out
}

/// `url.QueryEscape`
pub(crate) fn query(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(byte),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    out
}

fn place(index: &Value, length: usize) -> Result<usize, String> {
    let number = match index {
        Value::Nil | Value::Missing => return Err("cannot index slice/array with nil".into()),
        other => other
            .integer()
            .ok_or_else(|| format!("cannot index slice/array with type {}", other.type_name()))?,
    };
    match usize::try_from(number) {
        Ok(at) if at <= length => Ok(at),
        _ => Err(format!("index out of range: {number}")),
    }
}

fn index(item: &Value, indexes: &[Value]) -> Result<Value, String> {
    if item.is_nil() {
        return Err("index of untyped nil".into());
    }
    let mut item = item.clone();
    for index in indexes {
        let out_of_range = |at: usize| format!("reflect: slice index out of range: {at}");
        item = match &item {
            Value::Nil | Value::Missing => return Err("index of nil pointer".into()),
            Value::List(list) => {
                let at = place(index, list.items.len())?;
                list.items.get(at).cloned().ok_or_else(|| "reflect: slice index out of range".to_owned())?
            }
            Value::String(text) | Value::Bytes(text) => {
                let at = place(index, text.len())?;
                let byte = text.as_bytes().get(at).copied().ok_or_else(|| out_of_range(at))?;
                Value::Uint8(byte)
            }
            Value::Map(map) => match index {
                Value::String(key) => map.get(key.as_bytes()).unwrap_or_else(|| map.element.zero()),
                Value::Nil | Value::Missing => return Err("value is nil; should be of type string".into()),
                other => return Err(format!("value has type {}; should be string", other.type_name())),
            },
            Value::Object(object) if matches!(object.kind(), "map") => match index {
                Value::String(key) => object.field(&key.to_str()).unwrap_or(Value::Nil),
                other => return Err(format!("value has type {}; should be string", other.type_name())),
            },
            Value::Object(object) if object.kind() == "slice" => {
                let members = object.members();
                let at = place(index, members.len())?;
                members.into_iter().nth(at).map(|(_, member)| member).ok_or_else(|| out_of_range(at))?
            }
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

fn slice(item: &Value, indexes: &[Value]) -> Result<Value, String> {
    if item.is_nil() {
        return Err("slice of untyped nil".into());
    }
    if indexes.len() > 3 {
        return Err(format!("too many slice indexes: {}", indexes.len()));
    }
    let length = match item {
        Value::String(_) if indexes.len() == 3 => return Err("cannot 3-index slice a string".into()),
        Value::String(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.items.len(),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    let mut bounds = [0, length, length];
    for (bound, index) in bounds.iter_mut().zip(indexes) {
        *bound = place(index, length)?;
    }
    for pair in [(bounds[0], bounds[1]), (bounds[1], bounds[2])] {
        if pair.0 > pair.1 {
            return Err(format!("invalid slice index: {} > {}", pair.0, pair.1));
        }
    }
    let range = bounds[0]..bounds[1];
    Ok(match item {
        Value::String(text) => Value::text(&text.as_bytes()[range]),
        Value::Bytes(text) => Value::Bytes(text.as_bytes()[range].into()),
        Value::List(list) => Value::List(Rc::new(List {
            element: list.element,
            nil: list.nil,
            items: list.items[range].to_vec(),
        })),
        other => other.clone(),
    })
}

fn length(item: &Value) -> Result<Value, String> {
    let count = match item {
        Value::Nil | Value::Missing => return Err("len of nil pointer".into()),
        Value::String(text) | Value::Bytes(text) => text.len(),
        Value::List(list) => list.items.len(),
        Value::Map(map) => map.len(),
        Value::Object(object) if matches!(object.kind(), "map" | "slice") => object.members().len(),
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// What Go's comparisons tell apart.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    None,
    Bool,
    Complex,
    Int,
    Float,
    String,
    Uint,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Int(_) | Value::Int64(_) | Value::Int32(_) | Value::Duration(_) => Basic::Int,
        Value::Uint8(_) | Value::Uint64(_) => Basic::Uint,
        Value::Float(_) => Basic::Float,
        Value::Complex(..) => Basic::Complex,
        Value::String(_) => Basic::String,
        _ => Basic::None,
    }
}

fn incompatible(left: &Value, right: &Value) -> String {
    format!("incompatible types for comparison: {} and {}", left.type_name(), right.type_name())
}

#[expect(clippy::float_cmp, reason = "Go compares floats exactly")]
fn equal(left: &Value, others: &[Value]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".into());
    }
    for right in others {
        let same = match (left, right) {
            (Value::Bool(left), Value::Bool(right)) => left == right,
            (Value::String(left), Value::String(right)) => left == right,
            (Value::Float(left), Value::Float(right)) => left == right,
            (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
            _ => match (left.integer(), right.integer()) {
                (Some(left), Some(right)) => left == right,
                _ if basic(left) != basic(right) => {
                    if !left.is_nil() && !right.is_nil() {
                        return Err(incompatible(left, right));
                    }
                    false
                }
                _ => equal_others(left, right)?,
            },
        };
        if same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Values of no basic type: nil equals nil, and what cannot be compared is an error.
fn equal_others(left: &Value, right: &Value) -> Result<bool, String> {
    if left.is_nil() || right.is_nil() {
        return Ok(left.is_nil() && right.is_nil());
    }
    if left.kind() != right.kind() {
        let (left_text, right_text) = (shown(left), print::plain(right));
        return Err(format!(
            "non-comparable types {left_text}: {}, {}: {right_text}",
            left.type_name(),
            right.type_name()
        ));
    }
    match (left, right) {
        (Value::Time(left), Value::Time(right)) => Ok(left == right),
        (Value::List(_) | Value::Map(_) | Value::Bytes(_), _) => {
            Err(format!("non-comparable type {}: {}", shown(right), right.type_name()))
        }
        (Value::Object(left), Value::Object(right)) => Ok(Rc::ptr_eq(left, right)),
        _ => Ok(false),
    }
}

fn shown(value: &Value) -> String {
    String::from_utf8_lossy(&printf::sprintf(b"%s", std::slice::from_ref(value))).into_owned()
}

fn less(left: &Value, right: &Value) -> Result<bool, String> {
    if basic(left) == Basic::None || basic(right) == Basic::None {
        return Err("invalid type for comparison".into());
    }
    let order = match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.partial_cmp(right),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        _ => match (left.integer(), right.integer()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ if basic(left) != basic(right) => return Err(incompatible(left, right)),
            _ => return Err("invalid type for comparison".into()),
        },
    };
    Ok(order == Some(Ordering::Less))
}

fn less_or_equal(left: &Value, right: &Value) -> Result<bool, String> {
    if less(left, right)? {
        return Ok(true);
    }
    equal(left, std::slice::from_ref(right))
}
