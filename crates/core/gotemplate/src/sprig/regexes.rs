//! Regular expressions.

use super::{int, text};
use crate::functions::Line;
use crate::machine::Machine;
use crate::regexp::replace_all;
use crate::text::Text;
use crate::value::{Element, List, Value};

pub(super) const LINES: &[Line] = &[
    ("regexMatch", "ss", |machine, a| Ok(Value::Bool(matches(machine, a).unwrap_or(false)))),
    ("mustRegexMatch", "ss", |machine, a| matches(machine, a).map(Value::Bool)),
    ("regexFindAll", "ssi", |machine, a| find_all(machine, a, true)),
    ("mustRegexFindAll", "ssi", |machine, a| find_all(machine, a, false)),
    ("regexFind", "ss", |machine, a| find(machine, a, true)),
    ("mustRegexFind", "ss", |machine, a| find(machine, a, false)),
    ("regexReplaceAll", "sss", |machine, a| replaced(machine, a, false, true)),
    ("mustRegexReplaceAll", "sss", |machine, a| replaced(machine, a, false, false)),
    ("regexReplaceAllLiteral", "sss", |machine, a| replaced(machine, a, true, true)),
    ("mustRegexReplaceAllLiteral", "sss", |machine, a| replaced(machine, a, true, false)),
    ("regexSplit", "ssi", |machine, a| split(machine, a, true)),
    ("mustRegexSplit", "ssi", |machine, a| split(machine, a, false)),
    ("regexQuoteMeta", "s", |_, a| Ok(quote_meta(&text(a, 0)))),
];

/// The expression in the first argument. Functions without `must` panic in Go, and say so.
fn compiled(machine: &mut Machine<'_>, a: &[Value], panics: bool) -> Result<regex::bytes::Regex, String> {
    let pattern = text(a, 0);
    machine.spend(1)?;
    machine.grow(text(a, 1).len())?;
    machine.regex(&pattern).map_err(|message| {
        if panics { format!("regexp: Compile({}): {message}", backquoted(&pattern)) } else { message }
    })
}

fn backquoted(pattern: &Text) -> String {
    let shown = pattern.to_str();
    if shown.contains('`') { crate::quote::quote(pattern.as_bytes()) } else { format!("`{shown}`") }
}

fn matches(machine: &mut Machine<'_>, a: &[Value]) -> Result<bool, String> {
    Ok(compiled(machine, a, false)?.is_match(text(a, 1).as_bytes()))
}

fn find_all(machine: &mut Machine<'_>, a: &[Value], panics: bool) -> Result<Value, String> {
    let regex = compiled(machine, a, panics)?;
    let whole = text(a, 1);
    let limit = usize::try_from(int(a, 2)).unwrap_or(usize::MAX);
    let found: Vec<Text> =
        regex.find_iter(whole.as_bytes()).take(limit).map(|found| Text::from(found.as_bytes())).collect();
    machine.items(found.len())?;
    Ok(if found.is_empty() { List::nil(Element::String) } else { List::strings(found) })
}

fn find(machine: &mut Machine<'_>, a: &[Value], panics: bool) -> Result<Value, String> {
    let regex = compiled(machine, a, panics)?;
    let whole = text(a, 1);
    Ok(Value::text(regex.find(whole.as_bytes()).map_or(b"".as_slice(), |found| found.as_bytes())))
}

fn replaced(machine: &mut Machine<'_>, a: &[Value], literal: bool, panics: bool) -> Result<Value, String> {
    let regex = compiled(machine, a, panics)?;
    let (whole, template) = (text(a, 1), text(a, 2));
    let places = regex.find_iter(whole.as_bytes()).count();
    machine.grow(whole.len().saturating_add(places.saturating_mul(template.len())))?;
    let out = if literal {
        regex.replace_all(whole.as_bytes(), regex::bytes::NoExpand(template.as_bytes())).into_owned()
    } else {
        replace_all(&regex, whole.as_bytes(), template.as_bytes())
    };
    machine.made(out)
}

fn split(machine: &mut Machine<'_>, a: &[Value], panics: bool) -> Result<Value, String> {
    let regex = compiled(machine, a, panics)?;
    let whole = text(a, 1);
    let bytes = whole.as_bytes();
    let limit = usize::try_from(int(a, 2)).ok();
    if limit == Some(0) {
        return Ok(List::nil(Element::String));
    }
    if bytes.is_empty() && !text(a, 0).is_empty() {
        return Ok(List::strings([Text::default()]));
    }
    let mut parts = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(bytes) {
        if limit.is_some_and(|limit| parts.len() + 1 == limit) {
            break;
        }
        end = found.start();
        if found.end() != 0 {
            parts.push(Text::from(&bytes[begin..end]));
        }
        begin = found.end();
    }
    if end != bytes.len() {
        parts.push(Text::from(&bytes[begin..]));
    }
    machine.items(parts.len())?;
    Ok(List::strings(parts))
}

fn quote_meta(whole: &Text) -> Value {
    let mut out = Vec::with_capacity(whole.len() + 8);
    for &byte in whole.as_bytes() {
        if br"\.+*?()|[]{}^$".contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
    Value::text(out)
}
