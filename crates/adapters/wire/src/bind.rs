//! Path, query and body of an HTTP request as the bytes of a gRPC request.

use std::collections::HashMap;

use tonic::Code;
use url::form_urlencoded;

use crate::route::{Body, Route};
use crate::transcode::plan::{Codec, Element, Field, Plan, Scalar, Shape, plans};
use crate::transcode::protobuf::{put_bytes, put_integer, wrap};
use crate::transcode::{self, DecodeError, SyntaxError};

/// Why a request cannot be made into a call; code and text as the original answers them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BindError {
    /// The gRPC code, which gives the HTTP status.
    pub code: Code,
    /// What the client is told.
    pub message: String,
}

impl BindError {
    fn invalid(message: impl Into<String>) -> Self {
        Self { code: Code::InvalidArgument, message: message.into() }
    }
}

/// The bytes of the request message: the body first, then what the path says, then the query.
///
/// # Errors
/// When a value does not fit its field, the body is not JSON of the message, or a required field is missing.
pub fn bind(route: &Route, path: &[(&str, String)], query: &str, body: &[u8]) -> Result<Vec<u8>, BindError> {
    let mut bytes = Vec::new();
    match &route.body {
        Body::None => {}
        Body::Whole => match transcode::from_json(&route.request, body) {
            Ok(message) => bytes = message,
            Err(error) => tolerate_nothing(error)?,
        },
        Body::Field(field) => {
            if let Err(error) = transcode::field_from_json(&route.request, field, body, &mut bytes) {
                tolerate_nothing(error)?;
            }
        }
    }
    for (field, value) in path {
        put_path(&route.request, field, std::slice::from_ref(value), &mut bytes).map_err(|message| {
            BindError::invalid(format!("type mismatch, parameter: {field}, error: {message}"))
        })?;
    }
    if route.body != Body::Whole {
        put_query(route, query, &mut bytes)?;
    }
    match transcode::missing_required(&route.request, &bytes) {
        None => Ok(bytes),
        Some(field) => Err(BindError {
            code: Code::Internal,
            message: format!("grpc: error while marshaling: proto: required field \"{field}\" not set"),
        }),
    }
}

/// A body that is empty is no error: its part of the request is absent.
fn tolerate_nothing(error: DecodeError) -> Result<(), BindError> {
    match error {
        DecodeError::Syntax(SyntaxError::Empty) => Ok(()),
        error => Err(BindError::invalid(error.to_string())),
    }
}

fn put_query(route: &Route, query: &str, bytes: &mut Vec<u8>) -> Result<(), BindError> {
    let mut keys: Vec<String> = Vec::new();
    let mut values: HashMap<String, Vec<String>> = HashMap::new();
    check_escapes(query)?;
    for (key, value) in form_urlencoded::parse(query.as_bytes()) {
        let list = values.entry(key.clone().into_owned()).or_default();
        if list.is_empty() {
            keys.push(key.into_owned());
        }
        list.push(value.into_owned());
    }
    let taken: Vec<&str> = route
        .path_fields()
        .chain(if let Body::Field(field) = &route.body { Some(field.as_str()) } else { None })
        .collect();
    for key in keys {
        let mut list = values.remove(&key).unwrap_or_default();
        let path = match key.strip_suffix(']').and_then(|key| key.rsplit_once('[')) {
            None => key.as_str(),
            Some((name, inner)) => {
                list.insert(0, inner.to_owned());
                name
            }
        };
        let is_taken = taken.iter().any(|field| {
            path.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        if !is_taken {
            put_path(&route.request, path, &list, bytes).map_err(BindError::invalid)?;
        }
    }
    Ok(())
}

fn check_escapes(query: &str) -> Result<(), BindError> {
    let bytes = query.as_bytes();
    for (at, _) in query.match_indices('%') {
        let escape = &bytes[at..bytes.len().min(at + 3)];
        if escape.len() < 3 || !escape[1..].iter().all(u8::is_ascii_hexdigit) {
            let escape = String::from_utf8_lossy(escape);
            return Err(BindError::invalid(format!("invalid URL escape {escape:?}")));
        }
    }
    Ok(())
}

/// Appends the field at a dotted path. A path that leads nowhere is ignored, as unknown parameters are.
fn put_path(message: &str, path: &str, values: &[String], bytes: &mut Vec<u8>) -> Result<(), String> {
    let plans = plans();
    let Some(mut id) = plans.find(message) else { return Ok(()) };
    let names: Vec<&str> = path.split('.').collect();
    let mut above = Vec::new();
    for (depth, name) in names.iter().enumerate() {
        let last = depth + 1 == names.len();
        let Some(field) = field_named(plans.get(id), name) else { return Ok(()) };
        match (field.shape, field.element) {
            (Shape::Single, Element::Message(inner)) if !last => {
                above.push(field.number);
                id = inner;
                continue;
            }
            (Shape::List, _) if !last => return Err(format!("unexpected repeated field in {path}")),
            _ if !last => {
                let (next, here) = (names[depth + 1], names[..=depth].join("."));
                return Err(format!("unexpected nested field {next} in {here}"));
            }
            _ => {}
        }
        let start = bytes.len();
        match field.shape {
            Shape::Single => put_single(field, values.first().map_or("", String::as_str), bytes)?,
            Shape::List => {
                for value in values {
                    put_single(field, value, bytes)?;
                }
            }
            Shape::Map => put_entry(field, values, bytes)?,
        }
        for number in above.into_iter().rev() {
            wrap(bytes, number, start);
        }
        return Ok(());
    }
    Ok(())
}

fn field_named<'p>(plan: &'p Plan, name: &str) -> Option<&'p Field> {
    plan.fields.iter().find(|field| *field.name == *name || *field.camel_name == *name)
}

