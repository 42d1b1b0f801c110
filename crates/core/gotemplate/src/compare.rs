//! `reflect.DeepEqual`: same types, same values, all the way down.

use crate::value::Value;
use std::rc::Rc;

/// Nesting beyond which two values are taken for different.
const DEEPEST: usize = 500;

pub(crate) fn deep_equal(left: &Value, right: &Value) -> bool {
    equal(left, right, 0)
}

#[expect(clippy::float_cmp, reason = "Go compares floats exactly")]
fn equal(left: &Value, right: &Value, depth: usize) -> bool {
    if depth > DEEPEST {
        return false;
    }
    match (left, right) {
        (Value::Missing | Value::Nil, Value::Missing | Value::Nil) => true,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        (Value::Int(left), Value::Int(right))
        | (Value::Int64(left), Value::Int64(right))
        | (Value::Duration(left), Value::Duration(right)) => left == right,
        (Value::Int32(left), Value::Int32(right)) => left == right,
        (Value::Uint8(left), Value::Uint8(right)) => left == right,
        (Value::Uint64(left), Value::Uint64(right)) => left == right,
        (Value::Float(left), Value::Float(right)) => left == right,
        (Value::Complex(a, b), Value::Complex(c, d)) => a == c && b == d,
        (Value::String(left), Value::String(right)) | (Value::Bytes(left), Value::Bytes(right)) => {
            left == right
        }
        (Value::Time(left), Value::Time(right)) => left == right,
        (Value::List(left), Value::List(right)) => {
            Rc::ptr_eq(left, right)
                || left.element == right.element
                    && left.nil == right.nil
                    && left.items.len() == right.items.len()
                    && left.items.iter().zip(&right.items).all(|(left, right)| equal(left, right, depth + 1))
        }
        (Value::Map(left), Value::Map(right)) => {
            Rc::ptr_eq(left, right)
                || left.element == right.element
                    && left.named.map(|named| named.name) == right.named.map(|named| named.name)
                    && left.len() == right.len()
                    && left
                        .entries()
                        .iter()
                        .zip(right.entries())
                        .all(|((key, left), (other, right))| *key == other && equal(left, &right, depth + 1))
        }
        (Value::Object(left), Value::Object(right)) => {
            Rc::ptr_eq(left, right)
                || left.type_name() == right.type_name()
                    && left.text().is_some()
                    && left.text() == right.text()
        }
        _ => false,
    }
}
