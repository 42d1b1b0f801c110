//! Operators on values, with Go's words for what they cannot do.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::ast::Binary;
use crate::builtins::{conversion, place, to_int};
use crate::time::{Zone, duration_method, time_method};
use crate::value::{IntKind, Key, ListKind, MapKind, Number, Value, as_float};

type Outcome<T = Value> = Result<T, String>;

fn undefined<T>(text: &str, left: &Value, right: &Value) -> Outcome<T> {
    Err(format!("invalid operation: {} {text} {}", left.type_name(), right.type_name()))
}

/// Whether one is less than another of its kind.
pub(crate) fn less(left: &Value, right: &Value, text: &str) -> Outcome<bool> {
    order(left, right, text).map(|order| order == Some(Ordering::Less))
}

/// How two values of a kind compare; nothing when neither is less, more or the same.
pub(crate) fn order(left: &Value, right: &Value, text: &str) -> Outcome<Option<Ordering>> {
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => Ok(Some(left.cmp(right))),
        (Value::Time(left), Value::Time(right)) => Ok(Some(left.instant().cmp(&right.instant()))),
        (Value::Duration(left), Value::Duration(right)) => Ok(Some(left.cmp(right))),
        _ => match (left.number(), right.number()) {
            (Some(one), Some(other)) => Ok(one.compare(other)),
            _ => undefined(text, left, right),
        },
    }
}

/// `+`, `-`, `*`, `/`, `%` and `**`.
pub(crate) fn arithmetic(binary: Binary, text: &str, left: &Value, right: &Value) -> Outcome {
    match (binary, left.number(), right.number()) {
        (Binary::Divide, Some(one), Some(other)) => Ok(Value::Float(one.to_float() / other.to_float())),
        (Binary::Power, one, other) => {
            let float = |number: Option<Number>, value: &Value| {
                let name = value.type_name();
                number.map(Number::to_float).ok_or_else(|| format!("invalid operation: float({name})"))
            };
            Ok(Value::Float(float(one, left)?.powf(float(other, right)?)))
        }
        (Binary::Modulo, Some(Number::Int(_)), Some(Number::Int(0))) => {
            Err("runtime error: integer divide by zero".to_owned())
        }
        (Binary::Modulo, Some(Number::Int(one)), Some(Number::Int(other))) => {
            Ok(Value::int(one.wrapping_rem(other)))
        }
        (Binary::Add | Binary::Subtract | Binary::Multiply, Some(one), Some(other)) => {
            Ok(calculated(binary, one, other))
        }
        (Binary::Add | Binary::Subtract | Binary::Multiply, ..) => {
            other_arithmetic(binary, text, left, right)
        }
        _ => undefined(text, left, right),
    }
}

fn calculated(binary: Binary, one: Number, other: Number) -> Value {
    match (binary, one, other) {
        (Binary::Add, Number::Int(one), Number::Int(other)) => Value::int(one.wrapping_add(other)),
        (Binary::Subtract, Number::Int(one), Number::Int(other)) => Value::int(one.wrapping_sub(other)),
        (_, Number::Int(one), Number::Int(other)) => Value::int(one.wrapping_mul(other)),
        (Binary::Add, one, other) => Value::Float(one.to_float() + other.to_float()),
        (Binary::Subtract, one, other) => Value::Float(one.to_float() - other.to_float()),
        (_, one, other) => Value::Float(one.to_float() * other.to_float()),
    }
}

