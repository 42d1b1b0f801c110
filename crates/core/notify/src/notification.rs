//! A notification: a message and what each service adds to it. As a configuration its texts are templates; rendered, they
//! are what is sent.

use crate::fields::{self, Members};
use crate::schema::{Field, Kind, SERVICES, default_is_shown, is_open};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A message and the services' sections, by the names of the documentation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notification {
    /// The message.
    pub message: String,
    /// What services add; members that are not in a service's table are for its delivery only and never shown.
    pub(crate) sections: BTreeMap<String, Value>,
}

impl Notification {
    /// Reads the configuration of a template. `kinds` are the kinds of the services that are configured: of those without
    /// a table, sections are taken as they are.
    pub(crate) fn parse(value: &Value, kinds: &BTreeSet<&str>) -> Result<Self, String> {
        let members = Members::new("services.Notification", value)?;
        let mut notification = Self { message: members.text("message")?, ..Self::default() };
        for service in SERVICES {
            let Some(value) = members.get(service.name) else { continue };
            let section = match service.kind {
                Kind::ByName(fields) => by_name(service.name, value, fields)?,
                Kind::Section(fields) => section(&Members::new(service.name, value)?, fields)?,
                _ => continue,
            };
            notification.sections.insert(service.name.to_owned(), section);
        }
        for kind in kinds.iter().filter(|kind| is_open(kind)) {
            let Some(value) = members.get(kind) else { continue };
            notification.sections.insert((*kind).to_owned(), value.clone());
        }
        Ok(notification)
    }

    /// A service's section.
    pub fn section(&self, service: &str) -> Option<Members<'_>> {
        let (name, value) = self.sections.get_key_value(service)?;
        Members::new(name, value).ok()
    }

    /// The first line of the message, cut: what a table shows.
    pub fn preview(&self) -> String {
        let text = match self.message.as_str() {
            "" => self.to_json(),
            message => message.to_owned(),
        };
        let line = text.split('\n').next().unwrap_or_default();
        if line.len() <= 100 {
            return line.to_owned();
        }
        let end = (0..=99).rev().find(|end| line.is_char_boundary(*end)).unwrap_or(0);
        format!("{}...", &line[..end])
    }

    /// Its members: those without a value are left out as the original does.
    pub fn shown(&self) -> Value {
        let mut members = Map::new();
        for (name, value) in self.ordered() {
            members.insert(name, plain(value));
        }
        Value::Object(members)
    }

    /// As JSON on one line, in the original's order.
    pub fn to_json(&self) -> String {
        let mut text = String::new();
        write(&Tree::Object(self.ordered()), None, 0, &mut text);
        text
    }

    /// As JSON with two blanks of indentation, beginning at a depth.
    pub fn to_pretty_json(&self, depth: usize) -> String {
        let mut text = String::new();
        write(&Tree::Object(self.ordered()), Some("  "), depth, &mut text);
        text
    }

    fn ordered(&self) -> Vec<(String, Tree)> {
        let mut members = Vec::new();
        if !self.message.is_empty() {
            members.push(("message".to_owned(), Tree::Value(self.message.clone().into())));
        }
        for service in SERVICES {
            let Some(value) = self.sections.get(service.name) else { continue };
            let tree = match (service.kind, value) {
                (Kind::Section(fields), _) => Tree::Object(ordered(value, fields)),
                (Kind::ByName(fields), Value::Object(entries)) => {
                    let each = |(name, value): (&String, &Value)| {
                        (name.clone(), Tree::Object(ordered(value, fields)))
                    };
                    Tree::Object(entries.iter().map(each).collect())
                }
                _ => continue,
            };
            members.push((service.name.to_owned(), tree));
        }
        let open = self.sections.iter().filter(|(name, _)| is_open(name));
        members.extend(open.map(|(name, value)| (name.clone(), Tree::Value(value.clone()))));
        members
    }
}

/// Members in an order that a JSON map would lose.
enum Tree {
    Object(Vec<(String, Tree)>),
    List(Vec<Tree>),
    Value(Value),
}

fn plain(tree: Tree) -> Value {
    match tree {
        Tree::Value(value) => value,
        Tree::List(items) => items.into_iter().map(plain).collect(),
        Tree::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, plain(value))).collect())
        }
    }
}

