//! Reading parts of an object by dotted paths. Null reads as absent, as scripts see it.

use object::Object;
use serde_json::Value;

/// What is at a dotted path.
pub(crate) fn look<'a>(live: &'a Object, path: &str) -> Option<&'a Value> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let value = live.0.get(first).filter(|value| !value.is_null())?;
    if rest.is_empty() { Some(value) } else { within(value, rest) }
}

/// What is at a dotted path below a value.
pub(crate) fn within<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, name| value.get(name).filter(|member| !member.is_null()))
}

/// The text at a path; empty when there is none.
pub(crate) fn text<'a>(live: &'a Object, path: &str) -> &'a str {
    look(live, path).and_then(Value::as_str).unwrap_or_default()
}

/// The text at a path below a value; empty when there is none.
pub(crate) fn text_in<'a>(value: &'a Value, path: &str) -> &'a str {
    within(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// The list at a path; empty when there is none.
pub(crate) fn list<'a>(live: &'a Object, path: &str) -> &'a [Value] {
    look(live, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The list at a path below a value; empty when there is none.
pub(crate) fn list_in<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    within(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The number at a path.
pub(crate) fn number(live: &Object, path: &str) -> Option<f64> {
    look(live, path).and_then(Value::as_f64)
}

/// What a script takes for true: anything but nothing and false.
pub(crate) fn truthy(value: Option<&Value>) -> bool {
    !matches!(value, None | Some(Value::Null | Value::Bool(false)))
}

/// Whether two values are the same to a script, to which all numbers are of one kind.
pub(crate) fn same(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left.and_then(Value::as_f64), right.and_then(Value::as_f64)) {
        (Some(left), Some(right)) => left.total_cmp(&right).is_eq(),
        _ => left == right,
    }
}

/// Whether the status speaks of an older specification: both generations are told and differ.
pub(crate) fn stale(live: &Object) -> bool {
    let observed = look(live, "status.observedGeneration");
    let wanted = look(live, "metadata.generation");
    observed.is_some() && wanted.is_some() && !same(observed, wanted)
}

/// Text as it is, numbers as a script would write them.
pub(crate) fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "whole, and within what a float holds exactly"
            )]
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => (float as i64).to_string(),
            _ => number.to_string(),
        },
        Value::Bool(flag) => flag.to_string(),
        _ => String::new(),
    }
}

/// What is told at a path; empty when there is nothing.
pub(crate) fn told_at(live: &Object, path: &str) -> String {
    look(live, path).map(told).unwrap_or_default()
}