fn other_arithmetic(binary: Binary, text: &str, left: &Value, right: &Value) -> Outcome {
    let scaled = |duration: i64, number: Option<Number>| match number {
        Some(Number::Int(number)) => Some(Value::Duration(duration.wrapping_mul(number))),
        Some(Number::Float(number)) => Some(Value::Float(as_float(duration) * number)),
        None => None,
    };
    let result = match (binary, left, right) {
        (Binary::Add, Value::Text(left), Value::Text(right)) => {
            Some(Value::text([&**left, &**right].concat()))
        }
        (Binary::Add, Value::Time(time), Value::Duration(duration))
        | (Binary::Add, Value::Duration(duration), Value::Time(time)) => {
            Some(Value::Time(time.add(*duration)))
        }
        (Binary::Subtract, Value::Time(time), Value::Duration(duration)) => {
            Some(Value::Time(time.add(duration.wrapping_neg())))
        }
        (Binary::Subtract, Value::Time(left), Value::Time(right)) => Some(Value::Duration(left.since(right))),
        (Binary::Add, Value::Duration(left), Value::Duration(right)) => {
            Some(Value::Duration(left.wrapping_add(*right)))
        }
        (Binary::Subtract, Value::Duration(left), Value::Duration(right)) => {
            Some(Value::Duration(left.wrapping_sub(*right)))
        }
        (Binary::Multiply, Value::Duration(left), Value::Duration(right)) => {
            Some(Value::Duration(left.wrapping_mul(*right)))
        }
        (Binary::Multiply, Value::Duration(duration), number)
        | (Binary::Multiply, number, Value::Duration(duration)) => scaled(*duration, number.number()),
        _ => None,
    };
    result.map_or_else(|| undefined(text, left, right), Ok)
}

pub(crate) fn negated(value: &Value) -> Outcome {
    match value {
        Value::Int(value, kind @ (IntKind::Int | IntKind::Int64 | IntKind::Byte)) => {
            Ok(Value::Int(value.wrapping_neg(), *kind))
        }
        Value::Float(value) => Ok(Value::Float(-value)),
        other => Err(format!("invalid operation: - {}", other.type_name())),
    }
}

/// A truth, or what Go says of what is none.
pub(crate) fn truth(value: &Value) -> Outcome<bool> {
    match value {
        Value::Bool(value) => Ok(*value),
        other => Err(conversion(other, "bool")),
    }
}

fn text_key(key: &Value, asked: &str) -> Outcome<Key> {
    match key {
        Value::Text(text) => Ok(Key::Text(Arc::clone(text))),
        Value::Nil => Ok(Key::Text(Arc::from(""))),
        other => {
            let name = other.type_name();
            Err(format!("reflect.Value.{asked}: value of type {name} is not assignable to type string"))
        }
    }
}

fn map_key(kind: MapKind, key: &Value) -> Outcome<Key> {
    match kind {
        MapKind::Texts | MapKind::OnlyTexts | MapKind::Struct(_) => text_key(key, "MapIndex"),
        MapKind::Any | MapKind::Groups => crate::builtins::hash_key(key),
    }
}

/// A member, an element or a method; `Local` of a time is in that zone.
pub(crate) fn fetch(from: &Value, key: &Value, local: &Zone) -> Outcome {
    let missing = || Err(format!("cannot fetch {key} from {}", from.type_name()));
    match (from, key) {
        (Value::Map(map), _) => {
            let found = map.entries.get(&map_key(map.kind, key)?).cloned();
            match (found, map.kind) {
                (Some(value), _) => Ok(value),
                (None, MapKind::Struct(_)) => missing(),
                (None, MapKind::OnlyTexts) => Ok(Value::text("")),
                (None, MapKind::Groups) => Ok(Value::list(Vec::new())),
                (None, _) => Ok(Value::Nil),
            }
        }
        (Value::Time(time), Value::Text(name)) => time_method(time, name, local).map_or_else(missing, Ok),
        (Value::Duration(duration), Value::Text(name)) => {
            duration_method(*duration, name).map_or_else(missing, Ok)
        }
        (Value::Int(_, IntKind::Month | IntKind::Weekday) | Value::Zone(_), Value::Text(name))
            if &**name == "String" =>
        {
            let text = Value::text(from.to_string());
            Ok(Value::Function(crate::value::Function::new(&[], move |_| Ok(text.clone()))))
        }
        (Value::List(list), _) => element(list.items.len(), key, |place| list.items.get(place).cloned()),
        (Value::Text(text), _) => element(text.len(), key, |place| text.as_bytes().get(place).map(byte)),
        (Value::Bytes(bytes), _) => element(bytes.len(), key, |place| bytes.get(place).map(byte)),
        _ => missing(),
    }
}

fn byte(byte: &u8) -> Value {
    Value::Int(i64::from(*byte), IntKind::Byte)
}

