//! Values as Go's templates see them: which Go type a value has decides how it compares, prints and converts.

use crate::text::Text;
use crate::time::Time;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A value. Copies share lists and maps; a change to a map is seen by all who hold it, as in Go.
#[derive(Clone, Default)]
pub enum Value {
    /// No value at all: the result of a missing key when nothing stands in for it. Go's invalid `reflect.Value`.
    #[default]
    Missing,
    /// A nil `interface {}`, as a map or list can hold it.
    Nil,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `int64`
    Int64(i64),
    /// `int32`, which is also `rune`
    Int32(i32),
    /// `uint8`, which is also `byte`
    Uint8(u8),
    /// `uint64`
    Uint64(u64),
    /// `float64`
    Float(f64),
    /// `complex128`
    Complex(f64, f64),
    /// `string`
    String(Text),
    /// `[]byte`
    Bytes(Text),
    /// A slice.
    List(Rc<List>),
    /// A map with string keys.
    Map(Rc<Map>),
    /// `time.Time`
    Time(Rc<Time>),
    /// `time.Duration`, in nanoseconds
    Duration(i64),
    /// Something with fields and methods of its own.
    Object(Rc<dyn Object>),
}

/// What the members of a list or map are declared to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    /// `interface {}`
    Any,
    /// `string`
    String,
    /// `int`
    Int,
    /// `[]interface {}`
    Lists,
    /// `[]byte`
    Bytes,
}

impl Element {
    /// Go's name of the type.
    pub fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::String => "string",
            Self::Int => "int",
            Self::Lists => "[]interface {}",
            Self::Bytes => "[]uint8",
        }
    }

    /// The value Go's zero of this type is.
    pub fn zero(self) -> Value {
        match self {
            Self::Any => Value::Nil,
            Self::String => Value::String(Text::default()),
            Self::Int => Value::Int(0),
            Self::Lists => Value::List(Rc::new(List { element: Self::Any, nil: true, items: Vec::new() })),
            Self::Bytes => Value::Bytes(Text::default()),
        }
    }
}

/// A slice: never changed once made.
pub struct List {
    /// What its members are declared to be.
    pub element: Element,
    /// Whether it is Go's nil slice, which JSON and YAML write as `null`.
    pub nil: bool,
    /// The members.
    pub items: Vec<Value>,
}

/// A map with string keys. Always read and written in the order of its keys.
pub struct Map {
    /// What its members are declared to be.
    pub element: Element,
    /// Its type when that is not a plain map (`chartutil.Values`).
    pub named: Option<&'static MapType>,
    entries: Entries,
}

/// A type whose values are maps, and its methods.
#[derive(Debug)]
pub struct MapType {
    /// Its name, as Go prints it.
    pub name: &'static str,
    /// Its methods and how many arguments each takes; all of them are texts.
    pub methods: &'static [(&'static str, usize)],
    /// Calls one of the methods.
    pub call: MapMethod,
}

impl MapType {
    /// How many arguments a method takes; nothing where there is no such method.
    pub(crate) fn arguments(&self, name: &[u8]) -> Option<usize> {
        self.methods.iter().find(|(method, _)| method.as_bytes() == name).map(|(_, arguments)| *arguments)
    }
}

/// Calls a method of a map by its name, with as many texts as it takes.
pub type MapMethod = fn(&Rc<Map>, &str, &[Value]) -> Result<Value, String>;

/// Where the members of a map are: Go converts a map to another type without a copy.
enum Entries {
    Own(RefCell<BTreeMap<Text, Value>>),
    /// Never one of these itself.
    Of(Rc<Map>),
}

/// Something with fields and methods: charts, capabilities, files, versions, whatever a program hands in.
pub trait Object {
    /// Go's name of its type, for messages and `typeOf`.
    fn type_name(&self) -> &str;

