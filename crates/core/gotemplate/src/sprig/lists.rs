//! Lists. What is given is never changed: a new list is made.

use crate::cast::to_int64;
use crate::compare::deep_equal;
use crate::functions::Line;
use crate::machine::Machine;
use crate::value::{Element, List, Value, settled};
use std::rc::Rc;

pub(super) const LINES: &[Line] = &[
    ("list", "*a", |_, a| Ok(List::any(a.iter().cloned().map(settled).collect()))),
    ("tuple", "*a", |_, a| Ok(List::any(a.iter().cloned().map(settled).collect()))),
    ("append", "aa", push),
    ("push", "aa", push),
    ("mustAppend", "aa", push),
    ("mustPush", "aa", push),
    ("prepend", "aa", prepend),
    ("mustPrepend", "aa", prepend),
    ("first", "a", |_, a| Ok(items(&a[0], "find first on")?.first().cloned().unwrap_or(Value::Nil))),
    ("mustFirst", "a", |_, a| Ok(items(&a[0], "find first on")?.first().cloned().unwrap_or(Value::Nil))),
    ("last", "a", |_, a| Ok(items(&a[0], "find last on")?.last().cloned().unwrap_or(Value::Nil))),
    ("mustLast", "a", |_, a| Ok(items(&a[0], "find last on")?.last().cloned().unwrap_or(Value::Nil))),
    ("rest", "a", |machine, a| part(machine, &a[0], "find rest on", |length| 1..length)),
    ("mustRest", "a", |machine, a| part(machine, &a[0], "find rest on", |length| 1..length)),
    ("initial", "a", |machine, a| part(machine, &a[0], "find initial on", |length| 0..length - 1)),
    ("mustInitial", "a", |machine, a| part(machine, &a[0], "find initial on", |length| 0..length - 1)),
    ("reverse", "a", reverse),
    ("mustReverse", "a", reverse),
    ("compact", "a", compact),
    ("mustCompact", "a", compact),
    ("uniq", "a", uniq),
    ("mustUniq", "a", uniq),
    ("without", "a*a", without),
    ("mustWithout", "a*a", without),
    ("has", "aa", has),
    ("mustHas", "aa", has),
    ("slice", "a*a", slice),
    ("mustSlice", "a*a", slice),
    ("concat", "*a", concat),
    ("chunk", "ia", chunk),
    ("mustChunk", "ia", chunk),
];

/// What Go says when a nil is asked for its type.
pub(super) const NIL_POINTER: &str = "runtime error: invalid memory address or nil pointer dereference";

/// The members of a list; an error that names what was to be done when it is none.
fn items(value: &Value, doing: &str) -> Result<Vec<Value>, String> {
    match value {
        Value::List(list) => Ok(list.items.clone()),
        Value::Bytes(bytes) => Ok(bytes.as_bytes().iter().map(|byte| Value::Uint8(*byte)).collect()),
        Value::Missing | Value::Nil => Err(NIL_POINTER.into()),
        Value::Object(object) if object.kind() == "slice" => {
            Ok(object.members().into_iter().map(|(_, member)| member).collect())
        }
        other => Err(format!("Cannot {doing} type {}", other.kind())),
    }
}

fn made(machine: &mut Machine<'_>, items: Vec<Value>) -> Result<Value, String> {
    machine.items(items.len())?;
    Ok(List::any(items))
}

fn push(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let mut members = items(&a[0], "push on")?;
    members.push(settled(a[1].clone()));
    made(machine, members)
}

fn prepend(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let mut members = vec![settled(a[1].clone())];
    members.extend(items(&a[0], "prepend on")?);
    made(machine, members)
}

/// Part of a list that is not empty; of an empty one, nil.
fn part(
    machine: &mut Machine<'_>,
    value: &Value,
    doing: &str,
    range: fn(usize) -> std::ops::Range<usize>,
) -> Result<Value, String> {
    let members = items(value, doing)?;
    if members.is_empty() {
        return Ok(List::nil(Element::Any));
    }
    let kept = members.get(range(members.len())).unwrap_or_default().to_vec();
    made(machine, kept)
}

fn reverse(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let mut members = items(&a[0], "find reverse on")?;
    members.reverse();
    made(machine, members)
}

fn compact(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let mut members = items(&a[0], "compact on")?;
    members.retain(|member| !super::values::is_empty(member));
    made(machine, members)
}

fn is_in(machine: &mut Machine<'_>, list: &[Value], wanted: &Value) -> Result<bool, String> {
    machine.spend(u64::try_from(list.len()).unwrap_or(0) / 4)?;
    Ok(list.iter().any(|member| deep_equal(wanted, member)))
}

fn uniq(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let mut kept: Vec<Value> = Vec::new();
    for member in items(&a[0], "find uniq on")? {
        if !is_in(machine, &kept, &member)? {
            kept.push(member);
        }
    }
    made(machine, kept)
}

fn without(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let mut kept = Vec::new();
    for member in items(&a[0], "find without on")? {
        if !is_in(machine, &a[1..], &member)? {
            kept.push(member);
        }
    }
    made(machine, kept)
}

fn has(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    if a[1].is_nil() {
        return Ok(Value::Bool(false));
    }
    let members = items(&a[1], "find has on")?;
    is_in(machine, &members, &a[0]).map(Value::Bool)
}

fn slice(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let members = match &a[0] {
        Value::List(_) | Value::Bytes(_) | Value::Object(_) | Value::Missing | Value::Nil => {
            items(&a[0], "")?
        }
        other => return Err(format!("list should be type of slice or array but {}", other.kind())),
    };
    if members.is_empty() {
        return Ok(Value::Nil);
    }
    let length = i64::try_from(members.len()).unwrap_or(i64::MAX);
    let start = a.get(1).map_or(0, to_int64);
    let end = a.get(2).map_or(length, to_int64);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    let Some(kept) = range.and_then(|(start, end)| members.get(start..end)) else {
        return Err("reflect.Value.Slice: slice index out of bounds".into());
    };
    machine.items(kept.len())?;
    let element = match &a[0] {
        Value::List(list) => list.element,
        _ => Element::Any,
    };
    Ok(Value::List(Rc::new(List { element, nil: false, items: kept.to_vec() })))
}

fn concat(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let mut members = Vec::new();
    for list in a {
        match list {
            Value::List(_) | Value::Bytes(_) | Value::Object(_) | Value::Missing | Value::Nil => {
                members.extend(items(list, "concat")?);
            }
            other => return Err(format!("Cannot concat type {} as list", other.kind())),
        }
    }
    if members.is_empty() {
        return Ok(List::nil(Element::Any));
    }
    made(machine, members)
}

fn chunk(machine: &mut Machine<'_>, a: &[Value]) -> Result<Value, String> {
    let members = items(&a[1], "chunk")?;
    let size = super::int(a, 0);
    if size <= 0 {
        return Err("runtime error: makeslice: len out of range".into());
    }
    machine.items(members.len())?;
    let chunks = members.chunks(super::count(size)).map(|chunk| List::any(chunk.to_vec())).collect();
    Ok(Value::List(Rc::new(List { element: Element::Lists, nil: false, items: chunks })))
}
