//! From JSON text to protobuf bytes, with the leniency and the error texts of Go's `encoding/json`.

use super::plan::{Codec, Element, Field, Key, Plan, PlanId, Plans, Scalar, Shape, Target, plans};
use super::protobuf::{put_bytes, put_integer, wrap};
use super::scan::{self, Cursor, SyntaxError};
use super::{codec, text};

/// Why a JSON text is not the message it should be. The texts are the original's, which clients see.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No message of that name is in `proto/`.
    #[error("unknown message {0}")]
    UnknownMessage(String),
    /// The text is not JSON.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// A value of the wrong type.
    #[error("json: cannot unmarshal {found} into Go {place} of type {expected}")]
    Type {
        /// What the text holds.
        found: String,
        /// Where: `struct field X.y` or `value`.
        place: String,
        /// Go's name of the type that belongs there.
        expected: String,
    },
    /// A text that does not stand for a time, bytes or rules.
    #[error("{0}")]
    Value(String),
}

/// Where in the JSON the decoder is, for error texts.
struct Place<'p> {
    /// The struct around, and the keys from the root.
    structure: &'p str,
    path: Vec<&'p str>,
}

struct Decoder {
    plans: &'static Plans,
    place: Place<'static>,
}

/// The bytes of `message` as `json`, one valid JSON value, describes it.
pub(super) fn decode(message: PlanId, json: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder { plans: plans(), place: Place { structure: "", path: Vec::new() } };
    let mut bytes = Vec::new();
    decoder.message(message, json, &mut bytes)?;
    Ok(bytes)
}

/// The bytes of one field of a message as `json` describes its value: a request body that is not the whole request.
pub(super) fn decode_field(field: &Field, json: &[u8], bytes: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut decoder = Decoder { plans: plans(), place: Place { structure: "", path: Vec::new() } };
    decoder.field(field, json, bytes)
}

/// A JSON value in Go's words, as they stand in type errors.
pub(super) fn described(json: &[u8], expected: &str) -> String {
    match json.first() {
        Some(b'{') => "object".to_owned(),
        Some(b'[') => "array".to_owned(),
        Some(b'"') => "string".to_owned(),
        Some(b't' | b'f') => "bool".to_owned(),
        Some(b'n') => "null".to_owned(),
        // A number of the wrong size or form is named, one in the wrong place is not.
        _ if expected.starts_with("int") => format!("number {}", String::from_utf8_lossy(json)),
        _ => "number".to_owned(),
    }
}

impl Decoder {
    fn mismatch(&self, json: &[u8], expected: &str) -> DecodeError {
        let place = match self.place.path.as_slice() {
            [] => "value".to_owned(),
            path => format!("struct field {}.{}", self.place.structure, path.join(".")),
        };
        DecodeError::Type { found: described(json, expected), place, expected: expected.to_owned() }
    }

    fn message(&mut self, id: PlanId, json: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let plan = self.plans.get(id);
        match plan.codec {
            Codec::Struct | Codec::PluginParameter => self.structure(plan, json, out),
            Codec::Time | Codec::MicroTime => match json.first() {
                Some(b'n') => Ok(()),
                Some(b'"') => {
                    let micro = plan.codec == Codec::MicroTime;
                    let time =
                        codec::read_rfc3339(&text::unquote(json), micro).map_err(DecodeError::Value)?;
                    out.extend_from_slice(&time);
                    Ok(())
                }
                _ => Err(DecodeError::Type {
                    found: described(json, "string"),
                    place: "value".to_owned(),
                    expected: "string".to_owned(),
                }),
            },
            Codec::IntOrString => {
                out.extend_from_slice(&codec::read_int_or_string(json).map_err(DecodeError::Value)?);
                Ok(())
            }
            Codec::RawJson => {
                out.extend_from_slice(&codec::raw_json(json));
                Ok(())
            }
            Codec::ResourceOverride => self.resource_override(plan, json, out),
        }
    }

