//! Messages whose JSON is not an object of their fields.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value as Json;

use super::encode::{Encoder, Frame, Mode, Span};
use super::plan::PlanId;
use super::protobuf::{MalformedMessage, Reader, Value, put_bytes, put_integer};
use super::scan::SyntaxError;
use super::text;

pub(super) fn put_number(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(number.to_string().as_bytes());
}

pub(super) fn put_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

/// Seconds and nanoseconds of a time; nothing for the zero time, which has no bytes or is Go's year 1.
fn read_time(bytes: &[u8]) -> Result<Option<(i64, i32)>, MalformedMessage> {
    /// Go's zero time in seconds.
    const YEAR_ONE: i64 = -62_135_596_800;
    if bytes.is_empty() {
        return Ok(None);
    }
    let (mut seconds, mut nanos) = (0, 0);
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        match (number, value) {
            (1, Value::Varint(value)) => seconds = value as i64,
            (2, Value::Varint(value)) => nanos = value as i32,
            (1 | 2, _) => return Err(MalformedMessage::WireType(number)),
            _ => {}
        }
    }
    Ok((seconds != YEAR_ONE).then_some((seconds, nanos)))
}

pub(super) fn is_zero_time(bytes: &[u8]) -> Result<bool, MalformedMessage> {
    Ok(read_time(bytes)?.is_none())
}

/// RFC 3339 in UTC, in whole seconds or with microseconds. A time outside of the calendar is null, as no time is.
pub(super) fn put_time(out: &mut Vec<u8>, bytes: &[u8], micro: bool) -> Result<(), MalformedMessage> {
    let timestamp = read_time(bytes)?.and_then(|(seconds, nanos)| {
        Timestamp::new(seconds, if micro { nanos.clamp(0, 999_999_999) } else { 0 }).ok()
    });
    match timestamp {
        None => out.extend_from_slice(b"null"),
        Some(timestamp) => {
            let format = if micro { "\"%Y-%m-%dT%H:%M:%S%.6fZ\"" } else { "\"%Y-%m-%dT%H:%M:%SZ\"" };
            out.extend_from_slice(timestamp.strftime(format).to_string().as_bytes());
        }
    }
    Ok(())
}

/// A number for type 0, a string for type 1.
pub(super) fn put_int_or_string(out: &mut Vec<u8>, bytes: &[u8]) -> Result<(), MalformedMessage> {
    let (mut kind, mut number, mut string) = (0, 0, [].as_slice());
    let mut reader = Reader::new(bytes);
    while let Some((field, value)) = reader.field()? {
        match (field, value) {
            (1, Value::Varint(value)) => kind = value,
            (2, Value::Varint(value)) => number = value as i32,
            (3, Value::Bytes(value)) => string = value,
            (1..=3, _) => return Err(MalformedMessage::WireType(field)),
            _ => {}
        }
    }
    if kind == 1 {
        text::put_string(out, string);
    } else {
        put_number(out, i64::from(number));
    }
    Ok(())
}

/// JSON text in field 1; null when there is none.
pub(super) fn put_raw_json(out: &mut Vec<u8>, bytes: &[u8], sorted: bool) -> Result<(), MalformedMessage> {
    let mut json: &[u8] = &[];
    let mut reader = Reader::new(bytes);
    while let Some((number, value)) = reader.field()? {
        match (number, value) {
            (1, Value::Bytes(value)) => json = value,
            (1, _) => return Err(MalformedMessage::WireType(1)),
            _ => {}
        }
    }
    if json.is_empty() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    if sorted && let Ok(value) = serde_json::from_slice::<Json>(json) {
        out.extend_from_slice(object::to_go_json(&value).as_bytes());
        return Ok(());
    }
    text::put_raw(out, json).map_err(MalformedMessage::Json)
}

