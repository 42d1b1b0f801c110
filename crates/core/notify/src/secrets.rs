//! Values of the Secret: put where the configuration refers to them, and taken out of every message.

use base64::Engine as _;
use object::Secret;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What stands in a message where a secret was.
const MASK: &str = "+++++";

/// Values of a Secret by key.
pub type SecretData = BTreeMap<String, Secret<Vec<u8>>>;

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub struct Redactor {
    /// Longest first, so that a secret that holds another one goes as a whole.
    needles: Vec<String>,
}

impl std::fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Redactor({} texts)", self.needles.len())
    }
}

impl Redactor {
    /// Knows all values of a Secret, in every form messages may carry them.
    pub fn of_secret(data: &SecretData) -> Self {
        let mut redactor = Self::default();
        for value in data.values() {
            redactor.learn(value.reveal());
        }
        redactor
    }

    /// Knows one more value.
    pub fn learn(&mut self, value: &[u8]) {
        let mut forms = BTreeSet::new();
        let text = String::from_utf8_lossy(value);
        for part in std::iter::once(text.as_ref()).chain(text.lines()) {
            let part = part.trim();
            if part.len() < 3 {
                continue;
            }
            forms.insert(part.to_owned());
            forms.insert(percent_encoded(part));
            forms.insert(percent_encoded(part).replace("%20", "+"));
            forms.insert(base64::engine::general_purpose::STANDARD.encode(part));
            forms.insert(base64::engine::general_purpose::STANDARD_NO_PAD.encode(part));
            let quoted = Value::String(part.to_owned()).to_string();
            forms.insert(quoted.trim_matches('"').to_owned());
            let numbers: Vec<String> = part.bytes().map(|byte| byte.to_string()).collect();
            forms.insert(numbers.join(" "));
        }
        self.needles.extend(forms.into_iter().filter(|form| form.len() >= 3));
        self.needles.sort_by(|left, right| right.len().cmp(&left.len()).then_with(|| left.cmp(right)));
        self.needles.dedup();
    }

    /// The text without any of them.
    pub fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for needle in &self.needles {
            if text.contains(needle.as_str()) {
                text = text.replace(needle.as_str(), MASK);
            }
        }
        text
    }
}

/// Everything but letters, digits and `-_.~` as `%XX`.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            it if it.is_ascii_alphanumeric() => encoded.push(char::from(it)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Puts values of the Secret where texts refer to them by `$key`. A key that is not there stays as it stands, and is named
/// in what comes back.
pub(crate) fn substituted(value: &Value, secrets: &SecretData, missing: &mut BTreeSet<String>) -> Value {
    match value {
        Value::String(text) => Value::String(substituted_text(text, secrets, missing)),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| substituted(item, secrets, missing)).collect())
        }
        Value::Object(entries) => {
            let mut result = Map::new();
            for (key, value) in entries {
                result.insert(substituted_text(key, secrets, missing), substituted(value, secrets, missing));
            }
            Value::Object(result)
        }
        other => other.clone(),
    }
}

fn substituted_text(text: &str, secrets: &SecretData, missing: &mut BTreeSet<String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('$') {
        result.push_str(&rest[..start]);
        let after = &rest[start + 1..];
        let end = after
            .find(|it: char| !(it.is_ascii_alphanumeric() || it == '_' || it == '-'))
            .unwrap_or(after.len());
        let key = &after[..end];
        match secrets.get(key) {
            _ if key.is_empty() => result.push('$'),
            Some(value) => result.push_str(&String::from_utf8_lossy(value.reveal())),
            None => {
                missing.insert(key.to_owned());
                result.push('$');
                result.push_str(key);
            }
        }
        rest = &after[end..];
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data() -> SecretData {
        [("token", "xoxb-1"), ("key", "line one\nline two")]
            .map(|(key, value)| (key.to_owned(), Secret::new(value.as_bytes().to_vec())))
            .into()
    }

    #[test]
    fn references_are_replaced_inside_of_texts_and_missing_ones_are_named() {
        let mut missing = BTreeSet::new();
        let value =
            serde_json::json!({"a": "Bearer $token", "b": ["$nope", "$5", 7], "c": "$", "d": "$token$token"});
        let read = substituted(&value, &data(), &mut missing);
        let expected = serde_json::json!(
            {"a": "Bearer xoxb-1", "b": ["$nope", "$5", 7], "c": "$", "d": "xoxb-1xoxb-1"}
        );
        assert_eq!(read, expected);
        assert_eq!(missing.into_iter().collect::<Vec<_>>(), ["5", "nope"]);
    }

    #[test]
    fn every_form_of_a_secret_goes() {
        let redactor = Redactor::of_secret(&data());
        let text = "xoxb-1, eG94Yi0x, [120 111 120 98 45 49], line two, line%20one; nothing else";
        assert_eq!(redactor.redact(text), "+++++, +++++, [+++++], +++++, +++++; nothing else");
    }
}
