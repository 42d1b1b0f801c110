//! What happens to a JSON value on its way through a Go struct and back: unknown fields, empty fields, spellings
//! of quantities and times.

use crate::schema::{self, Field, Type};
use object::{GoDuration, Quantity, json, secret, time};
use serde_json::{Map, Value};

/// The value does not fit the type; Go's decoder would refuse it.
#[derive(Debug, PartialEq)]
pub(crate) struct Mismatch;

/// How members that are no fields are taken.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Unknown {
    /// The whole value is refused.
    Refused,
    /// They are lost.
    Dropped,
}

/// Whether fields that were not there appear when their type has no way to leave them out.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Absent {
    /// As Go writes the struct.
    Written,
    /// Only what was there before.
    Left,
}

#[derive(Clone, Copy)]
pub(crate) struct Passage {
    pub(crate) unknown: Unknown,
    pub(crate) absent: Absent,
}

impl Passage {
    /// Decodes a value as a type and encodes it again.
    pub(crate) fn value(self, kind: &Type, value: &Value) -> Result<Value, Mismatch> {
        match (kind, value) {
            (Type::Any, value) => Ok(value.clone()),
            (_, Value::Null) => Ok(zero(kind)),
            (Type::Pointer(inner), value) => self.value(inner, value),
            (Type::Bool, Value::Bool(_)) | (Type::Text, Value::String(_)) => Ok(value.clone()),
            (Type::Int(least, most), Value::Number(number)) => {
                let whole = number.as_i64().ok_or(Mismatch)?;
                if (*least..=*most).contains(&whole) { Ok(Value::from(whole)) } else { Err(Mismatch) }
            }
            (Type::Float, Value::Number(_)) => Ok(value.clone()),
            (Type::Bytes, Value::String(text)) => {
                secret::canonical_base64(text).map(Value::String).ok_or(Mismatch)
            }
            (Type::Time, Value::String(text)) => {
                time::parse(text).map(|at| time::format_seconds(at).into()).ok_or(Mismatch)
            }
            (Type::MicroTime, Value::String(text)) => {
                time::parse(text).map(|at| time::format_micros(at).into()).ok_or(Mismatch)
            }
            (Type::Duration, Value::String(text)) => {
                text.parse::<GoDuration>().map(|span| span.to_string().into()).map_err(|_| Mismatch)
            }
            (Type::Quantity, Value::String(text)) => quantity(text.trim()),
            (Type::Quantity, Value::Number(number)) => quantity(&json::go_number(number)),
            (Type::IntOrString, Value::String(_)) => Ok(value.clone()),
            (Type::IntOrString, Value::Number(number)) => {
                let whole = number.as_i64().and_then(|whole| i32::try_from(whole).ok()).ok_or(Mismatch)?;
                Ok(Value::from(whole))
            }
            (Type::List(inner), Value::Array(items)) => {
                items.iter().map(|item| self.value(inner, item)).collect::<Result<_, _>>().map(Value::Array)
            }
            (Type::Map(inner), Value::Object(members)) => {
                let entries =
                    members.iter().map(|(name, value)| Ok((name.clone(), self.value(inner, value)?)));
                entries.collect::<Result<_, _>>().map(Value::Object)
            }
            (Type::Struct(name), Value::Object(members)) => self.members(name, members).map(Value::Object),
            _ => Err(Mismatch),
        }
    }

    /// The same for the members of a struct.
    pub(crate) fn members(
        self,
        name: &str,
        members: &Map<String, Value>,
    ) -> Result<Map<String, Value>, Mismatch> {
        let fields = schema::fields(name).ok_or(Mismatch)?;
        let mut out = Map::new();
        for (member, value) in members {
            let Some((known, field)) = schema::lookup(fields, member) else {
                match self.unknown {
                    Unknown::Refused => return Err(Mismatch),
                    Unknown::Dropped => continue,
                }
            };
            let value = self.value(&field.kind, value)?;
            // Spelled in another case, the field ends under its own name, which was not there before.
            let spelled = known == member || self.absent == Absent::Written;
            if spelled && !left_out(field, &value) {
                out.insert(known.to_owned(), value);
            }
        }
        if self.absent == Absent::Written {
            for (name, field) in fields {
                if !out.contains_key(*name) {
                    let value = zero(&field.kind);
                    if !left_out(field, &value) {
                        out.insert((*name).to_owned(), value);
                    }
                }
            }
        }
        Ok(out)
    }
}

fn quantity(text: &str) -> Result<Value, Mismatch> {
    text.parse::<Quantity>().map(|quantity| quantity.to_string().into()).map_err(|_| Mismatch)
}

/// A Go zero value in JSON.
pub(crate) fn zero(kind: &Type) -> Value {
    match kind {
        Type::Bool => Value::Bool(false),
        Type::Text => Value::String(String::new()),
        Type::Int(..) | Type::Float | Type::IntOrString => Value::from(0),
        Type::Quantity => Value::from("0"),
        Type::Duration => Value::from("0s"),
        Type::Bytes
        | Type::Time
        | Type::MicroTime
        | Type::Any
        | Type::Pointer(_)
        | Type::List(_)
        | Type::Map(_) => Value::Null,
        Type::Struct(name) => {
            let mut out = Map::new();
            for (name, field) in schema::fields(name).into_iter().flatten() {
                let value = zero(&field.kind);
                if !left_out(field, &value) {
                    out.insert((*name).to_owned(), value);
                }
            }
            Value::Object(out)
        }
    }
}

/// Whether Go leaves the field out.
fn left_out(field: &Field, value: &Value) -> bool {
    (field.omit_empty && is_empty(&field.kind, value)) || (field.omit_zero && *value == zero(&field.kind))
}

/// Go's `omitempty`: a struct is never empty.
fn is_empty(kind: &Type, value: &Value) -> bool {
    match (kind, value) {
        (Type::Pointer(_) | Type::Any, value) => value.is_null(),
        (Type::Bool, Value::Bool(flag)) => !flag,
        (Type::Text | Type::Bytes, Value::String(text)) => text.is_empty(),
        (Type::Bytes | Type::List(_) | Type::Map(_), Value::Null) => true,
        (Type::Int(..) | Type::Float, Value::Number(number)) => number.as_f64() == Some(0.0),
        (Type::List(_), Value::Array(items)) => items.is_empty(),
        (Type::Map(_), Value::Object(members)) => members.is_empty(),
        _ => false,
    }
}
