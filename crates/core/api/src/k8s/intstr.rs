//! `intstr`: a count or a percentage.

use prost::Message;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;
use std::borrow::Cow;

/// A whole number or a text such as `25%`.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct IntOrString {
    /// 0: the number counts; 1: the text does.
    #[prost(int64, required, tag = "1")]
    pub r#type: i64,
    /// The number.
    #[prost(int32, required, tag = "2")]
    pub int_val: i32,
    /// The text.
    #[prost(string, required, tag = "3")]
    pub str_val: String,
}

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.r#type == 0 {
            serializer.serialize_i32(self.int_val)
        } else {
            serializer.serialize_str(&self.str_val)
        }
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self { r#type: 1, int_val: 0, str_val: text }),
            Value::Number(number) => number
                .as_i64()
                .and_then(|number| i32::try_from(number).ok())
                .map(|number| Self { r#type: 0, int_val: number, str_val: String::new() })
                .ok_or_else(|| D::Error::custom(format_args!("{number} is not a 32-bit whole number"))),
            Value::Null => Ok(Self::default()),
            other => Err(D::Error::custom(format_args!("expected a number or a string, found {other}"))),
        }
    }
}

impl JsonSchema for IntOrString {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IntOrString".into()
    }

    // An `anyOf` of the two types would have to stand beside the extension, and the API server needs none.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"x-kubernetes-int-or-string": true})
    }
}