    /// The kind of its type: `struct`, `map`, `ptr`, `slice`, or `func` for what `call` can call (by the empty name).
    fn kind(&self) -> &'static str {
        "struct"
    }

    /// A field, or a member where the kind is `map`. Methods come first.
    fn field(&self, name: &str) -> Option<Value>;

    /// Calls a method; `None` when there is no such method.
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        let _ = (name, arguments);
        None
    }

    /// Its members in order, when it is a map or slice.
    fn members(&self) -> Vec<(Value, Value)> {
        Vec::new()
    }

    /// What JSON and YAML write for it.
    fn json(&self) -> Value {
        Value::Nil
    }

    /// What JSON writes for a struct, in the order of its fields; `None` leaves it to [`Object::json`].
    fn json_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// Its text when it is a Stringer; `None` prints its fields.
    fn text(&self) -> Option<String> {
        None
    }

    /// Its text where an action prints it alone: Go finds the methods of a pointer to it there.
    fn shown(&self) -> Option<String> {
        self.text()
    }

    /// Its fields in order with their Go names, for printing.
    fn fields(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

impl List {
    /// A `[]interface {}`.
    pub fn any(items: Vec<Value>) -> Value {
        Value::List(Rc::new(Self { element: Element::Any, nil: false, items }))
    }

    /// A `[]string`.
    pub fn strings(items: impl IntoIterator<Item = Text>) -> Value {
        let items = items.into_iter().map(Value::String).collect();
        Value::List(Rc::new(Self { element: Element::String, nil: false, items }))
    }

    /// A nil slice.
    pub fn nil(element: Element) -> Value {
        Value::List(Rc::new(Self { element, nil: true, items: Vec::new() }))
    }
}

impl Map {
    /// A `map[string]interface {}`.
    pub fn any(entries: BTreeMap<Text, Value>) -> Value {
        Self::of(Element::Any, None, entries)
    }

    /// A map of a given type.
    pub fn of(element: Element, named: Option<&'static MapType>, entries: BTreeMap<Text, Value>) -> Value {
        Value::Map(Rc::new(Self { element, named, entries: Entries::Own(RefCell::new(entries)) }))
    }

    /// The same map as another type: what is set in one is seen in both.
    pub fn converted(self: &Rc<Self>, named: Option<&'static MapType>) -> Value {
        let entries = Entries::Of(self.owner().clone());
        Value::Map(Rc::new(Self { element: self.element, named, entries }))
    }

    /// The map it was converted from, or itself: the same for all that share their members.
    pub(crate) fn owner(self: &Rc<Self>) -> &Rc<Self> {
        match &self.entries {
            Entries::Own(_) => self,
            Entries::Of(owner) => owner,
        }
    }

    fn cell(&self) -> &RefCell<BTreeMap<Text, Value>> {
        match &self.entries {
            Entries::Own(cell) => cell,
            Entries::Of(owner) => owner.cell(),
        }
    }

    /// The member of that name.
    pub fn get(&self, key: &[u8]) -> Option<Value> {
        self.cell().borrow().get(key).cloned()
    }

    /// Whether there is such a member.
    pub fn has(&self, key: &[u8]) -> bool {
        self.cell().borrow().contains_key(key)
    }

    /// Sets a member.
    pub fn insert(&self, key: Text, value: Value) {
        let before = self.cell().borrow_mut().insert(key, settled(value));
        // Dropped with the borrow over: what goes away may be large, or hold this very map.
        drop(before);
    }

    /// Removes a member.
    pub fn remove(&self, key: &[u8]) {
        let before = self.cell().borrow_mut().remove(key);
        drop(before);
    }

    /// Number of members.
    pub fn len(&self) -> usize {
        self.cell().borrow().len()
    }

    /// Whether it has no members.
    pub fn is_empty(&self) -> bool {
        self.cell().borrow().is_empty()
    }

    /// The members as they are now, by key.
    pub fn entries(&self) -> Vec<(Text, Value)> {
        self.cell().borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// The keys as they are now, in order.
    pub fn keys(&self) -> Vec<Text> {
        self.cell().borrow().keys().cloned().collect()
    }

    /// Visits the members in order. The map must not be changed meanwhile.
    pub fn visit<E>(&self, mut each: impl FnMut(&Text, &Value) -> Result<(), E>) -> Result<(), E> {
        self.cell().borrow().iter().try_for_each(|(key, value)| each(key, value))
    }

    /// Empties the map: the way out of a cycle.
    pub(crate) fn clear(&self) {
        let entries = std::mem::take(&mut *self.cell().borrow_mut());
        drop(entries);
    }
}

/// A value as a container holds it: no value becomes nil.
pub(crate) fn settled(value: Value) -> Value {
    if matches!(value, Value::Missing) { Value::Nil } else { value }
}

impl Drop for List {
    fn drop(&mut self) {
        if self.items.iter().any(is_container) {
            dismantle(std::mem::take(&mut self.items));
        }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let Entries::Own(entries) = &mut self.entries else { return };
        let entries = entries.get_mut();
        if entries.values().any(is_container) {
            dismantle(std::mem::take(entries).into_values().collect());
        }
    }
}

fn is_container(value: &Value) -> bool {
    matches!(value, Value::List(_) | Value::Map(_))
}

/// Drops values without recursion, so that a list a million lists deep cannot exhaust the stack.
fn dismantle(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(list) => {
                if let Ok(mut list) = Rc::try_unwrap(list) {
                    pending.extend(std::mem::take(&mut list.items).into_iter().filter(is_container));
                }
            }
            Value::Map(map) => {
                if let Ok(mut map) = Rc::try_unwrap(map) {
                    match &mut map.entries {
                        Entries::Own(entries) => {
                            let entries = std::mem::take(entries.get_mut());
                            pending.extend(entries.into_values().filter(is_container));
                        }
                        Entries::Of(owner) => pending.push(Value::Map(owner.clone())),
                    }
                }
            }
            _ => {}
        }
    }
}

