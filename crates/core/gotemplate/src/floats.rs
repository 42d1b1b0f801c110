//! Floats in decimal, as Go's `strconv.FormatFloat` writes them.

/// Formats by Go's verb; `None` is the shortest text that reads back the same.
pub fn format_float(value: f64, verb: char, precision: Option<usize>) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    match verb {
        'e' | 'E' => cased(exponential(value, precision), verb),
        'f' | 'F' => match precision {
            Some(precision) => format!("{value:.precision$}"),
            None => format!("{value}"),
        },
        'x' | 'X' => cased(hexadecimal(value, precision), verb),
        'b' => binary(value),
        _ => cased(general(value, precision), verb),
    }
}

fn cased(text: String, verb: char) -> String {
    if verb.is_ascii_uppercase() { text.to_ascii_uppercase() } else { text }
}

/// `1.5e+06`: the exponent has a sign and two digits at least.
fn exponential(value: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{value:.precision$e}"),
        None => format!("{value:e}"),
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

fn general(value: f64, precision: Option<usize>) -> String {
    if value == 0.0 {
        return if value.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    let text = match precision {
        Some(precision) => format!("{value:.*e}", precision.max(1) - 1),
        None => format!("{value:e}"),
    };
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_end_matches('0');
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let limit = match precision {
        None => 6,
        Some(precision) => {
            let precision = i32::try_from(precision.max(1)).unwrap_or(i32::MAX);
            if precision > count && count > exponent { count } else { precision }
        }
    };
    if exponent < -4 || exponent >= limit {
        let (first, rest) = digits.split_at(1.min(digits.len()));
        let point = if rest.is_empty() { "" } else { "." };
        let mark = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{mark}{:02}", exponent.unsigned_abs());
    }
    format!("{sign}{}", positional(digits, exponent))
}

/// Digits with the point where the exponent says.
fn positional(digits: &str, exponent: i32) -> String {
    let Ok(whole) = usize::try_from(exponent + 1) else {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("0.{}{digits}", "0".repeat(zeros));
    };
    if whole == 0 {
        return format!("0.{digits}");
    }
    if digits.len() <= whole {
        return format!("{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{}.{}", &digits[..whole], &digits[whole..])
}

/// `-1234p-52`: the mantissa as a whole number, and the binary exponent.
fn binary(value: f64) -> String {
    let (negative, exponent, mantissa) = parts(value);
    format!("{}{mantissa}p{exponent:+}", if negative { "-" } else { "" })
}

fn parts(value: f64) -> (bool, i64, u64) {
    let bits = value.to_bits();
    let raw = i64::try_from((bits >> 52) & 0x7FF).unwrap_or(0);
    let fraction = bits & ((1 << 52) - 1);
    let (exponent, mantissa) = if raw == 0 { (-1074, fraction) } else { (raw - 1075, fraction | 1 << 52) };
    (bits >> 63 == 1, exponent, mantissa)
}

/// `0x1.8p+01`
fn hexadecimal(value: f64, precision: Option<usize>) -> String {
    let (negative, mut exponent, mut mantissa) = parts(value);
    let sign = if negative { "-" } else { "" };
    if mantissa == 0 {
        let zeros = precision
            .filter(|&digits| digits > 0)
            .map_or(String::new(), |digits| format!(".{}", "0".repeat(digits)));
        return format!("{sign}0x0{zeros}p+00");
    }
    while mantissa < 1 << 60 {
        mantissa <<= 1;
        exponent -= 1;
    }
    exponent += 60;
    if let Some(digits) = precision.filter(|&digits| digits < 15) {
        let shift = (digits * 4) as u32;
        let extra = (mantissa << shift) & ((1 << 60) - 1);
        mantissa >>= 60 - shift;
        if extra | (mantissa & 1) > 1 << 59 {
            mantissa += 1;
        }
        mantissa <<= 60 - shift;
        if mantissa & (1 << 61) != 0 {
            mantissa >>= 1;
            exponent += 1;
        }
    }
    let mut digits = format!("{:015x}", mantissa & ((1 << 60) - 1));
    match precision {
        None => digits.truncate(digits.trim_end_matches('0').len()),
        Some(wanted) => {
            digits.truncate(wanted);
            while digits.len() < wanted {
                digits.push('0');
            }
        }
    }
    let point = if digits.is_empty() { "" } else { "." };
    let mark = if exponent < 0 { '-' } else { '+' };
    format!("{sign}0x{}{point}{digits}p{mark}{:02}", mantissa >> 60, exponent.unsigned_abs())
}
