//! What is known of a value before it is there. Only literals and the results of functions are known: what comes from
//! outside may be anything.

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Nature {
    /// From outside.
    Unknown,
    /// An interface to Go: as open, by another name.
    Any,
    Nil,
    Bool,
    Int,
    Float,
    Text,
    Bytes,
    /// A list of anything.
    AnyList,
    /// A list of anything whose elements are known.
    List(Box<Nature>),
    Ints,
    Texts,
    Map,
    AnyMap,
    Groups(Box<Nature>),
    Time,
    Duration,
    Zone,
    Month,
    Weekday,
    /// A builtin by its name, not called.
    Function,
    /// A method: its parameters and its result.
    Method(&'static [Nature], &'static Nature),
}

impl Nature {
    pub(crate) fn list_of(self) -> Self {
        Self::List(Box::new(self))
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Unknown | Self::Any)
    }

    /// What Go's reflection calls a value of which nothing is known.
    pub(crate) fn into_interface(self) -> Self {
        if self == Self::Unknown { Self::Any } else { self }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float)
    }

    pub(crate) fn is_list(&self) -> bool {
        matches!(self, Self::AnyList | Self::List(_) | Self::Ints | Self::Texts | Self::Bytes)
    }

    pub(crate) fn is_map(&self) -> bool {
        matches!(self, Self::Map | Self::AnyMap | Self::Groups(_))
    }

    /// What an element or a member is.
    pub(crate) fn element(&self) -> Self {
        match self {
            Self::List(element) | Self::Groups(element) => (**element).clone(),
            Self::Ints => Self::Int,
            Self::Texts => Self::Text,
            Self::AnyList | Self::Map | Self::AnyMap => Self::Any,
            Self::Bytes => Self::Int,
            _ => Self::Unknown,
        }
    }

    /// Go's name for the type, or that there is none.
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Nil => "unknown",
            other => other.type_text(),
        }
    }

    /// The same where Go prints a type that may be nil.
    pub(crate) fn type_text(&self) -> &'static str {
        match self {
            Self::Unknown | Self::Any => "interface {}",
            Self::Nil => "%!s(<nil>)",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float64",
            Self::Text => "string",
            Self::Bytes => "[]uint8",
            Self::AnyList | Self::List(_) => "[]interface {}",
            Self::Ints => "[]int",
            Self::Texts => "[]string",
            Self::Map => "map[string]interface {}",
            Self::AnyMap => "map[interface {}]interface {}",
            Self::Groups(_) => "map[interface {}][]interface {}",
            Self::Time => "time.Time",
            Self::Duration => "time.Duration",
            Self::Zone => "*time.Location",
            Self::Month => "time.Month",
            Self::Weekday => "time.Weekday",
            Self::Function | Self::Method(..) => "func",
        }
    }

    pub(crate) fn assignable_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Nil, other) => {
                other.is_list() || other.is_map() || matches!(other, Self::Any | Self::Zone | Self::Function)
            }
            (Self::Unknown, _) | (_, Self::Unknown | Self::Nil) => false,
            (_, Self::Any) => true,
            (Self::Any, _) => false,
            (left, right) => left.type_text() == right.type_text(),
        }
    }

    pub(crate) fn comparable_to(&self, other: &Self) -> bool {
        self.is_open()
            || other.is_open()
            || matches!(self, Self::Nil)
            || matches!(other, Self::Nil)
            || self.is_number() && other.is_number()
            || self.is_list() && other.is_list()
            || self.assignable_to(other)
    }

    /// Whether one is open and the other one of these, or both are open.
    pub(crate) fn may_be(&self, other: &Self, kinds: &[Self]) -> bool {
        let any_of =
            |nature: &Self| kinds.contains(nature) || nature.is_number() && kinds.contains(&Self::Float);
        match (self.is_open(), other.is_open()) {
            (true, true) => true,
            (true, false) => any_of(other),
            (false, true) => any_of(self),
            (false, false) => false,
        }
    }
}
