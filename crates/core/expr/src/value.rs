//! What an expression works on: JSON's values as Go holds them, times and durations, and functions.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::text::float;
use crate::time::{Time, Zone, duration_text};

/// A value. Copies are cheap.
#[derive(Clone, Debug)]
pub enum Value {
    /// `nil`.
    Nil,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Int(i64, IntKind),
    /// A float.
    Float(f64),
    /// A text.
    Text(Arc<str>),
    /// Bytes.
    Bytes(Arc<[u8]>),
    /// A list.
    List(Arc<List>),
    /// A map.
    Map(Arc<Map>),
    /// A moment.
    Time(Time),
    /// Nanoseconds between two moments.
    Duration(i64),
    /// A time zone.
    Zone(Zone),
    /// Something to call.
    Function(Function),
}

/// Which of Go's integers: they compare and add alike and print apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IntKind {
    /// Literals and results.
    Int,
    /// Numbers of Kubernetes objects.
    Int64,
    /// Bytes of a text.
    Byte,
    /// Months; no number to the operators.
    Month,
    /// Days of the week; no number to the operators.
    Weekday,
}

/// A list, with what Go would know of its elements.
#[derive(Clone, Debug)]
pub struct List {
    /// The type of its elements.
    pub(crate) kind: ListKind,
    /// The elements.
    pub(crate) items: Vec<Value>,
    depth: usize,
}

/// Element types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListKind {
    /// Anything.
    Any,
    /// A range.
    Ints,
    /// Parts of a text.
    Texts,
    /// Key and value pairs.
    Pairs,
    /// One such pair.
    Pair,
}

/// A map.
#[derive(Clone, Debug)]
pub struct Map {
    /// What Go would know of it.
    pub(crate) kind: MapKind,
    /// Its members.
    pub(crate) entries: BTreeMap<Key, Value>,
    depth: usize,
}

impl Map {
    /// What Go would know of it.
    pub fn kind(&self) -> MapKind {
        self.kind
    }

    /// The entries of a map, by their keys.
    pub fn entries(&self) -> &BTreeMap<Key, Value> {
        &self.entries
    }
}

impl List {
    /// The elements.
    pub fn items(&self) -> &[Value] {
        &self.items
    }
}

/// Kinds of maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// A JSON object.
    Texts,
    /// Texts by texts; one that is not there is empty.
    OnlyTexts,
    /// Any keys.
    Any,
    /// What `groupBy` makes.
    Groups,
    /// A structure of this name, whose members are fixed.
    Struct(&'static str),
}

/// A key of a map.
#[derive(Clone, Debug)]
pub enum Key {
    /// No key.
    Nil,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Int(i64, IntKind),
    /// A float.
    Float(f64),
    /// A text.
    Text(Arc<str>),
}

/// A type of a function's parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// A text.
    Text,
    /// An `int`.
    Int,
    /// A time.
    Time,
    /// A duration.
    Duration,
    /// A time zone.
    Zone,
    /// A JSON object.
    Map,
    /// Anything.
    Any,
}

/// What a function does with its arguments; the error is what it says.
pub type Body = dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync;

/// Something to call.
#[derive(Clone)]
pub struct Function {
    parameters: &'static [Parameter],
    body: Arc<Body>,
}

impl Function {
    /// A function of these parameters. Arguments are checked before the body sees them; `nil` becomes the zero value.
    pub fn new(
        parameters: &'static [Parameter],
        body: impl Fn(&[Value]) -> Result<Value, String> + Send + Sync + 'static,
    ) -> Self {
        Self { parameters, body: Arc::new(body) }
    }

    /// Calls it; arguments that do not fit are an error.
    pub fn call(&self, arguments: &[Value]) -> Result<Value, String> {
        let (expected, given) = (self.parameters.len(), arguments.len());
        if expected != given {
            return Err(format!("invalid number of arguments: expected {expected}, got {given}"));
        }
        let fitted: Result<Vec<_>, _> = self
            .parameters
            .iter()
            .zip(arguments)
            .map(|(parameter, argument)| parameter.fit(argument))
            .collect();
        (self.body)(&fitted?)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Function").field("parameters", &self.parameters).finish_non_exhaustive()
    }
}

impl Parameter {
    fn fit(self, argument: &Value) -> Result<Value, String> {
        let fits = matches!(
            (self, argument),
            (Self::Any, _)
                | (Self::Text, Value::Text(_))
                | (Self::Int, Value::Int(_, IntKind::Int))
                | (Self::Time, Value::Time(_))
                | (Self::Duration, Value::Duration(_))
                | (Self::Zone, Value::Zone(_))
        ) || matches!((self, argument), (Self::Map, Value::Map(map)) if map.kind == MapKind::Texts);
        if fits {
            return Ok(argument.clone());
        }
        if !matches!(argument, Value::Nil) {
            return Err(format!("reflect: Call using {} as type {}", argument.type_name(), self.name()));
        }
        Ok(match self {
            Self::Text => Value::text(""),
            Self::Int => Value::int(0),
            Self::Time => Value::Time(Time::zero()),
            Self::Duration => Value::Duration(0),
            Self::Zone => Value::Zone(Zone::Utc),
            Self::Map => Value::map_of(MapKind::Texts, BTreeMap::new()),
            Self::Any => Value::Nil,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Text => "string",
            Self::Int => "int",
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
            Self::Zone => "*time.Location",
            Self::Map => "map[string]interface {}",
            Self::Any => "interface {}",
        }
    }
}

impl Value {
    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(value, IntKind::Int)
    }