fn put_entry(field: &Field, values: &[String], bytes: &mut Vec<u8>) -> Result<(), String> {
    let (key, value) = match values {
        [key, value] => (key, value),
        [key, ..] => return Err(format!("more than one value provided for key {key} in map {}", field.name)),
        [] => return Ok(()),
    };
    let Element::Scalar(scalar) = field.element else {
        return Err(format!("unsupported value type struct in map {}", field.name));
    };
    let start = bytes.len();
    put_bytes(bytes, 1, key.as_bytes());
    put_scalar(scalar, 2, value, bytes)?;
    wrap(bytes, field.number, start);
    Ok(())
}

fn put_single(field: &Field, value: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    match field.element {
        Element::Scalar(scalar) => put_scalar(scalar, field.number, value, bytes),
        Element::Message(id) => {
            let plan = plans().get(id);
            match plan.codec {
                Codec::Time | Codec::MicroTime => {
                    let time = transcode::time_bytes(value, plan.codec == Codec::MicroTime)?;
                    put_bytes(bytes, field.number, &time);
                    Ok(())
                }
                _ => Err(format!("field type *{} is not supported in query parameters", plan.go_type)),
            }
        }
    }
}

fn put_scalar(scalar: Scalar, number: u32, value: &str, bytes: &mut Vec<u8>) -> Result<(), String> {
    match scalar {
        Scalar::String => put_bytes(bytes, number, value.as_bytes()),
        Scalar::Bytes => put_bytes(bytes, number, &transcode::base64_bytes(value)?),
        Scalar::Bool => {
            let value = match value {
                "1" | "t" | "T" | "TRUE" | "true" | "True" => true,
                "0" | "f" | "F" | "FALSE" | "false" | "False" => false,
                _ => return Err(format!("strconv.ParseBool: parsing {}: invalid syntax", quoted(value))),
            };
            put_integer(bytes, number, i64::from(value));
        }
        Scalar::Int32 | Scalar::Int64 => {
            let problem = |why| format!("strconv.ParseInt: parsing {}: {why}", quoted(value));
            let parsed = parse_integer(value).ok_or_else(|| problem("invalid syntax"))?;
            let parsed = i64::try_from(parsed).map_err(|_| problem("value out of range"))?;
            if scalar == Scalar::Int32 && i32::try_from(parsed).is_err() {
                return Err(problem("value out of range"));
            }
            put_integer(bytes, number, parsed);
        }
    }
    Ok(())
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// An integer as Go reads it with base 0: decimal, `0x`, `0o`, `0b`, a leading zero for octal, `_` between digits of
/// the prefixed ones. Too many digits give a value that is out of every range.
fn parse_integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..])
    } else {
        (10, lower.as_str())
    };
    let underscores = radix != 10 && !digits.starts_with('_') | (digits.len() > 1) && !digits.ends_with('_');
    let plain: String = digits.chars().filter(|character| !(underscores && *character == '_')).collect();
    if plain.is_empty() || !plain.chars().all(|character| character.is_digit(radix)) {
        return None;
    }
    let value = i128::from_str_radix(&plain, radix).unwrap_or(i128::from(u64::MAX));
    Some(if negative { -value } else { value })
}
