//! Maps. `set`, `unset` and the merges change what they are given, as in Go.

use super::{map, text};
use crate::cast::to_text;
use crate::functions::Line;
use crate::machine::Machine;
use crate::text::Text;
use crate::value::{Element, List, Map, Value, settled};
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) const LINES: &[Line] = &[
    ("dict", "*a", |_, a| Ok(dict(a))),
    ("get", "ms", |_, a| {
        let value = map(a, 0).and_then(|map| map.get(text(a, 1).as_bytes()));
        Ok(value.unwrap_or_else(|| "".into()))
    }),
    ("set", "msa", |machine, a| {
        let Some(map) = map(a, 0) else { return Err("assignment to entry in nil map".into()) };
        machine.set(&map, text(a, 1), a[2].clone());
        Ok(a[0].clone())
    }),
    ("unset", "ms", |_, a| match map(a, 0) {
        Some(map) => {
            map.remove(text(a, 1).as_bytes());
            Ok(a[0].clone())
        }
        None => Ok(Map::any(BTreeMap::new())),
    }),
    ("hasKey", "ms", |_, a| Ok(Value::Bool(map(a, 0).is_some_and(|map| map.has(text(a, 1).as_bytes()))))),
    ("pluck", "s*m", |_, a| {
        let key = text(a, 0);
        let maps = (1..a.len()).filter_map(|index| map(a, index));
        Ok(List::any(maps.filter_map(|map| map.get(key.as_bytes())).collect()))
    }),
    ("keys", "*m", |machine, a| {
        let keys: Vec<Text> =
            (0..a.len()).filter_map(|index| map(a, index)).flat_map(|map| map.keys()).collect();
        machine.items(keys.len())?;
        Ok(List::strings(keys))
    }),
    ("values", "m", |machine, a| {
        let values: Vec<Value> = map(a, 0)
            .map_or_else(Vec::new, |map| map.entries().into_iter().map(|(_, value)| value).collect());
        machine.items(values.len())?;
        Ok(List::any(values))
    }),
    ("pick", "m*s", |_, a| {
        let Some(map) = map(a, 0) else { return Ok(Map::any(BTreeMap::new())) };
        let keys = (1..a.len()).map(|index| text(a, index));
        Ok(Map::any(keys.filter_map(|key| map.get(key.as_bytes()).map(|value| (key, value))).collect()))
    }),
    ("omit", "m*s", |machine, a| {
        let Some(map) = map(a, 0) else { return Ok(Map::any(BTreeMap::new())) };
        let omitted: Vec<Text> = (1..a.len()).map(|index| text(a, index)).collect();
        machine.items(map.len())?;
        Ok(Map::any(map.entries().into_iter().filter(|(key, _)| !omitted.contains(key)).collect()))
    }),
    ("merge", "m*m", |machine, a| merge_all(machine, a, false)),
    ("mustMerge", "m*m", |machine, a| merge_all(machine, a, false)),
    ("mergeOverwrite", "m*m", |machine, a| merge_all(machine, a, true)),
    ("mustMergeOverwrite", "m*m", |machine, a| merge_all(machine, a, true)),
    ("deepCopy", "a", |machine, a| copied(machine, &a[0])),
    ("mustDeepCopy", "a", |machine, a| copied(machine, &a[0])),
    ("dig", "*a", |_, a| dig(a)),
];

/// Nesting beyond which copies and merges stop with an error.
const DEEPEST: usize = 500;
const TOO_DEEP: &str = "values are nested too deep";

fn dict(values: &[Value]) -> Value {
    let entries: BTreeMap<Text, Value> = values
        .chunks(2)
        .map(|pair| (to_text(&pair[0]), settled(pair.get(1).cloned().unwrap_or_else(|| "".into()))))
        .collect();
    Map::any(entries)
}

