//! JSON into tables and back, as gopher-json does it: nulls vanish, an empty table is an empty list, and a
//! table that is met twice cannot be written (which also keeps a small script from writing a huge answer).

use mlua::{Lua, Table, Value as LuaValue};
use serde_json::{Map, Number, Value};
use std::collections::HashSet;
use std::ffi::c_void;

/// Deeper results are refused: what reads them next may recurse.
const MAX_DEPTH: usize = 120;

pub(crate) fn to_lua(lua: &Lua, value: &Value) -> mlua::Result<LuaValue> {
    Ok(match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(flag) => LuaValue::Boolean(*flag),
        Value::Number(number) => LuaValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => LuaValue::String(lua.create_string(text)?),
        Value::Array(entries) => {
            let table = lua.create_table_with_capacity(entries.len(), 0)?;
            let present = entries.iter().filter(|entry| !entry.is_null());
            for (index, entry) in present.enumerate() {
                table.raw_set(index + 1, to_lua(lua, entry)?)?;
            }
            LuaValue::Table(table)
        }
        Value::Object(members) => LuaValue::Table(map_to_lua(lua, members)?),
    })
}

pub(crate) fn map_to_lua(lua: &Lua, members: &Map<String, Value>) -> mlua::Result<Table> {
    let table = lua.create_table_with_capacity(0, members.len())?;
    for (name, member) in members {
        if !member.is_null() {
            table.raw_set(name.as_str(), to_lua(lua, member)?)?;
        }
    }
    Ok(table)
}

/// The interpreter has one kind of number, its binding two.
#[expect(clippy::cast_precision_loss, reason = "it was a float before the binding looked at it")]
pub(crate) fn number(value: &LuaValue) -> Option<f64> {
    match value {
        LuaValue::Integer(number) => Some(*number as f64),
        LuaValue::Number(number) => Some(*number),
        _ => None,
    }
}

/// A result as JSON, or why it cannot be told.
pub(crate) fn to_json(table: &Table) -> Result<Value, String> {
    table_to_json(table, &mut HashSet::new(), 0)
}

fn value_to_json(value: &LuaValue, seen: &mut HashSet<*const c_void>, depth: usize) -> Result<Value, String> {
    match value {
        LuaValue::Nil => Ok(Value::Null),
        LuaValue::Boolean(flag) => Ok(Value::Bool(*flag)),
        LuaValue::Integer(number) => Ok(Value::Number((*number).into())),
        LuaValue::Number(number) => number_to_json(*number),
        LuaValue::String(text) => Ok(Value::String(text.to_string_lossy())),
        LuaValue::Table(table) => table_to_json(table, seen, depth),
        other => Err(format!("cannot encode {} to JSON", other.type_name())),
    }
}

fn number_to_json(number: f64) -> Result<Value, String> {
    // Exact up to 2^53; beyond it what comes back is what the original gives as well.
    if number.fract() == 0.0 && number.abs() < 9.0e18 {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within the range, as just asked")]
        return Ok(Value::Number((number as i64).into()));
    }
    Number::from_f64(number).map(Value::Number).ok_or_else(|| format!("cannot encode {number} to JSON"))
}

fn table_to_json(table: &Table, seen: &mut HashSet<*const c_void>, depth: usize) -> Result<Value, String> {
    if depth > MAX_DEPTH {
        return Err("cannot encode tables nested so deep to JSON".into());
    }
    if !seen.insert(table.to_pointer()) {
        return Err("cannot encode recursively nested tables to JSON".into());
    }
    let mut list = Vec::new();
    let mut members = Map::new();
    for pair in table.pairs::<LuaValue, LuaValue>() {
        let (key, value) = pair.map_err(|error| error.to_string())?;
        match key {
            LuaValue::String(name) => {
                members.insert(name.to_string_lossy(), value_to_json(&value, seen, depth + 1)?);
            }
            LuaValue::Integer(_) | LuaValue::Number(_) => list.push((key, value)),
            _ => return Err("cannot encode mixed or invalid key types".into()),
        }
    }
    if list.is_empty() {
        return Ok(if members.is_empty() { Value::Array(Vec::new()) } else { Value::Object(members) });
    }
    if !members.is_empty() {
        return Err("cannot encode mixed or invalid key types".into());
    }
    list_to_json(list, seen, depth)
}

fn list_to_json(
    mut list: Vec<(LuaValue, LuaValue)>,
    seen: &mut HashSet<*const c_void>,
    depth: usize,
) -> Result<Value, String> {
    let position = |key: &LuaValue| number(key).unwrap_or(f64::NAN);
    list.sort_by(|left, right| position(&left.0).total_cmp(&position(&right.0)));
    let mut entries = Vec::with_capacity(list.len());
    let mut expected = 1.0;
    for (key, value) in &list {
        if position(key).total_cmp(&expected).is_ne() {
            return Err("cannot encode sparse array".into());
        }
        expected += 1.0;
        entries.push(value_to_json(value, seen, depth + 1)?);
    }
    Ok(Value::Array(entries))
}
