//! Helm's own functions, as its engine adds them to sprig's.

use crate::codec;
use crate::exec;
use crate::functions::Line;
use crate::machine::{Layer, Machine};
use crate::text::{Text, replace};
use crate::value::{Element, List, Map, Value};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// What stands around the message of `fail` and `required`, so that it can be found in the whole chain.
pub const MESSAGE_START: &str = "HELM_ERR_START";
/// Its end.
pub const MESSAGE_END: &str = "HELM_ERR_END";

/// How often a template may include itself.
const DEEPEST_INCLUDE: u32 = 1000;

pub(crate) const LINES: &[Line] = &[
    ("include", "sa", |machine, a| include(machine, &text(&a[0]), &a[1])),
    ("tpl", "sa", |machine, a| tpl(machine, &text(&a[0]), &a[1])),
    ("required", "sa", |_, a| match &a[1] {
        Value::Missing | Value::Nil => Err(wrapped(&text(&a[0]))),
        Value::String(value) if value.is_empty() => Err(wrapped(&text(&a[0]))),
        value => Ok(value.clone()),
    }),
    ("fail", "s", |_, a| Err(wrapped(&text(&a[0])))),
    ("lookup", "ssss", |machine, a| {
        let texts: Vec<Text> = a.iter().map(text).collect();
        let [version, kind, namespace, name] = texts.as_slice() else { return Ok(Value::Missing) };
        machine.outside.lookup(&version.to_str(), &kind.to_str(), &namespace.to_str(), &name.to_str())
    }),
    ("toYaml", "a", |machine, a| {
        let mut yaml = codec::to_yaml(&a[0]).unwrap_or_default();
        if yaml.ends_with('\n') {
            yaml.pop();
        }
        machine.made(yaml.into_bytes())
    }),
    ("toYamlPretty", "a", |machine, a| {
        let mut yaml =
            codec::to_pretty_tree(&a[0]).map(|tree| crate::pretty_yaml::encode(&tree)).unwrap_or_default();
        if yaml.ends_with('\n') {
            yaml.pop();
        }
        machine.made(yaml.into_bytes())
    }),
    ("fromYaml", "s", |machine, a| {
        machine.spend(u64::try_from(text(&a[0]).len() / 16).unwrap_or(0))?;
        Ok(as_map(codec::from_yaml(&text(&a[0])), "error unmarshaling JSON: while decoding JSON: "))
    }),
    ("fromYamlArray", "s", |machine, a| {
        machine.spend(u64::try_from(text(&a[0]).len() / 16).unwrap_or(0))?;
        Ok(as_list(codec::from_yaml(&text(&a[0])), "error unmarshaling JSON: while decoding JSON: "))
    }),
    ("fromJson", "s", |_, a| Ok(as_map(codec::from_json(&text(&a[0])), ""))),
    ("fromJsonArray", "s", |_, a| match codec::from_json(&text(&a[0])) {
        // Unlike YAML, JSON that says null makes the list nil.
        Ok(Value::Nil | Value::Missing) => Ok(List::nil(Element::Any)),
        decoded => Ok(as_list(decoded, "")),
    }),
    ("toJson", "a", |machine, a| machine.made(codec::to_json(&a[0], true).unwrap_or_default().into_bytes())),
    ("toToml", "a", |machine, a| {
        if a[0].is_nil() {
            return Err("reflect: call of reflect.Value.Type on zero Value".into());
        }
        let toml = crate::toml::encode(&a[0]).unwrap_or_else(|message| message);
        machine.made(toml.into_bytes())
    }),
    ("fromToml", "s", |_, a| Ok(crate::toml::decode(&text(&a[0])).unwrap_or_else(codec::error_map))),
    // Helm looks up no host unless it is told to, and says nothing then.
    ("getHostByName", "s", |_, _| Ok("".into())),
];

fn text(value: &Value) -> Text {
    match value {
        Value::String(text) => text.clone(),
        _ => Text::default(),
    }
}

fn wrapped(message: &Text) -> String {
    format!("{MESSAGE_START}{}{MESSAGE_END}", message.to_str())
}

fn as_map(decoded: Result<Value, String>, prefix: &str) -> Value {
    match decoded {
        Ok(map @ Value::Map(_)) => map,
        Ok(Value::Nil | Value::Missing) => Map::any(BTreeMap::new()),
        Ok(other) => codec::error_map(format!(
            "{prefix}json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            codec::sort_of(&other)
        )),
        Err(message) => codec::error_map(message),
    }
}

fn as_list(decoded: Result<Value, String>, prefix: &str) -> Value {
    match decoded {
        Ok(list @ Value::List(_)) => list,
        Ok(Value::Nil | Value::Missing) => List::any(Vec::new()),
        Ok(other) => List::any(vec![Value::text(format!(
            "{prefix}json: cannot unmarshal {} into Go value of type []interface {{}}",
            codec::sort_of(&other)
        ))]),
        Err(message) => List::any(vec![Value::text(message)]),
    }
}

fn include(machine: &mut Machine<'_>, name: &Text, data: &Value) -> Result<Value, String> {
    let count = machine.included.entry(name.clone()).or_insert(0);
    if *count > DEEPEST_INCLUDE {
        return Err(format!(
            "rendering template has a nested reference name: {}: unable to execute template",
            name.to_str()
        ));
    }
    *count += 1;
    let found = machine.layer.get(&name.to_str()).cloned();
    let result = match found {
        None => {
            let shown = crate::quote::quote(name.as_bytes());
            Err(format!("template: no template {shown} associated with template \"gotpl\""))
        }
        Some(template) => {
            let mut out = Vec::new();
            let data = if data.is_nil() { &Value::Missing } else { data };
            exec::execute(machine, &template, data, &mut out).map(|()| out).map_err(String::from)
        }
    };
    if let Some(count) = machine.included.get_mut(name) {
        *count -= 1;
    }
    machine.made(result?)
}

fn tpl(machine: &mut Machine<'_>, source: &Text, data: &Value) -> Result<Value, String> {
    let name: Arc<str> = Arc::from("gotpl");
    // Text without actions is its own result.
    if crate::text::find(source.as_bytes(), b"{{").is_none() {
        let plain = replace(source.as_bytes(), b"<no value>", b"");
        return machine.made(plain);
    }
    let shown = || crate::quote::quote(source.as_bytes());
    let parsed = machine
        .parsed(&name, source)
        .map_err(|message| format!("cannot parse template {}: {message}", shown()))?;
    let template = parsed.get(&name).cloned();
    let outer = machine.layer.clone();
    machine.layer = Rc::new(Layer { below: Some(outer.clone()), templates: parsed });
    let mut out = Vec::new();
    let data = if data.is_nil() { &Value::Missing } else { data };
    let result = match template {
        Some(template) => exec::execute(machine, &template, data, &mut out).map_err(String::from),
        None => Ok(()),
    };
    machine.layer = outer;
    result.map_err(|message| format!("error during tpl function execution for {}: {message}", shown()))?;
    let out = if crate::text::find(&out, b"<no value>").is_some() {
        replace(&out, b"<no value>", b"")
    } else {
        out
    };
    machine.made(out)
}
