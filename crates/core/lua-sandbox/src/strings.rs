//! `string.find`, `match`, `gmatch` and `gsub` over the budgeted matcher.

use crate::meter::Meter;
use crate::pattern::{Capture, Matcher};
use crate::values::number;
use mlua::{Function, Lua, LuaString, MultiValue, Table, Value};
use std::sync::Arc;

/// Puts the budgeted functions in place of the interpreter's.
pub(crate) fn replace(lua: &Lua, string: &Table, meter: &Arc<Meter>) -> mlua::Result<()> {
    let shared = Arc::clone(meter);
    let find = move |lua: &Lua, (text, pattern, start, plain): FindArguments| {
        let text = text.as_bytes();
        let pattern = pattern.as_bytes();
        if plain.unwrap_or(false) || !pattern.iter().any(|letter| b"^$*+?.([%-".contains(letter)) {
            return find_plain(&text, &pattern, start, &shared);
        }
        search(lua, &text, &pattern, start, true, &shared)
    };
    string.set("find", lua.create_function(find)?)?;
    let shared = Arc::clone(meter);
    let match_ = move |lua: &Lua, (text, pattern, start): (LuaString, LuaString, Option<f64>)| {
        search(lua, &text.as_bytes(), &pattern.as_bytes(), start, false, &shared)
    };
    string.set("match", lua.create_function(match_)?)?;
    let shared = Arc::clone(meter);
    let gmatch = move |lua: &Lua, (text, pattern): (LuaString, LuaString)| {
        each_match(lua, text.as_bytes().to_vec(), pattern.as_bytes().to_vec(), Arc::clone(&shared))
    };
    string.set("gmatch", lua.create_function(gmatch)?)?;
    let shared = Arc::clone(meter);
    let gsub = move |lua: &Lua, (text, pattern, with, most): GsubArguments| {
        substitute(lua, &text.as_bytes(), &pattern.as_bytes(), &with, most, &shared)
    };
    string.set("gsub", lua.create_function(gsub)?)?;
    Ok(())
}

/// Bytes that cost one step in a function that makes a string of others.
const BYTES_PER_STEP: usize = 4;

/// Makes functions pay for the strings they make. `rep` pays before it starts.
pub(crate) fn count(lua: &Lua, library: &Table, names: &[&str], meter: &Arc<Meter>) -> mlua::Result<()> {
    for name in names {
        let original: Function = library.get(*name)?;
        let meter = Arc::clone(meter);
        let repeats = *name == "rep";
        let counted = move |_: &Lua, arguments: MultiValue| {
            let taken: usize = arguments.iter().map(length).sum();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
            let times = arguments.get(1).and_then(number).filter(|_| repeats).unwrap_or(1.0) as usize;
            meter.charge((taken.saturating_mul(times) / BYTES_PER_STEP) as u64)?;
            let made: Value = original.call(arguments)?;
            meter.charge((length(&made) / BYTES_PER_STEP) as u64)?;
            Ok(made)
        };
        library.set(*name, lua.create_function(counted)?)?;
    }
    Ok(())
}

fn length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.as_bytes().len(),
        _ => 0,
    }
}

type FindArguments = (LuaString, LuaString, Option<f64>, Option<bool>);
type GsubArguments = (LuaString, LuaString, Value, Option<f64>);

/// Where to start, counted from 0; none when that is behind the end.
fn start_of(start: Option<f64>, length: usize) -> Option<usize> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and is compared with the length")]
    let start = start.unwrap_or(1.0) as i64;
    let length_signed = i64::try_from(length).unwrap_or(i64::MAX);
    let from = if start > 0 {
        start - 1
    } else if start == 0 {
        0
    } else {
        length_signed.saturating_add(start).max(0)
    };
    usize::try_from(from).ok().filter(|from| *from <= length)
}

fn place(at: usize) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "Lua has no other numbers")]
    Value::Number(at as f64)
}

fn find_plain(text: &[u8], wanted: &[u8], start: Option<f64>, meter: &Meter) -> mlua::Result<MultiValue> {
    let nothing = || MultiValue::from_iter([Value::Nil]);
    let Some(from) = start_of(start, text.len()) else { return Ok(nothing()) };
    meter.charge((text.len() - from) as u64)?;
    if wanted.is_empty() {
        return Ok(MultiValue::from_iter([place(from + 1), place(from)]));
    }
    for (offset, window) in text[from..].windows(wanted.len()).enumerate() {
        if window[0] == wanted[0] {
            meter.charge(wanted.len() as u64 / 16)?;
            if window == wanted {
                let at = from + offset;
                return Ok(MultiValue::from_iter([place(at + 1), place(at + wanted.len())]));
            }
        }
    }
    Ok(nothing())
}

fn search(
    lua: &Lua,
    text: &[u8],
    pattern: &[u8],
    start: Option<f64>,
    with_places: bool,
    meter: &Meter,
) -> mlua::Result<MultiValue> {
    let nothing = || MultiValue::from_iter([Value::Nil]);
    let Some(from) = start_of(start, text.len()) else { return Ok(nothing()) };
    let anchored = pattern.first() == Some(&b'^');
    let mut matcher = Matcher::new(text, pattern, meter);
    for at in from..=text.len() {
        if let Some(end) = matcher.match_at(at, usize::from(anchored))? {
            let mut values = Vec::new();
            if with_places {
                values.extend([place(at + 1), place(end)]);
            }
            if !(with_places && matcher.captures.is_empty()) {
                values.extend(captured(lua, text, &matcher.captures, at, end)?);
            }
            return Ok(MultiValue::from_iter(values));
        }
        if anchored {
            break;
        }
    }
    Ok(nothing())
}