    /// A length or a place as an `int`.
    pub(crate) fn count(value: usize) -> Self {
        Self::int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// A text.
    pub fn text(text: impl Into<Arc<str>>) -> Self {
        Self::Text(text.into())
    }

    /// A list of anything.
    pub fn list(items: Vec<Self>) -> Self {
        Self::list_of(ListKind::Any, items)
    }

    pub(crate) fn list_of(kind: ListKind, items: Vec<Self>) -> Self {
        let depth = deepest(&items);
        Self::List(Arc::new(List { kind, items, depth }))
    }

    pub(crate) fn map_of(kind: MapKind, entries: BTreeMap<Key, Self>) -> Self {
        let depth = deepest(entries.values());
        Self::Map(Arc::new(Map { kind, entries, depth }))
    }

    /// How many lists and maps are inside of each other: what is too deep could not even be dropped.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// A JSON object.
    pub fn map<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (Key::Text(key.into()), value)).collect();
        Self::map_of(MapKind::Texts, entries)
    }

    /// Texts by texts, as the notifications' `context` is: one that is not there is empty.
    pub fn texts<K: Into<Arc<str>>>(entries: impl IntoIterator<Item = (K, String)>) -> Self {
        let entries =
            entries.into_iter().map(|(key, text)| (Key::Text(key.into()), Self::text(text))).collect();
        Self::map_of(MapKind::OnlyTexts, entries)
    }

    /// A structure: what it does not have cannot be asked for.
    pub fn structure(name: &'static str, entries: impl IntoIterator<Item = (&'static str, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (Key::Text(Arc::from(key)), value)).collect();
        Self::map_of(MapKind::Struct(name), entries)
    }

    /// JSON as Kubernetes' dynamic objects hold it: whole numbers are `int64`.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Nil,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Self::Int(value, IntKind::Int64),
                (None, value) => Self::Float(value.unwrap_or(f64::INFINITY)),
            },
            Json::String(text) => Self::text(text.as_str()),
            Json::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            Json::Object(entries) => {
                Self::map(entries.iter().map(|(key, value)| (key.as_str(), Self::from_json(value))))
            }
        }
    }

    /// Go's name for the type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_, kind) => kind.name(),
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => match list.kind {
                ListKind::Any => "[]interface {}",
                ListKind::Ints => "[]int",
                ListKind::Texts => "[]string",
                ListKind::Pairs => "[][2]interface {}",
                ListKind::Pair => "[2]interface {}",
            },
            Self::Map(map) => match map.kind {
                MapKind::Texts => "map[string]interface {}",
                MapKind::OnlyTexts => "map[string]string",
                MapKind::Any => "map[interface {}]interface {}",
                MapKind::Groups => "map[interface {}][]interface {}",
                MapKind::Struct(name) => name,
            },
            Self::Time(_) => "time.Time",
            Self::Duration(_) => "time.Duration",
            Self::Zone(_) => "*time.Location",
            Self::Function(_) => "func",
        }
    }

    /// Go's name for the kind of type.
    pub(crate) fn kind_name(&self) -> &'static str {
        match self {
            Self::Nil => "invalid",
            Self::Int(_, IntKind::Month | IntKind::Weekday) => "int",
            Self::Duration(_) => "int64",
            Self::Text(_) => "string",
            Self::Bytes(_) => "slice",
            Self::List(list) if list.kind == ListKind::Pair => "array",
            Self::List(_) => "slice",
            Self::Map(map) if matches!(map.kind, MapKind::Struct(_)) => "struct",
            Self::Map(_) => "map",
            Self::Time(_) => "struct",
            Self::Zone(_) => "ptr",
            other => other.type_name(),
        }
    }

    /// The number, if the operators take it for one.
    pub(crate) fn number(&self) -> Option<Number> {
        match self {
            Self::Int(value, IntKind::Int | IntKind::Int64 | IntKind::Byte) => Some(Number::Int(*value)),
            Self::Float(value) => Some(Number::Float(*value)),
            _ => None,
        }
    }

    /// The elements of a list.
    pub(crate) fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(&list.items),
            _ => None,
        }
    }

    /// Equality as `==` has it: numbers and lists of any type compare by what they hold.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        if let (Some(left), Some(right)) = (self.number(), other.number()) {
            return left.compare(right) == Some(Ordering::Equal);
        }
        match (self, other) {
            (Self::List(left), Self::List(right))
                if left.kind != ListKind::Pair && right.kind != ListKind::Pair =>
            {
                left.items.len() == right.items.len()
                    && left.items.iter().zip(&right.items).all(|(left, right)| left.equals(right))
            }
            _ => self.is_same(other),
        }
    }

    /// Equality inside of maps: types count.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, Self::Nil) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Int(left, kind), Self::Int(right, other)) => left == right && kind == other,
            (Self::Float(left), Self::Float(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => left == right,
            (Self::Bytes(left), Self::Bytes(right)) => left == right,
            (Self::Duration(left), Self::Duration(right)) => left == right,
            (Self::Time(left), Self::Time(right)) => left.instant() == right.instant(),
            (Self::Zone(left), Self::Zone(right)) => left.name() == right.name(),
            (Self::List(left), Self::List(right)) => {
                left.kind == right.kind
                    && left.items.len() == right.items.len()
                    && left.items.iter().zip(&right.items).all(|(left, right)| left.is_same(right))
            }
            (Self::Map(left), Self::Map(right)) => {
                left.kind == right.kind
                    && left.entries.len() == right.entries.len()
                    && left
                        .entries
                        .iter()
                        .zip(&right.entries)
                        .all(|((key, left), (other, right))| key == other && left.is_same(right))
            }
            _ => false,
        }
    }
}