/// A plugin's parameter: the original builds a map for it, so its keys are sorted; an empty list or map is there,
/// an absent one is not.
pub(super) fn put_plugin_parameter(
    encoder: &mut Encoder<'_, '_>,
    id: PlanId,
    span: Span,
) -> Result<(), MalformedMessage> {
    let frame = encoder.parse(id, span)?;
    let plan = super::plan::plans().get(id);
    let mode = std::mem::replace(&mut encoder.mode, Mode::Sorted);
    encoder.out.push(b'{');
    let mut entries = encoder.begin();
    for key in ["array", "map", "name", "string"] {
        let Some(slot) = plan.slot_of_key(key) else { continue };
        let field = &plan.fields[slot];
        if key != "name" && !encoder.is_present(frame, slot) {
            continue;
        }
        encoder.entry(&mut entries, &field.quoted_key);
        let begin = encoder.out.len();
        match field.element {
            super::plan::Element::Message(wrapper) => {
                encoder.with_message(frame, slot, |encoder, span| inner_value(encoder, wrapper, span))?;
            }
            super::plan::Element::Scalar(_) => encoder.field_value(field, frame, slot)?,
        }
        if encoder.out.get(begin..) == Some(b"null") {
            encoder.out.truncate(begin);
            encoder.out.extend_from_slice(if key == "array" { b"[]" } else { b"{}" });
        }
    }
    encoder.finish(&entries);
    encoder.out.push(b'}');
    encoder.mode = mode;
    encoder.forget(frame);
    Ok(())
}

/// The value of the only field of a wrapper message.
fn inner_value(encoder: &mut Encoder<'_, '_>, wrapper: PlanId, span: Span) -> Result<(), MalformedMessage> {
    let frame = encoder.parse(wrapper, span)?;
    let plan = super::plan::plans().get(wrapper);
    if let Some(field) = plan.fields.first() {
        encoder.field_value(field, frame, 0)?;
    }
    encoder.forget(frame);
    Ok(())
}

/// An override as `argocd-cm` spells it: keys with dots, and the ignore rules as YAML text.
pub(super) fn put_resource_override(
    encoder: &mut Encoder<'_, '_>,
    id: PlanId,
    span: Span,
) -> Result<(), MalformedMessage> {
    let frame = encoder.parse(id, span)?;
    let plan = super::plan::plans().get(id);
    encoder.out.push(b'{');
    let mut entries = encoder.begin();
    for (name, key) in RESOURCE_OVERRIDE_KEYS {
        let Some(slot) = plan.slot_of_key(name) else { continue };
        let field = &plan.fields[slot];
        let quoted_key = format!("\"{key}\":");
        match *name {
            "ignoreDifferences" | "ignoreResourceUpdates" => {
                let yaml = ignore_rules(encoder, frame, slot)?;
                encoder.entry(&mut entries, quoted_key.as_bytes());
                text::put_string(encoder.out, yaml.as_bytes());
            }
            _ => {
                let empty = match field.element {
                    super::plan::Element::Scalar(super::plan::Scalar::Bool) => {
                        encoder.integer(frame, slot) == 0
                    }
                    super::plan::Element::Scalar(_) => encoder.last_bytes(frame, slot).is_empty(),
                    super::plan::Element::Message(_) => !encoder.is_present(frame, slot),
                };
                if !empty {
                    encoder.entry(&mut entries, quoted_key.as_bytes());
                    encoder.field_value(field, frame, slot)?;
                }
            }
        }
    }
    encoder.finish(&entries);
    encoder.out.push(b'}');
    encoder.forget(frame);
    Ok(())
}

/// Field and JSON key of a resource override, in the order of the JSON.
pub(super) const RESOURCE_OVERRIDE_KEYS: &[(&str, &str)] = &[
    ("healthLua", "health.lua"),
    ("useOpenLibs", "health.lua.useOpenLibs"),
    ("actions", "actions"),
    ("ignoreDifferences", "ignoreDifferences"),
    ("ignoreResourceUpdates", "ignoreResourceUpdates"),
    ("knownTypeFields", "knownTypeFields"),
];

/// The keys of ignore rules by field number less one.
const IGNORE_KEYS: [&str; 3] = ["jsonPointers", "jqPathExpressions", "managedFieldsManagers"];

fn ignore_rules(
    encoder: &mut Encoder<'_, '_>,
    frame: Frame,
    slot: usize,
) -> Result<String, MalformedMessage> {
    let mut lists: [Vec<Json>; 3] = Default::default();
    encoder.with_message(frame, slot, |encoder, span| {
        let mut reader = Reader::new(encoder.bytes(span));
        while let Some((number, value)) = reader.field()? {
            let list = usize::try_from(number).ok().and_then(|number| lists.get_mut(number.checked_sub(1)?));
            match (list, value) {
                (Some(list), Value::Bytes(bytes)) => list.push(String::from_utf8_lossy(bytes).into()),
                (Some(_), _) => return Err(MalformedMessage::WireType(number)),
                (None, _) => {}
            }
        }
        Ok(())
    })?;
    let members = IGNORE_KEYS
        .iter()
        .zip(lists)
        .map(|(key, list)| ((*key).to_owned(), if list.is_empty() { Json::Null } else { Json::Array(list) }))
        .collect();
    Ok(object::yaml::encode(&Json::Object(members)))
}

