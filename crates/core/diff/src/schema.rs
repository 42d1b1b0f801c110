//! The Go types behind Kubernetes' built-in kinds: field names, what is left out when empty, how lists merge.
//! `data/types.tsv` has them; it is read once.

use std::collections::BTreeMap;
use std::sync::OnceLock;

const TABLE: &str = include_str!("../data/types.tsv");

/// A Go type as JSON sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Bool,
    Text,
    /// Whole numbers between two bounds.
    Int(i64, i64),
    Float,
    /// Base64 in JSON.
    Bytes,
    Time,
    MicroTime,
    Duration,
    Quantity,
    IntOrString,
    /// Anything, kept as it is.
    Any,
    Pointer(Box<Type>),
    List(Box<Type>),
    Map(Box<Type>),
    Struct(&'static str),
}

/// One field of a struct.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) kind: Type,
    pub(crate) omit_empty: bool,
    pub(crate) omit_zero: bool,
    pub(crate) merge: bool,
    pub(crate) replace: bool,
    pub(crate) retain_keys: bool,
    pub(crate) merge_key: &'static str,
}

impl Field {
    /// A field of which nothing but its type is known.
    pub(crate) const fn plain(kind: Type) -> Self {
        Self {
            kind,
            omit_empty: false,
            omit_zero: false,
            merge: false,
            replace: false,
            retain_keys: false,
            merge_key: "",
        }
    }
}

/// Fields by JSON name.
pub(crate) type Fields = BTreeMap<&'static str, Field>;

/// A built-in kind.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) root: &'static str,
    /// Whether the API server's defaults are known for it.
    pub(crate) defaulted: bool,
}

struct Tables {
    kinds: BTreeMap<(&'static str, &'static str, &'static str), Kind>,
    types: BTreeMap<&'static str, Fields>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(read)
}

fn read() -> Tables {
    let mut tables = Tables { kinds: BTreeMap::new(), types: BTreeMap::new() };
    let mut current: &'static str = "";
    for line in TABLE.lines() {
        let columns: Vec<&'static str> = line.split('\t').collect();
        match columns.as_slice() {
            ["kind", group, version, kind, root, rest @ ..] => {
                tables
                    .kinds
                    .insert((group, version, kind), Kind { root, defaulted: rest.first() == Some(&"d") });
            }
            ["type", name] => {
                current = name;
                tables.types.insert(name, Fields::new());
            }
            ["", name, kind, flags] => {
                if let Some(fields) = tables.types.get_mut(current) {
                    fields.insert(name, field(kind, flags));
                }
            }
            _ => {}
        }
    }
    tables
}

fn field(kind: &'static str, flags: &'static str) -> Field {
    let mut field = Field::plain(parse_type(kind));
    for flag in flags.split(';') {
        match flag.split_once('=') {
            None if flag == "e" => field.omit_empty = true,
            None if flag == "z" => field.omit_zero = true,
            Some(("s", strategies)) => {
                for strategy in strategies.split(',') {
                    field.merge |= strategy == "merge";
                    field.replace |= strategy == "replace";
                    field.retain_keys |= strategy == "retainKeys";
                }
            }
            Some(("k", key)) => field.merge_key = key,
            _ => {}
        }
    }
    field
}

fn parse_type(text: &'static str) -> Type {
    if let Some(inner) = text.strip_prefix('*') {
        return Type::Pointer(Box::new(parse_type(inner)));
    }
    if let Some(inner) = text.strip_prefix("[]") {
        return Type::List(Box::new(parse_type(inner)));
    }
    if let Some(inner) = text.strip_prefix("{}") {
        return Type::Map(Box::new(parse_type(inner)));
    }
    match text {
        "bool" => Type::Bool,
        "string" => Type::Text,
        "int32" => Type::Int(i32::MIN.into(), i32::MAX.into()),
        "int" | "int64" => Type::Int(i64::MIN, i64::MAX),
        "float32" | "float64" => Type::Float,
        "@bytes" => Type::Bytes,
        "@Time" => Type::Time,
        "@MicroTime" => Type::MicroTime,
        "@Duration" => Type::Duration,
        "@Quantity" => Type::Quantity,
        "@IntOrString" => Type::IntOrString,
        _ if text.starts_with('@') => Type::Any,
        name => Type::Struct(name),
    }
}

/// A built-in kind, where it is one.
pub(crate) fn kind(group: &str, version: &str, kind: &str) -> Option<&'static Kind> {
    // The keys live as long as the program; a shorter-lived look-up needs a scan of the group's few kinds.
    let tables = tables();
    tables
        .kinds
        .range((group_key(group)?, "", "")..)
        .take_while(|((found, _, _), _)| *found == group)
        .find(|((_, found_version, found_kind), _)| *found_version == version && *found_kind == kind)
        .map(|(_, kind)| kind)
}

fn group_key(group: &str) -> Option<&'static str> {
    tables().kinds.keys().map(|(found, _, _)| *found).find(|found| *found == group)
}

/// Fields of a struct.
pub(crate) fn fields(name: &str) -> Option<&'static Fields> {
    tables().types.get(name)
}

/// The name of a struct as the table has it, for the types users may name.
pub(crate) fn struct_named(name: &str) -> Option<&'static str> {
    tables().types.get_key_value(name).map(|(name, _)| *name)
}

/// A field as Go's JSON finds it: by its name, else by its name in other cases.
pub(crate) fn lookup(fields: &'static Fields, name: &str) -> Option<(&'static str, &'static Field)> {
    if let Some((name, field)) = fields.get_key_value(name) {
        return Some((name, field));
    }
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(name, field)| (*name, field))
}
