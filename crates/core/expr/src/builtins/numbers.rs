//! Numbers.

use super::{Budget, Call, Signature, argument, exactly};
use crate::nature::Nature;
use crate::operators::less;
use crate::value::{IntKind, Number, Value, as_float, as_int};

pub(super) const FUNCTIONS: &[(&str, Signature, Call)] = &[
    ("abs", Signature::Rule(|arguments| number_rule("abs", arguments, None)), abs),
    (
        "ceil",
        Signature::Rule(|arguments| number_rule("ceil", arguments, Some(Nature::Float))),
        |arguments, _| rounded("ceil", arguments, f64::ceil),
    ),
    (
        "floor",
        Signature::Rule(|arguments| number_rule("floor", arguments, Some(Nature::Float))),
        |arguments, _| rounded("floor", arguments, f64::floor),
    ),
    (
        "round",
        Signature::Rule(|arguments| number_rule("round", arguments, Some(Nature::Float))),
        |arguments, _| rounded("round", arguments, f64::round),
    ),
    ("int", Signature::Rule(|arguments| conversion_rule("int", arguments, Nature::Int)), int),
    ("float", Signature::Rule(|arguments| conversion_rule("float", arguments, Nature::Float)), float),
    ("max", Signature::Rule(|arguments| aggregate_rule("max", arguments)), |arguments, _| {
        extreme("max", arguments, true)
    }),
    ("min", Signature::Rule(|arguments| aggregate_rule("min", arguments)), |arguments, _| {
        extreme("min", arguments, false)
    }),
    ("mean", Signature::Rule(|arguments| aggregate_rule("mean", arguments)), mean),
    ("median", Signature::Rule(|arguments| aggregate_rule("median", arguments)), median),
    ("bitand", TWO_INTS, |arguments, _| bits("bitand", arguments, |x, y| Ok(x & y))),
    ("bitor", TWO_INTS, |arguments, _| bits("bitor", arguments, |x, y| Ok(x | y))),
    ("bitxor", TWO_INTS, |arguments, _| bits("bitxor", arguments, |x, y| Ok(x ^ y))),
    ("bitnand", TWO_INTS, |arguments, _| bits("bitnand", arguments, |x, y| Ok(x & !y))),
    ("bitshl", TWO_INTS, |arguments, _| {
        bits("bitshl", arguments, |x, y| Ok(x.checked_shl(shift(y)?).unwrap_or(0)))
    }),
    ("bitshr", TWO_INTS, |arguments, _| bits("bitshr", arguments, |x, y| Ok(x >> shift(y)?.min(63)))),
    ("bitushr", TWO_INTS, |arguments, _| {
        bits("bitushr", arguments, |x, y| {
            Ok(x.cast_unsigned().checked_shr(shift(y)?).unwrap_or(0).cast_signed())
        })
    }),
    ("bitnot", Signature::Overloads(&[&[Nature::Int]], Nature::Int), bitnot),
];

const TWO_INTS: Signature = Signature::Overloads(&[&[Nature::Int, Nature::Int]], Nature::Int);

fn number_rule(name: &str, arguments: &[Nature], result: Option<Nature>) -> Result<Nature, String> {
    exactly(1, arguments)?;
    match &arguments[0] {
        it @ (Nature::Int | Nature::Float | Nature::Any | Nature::Unknown) => {
            Ok(result.unwrap_or_else(|| it.clone()))
        }
        // Integers to Go, though the functions then refuse them.
        it @ (Nature::Duration | Nature::Month | Nature::Weekday) => Ok(result.unwrap_or_else(|| it.clone())),
        other => Err(format!("invalid argument for {name} (type {})", other.type_text())),
    }
}

fn conversion_rule(name: &str, arguments: &[Nature], result: Nature) -> Result<Nature, String> {
    exactly(1, arguments)?;
    match &arguments[0] {
        Nature::Int | Nature::Float | Nature::Any | Nature::Unknown | Nature::Text => Ok(result),
        Nature::Duration | Nature::Month | Nature::Weekday => Ok(result),
        other => Err(format!("invalid argument for {name} (type {})", other.type_text())),
    }
}

fn aggregate_rule(name: &str, arguments: &[Nature]) -> Result<Nature, String> {
    let Some(first) = arguments.first() else { return Err(format!("not enough arguments to call {name}")) };
    for argument in arguments {
        match argument {
            Nature::Any | Nature::Unknown => return Ok(Nature::Any),
            it if it.is_list() => return Ok(Nature::Any),
            Nature::Int | Nature::Float | Nature::Duration | Nature::Month | Nature::Weekday => {}
            other => return Err(format!("invalid argument for {name} (type {})", other.type_text())),
        }
    }
    Ok(first.clone())
}

