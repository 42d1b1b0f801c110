//! What a plain scalar is: the rules of yaml.v3, which knows fewer booleans than YAML 1.1.

use super::Tag;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    Unsigned(u64),
    Float(f64),
    /// As RFC 3339 has it.
    Timestamp(String),
    Text,
}

impl Scalar {
    pub(crate) fn tag(&self) -> Tag {
        match self {
            Self::Null => Tag::Null,
            Self::Bool(_) => Tag::Bool,
            Self::Int(_) | Self::Unsigned(_) => Tag::Int,
            Self::Float(_) => Tag::Float,
            Self::Timestamp(_) => Tag::Timestamp,
            Self::Text => Tag::Str,
        }
    }
}

/// Resolves a scalar without a tag.
pub(crate) fn resolve(text: &str) -> Scalar {
    let Some(first) = text.bytes().next() else { return Scalar::Null };
    match first {
        b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' => match text {
            "~" | "null" | "Null" | "NULL" => Scalar::Null,
            "true" | "True" | "TRUE" => Scalar::Bool(true),
            "false" | "False" | "FALSE" => Scalar::Bool(false),
            _ => Scalar::Text,
        },
        b'.' => special_float(text).or_else(|| decimal(text)).map_or(Scalar::Text, Scalar::Float),
        b'+' | b'-' | b'0'..=b'9' => number(text, true),
        _ => Scalar::Text,
    }
}

/// Resolves a scalar with one of the tags of the core schema; the error is the tag it looks like instead.
pub(crate) fn resolve_tagged(tag: Tag, text: &str) -> Result<Scalar, Tag> {
    let found = match tag {
        Tag::Timestamp => resolve(text),
        Tag::Int | Tag::Float | Tag::Bool | Tag::Null => match text.bytes().next() {
            Some(b'+' | b'-' | b'0'..=b'9') => number(text, false),
            _ => resolve(text),
        },
        _ => return Ok(Scalar::Text),
    };
    match (tag, found) {
        (wanted, found) if found.tag() == wanted => Ok(found),
        (Tag::Float, Scalar::Int(number)) => Ok(Scalar::Float(number as f64)),
        (_, found) => Err(found.tag()),
    }
}

fn special_float(text: &str) -> Option<f64> {
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn number(text: &str, timestamps: bool) -> Scalar {
    if let Some(float) = special_float(text) {
        return Scalar::Float(float);
    }
    if timestamps && let Some(time) = timestamp(text) {
        return Scalar::Timestamp(time);
    }
    let without;
    let plain = if text.contains('_') {
        without = text.replace('_', "");
        without.as_str()
    } else {
        text
    };
    integer(plain).or_else(|| decimal(plain).map(Scalar::Float)).unwrap_or(Scalar::Text)
}

/// Go's `strconv.ParseInt(text, 0, 64)`, then `ParseUint`.
fn integer(text: &str) -> Option<Scalar> {
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

/// `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`, in the range of a float.
fn decimal(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = match mantissa.split_once('.') {
        None => digits(mantissa),
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
    };
    let exponent_fits = exponent.is_none_or(|text| digits(text.strip_prefix(['-', '+']).unwrap_or(text)));
    if !fits || !exponent_fits {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The layouts yaml.v3 takes for a time, as Go's JSON prints them.
fn timestamp(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || !bytes[..4].iter().all(u8::is_ascii_digit) || bytes[4] != b'-' {
        return None;
    }
    let year: u16 = text.get(..4)?.parse().ok()?;
    let (month, rest) = short_number(text.get(5..)?)?;
    let (day, rest) = short_number(rest.strip_prefix('-')?)?;
    if !valid_date(year, month, day) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    match rest.as_bytes().first() {
        None => Some(format!("{date}T00:00:00Z")),
        Some(b'T' | b't') => {
            let (time, zone) = time_of_day(&rest[1..])?;
            Some(format!("{date}T{time}{}", zone_text(zone)?))
        }
        Some(b' ') => {
            let (time, rest) = time_of_day(rest[1..].trim_start_matches(' '))?;
            rest.is_empty().then(|| format!("{date}T{time}Z"))
        }
        Some(_) => None,
    }
}

fn valid_date(year: u16, month: u8, day: u8) -> bool {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=days).contains(&day)
}

fn short_number(text: &str) -> Option<(u8, &str)> {
    let length = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    text[..length].parse().ok().map(|number| (number, &text[length..]))
}

/// `15:4:5` with an optional fraction, and what follows it.
fn time_of_day(text: &str) -> Option<(String, &str)> {
    let (hour, rest) = short_number(text)?;
    let (minute, rest) = short_number(rest.strip_prefix(':')?)?;
    let (second, rest) = short_number(rest.strip_prefix(':')?)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let time = format!("{hour:02}:{minute:02}:{second:02}");
    let Some(fraction) = rest.strip_prefix(['.', ',']) else { return Some((time, rest)) };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 {
        return None;
    }
    let digits = fraction[..length.min(9)].trim_end_matches('0');
    let time = if digits.is_empty() { time } else { format!("{time}.{digits}") };
    Some((time, &fraction[length..]))
}

fn zone_text(text: &str) -> Option<&str> {
    if text == "Z" {
        return Some("Z");
    }
    let rest = text.strip_prefix(['+', '-'])?;
    let bytes = rest.as_bytes();
    let fits = bytes.len() == 5
        && rest.is_ascii()
        && bytes[2] == b':'
        && rest[..2].parse::<u8>().is_ok_and(|hour| hour <= 24)
        && rest[3..].parse::<u8>().is_ok_and(|minute| minute < 60);
    fits.then_some(if rest == "00:00" { "Z" } else { text })
}

/// Whether a YAML 1.1 reader takes the text for something else than a string.
pub(crate) fn is_yaml11_non_string(text: &str) -> bool {
    if text.is_empty() || text.contains('\n') {
        return false;
    }
    // What can be no number, date, boolean, null or collection starts with a letter other than these.
    match text.as_bytes()[0] {
        b'y' | b'Y' | b'n' | b'N' | b'o' | b'O' => {
            matches!(
                text,
                "y" | "Y"
                    | "yes"
                    | "Yes"
                    | "YES"
                    | "on"
                    | "On"
                    | "ON"
                    | "n"
                    | "N"
                    | "no"
                    | "No"
                    | "NO"
                    | "off"
                    | "Off"
                    | "OFF"
                    | "null"
                    | "Null"
                    | "NULL"
            ) || is_mapping_text(text)
        }
        b'a'..=b'z' | b'A'..=b'Z' => resolve(text) != Scalar::Text || is_mapping_text(text),
        b'0'..=b'9' | b'+' | b'.' => resolve(text) != Scalar::Text || is_mapping_text(text),
        _ => !matches!(object::yaml::decode(text.as_bytes()), Ok(serde_json::Value::String(_)) | Err(_)),
    }
}

/// Text such as `a: b`, which reads as a map, or `a #b`, a string with a comment.
fn is_mapping_text(text: &str) -> bool {
    (text.contains(": ") || text.ends_with(':'))
        && !matches!(object::yaml::decode(text.as_bytes()), Ok(serde_json::Value::String(_)) | Err(_))
}
