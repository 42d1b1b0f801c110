//! From JSON values to YAML text, byte for byte as `sigs.k8s.io/yaml` writes it.

use super::resolve::{self, Scalar};
use libyaml_safer::{Emitter, Encoding, Event, MappingStyle, ScalarStyle, SequenceStyle};
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// One document. Keys in Go's natural order (digits by value), lists not indented under their key, text that
/// would read as something else quoted, text with line breaks as a literal block.
pub fn encode(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut emitter = Emitter::new();
    emitter.set_output_string(&mut bytes);
    emitter.set_unicode(true);
    emitter.set_width(80);
    let mut writer = Writer { emitter };
    let written = writer.document(value);
    drop(writer);
    debug_assert!(written.is_ok(), "the events of a JSON value are always in order");
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    // After a block that keeps its last line breaks the emitter marks the document's end; goyaml does not.
    if text.ends_with("\n...\n") {
        text.truncate(text.len() - "...\n".len());
    }
    text
}

struct Writer<'out> {
    emitter: Emitter<'out>,
}

type Written = Result<(), libyaml_safer::Error>;

impl Writer<'_> {
    fn document(&mut self, value: &Value) -> Written {
        self.emitter.emit(Event::stream_start(Encoding::Utf8))?;
        self.emitter.emit(Event::document_start(None, &[], true))?;
        self.value(value)?;
        self.emitter.emit(Event::document_end(true))?;
        self.emitter.emit(Event::stream_end())?;
        self.emitter.flush()
    }

    fn value(&mut self, value: &Value) -> Written {
        match value {
            Value::Null => self.plain("null"),
            Value::Bool(flag) => self.plain(if *flag { "true" } else { "false" }),
            Value::Number(number) => self.plain(&number_text(number)),
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                self.emitter.emit(Event::sequence_start(None, None, true, SequenceStyle::Block))?;
                for item in items {
                    self.value(item)?;
                }
                self.emitter.emit(Event::sequence_end())
            }
            Value::Object(members) => self.object(members),
        }
    }

    fn object(&mut self, members: &Map<String, Value>) -> Written {
        let mut entries: Vec<_> = members.iter().collect();
        entries.sort_by(|left, right| natural_order(left.0, right.0));
        self.emitter.emit(Event::mapping_start(None, None, true, MappingStyle::Block))?;
        for (name, value) in entries {
            // A plain `<<` would be read back as a merge. The original writes it so; that lie is not repeated.
            if name == "<<" {
                self.scalar(name, ScalarStyle::DoubleQuoted)?;
            } else {
                self.text(name)?;
            }
            self.value(value)?;
        }
        self.emitter.emit(Event::mapping_end())
    }

    fn plain(&mut self, text: &str) -> Written {
        self.scalar(text, ScalarStyle::Plain)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle) -> Written {
        self.emitter.emit(Event::scalar(None, None, text, true, true, style))
    }

    fn text(&mut self, text: &str) -> Written {
        let reads_as_text = matches!(resolve::resolve_plain(text), Scalar::Text | Scalar::Merge);
        let style = if text.contains('\n') {
            ScalarStyle::Literal
        } else if reads_as_text && !resolve::is_base60(text) {
            ScalarStyle::Plain
        } else {
            ScalarStyle::DoubleQuoted
        };
        self.scalar(text, style)
    }
}

fn number_text(number: &serde_json::Number) -> String {
    if number.is_i64() || number.is_u64() {
        return number.to_string();
    }
    let Some(float) = number.as_f64() else { return number.to_string() };
    // The original passes through JSON, where a whole float has no fraction and reads back as an integer.
    if float.fract() == 0.0 && float.abs() < 1.8e19 {
        return format!("{float:.0}");
    }
    crate::json::go_general_float(float)
}

/// go-yaml's order of keys: letters after everything else, runs of digits by their value.
fn natural_order(left: &str, right: &str) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(at) = left.iter().zip(&right).position(|(left, right)| left != right) else {
        return left.len().cmp(&right.len());
    };
    let (first, second) = (left[at], right[at]);
    match (first.is_alphabetic(), second.is_alphabetic()) {
        (true, true) => return first.cmp(&second),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let digits = |text: &[char]| text.iter().take_while(|character| character.is_numeric()).count();
    // A difference that begins with a zero inside a longer number compares the lengths of the runs.
    let inside_number = (first == '0' || second == '0')
        && left[..at].iter().rev().take_while(|character| character.is_numeric()).any(|digit| *digit != '0');
    let value = |text: &[char]| {
        text.iter().take_while(|character| character.is_numeric()).fold(
            i64::from(inside_number),
            |number, digit| {
                number.wrapping_mul(10).wrapping_add(i64::from(u32::from(*digit)) - i64::from(u32::from('0')))
            },
        )
    };
    value(&left[at..])
        .cmp(&value(&right[at..]))
        .then_with(|| digits(&left[at..]).cmp(&digits(&right[at..])))
        .then_with(|| first.cmp(&second))
}