fn abs(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    match argument(arguments, 0)? {
        Value::Int(value, kind @ (IntKind::Int | IntKind::Int64 | IntKind::Byte)) => {
            Ok(Value::Int(value.wrapping_abs(), *kind))
        }
        Value::Float(value) => Ok(Value::Float(value.abs())),
        other => Err(format!("invalid argument for abs (type {})", other.type_name())),
    }
}

fn rounded(name: &str, arguments: &[Value], round: fn(f64) -> f64) -> Result<Value, String> {
    let value = argument(arguments, 0)?;
    match value.number() {
        Some(Number::Int(value)) => Ok(Value::Float(as_float(value))),
        Some(Number::Float(value)) => Ok(Value::Float(round(value))),
        None => Err(format!("invalid argument for {name} (type {})", value.type_name())),
    }
}

fn int(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let value = argument(arguments, 0)?;
    match value {
        Value::Int(value, _) | Value::Duration(value) => Ok(Value::int(*value)),
        Value::Float(value) => Ok(Value::int(as_int(*value))),
        Value::Text(text) => {
            text.parse().map(Value::int).map_err(|_| format!("invalid operation: int({text})"))
        }
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".to_owned()),
        other => Err(format!("invalid operation: int({})", other.type_name())),
    }
}

fn float(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let value = argument(arguments, 0)?;
    match (value, value.number()) {
        (_, Some(number)) => Ok(Value::Float(number.to_float())),
        (Value::Text(text), _) => {
            text.parse().map(Value::Float).map_err(|_| format!("invalid operation: float({text})"))
        }
        (other, _) => Err(format!("invalid operation: float({})", other.type_name())),
    }
}

fn extreme(name: &str, arguments: &[Value], largest: bool) -> Result<Value, String> {
    let mut found = Value::Nil;
    for value in arguments {
        if value.number().is_none() && value.items().is_none() && !matches!(value, Value::Duration(_)) {
            return match arguments.len() {
                1 => Ok(value.clone()),
                _ => Err(format!("invalid argument for {name} (type {})", value.type_name())),
            };
        }
        extreme_of(name, value, largest, true, &mut found)?;
    }
    Ok(found)
}

fn extreme_of(
    name: &str,
    value: &Value,
    largest: bool,
    outer: bool,
    found: &mut Value,
) -> Result<(), String> {
    if let Some(items) = value.items() {
        return items.iter().try_for_each(|item| extreme_of(name, item, largest, false, found));
    }
    // A duration is an integer to Go when it is an argument, and is not when it is an element.
    if value.number().is_none() && !(outer && matches!(value, Value::Duration(_))) {
        return Err(format!("invalid argument for {name} (type {})", value.type_name()));
    }
    let replaces = match (&*found, largest) {
        (Value::Nil, _) => true,
        (found, true) => less(found, value, "<")?,
        (found, false) => less(value, found, ">")?,
    };
    if replaces {
        *found = value.clone();
    }
    Ok(())
}

fn floats(name: &str, values: &[Value], found: &mut Vec<f64>) -> Result<(), String> {
    for value in values {
        match (value.items(), value.number(), value) {
            (Some(items), ..) => floats(name, items, found)?,
            (_, Some(number), _) => found.push(number.to_float()),
            (.., Value::Duration(value) | Value::Int(value, _)) => found.push(as_float(*value)),
            _ => return Err(format!("invalid argument for {name} (type {})", value.type_name())),
        }
    }
    Ok(())
}

fn mean(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let mut values = Vec::new();
    floats("mean", arguments, &mut values)?;
    let count = as_float(i64::try_from(values.len()).unwrap_or(i64::MAX));
    Ok(Value::Float(if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / count }))
}

fn median(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    let mut values = Vec::new();
    floats("median", arguments, &mut values)?;
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    Ok(Value::Float(match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => values[middle],
        _ => f64::midpoint(values[middle - 1], values[middle]),
    }))
}

fn whole(value: &Value, name: &str) -> Result<i64, String> {
    match value.number() {
        Some(Number::Int(value)) => Ok(value),
        _ => Err(format!("cannot use {} as argument (type int) to call {name}", value.type_name())),
    }
}

fn bits(name: &str, arguments: &[Value], body: fn(i64, i64) -> Result<i64, String>) -> Result<Value, String> {
    let (x, y) = (whole(argument(arguments, 0)?, name)?, whole(argument(arguments, 1)?, name)?);
    body(x, y).map(Value::int)
}

fn shift(count: i64) -> Result<u32, String> {
    if count < 0 {
        return Err(format!("invalid operation: negative shift count {count} (type int)"));
    }
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn bitnot(arguments: &[Value], _: &mut Budget) -> Result<Value, String> {
    whole(argument(arguments, 0)?, "bitnot").map(|value| Value::int(!value))
}