fn merge_all(machine: &mut Machine<'_>, a: &[Value], overwrite: bool) -> Result<Value, String> {
    let target = map(a, 0);
    let target = target.map_or_else(|| Map::any(BTreeMap::new()), Value::Map);
    if let Value::Map(target) = &target {
        for index in 1..a.len() {
            if let Some(source) = map(a, index) {
                merge(machine, target, &source, overwrite, 0)?;
            }
        }
    }
    Ok(target)
}

/// Merges one map into another as the `mergo` library does: without `overwrite`, only what is missing or empty
/// there is taken; with it, everything.
pub(crate) fn merge(
    machine: &mut Machine<'_>,
    target: &Rc<Map>,
    source: &Rc<Map>,
    overwrite: bool,
    depth: usize,
) -> Result<(), String> {
    if Rc::ptr_eq(target.owner(), source.owner()) {
        return Ok(());
    }
    if depth > DEEPEST {
        return Err(TOO_DEEP.into());
    }
    machine.items(source.len())?;
    for (key, value) in source.entries() {
        let before = target.get(key.as_bytes());
        match &value {
            Value::Missing | Value::Nil => {
                if overwrite {
                    target.insert(key, Value::Nil);
                }
                continue;
            }
            Value::Map(inner) => {
                if let Some(Value::Map(existing)) = &before {
                    merge(machine, existing, inner, overwrite, depth + 1)?;
                }
            }
            Value::List(_) | Value::Bytes(_) => {
                // An empty target takes lists as they are, as does overwriting; else the target's stays.
                let replace = overwrite || target.is_empty();
                if replace {
                    machine.set(target, key.clone(), value.clone());
                }
            }
            _ => {}
        }
        let filled = before.as_ref().is_some_and(|before| !super::values::is_empty(before));
        if filled {
            let same_sort = matches!(value, Value::List(_) | Value::Bytes(_))
                || matches!((&value, &before), (Value::Map(_), Some(Value::Map(_))));
            if same_sort || !overwrite {
                continue;
            }
        }
        machine.set(target, key, value);
    }
    Ok(())
}

fn copied(machine: &mut Machine<'_>, value: &Value) -> Result<Value, String> {
    if value.is_nil() {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    deep_copy(machine, value, 0)
}

fn deep_copy(machine: &mut Machine<'_>, value: &Value, depth: usize) -> Result<Value, String> {
    if depth > DEEPEST {
        return Err(TOO_DEEP.into());
    }
    machine.spend(1)?;
    machine.check_stack()?;
    match value {
        Value::List(list) => {
            let items: Result<Vec<Value>, String> =
                list.items.iter().map(|item| deep_copy(machine, item, depth + 1)).collect();
            Ok(Value::List(Rc::new(List { element: list.element, nil: list.nil, items: items? })))
        }
        Value::Map(map) => {
            let mut entries = BTreeMap::new();
            for (key, member) in map.entries() {
                entries.insert(key, deep_copy(machine, &member, depth + 1)?);
            }
            Ok(Map::of(map.element, map.named, entries))
        }
        other => Ok(other.clone()),
    }
}

fn dig(a: &[Value]) -> Result<Value, String> {
    let [keys @ .., default, map] = a else { return Err("dig needs at least three arguments".into()) };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let conversion = |value: &Value, wanted: &str| {
        let found = if value.is_nil() { "nil".to_owned() } else { value.type_name() };
        format!("interface conversion: interface {{}} is {found}, not {wanted}")
    };
    let mut current = map.clone();
    for key in keys {
        let Value::Map(map) = &current else { return Err(conversion(&current, "map[string]interface {}")) };
        if map.element != Element::Any || map.named.is_some() {
            return Err(conversion(&current, "map[string]interface {}"));
        }
        let Value::String(key) = key else { return Err(conversion(key, "string")) };
        match map.get(key.as_bytes()) {
            Some(next) => current = next,
            None => return Ok(default.clone()),
        }
    }
    Ok(current)
}
