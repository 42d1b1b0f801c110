//! Members of a decoded text, read as Go reads them into a structure: names without regard to case, scalars as texts
//! where a text is wanted, `null` as nothing. What does not fit is an error that names the field and no value.

use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The members of an object, and the name of what is being read.
#[derive(Clone, Copy)]
pub struct Members<'v> {
    of: &'v str,
    entries: Option<&'v Map<String, Value>>,
}

impl<'v> Members<'v> {
    /// The members of a value; `null` has none.
    pub fn new(of: &'v str, value: &'v Value) -> Result<Self, String> {
        match value {
            Value::Null => Ok(Self { of, entries: None }),
            Value::Object(entries) => Ok(Self { of, entries: Some(entries) }),
            other => Err(format!("json: cannot unmarshal {} into Go value of type {of}", kind(other))),
        }
    }

    /// A member; `null` is nothing.
    pub fn get(&self, name: &str) -> Option<&'v Value> {
        let entries = self.entries?;
        let found = entries.get(name).or_else(|| {
            entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        found.filter(|value| !value.is_null())
    }

    fn wrong(&self, name: &str, value: &Value, wanted: &str) -> String {
        format!(
            "json: cannot unmarshal {} into Go struct field {}.{name} of type {wanted}",
            kind(value),
            self.of
        )
    }

    /// A text; empty when it is not there.
    pub fn text(&self, name: &str) -> Result<String, String> {
        let Some(value) = self.get(name) else { return Ok(String::new()) };
        scalar_text(value).ok_or_else(|| self.wrong(name, value, "string"))
    }

    /// A truth, when it is there.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            // A value out of the Secret is a text.
            Some(Value::String(text)) if text == "true" || text == "false" => Ok(Some(text == "true")),
            Some(other) => Err(self.wrong(name, other, "bool")),
        }
    }

    /// A whole number; 0 when it is not there. A text of digits is one: values out of the Secret are texts.
    pub fn integer(&self, name: &str) -> Result<i64, String> {
        let Some(value) = self.get(name) else { return Ok(0) };
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.ok_or_else(|| self.wrong(name, value, "int"))
    }

    /// A list of texts.
    pub fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .iter()
                .map(|item| match item {
                    Value::Null => Ok(String::new()),
                    item => scalar_text(item).ok_or_else(|| self.wrong(name, item, "string")),
                })
                .collect(),
            Some(other) => Err(self.wrong(name, other, "[]string")),
        }
    }

    /// Texts by name.
    pub fn text_map(&self, name: &str) -> Result<BTreeMap<String, String>, String> {
        match self.get(name) {
            None => Ok(BTreeMap::new()),
            Some(Value::Object(entries)) => entries
                .iter()
                .map(|(key, value)| match value {
                    Value::Null => Ok((key.clone(), String::new())),
                    value => scalar_text(value)
                        .map(|text| (key.clone(), text))
                        .ok_or_else(|| self.wrong(name, value, "string")),
                })
                .collect(),
            Some(other) => Err(self.wrong(name, other, "map[string]string")),
        }
    }

    /// A structure inside, when it is there.
    pub fn section(&self, name: &'v str) -> Result<Option<Members<'v>>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(value @ Value::Object(_)) => Members::new(name, value).map(Some),
            Some(other) => Err(self.wrong(name, other, "struct")),
        }
    }

    /// A list of structures.
    pub fn sections(&self, name: &'v str) -> Result<Vec<Members<'v>>, String> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(|item| Members::new(name, item)).collect(),
            Some(other) => Err(self.wrong(name, other, "[]struct")),
        }
    }
}

/// A scalar as a text: YAML's truths and numbers become what Go prints of them.
pub fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(object::json::go_number(number)),
        _ => None,
    }
}

/// What Go's JSON calls the kind of a value.
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
