//! Layouts: a text in which pieces of the reference time stand for pieces of any other.

use super::{MONTHS, Time, WEEKDAYS};

/// A piece of a layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    LongMonth,
    Month,
    NumberMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    SpaceDay,
    ZeroDay,
    SpaceDayOfYear,
    ZeroDayOfYear,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    ZoneName,
    /// `Z` stands for UTC; with colons; with seconds; hours only.
    Offset {
        z: bool,
        colon: bool,
        seconds: bool,
        short: bool,
    },
    /// So many digits after a point or comma; kept or trimmed of zeros.
    Fraction {
        comma: bool,
        digits: usize,
        trimmed: bool,
    },
}

const fn offset(z: bool, colon: bool, seconds: bool, short: bool) -> Piece {
    Piece::Offset { z, colon, seconds, short }
}

/// Longer ones first where one begins with another.
const PIECES: [(&str, Piece); 32] = [
    ("January", Piece::LongMonth),
    ("Jan", Piece::Month),
    ("Monday", Piece::LongWeekday),
    ("Mon", Piece::Weekday),
    ("MST", Piece::ZoneName),
    ("01", Piece::ZeroMonth),
    ("002", Piece::ZeroDayOfYear),
    ("02", Piece::ZeroDay),
    ("03", Piece::ZeroHour12),
    ("04", Piece::ZeroMinute),
    ("05", Piece::ZeroSecond),
    ("06", Piece::Year),
    ("15", Piece::Hour),
    ("1", Piece::NumberMonth),
    ("2006", Piece::LongYear),
    ("2", Piece::Day),
    ("_2", Piece::SpaceDay),
    ("__2", Piece::SpaceDayOfYear),
    ("3", Piece::Hour12),
    ("4", Piece::Minute),
    ("5", Piece::Second),
    ("PM", Piece::UpperHalf),
    ("pm", Piece::LowerHalf),
    ("-070000", offset(false, false, true, false)),
    ("-07:00:00", offset(false, true, true, false)),
    ("-0700", offset(false, false, false, false)),
    ("-07:00", offset(false, true, false, false)),
    ("-07", offset(false, false, false, true)),
    ("Z070000", offset(true, false, true, false)),
    ("Z07:00:00", offset(true, true, true, false)),
    ("Z0700", offset(true, false, false, false)),
    ("Z07:00", offset(true, true, false, false)),
];
const Z07: (&str, Piece) = ("Z07", offset(true, false, false, true));

/// What stands before the next piece, the piece, and the rest.
pub(super) fn next_piece(layout: &str) -> (&str, Option<Piece>, &str) {
    for (start, _) in layout.char_indices() {
        let rest = &layout[start..];
        if let Some((piece, length)) = piece_at(rest) {
            return (&layout[..start], Some(piece), &rest[length..]);
        }
    }
    (layout, None, "")
}

fn piece_at(rest: &str) -> Option<(Piece, usize)> {
    // `_2006` is a space and a year.
    if rest.starts_with("_2006") {
        return None;
    }
    let first = rest.chars().next()?;
    if matches!(first, '.' | ',') {
        let digit = rest[1..].chars().next().filter(|it| matches!(it, '0' | '9'))?;
        let digits = rest[1..].chars().take_while(|it| *it == digit).count();
        let followed = rest[1 + digits..].starts_with(|it: char| it.is_ascii_digit());
        let fraction = Piece::Fraction { comma: first == ',', digits, trimmed: digit == '9' };
        return (!followed).then_some((fraction, 1 + digits));
    }
    let candidates = PIECES.iter().chain(std::iter::once(&Z07));
    let found = candidates.filter(|(text, _)| rest.starts_with(text)).max_by_key(|(text, _)| text.len());
    let (text, piece) = found?;
    // `January` is one, `Janet` is `Jan` and `et` only in lower case after it.
    let lower_follows = rest[text.len()..].starts_with(|it: char| it.is_ascii_lowercase());
    match piece {
        Piece::Month | Piece::Weekday if lower_follows => None,
        _ => Some((*piece, text.len())),
    }
}

