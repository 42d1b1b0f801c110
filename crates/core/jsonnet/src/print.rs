//! JSON as go-jsonnet prints it: three blanks a level, `[ ]` and `{ }` for nothing, seventeen digits for what is no
//! whole number.

use crate::JsonnetError;
use rsjsonnet_lang::program::{Value, ValueKind};

/// How deep values may stand within each other.
const DEEPEST_VALUE: usize = 1_000;

pub(crate) fn print(value: &Value<'_>) -> Result<String, JsonnetError> {
    let mut text = String::new();
    write(value, 0, &mut text)?;
    text.push('\n');
    Ok(text)
}

fn write(value: &Value<'_>, depth: usize, text: &mut String) -> Result<(), JsonnetError> {
    if depth > DEEPEST_VALUE {
        let told = format!("RUNTIME ERROR: the value nests deeper than {DEEPEST_VALUE} levels");
        return Err(JsonnetError::Runtime(told));
    }
    match value.kind() {
        ValueKind::Null => text.push_str("null"),
        ValueKind::Bool(flag) => text.push_str(if flag { "true" } else { "false" }),
        ValueKind::Number(number) => text.push_str(&number_text(number)),
        ValueKind::String(string) => quote(&string, text),
        ValueKind::Array(items) if items.is_empty() => text.push_str("[ ]"),
        ValueKind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                text.push_str(if index == 0 { "[" } else { "," });
                line(depth + 1, text);
                write(item, depth + 1, text)?;
            }
            line(depth, text);
            text.push(']');
        }
        ValueKind::Object(fields) if fields.is_empty() => text.push_str("{ }"),
        ValueKind::Object(mut fields) => {
            fields.sort_by(|left, right| left.0.value().cmp(right.0.value()));
            for (index, (name, value)) in fields.iter().enumerate() {
                text.push_str(if index == 0 { "{" } else { "," });
                line(depth + 1, text);
                quote(name.value(), text);
                text.push_str(": ");
                write(value, depth + 1, text)?;
            }
            line(depth, text);
            text.push('}');
        }
        ValueKind::Function => {
            return Err(JsonnetError::Runtime("RUNTIME ERROR: couldn't manifest function as JSON".into()));
        }
    }
    Ok(())
}

fn line(depth: usize, text: &mut String) {
    text.push('\n');
    for _ in 0..depth {
        text.push_str("   ");
    }
}

fn quote(string: &str, text: &mut String) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control < ' ' || ('\u{7f}'..='\u{9f}').contains(&control) => {
                text.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}

/// C's `%.0f` for whole numbers, `%.17g` for others.
fn number_text(number: f64) -> String {
    if number.floor() == number {
        return format!("{number:.0}");
    }
    let scientific = format!("{number:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if (-4..17).contains(&power) {
        let decimals = usize::try_from(16 - power).unwrap_or(0);
        return trimmed(&format!("{number:.decimals$}")).to_owned();
    }
    let sign = if power < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trimmed(mantissa), power.unsigned_abs())
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}
