//! Reads values by key and keeps what was wrong with them.

use crate::duration::go_duration;
use object::yaml;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// The data of a ConfigMap.
pub type Data = BTreeMap<String, String>;

/// A value that could not be read; its default stands instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key in the ConfigMap.
    pub key: String,
    /// What is wrong with its value.
    pub message: String,
}

pub(crate) struct Reader<'a> {
    pub data: &'a Data,
    pub problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub fn new(data: &'a Data) -> Self {
        Self { data, problems: Vec::new() }
    }

    pub fn problem(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(Problem { key: key.into(), message: message.into() });
    }

    /// The text of a key; empty when there is none.
    pub fn text(&self, key: &str) -> &'a str {
        self.data.get(key).map_or("", String::as_str)
    }

    pub fn text_or(&self, key: &str, default: &str) -> String {
        let text = self.text(key);
        if text.is_empty() { default.to_owned() } else { text.to_owned() }
    }

    /// A boolean in any of Go's spellings.
    pub fn flag(&mut self, key: &str, default: bool) -> bool {
        match self.text(key) {
            "" => default,
            "1" | "t" | "T" | "true" | "TRUE" | "True" => true,
            "0" | "f" | "F" | "false" | "FALSE" | "False" => false,
            other => {
                self.problem(key, format!("{other:?} is neither true nor false"));
                default
            }
        }
    }

    pub fn number(&mut self, key: &str, default: u64) -> u64 {
        let text = self.text(key);
        if text.is_empty() {
            return default;
        }
        text.parse().unwrap_or_else(|_| {
            self.problem(key, format!("{text:?} is not a whole number"));
            default
        })
    }

    pub fn duration(&mut self, key: &str, default: Duration) -> Duration {
        let text = self.text(key);
        if text.is_empty() {
            return default;
        }
        go_duration(text).unwrap_or_else(|| {
            self.problem(key, format!("{text:?} is not a duration like 3m or 1h30m"));
            default
        })
    }

    /// Values between commas, blanks around them dropped.
    pub fn list(&self, key: &str) -> Vec<String> {
        self.text(key)
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// A YAML document; `None` when absent or broken.
    pub fn yaml(&mut self, key: &str) -> Option<Value> {
        let text = self.text(key);
        if text.trim().is_empty() {
            return None;
        }
        match yaml::decode(text.as_bytes()) {
            Ok(Value::Null) => None,
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(key, error.to_string());
                None
            }
        }
    }

    /// A YAML list; anything else is a problem.
    pub fn yaml_list(&mut self, key: &str) -> Vec<Value> {
        match self.yaml(key) {
            None => Vec::new(),
            Some(Value::Array(entries)) => entries,
            Some(_) => {
                self.problem(key, "expected a list");
                Vec::new()
            }
        }
    }
}

/// The texts of a member that is a list; other entries are left out.
pub(crate) fn texts(value: &Value, member: &str) -> Vec<String> {
    value
        .get(member)
        .and_then(Value::as_array)
        .map(|entries| entries.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        .unwrap_or_default()
}

/// The text of a member; empty when there is none.
pub(crate) fn text(value: &Value, member: &str) -> String {
    value.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}
