//! Vars: `$(NAME)` in fields becomes the value of a field elsewhere.

use crate::error::{Error, Result, Within as _};
use crate::field_spec::{FieldSpec, apply};
use crate::kustomization::Var;
use crate::node::{Content, Kind, Node, Tag, general_float, split_field_path, style};
use crate::resource::Resource;
use crate::resources::Resources;
use std::collections::BTreeMap;

/// What a var stands for.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// A list or a map, which no text can hold.
    Other,
}

impl Value {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Int(number) => number.to_string(),
            Self::Float(float) => go_print(*float),
            Self::Bool(flag) => flag.to_string(),
            Self::Other => String::new(),
        }
    }
}

/// A float as Go's `%v` prints it: exponents only from 21 digits on.
fn go_print(float: f64) -> String {
    if (1e-4..1e21).contains(&float.abs()) || float == 0.0 { float.to_string() } else { general_float(float) }
}

/// Replaces all vars.
pub(crate) fn resolve(
    resources: &mut Resources,
    vars: &BTreeMap<String, Var>,
    specs: &[FieldSpec],
) -> Result<()> {
    if vars.is_empty() {
        return Ok(());
    }
    let mut values = BTreeMap::new();
    for (name, var) in vars {
        values.insert(name.as_str(), value_of(resources, var)?);
    }
    for resource in resources.list_mut() {
        for spec in specs {
            apply(spec, &mut resource.node, None, &mut |node| replace(node, &values))?;
            resource.settle();
        }
    }
    Ok(())
}

fn value_of(resources: &Resources, var: &Var) -> Result<Value> {
    let named = |resource: &&Resource| resource.vars.contains(&var.name);
    let Some(resource) = resources.list().iter().find(named) else {
        return Err(Error::invalid(format!(
            "var '{}' cannot be mapped to a field in the set of known resources",
            var.name
        )));
    };
    field(&resource.node, &var.field_path).within(|| {
        format!(
            "field {} specified in var '{}' not found in corresponding resource",
            var.field_path, var.name
        )
    })
}

fn field(node: &Node, path: &str) -> Result<Value> {
    let mut parts = Vec::new();
    for part in split_field_path(path) {
        match part.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
            Some((name, index)) if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) => {
                if !name.is_empty() {
                    parts.push(name.to_owned());
                }
                parts.push(index.to_owned());
            }
            _ => parts.push(part),
        }
    }
    let found = node.lookup(&parts)?.ok_or_else(|| Error::invalid(format!("no field named '{path}'")))?;
    let Content::Scalar(text) = &found.content else { return Ok(Value::Other) };
    let wrong = || Error::invalid(format!("value {text:?} cannot be read as its tag says"));
    Ok(match found.tag {
        Tag::Int => Value::Int(text.parse().map_err(|_| wrong())?),
        Tag::Float => Value::Float(text.parse().map_err(|_| wrong())?),
        Tag::Bool => Value::Bool(matches!(text.as_str(), "true" | "True" | "TRUE")),
        _ => Value::Text(text.clone()),
    })
}

fn replace(node: &mut Node, values: &BTreeMap<&str, Value>) -> Result<()> {
    if node.is_null() {
        return Ok(());
    }
    match &mut node.content {
        Content::Scalar(_) => {
            if node.is_string() {
                write(node, values);
            }
        }
        Content::Mapping(fields) => {
            for (key, value) in fields {
                if !matches!(key.tag, Tag::Str | Tag::None) {
                    let tag = key.tag.short();
                    return Err(Error::invalid(format!(
                        "invalid map key: value='{}', tag='{tag}'",
                        key.text
                    )));
                }
                if value.is_string() {
                    write(value, values);
                }
            }
        }
        Content::Sequence(items) => {
            for item in items {
                if !item.is_string() {
                    return Err(Error::invalid("invalid value type expect a string"));
                }
                write(item, values);
            }
        }
    }
    Ok(())
}

fn write(node: &mut Node, values: &BTreeMap<&str, Value>) {
    let new = match expanded(node.text(), values) {
        Value::Text(text) => Node::tagged(text, Tag::Str),
        Value::Int(number) => Node::tagged(number.to_string(), Tag::Int),
        Value::Float(float) => Node::tagged(float.to_string(), Tag::Float),
        Value::Bool(flag) => Node::tagged(flag.to_string(), Tag::Bool),
        Value::Other => return,
    };
    debug_assert!(new.style == style::PLAIN && new.kind() == Kind::Scalar);
    node.overwrite(new);
}

/// The text with every `$(NAME)` replaced; `$$` is `$`. A text that is nothing but a var has the var's type.
fn expanded(text: &str, values: &BTreeMap<&str, Value>) -> Value {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let after = &rest[at + 1..];
        let Some(next) = after.chars().next() else { break };
        result.push_str(&rest[..at]);
        rest = match next {
            '$' => {
                result.push('$');
                &after[1..]
            }
            '(' => match after.find(')') {
                Some(end) => {
                    let name = &after[1..end];
                    let value = values.get(name).filter(|value| **value != Value::Other);
                    let whole = at == 0 && result.is_empty() && end + 2 == text.len();
                    match value {
                        Some(value) if whole => return value.clone(),
                        Some(value) => result.push_str(&value.text()),
                        None => result.push_str(&format!("$({name})")),
                    }
                    &after[end + 1..]
                }
                None => {
                    result.push_str("$(");
                    &after[1..]
                }
            },
            other => {
                result.push('$');
                result.push(other);
                &after[other.len_utf8()..]
            }
        };
    }
    result.push_str(rest);
    Value::Text(result)
}