fn ordered(value: &Value, fields: &[Field]) -> Vec<(String, Tree)> {
    let mut members = Vec::new();
    for field in fields {
        let value = value.get(field.name).filter(|value| !value.is_null());
        let shown = match (field.kind, value) {
            (Kind::Section(fields), Some(value)) => Some(Tree::Object(ordered(value, fields))),
            (Kind::Sections(fields), Some(Value::Array(items))) if !items.is_empty() => {
                let each = |item: &Value| Tree::Object(ordered(item, fields));
                Some(Tree::List(items.iter().map(each).collect()))
            }
            (_, Some(value)) if field.always || !is_empty(value) => Some(Tree::Value(value.clone())),
            (_, None) if field.always => Some(Tree::Value(empty(field))),
            _ => None,
        };
        members.extend(shown.map(|shown| (field.name.to_owned(), shown)));
    }
    members
}

/// A pointer to false is shown; so only texts, lists and maps can be empty.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

fn empty(field: &Field) -> Value {
    match field.kind {
        Kind::Template | Kind::Set | Kind::Text if default_is_shown(field) => field.default.into(),
        Kind::Template | Kind::Set | Kind::Text => "".into(),
        Kind::Flag => (field.default == "true").into(),
        _ => Value::Null,
    }
}

fn by_name(service: &str, value: &Value, fields: &'static [Field]) -> Result<Value, String> {
    let Value::Object(entries) = value else {
        return Err(format!(
            "json: cannot unmarshal {} into Go struct field Notification.{service}",
            fields::kind(value)
        ));
    };
    let mut result = Map::new();
    for (name, value) in entries {
        result.insert(name.clone(), section(&Members::new(service, value)?, fields)?);
    }
    Ok(Value::Object(result))
}

/// The fields a section has, in the shape the table says.
fn section(members: &Members<'_>, fields: &'static [Field]) -> Result<Value, String> {
    let mut result = Map::new();
    for field in fields {
        let Some(raw) = members.get(field.name) else { continue };
        let value = match field.kind {
            Kind::Template | Kind::Set | Kind::Text => members.text(field.name)?.into(),
            Kind::Flag => members.flag(field.name)?.into(),
            Kind::Texts | Kind::Templates => members.texts(field.name)?.into(),
            Kind::Map | Kind::Filled => {
                let texts = members.text_map(field.name)?;
                Value::Object(texts.into_iter().map(|(key, text)| (key, text.into())).collect())
            }
            Kind::Sections(inner) => {
                let items = members.sections(field.name)?;
                items.iter().map(|item| section(item, inner)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Kind::Section(inner) => match members.section(field.name)? {
                Some(inside) => section(&inside, inner)?,
                None => continue,
            },
            Kind::ByName(inner) => by_name(field.name, raw, inner)?,
        };
        result.insert(field.name.to_owned(), value);
    }
    Ok(Value::Object(result))
}

fn write(tree: &Tree, indent: Option<&str>, depth: usize, text: &mut String) {
    let line = |depth: usize, text: &mut String| {
        if let Some(indent) = indent {
            text.push('\n');
            (0..depth).for_each(|_| text.push_str(indent));
        }
    };
    let colon = if indent.is_some() { ": " } else { ":" };
    match tree {
        Tree::Object(members) if members.is_empty() => text.push_str("{}"),
        Tree::Object(members) => {
            text.push('{');
            for (place, (name, value)) in members.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { "," });
                line(depth + 1, text);
                text.push_str(&object::to_go_json(&Value::String(name.clone())));
                text.push_str(colon);
                write(value, indent, depth + 1, text);
            }
            line(depth, text);
            text.push('}');
        }
        Tree::Value(Value::Object(entries)) if !entries.is_empty() => {
            let members =
                entries.iter().map(|(name, value)| (name.clone(), Tree::Value(value.clone()))).collect();
            write(&Tree::Object(members), indent, depth, text);
        }
        Tree::List(items) => {
            text.push('[');
            for (place, item) in items.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { "," });
                line(depth + 1, text);
                write(item, indent, depth + 1, text);
            }
            line(depth, text);
            text.push(']');
        }
        Tree::Value(Value::Array(items)) if !items.is_empty() => {
            let items = items.iter().map(|item| Tree::Value(item.clone())).collect();
            write(&Tree::List(items), indent, depth, text);
        }
        Tree::Value(value) => text.push_str(&object::to_go_json(value)),
    }
}
