//! Times and embedded field sets, whose JSON is not the shape of their protobuf.

use jiff::{Timestamp, fmt::temporal::DateTimePrinter};
use prost::Message;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use serde_json::Value;
use std::borrow::Cow;

/// A point in time with the precision of a second. All zero means "no time", which JSON writes as `null`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Message)]
pub struct Time {
    /// Seconds since the Unix epoch.
    #[prost(int64, required, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds; Kubernetes drops them.
    #[prost(int32, required, tag = "2")]
    pub nanos: i32,
}

/// A point in time with the precision of a microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Message)]
pub struct MicroTime {
    /// Seconds since the Unix epoch.
    #[prost(int64, required, tag = "1")]
    pub seconds: i64,
    /// Nanoseconds, of which microseconds count.
    #[prost(int32, required, tag = "2")]
    pub nanos: i32,
}

impl Time {
    /// Whether this is no time at all.
    pub fn is_zero(&self) -> bool {
        self.seconds == 0 && self.nanos == 0
    }

    /// As a timestamp; `None` for no time, and for one outside the years 0 to 9999.
    pub fn timestamp(&self) -> Option<Timestamp> {
        (!self.is_zero()).then(|| Timestamp::from_second(self.seconds).ok()).flatten()
    }

    /// Reads RFC 3339 text.
    pub fn parse(text: &str) -> Option<Self> {
        Some(text.parse::<Timestamp>().ok()?.into())
    }
}

/// Cut to the second, as Kubernetes stores it.
impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        Self { seconds: timestamp.as_second(), nanos: 0 }
    }
}

impl From<Timestamp> for MicroTime {
    fn from(timestamp: Timestamp) -> Self {
        Self { seconds: timestamp.as_second(), nanos: timestamp.subsec_nanosecond() / 1000 * 1000 }
    }
}

/// RFC 3339 in UTC; empty for no time.
impl std::fmt::Display for Time {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.timestamp() {
            Some(timestamp) => formatter.write_str(&text(timestamp, 0)),
            None => Ok(()),
        }
    }
}

fn text(timestamp: Timestamp, digits: u8) -> String {
    DateTimePrinter::new().precision(Some(digits)).timestamp_to_string(&timestamp)
}

fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| D::Error::custom(format_args!("{text:?} is not an RFC 3339 time")))
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.timestamp() {
            Some(timestamp) => serializer.serialize_str(&text(timestamp, 0)),
            None => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(read(deserializer)?.map(Self::from).unwrap_or_default())
    }
}

impl Serialize for MicroTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Timestamp::new(self.seconds, self.nanos) {
            Ok(timestamp) if self.seconds != 0 || self.nanos != 0 => {
                serializer.serialize_str(&text(timestamp, 6))
            }
            _ => serializer.serialize_unit(),
        }
    }
}

impl<'de> Deserialize<'de> for MicroTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(read(deserializer)?.map(Self::from).unwrap_or_default())
    }
}

/// The set of fields a manager owns, kept as the JSON it came as.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct FieldsV1 {
    /// JSON text.
    #[prost(bytes = "vec", tag = "1")]
    pub raw: Vec<u8>,
}

impl Serialize for FieldsV1 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        super::runtime::embed(&self.raw, serializer)
    }
}

impl<'de> Deserialize<'de> for FieldsV1 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { raw: super::runtime::embedded(&Value::deserialize(deserializer)?) })
    }
}

macro_rules! schema {
    ($($name:ident = $schema:tt;)*) => {$(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

schema! {
    Time = {"type": "string", "format": "date-time"};
    MicroTime = {"type": "string", "format": "date-time"};
    FieldsV1 = {"type": "object"};
}