/// The captures, or the whole match where the pattern has none.
fn captured(lua: &Lua, text: &[u8], captures: &[Capture], at: usize, end: usize) -> mlua::Result<Vec<Value>> {
    if captures.is_empty() {
        return Ok(vec![Value::String(lua.create_string(&text[at..end])?)]);
    }
    let value = |capture: &Capture| match *capture {
        Capture::Text(from, to) => lua.create_string(&text[from..to]).map(Value::String),
        Capture::Position(at) => Ok(place(at + 1)),
        Capture::Open(_) => Err(mlua::Error::runtime("unfinished capture")),
    };
    captures.iter().map(value).collect()
}

fn each_match(lua: &Lua, text: Vec<u8>, pattern: Vec<u8>, meter: Arc<Meter>) -> mlua::Result<Function> {
    let mut from = 0;
    lua.create_function_mut(move |lua, _: MultiValue| {
        let mut matcher = Matcher::new(&text, &pattern, &meter);
        let begin = from;
        for at in begin..=text.len() {
            if let Some(end) = matcher.match_at(at, 0)? {
                from = if end == at { end + 1 } else { end };
                let values = captured(lua, &text, &matcher.captures, at, end)?;
                return Ok(MultiValue::from_iter(values));
            }
        }
        from = text.len() + 1;
        Ok(MultiValue::from_iter([Value::Nil]))
    })
}

fn substitute(
    lua: &Lua,
    text: &[u8],
    pattern: &[u8],
    with: &Value,
    most: Option<f64>,
    meter: &Meter,
) -> mlua::Result<(LuaString, f64)> {
    let anchored = pattern.first() == Some(&b'^');
    let most = most.unwrap_or(f64::INFINITY);
    let mut matcher = Matcher::new(text, pattern, meter);
    let mut result = Vec::with_capacity(text.len());
    let (mut at, mut count) = (0, 0.0);
    while count < most {
        let found = matcher.match_at(at, usize::from(anchored))?;
        if let Some(end) = found {
            count += 1.0;
            let values = captured(lua, text, &matcher.captures, at, end)?;
            let replacement = replacement(with, &text[at..end], &values)?;
            meter.charge(replacement.len() as u64 / 16)?;
            result.extend_from_slice(&replacement);
            // The matcher's own memory is not the interpreter's: it has the same bound.
            if result.len() > MAX_RESULT {
                return Err(mlua::Error::runtime("resulting string too large"));
            }
        }
        match found {
            Some(end) if end > at => at = end,
            _ if at < text.len() => {
                result.push(text[at]);
                at += 1;
            }
            _ => break,
        }
        if anchored {
            break;
        }
    }
    result.extend_from_slice(text.get(at..).unwrap_or_default());
    Ok((lua.create_string(&result)?, count))
}

/// Longest result of a substitution.
const MAX_RESULT: usize = 16 << 20;

fn replacement(with: &Value, whole: &[u8], values: &[Value]) -> mlua::Result<Vec<u8>> {
    let value = match with {
        Value::String(template) => return expand(&template.as_bytes(), whole, values),
        Value::Number(value) => return Ok(value.to_string().into_bytes()),
        Value::Integer(value) => return Ok(value.to_string().into_bytes()),
        Value::Table(table) => table.get::<Value>(values.first().cloned().unwrap_or(Value::Nil))?,
        Value::Function(function) => function.call::<Value>(MultiValue::from_iter(values.iter().cloned()))?,
        other => {
            let message = format!("string/function/table expected, got {}", other.type_name());
            return Err(mlua::Error::runtime(message));
        }
    };
    match value {
        Value::Nil | Value::Boolean(false) => Ok(whole.to_vec()),
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        Value::Number(value) => Ok(value.to_string().into_bytes()),
        Value::Integer(value) => Ok(value.to_string().into_bytes()),
        other => Err(mlua::Error::runtime(format!("invalid replacement value (a {})", other.type_name()))),
    }
}

/// `%1` and its like in a replacement.
fn expand(template: &[u8], whole: &[u8], values: &[Value]) -> mlua::Result<Vec<u8>> {
    let mut text = Vec::with_capacity(template.len());
    let mut rest = template.iter();
    while let Some(&letter) = rest.next() {
        if letter != b'%' {
            text.push(letter);
            continue;
        }
        match rest.next() {
            Some(b'0') => text.extend_from_slice(whole),
            Some(&digit) if digit.is_ascii_digit() => match values.get(usize::from(digit - b'1')) {
                Some(Value::String(value)) => text.extend_from_slice(&value.as_bytes()),
                Some(value) => {
                    text.extend_from_slice(number(value).unwrap_or_default().to_string().as_bytes());
                }
                None => return Err(mlua::Error::runtime("invalid capture index in replacement string")),
            },
            Some(&other) => text.push(other),
            None => return Err(mlua::Error::runtime("invalid use of '%' in replacement string")),
        }
    }
    Ok(text)
}
