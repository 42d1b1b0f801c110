//! Lists and maps.

use std::collections::BTreeMap;

use super::{Budget, Call, Signature, argument, exactly, place, to_int};
use crate::nature::Nature;
use crate::operators::{fetch, sorted};
use crate::time::Zone;
use crate::value::{IntKind, Key, ListKind, MapKind, Value};

pub(super) const FUNCTIONS: &[(&str, Signature, Call)] = &[
    ("len", Signature::Rule(len_rule), len),
    ("first", Signature::Rule(|arguments| end_rule("first", arguments)), |arguments, _| end(arguments, 0)),
    ("last", Signature::Rule(|arguments| end_rule("last", arguments)), |arguments, _| end(arguments, -1)),
    ("get", Signature::Member, get),
    ("take", Signature::Rule(take_rule), take),
    ("keys", Signature::Rule(|arguments| map_rule("get keys from", "", arguments)), keys),
    ("values", Signature::Rule(|arguments| map_rule("get values from", "", arguments)), values),
    ("toPairs", Signature::Rule(|arguments| map_rule("transform", " to pairs", arguments)), to_pairs),
    ("fromPairs", Signature::Rule(from_pairs_rule), from_pairs),
    ("reverse", Signature::Rule(|arguments| list_rule("reverse", arguments)), reverse),
    ("uniq", Signature::Rule(|arguments| list_rule("uniq", arguments)), uniq),
    ("concat", Signature::Rule(concat_rule), concat),
    ("flatten", Signature::Rule(|arguments| list_rule("flatten", arguments)), flatten),
    ("sort", Signature::Overloads(SORT, Nature::AnyList), sort),
];

const SORT: &[&[Nature]] = &[
    &[Nature::AnyList, Nature::Text],
    &[Nature::Texts, Nature::Text],
    &[Nature::AnyList],
    &[Nature::Texts],
    &[Nature::Ints],
];

fn is_open(nature: &Nature) -> bool {
    matches!(nature, Nature::Any | Nature::Unknown)
}

fn len_rule(arguments: &[Nature]) -> Result<Nature, String> {
    exactly(1, arguments)?;
    match &arguments[0] {
        it if is_open(it) || it.is_list() || it.is_map() => Ok(Nature::Int),
        Nature::Text => Ok(Nature::Int),
        other => Err(format!("invalid argument for len (type {})", other.type_text())),
    }
}

fn end_rule(which: &str, arguments: &[Nature]) -> Result<Nature, String> {
    exactly(1, arguments)?;
    match &arguments[0] {
        it if is_open(it) => Ok(Nature::Any),
        Nature::Texts => Ok(Nature::Text),
        it if it.is_list() => Ok(Nature::Any),
        other => Err(format!("cannot get {which} element from {}", other.type_text())),
    }
}

fn take_rule(arguments: &[Nature]) -> Result<Nature, String> {
    exactly(2, arguments)?;
    if !is_open(&arguments[0]) && !arguments[0].is_list() {
        return Err(format!("cannot take from {}", arguments[0].type_text()));
    }
    if !is_open(&arguments[1]) && !matches!(arguments[1], Nature::Int | Nature::Duration) {
        return Err(format!("cannot take {} elements", arguments[1].type_text()));
    }
    Ok(arguments[0].clone())
}

fn map_rule(verb: &str, rest: &str, arguments: &[Nature]) -> Result<Nature, String> {
    exactly(1, arguments)?;
    match &arguments[0] {
        it if is_open(it) || it.is_map() => Ok(Nature::AnyList),
        other => Err(format!("cannot {verb} {}{rest}", other.type_text())),
    }
}

fn from_pairs_rule(arguments: &[Nature]) -> Result<Nature, String> {
    exactly(1, arguments)?;
    match &arguments[0] {
        it if is_open(it) || it.is_list() => Ok(Nature::AnyMap),
        other => Err(format!("cannot transform {} from pairs", other.type_text())),
    }
}

fn list_rule(verb: &str, arguments: &[Nature]) -> Result<Nature, String> {
    exactly(1, arguments)?;
    match &arguments[0] {
        it if is_open(it) || it.is_list() => Ok(Nature::AnyList),
        other => Err(format!("cannot {verb} {}", other.type_text())),
    }
}

fn concat_rule(arguments: &[Nature]) -> Result<Nature, String> {
    if arguments.is_empty() {
        return Err("invalid number of arguments (expected at least 1, got 0)".to_owned());
    }
    match arguments.iter().find(|it| !is_open(it) && !it.is_list()) {
        Some(other) => Err(format!("cannot concat {}", other.type_text())),
        None => Ok(Nature::AnyList),
    }
}

/// The elements of a list, or what cannot be done with anything else.
fn items<'a>(value: &'a Value, verb: &str) -> Result<&'a [Value], String> {
    value.items().ok_or_else(|| format!("cannot {verb} {}", value.kind_name()))
}

fn entries<'a>(value: &'a Value, verb: &str, rest: &str) -> Result<&'a BTreeMap<Key, Value>, String> {
    match value {
        Value::Map(map) if value.kind_name() == "map" => Ok(&map.entries),
        other => Err(format!("cannot {verb} {}{rest}", other.kind_name())),
    }
}

