//! Go's durations: `1h30m`, `5s`, `250ms`.

/// Nanoseconds of a duration text.
pub(crate) fn parse(text: &str) -> Result<i64, String> {
    let invalid = || format!("time: invalid duration \"{text}\"");
    let (sign, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (-1.0, &text[1..]),
        Some(b'+') => (1.0, &text[1..]),
        _ => (1.0, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| invalid())?;
        let after = &rest[digits..];
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let scale = match &after[..letters] {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            "" => return Err(format!("time: missing unit in duration \"{text}\"")),
            unit => return Err(format!("time: unknown unit \"{unit}\" in duration \"{text}\"")),
        };
        total += number * scale;
        rest = &after[letters..];
    }
    #[expect(clippy::cast_possible_truncation, reason = "out of range saturates")]
    Ok((sign * total) as i64)
}

/// Seconds of a number and one unit of s, m, h, d.
pub(crate) fn with_days(text: &str) -> Result<i64, String> {
    let invalid = || format!("invalid since format '{text}', expected format <duration><unit> (e.g. 3h)");
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        Some('d') => 86400,
        _ => return Err(invalid()),
    };
    let number: u32 = text[..text.len() - 1].parse().map_err(|_| invalid())?;
    Ok(i64::from(number) * unit)
}

/// The text of whole seconds.
pub(crate) fn seconds(total: i64) -> String {
    let sign = if total < 0 { "-" } else { "" };
    let total = total.unsigned_abs();
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

/// The text of nanoseconds, as Go's `Duration.String` gives it.
pub(crate) fn text(nanoseconds: i64) -> String {
    if nanoseconds % 1_000_000_000 == 0 {
        return seconds(nanoseconds / 1_000_000_000);
    }
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    let fraction = |unit: u64, name: &str| {
        let text =
            format!("{}.{:0width$}", magnitude / unit, magnitude % unit, width = unit.ilog10() as usize);
        format!("{sign}{}{name}", text.trim_end_matches('0').trim_end_matches('.'))
    };
    match magnitude {
        0..1_000 => format!("{sign}{magnitude}ns"),
        1_000..1_000_000 => fraction(1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(1_000_000, "ms"),
        _ => {
            let whole = i64::try_from(magnitude / 1_000_000_000).unwrap_or(i64::MAX);
            let digits = format!("{:09}", magnitude % 1_000_000_000);
            let text = seconds(whole);
            format!("{sign}{}.{}s", text.trim_end_matches('s'), digits.trim_end_matches('0'))
        }
    }
}
