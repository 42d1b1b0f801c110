//! Whole objects as JSON or YAML, with Go's order of fields in JSON and sorted keys in YAML.

use serde::Serialize;
use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::session::Session;

/// The JSON text, indented by two blanks, fields in the order of the type.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> String {
    indented(value, b"  ")
}

/// The JSON text with the given indentation. Go escapes `<`, `>` and `&` in strings; so does this.
pub(crate) fn indented<T: Serialize + ?Sized>(value: &T, indent: &[u8]) -> String {
    let mut bytes = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(indent);
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, formatter);
    value.serialize(&mut serializer).expect("answers of the API are JSON");
    let text = String::from_utf8(bytes).expect("JSON is UTF-8");
    // These letters occur in strings only.
    let escaped = text.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    escaped.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// The YAML text, keys sorted.
pub(crate) fn yaml<T: Serialize + ?Sized>(value: &T) -> String {
    object::yaml::encode(&serde_json::to_value(value).unwrap_or(Value::Null))
}

impl Session<'_> {
    /// Prints an object as the format says.
    pub(crate) fn print_document<T: Serialize + ?Sized>(&mut self, value: &T, format: &str) -> Outcome {
        match format {
            "json" => self.line(&json(value)),
            "yaml" => self.print(&yaml(value)),
            _ => return Err(unknown(format)),
        }
        Ok(())
    }
}

/// The error for a format that is not known.
pub(crate) fn unknown(format: &str) -> Failure {
    Failure::generic(format!("unknown output format: {format}"))
}
