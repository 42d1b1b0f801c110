//! Strings: cutting, joining, testing, quoting.

use super::{count, int, text};
use crate::cast::{to_text, to_texts};
use crate::functions::Line;
use crate::machine::Machine;
use crate::quote::quote;
use crate::text::{Text, find, replace, split};
use crate::value::{Element, List, Map, Value};
use std::collections::BTreeMap;

pub(super) const LINES: &[Line] = &[
    ("hello", "", |_, _| Ok("Hello!".into())),
    ("abbrev", "is", |_, a| Ok(abbreviate(0, int(a, 0), &text(a, 1)))),
    ("abbrevboth", "iis", |_, a| Ok(abbreviate_both(int(a, 0), int(a, 1), &text(a, 2)))),
    ("trunc", "is", |_, a| Ok(Value::text(trunc(int(a, 0), text(a, 1).as_bytes())))),
    ("trim", "s", |_, a| Ok(Value::text(trim_space(text(a, 0).as_bytes())))),
    ("upper", "s", |_, a| Ok(Value::text(upper(&text(a, 0))))),
    ("lower", "s", |_, a| Ok(Value::text(lower(&text(a, 0))))),
    ("substr", "iis", |_, a| substring(int(a, 0), int(a, 1), &text(a, 2))),
    ("repeat", "is", |machine, a| repeat(machine, int(a, 0), &text(a, 1))),
    ("trimall", "ss", |_, a| Ok(trim_all(&text(a, 0), &text(a, 1)))),
    ("trimAll", "ss", |_, a| Ok(trim_all(&text(a, 0), &text(a, 1)))),
    ("trimSuffix", "ss", |_, a| {
        let (suffix, whole) = (text(a, 0), text(a, 1));
        Ok(Value::text(whole.as_bytes().strip_suffix(suffix.as_bytes()).unwrap_or(whole.as_bytes())))
    }),
    ("trimPrefix", "ss", |_, a| {
        let (prefix, whole) = (text(a, 0), text(a, 1));
        Ok(Value::text(whole.as_bytes().strip_prefix(prefix.as_bytes()).unwrap_or(whole.as_bytes())))
    }),
    ("contains", "ss", |_, a| Ok(Value::Bool(find(text(a, 1).as_bytes(), text(a, 0).as_bytes()).is_some()))),
    ("hasPrefix", "ss", |_, a| Ok(Value::Bool(text(a, 1).as_bytes().starts_with(text(a, 0).as_bytes())))),
    ("hasSuffix", "ss", |_, a| Ok(Value::Bool(text(a, 1).as_bytes().ends_with(text(a, 0).as_bytes())))),
    ("quote", "*a", |machine, a| machine.made(quoted(a, |value| quote(to_text(value).as_bytes()).into()))),
    ("squote", "*a", |machine, a| {
        machine.made(quoted(a, |value| {
            let mut out = vec![b'\''];
            crate::print::write_plain(&mut out, value);
            out.push(b'\'');
            out
        }))
    }),
    ("cat", "*a", |machine, a| {
        let mut out = Vec::new();
        for value in a.iter().filter(|value| !value.is_nil()) {
            if !out.is_empty() || value_before(a, value) {
                out.push(b' ');
            }
            crate::print::write_plain(&mut out, value);
        }
        machine.made(out)
    }),
    ("indent", "is", |machine, a| indent(machine, int(a, 0), &text(a, 1), false)),
    ("nindent", "is", |machine, a| indent(machine, int(a, 0), &text(a, 1), true)),
    ("replace", "sss", |machine, a| {
        let (from, to, whole) = (text(a, 0), text(a, 1), text(a, 2));
        let per = if from.is_empty() { 1 } else { from.len() };
        machine.grow(whole.len().saturating_add((whole.len() / per).saturating_mul(to.len())))?;
        machine.made(replace(whole.as_bytes(), from.as_bytes(), to.as_bytes()))
    }),
    ("plural", "ssi", |_, a| Ok(Value::String(text(a, usize::from(int(a, 2) != 1))))),
    ("toString", "a", |machine, a| machine.made(to_text(&a[0]).as_bytes().to_vec())),
    ("toStrings", "a", |_, a| Ok(List::strings(to_texts(&a[0])))),
    ("split", "ss", |machine, a| {
        machine.items(text(a, 1).len() / text(a, 0).len().max(1))?;
        Ok(numbered(split(text(a, 1).as_bytes(), text(a, 0).as_bytes(), None)))
    }),
    ("splitn", "sis", |_, a| {
        Ok(numbered(split(text(a, 2).as_bytes(), text(a, 0).as_bytes(), limit(int(a, 1)))))
    }),
    ("splitList", "ss", |machine, a| {
        machine.items(text(a, 1).len() / text(a, 0).len().max(1))?;
        Ok(List::strings(split(text(a, 1).as_bytes(), text(a, 0).as_bytes(), None)))
    }),
    ("join", "sa", |machine, a| {
        let (separator, parts) = (text(a, 0), to_texts(&a[1]));
        let length: usize = parts.iter().map(|part| part.len() + separator.len()).sum();
        machine.grow(length)?;
        let mut out = Vec::with_capacity(length);
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(separator.as_bytes());
            }
            out.extend_from_slice(part.as_bytes());
        }
        Ok(Value::text(out))
    }),
    ("sortAlpha", "a", |_, a| {
        Ok(match &a[0] {
            Value::List(_) | Value::Bytes(_) => {
                let mut texts = to_texts(&a[0]);
                texts.sort();
                List::strings(texts)
            }
            other => List::strings([to_text(other)]),
        })
    }),
    ("fail", "s", |_, a| Err(text(a, 0).to_str().into_owned())),
];

