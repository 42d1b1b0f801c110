//! Merging values: what a chart says, what its parent says for it, what the user says. Tables are shared where
//! Helm shares them, since what one chart's merge adds to a shared table others see there as well.

use crate::dependencies::Prepared;
use crate::error::Error;
use gotemplate::{Map, Text, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A table of values.
pub(crate) type Table = Rc<Map>;

/// Values nested deeper are refused.
const DEEPEST: usize = 256;

/// An empty table.
pub(crate) fn table() -> Table {
    of(BTreeMap::new())
}

pub(crate) fn of(entries: BTreeMap<Text, Value>) -> Table {
    match Map::any(entries) {
        Value::Map(map) => map,
        _ => unreachable!("a map is a map"),
    }
}

/// A copy that shares nothing.
pub(crate) fn copy(table: &Map) -> Table {
    of(table.entries().into_iter().map(|(key, value)| (key, copy_value(&value))).collect())
}

fn copy_value(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(copy(map)),
        // Lists cannot change; only the tables in them can.
        Value::List(list) if list.items.iter().any(|item| matches!(item, Value::Map(_) | Value::List(_))) => {
            gotemplate::List::any(list.items.iter().map(copy_value).collect())
        }
        other => other.clone(),
    }
}

fn is_table(value: &Value) -> bool {
    matches!(value, Value::Map(_))
}

fn is_null(value: &Value) -> bool {
    matches!(value, Value::Nil | Value::Missing)
}

/// Whether a table and all in it are not too many values to work with.
pub(crate) fn check_size(table: &Map, limit: usize) -> Result<(), Error> {
    let mut left = limit;
    table.visit(|_, value| count(value, &mut left)).map_err(|()| {
        Error::Limit(format!(
            "the merged values of the chart and its dependencies are more than the limit of {limit}"
        ))
    })
}

/// Takes what there is of a value from what is left; ends when nothing is.
fn count(value: &Value, left: &mut usize) -> Result<(), ()> {
    *left = left.checked_sub(1).ok_or(())?;
    match value {
        Value::Map(map) => map.visit(|_, value| count(value, left)),
        Value::List(list) => list.items.iter().try_for_each(|value| count(value, left)),
        _ => Ok(()),
    }
}

/// All values of a chart and its dependencies. With `merge`, nulls stay; without, a null removes its key.
pub(crate) fn values(chart: &Prepared, given: Option<&Map>, merge: bool) -> Result<Table, Error> {
    let target = given.map_or_else(table, copy);
    coalesce(chart, &target, merge)?;
    Ok(target)
}

fn coalesce(chart: &Prepared, target: &Table, merge: bool) -> Result<(), Error> {
    own_values(chart, target, merge)?;
    for dependency in &chart.dependencies {
        let name = Text::from(dependency.name.as_str());
        let inner = match target.get(name.as_bytes()) {
            None => {
                let inner = table();
                target.insert(name, Value::Map(inner.clone()));
                inner
            }
            Some(Value::Map(inner)) => inner,
            Some(other) => {
                let shown = gotemplate_bool(&other);
                return Err(Error::Values(format!("type mismatch on {}: {shown}", dependency.name)));
            }
        };
        globals(&inner, target)?;
        coalesce(dependency, &inner, merge)?;
    }
    Ok(())
}

/// A value as `%t` shows it, which is what Helm prints here.
fn gotemplate_bool(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => format!("%!t(string={})", text.to_str()),
        Value::Float(number) => format!("%!t(float64={number})"),
        Value::Nil | Value::Missing => "%!t(<nil>)".into(),
        other => format!("%!t({})", other.type_name()),
    }
}

/// Takes the parent's globals into a dependency's values.
fn globals(target: &Table, source: &Table) -> Result<(), Error> {
    let tables = [target, source].map(|table| match table.get(b"global") {
        None => Some(crate::coalesce::table()),
        Some(Value::Map(globals)) => Some(globals),
        Some(_) => None,
    });
    let [Some(target_globals), Some(source_globals)] = tables else { return Ok(()) };
    for (key, value) in source_globals.entries() {
        let existing = target_globals.get(key.as_bytes());
        match (&value, &existing) {
            (Value::Map(table), existing) => {
                // A copy of this table alone: those inside it stay shared.
                let copied = of(table.entries().into_iter().collect());
                match existing {
                    None => target_globals.insert(key, Value::Map(copied)),
                    Some(Value::Map(existing)) => {
                        merge_tables(&copied, existing, true, 0)?;
                        target_globals.insert(key, Value::Map(copied));
                    }
                    Some(_) => {}
                }
            }
            (_, Some(existing)) if is_table(existing) => {}
            _ => target_globals.insert(key, value),
        }
    }
    target.insert(Text::from("global"), Value::Map(target_globals));
    Ok(())
}

/// Adds a chart's own values beneath what is there.
fn own_values(chart: &Prepared, target: &Table, merge: bool) -> Result<(), Error> {
    for (key, value) in copy(&chart.values).entries() {
        match target.get(key.as_bytes()) {
            None => target.insert(key, value),
            Some(existing) if is_null(&existing) => {
                if !merge {
                    target.remove(key.as_bytes());
                }
            }
            Some(Value::Map(existing)) => {
                if let Value::Map(source) = &value {
                    let for_child =
                        chart.dependencies.iter().any(|child| child.name.as_bytes() == key.as_bytes());
                    merge_tables(&existing, source, merge || for_child, 0)?;
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Merges one table beneath another: what is in `target` stays. Its nulls come to stand in `source`, too, which whoever
/// shares that sees, as in Helm.
pub(crate) fn merge_tables(target: &Table, source: &Table, merge: bool, depth: usize) -> Result<(), Error> {
    if Rc::ptr_eq(target, source) {
        return Ok(());
    }
    if depth > DEEPEST {
        return Err(Error::Values("values are nested too deep".into()));
    }
    let before = source.entries();
    for (key, null) in target.entries().into_iter().filter(|(_, value)| is_null(value)) {
        source.insert(key, null);
    }
    for (key, value) in before {
        match target.get(key.as_bytes()) {
            None => target.insert(key, value),
            Some(existing) if is_null(&existing) => {
                if !merge && !is_null(&value) {
                    target.remove(key.as_bytes());
                }
            }
            Some(Value::Map(existing)) => {
                if let Value::Map(inner) = &value {
                    merge_tables(&existing, inner, merge, depth + 1)?;
                }
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// The table at a dotted path.
pub(crate) fn table_at(values: &Table, path: &str) -> Option<Table> {
    let mut table = values.clone();
    for part in path.split('.') {
        table = match table.get(part.as_bytes()) {
            Some(Value::Map(next)) => next,
            _ => return None,
        };
    }
    Some(table)
}

/// The value at a dotted path, when it is there and no table.
pub(crate) fn value_at(values: &Table, path: &str) -> Option<Value> {
    let (table, key) = match path.rsplit_once('.') {
        Some((parents, key)) => (table_at(values, parents)?, key),
        None => (values.clone(), path),
    };
    table.get(key.as_bytes()).filter(|value| !is_table(value))
}