/// The protobuf bytes of ignore rules from their YAML text; why not, when it is not YAML of their shape.
pub(super) fn read_ignore_rules(yaml: &str) -> Result<Vec<u8>, String> {
    let rules = object::yaml::decode(yaml.as_bytes()).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    for (number, key) in (1u32..).zip(IGNORE_KEYS) {
        match rules.get(key) {
            None | Some(Json::Null) => {}
            Some(Json::Array(list)) => {
                for item in list {
                    let item =
                        item.as_str().ok_or_else(|| format!("{key} holds something that is not a string"))?;
                    put_bytes(&mut bytes, number, item.as_bytes());
                }
            }
            Some(_) => return Err(format!("{key} is not a list")),
        }
    }
    Ok(bytes)
}

/// The protobuf bytes of a time given as RFC 3339; Go's words when it is not.
pub(super) fn read_rfc3339(time: &str, micro: bool) -> Result<Vec<u8>, String> {
    let layout = if micro { "2006-01-02T15:04:05.000000Z07:00" } else { "2006-01-02T15:04:05Z07:00" };
    let plain = time.as_bytes();
    let shape = b"0000-00-00T00:00:00";
    let matches = plain.len() > shape.len()
        && plain
            .iter()
            .zip(shape)
            .all(|(byte, form)| byte == form || (*form == b'0' && byte.is_ascii_digit()));
    let timestamp = matches.then(|| time.parse::<Timestamp>().ok()).flatten();
    let Some(timestamp) = timestamp else {
        let element =
            if plain.get(..4).is_some_and(|year| year.iter().all(u8::is_ascii_digit)) { "" } else { "2006" };
        return Err(format!("parsing time {time:?} as {layout:?}: cannot parse {time:?} as {element:?}"));
    };
    let mut bytes = Vec::new();
    put_integer(&mut bytes, 1, timestamp.as_second() - i64::from(timestamp.subsec_nanosecond() < 0));
    let nanos = timestamp.subsec_nanosecond().rem_euclid(1_000_000_000);
    if micro && nanos != 0 {
        put_integer(&mut bytes, 2, i64::from(nanos));
    }
    Ok(bytes)
}

/// Base64 as Go reads it: line breaks are stepped over.
pub(super) fn read_base64(text: &str) -> Result<Vec<u8>, String> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    STANDARD.decode(&plain).map_err(|error| {
        let offset = match error {
            base64::DecodeError::InvalidByte(offset, _)
            | base64::DecodeError::InvalidLastSymbol(offset, _) => offset,
            base64::DecodeError::InvalidLength(_) | base64::DecodeError::InvalidPadding => plain.len(),
        };
        format!("illegal base64 data at input byte {offset}")
    })
}

/// JSON text as the bytes of a message that holds it in field 1.
pub(super) fn raw_json(json: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(json.len() + 4);
    if json != b"null" {
        put_bytes(&mut bytes, 1, json);
    }
    bytes
}

/// A number or a string as the bytes of an `IntOrString`.
pub(super) fn read_int_or_string(json: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    match json.first() {
        Some(b'"') => {
            put_integer(&mut bytes, 1, 1);
            put_bytes(&mut bytes, 3, text::unquote(json).as_bytes());
        }
        Some(b'n') => {}
        _ => {
            let number = std::str::from_utf8(json).ok().and_then(|number| number.parse::<i32>().ok());
            let Some(number) = number else {
                let what = super::decode::described(json, "int32");
                return Err(format!("json: cannot unmarshal {what} into Go value of type int32"));
            };
            put_integer(&mut bytes, 2, i64::from(number));
        }
    }
    Ok(bytes)
}

impl From<SyntaxError> for MalformedMessage {
    fn from(error: SyntaxError) -> Self {
        Self::Json(error)
    }
}
