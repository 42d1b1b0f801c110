//! Numbers as Go's `strconv` reads them.

/// Reads a whole number; base 0 takes the base from the prefix and allows `_` between digits.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<i64> {
    let (negative, magnitude) = signed(text);
    let value = i128::from(parse_uint(magnitude, base)?);
    i64::try_from(if negative { -value } else { value }).ok()
}

fn signed(text: &str) -> (bool, &str) {
    match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    }
}

/// The same without a sign.
pub(crate) fn parse_uint(text: &str, base: u32) -> Option<u64> {
    let (radix, digits) = match (base, text.as_bytes()) {
        (0, [b'0', b'x' | b'X', _, ..]) => (16, &text[2..]),
        (0, [b'0', b'o' | b'O', _, ..]) => (8, &text[2..]),
        (0, [b'0', b'b' | b'B', _, ..]) => (2, &text[2..]),
        (0, [b'0', _, ..]) => (8, &text[1..]),
        (0, _) => (10, text),
        (radix, _) => (radix, text),
    };
    if digits.contains('_') {
        if base != 0 || !underscores_fit(text) {
            return None;
        }
        return u64::from_str_radix(&digits.replace('_', ""), radix).ok();
    }
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

/// Underscores must separate digits, or follow the base prefix.
fn underscores_fit(text: &str) -> bool {
    let (_, text) = signed(text);
    let bytes = text.as_bytes();
    let (mut previous, start, hex) = match bytes {
        [b'0', letter @ (b'b' | b'B' | b'o' | b'O' | b'x' | b'X'), ..] => {
            (b'0', 2, matches!(letter, b'x' | b'X'))
        }
        _ => (b'^', 0, false),
    };
    for &byte in bytes.get(start..).unwrap_or_default() {
        let digit = byte.is_ascii_digit() || hex && byte.is_ascii_hexdigit();
        let class = match byte {
            _ if digit => b'0',
            b'_' => b'_',
            _ => b'!',
        };
        match class {
            b'_' if previous != b'0' => return false,
            b'!' if previous == b'_' => return false,
            _ => {}
        }
        previous = class;
    }
    previous != b'_'
}

/// Reads a float: decimal, hexadecimal, `inf` and `nan`. `None` when it is none or too large.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let (negative, magnitude) = signed(text);
    let sign = if negative { -1.0 } else { 1.0 };
    let lower = magnitude.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return Some(sign * f64::INFINITY),
        "nan" => return (magnitude.len() == text.len()).then_some(f64::NAN),
        _ => {}
    }
    if lower.contains('_') && !underscores_fit(&lower) {
        return None;
    }
    let plain = lower.replace('_', "");
    if let Some(hex) = plain.strip_prefix("0x") {
        return hex_float(hex).map(|value| sign * value);
    }
    if !plain.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'+' | b'-'))
        || !plain.bytes().any(|byte| byte.is_ascii_digit())
        || plain.starts_with(['+', '-'])
    {
        return None;
    }
    let value: f64 = plain.parse().ok()?;
    value.is_finite().then_some(sign * value)
}

fn hex_float(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once('p')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() || exponent.abs() > 5000 {
        return None;
    }
    let mut value = 0.0_f64;
    for digit in whole.chars().chain(fraction.chars()) {
        value = value * 16.0 + f64::from(digit.to_digit(16)?);
    }
    let scale = exponent - 4 * i32::try_from(fraction.len()).ok()?;
    let value = value * 2.0_f64.powi(scale);
    value.is_finite().then_some(value)
}

/// `int64(float)` as amd64 does it: what does not fit becomes the smallest number.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
pub(crate) fn truncate(float: f64) -> i64 {
    if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&float) {
        float as i64
    } else {
        i64::MIN
    }
}

/// A whole number as a float, rounded to the nearest.
#[expect(clippy::cast_precision_loss, reason = "Go rounds here as well")]
pub(crate) fn float(integer: i64) -> f64 {
    integer as f64
}
