//! Which functions a template may call, and what they take.

use crate::machine::Machine;
use crate::value::Value;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A function's code: the machine that runs it, its arguments, already of the declared types.
pub(crate) type Native = fn(&mut Machine<'_>, &[Value]) -> Result<Value, String>;

/// A function a program adds.
pub type Custom = dyn Fn(&[Value]) -> Result<Value, String> + Send + Sync;

/// What a function takes in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    /// `string`
    String,
    /// `int`
    Int,
    /// `uint32`
    Uint32,
    /// `bool`
    Bool,
    /// `float64`
    Float,
    /// `map[string]interface {}`
    Map,
    /// `time.Time`
    Time,
    /// `[]interface {}`
    List,
    /// A certificate, as `genCA` makes it.
    Certificate,
}

impl Type {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "interface {}",
            Self::String => "string",
            Self::Int => "int",
            Self::Uint32 => "uint32",
            Self::Bool => "bool",
            Self::Float => "float64",
            Self::Map => "map[string]interface {}",
            Self::Time => "time.Time",
            Self::List => "[]interface {}",
            Self::Certificate => crate::sprig::certificates::TYPE,
        }
    }

    fn from_letter(letter: char) -> Self {
        match letter {
            's' => Self::String,
            'i' => Self::Int,
            'u' => Self::Uint32,
            'b' => Self::Bool,
            'f' => Self::Float,
            'm' => Self::Map,
            't' => Self::Time,
            'l' => Self::List,
            'c' => Self::Certificate,
            _ => Self::Any,
        }
    }
}

pub(crate) enum Body {
    Native(Native),
    Custom(Arc<Custom>),
    /// `and`: evaluates only as many arguments as it must.
    And,
    /// `or`, likewise.
    Or,
}

pub(crate) struct Function {
    pub(crate) name: Arc<str>,
    pub(crate) fixed: Vec<Type>,
    pub(crate) variadic: Option<Type>,
    pub(crate) body: Body,
}

/// One line of a table of functions: its name, its parameters by letter with `*` before the one that repeats, its code.
pub(crate) type Line = (&'static str, &'static str, Native);

fn function(name: &str, parameters: &str, body: Body) -> Arc<Function> {
    let (fixed, variadic) = parameters
        .split_once('*')
        .map_or((parameters, None), |(fixed, rest)| (fixed, rest.chars().next().map(Type::from_letter)));
    let fixed = fixed.chars().map(Type::from_letter).collect();
    Arc::new(Function { name: Arc::from(name), fixed, variadic, body })
}

type Table = HashMap<Box<str>, Arc<Function>>;

fn add(table: &mut Table, lines: &[Line]) {
    for &(name, parameters, body) in lines {
        table.insert(name.into(), function(name, parameters, Body::Native(body)));
    }
}

static BUILTIN: LazyLock<Arc<Table>> = LazyLock::new(|| {
    let mut table = Table::new();
    add(&mut table, crate::builtin::LINES);
    table.insert("and".into(), function("and", "a*a", Body::And));
    table.insert("or".into(), function("or", "a*a", Body::Or));
    Arc::new(table)
});

static SPRIG: LazyLock<Arc<Table>> = LazyLock::new(|| {
    let mut table = BUILTIN.as_ref().clone();
    for lines in crate::sprig::TABLES {
        add(&mut table, lines);
    }
    Arc::new(table)
});

static HELM: LazyLock<Arc<Table>> = LazyLock::new(|| {
    let mut table = SPRIG.as_ref().clone();
    table.remove("env");
    table.remove("expandenv");
    add(&mut table, crate::helm::LINES);
    Arc::new(table)
});

/// A set of functions. Cheap to copy until something is added.
#[derive(Clone)]
pub struct Functions {
    table: Arc<Table>,
}

impl Functions {
    /// Those of `text/template` itself.
    pub fn builtin() -> Self {
        Self { table: BUILTIN.clone() }
    }

    /// Those and all of sprig's.
    pub fn sprig() -> Self {
        Self { table: SPRIG.clone() }
    }

    /// Those and Helm's; without `env` and `expandenv`, as in Helm.
    pub fn helm() -> Self {
        Self { table: HELM.clone() }
    }

    /// Adds a function, or replaces one.
    #[must_use]
    pub fn with(mut self, name: &str, fixed: &[Type], variadic: Option<Type>, body: Arc<Custom>) -> Self {
        let function =
            Function { name: Arc::from(name), fixed: fixed.to_vec(), variadic, body: Body::Custom(body) };
        Arc::make_mut(&mut self.table).insert(name.into(), Arc::new(function));
        self
    }

    /// Takes a function away.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        Arc::make_mut(&mut self.table).remove(name);
        self
    }

    /// The names of all functions, sorted.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.table.keys().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names
    }

    pub(crate) fn get(&self, name: &str) -> Option<Arc<Function>> {
        self.table.get(name).cloned()
    }
}
