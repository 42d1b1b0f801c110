//! Reading a JSON value into a struct as Go's `encoding/json` does: names in any case, null as if absent, wrong types
//! and, where asked for, unknown names refused.

use crate::error::{Error, Result};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// How much of what is not expected is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strictness {
    /// Unknown names are errors, and every value has its type.
    Strict,
    /// Unknown names are ignored, numbers and booleans may stand for strings: plugin configuration.
    Lenient,
}

/// The members of an object that are not read yet.
pub(crate) struct Fields<'a> {
    what: &'static str,
    members: Vec<(&'a str, &'a Value)>,
    strictness: Strictness,
}

impl<'a> Fields<'a> {
    /// Starts reading; null is an empty object.
    pub(crate) fn new(what: &'static str, value: &'a Value, strictness: Strictness) -> Result<Self> {
        let members = match value {
            Value::Null => Vec::new(),
            Value::Object(members) => members.iter().map(|(name, value)| (name.as_str(), value)).collect(),
            other => {
                return Err(Error::invalid(format!(
                    "json: cannot unmarshal {} into Go value of type types.{what}",
                    kind(other)
                )));
            }
        };
        Ok(Self { what, members, strictness })
    }

    /// Takes a member by its name, or by its name in another case. Null is nothing.
    pub(crate) fn take(&mut self, name: &str) -> Option<&'a Value> {
        let mut found = None;
        self.members.retain(|(key, value)| {
            let matches = key.eq_ignore_ascii_case(name);
            if matches && (found.is_none() || *key == name) {
                found = Some(*value);
            }
            !matches
        });
        found.filter(|value| !value.is_null())
    }

    /// A member that stays to be read.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a Value> {
        self.members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    fn wrong(&self, name: &str, value: &Value, wanted: &str) -> Error {
        let found = kind(value);
        let what = self.what;
        Error::invalid(format!(
            "json: cannot unmarshal {found} into Go struct field {what}.{name} of type {wanted}"
        ))
    }

    fn text_of(&self, name: &str, value: &Value) -> Result<String> {
        match value {
            Value::Null => Ok(String::new()),
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) if self.strictness == Strictness::Lenient => {
                Ok(object::json::go_number(number))
            }
            Value::Bool(flag) if self.strictness == Strictness::Lenient => Ok(flag.to_string()),
            other => Err(self.wrong(name, other, "string")),
        }
    }

    pub(crate) fn text(&mut self, name: &str) -> Result<String> {
        self.take(name).map_or(Ok(String::new()), |value| self.text_of(name, value))
    }

    pub(crate) fn optional_text(&mut self, name: &str) -> Result<Option<String>> {
        self.take(name).map(|value| self.text_of(name, value)).transpose()
    }

    pub(crate) fn flag(&mut self, name: &str) -> Result<bool> {
        match self.take(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(self.wrong(name, other, "bool")),
        }
    }

    pub(crate) fn integer(&mut self, name: &str) -> Result<i64> {
        match self.take(name) {
            None => Ok(0),
            Some(value) => value.as_i64().ok_or_else(|| self.wrong(name, value, "int64")),
        }
    }

    /// A list of strings; nothing when it is absent.
    pub(crate) fn optional_texts(&mut self, name: &str) -> Result<Option<Vec<String>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => {
                items.iter().map(|item| self.text_of(name, item)).collect::<Result<_>>().map(Some)
            }
            Some(other) => Err(self.wrong(name, other, "[]string")),
        }
    }

    pub(crate) fn texts(&mut self, name: &str) -> Result<Vec<String>> {
        Ok(self.optional_texts(name)?.unwrap_or_default())
    }

    /// A map of strings; nothing when it is absent.
    pub(crate) fn optional_map(&mut self, name: &str) -> Result<Option<BTreeMap<String, String>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => members
                .iter()
                .map(|(key, value)| Ok((key.clone(), self.text_of(name, value)?)))
                .collect::<Result<_>>()
                .map(Some),
            Some(other) => Err(self.wrong(name, other, "map[string]string")),
        }
    }

    pub(crate) fn map(&mut self, name: &str) -> Result<BTreeMap<String, String>> {
        Ok(self.optional_map(name)?.unwrap_or_default())
    }

    /// A list of structs; nothing when it is absent.
    pub(crate) fn optional_list<T>(
        &mut self,
        name: &str,
        read: impl Fn(&'a Value, Strictness) -> Result<T>,
    ) -> Result<Option<Vec<T>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Array(items)) => {
                items.iter().map(|item| read(item, self.strictness)).collect::<Result<_>>().map(Some)
            }
            Some(other) => Err(self.wrong(name, other, "[]struct")),
        }
    }

    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        read: impl Fn(&'a Value, Strictness) -> Result<T>,
    ) -> Result<Vec<T>> {
        Ok(self.optional_list(name, read)?.unwrap_or_default())
    }

    /// A struct; nothing when it is absent.
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&'a Value, Strictness) -> Result<T>,
    ) -> Result<Option<T>> {
        self.take(name).map(|value| read(value, self.strictness)).transpose()
    }

    /// An object of anything; nothing when it is absent.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Map<String, Value>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(members.clone())),
            Some(other) => Err(self.wrong(name, other, "map[string]interface {}")),
        }
    }

    /// Refuses what nobody asked for.
    pub(crate) fn finish(self) -> Result<()> {
        match self.members.first() {
            Some((name, _)) if self.strictness == Strictness::Strict => {
                Err(Error::invalid(format!("json: unknown field {name:?}")))
            }
            _ => Ok(()),
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