    fn structure(&mut self, plan: &'static Plan, json: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        match json.first() {
            Some(b'n') => return Ok(()),
            Some(b'{') => {}
            _ => return Err(self.mismatch(json, &plan.go_type)),
        }
        let outer = std::mem::replace(&mut self.place.structure, &plan.go_name);
        // Lists that were written already: a key that comes again replaces them.
        let mut lists: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
        let mut cursor = Cursor::new(json);
        cursor.mark();
        let mut first = true;
        while cursor.more(first) {
            first = false;
            let key = text::unquote(cursor.value());
            cursor.mark();
            let value = cursor.value();
            match plan.key(&key) {
                None => {}
                Some(Key::JsonOnly) if matches!(value.first(), Some(b'"' | b'n')) => {}
                Some(Key::JsonOnly) => return Err(self.mismatch(value, "string")),
                Some(Key::Oneof(oneof)) => self.group(plan, *oneof, value, out)?,
                Some(Key::Field(target)) => {
                    let list = target.inline.is_empty() && plan.fields[target.field].shape == Shape::List;
                    if list && let Some(at) = lists.iter().position(|(slot, _)| *slot == target.field) {
                        let (_, old) = lists.remove(at);
                        let length = old.len();
                        out.drain(old.clone());
                        for (_, later) in lists.iter_mut().filter(|(_, later)| later.start >= old.end) {
                            *later = later.start - length..later.end - length;
                        }
                    }
                    let start = out.len();
                    self.target(plan, target, value, out)?;
                    if list {
                        lists.push((target.field, start..out.len()));
                    }
                }
            }
        }
        self.place.structure = outer;
        Ok(())
    }

    /// A field of the message or, through inline ones, of a message in it. Pieces of one message add up.
    fn target(
        &mut self,
        plan: &'static Plan,
        target: &Target,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        let start = out.len();
        let mut inner = plan;
        let mut numbers = Vec::new();
        for &slot in &target.inline {
            numbers.push(inner.fields[slot].number);
            if let Element::Message(id) = inner.fields[slot].element {
                inner = self.plans.get(id);
            }
        }
        let field = &inner.fields[target.field];
        self.place.path.push(&field.key);
        self.field(field, json, out)?;
        self.place.path.pop();
        for number in numbers.into_iter().rev() {
            wrap(out, number, start);
        }
        Ok(())
    }

    /// A group's object with its one member.
    fn group(
        &mut self,
        plan: &'static Plan,
        oneof: usize,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        match json.first() {
            Some(b'n') => return Ok(()),
            Some(b'{') => {}
            _ => return Err(self.mismatch(json, &plan.go_type)),
        }
        let mut cursor = Cursor::new(json);
        cursor.mark();
        let mut first = true;
        while cursor.more(first) {
            first = false;
            let key = text::unquote(cursor.value());
            cursor.mark();
            let value = cursor.value();
            let member = plan.fields.iter().find(|field| field.oneof == Some(oneof) && *field.key == *key);
            if let Some(field) = member {
                self.place.path.push(&field.key);
                self.field(field, value, out)?;
                self.place.path.pop();
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, json: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        if json == b"null" {
            return Ok(());
        }
        match field.shape {
            Shape::Single => self.single(field, json, out),
            Shape::List => self.list(field, json, out),
            Shape::Map => self.map(field, json, out),
        }
    }

    fn single(&mut self, field: &Field, json: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        match field.element {
            Element::Message(id) => self.wrapped(field.number, id, json, out),
            Element::Scalar(scalar) => {
                // A zero that Go holds by value is the same as nothing.
                let start = out.len();
                if !self.scalar(scalar, field.number, json, out)? && !field.pointer {
                    out.truncate(start);
                }
                Ok(())
            }
        }
    }

    fn wrapped(
        &mut self,
        number: u32,
        id: PlanId,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        let start = out.len();
        self.message(id, json, out)?;
        wrap(out, number, start);
        Ok(())
    }

    fn list(&mut self, field: &Field, json: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        if json.first() != Some(&b'[') {
            // Go takes a string for a list of bytes only, which is not a list here.
            return Err(self.mismatch(json, &format!("[]{}", self.go_element(field))));
        }
        let mut cursor = Cursor::new(json);
        cursor.mark();
        let mut first = true;
        while cursor.more(first) {
            first = false;
            let value = cursor.value();
            match field.element {
                Element::Message(id) => self.wrapped(field.number, id, value, out)?,
                Element::Scalar(Scalar::String | Scalar::Bytes) if value == b"null" => {
                    put_bytes(out, field.number, &[]);
                }
                Element::Scalar(_) if value == b"null" => put_integer(out, field.number, 0),
                Element::Scalar(scalar) => {
                    self.scalar(scalar, field.number, value, out)?;
                }
            }
        }
        Ok(())
    }

    fn map(&mut self, field: &Field, json: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        if json.first() != Some(&b'{') {
            return Err(self.mismatch(json, &format!("map[string]{}", self.go_element(field))));
        }
        let mut cursor = Cursor::new(json);
        cursor.mark();
        let mut first = true;
        while cursor.more(first) {
            first = false;
            let key = text::unquote(cursor.value());
            cursor.mark();
            let value = cursor.value();
            let start = out.len();
            put_bytes(out, 1, key.as_bytes());
            match field.element {
                Element::Message(id) => self.wrapped(2, id, value, out)?,
                Element::Scalar(_) if value == b"null" => {}
                Element::Scalar(scalar) => {
                    self.scalar(scalar, 2, value, out)?;
                }
            }
            wrap(out, field.number, start);
        }
        Ok(())
    }

    fn go_element(&self, field: &Field) -> String {
        match field.element {
            Element::Scalar(scalar) => scalar.go_type().to_owned(),
            Element::Message(id) => {
                let star = if field.pointer { "*" } else { "" };
                format!("{star}{}", self.plans.get(id).go_type)
            }
        }
    }

    /// Appends a scalar field; whether it is more than Go's zero.
    fn scalar(
        &self,
        scalar: Scalar,
        number: u32,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<bool, DecodeError> {
        let mismatch = || self.mismatch(json, scalar.go_type());
        match (scalar, json.first()) {
            (Scalar::String, Some(b'"')) => {
                let value = text::unquote(json);
                put_bytes(out, number, value.as_bytes());
                Ok(!value.is_empty())
            }
            (Scalar::Bytes, Some(b'"')) => {
                let value = codec::read_base64(&text::unquote(json)).map_err(DecodeError::Value)?;
                put_bytes(out, number, &value);
                // Present and empty differs from absent where Go holds bytes.
                Ok(true)
            }
            (Scalar::Bool, Some(first @ (b't' | b'f'))) => {
                put_integer(out, number, i64::from(*first == b't'));
                Ok(*first == b't')
            }
            (Scalar::Int32 | Scalar::Int64, Some(b'-' | b'0'..=b'9')) => {
                let value: i64 =
                    std::str::from_utf8(json).ok().and_then(|n| n.parse().ok()).ok_or_else(mismatch)?;
                if scalar == Scalar::Int32 && i32::try_from(value).is_err() {
                    return Err(mismatch());
                }
                put_integer(out, number, value);
                Ok(value != 0)
            }
            _ => Err(mismatch()),
        }
    }

    fn resource_override(
        &mut self,
        plan: &'static Plan,
        json: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        match json.first() {
            Some(b'n') => return Ok(()),
            Some(b'{') => {}
            _ => return Err(self.mismatch(json, &plan.go_type)),
        }
        let mut cursor = Cursor::new(json);
        cursor.mark();
        let mut first = true;
        while cursor.more(first) {
            first = false;
            let key = text::unquote(cursor.value());
            cursor.mark();
            let value = cursor.value();
            let name = codec::RESOURCE_OVERRIDE_KEYS.iter().find(|(_, candidate)| *candidate == key);
            let Some(slot) = name.and_then(|(name, _)| plan.slot_of_key(name)) else { continue };
            let field = &plan.fields[slot];
            match (field.shape, field.element, value.first()) {
                (Shape::Single, Element::Message(_), Some(b'"')) => {
                    let rules =
                        codec::read_ignore_rules(&text::unquote(value)).map_err(DecodeError::Value)?;
                    put_bytes(out, field.number, &rules);
                }
                (Shape::Single, Element::Message(_), Some(b'n')) => {}
                (Shape::Single, Element::Message(_), _) => return Err(self.mismatch(value, "string")),
                _ => self.field(field, value, out)?,
            }
        }
        Ok(())
    }
}

/// The name of the first required field that is missing, in the order in which the original looks: from the last
/// field backwards.
pub(super) fn missing_required(id: PlanId, bytes: &[u8]) -> Option<&'static str> {
    let plan = plans().get(id);
    if !plan.requires {
        return None;
    }
    let mut found: Vec<(u32, &[u8])> = Vec::new();
    let mut reader = super::protobuf::Reader::new(bytes);
    while let Ok(Some((number, value))) = reader.field() {
        found.push((number, if let super::protobuf::Value::Bytes(bytes) = value { bytes } else { &[] }));
    }
    let mut fields: Vec<&Field> = plan.fields.iter().collect();
    fields.sort_by_key(|field| std::cmp::Reverse(field.number));
    for field in fields {
        let mut values =
            found.iter().filter(|(number, _)| *number == field.number).map(|(_, bytes)| *bytes).peekable();
        if field.required && values.peek().is_none() {
            return Some(&field.name);
        }
        if let (Element::Message(inner), Shape::Single | Shape::List) = (field.element, field.shape)
            && let Some(name) = values.find_map(|bytes| missing_required(inner, bytes))
        {
            return Some(name);
        }
    }
    None
}

/// The first JSON value of a text, as Go's decoder takes it from a request body.
pub(super) fn first_value(text: &[u8]) -> Result<&[u8], SyntaxError> {
    let end = scan::value_end(text)?;
    Ok(text[..end].trim_ascii_start())
}
