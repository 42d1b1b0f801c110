//! What must not be seen: a type for secret values, and the masks over Secrets that people get to see.

use crate::{Object, object_to_go_json};
use base64::Engine as _;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// kubectl's copy of what was last applied. It repeats a Secret's data.
pub const LAST_APPLIED_ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// What stands for a first value; each other one of the same key is four longer.
const MASK: &str = "++++++++";

/// A value that cannot be printed or serialised by accident.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value, for the one place that needs it.
    pub fn reveal(&self) -> &T {
        &self.0
    }

    /// The value itself.
    pub fn into_revealed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("[redacted]")
    }
}

impl<T> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<&str> for Secret<String> {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Secret<String> {
    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Whether the object is a core Secret.
pub fn is_secret(object: &Object) -> bool {
    object.group().is_empty() && object.kind() == "Secret"
}

/// Brings a Secret to the form the API server keeps: `stringData` moved to `data`, values in canonical
/// base64, nulls as empty. What does not decode stays as it is, so that it is seen to be wrong.
pub fn normalize_secret(object: &mut Object) {
    if !is_secret(object) {
        return;
    }
    if let Some(Value::Object(texts)) = object.0.get("stringData") {
        let texts = texts.clone();
        let mut data = match object.0.get("data") {
            Some(Value::Object(data)) => data.clone(),
            _ => Map::new(),
        };
        for (name, value) in texts {
            let value = match value {
                Value::String(text) => {
                    Value::String(base64::engine::general_purpose::STANDARD.encode(text.as_bytes()))
                }
                other => other,
            };
            data.insert(name, value);
        }
        object.0.insert("data".into(), Value::Object(data));
        object.0.remove("stringData");
    }
    let readable = object.0.get("type").is_none_or(|kind| kind.is_string() || kind.is_null())
        && object.0.get("immutable").is_none_or(|flag| flag.is_boolean() || flag.is_null());
    if let (true, Some(Value::Object(data))) = (readable, object.0.get("data"))
        && let Some(canonical) = canonical_data(data)
    {
        object.0.insert("data".into(), Value::Object(canonical));
    }
}

/// All values decoded and encoded again, or nothing when one cannot be.
fn canonical_data(data: &Map<String, Value>) -> Option<Map<String, Value>> {
    data.iter()
        .map(|(name, value)| {
            let text = match value {
                Value::Null => String::new(),
                Value::String(text) => canonical_base64(text)?,
                _ => return None,
            };
            Some((name.clone(), Value::String(text)))
        })
        .collect()
}

/// Base64 as Go decodes it (line breaks are passed over) and encodes it.
pub fn canonical_base64(text: &str) -> Option<String> {
    let engine = &base64::engine::general_purpose::STANDARD;
    let compact: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    // Go is lenient about the bits after the last byte.
    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    lenient.decode(compact).ok().map(|bytes| engine.encode(bytes))
}

/// Both sides of a Secret with every value masked. Equal values of a key have equal masks on both sides and
/// in the last-applied annotation, so a difference still shows as one.
///
/// `annotations` names further annotations to mask. Objects that are no Secrets come back as they were.
/// Whatever cannot be understood is masked whole: nothing gets out because it is malformed.
pub fn mask_secret(
    target: Option<&Object>,
    live: Option<&Object>,
    annotations: &BTreeSet<String>,
) -> (Option<Object>, Option<Object>) {
    let mut target = target.cloned();
    let mut live = live.cloned();
    if !target.iter().chain(&live).any(is_secret) {
        return (target, live);
    }
    let mut target_applied = target.as_ref().and_then(last_applied);
    let mut live_applied = live.as_ref().and_then(last_applied);
    {
        let mut sides: Vec<&mut Object> =
            [target.as_mut(), live.as_mut(), live_applied.as_mut(), target_applied.as_mut()]
                .into_iter()
                .flatten()
                .collect();
        for side in &mut sides {
            normalize_secret(side);
        }
        mask_field(&mut sides, &["data"], None);
        mask_field(&mut sides, &["stringData"], None);
        let mut listed = annotations.clone();
        listed.remove(LAST_APPLIED_ANNOTATION);
        mask_field(&mut sides, &["metadata", "annotations"], Some(&listed));
    }
    let hide_applied = annotations.contains(LAST_APPLIED_ANNOTATION);
    for (side, applied) in [(&mut target, target_applied), (&mut live, live_applied)] {
        if let Some(side) = side {
            mask_last_applied(side, applied.as_ref().filter(|_| !hide_applied));
        }
    }
    (target, live)
}

/// The annotation's object, where it reads as one.
fn last_applied(object: &Object) -> Option<Object> {
    let value: Value = serde_json::from_str(object.annotation(LAST_APPLIED_ANNOTATION)?).ok()?;
    Object::from_value(value).ok().filter(is_secret)
}

fn mask_last_applied(object: &mut Object, masked: Option<&Object>) {
    let Some(Value::Object(metadata)) = object.0.get_mut("metadata") else { return };
    let Some(Value::Object(annotations)) = metadata.get_mut("annotations") else { return };
    if let Some(value) = annotations.get_mut(LAST_APPLIED_ANNOTATION) {
        *value = Value::String(masked.map_or_else(|| MASK.to_owned(), |masked| object_to_go_json(&masked.0)));
    }
}

/// Masks the members at a path on all sides: all of them, or the listed ones.
fn mask_field(sides: &mut [&mut Object], path: &[&str], only: Option<&BTreeSet<String>>) {
    // Per member: each distinct value, and the mask that stands for it.
    let mut masks: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for side in sides {
        let Some(field) = field_mut(side, path) else { continue };
        let Value::Object(members) = field else {
            if !field.is_null() && only.is_none() {
                *field = Value::String(MASK.to_owned());
            }
            continue;
        };
        for (name, value) in members.iter_mut() {
            if only.is_some_and(|only| !only.contains(name)) {
                continue;
            }
            let known = masks.entry(name.clone()).or_default();
            let text = match &*value {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let mask = match known.iter().find(|(value, _)| *value == text) {
                Some((_, mask)) => mask.clone(),
                None => {
                    let mask = format!("{MASK}{}", "++++".repeat(known.len()));
                    known.push((text, mask.clone()));
                    mask
                }
            };
            *value = Value::String(mask);
        }
    }
}

fn field_mut<'a>(object: &'a mut Object, path: &[&str]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(object.0.get_mut(*first)?, |value, name| value.get_mut(*name))
}
