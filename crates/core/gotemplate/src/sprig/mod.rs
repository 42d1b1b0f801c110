//! Sprig's functions, by theme.

use crate::functions::Line;
use crate::text::Text;
use crate::value::{Map, Value};
use std::rc::Rc;

pub(crate) mod certificates;
mod crypto;
mod dates;
mod decimal;
mod der;
mod dicts;
mod encodings;
mod keys;
mod lists;
mod numbers;
mod passwords;
mod paths;
mod regexes;
mod strings;
mod urls;
mod values;
mod versions;
mod words;

pub(crate) const TABLES: &[&[Line]] = &[
    certificates::LINES,
    crypto::LINES,
    dates::LINES,
    dicts::LINES,
    encodings::LINES,
    lists::LINES,
    numbers::LINES,
    paths::LINES,
    regexes::LINES,
    strings::LINES,
    urls::LINES,
    values::LINES,
    versions::LINES,
    words::LINES,
];

/// A `string` argument. The machine has checked its type.
fn text(arguments: &[Value], index: usize) -> Text {
    match arguments.get(index) {
        Some(Value::String(text)) => text.clone(),
        _ => Text::default(),
    }
}

/// An `int` argument.
fn int(arguments: &[Value], index: usize) -> i64 {
    match arguments.get(index) {
        Some(Value::Int(number)) => *number,
        _ => 0,
    }
}

/// A count for a loop or a length; below zero is none.
fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// A map argument; nothing where it is nil.
fn map(arguments: &[Value], index: usize) -> Option<Rc<Map>> {
    match arguments.get(index) {
        Some(Value::Map(map)) => Some(map.clone()),
        _ => None,
    }
}
