//! Texts as Go writes them: quoted strings, floats, durations' numbers.

/// `strconv.Quote`.
pub(crate) fn quoted(text: &str) -> String {
    let mut result = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\u{7}' => result.push_str("\\a"),
            '\u{8}' => result.push_str("\\b"),
            '\u{c}' => result.push_str("\\f"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\u{b}' => result.push_str("\\v"),
            it if u32::from(it) < 0x20 || it == '\u{7f}' => {
                result.push_str(&format!("\\x{:02x}", u32::from(it)));
            }
            other => result.push(other),
        }
    }
    result.push('"');
    result
}

/// `%v` of a float: the shortest digits that read back the same, with an exponent from `1e+06`
/// and below `1e-4`.
pub(crate) fn float(value: f64) -> String {
    shortest(value, -4, 6)
}

/// A float in JSON.
pub(crate) fn json_float(value: f64) -> String {
    let text = shortest(value, -6, 21);
    // JSON's exponents have no needless zero: `1e-7`.
    match text.split_once("e-0") {
        Some((digits, exponent)) => format!("{digits}e-{exponent}"),
        None => text,
    }
}

fn shortest(value: f64, smallest: i32, largest: i32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (smallest..largest).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// A text cut to a length fit for a message.
pub(crate) fn brief(text: &str) -> String {
    const LENGTH: usize = 500;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
