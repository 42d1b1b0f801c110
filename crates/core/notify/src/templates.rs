//! Templates of notifications: compiled once, rendered for an application and a destination.

use crate::notification::Notification;
use crate::schema::{Field, Kind, SERVICES, is_open};
use crate::special;
use gotemplate::{Error, Functions, Limits, MissingKey, Outside, Templates as Compiled, Type};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What one text may take: messages are short, and a template runs at every delivery.
const LIMITS: Limits = Limits { output: 1 << 20, steps: 2_000_000, depth: 100, stack: 512 << 10 };

/// All templates of a configuration, by name.
#[derive(Clone, Default)]
pub struct Templates {
    templates: BTreeMap<String, Template>,
}

/// One template: its configuration and its texts, compiled.
#[derive(Clone)]
struct Template {
    message: Text,
    sections: Vec<(String, Node)>,
}

/// A compiled text.
#[derive(Clone)]
pub(crate) struct Text {
    name: String,
    compiled: Option<Compiled>,
}

/// What is compiled of a field.
#[derive(Clone)]
enum Node {
    Text(Text, bool),
    Raw(Value),
    Map(Vec<(String, String, Text)>),
    Filled(Vec<(String, Text)>),
    Section(Vec<(&'static str, Node)>),
    ByName(Vec<(String, Node)>),
    List(Vec<Node>),
}

/// What texts are rendered with.
pub(crate) struct Rendering<'r> {
    pub(crate) data: &'r gotemplate::Value,
    pub(crate) outside: &'r mut dyn Outside,
}

impl Text {
    pub(crate) fn compile(name: &str, text: &str, functions: &Functions) -> Result<Self, Error> {
        if !text.contains("{{") {
            // Nothing to run: the text is what it is.
            let mut compiled = Compiled::new(Functions::builtin());
            compiled.parse(name, text)?;
            return Ok(Self { name: name.to_owned(), compiled: Some(compiled).filter(|_| !text.is_empty()) });
        }
        let mut compiled = Compiled::new(functions.clone());
        compiled.parse(name, text)?;
        Ok(Self { name: name.to_owned(), compiled: Some(compiled) })
    }

    pub(crate) fn render(&self, rendering: &mut Rendering<'_>) -> Result<String, Error> {
        match &self.compiled {
            None => Ok(String::new()),
            Some(compiled) => {
                let missing = MissingKey::Default;
                compiled.execute(&self.name, rendering.data, rendering.outside, missing, LIMITS)
            }
        }
    }
}

/// sprig's functions without what looks at the machine, and the marks for mentions in Slack.
pub(crate) fn functions() -> Functions {
    let mark = |before: &'static str| -> Arc<gotemplate::Custom> {
        Arc::new(move |arguments: &[gotemplate::Value]| {
            let name = match arguments.first() {
                Some(gotemplate::Value::String(text)) => text.to_str().into_owned(),
                _ => String::new(),
            };
            Ok(gotemplate::Value::text(format!("__SLACK_{before}__{name}__")))
        })
    };
    Functions::sprig()
        .without("env")
        .without("expandenv")
        .with("slackUserByEmail", &[Type::String], None, mark("USER_EMAIL"))
        .with("slackChannel", &[Type::String], None, mark("CHANNEL"))
        .with("slackUserGroup", &[Type::String], None, mark("USERGROUP"))
}

impl Templates {
    /// Compiles all texts; the first that is no template is the error, in Go's words.
    pub(crate) fn compile(configured: &BTreeMap<String, Notification>) -> Result<Self, String> {
        let functions = functions();
        let mut templates = BTreeMap::new();
        for (name, notification) in configured {
            templates.insert(name.clone(), Template::compile(name, notification, &functions)?);
        }
        Ok(Self { templates })
    }

