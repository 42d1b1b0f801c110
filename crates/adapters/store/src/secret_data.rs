//! The Secrets the hub reads its settings and credentials from.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object::{Object, Secret};
use serde_json::Value;
use std::collections::BTreeMap;

/// A Secret. Its values cannot be printed by accident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretEntry {
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// Resource version.
    pub resource_version: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations; kubectl's record of what was applied is left out, since it repeats the values.
    pub annotations: BTreeMap<String, String>,
    /// Values by key.
    pub data: BTreeMap<String, Secret<Vec<u8>>>,
}

impl SecretEntry {
    /// Reads a Secret. A value that is not base64 makes it invalid; the reason names its key only.
    pub(crate) fn decode(object: &Object) -> Result<Self, String> {
        let mut data = BTreeMap::new();
        if let Some(entries) = object.at(&["data"]).and_then(Value::as_object) {
            for (key, value) in entries {
                let bytes = STANDARD
                    .decode(value.as_str().unwrap_or_default())
                    .map_err(|_| format!("data.{key} is not base64"))?;
                data.insert(key.clone(), Secret::new(bytes));
            }
        }
        let mut annotations = object.annotations();
        annotations.remove(api::names::LAST_APPLIED);
        Ok(Self {
            name: object.name().into(),
            uid: object.uid().into(),
            resource_version: object.resource_version().into(),
            labels: object.labels(),
            annotations,
            data,
        })
    }

    /// What kind of credential it is: `cluster`, `repository`, …
    pub fn secret_type(&self) -> &str {
        self.labels.get(api::names::SECRET_TYPE).map_or("", String::as_str)
    }

    /// A value as text; empty when it is absent or not UTF-8.
    pub fn text(&self, key: &str) -> String {
        self.data
            .get(key)
            .and_then(|value| std::str::from_utf8(value.reveal()).ok())
            .unwrap_or_default()
            .to_owned()
    }

    /// A value in one of Go's spellings of a boolean; absent is false.
    pub(crate) fn flag(&self, key: &str) -> Result<bool, String> {
        match self.data.contains_key(key).then(|| self.text(key)).as_deref() {
            None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
            Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
            Some(_) => Err(format!("{key} is neither true nor false")),
        }
    }

    /// A whole number; absent is 0.
    pub(crate) fn number(&self, key: &str) -> Result<i64, String> {
        if !self.data.contains_key(key) {
            return Ok(0);
        }
        self.text(key).parse().map_err(|_| format!("{key} is not a number"))
    }
}