fn element(length: usize, key: &Value, get: impl Fn(usize) -> Option<Value>) -> Outcome {
    let index = to_int(key)?;
    let counted =
        if index < 0 { index.saturating_add(i64::try_from(length).unwrap_or(i64::MAX)) } else { index };
    place(index, length)
        .and_then(get)
        .ok_or_else(|| format!("index out of range: {counted} (array length is {length})"))
}

/// `in`.
pub(crate) fn holds(container: &Value, needle: &Value) -> Outcome<bool> {
    match container {
        Value::Nil => Ok(false),
        Value::List(list) => Ok(list.items.iter().any(|item| item.equals(needle))),
        Value::Bytes(bytes) => Ok(bytes.iter().any(|it| byte(it).equals(needle))),
        Value::Map(map) => match (map.kind, needle) {
            (MapKind::Struct(_), Value::Text(_))
            | (MapKind::Texts | MapKind::OnlyTexts | MapKind::Any | MapKind::Groups, _) => {
                Ok(map.entries.contains_key(&map_key(map.kind, needle)?))
            }
            (MapKind::Struct(name), other) => {
                Err(format!("cannot use {} as field name of {name}", other.type_name()))
            }
        },
        Value::Time(_) => match needle {
            Value::Text(_) => Ok(false),
            other => Err(format!("cannot use {} as field name of time.Time", other.type_name())),
        },
        other => Err(format!("operator \"in\" not defined on {}", other.type_name())),
    }
}

/// Whether a text is one of some; any other value than a text cannot be asked for.
pub(crate) fn text_among(needle: &Value, texts: &std::collections::BTreeSet<Arc<str>>) -> Outcome<bool> {
    match text_key(needle, "MapIndex")? {
        Key::Text(text) => Ok(texts.contains(&text)),
        _ => Ok(false),
    }
}

/// What `len` is to a slice without an end: bytes of a text.
pub(crate) fn raw_length(value: &Value) -> Outcome<usize> {
    match value {
        Value::Text(text) => Ok(text.len()),
        Value::Bytes(bytes) => Ok(bytes.len()),
        Value::List(list) => Ok(list.items.len()),
        Value::Map(map) if value.kind_name() == "map" => Ok(map.entries.len()),
        other => Err(format!("invalid argument for len (type {})", other.type_name())),
    }
}

/// A part, from and to held inside of the whole.
pub(crate) fn slice(value: &Value, from: &Value, to: &Value) -> Outcome {
    let length = match value {
        Value::Text(_) | Value::Bytes(_) | Value::List(_) => raw_length(value)?,
        _ => return Err(format!("cannot slice {from}")),
    };
    let held = |end: i64| {
        let end = if end < 0 { end.saturating_add(i64::try_from(length).unwrap_or(i64::MAX)) } else { end };
        usize::try_from(end.max(0)).unwrap_or(usize::MAX).min(length)
    };
    let (from, to) = (held(to_int(from)?), held(to_int(to)?));
    let from = from.min(to);
    Ok(match value {
        // A cut through a character leaves bytes that are no text.
        Value::Text(text) => Value::text(String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned()),
        Value::Bytes(bytes) => Value::Bytes(Arc::from(&bytes[from..to])),
        Value::List(list) => {
            let kind = if list.kind == ListKind::Pair { ListKind::Any } else { list.kind };
            Value::list_of(kind, list.items[from..to].to_vec())
        }
        _ => Value::Nil,
    })
}

/// Items in the order of their keys; the same keys stay as they were.
pub(crate) fn sorted(mut keyed: Vec<(Value, Value)>, descending: bool) -> Outcome<Vec<Value>> {
    let mut problem = None;
    // Pairs that cannot be compared are found before sorting: a sort wants a total order.
    for pair in keyed.windows(2) {
        let (first, second) = (&pair[1].0, &pair[0].0);
        let (first, second) = if descending { (second, first) } else { (first, second) };
        if let Err(message) = order(first, second, "<") {
            problem.get_or_insert(message);
        }
    }
    if let Some(problem) = problem {
        return Err(problem);
    }
    keyed.sort_by(|(left, _), (right, _)| {
        let order = match (left.number(), right.number()) {
            (Some(Number::Float(left)), Some(Number::Float(right))) => left.total_cmp(&right),
            _ => order(left, right, "<").ok().flatten().unwrap_or(Ordering::Equal),
        };
        if descending { order.reverse() } else { order }
    });
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}