    /// Renders templates one after another into one notification.
    pub(crate) fn render(
        &self,
        names: &[String],
        rendering: &mut Rendering<'_>,
        now: jiff::Timestamp,
    ) -> Result<Notification, String> {
        let mut notification = Notification::default();
        for name in names {
            let Some(template) = self.templates.get(name) else {
                return Err(format!("template '{name}' is not supported"));
            };
            template.render(&mut notification, rendering).map_err(|error| error.to_string())?;
            special::finish(
                &mut notification,
                name,
                template.sections.iter().map(|(name, _)| name.as_str()),
                now,
            )?;
        }
        Ok(notification)
    }
}

impl Template {
    fn compile(name: &str, notification: &Notification, functions: &Functions) -> Result<Self, String> {
        let message = Text::compile(name, &notification.message, functions);
        let mut template =
            Self { message: message.map_err(|error| error.to_string())?, sections: Vec::new() };
        for service in SERVICES {
            let Some(value) = notification.sections.get(service.name) else { continue };
            let place = |field: &str| match service.named_errors {
                true => format!("error in '{name}' {}.{field} : ", service.name),
                false => String::new(),
            };
            let node = match (service.kind, value) {
                (Kind::Section(fields), _) => {
                    let mut nodes = section(name, value, fields, functions, &place)?;
                    nodes.extend(
                        special::hidden(service.name, name, value, functions)?
                            .into_iter()
                            .map(|(name, text)| (name, Node::Text(text, true))),
                    );
                    Node::Section(nodes)
                }
                (Kind::ByName(fields), Value::Object(entries)) => {
                    let each = |(key, value): (&String, &Value)| {
                        let nodes = section(&format!("{name}{key}"), value, fields, functions, &place)?;
                        Ok::<_, String>((key.clone(), Node::Section(nodes)))
                    };
                    Node::ByName(entries.iter().map(each).collect::<Result<_, _>>()?)
                }
                _ => continue,
            };
            template.sections.push((service.name.to_owned(), node));
        }
        for (service, value) in notification.sections.iter().filter(|(name, _)| is_open(name)) {
            let compile = |text: &str| Text::compile(name, text, functions);
            let node =
                open(value, &compile).map_err(|error| format!("error in '{name}' {service} : {error}"))?;
            template.sections.push((service.clone(), node));
        }
        Ok(template)
    }

    fn render(&self, notification: &mut Notification, rendering: &mut Rendering<'_>) -> Result<(), Error> {
        let message = self.message.render(rendering)?;
        if !message.is_empty() {
            notification.message = message;
        }
        for (service, node) in &self.sections {
            let section =
                notification.sections.entry(service.clone()).or_insert_with(|| Value::Object(Map::new()));
            render(node, section, rendering)?;
        }
        Ok(())
    }
}

/// A section of a service without a table: every text in it is a template.
fn open(value: &Value, compile: &dyn Fn(&str) -> Result<Text, Error>) -> Result<Node, Error> {
    Ok(match value {
        Value::String(text) => Node::Text(compile(text)?, true),
        Value::Array(items) => {
            Node::List(items.iter().map(|item| open(item, compile)).collect::<Result<_, _>>()?)
        }
        Value::Object(members) => {
            let each = |(name, value): (&String, &Value)| Ok((name.clone(), open(value, compile)?));
            Node::ByName(members.iter().map(each).collect::<Result<_, Error>>()?)
        }
        other => Node::Raw(other.clone()),
    })
}