/// Whether something that is not nil stands before a value: `cat` puts a space even after an empty text.
fn value_before(values: &[Value], value: &Value) -> bool {
    values.iter().take_while(|other| !std::ptr::eq(*other, value)).any(|other| !other.is_nil())
}

fn limit(number: i64) -> Option<usize> {
    usize::try_from(number).ok()
}

fn numbered(parts: Vec<Text>) -> Value {
    let entries: BTreeMap<Text, Value> = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| (Text::from(format!("_{index}")), Value::String(part)))
        .collect();
    Map::of(Element::String, None, entries)
}

fn quoted(values: &[Value], one: impl Fn(&Value) -> Vec<u8>) -> Vec<u8> {
    let parts: Vec<Vec<u8>> = values.iter().filter(|value| !value.is_nil()).map(one).collect();
    parts.join(b" ".as_slice())
}

fn trunc(length: i64, bytes: &[u8]) -> &[u8] {
    let wanted = usize::try_from(length.unsigned_abs()).unwrap_or(usize::MAX);
    if length < 0 {
        return if wanted < bytes.len() { &bytes[bytes.len() - wanted..] } else { bytes };
    }
    &bytes[..wanted.min(bytes.len())]
}

fn substring(start: i64, end: i64, whole: &Text) -> Result<Value, String> {
    let bytes = whole.as_bytes();
    let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let (from, to) = match (start, end) {
        (start, end) if start < 0 => (0, end),
        (start, end) if end < 0 || end > length => (start, length),
        bounds => bounds,
    };
    let range = usize::try_from(from).ok().zip(usize::try_from(to).ok());
    match range.and_then(|(from, to)| bytes.get(from..to)) {
        Some(part) => Ok(Value::text(part)),
        None if to > length => {
            Err(format!("runtime error: slice bounds out of range [:{to}] with length {length}"))
        }
        None => Err(format!("runtime error: slice bounds out of range [{from}:{to}]")),
    }
}

fn repeat(machine: &mut Machine<'_>, times: i64, whole: &Text) -> Result<Value, String> {
    if times < 0 {
        return Err("strings: negative Repeat count".into());
    }
    machine.grow(count(times).saturating_mul(whole.len()))?;
    Ok(Value::text(whole.as_bytes().repeat(if whole.is_empty() { 0 } else { count(times) })))
}

fn is_go_space(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{A0}')
        || !character.is_ascii() && character.is_whitespace()
}

/// The bytes without white space around them.
pub(super) fn trim_space(bytes: &[u8]) -> &[u8] {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_matches(is_go_space).as_bytes(),
        Err(_) => bytes.trim_ascii(),
    }
}

fn trim_all(cut: &Text, whole: &Text) -> Value {
    let cut: Vec<char> = cut.to_str().chars().collect();
    match std::str::from_utf8(whole.as_bytes()) {
        Ok(text) => Value::text(text.trim_matches(cut.as_slice())),
        Err(_) => Value::String(whole.clone()),
    }
}

fn upper(whole: &Text) -> String {
    whole.to_str().chars().map(super::words::to_upper).collect()
}

fn lower(whole: &Text) -> String {
    whole.to_str().chars().map(super::words::to_lower).collect()
}

/// `Abbreviate` of the library behind sprig: three dots where something was left out.
fn abbreviate(offset: i64, width: i64, whole: &Text) -> Value {
    if width < 4 {
        return Value::String(whole.clone());
    }
    Value::text(abbreviated(whole.as_bytes(), count(offset), count(width)))
}

fn abbreviate_both(left: i64, right: i64, whole: &Text) -> Value {
    if right < 4 || left > 0 && right < 7 {
        return Value::String(whole.clone());
    }
    Value::text(abbreviated(whole.as_bytes(), count(left), count(right)))
}

fn abbreviated(bytes: &[u8], offset: usize, width: usize) -> Vec<u8> {
    let length = bytes.len();
    if bytes.is_empty() || width < 4 {
        return Vec::new();
    }
    if length <= width {
        return bytes.to_vec();
    }
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    let dots = b"...".as_slice();
    if offset <= 4 {
        return [&bytes[..width - 3], dots].concat();
    }
    if width < 7 {
        return Vec::new();
    }
    if offset + width - 3 < length {
        return [dots, &abbreviated(&bytes[offset..], 0, width - 3)].concat();
    }
    [dots, &bytes[length - (width - 3)..]].concat()
}

fn indent(machine: &mut Machine<'_>, spaces: i64, whole: &Text, newline: bool) -> Result<Value, String> {
    if spaces < 0 {
        return Err("strings: negative Repeat count".into());
    }
    let spaces = count(spaces);
    let lines = whole.as_bytes().iter().filter(|&&byte| byte == b'\n').count() + 1;
    let length = whole.len().saturating_add(lines.saturating_mul(spaces)).saturating_add(1);
    machine.grow(length)?;
    let mut out = Vec::with_capacity(length);
    if newline {
        out.push(b'\n');
    }
    for (index, line) in whole.as_bytes().split(|&byte| byte == b'\n').enumerate() {
        if index > 0 {
            out.push(b'\n');
        }
        out.resize(out.len() + spaces, b' ');
        out.extend_from_slice(line);
    }
    Ok(Value::text(out))
}
