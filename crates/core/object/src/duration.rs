//! Durations as Go reads and prints them: `1h30m`, `1.5s`, `3m0s`.

use std::fmt;
use std::str::FromStr;

/// Nanoseconds, signed, as Go's `time.Duration`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(pub i64);

/// A text that is no duration. Prints as Go's error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time: {problem} {text:?}")]
pub struct InvalidDuration {
    problem: String,
    text: String,
}

impl GoDuration {
    /// One second.
    pub const SECOND: Self = Self(1_000_000_000);

    /// So many seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds.saturating_mul(Self::SECOND.0))
    }

    /// As the standard library has it; nothing below zero.
    pub fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_nanos(u64::try_from(self.0).unwrap_or(0))
    }
}

impl FromStr for GoDuration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |problem: &str| InvalidDuration { problem: problem.into(), text: text.into() };
        let (negative, mut rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid("invalid duration"));
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
            let (whole, after) = rest.split_at(digits(rest));
            let (fraction, after) = match after.strip_prefix('.') {
                Some(after) => after.split_at(digits(after)),
                None => ("", after),
            };
            if whole.is_empty() && fraction.is_empty() {
                return Err(invalid("invalid duration"));
            }
            let length = after.find(|next: char| next == '.' || next.is_ascii_digit()).unwrap_or(after.len());
            let (unit, after) = after.split_at(length);
            if unit.is_empty() {
                return Err(invalid("missing unit in duration"));
            }
            let Some(scale) = unit_nanoseconds(unit) else {
                return Err(invalid(&format!("unknown unit {unit:?} in duration")));
            };
            let whole: u64 =
                if whole.is_empty() { 0 } else { whole.parse().map_err(|_| invalid("invalid duration"))? };
            let part =
                whole.checked_mul(scale).and_then(|part| part.checked_add(fraction_of(fraction, scale)));
            total = part
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= 1 << 63)
                .ok_or_else(|| invalid("invalid duration"))?;
            rest = after;
        }
        let total = i128::from(total) * if negative { -1 } else { 1 };
        i64::try_from(total).map(Self).map_err(|_| invalid("invalid duration"))
    }
}

fn unit_nanoseconds(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter both.
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Digits after the point, cut below a nanosecond.
fn fraction_of(digits: &str, scale: u64) -> u64 {
    let mut value: u128 = 0;
    let mut divisor: u128 = 1;
    for digit in digits.bytes().take(18) {
        value = value * 10 + u128::from(digit - b'0');
        divisor *= 10;
    }
    u64::try_from(value * u128::from(scale) / divisor).unwrap_or(0)
}

impl fmt::Display for GoDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return formatter.write_str("0s");
        }
        if self.0 < 0 {
            formatter.write_str("-")?;
        }
        let nanoseconds = self.0.unsigned_abs();
        if nanoseconds < 1_000 {
            return write!(formatter, "{nanoseconds}ns");
        }
        if nanoseconds < 1_000_000 {
            return write!(formatter, "{}µs", decimal(nanoseconds, 1_000));
        }
        if nanoseconds < 1_000_000_000 {
            return write!(formatter, "{}ms", decimal(nanoseconds, 1_000_000));
        }
        let minutes = nanoseconds / 60_000_000_000;
        let seconds = decimal(nanoseconds % 60_000_000_000, 1_000_000_000);
        match (minutes / 60, minutes % 60) {
            (0, 0) => write!(formatter, "{seconds}s"),
            (0, minutes) => write!(formatter, "{minutes}m{seconds}s"),
            (hours, minutes) => write!(formatter, "{hours}h{minutes}m{seconds}s"),
        }
    }
}

fn decimal(value: u64, unit: u64) -> String {
    let fraction = value % unit;
    if fraction == 0 {
        return (value / unit).to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{fraction:0width$}");
    format!("{}.{}", value / unit, digits.trim_end_matches('0'))
}