fn section(
    template: &str,
    value: &Value,
    fields: &'static [Field],
    functions: &Functions,
    place: &dyn Fn(&str) -> String,
) -> Result<Vec<(&'static str, Node)>, String> {
    let mut nodes = Vec::new();
    for field in fields {
        let written = value.get(field.name).filter(|value| !value.is_null());
        let compile = |text: &str| {
            let compiled = Text::compile(template, text, functions);
            compiled.map_err(|error| format!("{}{error}", place(field.name)))
        };
        let texts = |value: Option<&Value>| -> Vec<String> {
            let items = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let node = match field.kind {
            Kind::Template | Kind::Set => {
                let text = written.and_then(Value::as_str).filter(|text| !text.is_empty());
                Node::Text(compile(text.unwrap_or(field.default))?, matches!(field.kind, Kind::Set))
            }
            Kind::Text => {
                let text = written.and_then(Value::as_str).filter(|text| !text.is_empty());
                Node::Raw(text.unwrap_or(field.default).into())
            }
            Kind::Flag => match (written, field.default) {
                (Some(value), _) => Node::Raw(value.clone()),
                (None, "") => continue,
                (None, default) => Node::Raw((default == "true").into()),
            },
            Kind::Texts => match written {
                Some(value) => Node::Raw(value.clone()),
                None => continue,
            },
            Kind::Templates => {
                let each = |text: String| Ok::<_, String>(Node::Text(compile(&text)?, true));
                Node::List(texts(written).into_iter().map(each).collect::<Result<_, _>>()?)
            }
            Kind::Map => {
                let entries = written.and_then(Value::as_object).into_iter().flatten();
                let each = |(key, value): (&String, &Value)| {
                    let text = value.as_str().unwrap_or_default();
                    Ok::<_, String>((key.clone(), text.to_owned(), compile(text)?))
                };
                Node::Map(entries.map(each).collect::<Result<_, _>>()?)
            }
            Kind::Filled => match written.and_then(Value::as_object) {
                Some(entries) => {
                    let each = |(key, value): (&String, &Value)| {
                        Ok::<_, String>((key.clone(), compile(value.as_str().unwrap_or_default())?))
                    };
                    Node::Filled(entries.iter().map(each).collect::<Result<_, _>>()?)
                }
                None => continue,
            },
            Kind::Sections(inner) => match written.and_then(Value::as_array) {
                Some(items) => {
                    let each =
                        |item: &Value| section(template, item, inner, functions, place).map(Node::Section);
                    Node::List(items.iter().map(each).collect::<Result<_, _>>()?)
                }
                None => continue,
            },
            Kind::Section(inner) => match written {
                Some(value) => Node::Section(section(template, value, inner, functions, place)?),
                None => continue,
            },
            Kind::ByName(_) => continue,
        };
        nodes.push((field.name, node));
    }
    Ok(nodes)
}

fn render(node: &Node, into: &mut Value, rendering: &mut Rendering<'_>) -> Result<(), Error> {
    match node {
        Node::Text(text, always) => {
            let text = text.render(rendering)?;
            if *always || !text.is_empty() {
                *into = text.into();
            }
        }
        Node::Raw(value) => *into = value.clone(),
        Node::Map(entries) if entries.is_empty() => {}
        Node::Map(entries) => {
            let mut result = Map::new();
            for (key, written, text) in entries {
                let rendered = text.render(rendering)?;
                let kept = if rendered.is_empty() { written.clone() } else { rendered };
                result.insert(key.clone(), kept.into());
            }
            *into = Value::Object(result);
        }
        Node::Filled(entries) => {
            let each = |(key, text): &(String, Text)| Ok((key.clone(), text.render(rendering)?.into()));
            *into = Value::Object(entries.iter().map(each).collect::<Result<_, Error>>()?);
        }
        Node::Section(nodes) => {
            for (name, node) in nodes {
                render(node, member(into, name), rendering)?;
            }
        }
        Node::List(nodes) => {
            let mut all = Vec::new();
            for node in nodes {
                let mut item = Value::Null;
                render(node, &mut item, rendering)?;
                all.push(item);
            }
            *into = all.into();
        }
        Node::ByName(nodes) => {
            for (name, node) in nodes {
                render(node, member(into, name), rendering)?;
            }
        }
    }
    Ok(())
}

fn member<'v>(value: &'v mut Value, name: &str) -> &'v mut Value {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(entries) => entries.entry(name).or_insert(Value::Null),
        other => other,
    }
}
