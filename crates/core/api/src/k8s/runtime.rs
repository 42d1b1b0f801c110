//! `runtime`: an object embedded in another, of a shape the outer one does not know.

use prost::Message;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::Error};
use serde_json::Value;
use std::borrow::Cow;

/// An embedded object, kept as JSON text.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct RawExtension {
    /// JSON text; empty is `null`.
    #[prost(bytes = "vec", tag = "1")]
    pub raw: Vec<u8>,
}

impl RawExtension {
    /// Embeds a value.
    pub fn new(value: &Value) -> Self {
        Self { raw: embedded(value) }
    }

    /// The value; `None` when the text is not JSON.
    pub fn value(&self) -> Option<Value> {
        if self.raw.is_empty() { Some(Value::Null) } else { serde_json::from_slice(&self.raw).ok() }
    }
}

impl Serialize for RawExtension {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        embed(&self.raw, serializer)
    }
}

impl<'de> Deserialize<'de> for RawExtension {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { raw: embedded(&Value::deserialize(deserializer)?) })
    }
}

impl JsonSchema for RawExtension {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "RawExtension".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
    }
}

/// Writes JSON text as the value it stands for.
pub(crate) fn embed<S: Serializer>(raw: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    if raw.is_empty() {
        return serializer.serialize_unit();
    }
    serde_json::from_slice::<Value>(raw).map_err(S::Error::custom)?.serialize(serializer)
}

/// The JSON text of a value; nothing for `null`.
pub(crate) fn embedded(value: &Value) -> Vec<u8> {
    if value.is_null() { Vec::new() } else { value.to_string().into_bytes() }
}
