//! `apiextensions/v1`: any JSON value.

use prost::Message;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;

/// Any JSON value, kept as text.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Json {
    /// JSON text; empty is `null`.
    #[prost(bytes = "vec", tag = "1")]
    pub raw: Vec<u8>,
}

impl Json {
    /// Keeps a value.
    pub fn new(value: &Value) -> Self {
        Self { raw: crate::k8s::runtime::embedded(value) }
    }

    /// The value; `None` when the text is not JSON.
    pub fn value(&self) -> Option<Value> {
        if self.raw.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&self.raw).ok() }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::k8s::runtime::embed(&self.raw, serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&Value::deserialize(deserializer)?))
    }
}

impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "JSON".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-preserve-unknown-fields": true})
    }
}