fn deepest<'a>(values: impl IntoIterator<Item = &'a Value>) -> usize {
    1 + values.into_iter().map(Value::depth).max().unwrap_or(0)
}

/// A number while it is calculated with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub(crate) fn to_float(self) -> f64 {
        match self {
            Self::Int(value) => as_float(value),
            Self::Float(value) => value,
        }
    }

    pub(crate) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            _ => self.to_float().partial_cmp(&other.to_float()),
        }
    }
}

/// The nearest float, as Go converts.
#[expect(clippy::cast_precision_loss, reason = "the nearest float is what is asked for")]
pub(crate) fn as_float(value: i64) -> f64 {
    value as f64
}

/// Cut towards zero; what does not fit is the smallest number, as on the machines that Go's answers come from.
#[expect(clippy::cast_possible_truncation, reason = "cutting is what is asked for")]
pub(crate) fn as_int(value: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&value) { value as i64 } else { i64::MIN }
}

impl IntKind {
    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Byte => "uint8",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
        }
    }
}

impl Key {
    /// The key that a value is, unless it cannot be one.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Nil => Self::Nil,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value, kind) => Self::Int(*value, *kind),
            Value::Float(value) => Self::Float(*value),
            Value::Text(text) => Self::Text(Arc::clone(text)),
            _ => return None,
        })
    }

    /// The value that the key is.
    pub fn value(&self) -> Value {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value, kind) => Value::Int(*value, *kind),
            Self::Float(value) => Value::Float(*value),
            Self::Text(text) => Value::Text(Arc::clone(text)),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Nil => 0,
            Self::Int(..) => 1,
            Self::Float(_) => 2,
            Self::Bool(_) => 3,
            Self::Text(_) => 4,
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (Self::Int(left, kind), Self::Int(right, other)) => (left, kind).cmp(&(right, other)),
            (Self::Float(left), Self::Float(right)) => left.total_cmp(right),
            (Self::Text(left), Self::Text(right)) => left.cmp(right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// As Go's `%v` prints it.
impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nil => formatter.write_str("<nil>"),
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Int(value, IntKind::Month) => formatter.write_str(crate::time::month_name(*value)),
            Self::Int(value, IntKind::Weekday) => formatter.write_str(crate::time::weekday_name(*value)),
            Self::Int(value, _) => write!(formatter, "{value}"),
            Self::Float(value) => formatter.write_str(&float(*value)),
            Self::Text(text) => formatter.write_str(text),
            Self::Bytes(bytes) => {
                let numbers: Vec<String> = bytes.iter().map(u8::to_string).collect();
                write!(formatter, "[{}]", numbers.join(" "))
            }
            Self::List(list) => {
                formatter.write_str("[")?;
                for (place, item) in list.items.iter().enumerate() {
                    write!(formatter, "{}{item}", if place == 0 { "" } else { " " })?;
                }
                formatter.write_str("]")
            }
            Self::Map(map) => {
                let structure = matches!(map.kind, MapKind::Struct(_));
                formatter.write_str(if structure { "{" } else { "map[" })?;
                for (place, (key, value)) in map.entries.iter().enumerate() {
                    let space = if place == 0 { "" } else { " " };
                    match structure {
                        true => write!(formatter, "{space}{value}")?,
                        false => write!(formatter, "{space}{}:{value}", key.value())?,
                    }
                }
                formatter.write_str(if structure { "}" } else { "]" })
            }
            Self::Time(time) => write!(formatter, "{time}"),
            Self::Duration(nanoseconds) => formatter.write_str(&duration_text(*nanoseconds)),
            Self::Zone(zone) => formatter.write_str(zone.name()),
            Self::Function(_) => formatter.write_str("func"),
        }
    }
}