pub(crate) fn len(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let value = argument(arguments, 0)?;
    Ok(Value::count(match value {
        Value::Text(text) => text.chars().count(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(list) => list.items.len(),
        Value::Map(map) if value.kind_name() == "map" => map.entries.len(),
        other => return Err(format!("invalid argument for len (type {})", other.type_name())),
    }))
}

/// An end that is not there is nil.
fn end(arguments: &[Value], index: i64) -> Result<Value, String> {
    Ok(fetch(argument(arguments, 0)?, &Value::int(index), &Zone::Utc).unwrap_or(Value::Nil))
}

fn get(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let (from, key) = (argument(arguments, 0)?, argument(arguments, 1)?);
    let length = match from {
        Value::List(list) => list.items.len(),
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Map(map) if map.kind == MapKind::Texts && !matches!(key, Value::Text(_) | Value::Nil) => {
            return fetch(from, key, &Zone::Utc);
        }
        _ => return Ok(fetch(from, key, &Zone::Utc).unwrap_or(Value::Nil)),
    };
    match place(to_int(key)?, length) {
        Some(place) => fetch(from, &Value::count(place), &Zone::Utc),
        None => Ok(Value::Nil),
    }
}

fn take(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let (value, count) = (argument(arguments, 0)?, argument(arguments, 1)?);
    let items = items(value, "take from")?;
    let count = match count {
        Value::Int(_, IntKind::Byte) => return Err("cannot take uint8 elements".to_owned()),
        Value::Int(count, _) | Value::Duration(count) => *count,
        other => return Err(format!("cannot take {} elements", other.kind_name())),
    };
    let count =
        usize::try_from(count).map_err(|_| "reflect.Value.Slice: slice index out of bounds".to_owned())?;
    let kind = match value {
        Value::List(list) => list.kind,
        _ => ListKind::Any,
    };
    Ok(Value::list_of(kind, items[..count.min(items.len())].to_vec()))
}

fn keys(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let entries = entries(argument(arguments, 0)?, "get keys from", "")?;
    budget.take(entries.len())?;
    Ok(Value::list(entries.keys().map(Key::value).collect()))
}

fn values(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let entries = entries(argument(arguments, 0)?, "get values from", "")?;
    budget.take(entries.len())?;
    Ok(Value::list(entries.values().cloned().collect()))
}

fn to_pairs(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let entries = entries(argument(arguments, 0)?, "transform", " to pairs")?;
    budget.take(entries.len())?;
    let pair =
        |(key, value): (&Key, &Value)| Value::list_of(ListKind::Pair, vec![key.value(), value.clone()]);
    Ok(Value::list_of(ListKind::Pairs, entries.iter().map(pair).collect()))
}

fn from_pairs(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let value = argument(arguments, 0)?;
    let pairs = value.items().ok_or_else(|| format!("cannot transform {value} from pairs"))?;
    budget.take(pairs.len())?;
    let mut entries = BTreeMap::new();
    for pair in pairs {
        match pair.items() {
            Some([key, value]) => {
                entries.insert(key_of(key)?, value.clone());
            }
            Some(_) => return Err(format!("invalid pair length {pair}")),
            None => return Err(format!("invalid pair {pair}")),
        }
    }
    Ok(Value::map_of(MapKind::Any, entries))
}

pub(crate) fn key_of(value: &Value) -> Result<Key, String> {
    Key::of(value).ok_or_else(|| format!("runtime error: hash of unhashable type {}", value.type_name()))
}

fn reverse(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let items = items(argument(arguments, 0)?, "reverse")?;
    budget.take(items.len())?;
    Ok(Value::list(items.iter().rev().cloned().collect()))
}

fn uniq(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let items = items(argument(arguments, 0)?, "uniq")?;
    let mut found: Vec<Value> = Vec::new();
    for item in items {
        budget.step(found.len())?;
        if !found.iter().any(|known| item.equals(known)) {
            found.push(item.clone());
        }
    }
    budget.take(found.len())?;
    Ok(Value::list(found))
}

fn concat(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let mut all = Vec::new();
    for value in arguments {
        let items = items(value, "concat")?;
        budget.take(items.len())?;
        all.extend_from_slice(items);
    }
    Ok(Value::list(all))
}

fn flatten(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let mut all = Vec::new();
    // A stack of lists under way: nesting costs no recursion.
    let mut open = vec![items(argument(arguments, 0)?, "flatten")?.iter()];
    while let Some(items) = open.last_mut() {
        match items.next() {
            None => drop(open.pop()),
            Some(item) => match item.items() {
                Some(inner) => open.push(inner.iter()),
                None => {
                    budget.take(1)?;
                    all.push(item.clone());
                }
            },
        }
    }
    Ok(Value::list(all))
}

fn sort(arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
    let descending = match arguments.get(1) {
        None => false,
        Some(Value::Text(order)) => match &**order {
            "asc" => false,
            "desc" => true,
            other => return Err(format!("invalid order {other}, expected asc or desc")),
        },
        Some(other) => {
            return Err(format!("sort order argument must be a string (got {})", other.type_name()));
        }
    };
    // What is no list sorts as an empty one.
    let items = argument(arguments, 0)?.items().unwrap_or_default();
    budget.take(items.len())?;
    let keyed = items.iter().map(|item| (item.clone(), item.clone())).collect();
    Ok(Value::list(sorted(keyed, descending)?))
}
