//! Bodies as Go's `encoding/json` writes them.

use serde::Serialize;

/// JSON with `<`, `>` and `&` escaped, as `json.Marshal` does.
pub(crate) fn marshal(value: &impl Serialize) -> String {
    let text = plain(value);
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("\\u003c"),
            '>' => escaped.push_str("\\u003e"),
            '&' => escaped.push_str("\\u0026"),
            '\u{2028}' => escaped.push_str("\\u2028"),
            '\u{2029}' => escaped.push_str("\\u2029"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON without those escapes.
pub(crate) fn plain(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and JSON values can be written")
}

/// Whether there is nothing to say.
pub(crate) fn is_empty(text: &str) -> bool {
    text.is_empty()
}

/// A JSON text of a template, read.
pub(crate) fn read(what: &str, text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|error| format!("{what} '{}' : {error}", short(text)))
}

/// The beginning of a text, for messages.
pub(crate) fn short(text: &str) -> String {
    const LONGEST: usize = 1000;
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let end = (0..=LONGEST).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}...", &text[..end])
}

/// The first so many characters, with `...` for the rest.
pub(crate) fn truncated(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest.saturating_sub(3)).chain("...".chars()).collect()
}
