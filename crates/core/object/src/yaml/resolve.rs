//! What a plain scalar is: the rules of goyaml.v2.

use serde_json::Value;

/// A scalar before it becomes JSON: keys need the difference between `1` and `"1"`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    /// A date: text in JSON, but it must be quoted when a string looks like it.
    Timestamp,
    Merge,
    Text,
}

pub(super) const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// `tag:yaml.org,2002:int` as messages spell it: `!!int`.
pub(super) fn short_tag(tag: &str) -> String {
    tag.strip_prefix(TAG_PREFIX).map_or_else(|| tag.to_owned(), |name| format!("!!{name}"))
}

/// Resolves a scalar with no tag of its own.
pub(super) fn resolve_plain(text: &str) -> Scalar {
    resolve(text, true)
}

/// Resolves a scalar under an explicit tag of the core schema.
pub(super) fn resolve_tagged(tag: &str, text: &str) -> Result<Scalar, String> {
    let name = tag.strip_prefix(TAG_PREFIX);
    let scalar = match name {
        Some("str") | None => return Ok(Scalar::Text),
        Some("timestamp") => resolve(text, true),
        Some("bool" | "int" | "float" | "null") => resolve(text, false),
        Some(_) => return Ok(Scalar::Text),
    };
    let found = match &scalar {
        Scalar::Null => "null",
        Scalar::Bool(_) => "bool",
        Scalar::Int(_) | Scalar::Unsigned(_) => "int",
        Scalar::Float(_) => "float",
        Scalar::Timestamp => "timestamp",
        Scalar::Merge => "merge",
        Scalar::Text => "str",
    };
    match (name, scalar) {
        (Some(wanted), scalar) if wanted == found => Ok(scalar),
        (Some("float"), Scalar::Int(number)) => Ok(Scalar::Float(number as f64)),
        (_, _) => Err(format!("cannot decode !!{found} `{text}` as a {}", short_tag(tag))),
    }
}

fn resolve(text: &str, timestamps: bool) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    if let Some(scalar) = named(text) {
        return scalar;
    }
    match first {
        b'.' => go_float(text).map_or(Scalar::Text, Scalar::Float),
        b'+' | b'-' | b'0'..=b'9' => resolve_number(text, timestamps),
        _ => Scalar::Text,
    }
}

fn named(text: &str) -> Option<Scalar> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "~" => Scalar::Null,
        // goyaml looks the other names up only when the first character hints at them, and `<` does not.
        "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        "<<" => Scalar::Merge,
        _ => return None,
    })
}

fn resolve_number(text: &str, timestamps: bool) -> Scalar {
    if timestamps && is_timestamp(text) {
        return Scalar::Timestamp;
    }
    let plain = text.replace('_', "");
    if let Some(number) = go_integer(&plain) {
        return number;
    }
    if is_yaml_float(&plain)
        && let Some(number) = go_float(&plain)
    {
        return Scalar::Float(number);
    }
    Scalar::Text
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`. Underscores are gone already.
fn go_integer(text: &str) -> Option<Scalar> {
    let (negative, signed, digits) = match text.as_bytes().first()? {
        b'-' => (true, true, &text[1..]),
        b'+' => (false, true, &text[1..]),
        _ => (false, false, text),
    };
    let bytes = digits.as_bytes();
    let (radix, digits) = match (bytes.first()?, bytes.get(1)) {
        (b'0', Some(b'x' | b'X')) => (16, &digits[2..]),
        (b'0', Some(b'b' | b'B')) => (2, &digits[2..]),
        (b'0', Some(b'o' | b'O')) => (8, &digits[2..]),
        (b'0', Some(_)) => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| (digit as char).is_digit(radix)) {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    match (negative, i64::try_from(magnitude)) {
        (false, Ok(number)) => Some(Scalar::Int(number)),
        (true, Ok(number)) => Some(Scalar::Int(-number)),
        (true, Err(_)) => (magnitude == 1 << 63).then_some(Scalar::Int(i64::MIN)),
        (false, Err(_)) => (!signed).then_some(Scalar::Unsigned(magnitude)),
    }
}

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`
fn is_yaml_float(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    };
    mantissa_fits && exponent.is_none_or(|text| digits(text.strip_prefix(['-', '+']).unwrap_or(text)))
}

/// Go's `strconv.ParseFloat(text, 64)` for decimal text; out of range is an error there, infinity here.
fn go_float(text: &str) -> Option<f64> {
    if !is_yaml_float(text) {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// The four layouts goyaml.v2 takes for a time.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let year_digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if year_digits != 4 || bytes.get(4) != Some(&b'-') {
        return false;
    }
    let Ok(year) = text[..4].parse::<i16>() else { return false };
    let Some((month, rest)) = short_number(&text[5..]) else { return false };
    let Some(rest) = rest.strip_prefix('-') else { return false };
    let Some((day, rest)) = short_number(rest) else { return false };
    if !valid_date(year, month, day) {
        return false;
    }
    match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => time_of_day(&rest[1..]).is_some_and(is_zone),
        Some(b' ') => time_of_day(rest[1..].trim_start_matches(' ')) == Some(""),
        Some(_) => false,
    }
}

fn valid_date(year: i16, month: u8, day: u8) -> bool {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// One or two digits.
fn short_number(text: &str) -> Option<(u8, &str)> {
    let length = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    (length > 0).then(|| text[..length].parse().ok().map(|number| (number, &text[length..]))).flatten()
}

/// `15:4:5` with an optional fraction; what follows it. Go takes the hour in two digits only.
fn time_of_day(text: &str) -> Option<&str> {
    let hour_digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (hour, rest) = short_number(text)?;
    let (minute, rest) = short_number(rest.strip_prefix(':')?)?;
    let (second, rest) = short_number(rest.strip_prefix(':')?)?;
    if hour_digits > 2 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let Some(fraction) = rest.strip_prefix(['.', ',']) else { return Some(rest) };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    (length > 0).then_some(&fraction[length..])
}

fn is_zone(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some(rest) = text.strip_prefix(['+', '-']) else { return false };
    let bytes = rest.as_bytes();
    bytes.len() == 5
        && bytes[2] == b':'
        && rest.is_ascii()
        && rest[..2].parse::<u8>().is_ok_and(|hour| hour <= 24)
        && rest[3..].parse::<u8>().is_ok_and(|minute| minute < 60)
}

/// Whether the text is a base-60 number of YAML 1.1: never read as one, but quoted when written.
pub(super) fn is_base60(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut groups = rest.split(':');
    let Some(head) = groups.next() else { return false };
    if !head.starts_with(|first: char| first.is_ascii_digit())
        || !head.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
    {
        return false;
    }
    let groups: Vec<&str> = groups.collect();
    let Some((last, middle)) = groups.split_last() else { return false };
    let sixty = |group: &str| match group.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [tens, digit] => (b'0'..=b'5').contains(tens) && digit.is_ascii_digit(),
        _ => false,
    };
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    middle.iter().all(|group| sixty(group))
        && sixty(last)
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

/// A float as JSON has it: whole numbers lose their fraction, as Go's encoder writes them.
pub(super) fn float_value(number: f64) -> Option<Value> {
    if !number.is_finite() {
        return None;
    }
    if number.fract() == 0.0 && number.abs() < 9.0e15 && !(number == 0.0 && number.is_sign_negative()) {
        return Some(Value::from(number as i64));
    }
    serde_json::Number::from_f64(number).map(Value::Number)
}
