//! Protobuf bytes to the REST API's JSON and back, by descriptor, without typed values in between.
//!
//! In the original every REST answer travels through protobuf and is then encoded by Go's `encoding/json` from the
//! generated structs. The same happens here: field order, what is left out when empty, names, escapes and error
//! texts are Go's, as the `gojson` options in `proto/` say per field.

mod application_list;
mod codec;
mod decode;
mod encode;
mod mask;
pub(crate) mod plan;
pub(crate) mod protobuf;
mod scan;
mod text;

use prost::{Message, Name};

pub use decode::DecodeError;
pub use mask::Fields;
pub use protobuf::MalformedMessage;
pub use scan::{SyntaxError, problem};

/// Why a message cannot be written as JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// No message of that name is in `proto/`.
    #[error("unknown message {0}")]
    UnknownMessage(String),
    /// The bytes are not that message.
    #[error("{message}: {cause}")]
    Malformed {
        /// The message's name.
        message: String,
        /// What is wrong with the bytes.
        cause: MalformedMessage,
    },
}

/// Appends the JSON of a message, given by its full protobuf name and its bytes.
///
/// # Errors
/// When the name is unknown or the bytes are not that message; `out` then holds a part of the JSON.
pub fn to_json(message: &str, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EncodeError> {
    to_json_at(message, bytes, None, "", out)
}

/// The same with only what `fields` keeps. `path` is where the message stands for `fields`: empty for an answer,
/// `result` for a message of a stream.
///
/// # Errors
/// As [`to_json`].
pub fn to_json_at(
    message: &str,
    bytes: &[u8],
    fields: Option<&Fields>,
    path: &str,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    let id = find(message).ok_or_else(|| EncodeError::UnknownMessage(message.to_owned()))?;
    let mut encoder = encode::Encoder::new(bytes, out);
    if let Some(fields) = fields {
        encoder = encoder.with_fields(fields, path);
    }
    let span = encoder.root_span();
    encoder.message(id, span).map_err(|cause| EncodeError::Malformed { message: message.to_owned(), cause })
}

/// Appends the list of applications as the REST API answers it: an item a line, and of `fields` only those that the
/// original knows.
///
/// # Errors
/// As [`to_json`].
pub fn application_list_to_json(
    bytes: &[u8],
    fields: Option<&Fields>,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    application_list::write(bytes, fields, out)
        .map_err(|cause| EncodeError::Malformed { message: application_list::MESSAGE.to_owned(), cause })
}

/// The bytes of a message from its JSON. Keys match exactly or in another case, unknown ones are ignored, `null` is
/// absent. What follows the first JSON value is not looked at.
///
/// # Errors
/// With the original's text when the JSON is not one or has a value of another type.
pub fn from_json(message: &str, json: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let id = find(message).ok_or_else(|| DecodeError::UnknownMessage(message.to_owned()))?;
    decode::decode(id, decode::first_value(json)?)
}

/// The bytes of each message of a text of several JSON values, one behind the other.
///
/// # Errors
/// As [`from_json`], for the first value that is wrong.
pub fn stream_from_json(message: &str, json: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let id = find(message).ok_or_else(|| DecodeError::UnknownMessage(message.to_owned()))?;
    let mut messages = Vec::new();
    let mut rest = json.trim_ascii();
    while !rest.is_empty() {
        let value = decode::first_value(rest)?;
        messages.push(decode::decode(id, value)?);
        rest = rest[value.len()..].trim_ascii_start();
    }
    Ok(messages)
}

/// The JSON of a typed message.
///
/// # Errors
/// As [`to_json`].
pub fn json_of<M: Message + Name>(message: &M) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    to_json(&M::full_name(), &message.encode_to_vec(), &mut out)?;
    Ok(out)
}

/// A typed message from its JSON.
///
/// # Errors
/// As [`from_json`].
pub fn message_of<M: Message + Name + Default>(json: &[u8]) -> Result<M, DecodeError> {
    let bytes = from_json(&M::full_name(), json)?;
    M::decode(bytes.as_slice()).map_err(|error| DecodeError::Value(error.to_string()))
}

/// The name of a required field that a message lacks.
#[must_use]
pub fn missing_required(message: &str, bytes: &[u8]) -> Option<&'static str> {
    decode::missing_required(find(message)?, bytes)
}

/// Appends one field of a message from the JSON of its value; the field must exist.
pub(crate) fn field_from_json(
    message: &str,
    field: &str,
    json: &[u8],
    bytes: &mut Vec<u8>,
) -> Result<(), DecodeError> {
    let unknown = || DecodeError::UnknownMessage(format!("{message}.{field}"));
    let plan = plan::plans().get(find(message).ok_or_else(unknown)?);
    let field = plan.fields.iter().find(|candidate| *candidate.name == *field).ok_or_else(unknown)?;
    decode::decode_field(field, decode::first_value(json)?, bytes)
}

/// The bytes of a time from RFC 3339, for query parameters.
pub(crate) fn time_bytes(time: &str, micro: bool) -> Result<Vec<u8>, String> {
    codec::read_rfc3339(time, micro)
}

/// The bytes of base64 text, for query parameters.
pub(crate) fn base64_bytes(text: &str) -> Result<Vec<u8>, String> {
    codec::read_base64(text)
}

fn find(message: &str) -> Option<plan::PlanId> {
    plan::plans().find(message.trim_start_matches('.'))
}

/// Appends a JSON string with Go's escapes.
pub(crate) fn put_string(out: &mut Vec<u8>, text: &str) {
    text::put_string(out, text.as_bytes());
}
