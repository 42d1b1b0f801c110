//! Functions that every expression has. Those with a predicate are evaluated by the machine, the others here.

mod collections;
mod numbers;
mod texts;
mod times;

pub(crate) use texts::{to_lower, to_upper};
pub(crate) use times::parse_rfc3339;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;

use crate::nature::Nature;
use crate::time::Zone;
use crate::value::{Number, Value, as_int};

/// What an argument of a function with a predicate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    Expression,
    OptionalExpression,
    Predicate,
    OptionalPredicate,
}

impl Argument {
    pub(crate) fn is_optional(self) -> bool {
        matches!(self, Self::OptionalExpression | Self::OptionalPredicate)
    }
}

/// A function with a predicate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loop {
    All,
    None,
    Any,
    One,
    Filter,
    Map,
    Count,
    Sum,
    Find,
    FindIndex,
    FindLast,
    FindLastIndex,
    GroupBy,
    SortBy,
    Reduce,
}

/// What is known to the checker: overloads and their result, or a rule of its own.
#[derive(Clone)]
pub(crate) enum Signature {
    Overloads(&'static [&'static [Nature]], Nature),
    Rule(fn(&[Nature]) -> Result<Nature, String>),
    /// `get`.
    Member,
}

pub(crate) type Call = fn(&[Value], &mut Budget) -> Result<Value, String>;

enum Entry {
    Loop(Loop, &'static [Argument]),
    Plain(Signature, Call),
}

/// A function by its name.
#[derive(Clone, Copy)]
pub(crate) struct Builtin {
    name: &'static str,
    entry: &'static Entry,
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Builtin {
    pub(crate) fn find(name: &str) -> Option<Self> {
        static ENTRIES: LazyLock<BTreeMap<&'static str, Entry>> = LazyLock::new(|| {
            let plain = [texts::FUNCTIONS, numbers::FUNCTIONS, collections::FUNCTIONS, times::FUNCTIONS];
            let plain = plain.iter().copied().flatten();
            let plain = plain.map(|(name, signature, call)| (*name, Entry::Plain(signature.clone(), *call)));
            let loops = LOOPS.iter().map(|(name, kind, arguments)| (*name, Entry::Loop(*kind, arguments)));
            plain.chain(loops).collect()
        });
        ENTRIES.get_key_value(name).map(|(name, entry)| Self { name, entry })
    }

    pub(crate) fn name(self) -> &'static str {
        self.name
    }

    pub(crate) fn predicate_arguments(self) -> Option<&'static [Argument]> {
        match self.entry {
            Entry::Loop(_, arguments) => Some(arguments),
            Entry::Plain(..) => None,
        }
    }

    pub(crate) fn as_loop(self) -> Option<Loop> {
        match self.entry {
            Entry::Loop(kind, _) => Some(*kind),
            Entry::Plain(..) => None,
        }
    }

    pub(crate) fn signature(self) -> Option<Signature> {
        match self.entry {
            Entry::Plain(signature, _) => Some(signature.clone()),
            Entry::Loop(..) => None,
        }
    }

    pub(crate) fn call(self, arguments: &[Value], budget: &mut Budget) -> Result<Value, String> {
        match self.entry {
            Entry::Plain(_, call) => call(arguments, budget),
            Entry::Loop(..) => Err(format!("unknown builtin {}", self.name)),
        }
    }
}

const TEST: &[Argument] = &[Argument::Expression, Argument::Predicate];
const LOOPS: &[(&str, Loop, &[Argument])] = &[
    ("all", Loop::All, TEST),
    ("none", Loop::None, TEST),
    ("any", Loop::Any, TEST),
    ("one", Loop::One, TEST),
    ("filter", Loop::Filter, TEST),
    ("map", Loop::Map, TEST),
    ("count", Loop::Count, &[Argument::Expression, Argument::OptionalPredicate]),
    ("sum", Loop::Sum, &[Argument::Expression, Argument::OptionalPredicate]),
    ("find", Loop::Find, TEST),
    ("findIndex", Loop::FindIndex, TEST),
    ("findLast", Loop::FindLast, TEST),
    ("findLastIndex", Loop::FindLastIndex, TEST),
    ("groupBy", Loop::GroupBy, TEST),
    ("sortBy", Loop::SortBy, &[Argument::Expression, Argument::Predicate, Argument::OptionalExpression]),
    ("reduce", Loop::Reduce, &[Argument::Expression, Argument::Predicate, Argument::OptionalExpression]),
];

/// What an evaluation may still use.
#[derive(Debug)]
pub(crate) struct Budget {
    /// Elements of lists and maps, and texts by their length.
    pub(crate) memory: usize,
    pub(crate) steps: usize,
    pub(crate) now: Timestamp,
    pub(crate) local: Zone,
}

impl Budget {
    pub(crate) fn take(&mut self, elements: usize) -> Result<(), String> {
        match self.memory.checked_sub(elements).filter(|left| *left > 0) {
            Some(left) => {
                self.memory = left;
                Ok(())
            }
            None => Err("memory budget exceeded".to_owned()),
        }
    }

    /// A text of so many bytes; the original does not count these.
    pub(crate) fn take_text(&mut self, bytes: usize) -> Result<(), String> {
        self.take(bytes / 64)
    }

    pub(crate) fn step(&mut self, steps: usize) -> Result<(), String> {
        match self.steps.checked_sub(steps) {
            Some(left) => {
                self.steps = left;
                Ok(())
            }
            None => Err("step budget exceeded".to_owned()),
        }
    }
}

/// What Go says of a value that is not of the type that was asserted.
pub(crate) fn conversion(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Nil => "nil",
        other => other.type_name(),
    };
    format!("interface conversion: interface {{}} is {found}, not {wanted}")
}

pub(crate) fn as_text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(conversion(other, "string")),
    }
}

/// A number cut to a whole one.
pub(crate) fn to_int(value: &Value) -> Result<i64, String> {
    match value.number() {
        Some(Number::Int(value)) => Ok(value),
        Some(Number::Float(value)) => Ok(as_int(value)),
        None => Err(format!("invalid operation: int({})", value.type_name())),
    }
}

/// The argument at a place; the checker has seen to it that it is there, an overridden call may not have.
pub(crate) fn argument(arguments: &[Value], place: usize) -> Result<&Value, String> {
    arguments.get(place).ok_or_else(|| {
        let given = arguments.len();
        format!("runtime error: index out of range [{place}] with length {given}")
    })
}

/// The place that an index means, counted from the end if it is negative.
pub(crate) fn place(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let index = if index < 0 { length.checked_add(index)? } else { index };
    if (0..length).contains(&index) { usize::try_from(index).ok() } else { None }
}

/// How a rule says that there are too few or too many arguments.
pub(crate) fn exactly(expected: usize, arguments: &[Nature]) -> Result<(), String> {
    match arguments.len() {
        given if given == expected => Ok(()),
        given => Err(format!("invalid number of arguments (expected {expected}, got {given})")),
    }
}

/// A key for a map of anything.
pub(crate) fn hash_key(value: &Value) -> Result<crate::value::Key, String> {
    collections::key_of(value)
}