/// The time in that layout.
pub fn format(time: &Time, layout: &str) -> String {
    let civil = time.civil();
    let mut result = String::new();
    let mut layout = layout;
    while !layout.is_empty() {
        let (before, piece, rest) = next_piece(layout);
        result.push_str(before);
        layout = rest;
        let Some(piece) = piece else { break };
        let hour12 = if civil.hour % 12 == 0 { 12 } else { civil.hour % 12 };
        let month = MONTHS[usize::try_from(civil.month - 1).unwrap_or(0).min(11)];
        let weekday = WEEKDAYS[usize::try_from(time.weekday()).unwrap_or(0).min(6)];
        match piece {
            Piece::LongMonth => result.push_str(month),
            Piece::Month => result.push_str(&month[..3]),
            Piece::NumberMonth => result.push_str(&civil.month.to_string()),
            Piece::ZeroMonth => result.push_str(&format!("{:02}", civil.month)),
            Piece::LongWeekday => result.push_str(weekday),
            Piece::Weekday => result.push_str(&weekday[..3]),
            Piece::Day => result.push_str(&civil.day.to_string()),
            Piece::SpaceDay => result.push_str(&format!("{:>2}", civil.day)),
            Piece::ZeroDay => result.push_str(&format!("{:02}", civil.day)),
            Piece::SpaceDayOfYear => result.push_str(&format!("{:>3}", time.day_of_year())),
            Piece::ZeroDayOfYear => result.push_str(&format!("{:03}", time.day_of_year())),
            Piece::Hour => result.push_str(&format!("{:02}", civil.hour)),
            Piece::Hour12 => result.push_str(&hour12.to_string()),
            Piece::ZeroHour12 => result.push_str(&format!("{hour12:02}")),
            Piece::Minute => result.push_str(&civil.minute.to_string()),
            Piece::ZeroMinute => result.push_str(&format!("{:02}", civil.minute)),
            Piece::Second => result.push_str(&civil.second.to_string()),
            Piece::ZeroSecond => result.push_str(&format!("{:02}", civil.second)),
            Piece::LongYear => result.push_str(&year(civil.year)),
            Piece::Year => result.push_str(&format!("{:02}", civil.year.rem_euclid(100))),
            Piece::UpperHalf => result.push_str(if civil.hour >= 12 { "PM" } else { "AM" }),
            Piece::LowerHalf => result.push_str(if civil.hour >= 12 { "pm" } else { "am" }),
            Piece::ZoneName => {
                let (offset, name) = time.offset();
                let plain = Piece::Offset { z: false, colon: false, seconds: false, short: false };
                result.push_str(&match name.as_str() {
                    "" => offset_text(offset, plain),
                    name => name.to_owned(),
                });
            }
            Piece::Offset { .. } => result.push_str(&offset_text(time.offset().0, piece)),
            Piece::Fraction { comma, digits, trimmed } => {
                let text = format!("{:09}", time.instant().1);
                let kept = text[..digits.min(9)].to_owned() + &"0".repeat(digits.saturating_sub(9));
                let kept = if trimmed { kept.trim_end_matches('0') } else { &kept };
                if !kept.is_empty() {
                    result.push(if comma { ',' } else { '.' });
                    result.push_str(kept);
                }
            }
        }
    }
    result
}

fn year(year: i64) -> String {
    if year < 0 { format!("-{:04}", -year) } else { format!("{year:04}") }
}

fn offset_text(offset: i64, piece: Piece) -> String {
    let Piece::Offset { z, colon, seconds, short } = piece else { return String::new() };
    if z && offset == 0 {
        return "Z".to_owned();
    }
    let sign = if offset < 0 { '-' } else { '+' };
    let total = offset.abs();
    let mut text = format!("{sign}{:02}", total / 3_600);
    let colon = if colon { ":" } else { "" };
    if !short {
        text.push_str(&format!("{colon}{:02}", total / 60 % 60));
    }
    if seconds {
        text.push_str(&format!("{colon}{:02}", total % 60));
    }
    text
}