impl Value {
    /// A string.
    pub fn text(text: impl Into<Text>) -> Self {
        Self::String(text.into())
    }

    /// A decoded JSON or YAML value: numbers become `float64`, as `encoding/json` decodes them.
    pub fn from_json(value: &serde_json::Value) -> Self {
        Self::decoded(value, false)
    }

    /// A decoded value whose whole numbers stay `int64`.
    pub fn from_json_with_integers(value: &serde_json::Value) -> Self {
        Self::decoded(value, true)
    }

    fn decoded(value: &serde_json::Value, integers: bool) -> Self {
        match value {
            serde_json::Value::Null => Self::Nil,
            serde_json::Value::Bool(flag) => Self::Bool(*flag),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(integer) if integers => Self::Int64(integer),
                _ => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::text(text.as_str()),
            serde_json::Value::Array(items) => {
                List::any(items.iter().map(|item| Self::decoded(item, integers)).collect())
            }
            serde_json::Value::Object(members) => Map::any(
                members
                    .iter()
                    .map(|(key, member)| (Text::from(key.as_str()), Self::decoded(member, integers)))
                    .collect(),
            ),
        }
    }

    /// Whether it is nil or nothing.
    pub fn is_nil(&self) -> bool {
        matches!(self, Self::Missing | Self::Nil)
    }

    /// Go's name of its type; `<nil>` when there is none.
    pub fn type_name(&self) -> String {
        match self {
            Self::Missing | Self::Nil => "<nil>".into(),
            Self::Bool(_) => "bool".into(),
            Self::Int(_) => "int".into(),
            Self::Int64(_) => "int64".into(),
            Self::Int32(_) => "int32".into(),
            Self::Uint8(_) => "uint8".into(),
            Self::Uint64(_) => "uint64".into(),
            Self::Float(_) => "float64".into(),
            Self::Complex(..) => "complex128".into(),
            Self::String(_) => "string".into(),
            Self::Bytes(_) => "[]uint8".into(),
            Self::List(list) => format!("[]{}", list.element.name()),
            Self::Map(map) => map
                .named
                .map_or_else(|| format!("map[string]{}", map.element.name()), |named| named.name.to_owned()),
            Self::Time(_) => "time.Time".into(),
            Self::Duration(_) => "time.Duration".into(),
            Self::Object(object) => object.type_name().to_owned(),
        }
    }

    /// Go's name of its kind; `invalid` when there is none.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "invalid",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Int64(_) | Self::Duration(_) => "int64",
            Self::Int32(_) => "int32",
            Self::Uint8(_) => "uint8",
            Self::Uint64(_) => "uint64",
            Self::Float(_) => "float64",
            Self::Complex(..) => "complex128",
            Self::String(_) => "string",
            Self::Bytes(_) | Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Time(_) => "struct",
            Self::Object(object) => object.kind(),
        }
    }

    /// Go's truth: zero, empty, nil and false are false. Structs are always true.
    pub fn truth(&self) -> bool {
        match self {
            Self::Missing | Self::Nil => false,
            Self::Bool(flag) => *flag,
            Self::Int(number) | Self::Int64(number) | Self::Duration(number) => *number != 0,
            Self::Int32(number) => *number != 0,
            Self::Uint8(number) => *number != 0,
            Self::Uint64(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Complex(real, imaginary) => *real != 0.0 || *imaginary != 0.0,
            Self::String(text) | Self::Bytes(text) => !text.is_empty(),
            Self::List(list) => !list.items.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Time(_) => true,
            Self::Object(object) => match object.kind() {
                "map" | "slice" => !object.members().is_empty(),
                _ => true,
            },
        }
    }

    /// Its whole number, where it is of an integer type.
    pub(crate) fn integer(&self) -> Option<i128> {
        match self {
            Self::Int(number) | Self::Int64(number) | Self::Duration(number) => Some(i128::from(*number)),
            Self::Int32(number) => Some(i128::from(*number)),
            Self::Uint8(number) => Some(i128::from(*number)),
            Self::Uint64(number) => Some(i128::from(*number)),
            _ => None,
        }
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}
